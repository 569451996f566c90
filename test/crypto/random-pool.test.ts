import { describe, expect, it } from 'vitest';
import { largestPooledRequest, pooledRandomBytes, randomPool, randomPoolLength } from '../../src/crypto/random-pool.js';

/** A source that counts: every byte says in which draw it came. Keeps what it gave, to see what becomes of it. */
function countingSource() {
  const draws: Uint8Array[] = [];
  const draw = (length: number) => {
    const bytes = new Uint8Array(length).fill(draws.length + 1);
    draws.push(bytes);
    return bytes;
  };
  return { draws, draw };
}

describe('randomPool', () => {
  it('serves many requests from one draw and draws again when the rest is too short', () => {
    const { draws, draw } = countingSource();
    const randomBytes = randomPool(draw);
    const requests = Math.floor(randomPoolLength / 48);
    for (let i = 0; i < requests; i++) expect(randomBytes(48)).toEqual(new Uint8Array(48).fill(1));
    expect(draws.map(({ length }) => length)).toEqual([randomPoolLength]);
    expect(randomBytes(48)).toEqual(new Uint8Array(48).fill(2));
  });

  it('wipes what it handed out, and the rest that it leaves behind', () => {
    const { draws, draw } = countingSource();
    const randomBytes = randomPool(draw);
    const bytes = randomBytes(100);
    expect(draws[0]!.subarray(0, 101)).toEqual(new Uint8Array(101).fill(1, 100));
    expect(bytes).toEqual(new Uint8Array(100).fill(1));
    expect(bytes.buffer).not.toBe(draws[0]!.buffer);
    for (let i = 0; i < 4; i++) randomBytes(1000);
    expect(draws).toHaveLength(2);
    expect(draws[0]).toEqual(new Uint8Array(randomPoolLength));
  });

  it('draws large requests directly', () => {
    const { draws, draw } = countingSource();
    const randomBytes = randomPool(draw);
    expect(randomBytes(largestPooledRequest)).toHaveLength(largestPooledRequest);
    expect(randomBytes(largestPooledRequest + 1)).toHaveLength(largestPooledRequest + 1);
    expect(draws.map(({ length }) => length)).toEqual([randomPoolLength, largestPooledRequest + 1]);
  });

  it('R5077-5.5-1 the shared pool never gives the same bytes twice', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 1000; i++) seen.add(pooledRandomBytes(16).join());
    expect(seen.size).toBe(1000);
  });
});
