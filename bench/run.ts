/**
 * `npm run bench [-- --only NAME] [--json FILE] [--rounds N] [--round-milliseconds N]`: CPU time beside `node:tls` in the same run.
 *
 * Every group runs in a process of its own, because a second backend in a process makes the call sites of the first one
 * polymorphic and slows it. What is run is the bundle that esbuild makes, as users get it: tsx gives every function its name
 * at run time, which costs more than some of the functions.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { judge, type Goal } from './goals.js';
import { groups, type Row } from './groups.js';

const { values: options } = parseArgs({
  options: {
    /** Part of a group's name. */
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    rounds: { type: 'string', default: '9' },
    'round-milliseconds': { type: 'string', default: '150' },
    /** For the processes that this one starts: the group to measure. */
    group: { type: 'string' },
  },
});

const group = options.group === undefined ? undefined : groups[options.group];
if (group === undefined) await runAll();
else {
  const rounds = Number(options.rounds);
  process.send?.(await group({ rounds, roundMilliseconds: Number(options['round-milliseconds']) }), () =>
    process.exit(),
  );
}

async function runAll(): Promise<void> {
  const names = Object.keys(groups).filter((name) => name.includes(options.only));
  if (names.length === 0)
    throw new Error(`--only: got ${options.only}, expected part of ${Object.keys(groups).join(', ')}`);
  const rows: Row[] = [];
  for (const name of names) {
    const measured = await runGroup(name);
    console.log(`\n${name}\n${table(measured)}`);
    rows.push(...measured);
  }
  console.log(`\n${cpus()[0]?.model ?? 'unknown processor'}, Node.js ${process.version}, ${rounds()}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
}

function rounds(): string {
  return `medians of ${options.rounds} rounds of ${options['round-milliseconds']} ms`;
}

async function runGroup(name: string): Promise<Row[]> {
  const child = fork(import.meta.filename, [...process.argv.slice(2), '--group', name]);
  let rows: Row[] | undefined;
  child.once('message', (measured) => (rows = measured as Row[]));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0 || rows === undefined) throw new Error(`${name} ended with code ${String(code)}`);
  return rows;
}

function table(rows: readonly Row[]): string {
  const header = ['suite', 'case', 'backend', 'ours', 'per CPU second', 'peer', 'peer / ours', 'goal'];
  const all = [header, ...rows.map(cells)];
  const widths = header.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const isText = (column: number) => column < 3 || column === header.length - 1;
  const pad = (cell: string, column: number) =>
    isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return all.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

function cells(row: Row): string[] {
  const name = [row.suite, row.case, row.backend];
  const goal = row.goal === null ? '' : judge(row.goal, valueOf(row, row.goal));
  if ('bytes' in row) return [...name, `${number(row.bytes)} B`, '', '', '', goal];
  if ('roundTrips' in row) {
    const commands = `${row.case}: ${row.commands.join(' ')}, ${row.roundTripMilliseconds.toFixed(2)} ms each`;
    const waited = `${String(row.roundTrips)} round trip${row.roundTrips === 1 ? '' : 's'}`;
    return [row.suite, commands, row.backend, waited, '', '', '', goal];
  }
  const { cpuMicros, megabytesPerSecond, peer, peerCpuMicros, speedup } = row;
  const rate = megabytesPerSecond === null ? number(1e6 / cpuMicros) : `${number(megabytesPerSecond)} MB`;
  const ours = [...name, `${cpuMicros.toFixed(2)} us`, rate];
  if (peerCpuMicros === null || speedup === null) return [...ours, '', '', goal];
  return [...ours, `${peer ?? ''} ${peerCpuMicros.toFixed(2)} us`, `${speedup.toFixed(2)}x`, goal];
}

function valueOf(row: Row, { of }: Goal): number {
  if ('bytes' in row) return row.bytes;
  if ('roundTrips' in row) return row.roundTrips;
  return (of === 'speedup' ? row.speedup : row.megabytesPerSecond) ?? NaN;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en');
}
