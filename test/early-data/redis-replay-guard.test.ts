import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { RedisReplayGuard, type RedisReplayGuardOptions } from '../../src/early-data/redis-replay-guard.js';
import { redisReplayScript, redisReplayScriptName } from '../../src/early-data/redis-replay-script.js';
import type { ReplayAnswer } from '../../src/early-data/replay-guard.js';
import { CircuitBreaker } from '../../src/remote/circuit-breaker.js';
import { redisCommands, type RedisClient, type RedisCommands } from '../../src/remote/redis-client.js';
import { makeTls13World, rogueClient, rogueServer, waitFor } from '../support/attack-rig-tls13.js';
import { drain, eventsOf, theEvent } from '../support/connections.js';
import type { ServerProcess } from '../support/peers.js';
import { redisLibraries, startRedis, startRedisCluster } from '../support/remote-stores.js';
import { isThorough } from '../support/thorough.js';

type Skip = (reason: string) => never;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startServer(skip: Skip, port?: number): Promise<ServerProcess> {
  const server = await startRedis(skip, port);
  closing.push(() => server.stop());
  return server;
}

/** Patient, for machines that have other things to do. */
const patient = () => new CircuitBreaker({ timeLimit: 10_000, maxCallsInFlight: 100_000 });

/** Binders are kept for 401 ms. */
const brief = { freshnessWindow: 150, clockTolerance: 50 };
const kept = 401;
const record = '{tls-resume:replay:0}:record';

async function connect(
  port: number,
  options: Partial<RedisReplayGuardOptions> = {},
  library: (typeof redisLibraries)[number] = redisLibraries[1],
): Promise<{ guard: RedisReplayGuard; send: RedisCommands; client: RedisClient }> {
  const { client, close } = await library.connect(port);
  closing.push(close);
  const guard = new RedisReplayGuard({ client, breaker: patient(), ...brief, ...options });
  return { guard, client, send: redisCommands(client) };
}

/** A guard in a Redis of its own, whose record has begun long ago. */
async function openGuard(skip: Skip, options: Partial<RedisReplayGuardOptions> = {}) {
  const { port, pid } = await startServer(skip);
  const connected = await connect(port, options);
  await age(connected.send);
  return { port, pid, ...connected };
}

/** As if the record had begun long ago. */
async function age(send: RedisCommands): Promise<void> {
  const [, run] = /run_id:(\w+)/.exec(String(await send('INFO', 'server'))) ?? [];
  await send('SET', record, `${run}/0 0 0`);
}

let made = 0;
const newBinder = () => nodeCrypto.hash('sha256', ascii(`binder ${made++}`));
const soon = () => Date.now() + 100;

const count = (answers: readonly ReplayAnswer[], wanted: ReplayAnswer) =>
  answers.filter((answer) => answer === wanted).length;

interface Hello {
  readonly binder: Uint8Array;
  readonly expiresAt: number;
}

/** Hellos that are accepted, and expire as late as they may. */
async function accepted(guard: RedisReplayGuard): Promise<readonly Hello[]> {
  const hellos = Array.from({ length: 20 }, () => ({ binder: newBinder(), expiresAt: Date.now() + kept - 60 }));
  const answers = await Promise.all(hellos.map(({ binder, expiresAt }) => guard.check(binder, expiresAt)));
  expect(answers).toEqual(Array(20).fill('fresh'));
  return hellos;
}

/** Replays them until the guard accepts new ones, and says how long that took. */
async function replayUntilOpen(guard: RedisReplayGuard, old: readonly Hello[]): Promise<number> {
  const begun = Date.now();
  while (Date.now() < begun + 10_000) {
    const answers = await Promise.all(old.map(({ binder, expiresAt }) => guard.check(binder, expiresAt)));
    expect(count(answers, 'fresh')).toBe(0);
    if ((await guard.check(newBinder(), soon())) === 'fresh') return Date.now() - begun;
    await delay(5);
  }
  throw new Error('took more than 10 seconds');
}

describe('RedisReplayGuard', () => {
  it('calls its script by the right name', () => {
    expect(redisReplayScriptName).toBe(createHash('sha1').update(redisReplayScript).digest('hex'));
  });

  it.for(redisLibraries)('R8446-8-1 R8446-8.2-5 with a client of $library', async (library, { skip }) => {
    const { port } = await startServer(skip);
    const { guard, send } = await connect(port, {}, library);
    const binder = newBinder();
    expect(await guard.check(binder, soon())).toBe('not_checked');
    expect(await send('DBSIZE')).toBe(1);
    await delay(kept);
    const expiresAt = soon();
    expect(await guard.check(binder, expiresAt)).toBe('fresh');
    expect(await guard.check(binder, expiresAt)).toBe('replayed');
    expect(await guard.check(newBinder(), soon())).toBe('fresh');
    const names = (await send('KEYS', '*')) as string[];
    const lives = await Promise.all(names.map(async (name) => [name === record, Number(await send('PTTL', name)) > 0]));
    expect(lives.sort()).toEqual([
      [false, true],
      [false, true],
      [true, false],
    ]);
    await delay(kept);
    expect(await guard.check(binder, expiresAt)).toBe('not_checked');
  });

  it('takes one round trip, and another one where the script is not known yet', async ({ skip }) => {
    const { client } = await openGuard(skip);
    const commands: string[] = [];
    const counted = redisCommands(client);
    const guard = new RedisReplayGuard({
      client: { call: (command, ...args) => (commands.push(command), counted(command, ...args)) },
      ...brief,
    });
    for (let i = 0; i < 3; i++) expect(await guard.check(newBinder(), soon())).toBe('fresh');
    expect(commands).toEqual(['EVALSHA', 'EVAL', 'EVALSHA', 'EVALSHA']);
  });

  it('P-early-1 a thousand checks of one binder at once: fresh for one', async ({ skip }) => {
    const { guard } = await openGuard(skip, { freshnessWindow: 10_000 });
    const binder = newBinder();
    const answers = await Promise.all(Array.from({ length: 1000 }, () => guard.check(binder, soon() + 5000)));
    expect([count(answers, 'fresh'), count(answers, 'replayed')]).toEqual([1, 999]);
  });

  it('R8446-8-2 P-early-1 thousands of hellos, each at four servers at the same moment: each is fresh for one', async ({
    skip,
  }) => {
    const batches = isThorough ? 20 : 4;
    const { port } = await startServer(skip);
    const servers = [];
    for (let i = 0; i < 4; i++)
      servers.push(await connect(port, { freshnessWindow: 60_000 }, redisLibraries[i % 2 === 0 ? 0 : 1]));
    await age(servers[0]!.send);
    const fresh: number[] = [];
    for (let batch = 0; batch < batches; batch++) {
      const binders = Array.from({ length: 500 }, newBinder);
      const expiresAt = soon() + 50_000;
      const answers = await Promise.all(
        servers.map(({ guard }) => Promise.all(binders.map((binder) => guard.check(binder, expiresAt)))),
      );
      fresh.push(
        ...binders.map((_, i) =>
          count(
            answers.map((ofServer) => ofServer[i]!),
            'fresh',
          ),
        ),
      );
    }
    expect(fresh).toEqual(Array(batches * 500).fill(1));
  });

  it('P-early-1 P-early-2 a Redis that is flushed: nothing is accepted for a window, and what was before never', async ({
    skip,
  }) => {
    const { guard, send } = await openGuard(skip);
    const old = await accepted(guard);
    await send('FLUSHALL');
    expect(await replayUntilOpen(guard, old)).toBeGreaterThanOrEqual(kept - 10);
  });

  it('P-early-1 P-early-2 a Redis that is killed and comes back empty: the same', async ({ skip }) => {
    const first = await startServer(skip);
    const { guard, send } = await connect(first.port, { breaker: new CircuitBreaker({ shortestPause: 20 }) });
    await age(send);
    const old = await accepted(guard);
    process.kill(first.pid, 'SIGKILL');
    await first.stop();
    for (const { binder, expiresAt } of old) expect(await guard.check(binder, expiresAt)).toBe('not_checked');
    await startServer(skip, first.port);
    expect(await replayUntilOpen(guard, old)).toBeGreaterThanOrEqual(kept - 10);
  });

  it('P-early-1 P-early-2 another Redis that becomes the master, or an old snapshot: its record is another run’s', async ({
    skip,
  }) => {
    const before = await openGuard(skip);
    const replica = await startServer(skip);
    const after = await connect(replica.port);
    await before.send('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
    await after.send('REPLICAOF', '127.0.0.1', String(before.port));
    while ((await after.send('GET', record)) === null) await delay(10);
    // A replica takes no writes: no answer.
    expect(await after.guard.check(newBinder(), soon())).toBe('not_checked');
    const old = await accepted(before.guard);
    await after.send('REPLICAOF', 'NO', 'ONE');
    expect(await replayUntilOpen(after.guard, old)).toBeGreaterThanOrEqual(kept - 10);
  });

  it('P-early-1 P-early-2 a Redis that is out of memory and evicts entries: the same', async ({ skip }) => {
    const { guard, send } = await openGuard(skip);
    const old = await accepted(guard);
    await send('CONFIG', 'SET', 'maxmemory-policy', 'volatile-random', 'maxmemory', '1');
    const filled = await send('SET', 'filler', 'x').catch((error: unknown) => String(error));
    expect(filled).toMatch(/OOM/);
    await send('CONFIG', 'SET', 'maxmemory', '0');
    expect(await send('KEYS', '*')).toEqual([record]);
    expect(await replayUntilOpen(guard, old)).toBeGreaterThanOrEqual(kept - 10);
  });

  it('P-early-1 a Redis that is paused: an answer in time, and no hello is accepted twice', async ({ skip }) => {
    const breaker = new CircuitBreaker({ timeLimit: 60, shortestPause: 20, longestPause: 40 });
    const { pid, guard } = await openGuard(skip, { breaker, freshnessWindow: 10_000 });
    await guard.check(newBinder(), soon()); // the script is known
    const binders = Array.from({ length: 10 }, newBinder);
    const accepted = new Map(binders.map((binder) => [binder, 0]));
    const replay = async () => {
      const answers = await Promise.all(binders.map((binder) => guard.check(binder, soon() + 5000)));
      for (const [i, binder] of binders.entries())
        if (answers[i] === 'fresh') accepted.set(binder, (accepted.get(binder) ?? 0) + 1);
      return answers;
    };
    process.kill(pid, 'SIGSTOP');
    closing.push(() => process.kill(pid, 'SIGCONT'));
    const begun = Date.now();
    for (let i = 0; i < 5; i++) expect(await replay()).toEqual(Array(10).fill('not_checked'));
    expect(Date.now() - begun).toBeLessThan(5 * 1000);
    expect(breaker.statistics().state).not.toBe('closed');
    process.kill(pid, 'SIGCONT');
    let last: ReplayAnswer[] = [];
    for (const deadline = Date.now() + 10_000; Date.now() < deadline && count(last, 'replayed') < 10;) {
      last = await replay();
      await delay(10);
    }
    // Those that were asked about when it stopped are on record, whatever was answered then.
    expect(last).toEqual(Array(10).fill('replayed'));
    expect(Math.max(...accepted.values())).toBeLessThanOrEqual(1);
  });

  it('P-time-2 servers may disagree about the time: what the clock of Redis does not know of is not accepted', async ({
    skip,
  }) => {
    const { guard, send } = await openGuard(skip, { freshnessWindow: 10_000, clockTolerance: 5000 });
    const now = Date.now();
    const answerAt = (expiresAt: number) => guard.check(newBinder(), expiresAt);
    expect(await answerAt(now - 5001)).toBe('not_checked');
    expect(await answerAt(now - 4000)).toBe('fresh');
    expect(await answerAt(now + 25_001)).toBe('fresh');
    expect(await answerAt(now + 35_000)).toBe('not_checked');
    for (const expiresAt of [Number.NaN, Infinity, -Infinity, 1e300]) {
      expect(await answerAt(expiresAt)).toBe('not_checked');
    }
    // A server whose clock is 11 seconds late takes for fresh what has expired for others: still once.
    const binder = newBinder();
    expect(await guard.check(binder, now + 15_000)).toBe('fresh');
    expect(await guard.check(binder, now + 15_000)).toBe('replayed');
    expect(
      Number(await send('PTTL', `{tls-resume:replay:0}:${Buffer.from(binder.subarray(0, 16)).toString('base64url')}`)),
    ).toBeGreaterThan(20_000);
  });

  it('P-time-2 the clock of Redis was ahead: what had expired by it may be gone, and a new record begins', async ({
    skip,
  }) => {
    const { guard, send } = await openGuard(skip);
    const old = await accepted(guard);
    const [run, , asOf] = String(await send('GET', record)).split(' ');
    expect(Math.abs(Date.now() - Number(asOf))).toBeLessThan(1000);
    await send('FLUSHALL');
    await send('SET', record, `${run} 0 ${Date.now() + 3_600_000}`);
    expect(await replayUntilOpen(guard, old)).toBeGreaterThanOrEqual(kept - 10);
    const [, began, latest] = String(await send('GET', record))
      .split(' ')
      .map(Number);
    expect(Date.now() - began!).toBeLessThan(10_000);
    expect(latest).toBeLessThanOrEqual(Date.now());
  });

  it('goes on with the record of the time before: a server that joins late is no reason to wait', async ({ skip }) => {
    const first = await openGuard(skip);
    const binder = newBinder();
    expect(await first.guard.check(binder, soon() + 100)).toBe('fresh');
    const late = await connect(first.port);
    expect(late.guard.startedAt).toBe(0);
    expect(await late.guard.check(binder, soon() + 100)).toBe('replayed');
    expect(await late.guard.check(newBinder(), soon())).toBe('fresh');
  });

  it('a record that is none is begun anew', async ({ skip }) => {
    const { port } = await startServer(skip);
    const { guard, send } = await connect(port);
    for (const text of [' ', 'none', `${'a'.repeat(40)} 0`, `${'a'.repeat(40)} x 0`, '\0']) {
      await send('SET', record, text);
      expect(await guard.check(newBinder(), soon())).toBe('not_checked');
      expect(await send('GET', record)).toMatch(/^[0-9a-f]{40}\/0 \d{13} \d{13}$/);
    }
    await send('DEL', record);
    await send('RPUSH', record, 'a list');
    expect(await guard.check(newBinder(), soon())).toBe('not_checked');
  });

  it('in a cluster a record and its binders are in one slot, and shards are spread over the nodes', async ({
    skip,
  }) => {
    const nodes = await startRedisCluster(skip);
    closing.push(() => Promise.all(nodes.map((node) => node.stop())));
    const client = new Cluster([{ host: '127.0.0.1', port: nodes[0]!.port }]);
    closing.push(() => client.disconnect());
    const guard = new RedisReplayGuard({ client, breaker: patient(), shards: 12, ...brief, freshnessWindow: 500 });
    const binders = Array.from({ length: 200 }, newBinder);
    const ask = () => Promise.all(binders.map((binder) => guard.check(binder, Date.now() + 500)));
    expect(new Set(await ask())).toEqual(new Set(['not_checked']));
    const records = await Promise.all(nodes.map(async ({ port }) => (await connect(port)).send('KEYS', '*record')));
    const names = records.map((found) => (Array.isArray(found) ? found.length : 0));
    expect([names.reduce((sum, n) => sum + n), Math.min(...names) > 0]).toEqual([12, true]);
    await delay(1101);
    expect(new Set(await ask())).toEqual(new Set(['fresh']));
    expect(new Set(await ask())).toEqual(new Set(['replayed']));
  });

  it('R8446-8-2 P-early-1 a flight at four servers at the same moment is read by one of them', async ({ skip }) => {
    const { port } = await startServer(skip);
    const guards = [];
    for (let i = 0; i < 4; i++) guards.push(await connect(port, { freshnessWindow: 10_000 }));
    await age(guards[0]!.send);
    const world = makeTls13World();
    world.clock.time = Date.now();
    const client = rogueClient(world.client({ session: world.session(), earlyData: true }));
    client.connection.writeEarlyData(ascii('once'));
    const flight = drain(client);
    const servers = guards.map(({ guard }) => {
      const earlyData = { maxSize: 2000, replayGuard: guard };
      const server = rogueServer(world.server({ earlyData }), {}, { named: 'async' });
      server.connection.receive(flight.slice());
      return server;
    });
    for (const server of servers) {
      while (server.connection.waiting) await delay(1);
      await waitFor(server);
    }
    const reasons = servers.map((server) => theEvent(server, 'early_data').reason);
    expect(reasons.sort()).toEqual(['replayed', 'replayed', 'replayed', undefined]);
    expect(servers.flatMap((server) => eventsOf(server, 'data'))).toHaveLength(1);
  });
});

describe('RedisReplayGuard without a Redis that answers as it should', () => {
  const answering = (answer: () => unknown) => ({ call: async () => answer() });

  it.each([
    null,
    undefined,
    '',
    'OK',
    'FRESH',
    'fresh ',
    1,
    true,
    ['fresh'],
    { fresh: true },
    new String('fresh'),
    new Uint8Array(0),
    ascii('fresh\n'),
  ])('P-early-1 %o is no answer', async (answer) => {
    const guard = new RedisReplayGuard({ client: answering(() => answer) });
    expect(await guard.check(newBinder(), soon())).toBe('not_checked');
  });

  it('understands clients that were told to answer bytes', async () => {
    const guard = new RedisReplayGuard({ client: answering(() => Buffer.from('fresh')) });
    expect(await guard.check(newBinder(), soon())).toBe('fresh');
  });

  it.each(['NOSCRIPT No matching script', 'READONLY', 'LOADING', 'NOPERM'])(
    'P-early-1 nor is the error %s, thrown or rejected with',
    async (message) => {
      const failing = () => {
        throw new Error(message);
      };
      for (const client of [answering(failing), { call: failing }]) {
        const guard = new RedisReplayGuard({ client });
        expect(await guard.check(newBinder(), soon())).toBe('not_checked');
      }
    },
  );

  it('P-early-1 does not wait for one that never answers, and soon asks no more', async () => {
    let asked = 0;
    const client = { call: () => (asked++, new Promise<never>(() => undefined)) };
    const guard = new RedisReplayGuard({ client, breaker: new CircuitBreaker({ timeLimit: 5, failuresToOpen: 2 }) });
    for (let i = 0; i < 10; i++) expect(await guard.check(newBinder(), soon())).toBe('not_checked');
    expect(asked).toBe(2);
  });

  it('refuses what is too short to be a binder', async () => {
    const guard = new RedisReplayGuard({ client: answering(() => 'fresh') });
    await expect(guard.check(new Uint8Array(15), soon())).rejects.toMatchObject({ code: 'invalid_key' });
  });

  it('tells binders apart by their first 16 bytes, under names of one hash tag', async () => {
    const calls: string[][] = [];
    const client = { call: async (...args: string[]) => void calls.push(args) };
    const guard = new RedisReplayGuard({ client, keyPrefix: 'mine:', shards: 7 });
    const binder = Uint8Array.from({ length: 48 }, (_, i) => 250 + i);
    await guard.check(binder, 1000.5);
    await guard.check(new Uint8Array(32), 2000);
    expect(calls).toEqual([
      ['EVALSHA', redisReplayScriptName, '2', '{mine:5}:record', '{mine:5}:-vv8_f7_AAECAwQFBgcICQ', '11001', '40001'],
      ['EVALSHA', redisReplayScriptName, '2', '{mine:0}:record', '{mine:0}:AAAAAAAAAAAAAAAAAAAAAA', '12000', '40001'],
    ]);
  });

  it.each([
    { keyPrefix: 'a{b}' },
    { shards: 0 },
    { shards: 257 },
    { shards: 1.5 },
    { clockTolerance: -1 },
    { clockTolerance: Number.NaN },
    { freshnessWindow: 0 },
    { client: {} as RedisClient },
  ])('refuses %o', (options) => {
    const make = () => new RedisReplayGuard({ client: answering(() => 'fresh'), ...options });
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });
});
