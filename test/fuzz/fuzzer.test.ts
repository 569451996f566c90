import { runInNewContext } from 'node:vm';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { countersName, fuzz } from './fuzzer.js';
import { instrument } from './instrument.js';
import { Draw, longestInput, mutate } from './mutate.js';
import { Decisions, type FuzzTarget } from './target.js';

/** A fault behind three branches, each of which counts. */
function hiding(counters: Uint8Array): FuzzTarget {
  return {
    name: 'hiding',
    seeds: () => [ascii('---')],
    run: (data) => {
      let found = 0;
      while (found < 3 && data[found] === 'bug'.charCodeAt(found)) counters[found++]!++;
      if (found === 3) throw new Error('found');
    },
  };
}

describe('fuzz', () => {
  it('finds a fault by the branches that lead there, and the same one again', async () => {
    const find = async () => {
      const counters = new Uint8Array(8);
      return fuzz(hiding(counters), { seed: 1, goOn: (done) => done < 200_000, counters });
    };
    const { crash, executions, newlyCovered, corpusSize } = await find();
    expect(crash?.error).toEqual(new Error('found'));
    expect(crash?.input.subarray(0, 3)).toEqual(ascii('bug'));
    expect([newlyCovered, corpusSize]).toEqual([3, 3]);
    expect(await find()).toMatchObject({ executions, crash: { input: crash?.input } });
  });

  it('goes blind without counters', async () => {
    const report = await fuzz(hiding(new Uint8Array(8)), { seed: 1, goOn: (done) => done < 5_000 });
    expect(report).toEqual({ executions: 5_000, covered: 0, newlyCovered: 0, corpusSize: 1, crash: undefined });
  });

  it('takes a rejection for a crash, awaited or not', async () => {
    const once = { seed: 1, goOn: () => false };
    const rejecting = (run: () => Promise<void>) => fuzz({ name: 'rejecting', seeds: () => [ascii('')], run }, once);
    const awaited = await rejecting(() => Promise.reject(new Error('awaited')));
    expect(awaited.crash?.error).toEqual(new Error('awaited'));
    const forgotten = await rejecting(() => {
      void Promise.reject(new Error('forgotten'));
      return Promise.resolve();
    });
    expect(forgotten.crash?.error).toEqual(new Error('forgotten'));
  });
});

describe('instrument', () => {
  /** What ran in a program that leaves its value in `result`, and that value. */
  function counted(source: string): { counts: number[]; result: unknown; lines: number } {
    const instrumented = instrument('program.ts', source, 0);
    const { code } = transformSync(instrumented.source, { loader: 'ts' });
    const counters = new Uint8Array(instrumented.next);
    const result: unknown = runInNewContext(`${code}; result`, { [countersName]: counters });
    return { result, counts: [...counters], lines: instrumented.source.split('\n').length };
  }

  it('counts blocks, branches, cases, loops and what short circuits skip', () => {
    const source = `
      const twice = (x: number) => x * 2;
      function pick(x: number) {
        switch (x) {
          case 0: return 'none';
          default: return x > 4 ? 'many' : 'some';
        }
      }
      let total = 0;
      for (let i = 0; i < 3; i++) total += twice(i);
      if (total === 6) total++;
      else total--;
      const result = [total, pick(0), pick(7), undefined ?? 'absent', 0 || 'or', total && 'and', 'here' ?? 'never'];`;
    const { counts, result, lines } = counted(source);
    expect(result).toEqual([7, 'none', 'many', 'absent', 'or', 'and', 'here']);
    // twice, pick, case 0, default, many, some, loop, then, else, three right sides that run, and one that does not
    expect(counts).toEqual([3, 2, 1, 1, 1, 0, 3, 1, 0, 1, 1, 1, 0]);
    expect(lines).toBe(source.split('\n').length);
  });

  it('leaves types alone, and generators what they are', () => {
    const source = `
      type Answer<T> = T extends string ? 'text' : 'number';
      function* ask(x: boolean): Generator<number, number> { return x ? yield* inner() : 0; }
      function* inner(): Generator<number, number> { yield 1; return 2; }
      const result = [...ask(true)] as readonly Answer<string>[] | number[];`;
    expect(counted(source)).toMatchObject({ result: [1], counts: [1, 1, 0, 1] });
  });
});

describe('inputs', () => {
  it('are the same for the same seed, bounded, and others for another', () => {
    const inputs = (seed: number) => {
      const draw = new Draw(seed);
      return Array.from({ length: 50 }, () => mutate(ascii('some input'), ascii('other'), draw));
    };
    expect(inputs(1)).toEqual(inputs(1));
    expect(inputs(1)).not.toEqual(inputs(2));
    const draw = new Draw(3);
    let long = new Uint8Array(longestInput);
    for (let i = 0; i < 50; i++) long = mutate(long, long, draw).slice();
    expect(long.length).toBeLessThanOrEqual(longestInput);
  });

  it('read as decisions: zeros after the end', () => {
    const decisions = new Decisions(Uint8Array.of(1, 2, 3, 2, 9, 8, 7));
    expect([decisions.byte(), decisions.number(), decisions.bytes(), decisions.ended]).toEqual([
      1,
      0x203,
      Uint8Array.of(9, 8),
      false,
    ]);
    expect([decisions.rest(), decisions.ended, decisions.below(5), decisions.pick(['a', 'b'])]).toEqual([
      Uint8Array.of(7),
      true,
      0,
      'a',
    ]);
  });
});
