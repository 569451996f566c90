/**
 * `npm run soak -- --seconds N [--seed N] [--json FILE] [--leak BYTES]`: one process, connections of every kind, failures and closes,
 * and a verdict: flat memory, bounded stores, nothing unexpected, no handle left, and an exit of its own.
 *
 * The surprising thing is `--leak`, which keeps so many bytes for each connection: a run with it has to fail.
 */
import { writeFileSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { lingerTimeout } from '../../src/adapters/node/socket-stream.js';
import { chanceFrom } from './chance.js';
import { MemoryWorld } from './memory-world.js';
import { SocketWorld } from './socket-world.js';
import { Tally } from './tally.js';
import { fewestSamples, growthOf, leftOver, warmUp, type Sample } from './verdict.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    leak: { type: 'string', default: '0' },
  },
});
const [seconds, seed, leak] = [Number(values.seconds), Number(values.seed), Number(values.leak)];
const concurrentSockets = 4;
/** Between two samples, seconds: every few of them, and enough for a line through them. */
const interval = Math.max(1, Math.min(5, seconds / (2 * fewestSamples)));

const { gc: collect } = globalThis;
if (collect === undefined) throw new Error('soak needs node --expose-gc');
const started = performance.now();
const elapsed = () => (performance.now() - started) / 1000;
const handlesBefore = process.getActiveResourcesInfo();

const tally = new Tally();
const memory = new MemoryWorld(chanceFrom(seed), tally);
const sockets = new SocketWorld(chanceFrom(seed + 1), tally);
await sockets.open();

const samples: Sample[] = [];
const kept: Uint8Array[] = [];
while (elapsed() < seconds) {
  await workUntil(elapsed() + Math.min(interval, seconds - elapsed()));
  samples.push(await sample());
  report();
}
await sockets.close();
const left = await handlesLeft();
const verdict = judge();
for (const line of verdict.failures) console.log(`FAILED ${line}`);
console.log(
  `${verdict.failures.length === 0 ? 'ok' : 'NOT ok'}: seed ${seed}, ${tally.connections} connections in ${elapsed().toFixed(0)} s`,
);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    `${JSON.stringify({ seconds, seed, ...verdict, outcomes: tally.table(), samples }, null, 2)}\n`,
  );
process.exitCode = verdict.failures.length === 0 ? 0 : 1;
// Only a handle that is left makes this come: without one the process has ended by then.
setTimeout(() => {
  console.log(`FAILED the process does not end: ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit(1);
}, 5_000).unref();

/** Both worlds at work; when this is over no connection is open. */
async function workUntil(end: number): Promise<void> {
  const inMemory = async () => {
    while (elapsed() < end) {
      await memory.once();
      if (leak > 0) kept.push(new Uint8Array(leak).fill(1));
      await turn();
    }
  };
  const overSockets = async () => {
    while (elapsed() < end) await sockets.once();
  };
  await Promise.all([inMemory(), ...Array.from({ length: concurrentSockets }, overSockets)]);
}

async function sample(): Promise<Sample> {
  for (let again = 0; again < 3; again++) {
    await turn();
    collect?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return { at: elapsed(), connections: tally.connections, heapUsed, external };
}

function report(): void {
  const last = samples.at(-1);
  if (last === undefined) return;
  const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
  console.log(
    [
      `${last.at.toFixed(0).padStart(5)} s`,
      `${String(last.connections).padStart(8)} connections`,
      `${String(tally.unexpectedCount)} unexpected`,
      `heap ${megabytes(last.heapUsed)} MiB`,
      `external ${megabytes(last.external)} MiB`,
      `${leftOver(handlesBefore, process.getActiveResourcesInfo()).length} handles`,
    ].join('  '),
  );
}

/** Sockets whose last bytes linger have that long. */
async function handlesLeft(): Promise<string[]> {
  const end = elapsed() + (2 * lingerTimeout) / 1000;
  let now = leftOver(handlesBefore, process.getActiveResourcesInfo());
  while (now.length > 0 && elapsed() < end) {
    await sleep(100);
    now = leftOver(handlesBefore, process.getActiveResourcesInfo()).filter((name) => name !== 'Timeout');
  }
  return now;
}

function judge() {
  const failures: string[] = [];
  const growth: Record<string, { growth: number; tolerated: number }> = {};
  for (const [name, measure] of [
    ['heapUsed', (sample: Sample) => sample.heapUsed],
    ['external', (sample: Sample) => sample.external],
  ] as const) {
    const result = growthOf(samples, measure);
    if (result === undefined) {
      failures.push(
        `${samples.length} samples, of which the first ${warmUp * 100} % do not count, make no line: run it longer`,
      );
      continue;
    }
    growth[name] = { growth: Math.round(result.growth), tolerated: result.tolerated };
    console.log(`${name} grew by ${result.growth.toFixed(0)} bytes, ${result.tolerated.toFixed(0)} are tolerated`);
    if (!result.isFlat) failures.push(`${name} grows`);
  }
  for (const [name, [size, limit]] of Object.entries({ ...memory.bounds(), ...sockets.bounds() }))
    if (size > limit) failures.push(`${name}: ${size}, expected at most ${limit}`);
  for (const complaint of tally.unexpected) failures.push(complaint);
  if (left.length > 0) failures.push(`handles left: ${left.join(', ')}`);
  for (const [kind, outcomes] of Object.entries(tally.table()))
    console.log(`${kind.padEnd(34)} ${JSON.stringify(outcomes)}`);
  return { failures, growth, connections: tally.connections, unexpected: tally.unexpectedCount };
}
