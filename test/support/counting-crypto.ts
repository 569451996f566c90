/** A backend that counts what is asked of it: a performance test that no noisy machine can upset. */
import type { CryptoBackend, KeyShare, Signer } from '../../src/crypto/backend.js';

export interface OperationCounts {
  /** One-shot hashes. */
  hash: number;
  /** Running hashes begun, and values taken of them. */
  runningHash: number;
  snapshot: number;
  /** HMAC keys set up, and MACs computed. */
  hmacKey: number;
  hmac: number;
  /** AEAD keys set up, records sealed and opened. */
  aeadKey: number;
  seal: number;
  open: number;
  cbcKey: number;
  cbc: number;
  /** Key pairs made, and secrets agreed on; an answer to a share is one of each. */
  keyShare: number;
  agree: number;
  sign: number;
  verify: number;
  /** Bytes drawn. */
  randomBytes: number;
}

export interface CountingCrypto {
  readonly crypto: CryptoBackend;
  /** Counts since the last call. */
  take(): OperationCounts;
}

export function countingCrypto(backend: CryptoBackend): CountingCrypto {
  let counts = none();
  const crypto: CryptoBackend = {
    ...backend,
    randomBytes(length) {
      counts.randomBytes += length;
      return backend.randomBytes(length);
    },
    hash(algorithm, data) {
      counts.hash++;
      return backend.hash(algorithm, data);
    },
    runningHash(algorithm) {
      counts.runningHash++;
      const hash = backend.runningHash(algorithm);
      return {
        update: (data) => hash.update(data),
        snapshot() {
          counts.snapshot++;
          return hash.snapshot();
        },
      };
    },
    hmac(algorithm, key) {
      counts.hmacKey++;
      const hmac = backend.hmac(algorithm, key);
      return {
        outputLength: hmac.outputLength,
        compute(...parts) {
          counts.hmac++;
          return hmac.compute(...parts);
        },
        destroy: () => hmac.destroy(),
      };
    },
    aead(algorithm, key) {
      counts.aeadKey++;
      const aead = backend.aead(algorithm, key);
      return {
        seal(nonce, aad, plaintext, output) {
          counts.seal++;
          aead.seal(nonce, aad, plaintext, output);
        },
        open(nonce, aad, sealed) {
          counts.open++;
          return aead.open(nonce, aad, sealed);
        },
        destroy: () => aead.destroy(),
      };
    },
    cbc(key) {
      counts.cbcKey++;
      const cbc = backend.cbc(key);
      return {
        encrypt(iv, blocks) {
          counts.cbc++;
          return cbc.encrypt(iv, blocks);
        },
        decrypt(iv, blocks) {
          counts.cbc++;
          return cbc.decrypt(iv, blocks);
        },
        destroy: () => cbc.destroy(),
      };
    },
    generateKeyShare(group) {
      counts.keyShare++;
      const counted = ({ publicKey, agree }: KeyShare): KeyShare => ({
        publicKey,
        agree(peer) {
          counts.agree++;
          return agree(peer);
        },
      });
      const share = backend.generateKeyShare(group);
      return share instanceof Promise ? share.then(counted) : counted(share);
    },
    answerKeyShare(group, peerPublicKey) {
      counts.keyShare++;
      counts.agree++;
      return backend.answerKeyShare(group, peerPublicKey);
    },
    signer(key): Signer {
      const signer = backend.signer(key);
      return {
        publicKey: signer.publicKey,
        sign(algorithm, data) {
          counts.sign++;
          return signer.sign(algorithm, data);
        },
      };
    },
    verify(algorithm, key, data, signature) {
      counts.verify++;
      return backend.verify(algorithm, key, data, signature);
    },
  };
  return {
    crypto,
    take() {
      const taken = counts;
      counts = none();
      return taken;
    },
  };
}

function none(): OperationCounts {
  return {
    hash: 0,
    runningHash: 0,
    snapshot: 0,
    hmacKey: 0,
    hmac: 0,
    aeadKey: 0,
    seal: 0,
    open: 0,
    cbcKey: 0,
    cbc: 0,
    keyShare: 0,
    agree: 0,
    sign: 0,
    verify: 0,
    randomBytes: 0,
  };
}
