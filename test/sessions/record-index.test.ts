import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { keyedHash, type HashKey } from '../../src/sessions/keyed-hash.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { RecordIndex } from '../../src/sessions/record-index.js';
import { RecordSlabs } from '../../src/sessions/record-slabs.js';

const hashKey: HashKey = { low: 0, high: 0 };
const crypto = { randomBytes: (length: number) => new Uint8Array(length) };

const numbered = (i: number) => Uint8Array.of(i, i >> 8, i >> 16);
const hashOf = (key: Uint8Array) => keyedHash(hashKey, key, 0, key.length);

/** Under a key that is known: so many keys of which all hashes are the same under `mask`. */
function colliding(mask: number, count: number): Uint8Array[] {
  const found = new Map<number, Uint8Array[]>();
  for (let i = 0; i < 2 ** 21; i++) {
    const key = numbered(i);
    const bucket = hashOf(key) & mask;
    const keys = found.get(bucket) ?? [];
    if (keys.push(key) === count) return keys;
    found.set(bucket, keys);
  }
  throw new Error(`no ${String(count)} keys collide`);
}

describe('RecordIndex', () => {
  it.each([
    ['in one bucket', 0x3ff, 60],
    ['in one bucket and in the bits of the links', ~0x03ffff00, 12],
    ['altogether', -1, 2],
  ])('keys that collide %s are told apart', (_, mask, count) => {
    const keys = colliding(mask, count);
    const store = new MemoryStore({ now: () => 0, crypto });
    for (const key of keys) store.set(key, key, 1000);
    for (let i = 0; i < 100; i++) store.set(Uint8Array.of(i), Uint8Array.of(), 1000);
    for (const [i, key] of keys.entries()) {
      expect(toHex(store.get(key) ?? Uint8Array.of())).toBe(toHex(key));
      if (i % 2 === 0) store.delete(key);
    }
    for (const [i, key] of keys.entries()) expect(store.take(key)).toEqual(i % 2 === 0 ? undefined : key);
    expect(store.statistics()).toMatchObject({ entries: 100, bytes: 100 });
  });

  it('a store draws a key of its own: no two put the same sessions into the same buckets', () => {
    const lengths: number[] = [];
    const randomBytes = (length: number) => {
      lengths.push(length);
      return crypto.randomBytes(length);
    };
    for (let i = 0; i < 2; i++) new MemoryStore({ now: () => 0, crypto: { randomBytes } });
    expect(lengths).toEqual([8, 8]);
  });

  it('grows and shrinks with its records, and finds all of them at any size', () => {
    const slabs = new RecordSlabs();
    const index = new RecordIndex(slabs, hashKey);
    const count = 10_000;
    const records: number[] = [];
    const found = (i: number) => index.find(numbered(i), index.hash(numbered(i)));
    for (let i = 0; i < count; i++) {
      records.push(slabs.add(numbered(i), Uint8Array.of(), 0));
      index.add(records[i]!, index.hash(numbered(i)));
      if (i % 97 === 0) for (let j = 0; j <= i; j += 89) expect(found(j)).toBe(records[j]);
    }
    expect([index.records, index.allocated]).toEqual([count, 3 * 16_384]);
    for (let i = count - 1; i >= 0; i--) {
      index.remove(records[i]!);
      slabs.closeGap();
      slabs.remove(records[i]!);
      expect(found(i)).toBe(0);
      if (i % 97 === 0) for (let j = 0; j < i; j += 89) expect(found(j)).toBe(records[j]);
    }
    expect([index.records, index.allocated]).toEqual([0, 16_384]);
  });
});
