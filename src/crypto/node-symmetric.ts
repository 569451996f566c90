/**
 * Hashes, HMAC, CBC and AEAD of the node backend: short inputs stay on noble's kept states, because calling into OpenSSL
 * costs 0.8 to 3 us before any work is done; AEADs and long inputs go to OpenSSL.
 *
 * The one surprising thing: SHA-384 never runs on noble here. It is slower from the first byte, and its presence would
 * slow noble's SHA-256 (see noble-hash.ts).
 */
import type { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, createHash, createHmac, hash as hashOnce } from 'node:crypto';
import type { CipherChaCha20Poly1305, CipherGCM, DecipherChaCha20Poly1305, DecipherGCM, Hash } from 'node:crypto';
import { wipe } from '../bytes.js';
import {
  refuseDestroyed,
  requireAeadKey,
  requireCbcInput,
  requireCbcKey,
  requireNonce,
  requireSealSpace,
} from './arguments.js';
import { aeadTagLength, hashLength } from './backend.js';
import type { AeadAlgorithm, AeadKey, CbcKey, HashAlgorithm, HmacKey, RunningHash } from './backend.js';
import { nobleCbc } from './noble-cipher.js';
import { nobleHash, nobleHmac, nobleRunningHash } from './noble-hash.js';

// Where OpenSSL overtakes noble, in bytes, measured on Node 20 and a processor with SHA-256 and AES instructions.
const longestNobleHash = 64;
const longestNobleMac = 128;
const longestNobleTranscript = 1024;
const longestNobleCbc = 512;

export function nodeHash(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  if (algorithm === 'sha256' && data.length <= longestNobleHash) return nobleHash(algorithm, data);
  return plain(hashOnce(algorithm, data, 'buffer'));
}

/** The same bytes without Buffer's methods: a Buffer's `slice` shares memory where a Uint8Array's copies. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Stays on noble while the transcript is short, as a resumption's is, and is replayed into OpenSSL when it grows. */
export class NodeRunningHash implements RunningHash {
  readonly #algorithm: HashAlgorithm;
  #short: RunningHash | undefined;
  #replay: Uint8Array[] = [];
  #length = 0;
  #long: Hash | undefined;

  constructor(algorithm: HashAlgorithm) {
    this.#algorithm = algorithm;
    if (algorithm !== 'sha256') this.#long = createHash(algorithm);
  }

  update(data: Uint8Array): void {
    this.#length += data.length;
    if (this.#long === undefined && this.#length <= longestNobleTranscript) {
      this.#replay.push(data.slice());
      this.#short?.update(data);
      return;
    }
    this.#long ??= this.#lengthen();
    this.#long.update(data);
  }

  snapshot(): Uint8Array {
    if (this.#long !== undefined) return plain(this.#long.copy().digest());
    if (this.#short === undefined) {
      this.#short = nobleRunningHash(this.#algorithm);
      for (const data of this.#replay) this.#short.update(data);
    }
    return this.#short.snapshot();
  }

  #lengthen(): Hash {
    const long = createHash(this.#algorithm);
    for (const data of this.#replay) long.update(data);
    this.#replay = [];
    this.#short = undefined;
    return long;
  }
}

export class NodeHmacKey implements HmacKey {
  readonly outputLength: number;
  readonly #algorithm: HashAlgorithm;
  readonly #short: HmacKey | undefined;
  #key: Uint8Array | undefined;

  constructor(algorithm: HashAlgorithm, key: Uint8Array) {
    this.outputLength = hashLength[algorithm];
    this.#algorithm = algorithm;
    this.#short = algorithm === 'sha256' ? nobleHmac(algorithm, key) : undefined;
    this.#key = key.slice();
  }

  compute(...parts: readonly Uint8Array[]): Uint8Array {
    if (this.#short !== undefined) {
      let length = 0;
      for (const part of parts) length += part.length;
      if (length <= longestNobleMac) return this.#short.compute(...parts);
    }
    const mac = createHmac(this.#algorithm, this.#key ?? refuseDestroyed());
    for (const part of parts) mac.update(part);
    return plain(mac.digest());
  }

  destroy(): void {
    this.#short?.destroy();
    wipe(this.#key);
    this.#key = undefined;
  }
}

export class NodeAeadKey implements AeadKey {
  readonly #algorithm: AeadAlgorithm;
  #key: Uint8Array | undefined;

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    requireAeadKey(algorithm, key);
    this.#algorithm = algorithm;
    this.#key = key.slice();
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void {
    requireNonce(nonce);
    const space = requireSealSpace(plaintext, output);
    const cipher = encryption(this.#algorithm, this.#key ?? refuseDestroyed(), nonce);
    cipher.setAAD(aad, { plaintextLength: plaintext.length });
    space.set(cipher.update(plaintext));
    cipher.final();
    space.set(cipher.getAuthTag(), plaintext.length);
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    requireNonce(nonce);
    const decipher = decryption(this.#algorithm, this.#key ?? refuseDestroyed(), nonce);
    const length = sealed.length - aeadTagLength;
    if (length < 0) return undefined;
    decipher.setAAD(aad, { plaintextLength: length });
    decipher.setAuthTag(sealed.subarray(length));
    const plaintext = plain(decipher.update(sealed.subarray(0, length)));
    try {
      decipher.final();
      return plaintext;
    } catch {
      wipe(plaintext);
      return undefined;
    }
  }

  destroy(): void {
    wipe(this.#key);
    this.#key = undefined;
  }
}

const tagOption = { authTagLength: aeadTagLength };

// The types of node:crypto tell the two kinds of AEAD apart, though they are used alike.
function encryption(algorithm: AeadAlgorithm, key: Uint8Array, nonce: Uint8Array): CipherGCM | CipherChaCha20Poly1305 {
  return algorithm === 'chacha20-poly1305'
    ? createCipheriv(algorithm, key, nonce, tagOption)
    : createCipheriv(algorithm, key, nonce, tagOption);
}

function decryption(
  algorithm: AeadAlgorithm,
  key: Uint8Array,
  nonce: Uint8Array,
): DecipherGCM | DecipherChaCha20Poly1305 {
  return algorithm === 'chacha20-poly1305'
    ? createDecipheriv(algorithm, key, nonce, tagOption)
    : createDecipheriv(algorithm, key, nonce, tagOption);
}

export class NodeCbcKey implements CbcKey {
  readonly #short: CbcKey;
  readonly #cipher: 'aes-128-cbc' | 'aes-256-cbc';
  #key: Uint8Array | undefined;

  constructor(key: Uint8Array) {
    requireCbcKey(key);
    this.#short = nobleCbc(key);
    this.#cipher = key.length === 16 ? 'aes-128-cbc' : 'aes-256-cbc';
    this.#key = key.slice();
  }

  encrypt(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    if (blocks.length <= longestNobleCbc) return this.#short.encrypt(iv, blocks);
    requireCbcInput(iv, blocks);
    const cipher = createCipheriv(this.#cipher, this.#key ?? refuseDestroyed(), iv);
    return plain(cipher.setAutoPadding(false).update(blocks));
  }

  decrypt(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    if (blocks.length <= longestNobleCbc) return this.#short.decrypt(iv, blocks);
    requireCbcInput(iv, blocks);
    const decipher = createDecipheriv(this.#cipher, this.#key ?? refuseDestroyed(), iv);
    return plain(decipher.setAutoPadding(false).update(blocks));
  }

  destroy(): void {
    this.#short.destroy();
    wipe(this.#key);
    this.#key = undefined;
  }
}
