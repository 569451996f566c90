import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { KeyedHash } from '../../src/sessions/keyed-hash.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { RecordIndex } from '../../src/sessions/record-index.js';
import { RecordSlabs } from '../../src/sessions/record-slabs.js';

const keyed = new KeyedHash(new Uint8Array(8), 255);
const crypto = { randomBytes: (length: number) => new Uint8Array(length) };

const numbered = (i: number) => Uint8Array.of(i, i >> 8, i >> 16);

/** Under a key that is known: so many keys of which all hashes are the same under `mask`. */
function colliding(mask: number, count: number): Uint8Array[] {
  const found = new Map<number, Uint8Array[]>();
  for (let i = 0; i < 2 ** 21; i++) {
    const key = numbered(i);
    const bucket = keyed.hash(key) & mask;
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
    const index = new RecordIndex(slabs);
    const count = 10_000;
    const segment = 12_296;
    const records: number[] = [];
    const found = (i: number) => index.find(keyed, keyed.hash(numbered(i)));
    for (let i = 0; i < count; i++) {
      const hash = keyed.hash(numbered(i));
      records.push(slabs.add(keyed, hash, Uint8Array.of(), 0));
      index.add(records[i]!, hash);
      if (i % 97 === 0) for (let j = 0; j <= i; j += 89) expect(found(j)).toBe(records[j]);
    }
    expect([index.records, index.allocated]).toEqual([count, 8 * segment]);
    for (let i = count - 1; i >= 0; i--) {
      index.remove(records[i]!);
      slabs.closeGap();
      slabs.remove(records[i]!);
      expect(found(i)).toBe(0);
      if (i % 97 === 0) for (let j = 0; j < i; j += 89) expect(found(j)).toBe(records[j]);
    }
    expect([index.records, index.allocated]).toEqual([0, segment]);
  });

  it('what had to pass by a full bucket is found, whoever leaves', () => {
    const slabs = new RecordSlabs();
    const index = new RecordIndex(slabs);
    // Of one bucket, with tags of their own as far as there are any.
    const hash = (i: number) => (i << 26) | 0xfff;
    const add = (i: number) => {
      keyed.hash(numbered(i));
      const record = slabs.add(keyed, hash(i), Uint8Array.of(), 0);
      index.add(record, hash(i));
      return record;
    };
    const found = (i: number) => {
      keyed.hash(numbered(i));
      return index.find(keyed, hash(i));
    };
    let records = new Map<number, number>();
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 200; i++) if (!records.has(i)) records.set(i, add(i));
      for (const [i, record] of records) expect(found(i)).toBe(record);
      const left = [...records].filter(([i]) => (i * 7 + round) % 3 === 0);
      for (const [i] of left) {
        const record = found(i);
        const { gap } = slabs;
        const moved = slabs.closeGap();
        if (moved !== 0) index.moved(moved, gap);
        const now = moved === record ? gap : record;
        index.remove(now);
        slabs.remove(now);
        expect(found(i)).toBe(0);
      }
      records = new Map([...records.keys()].map((i) => [i, found(i)] as const).filter(([, record]) => record !== 0));
    }
  });

  it('there is an end: where hashes are no good', () => {
    const slabs = new RecordSlabs();
    const index = new RecordIndex(slabs);
    const add = (i: number) => {
      keyed.hash(numbered(i));
      index.add(slabs.add(keyed, -1, Uint8Array.of(), 0), -1);
    };
    for (let i = 0; i < 2160; i++) add(i);
    expect(() => add(2160)).toThrow(RangeError);
    expect(index.records).toBe(2160);
  });
});
