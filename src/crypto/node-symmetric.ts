/**
 * Hashes and AEAD of the node backend, by OpenSSL.
 *
 * The one surprising thing: a running hash runs nothing for as long as the data are short.
 */
import { createCipheriv, createDecipheriv, createHash, hash as hashOnce } from 'node:crypto';
import type { CipherChaCha20Poly1305, CipherGCM, DecipherChaCha20Poly1305, DecipherGCM, Hash } from 'node:crypto';
import { copy, wipe } from '../bytes.js';
import { refuseDestroyed, requireAeadKey, requireNonce, requireSealSpace } from './refusals.js';
import { aeadTagLength } from './backend.js';
import type { AeadAlgorithm, AeadKey, HashAlgorithm, RunningHash } from './backend.js';
import { fromBinary, plain } from './node-buffer.js';

/** The messages of a resumption; hashing so many bytes anew costs what copying a hash object does. */
const longestCollected = 1024;

export function nodeHash(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  return fromBinary(hashOnce(algorithm, data, 'binary'));
}

/** Short data are collected and hashed anew for each value: two objects of node:crypto cost more than that. */
export class NodeRunningHash implements RunningHash {
  readonly #algorithm: HashAlgorithm;
  #collected: Uint8Array[] = [];
  #length = 0;
  #hash: Hash | undefined;

  constructor(algorithm: HashAlgorithm) {
    this.#algorithm = algorithm;
  }

  update(data: Uint8Array): void {
    if (this.#hash === undefined && this.#length + data.length <= longestCollected) {
      this.#collected.push(data);
      this.#length += data.length;
      return;
    }
    this.#hash ??= createHash(this.#algorithm).update(this.#joined());
    this.#collected = [];
    this.#hash.update(data);
  }

  snapshot(): Uint8Array {
    if (this.#hash !== undefined) return plain(this.#hash.copy().digest());
    return nodeHash(this.#algorithm, this.#joined());
  }

  #joined(): Uint8Array {
    let at = 0;
    for (const data of this.#collected) {
      room.set(data, at);
      at += data.length;
    }
    return room.subarray(0, at);
  }
}

/** One for all: what is in it is hashed before anybody else comes. */
const room = new Uint8Array(longestCollected);

export class NodeAeadKey implements AeadKey {
  readonly #algorithm: AeadAlgorithm;
  #key: Uint8Array | undefined;

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    requireAeadKey(algorithm, key);
    this.#algorithm = algorithm;
    this.#key = copy(key);
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
