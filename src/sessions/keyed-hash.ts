/**
 * HalfSipHash-1-3: the keyed hash under the index of a memory store (Aumasson and Bernstein, "SipHash: a fast short-input PRF", in
 * its variant for 32-bit words; Linux hashes with it what strangers may choose).
 *
 * Whoever opens a connection chooses session IDs that are looked up. Without the key, drawn anew for each store, nobody can name
 * IDs that fall into one bucket (hash flooding). It is good for hash tables and nothing else: 32 bits are no MAC.
 */

/** Two halves of the key. */
export interface HashKey {
  readonly low: number;
  readonly high: number;
}

/** Bytes of a {@link HashKey}. */
export const hashKeyLength = 8;

/** From 8 bytes, little-endian. */
export function hashKey(bytes: Uint8Array): HashKey {
  return { low: wordAt(bytes, 0), high: wordAt(bytes, 4) };
}

/** A signed 32-bit number of `bytes[start..end)`. */
export function keyedHash({ low, high }: HashKey, bytes: Uint8Array, start: number, end: number): number {
  let v0 = low;
  let v1 = high;
  let v2 = 0x6c796765 ^ low;
  let v3 = 0x74656462 ^ high;
  const words = (end - start) >> 2;
  for (let round = 0; round < words + 1 + finalRounds; round++) {
    let word = 0;
    if (round < words) word = wordAt(bytes, start + 4 * round);
    else if (round === words) word = lastWord(bytes, start + 4 * words, end, end - start);
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
    if (round === words) v2 ^= 0xff;
  }
  return v1 ^ v3;
}

/** The "3" of 1-3; every word gets one round. */
const finalRounds = 3;

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** What is left over, and the length modulo 256 on top. */
function lastWord(bytes: Uint8Array, start: number, end: number, length: number): number {
  let word = length << 24;
  for (let at = start; at < end; at++) word |= (bytes[at] ?? 0) << (8 * (at - start));
  return word;
}
