/**
 * `npm run fleet [-- --short] [--only NAME] [--json FILE] [--control]`: four server processes behind a balancer without affinity, a real Redis
 * and a real memcached, two hundred clients, and what happens to fleets. One row for each scenario; the status is 1 if any of them fails.
 *
 * The surprising thing is `--control`, which runs fleets with a fault each: it fails where a fault was not found.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { controls } from './controls.js';
import { Figures } from './figures.js';
import { Fleet } from './fleet.js';
import { short, whole } from './length.js';
import { MemoryWatch } from './memory.js';
import { scenarios } from './scenarios.js';
import { linesOf, type Row } from './table.js';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    /** Part of a scenario's name. */
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    control: { type: 'boolean', default: false },
  },
});

/** Milliseconds, of a row. */
const patience = 600_000;
const started = performance.now();
// Servers end with this process, but not with one that is ended by a signal that nobody takes.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const rows: Row[] = [];
if (values.control) await runControls();
else await runScenarios();
finish();

async function runScenarios(): Promise<void> {
  const chosen = scenarios.filter(({ name }) => name.includes(values.only));
  if (chosen.length === 0)
    throw new Error(
      `--only: got ${values.only}, expected part of one of:\n${scenarios.map(({ name }) => name).join('\n')}`,
    );
  const length = values.short ? short : whole;
  const fleet = await Fleet.start();
  const memory = new MemoryWatch();
  try {
    for (const { name, run } of chosen) {
      await add(name, () => run(fleet, length));
      await memory.sample(fleet);
    }
    await add('memory of the nodes across the run', () => memory.judge(fleet, length));
  } finally {
    await fleet.stop();
  }
}

async function runControls(): Promise<void> {
  for (const { name, options, run, finds } of controls) {
    const fleet = await Fleet.start(options);
    try {
      await add(`control: ${name}`, async () => {
        const figures = await run(fleet);
        const found = figures.faults.splice(0);
        figures.notes.push(...found.map((fault) => `found: ${fault}`));
        if (!found.some((fault) => finds.test(fault))) figures.faults.push(`the fault was not found: ${finds.source}`);
        return figures;
      });
    } finally {
      await fleet.stop();
    }
  }
}

async function add(name: string, run: () => Promise<Figures>): Promise<void> {
  const begun = performance.now();
  const figures = await Promise.race([run(), tooLong()]).catch((error: unknown) => {
    const broken = new Figures();
    broken.faults.push(String(error));
    return broken;
  });
  const row = { name, seconds: (performance.now() - begun) / 1000, figures };
  rows.push(row);
  for (const line of linesOf(row)) console.log(line);
}

async function tooLong(): Promise<never> {
  await delay(patience, undefined, { ref: false });
  throw new Error(`it took more than ${patience / 1000} s`);
}

function finish(): void {
  const seconds = (performance.now() - started) / 1000;
  const failed = rows.filter(({ figures }) => figures.faults.length > 0);
  const form = values.control ? 'controls' : values.short ? 'short form' : 'whole form';
  const verdict = failed.length === 0 ? 'PASS' : `FAIL: ${failed.map(({ name }) => name).join('; ')}`;
  console.log(`${verdict}, ${form}, ${rows.length} rows in ${seconds.toFixed(0)} s`);
  if (values.json !== undefined) {
    const machine = { node: process.version, processors: cpus().length, model: cpus()[0]?.model };
    writeFileSync(values.json, `${JSON.stringify({ form, seconds, machine, rows }, null, 2)}\n`);
  }
  process.exitCode = failed.length === 0 ? 0 : 1;
}
