/**
 * What the bundle runs: one target for some seconds, or one input. Prints what it found, and exits with 1 at a crash.
 *
 * `node run.js --target NAME --seconds N --seed N --counters N --cache FOLDER`, `--target NAME --input FILE`, or `--list`.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countersName, fuzz } from './fuzzer.js';
import { targets } from './targets.js';

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: '' },
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    counters: { type: 'string', default: '0' },
    cache: { type: 'string', default: '' },
    input: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const target = targets.find(({ name }) => name === values.target);
if (values.list) console.log(targets.map(({ name }) => name).join('\n'));
else if (target === undefined) throw new Error(`no target ${values.target}`);
else if (values.input !== undefined) {
  await target.run(new Uint8Array(readFileSync(values.input)));
  console.log(`${target.name}: nothing happened`);
} else {
  const corpusFolder = join(values.cache, 'corpus', target.name);
  mkdirSync(corpusFolder, { recursive: true });
  const save = (folder: string, input: Uint8Array): string => {
    const path = join(folder, createHash('sha256').update(input).digest('hex').slice(0, 16));
    writeFileSync(path, input);
    return path;
  };
  const seconds = Number(values.seconds);
  const all: unknown = Reflect.get(globalThis, countersName);
  const started = performance.now();
  // Seeds and what was kept run first, and do not count.
  let seeded: number | undefined;
  const report = await fuzz(target, {
    seed: Number(values.seed),
    goOn: () => performance.now() - (seeded ??= performance.now()) < 1000 * seconds,
    counters: all instanceof Uint8Array ? all.subarray(0, Math.ceil(Number(values.counters) / 4) * 4) : undefined,
    corpus: readdirSync(corpusFolder).map((file) => new Uint8Array(readFileSync(join(corpusFolder, file)))),
    found: (input) => void save(corpusFolder, input),
  });
  const elapsed = (performance.now() - started) / 1000;
  const { executions, covered, newlyCovered, corpusSize, crash } = report;
  console.log(
    `${target.name.padEnd(28)} ${String(executions).padStart(9)} executions ${String(Math.round(executions / elapsed)).padStart(7)}/s  ` +
      `covered ${String(covered + newlyCovered)} (${String(newlyCovered)} new)  corpus ${String(corpusSize)}  crashes ${crash === undefined ? '0' : '1'}`,
  );
  if (crash !== undefined) {
    const folder = join(values.cache, 'crashes', target.name);
    mkdirSync(folder, { recursive: true });
    const path = save(folder, crash.input);
    console.log(crash.error);
    console.log(`again: npm run fuzz -- --target ${target.name} --input ${path}`);
    process.exitCode = 1;
  }
}
