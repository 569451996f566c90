/**
 * CPU time of contenders that take turns.
 *
 * A loop of our own, not mitata's or tinybench's: those read the wall clock, and on a shared machine only CPU time of the
 * whole process (garbage collection included) says what work costs. Contenders alternate, so that a noisy minute hits all of
 * them, and the median round counts.
 */

export interface Contender {
  readonly name: string;
  /** Does the work once. */
  readonly run: () => void | Promise<void>;
  /** What is got ready before each round, outside of the time that is taken. */
  readonly prepare?: () => void;
  /** How many runs it is good for. */
  readonly maximumRuns?: number;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** CPU time of one contender in one round. */
  readonly roundMilliseconds: number;
}

/** CPU time of one run of each contender, in microseconds. */
export async function measure(
  contenders: readonly Contender[],
  { rounds, roundMilliseconds }: MeasureOptions,
): Promise<ReadonlyMap<string, number>> {
  const runs = contenders.map(() => 1);
  const samples = contenders.map((): number[] => []);
  // The first turns warm up: they find how many runs fill a round, and let the compilers come to rest.
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      contender.prepare?.();
      const micros = await cpuMicros(contender, runs[i]!);
      if (round >= 0) samples[i]!.push(micros / runs[i]!);
      else runs[i] = Math.min(contender.maximumRuns ?? Infinity, nextRuns(runs[i]!, micros, 1000 * roundMilliseconds));
    }
  }
  return new Map(contenders.map(({ name }, i) => [name, median(samples[i]!)]));
}

/** Each does at most eight times the work of the one before. A handshake is a lot of code: it comes to rest after thousands. */
const warmUpRounds = 12;

function nextRuns(runs: number, micros: number, wanted: number): number {
  return Math.max(1, Math.min(8 * runs, Math.round((runs * wanted) / Math.max(1, micros))));
}

async function cpuMicros({ run }: Contender, runs: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) {
    // Waiting for a value costs a microtask, which a synchronous contender must not pay for.
    const pending = run();
    if (pending !== undefined) await pending;
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
