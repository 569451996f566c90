/**
 * AES-CBC (SP 800-38A) of the node backend: one cipher object of node:crypto in each direction for as long as the key lives.
 *
 * The surprising thing is how an IV gets in without a new object, which would cost three times what the work does. A CBC cipher
 * goes on from its last ciphertext block C as if that were the IV, so XORing C and the wanted IV into the first block, of the
 * plaintext before or after, puts the one in the other's place.
 */
import { createCipheriv, createDecipheriv, type Cipher, type Decipher } from 'node:crypto';
import { copy, wipe } from '../bytes.js';
import type { CbcKey } from './backend.js';
import { plain } from './node-buffer.js';
import { aesBlockLength, refuseDestroyed, requireCbcInput, requireCbcKey } from './refusals.js';

export class NodeCbcKey implements CbcKey {
  readonly #algorithm: 'aes-128-cbc' | 'aes-256-cbc';
  #key: Uint8Array | undefined;
  #encryption: { readonly cipher: Cipher; readonly last: Uint8Array } | undefined;
  #decryption: { readonly cipher: Decipher; readonly last: Uint8Array } | undefined;

  constructor(key: Uint8Array) {
    requireCbcKey(key);
    this.#algorithm = key.length === 16 ? 'aes-128-cbc' : 'aes-256-cbc';
    this.#key = copy(key);
  }

  encrypt(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    requireCbcInput(iv, blocks);
    const key = this.#key ?? refuseDestroyed();
    const { cipher, last } = (this.#encryption ??= {
      cipher: createCipheriv(this.#algorithm, key, zeros).setAutoPadding(false),
      last: new Uint8Array(aesBlockLength),
    });
    const input = copy(blocks);
    replaceIv(input, last, iv);
    const output = plain(cipher.update(input));
    wipe(input);
    last.set(output.subarray(-aesBlockLength));
    return output;
  }

  decrypt(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    requireCbcInput(iv, blocks);
    const key = this.#key ?? refuseDestroyed();
    const { cipher, last } = (this.#decryption ??= {
      cipher: createDecipheriv(this.#algorithm, key, zeros).setAutoPadding(false),
      last: new Uint8Array(aesBlockLength),
    });
    const output = plain(cipher.update(blocks));
    replaceIv(output, last, iv);
    last.set(blocks.subarray(-aesBlockLength));
    return output;
  }

  /** What node:crypto holds of the key is cleared when the objects are collected. */
  destroy(): void {
    wipe(this.#key);
    this.#key = this.#encryption = this.#decryption = undefined;
  }
}

const zeros = new Uint8Array(aesBlockLength);

function replaceIv(blocks: Uint8Array, from: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < aesBlockLength; i++) blocks[i] = (blocks[i] ?? 0) ^ (from[i] ?? 0) ^ (to[i] ?? 0);
}
