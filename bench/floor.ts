/**
 * What the cryptography of a handshake costs alone: the primitive operations that no implementation can avoid, with our backend
 * and usual lengths, both ends together. Beside it a miss tells whether the machine or the code has moved.
 */
import type { CryptoBackend, KeyShare, RunningHash } from '../src/crypto/backend.js';
import { aeadKeyLength } from '../src/crypto/backend.js';
import { tls12Suites } from '../src/key-schedule/suites.js';
import type { HandshakeMode, Tls12CipherSuite } from '../src/index.js';
import { privateKey } from './credentials.js';

const secret = new Uint8Array(48).fill(7);
const seed = new Uint8Array(80).fill(5);
const nonce = new Uint8Array(12);
const additionalData = new Uint8Array(13);
const finished = new Uint8Array(16).fill(20);
const protectedFinished = new Uint8Array(32);

export function handshakeFloor(crypto: CryptoBackend, suite: Tls12CipherSuite, mode: HandshakeMode): () => void {
  const { hash, aead } = tls12Suites[suite];
  const cbc = crypto.cbc(new Uint8Array(16).fill(1));
  const mac = crypto.hmac('sha256', secret.subarray(32));
  const ticketState = new Uint8Array(176).fill(3);
  const key = new Uint8Array(aeadKeyLength[aead]).fill(9);
  const signer = crypto.signer(privateKey());
  const signed = new Uint8Array(100).fill(4);
  const algorithm = { kind: 'ecdsa', hash: 'sha256' } as const;
  /** Bytes of ClientHello and ServerHello, and in a full handshake those up to ClientKeyExchange. */
  const transcriptLength = mode === 'full' ? 800 : mode === 'ticket' ? 500 : 250;

  /** RFC 5246 5: two HMACs a block, and one between blocks. */
  const prf = (hmac: ReturnType<CryptoBackend['hmac']>, blocks: number) => {
    let a = hmac.compute(seed);
    for (let i = 1; i <= blocks; i++) {
      hmac.compute(a, seed);
      if (i < blocks) a = hmac.compute(a);
    }
  };

  const oneEnd = (keyShare?: KeyShare, peer?: KeyShare) => {
    const transcript: RunningHash = crypto.runningHash(hash);
    transcript.update(new Uint8Array(transcriptLength));
    if (keyShare !== undefined && peer !== undefined) {
      void keyShare.agree(peer.publicKey);
      transcript.snapshot();
      const premaster = crypto.hmac(hash, seed.subarray(0, 32));
      prf(premaster, 2);
      premaster.destroy();
    }
    const master = crypto.hmac(hash, secret);
    prf(master, 2);
    prf(master, 1);
    prf(master, 1);
    master.destroy();
    transcript.snapshot();
    transcript.update(finished);
    transcript.snapshot();
    const write = crypto.aead(aead, key);
    const read = crypto.aead(aead, key);
    write.seal(nonce, additionalData, finished, protectedFinished);
    read.open(nonce, additionalData, protectedFinished);
    write.destroy();
    read.destroy();
  };

  return () => {
    crypto.randomBytes(32);
    crypto.randomBytes(32);
    if (mode === 'full') {
      const client = crypto.generateKeyShare('x25519');
      const server = crypto.generateKeyShare('x25519');
      if (client instanceof Promise || server instanceof Promise)
        throw new Error('a backend without promises is needed');
      const signature = signer.sign(algorithm, signed);
      if (signature instanceof Promise) throw new Error('a backend without promises is needed');
      void crypto.verify(algorithm, signer.publicKey, signed, signature);
      oneEnd(client, server);
      oneEnd(server, client);
      mac.compute(cbc.encrypt(crypto.randomBytes(16), ticketState));
    } else {
      oneEnd();
      oneEnd();
      if (mode === 'ticket') {
        mac.compute(ticketState);
        cbc.decrypt(nonceBlock, ticketState);
      }
    }
  };
}

const nonceBlock = new Uint8Array(16);
