/**
 * What a soak run comes to: whether memory grew, and whether anything is left. The slope is the median of those between all pairs
 * of samples (Theil and Sen), which a third of outliers does not move: one late collection is no leak.
 */

/** What was seen at one moment at which no connection was open and garbage was just collected. */
export interface Sample {
  /** Seconds since the start. */
  readonly at: number;
  /** Connections so far. */
  readonly connections: number;
  /** Bytes. */
  readonly heapUsed: number;
  readonly external: number;
}

/** The first part of a run, in which code is compiled and stores fill up, says nothing. */
export const warmUp = 0.3;
/** Bytes that a connection may leave behind: less than any object takes that one could leak for each. */
export const toleratedBytesPerConnection = 16;
/** Bytes by which two collections of the same memory may differ, whatever the run's length. */
export const toleratedGrowth = 768 * 1024;
/** Fewer samples make no line. */
export const fewestSamples = 6;

/** Growth over the part that counts, in bytes, and what was tolerated; `undefined` where there are too few samples. */
export function growthOf(
  samples: readonly Sample[],
  measure: (sample: Sample) => number,
): { readonly growth: number; readonly tolerated: number; readonly isFlat: boolean } | undefined {
  const counted = samples.slice(Math.floor(samples.length * warmUp));
  const [first, last] = [counted[0], counted.at(-1)];
  if (first === undefined || last === undefined || counted.length < fewestSamples) return undefined;
  const growth = medianSlope(counted.map((sample) => [sample.at, measure(sample)])) * (last.at - first.at);
  const tolerated = toleratedGrowth + toleratedBytesPerConnection * (last.connections - first.connections);
  return { growth, tolerated, isFlat: growth <= tolerated };
}

/** Theil and Sen: the median of the slopes between any two points. */
export function medianSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], i) =>
    points.slice(i + 1).flatMap(([u, v]) => (u === x ? [] : [(v - y) / (u - x)])),
  );
  slopes.sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  const [low = 0, high = 0] = [slopes[(slopes.length - 1) >> 1], slopes[middle]];
  return (low + high) / 2;
}

/** Handles of this process that were not there at the start, each as often as it is too many. */
export function leftOver(before: readonly string[], now: readonly string[]): string[] {
  const expected = [...before];
  return now.filter((name) => {
    const at = expected.indexOf(name);
    if (at === -1) return true;
    expected.splice(at, 1);
    return false;
  });
}
