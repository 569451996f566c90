/**
 * HalfSipHash-1-3: the keyed hash under the index of a memory store (Aumasson and Bernstein, "SipHash: a fast short-input PRF", in
 * its variant for 32-bit words; Linux hashes with it what strangers may choose).
 *
 * Whoever opens a connection chooses session IDs that are looked up. Without the key, drawn anew for each store, nobody can name
 * IDs that fall into one bucket (hash flooding). It is good for hash tables and nothing else: 32 bits are no MAC.
 */

/** Bytes of the key. */
export const hashKeyLength = 8;

/** The hash function under one key, and what it hashed last. */
export class KeyedHash {
  /** Of what was hashed: little-endian, and behind the last whole one a word with what is left over. To compare and to copy it by. */
  readonly words: Int32Array;
  /** Bytes of what was hashed. */
  length = 0;
  readonly #low: number;
  readonly #high: number;

  /** Inputs have `maxLength` bytes at the most. */
  constructor(key: Uint8Array, maxLength: number) {
    this.#low = wordAt(key, 0);
    this.#high = wordAt(key, 4);
    this.words = new Int32Array((maxLength >> 2) + 1 + finalRounds);
  }

  /** A signed 32-bit number. */
  hash(bytes: Uint8Array): number {
    const { words } = this;
    const { length } = bytes;
    this.length = length;
    const last = length >> 2;
    for (let i = 0; i < last; i++) words[i] = wordAt(bytes, 4 * i);
    // What is left over, and the length modulo 256 on top. The rounds at the end are those of words that are 0.
    let lastWord = length << 24;
    for (let at = 4 * last; at < length; at++) lastWord |= (bytes[at] ?? 0) << (8 * (at & 3));
    words[last] = lastWord;
    for (let i = 1; i <= finalRounds; i++) words[last + i] = 0;

    let v0 = this.#low;
    let v1 = this.#high;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    for (let round = 0; round <= last + finalRounds; round++) {
      const word = words[round] ?? 0;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (round === last) v2 ^= 0xff;
    }
    return v1 ^ v3;
  }
}

/** The "3" of 1-3; every word gets one round. */
const finalRounds = 3;

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
