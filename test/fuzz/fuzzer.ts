/**
 * The loop: an input that makes some counter run more often than any before it, by powers of two, joins the corpus, and the
 * corpus is what inputs are made of.
 */
import { Draw, mutate } from './mutate.js';
import type { FuzzTarget } from './target.js';

/** The array of counters, as instrumented code names it. */
export const countersName = '__fuzzCounters';

export interface FuzzOptions {
  readonly seed: number;
  /** Whether to go on after so many executions. */
  readonly goOn: (executions: number) => boolean;
  /** What instrumented code counts in; without it, inputs are made of the seeds alone. */
  readonly counters?: Uint8Array | undefined;
  /** Inputs of earlier runs. */
  readonly corpus?: readonly Uint8Array[];
  /** An input that found something new. */
  readonly found?: (input: Uint8Array) => void;
}

export interface FuzzReport {
  readonly executions: number;
  /** Counters that seeds and corpus have reached, and those that only this run has. */
  readonly covered: number;
  readonly newlyCovered: number;
  readonly corpusSize: number;
  readonly crash: Crash | undefined;
}

export interface Crash {
  readonly input: Uint8Array;
  readonly error: unknown;
}

/** Runs all seeds, the corpus, and then what becomes of them; ends at the first crash. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const { goOn, counters, found } = options;
  const draw = new Draw(options.seed);
  const coverage = new Coverage(counters);
  const corpus: Uint8Array[] = [];
  let executions = 0;

  const execute = async (input: Uint8Array): Promise<{ readonly crash?: Crash; readonly isNew: boolean }> => {
    executions++;
    coverage.reset();
    const failure = await outcome(target, input);
    const isNew = coverage.isNew();
    return failure === undefined ? { isNew } : { crash: { input, error: failure.thrown }, isNew };
  };
  const report = (seeded: number, crash?: Crash): FuzzReport => ({
    executions,
    covered: seeded,
    newlyCovered: coverage.covered - seeded,
    corpusSize: corpus.length,
    crash,
  });

  for (const input of [...target.seeds(), ...(options.corpus ?? [])]) {
    const { crash } = await execute(input);
    if (crash !== undefined) return report(coverage.covered, crash);
    corpus.push(input);
  }
  const seeded = coverage.covered;
  while (goOn(executions)) {
    // The youngest half of the time: what has just been found leads on.
    const youngest = Math.min(corpus.length, 64);
    const base = draw.below(2) === 0 ? draw.pick(corpus) : corpus[corpus.length - 1 - draw.below(youngest)]!;
    const input = mutate(base, draw.pick(corpus), draw).slice();
    const { crash, isNew } = await execute(input);
    if (crash !== undefined) return report(seeded, crash);
    if (!isNew) continue;
    corpus.push(input);
    found?.(input);
  }
  return report(seeded);
}

/** An input that takes longer is a crash: microseconds of processor time, where most inputs take some thousand at the most. */
const longestRun = 2_000_000;

/** What a run threw, or left as a rejection that nobody handles, or that it took too long. */
async function outcome(target: FuzzTarget, input: Uint8Array): Promise<{ thrown: unknown } | undefined> {
  let unhandled: { thrown: unknown } | undefined;
  const listen = (thrown: unknown) => (unhandled ??= { thrown });
  process.on('unhandledRejection', listen);
  const before = process.cpuUsage();
  try {
    const running = target.run(input.slice());
    if (running instanceof Promise) {
      await running;
      // Rejections are told of when the microtasks are through.
      await new Promise(setImmediate);
    }
    const { user } = process.cpuUsage(before);
    return user > longestRun ? { thrown: new Error(`took ${String(user)} microseconds`) } : unhandled;
  } catch (thrown) {
    return { thrown };
  } finally {
    process.off('unhandledRejection', listen);
  }
}

/** Which counters have run, and how often: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, and more. */
class Coverage {
  covered = 0;
  readonly #counters: Uint8Array;
  /** The same bytes, four at a time: most are 0. */
  readonly #words: Uint32Array;
  readonly #seen: Uint8Array;

  constructor(counters: Uint8Array = new Uint8Array(0)) {
    this.#counters = counters;
    this.#words = new Uint32Array(counters.buffer, 0, counters.length / 4);
    this.#seen = new Uint8Array(counters.length);
  }

  reset(): void {
    this.#words.fill(0);
  }

  /** Whether something ran that no input before this one has reached, or has reached as often. */
  isNew(): boolean {
    const [counters, words, seen] = [this.#counters, this.#words, this.#seen];
    let isNew = false;
    for (let word = 0; word < words.length; word++) {
      if (words[word] === 0) continue;
      for (let i = word * 4; i < word * 4 + 4; i++) {
        const bucket = buckets[counters[i]!]!;
        if (bucket === 0 || (seen[i]! & bucket) !== 0) continue;
        if (seen[i] === 0) this.covered++;
        seen[i]! |= bucket;
        isNew = true;
      }
    }
    return isNew;
  }
}

const buckets = Uint8Array.from({ length: 256 }, (_, count) => {
  if (count < 4) return count === 0 ? 0 : 1 << (count - 1);
  return count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128;
});
