/**
 * `npm run fuzz`: every target in turn, or one of them, with coverage. Each has a process of its own.
 *
 *     npm run fuzz -- --target NAME --seconds N --seed N
 *     npm run fuzz -- --target NAME --input FILE
 *
 * What was found stays in node_modules/.cache/tls-resume/fuzz, and the next run begins with it.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleFuzzer, cacheFolder } from './bundle.js';

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    input: { type: 'string' },
  },
});

const { path, counters } = await bundleFuzzer();
/** Seeds and the corpus come before the seconds of a run; whoever takes much longer does not end at all. */
const timeout = 1000 * (Number(values.seconds) + 600);
const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, ['--enable-source-maps', path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    timeout,
  });
const all = run('--list').stdout.trim().split('\n');
const names = values.target === undefined ? all : [values.target];
if (!names.every((name) => all.includes(name))) throw new Error(`no such target; there are ${all.join(', ')}`);
for (const name of names) {
  const args = ['--target', name, '--counters', String(counters), '--cache', cacheFolder];
  if (values.input === undefined) args.push('--seconds', values.seconds, '--seed', values.seed);
  else args.push('--input', resolve(values.input));
  const { status, stdout } = run(...args);
  process.stdout.write(status === null ? `${name} does not end\n` : stdout);
  if (status !== 0) process.exitCode = 1;
}
