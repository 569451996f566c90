/**
 * `BOGO_RUNNER=FILE npm run test:bogo [-- --test PATTERN] [--json FILE] [--workers N] [--backend noble] [--update]`: BoringSSL's
 * TLS test runner against the shim in this folder.
 *
 * The runner is not part of this project: `BOGO_RUNNER` says where its compiled program is. A test that passed when
 * `expected.tsv` was written and does not pass now is an error; `--update` writes what there is now.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { compare, outcomeOf, readExpectations, table, totalsOf, unknown, writeExpectations } from './report.js';

const { values: options } = parseArgs({
  options: {
    /** Patterns of names, `;` between them. Default: all that `config.json` leaves. */
    test: { type: 'string' },
    json: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    /** `node` or `noble`. */
    backend: { type: 'string', default: 'node' },
    update: { type: 'boolean', default: false },
  },
});

/** Tests between two signs of life. */
const progressStep = 250;
const here = import.meta.dirname;
const expectationsFile = join(here, 'expected.tsv');
const runner = process.env['BOGO_RUNNER'];
if (runner === undefined || !existsSync(runner)) {
  console.error(
    runner === undefined
      ? 'BOGO_RUNNER is not set: it names the compiled runner of BoringSSL (ssl/test/runner). See docs/conformance.md.'
      : `BOGO_RUNNER: there is no file ${runner}`,
  );
  process.exit(2);
}
process.exitCode = await main(resolve(runner));

async function main(program: string): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'tls-resume-bogo-'));
  try {
    const results = join(work, 'results.json');
    await run(program, await bundle(), results);
    if (!existsSync(results)) throw new Error('the runner has left no results');
    return judge(readFileSync(results, 'utf8'));
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** One file, which is loaded in a fraction of the time that its modules take. */
async function bundle(): Promise<string> {
  const folder = resolve('node_modules/.cache/tls-resume');
  const outfile = join(folder, 'bogo-shim.mjs');
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(here, 'shim.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
    outfile,
  });
  chmodSync(outfile, 0o755);
  return outfile;
}

/** What does not pass is shown as the runner shows it. */
async function run(program: string, shim: string, results: string): Promise<void> {
  const flags = [
    ...['-shim-path', shim, '-shim-config', join(here, 'config.json')],
    ...['-json-output', results, '-num-workers', options.workers],
    ...['-allow-unimplemented', '-pipe'],
    ...(options.test === undefined ? [] : ['-test', options.test]),
  ];
  const child = spawn(program, flags, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BOGO_BACKEND: options.backend },
  });
  let passing = true;
  let seen = 0;
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (/^(PASSED|FAILED|UNIMPLEMENTED) \(/.test(line)) {
        passing = line.startsWith('PASSED');
        if (++seen % progressStep === 0) console.error(`${seen} tests`);
      }
      if (!passing && line !== 'PASS' && line !== 'FAIL') console.log(line);
    }
  });
  await once(child, 'close');
}

interface RunnerResults {
  readonly tests: Readonly<Record<string, { readonly actual: string }>>;
}

function judge(text: string): number {
  const { tests } = JSON.parse(text) as RunnerResults;
  const expected = readExpectations(readFileSync(expectationsFile, 'utf8'));
  const outcomes = new Map(Object.entries(tests).map(([name, { actual }]) => [name, outcomeOf(actual)]));
  const totals = totalsOf(outcomes, expected);
  const comparison = compare(outcomes, expected);
  console.log(table(totals));
  if (options.json !== undefined) {
    const report = { backend: options.backend, totals, ...comparison, outcomes: Object.fromEntries(outcomes) };
    writeFileSync(options.json, `${JSON.stringify(report, undefined, 1)}\n`);
  }
  if (options.update) {
    for (const [name, outcome] of outcomes) expected.set(name, { ...(expected.get(name) ?? unknown), outcome });
    writeFileSync(expectationsFile, writeExpectations(expected));
    return 0;
  }
  if (comparison.better.length > 0) console.log(`better than expected (--update): ${comparison.better.join(' ')}`);
  if (comparison.worse.length > 0) console.log(`worse than expected: ${comparison.worse.join(' ')}`);
  return comparison.worse.length > 0 ? 1 : 0;
}
