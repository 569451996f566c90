/**
 * Replay guards: one check of a binder of 32 bytes, new or seen before, with 200,000 others on record; and what a million of them take.
 * Beside ours a `Set` of strings, which forgets nothing.
 */
import { randomFillSync } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { setTimeout as delay } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { Redis } from 'ioredis';
import { nodeCrypto } from '../src/crypto/node.js';
import { BloomReplayGuard, CircuitBreaker, MemoryReplayGuard, RedisReplayGuard } from '../src/early-data/index.js';
import type { ReplayAnswer } from '../src/early-data/index.js';
import type { CpuRow, Group, MemoryRow } from './groups.js';
import { measure } from './measure.js';
import { startRedis } from './redis.js';

interface Guard {
  check(key: Buffer, expiresAt: number): ReplayAnswer;
}

/** Milliseconds for which a hello is remembered, and after which most of them have come. */
const window = 20_000;
const lifetime = 15_000;

/** For so many binders of one window. */
const guards = {
  MemoryReplayGuard: (entries: number, now: () => number): Guard => new MemoryReplayGuard({ now, maxEntries: entries }),
  BloomReplayGuard: (entries: number, now: () => number): Guard =>
    new BloomReplayGuard({ crypto: nodeCrypto, now, expectedPerSecond: (1000 * entries) / window }),
  Set: (): Guard => {
    const seen = new Set<string>();
    return {
      check(key) {
        const name = key.toString('latin1');
        if (seen.has(name)) return 'replayed';
        seen.add(name);
        return 'fresh';
      },
    };
  },
} satisfies Readonly<Record<string, (entries: number, now: () => number) => Guard>>;

type Kind = keyof typeof guards;
const kinds = Object.keys(guards) as Kind[];

export const replayGuardGroups: Readonly<Record<string, Group>> = {
  'replay guards time': times,
  'replay guards errors': errors,
  'replay guards redis': redis,
  ...Object.fromEntries(kinds.map((kind) => [`replay guards memory ${kind}`, memory(kind)])),
  'replay guards memory RedisReplayGuard': redisMemory,
};

const recorded = 200_000;
const million = 1_000_000;

/** Checks that come so evenly that `entries` of them fill the window. */
function evenly(kind: Kind, entries: number): (key: Buffer) => ReplayAnswer {
  let time = 0;
  const guard = guards[kind](entries, () => time);
  return (key) => guard.check(key, (time += window / entries) + lifetime);
}

async function times(options: Parameters<Group>[0]): Promise<CpuRow[]> {
  const binders = randomBinders(2 * recorded);
  const contenders = kinds.flatMap((kind) => {
    let check = evenly(kind, 2 * recorded);
    let next = 0;
    const prepare = () => {
      check = evenly(kind, 2 * recorded);
      for (next = 0; next < recorded; next++) check(binders[next]!);
    };
    const ask = (name: string, ago: number) => {
      const run = () => {
        const answer = check(binders[next++ - ago]!);
        if (answer === 'not_checked') throw new Error(`${kind} does not know`);
      };
      return { name: `${kind} ${name}`, prepare, run, maximumRuns: recorded };
    };
    return [ask('fresh', 0), ask('replayed', recorded)];
  });
  const micros = await measure(contenders, options);
  return ['fresh', 'replayed'].flatMap((name) =>
    kinds.map((kind) => row(name, kind, micros.get(`${kind} ${name}`), micros.get(`Set ${name}`))),
  );
}

/** Half a million new binders at the rate that a guard was made for: how many of them it takes for old ones. */
async function errors(): Promise<CpuRow[]> {
  const perSecond = 5000;
  return [0, 0.01, 0.001, 0.0001].map((falsePositiveRate) => {
    let time = 0;
    const now = () => time;
    const bloom = { crypto: nodeCrypto, now, expectedPerSecond: perSecond, falsePositiveRate };
    const isExact = falsePositiveRate === 0;
    const guard = isExact ? new MemoryReplayGuard({ now, maxEntries: recorded }) : new BloomReplayGuard(bloom);
    const binder = Buffer.alloc(32);
    let wrong = 0;
    let refused = 0;
    const checks = 500_000;
    const before = process.cpuUsage();
    for (let i = 0; i < checks; i++) {
      time += 1000 / perSecond;
      randomFillSync(binder);
      const answer = guard.check(binder, time + 15_000);
      if (answer === 'maybe_replayed' || answer === 'replayed') wrong++;
      if (answer === 'not_checked') refused++;
    }
    const { user, system } = process.cpuUsage(before);
    const percent = (count: number) => `${((100 * count) / checks).toFixed(4)} %`;
    const name = `${percent(falsePositiveRate * checks)} allowed: ${percent(wrong)} wrong, ${percent(refused)} not checked, ${guard.byteLength} B`;
    return row(name, isExact ? 'MemoryReplayGuard' : 'BloomReplayGuard', (user + system) / checks);
  });
}

function memory(kind: Kind): Group {
  return async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const used = (): number => {
      collectGarbage();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const binder = Buffer.alloc(32);
    const before = used();
    const check = evenly(kind, million);
    for (let i = 0; i < million; i++) check(randomFillSync(binder));
    const bytes = used() - before;
    if (check(binder) === 'fresh') throw new Error(`${kind} has forgotten the last one`);
    return [{ suite: 'replay guard', case: 'a million binders, heap and arrays', backend: kind, bytes, goal: null }];
  };
}

/** CPU time of this process alone, a hundred checks under way at a time. */
async function redis(options: Parameters<Group>[0]): Promise<CpuRow[]> {
  const server = await startRedis('replay guards redis');
  if (server === undefined) return [];
  const client = new Redis(server.port, '127.0.0.1');
  const freshnessWindow = 1000;
  const breaker = new CircuitBreaker({ timeLimit: 10_000 });
  const guard = new RedisReplayGuard({ client, breaker, freshnessWindow, clockTolerance: 0 });
  const checks = 100;
  const ask = async () =>
    Promise.all(randomBinders(checks).map((key) => guard.check(key, Date.now() + freshnessWindow)));
  try {
    while (!(await ask()).includes('fresh')) continue;
    const run = async () => {
      if ((await ask()).some((answer) => answer !== 'fresh')) throw new Error('a new binder is not fresh');
    };
    const micros = await measure([{ name: 'check', run }], options);
    const begun = performance.now();
    for (let i = 0; i < 100; i++) await ask();
    const perSecond = Math.round((100 * checks * 1000) / (performance.now() - begun));
    const name = `fresh, ${perSecond} per second in real time`;
    return [row(name, 'RedisReplayGuard', (micros.get('check') ?? NaN) / checks)];
  } finally {
    client.disconnect();
    server.stop();
  }
}

/** A sixteenth of a million, which fills the tables of Redis, of powers of two, as a million does. */
async function redisMemory(): Promise<MemoryRow[]> {
  const server = await startRedis('replay guards memory RedisReplayGuard');
  if (server === undefined) return [];
  const client = new Redis(server.port, '127.0.0.1');
  const freshnessWindow = 10_000;
  const breaker = new CircuitBreaker({ timeLimit: 10_000 });
  const guard = new RedisReplayGuard({ client, breaker, freshnessWindow, clockTolerance: 0 });
  const ask = (binders: readonly Buffer[]) =>
    Promise.all(binders.map((key) => guard.check(key, Date.now() + freshnessWindow)));
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
  try {
    // What a record that has just begun accepts is nothing, for its window.
    while (!(await ask(randomBinders(1))).includes('fresh')) await delay(100);
    const entries = million / 16;
    const before = await used();
    for (let batch = 0; batch < 125; batch++) await ask(randomBinders(entries / 125));
    const bytes = 16 * ((await used()) - before);
    if ((await client.dbsize()) < entries) throw new Error('RedisReplayGuard has forgotten some');
    return [
      { suite: 'replay guard', case: 'a million binders, in Redis', backend: 'RedisReplayGuard', bytes, goal: null },
    ];
  } finally {
    client.disconnect();
    server.stop();
  }
}

function randomBinders(count: number): Buffer[] {
  const all = Buffer.allocUnsafeSlow(32 * count);
  randomFillSync(all);
  return Array.from({ length: count }, (_, i) => all.subarray(32 * i, 32 * i + 32));
}

function row(name: string, kind: string, cpuMicros = NaN, peerCpuMicros: number | null = null): CpuRow {
  const common = { suite: 'replay guard', case: name, backend: kind, cpuMicros, megabytesPerSecond: null, goal: null };
  if (peerCpuMicros === null || kind === 'Set') return { ...common, peer: null, peerCpuMicros: null, speedup: null };
  return { ...common, peer: 'Set', peerCpuMicros, speedup: peerCpuMicros / cpuMicros };
}
