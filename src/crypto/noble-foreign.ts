/**
 * Primitives of other servers' tickets, on @noble: AES-CTR (SP 800-38A), HMAC-SHA-1, AES-GCM with nonces of 16 bytes, and the digests
 * from which servers make keys and session id contexts. They stand outside {@link CryptoBackend}, because no TLS handshake asks for
 * them: a backend stays as small as TLS, and every backend opens every ticket.
 *
 * The surprising thing: SHA-1 and MD5 are here. Nothing of ours is protected by them; they are what GnuTLS and Apache ask for.
 */
import { gcm, unsafe } from '@noble/ciphers/aes.js';
import { md5 as nobleMd5, sha1 as nobleSha1 } from '@noble/hashes/legacy.js';
import { sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import { sha3_512 as nobleSha3512 } from '@noble/hashes/sha3.js';
import { copy } from '../bytes.js';
import type { AeadKey, HmacKey } from './backend.js';
import { NobleAeadKey } from './noble-cipher.js';
import { hashFunction, once } from './noble-hash.js';
import { refuseDestroyed } from './refusals.js';

/** 20 bytes (FIPS 180-4 6.1), in a new array as all of these. */
export function sha1(data: Uint8Array): Uint8Array {
  return nobleSha1(data);
}

/** 16 bytes (RFC 1321). */
export function md5(data: Uint8Array): Uint8Array {
  return nobleMd5(data);
}

/** 64 bytes (FIPS 180-4 6.4). */
export function sha512(data: Uint8Array): Uint8Array {
  return nobleSha512(data);
}

/** 64 bytes (FIPS 202 6.1). */
export function sha3_512(data: Uint8Array): Uint8Array {
  return nobleSha3512(data);
}

/** AES-CTR under one key, whose schedule is made once. The whole IV counts, as one number of 128 bits. */
export class CtrKey {
  #schedule: Uint32Array | undefined;

  /** `key` is 16 or 32 bytes. */
  constructor(key: Uint8Array) {
    this.#schedule = unsafe.expandKeyLE(key);
  }

  /** `iv` is 16 bytes, and never the same one twice. The result is as long as `bytes`, in a new array. */
  encrypt(iv: Uint8Array, bytes: Uint8Array): Uint8Array {
    // Copies, because noble counts in the IV itself, and reads words at addresses of words.
    const output = copy(bytes);
    return unsafe.ctrCounter(this.#schedule ?? refuseDestroyed(), copy(iv), output, output);
  }

  decrypt(iv: Uint8Array, bytes: Uint8Array): Uint8Array {
    return this.encrypt(iv, bytes);
  }

  destroy(): void {
    this.#schedule?.fill(0);
    this.#schedule = undefined;
  }
}

const sha1Function = once(() => hashFunction(() => nobleSha1.create()));

/** HMAC-SHA-1 (RFC 2104), 20 bytes; the padded key is hashed once. */
export function hmacSha1(key: Uint8Array): HmacKey {
  return sha1Function().hmac(key);
}

/** AES-GCM (SP 800-38D) with nonces of 16 bytes, which are hashed into a counter: those of 12 are a backend's. */
export function longNonceGcm(key: Uint8Array): AeadKey {
  return new NobleAeadKey(gcm, key, 16);
}
