/** Every target over some of its seeds and of the inputs that come of them, without coverage; `npm run fuzz` goes on from there. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { fuzz } from './fuzzer.js';
import { targets } from './targets.js';

const mostSeeds = 60;
/** Inputs beyond the seeds. */
const inputs = 40;

describe('fuzz targets', () => {
  it.each(targets)('$name', async (target) => {
    const all = target.seeds();
    const seeds = all.filter((_, i) => i % Math.ceil(all.length / mostSeeds) === 0);
    const executions = seeds.length + inputs;
    const { crash, ...report } = await fuzz(
      { ...target, seeds: () => seeds },
      { seed: 1, goOn: (done) => done < executions },
    );
    if (crash !== undefined) throw new Error(`crash: ${toHex(crash.input)}`, { cause: crash.error });
    expect(seeds.length).toBeGreaterThan(0);
    expect(report.executions).toBe(executions);
  });

  it('have names of their own', () => {
    expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
  });
});
