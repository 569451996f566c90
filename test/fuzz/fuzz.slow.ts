/**
 * Every target with coverage: FUZZ_SECONDS all together, 60 by default and no more than half of SLOW_TEST_SECONDS. What it finds,
 * `npm run fuzz` finds again.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleFuzzer, cacheFolder, type Bundle } from './bundle.js';
import { targets } from './targets.js';

const { FUZZ_SECONDS = '60', SLOW_TEST_SECONDS = 'Infinity' } = process.env;
const seconds = Math.min(Number(FUZZ_SECONDS), Number(SLOW_TEST_SECONDS) / 2) / targets.length;

describe('fuzzing with coverage', () => {
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await bundleFuzzer();
  });

  it.each(targets)('$name', async ({ name }) => {
    const own = ['--target', name, '--seconds', String(seconds), '--counters', String(bundle.counters)];
    const child = spawn(process.execPath, ['--enable-source-maps', bundle.path, ...own, '--cache', cacheFolder]);
    const said = await Promise.all([text(child.stdout), text(child.stderr)]);
    console.log(said.join('').trimEnd());
    expect(said.join('')).toMatch(/ crashes 0\n$/);
  });
});
