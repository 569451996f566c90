/** Every target with coverage, FUZZ_SECONDS all together (60 by default): what the bundle finds there, `npm run fuzz` finds again. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { bundleFuzzer, cacheFolder } from './bundle.js';
import { targets } from './targets.js';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 60);

it('no target crashes', async () => {
  const { path, counters } = await bundleFuzzer();
  for (const { name } of targets) {
    const args = ['--target', name, '--seconds', String(seconds / targets.length), '--counters', String(counters)];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--enable-source-maps', path, ...args, '--cache', cacheFolder],
      { encoding: 'utf8' },
    );
    console.log(stdout.trimEnd());
    expect({ status, stderr: stderr.trim() }, name).toEqual({ status: 0, stderr: '' });
  }
});
