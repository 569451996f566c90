import { describe, expect, it } from 'vitest';
import { placeOf, RecordPlaces } from '../../src/sessions/record-places.js';

/** Words: of a session of 200 bytes under an ID of 32. */
const recordLength = 63;

describe('RecordPlaces', () => {
  it('P-state-7 ten sessions take 5 KB, 200,000 take 252 bytes each, and what leaves is given back', () => {
    const places = new RecordPlaces();
    const records: number[] = [];
    const take = () => {
      const record = places.take(recordLength);
      places.slabOf(record).words[placeOf(record) * recordLength] = records.push(record);
    };
    while (records.length < 10) take();
    expect(places.allocated).toBeLessThan(5000);
    while (records.length < 200_000) take();
    expect(places.allocated / 200_000).toBeGreaterThan(251);
    expect(places.allocated / 200_000).toBeLessThan(254);
    // The last ones stay where they are, and the others move: the last records of all are the first to leave here.
    for (let i = 199_999; i >= 5000; i--) {
      places.closeGap();
      places.remove(records[i]!);
    }
    // Two slabs, and one that is kept.
    expect(places.allocated).toBe(3 * 4096 * 252);
    const last = records[4999]!;
    expect(places.slabOf(last).words[placeOf(last) * recordLength]).toBe(5000);
    for (let i = 4999; i >= 0; i--) {
      places.closeGap();
      places.remove(records[i]!);
    }
    places.closeGap();
    expect(places.allocated).toBe(0);
    expect(places.after(0)).toBe(0);
  });

  it('a place that is taken is wiped, whoever was there', () => {
    const places = new RecordPlaces();
    const [first, second] = [places.take(recordLength), places.take(recordLength)];
    const { words } = places.slabOf(first);
    words.fill(7, 0, 2 * recordLength);
    places.remove(first);
    expect([places.take(recordLength), placeOf(second)]).toEqual([first, 1]);
    expect([...new Set(words.subarray(0, recordLength))]).toEqual([0]);
    expect([...new Set(words.subarray(recordLength, 2 * recordLength))]).toEqual([7]);
  });

  it('`after` goes round by all of them, over gaps and slabs', () => {
    const places = new RecordPlaces();
    const records = Array.from({ length: 3000 }, (_, i) => places.take(40 + (i % 3) * 10));
    places.remove(records[1500]!);
    const seen = new Set<number>();
    for (let i = 0, record = 0; i < 2999; i++) {
      record = places.after(record);
      seen.add(record);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(records.filter((_, i) => i !== 1500).sort((a, b) => a - b));
  });

  it('there is an end: a reference that was never given out is nobody’s', () => {
    expect(() => new RecordPlaces().slabOf(5 * 4096)).toThrow(RangeError);
  });
});
