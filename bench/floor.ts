/**
 * What the cryptography of a handshake costs alone: the primitive operations that no implementation can avoid, with our backend
 * and usual lengths, both ends together. Beside it a miss tells whether the machine or the code has moved.
 */
import {
  aeadTagLength,
  hashLength,
  type CryptoBackend,
  type HmacKey,
  type KeyShare,
  type MaybePromise,
} from '../src/crypto/backend.js';
import { tls12Suites } from '../src/key-schedule/suites.js';
import { keySizes } from '../src/record/protection.js';
import type { Tls12CipherSuite } from '../src/index.js';
import { privateKey } from './credentials.js';

const secret = new Uint8Array(48).fill(7);
const nonce = new Uint8Array(12);
const initializationVector = new Uint8Array(16);
const additionalData = new Uint8Array(13);
const finished = new Uint8Array(16).fill(20);
/** Label and seed: the session hash, both randoms, or the transcript hash behind it. */
const masterSecretSeed = new Uint8Array(22 + 32).fill(5);
const keyBlockSeed = new Uint8Array(13 + 64).fill(5);
const finishedSeed = new Uint8Array(15 + 32).fill(5);
/** Of a session without client certificate; as much as ciphertext, as what is authenticated, and padded. */
const ticketState = new Uint8Array(176).fill(3);
/** Bytes of ClientHello and ServerHello, and in a full handshake those up to ClientKeyExchange. */
const transcriptLength = { full: 800, session_id: 250, ticket: 450 } as const;

/** Of TLS 1.2. */
export function handshakeFloor(
  crypto: CryptoBackend,
  suite: Tls12CipherSuite,
  mode: keyof typeof transcriptLength,
): () => void {
  const { hash, aead } = tls12Suites[suite];
  const sizes = keySizes(aead);
  const keyBlocks = Math.ceil((2 * (sizes.key + sizes.iv)) / hashLength[hash]);
  const masterBlocks = Math.ceil(secret.length / hashLength[hash]);
  const cbc = crypto.cbc(new Uint8Array(16).fill(1));
  const mac = crypto.hmac('sha256', secret.subarray(32));
  const recordKey = new Uint8Array(sizes.key).fill(9);
  const transcript = new Uint8Array(transcriptLength[mode]);
  const signer = crypto.signer(privateKey());
  const signed = new Uint8Array(100).fill(4);
  const algorithm = { kind: 'ecdsa', hash: 'sha256' } as const;

  const oneEnd = (keyShare?: KeyShare, peer?: KeyShare) => {
    const running = crypto.runningHash(hash);
    running.update(transcript);
    if (keyShare !== undefined && peer !== undefined) {
      // The session hash of RFC 7627 is what the first Finished covers: one value for both.
      void keyShare.agree(peer.publicKey);
      const premaster = crypto.hmac(hash, secret.subarray(0, 32));
      prf(premaster, masterSecretSeed, masterBlocks);
      premaster.destroy();
    }
    const master = crypto.hmac(hash, secret);
    prf(master, keyBlockSeed, keyBlocks);
    for (let sender = 0; sender < 2; sender++) {
      prf(master, finishedSeed, 1);
      running.snapshot();
      running.update(finished);
    }
    master.destroy();
    const [write, read] = [crypto.aead(aead, recordKey), crypto.aead(aead, recordKey)];
    const sealed = new Uint8Array(finished.length + aeadTagLength);
    write.seal(nonce, additionalData, finished, sealed);
    read.open(nonce, additionalData, sealed);
    write.destroy();
    read.destroy();
  };

  if (mode !== 'full')
    return () => {
      crypto.randomBytes(32);
      crypto.randomBytes(32);
      if (mode === 'ticket') {
        crypto.randomBytes(32);
        mac.compute(ticketState);
        cbc.decrypt(initializationVector, ticketState);
      }
      oneEnd();
      oneEnd();
    };
  return () => {
    crypto.randomBytes(32);
    crypto.randomBytes(32);
    const client = now(crypto.generateKeyShare('x25519'));
    const server = now(crypto.generateKeyShare('x25519'));
    void crypto.verify(algorithm, signer.publicKey, signed, now(signer.sign(algorithm, signed)));
    oneEnd(client, server);
    oneEnd(server, client);
    mac.compute(cbc.encrypt(crypto.randomBytes(16), ticketState));
  };
}

/** RFC 5246 5: two HMACs for the first block of output, and two for each that follows. */
function prf(key: HmacKey, seed: Uint8Array, blocks: number): void {
  let a = key.compute(seed);
  for (let i = 1; i <= blocks; i++) {
    key.compute(a, seed);
    if (i < blocks) a = key.compute(a);
  }
}

export function now<T>(value: MaybePromise<T>): T {
  if (value instanceof Promise) throw new Error('the floor needs a backend that answers at once');
  return value;
}
