import { describe, expect, it } from 'vitest';
import { fromAscii } from '../../src/bytes.js';
import { latestExpiry, newer, older, RecordSlabs } from '../../src/sessions/record-slabs.js';

const id = (i: number) => Buffer.from(`id ${String(i)}`.padEnd(32, '.'));
const state = (i: number) => Buffer.from(`state ${String(i)}`.padEnd(200, '.'));

describe('RecordSlabs', () => {
  it('keeps what it was given', () => {
    const slabs = new RecordSlabs();
    for (const [keyLength, valueLength, expiry] of [
      [0, 0, 0],
      [255, 1, 1],
      [32, 300_000, 2 ** 32],
      [1, 31, latestExpiry],
    ] as const) {
      const [key, value] = [new Uint8Array(keyLength).fill(1), new Uint8Array(valueLength).fill(2)];
      const record = slabs.add(key, value, expiry);
      expect(slabs.hasKey(record, key)).toBe(true);
      expect(slabs.hasKey(record, new Uint8Array(keyLength).fill(3))).toBe(keyLength === 0);
      expect(Buffer.from(value).equals(slabs.valueOf(record))).toBe(true);
      expect(slabs.lengthOf(record)).toBe(keyLength + valueLength);
      slabs.setUsed(record, true);
      expect([slabs.expiryOf(record), slabs.isUsed(record)]).toEqual([expiry, true]);
      slabs.setUsed(record, false);
      expect([slabs.expiryOf(record), slabs.isUsed(record)]).toEqual([expiry, false]);
    }
  });

  it('P-state-7 ten sessions take 5 KB, 200,000 take 252 bytes each, and what leaves is given back', () => {
    const slabs = new RecordSlabs();
    const records: number[] = [];
    const add = () => records.push(slabs.add(id(records.length), state(records.length), 0));
    while (records.length < 10) add();
    expect(slabs.allocated).toBeLessThan(5000);
    while (records.length < 200_000) add();
    expect(slabs.allocated / 200_000).toBeGreaterThan(251);
    expect(slabs.allocated / 200_000).toBeLessThan(254);
    // The last ones stay where they are, and the others move: the last records of all are the first to leave here.
    for (let i = 199_999; i >= 5000; i--) {
      slabs.closeGap();
      slabs.remove(records[i]!);
    }
    expect(slabs.allocated).toBeLessThan(3 * 2 ** 18 + 5000 * 252);
    expect(fromAscii(slabs.valueOf(records[4999]!))).toMatch(/^state 4999\./);
    for (let i = 4999; i >= 0; i--) {
      slabs.closeGap();
      slabs.remove(records[i]!);
    }
    slabs.closeGap();
    expect(slabs.allocated).toBe(0);
    expect(slabs.after(0)).toBe(0);
  });

  it('the last record moves into a gap with all that belongs to it, unless another one comes', () => {
    const slabs = new RecordSlabs();
    const [a, b, c] = [1, 2, 3].map((i) => slabs.add(id(i), state(i), i)) as [number, number, number];
    slabs.setLink(c, newer, -7);
    slabs.setLink(c, older, 2 ** 25);
    slabs.setUsed(c, true);
    slabs.remove(a);
    expect([slabs.gap, slabs.closeGap(), slabs.gap]).toEqual([a, c, 0]);
    expect([slabs.link(a, newer), slabs.link(a, older)]).toEqual([-7, 2 ** 25]);
    expect([slabs.expiryOf(a), slabs.isUsed(a), slabs.hasKey(a, id(3))]).toEqual([3, true, true]);
    expect(fromAscii(slabs.valueOf(a))).toBe(fromAscii(state(3)));
    slabs.remove(b);
    expect([slabs.add(id(4), state(4), 4), slabs.gap]).toEqual([b, 0]);
    expect([slabs.link(b, newer), slabs.link(b, older)]).toEqual([0, 0]);
  });

  it('`after` goes round by all of them, over gaps and slabs', () => {
    const slabs = new RecordSlabs();
    const records = Array.from({ length: 3000 }, (_, i) =>
      slabs.add(id(i), state(i).subarray(0, 100 + (i % 3) * 50), 0),
    );
    slabs.remove(records[1500]!);
    const seen = new Set<number>();
    for (let i = 0, record = 0; i < 2999; i++) {
      record = slabs.after(record);
      seen.add(record);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(records.filter((_, i) => i !== 1500).sort((a, b) => a - b));
  });

  it('there is an end: a reference that was never given out is nobody’s', () => {
    expect(() => new RecordSlabs().valueOf(5 * 1024)).toThrow(RangeError);
  });
});
