/** The estimator of the soak run: it can say no. */
import { describe, expect, it } from 'vitest';
import {
  growthOf,
  leftOver,
  medianSlope,
  toleratedBytesPerConnection,
  toleratedGrowth,
  type Sample,
} from './verdict.js';

const megabyte = 1024 * 1024;

/** Two hundred connections a second, a sample every two seconds. */
function run(seconds: number, heapUsed: (at: number, i: number) => number): Sample[] {
  return Array.from({ length: seconds / 2 }, (_, i) => ({
    at: 2 * i,
    connections: 400 * i,
    heapUsed: heapUsed(2 * i, i),
    external: 0,
  }));
}

const heap = ({ heapUsed }: Sample) => heapUsed;
const noise = (i: number) => ((i * 7919) % 13) * 20_000;

describe('growthOf', () => {
  it('a heap that wavers, warms up and has outliers is flat', () => {
    const samples = run(
      60,
      (at, i) => 20 * megabyte + Math.min(at, 15) * megabyte + noise(i) + (i % 9 === 8 ? 5e6 : 0),
    );
    expect(growthOf(samples, heap)).toMatchObject({ isFlat: true });
  });

  it.each([
    ['a kilobyte for each connection', 1024],
    ['a hundred bytes for each connection', 150],
  ])('%s is not', (_, bytes) => {
    const verdict = growthOf(
      run(60, (at, i) => 20 * megabyte + noise(i) + at * 200 * bytes),
      heap,
    );
    expect(verdict?.isFlat).toBe(false);
    expect(verdict?.growth).toBeGreaterThan(0.8 * 40 * 200 * bytes);
    expect(verdict?.tolerated).toBeLessThan(toleratedGrowth + toleratedBytesPerConnection * 60 * 200);
  });

  it('says nothing of too few samples', () => {
    expect(
      growthOf(
        run(12, () => 0),
        heap,
      ),
    ).toBe(undefined);
  });
});

it('medianSlope is not moved by one point in three', () => {
  const points = Array.from({ length: 12 }, (_, x) => [x, x % 3 === 1 ? 1e6 : 2 * x] as const);
  expect(medianSlope(points.filter(([x]) => x % 3 !== 1))).toBe(2);
  expect(medianSlope(points.map(([x, y], i) => [x, i === 4 ? 1e6 : x % 3 === 1 ? 2 * x : y]))).toBe(2);
});

it('leftOver counts each kind', () => {
  expect(leftOver(['TTYWrap', 'Timeout'], ['Timeout', 'TTYWrap', 'Timeout', 'TCPSocketWrap'])).toEqual([
    'Timeout',
    'TCPSocketWrap',
  ]);
});
