import { describe, expect, it } from 'vitest';
import { fromAscii } from '../../src/bytes.js';
import { KeyedHash } from '../../src/sessions/keyed-hash.js';
import { latestExpiry, newer, older, RecordSlabs } from '../../src/sessions/record-slabs.js';

const keyed = new KeyedHash(new Uint8Array(8), 255);
const keyOf = (bytes: Uint8Array) => {
  keyed.hash(bytes);
  return keyed;
};
const id = (i: number) => keyOf(Buffer.from(`id ${String(i)}`.padEnd(32, '.')));
const state = (i: number) => Buffer.from(`state ${String(i)}`.padEnd(200, '.'));

describe('RecordSlabs', () => {
  it.each([
    [0, 0, 0],
    [255, 1, 1],
    [32, 300_000, 2 ** 32],
    [1, 31, latestExpiry],
    [30, 200, 2 ** 47 - 2 ** 31],
  ] as const)('keeps a key of %d bytes, a value of %d and %d', (keyLength, valueLength, expiry) => {
    const slabs = new RecordSlabs();
    const [key, value] = [new Uint8Array(keyLength).fill(1), new Uint8Array(valueLength).fill(2)];
    const record = slabs.add(keyOf(key), -5, value, expiry);
    expect(slabs.hasKey(record, keyOf(key))).toBe(true);
    expect(slabs.hasKey(record, keyOf(new Uint8Array(keyLength).fill(3)))).toBe(keyLength === 0);
    expect(slabs.hasKey(record, keyOf(new Uint8Array(keyLength + 1).fill(1)))).toBe(false);
    expect(slabs.hashOf(record)).toBe(-5);
    expect(Buffer.from(value).equals(slabs.valueOf(record))).toBe(true);
    expect(slabs.lengthOf(record)).toBe(keyLength + valueLength);
    for (const used of [true, true, false, false]) {
      slabs.setUsed(record, used);
      expect([slabs.expiryOf(record), slabs.isUsed(record)]).toEqual([expiry, used]);
    }
  });

  it('the last record moves into a gap with all that belongs to it, unless another one comes', () => {
    const slabs = new RecordSlabs();
    const [a, b, c] = [1, 2, 3].map((i) => slabs.add(id(i), i, state(i), i)) as [number, number, number];
    slabs.setLink(c, newer, -7);
    slabs.setLink(c, older, 2 ** 25);
    slabs.setUsed(c, true);
    slabs.remove(a);
    expect([slabs.gap, slabs.closeGap(), slabs.gap]).toEqual([a, c, 0]);
    expect([slabs.link(a, newer), slabs.link(a, older), slabs.hashOf(a)]).toEqual([-7, 2 ** 25, 3]);
    expect([slabs.expiryOf(a), slabs.isUsed(a), slabs.hasKey(a, id(3))]).toEqual([3, true, true]);
    expect(fromAscii(slabs.valueOf(a))).toBe(fromAscii(state(3)));
    slabs.remove(b);
    expect([slabs.add(id(4), 4, state(4), 4), slabs.gap]).toEqual([b, 0]);
    expect([slabs.link(b, newer), slabs.link(b, older)]).toEqual([0, 0]);
  });
});
