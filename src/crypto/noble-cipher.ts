/**
 * AES-CBC (SP 800-38A), AES-GCM (SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) on @noble/ciphers.
 *
 * CBC keeps the expanded key: noble's own `cbc` expands it at every call, which is most of its price on a ticket. Only
 * the chaining is ours. The one surprising thing: noble's AES reads tables and is not constant-time against an
 * attacker on the same machine; neither is anything else written in JavaScript.
 */
import { gcm, unsafe } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { copy, wipe } from '../bytes.js';
import {
  refuseDestroyed,
  requireAeadKey,
  requireCbcInput,
  requireCbcKey,
  requireNonce,
  requireSealSpace,
} from './refusals.js';
import { aeadNonceLength, type AeadAlgorithm, type AeadKey, type CbcKey } from './backend.js';

export function nobleAead(algorithm: AeadAlgorithm, key: Uint8Array): AeadKey {
  requireAeadKey(algorithm, key);
  return new NobleAeadKey(algorithm === 'chacha20-poly1305' ? chacha20poly1305 : gcm, key);
}

/** Nonces have 12 bytes unless they are said to have another length, which GCM alone can do with. */
export class NobleAeadKey implements AeadKey {
  readonly #cipher: typeof gcm | typeof chacha20poly1305;
  readonly #nonceLength: number;
  #key: Uint8Array | undefined;

  constructor(cipher: typeof gcm | typeof chacha20poly1305, key: Uint8Array, nonceLength = aeadNonceLength) {
    this.#cipher = cipher;
    this.#nonceLength = nonceLength;
    this.#key = copy(key);
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void {
    requireNonce(nonce, this.#nonceLength);
    const space = requireSealSpace(plaintext, output);
    const key = this.#key ?? refuseDestroyed();
    // noble's GCM takes no output array.
    if (this.#cipher === gcm) space.set(gcm(key, nonce, aad).encrypt(plaintext));
    else chacha20poly1305(key, nonce, aad).encrypt(plaintext, space);
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    requireNonce(nonce, this.#nonceLength);
    const cipher = this.#cipher(this.#key ?? refuseDestroyed(), nonce, aad);
    try {
      return cipher.decrypt(sealed);
    } catch {
      // A wrong tag, or less than a tag.
      return undefined;
    }
  }

  destroy(): void {
    wipe(this.#key);
    this.#key = undefined;
  }
}

export function nobleCbc(key: Uint8Array): CbcKey {
  requireCbcKey(key);
  return new NobleCbcKey(key);
}

class NobleCbcKey implements CbcKey {
  #encryption: Uint32Array | undefined;
  #decryption: Uint32Array | undefined;

  constructor(key: Uint8Array) {
    this.#encryption = unsafe.expandKeyLE(key);
    this.#decryption = unsafe.expandKeyDecLE(key);
  }

  encrypt(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    requireCbcInput(iv, blocks);
    const schedule = this.#encryption ?? refuseDestroyed();
    const output = new Uint8Array(blocks.length);
    const from = view(blocks);
    const to = view(output);
    const chain = view(iv);
    let s0 = chain.getUint32(0, true);
    let s1 = chain.getUint32(4, true);
    let s2 = chain.getUint32(8, true);
    let s3 = chain.getUint32(12, true);
    for (let i = 0; i < blocks.length; i += 16) {
      s0 ^= from.getUint32(i, true);
      s1 ^= from.getUint32(i + 4, true);
      s2 ^= from.getUint32(i + 8, true);
      s3 ^= from.getUint32(i + 12, true);
      ({ s0, s1, s2, s3 } = unsafe.encrypt(schedule, s0, s1, s2, s3));
      to.setUint32(i, s0, true);
      to.setUint32(i + 4, s1, true);
      to.setUint32(i + 8, s2, true);
      to.setUint32(i + 12, s3, true);
    }
    return output;
  }

  decrypt(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    requireCbcInput(iv, blocks);
    const schedule = this.#decryption ?? refuseDestroyed();
    const output = new Uint8Array(blocks.length);
    const from = view(blocks);
    const to = view(output);
    let chain = view(iv);
    let at = 0;
    for (let i = 0; i < blocks.length; i += 16) {
      const { s0, s1, s2, s3 } = unsafe.decrypt(
        schedule,
        from.getUint32(i, true),
        from.getUint32(i + 4, true),
        from.getUint32(i + 8, true),
        from.getUint32(i + 12, true),
      );
      to.setUint32(i, s0 ^ chain.getUint32(at, true), true);
      to.setUint32(i + 4, s1 ^ chain.getUint32(at + 4, true), true);
      to.setUint32(i + 8, s2 ^ chain.getUint32(at + 8, true), true);
      to.setUint32(i + 12, s3 ^ chain.getUint32(at + 12, true), true);
      chain = from;
      at = i;
    }
    return output;
  }

  destroy(): void {
    this.#encryption?.fill(0);
    this.#decryption?.fill(0);
    this.#encryption = undefined;
    this.#decryption = undefined;
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
