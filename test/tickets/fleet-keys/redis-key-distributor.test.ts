/** Fleets whose keys are in a real Redis, through both client libraries. */
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../../src/bytes.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { CircuitBreaker } from '../../../src/remote/circuit-breaker.js';
import { redisCommands, textOf, type RedisCommands } from '../../../src/remote/redis-client.js';
import type { RedisKeyDistributorOptions } from '../../../src/tickets/fleet-keys/fleet-key-options.js';
import { RedisKeyDistributor } from '../../../src/tickets/fleet-keys/redis-key-distributor.js';
import { secretParts } from '../../../src/tickets/ticket-key.js';
import { misuse } from '../../support/decoding.js';
import type { ServerProcess } from '../../support/peers.js';
import { redisLibraries, startRedis, startRedisCluster, type ConnectedRedis } from '../../support/remote-stores.js';
import { Fleet, second, secret, Tickets, times, type Server } from './fleet.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Skip = (reason: string) => never;
type Connect = (port: number) => Promise<ConnectedRedis>;

interface World {
  readonly server: ServerProcess;
  readonly client: ConnectedRedis['client'];
  readonly send: RedisCommands;
  readonly fleet: Fleet;
}

async function worldOf(skip: Skip, connect: Connect = redisLibraries[0].connect): Promise<World> {
  const server = await startRedis(skip);
  closing.push(() => server.stop());
  const { client, close } = await connect(server.port);
  closing.push(close);
  return { server, client, send: redisCommands(client), fleet: new Fleet() };
}

/** A fleet of `skews.length` servers that has sealed for a while. */
async function running(
  world: World,
  skews: readonly number[] = [0, 0, 0],
  options: Partial<RedisKeyDistributorOptions> = {},
) {
  for (const skew of skews) world.fleet.join(world.client, { skew, ...options });
  await world.fleet.start();
  await world.fleet.pass(2 * times.sealingPeriod);
}

const names = ({ ring }: Server) => ring.status().map(({ name }) => toHex(name));
const sealingName = ({ ring }: Server) => {
  const key = ring.status().find(({ seals }) => seals);
  return key === undefined ? 'none' : toHex(key.name);
};
const codes = ({ errors }: Server) => errors.map(({ code }) => code);
const entriesOf = async (send: RedisCommands) =>
  String(await send('KEYS', '*'))
    .split(',')
    .sort();

async function untilAnswered(send: RedisCommands): Promise<void> {
  for (;;) {
    try {
      await send('PING');
      return;
    } catch {
      await delay(20);
    }
  }
}

describe.each(redisLibraries)('RedisKeyDistributor on $library', ({ connect }) => {
  it('gives servers that start at the same moment on an empty Redis the same keys', async ({ skip }) => {
    const { client, send, fleet } = await worldOf(skip, connect);
    for (let i = 0; i < 4; i++) fleet.join(client);
    await fleet.start();
    const [first, ...others] = fleet.servers.map(names);
    expect(first).toHaveLength(3);
    for (const other of others) expect(other).toEqual(first);
    const period = fleet.time / times.sealingPeriod;
    expect(await entriesOf(send)).toEqual(
      [0, 1, 2].map((ahead) => `{tls-resume:keys}:${Math.floor(period) + ahead}:0`),
    );
  });

  it('lets every ticket be opened everywhere for its life, over twelve keys and on clocks 22 seconds apart', async ({
    skip,
  }) => {
    const world = await worldOf(skip, connect);
    const { fleet } = world;
    await running(world, [0, 11 * second, -11 * second, 0]);
    const tickets = new Tickets(fleet, times.openingPeriod);
    const keys = new Set<string>();
    await fleet.pass(12 * times.sealingPeriod, () => {
      tickets.check();
      for (const server of fleet.servers) keys.add(sealingName(server));
    });
    expect(tickets.refused).toEqual([]);
    expect(tickets.sealed).toBe(4 * 720);
    expect(keys.size).toBe(14);
    expect(fleet.servers.flatMap(codes)).toEqual([]);
    expect(Math.max(...fleet.servers.map(({ ring }) => ring.status().length))).toBe(5);
  });

  it('goes on when Redis was killed and has come back empty', async ({ skip }) => {
    const world = await worldOf(skip, connect);
    const { fleet, server, send } = world;
    await running(world);
    const before = fleet.servers.map(names);
    const tickets = new Tickets(fleet);
    process.kill(server.pid, 'SIGKILL');
    await delay(20);
    await fleet.pass(20 * second, () => tickets.check());
    expect(fleet.servers.map(codes)).toEqual([['unreachable'], ['unreachable'], ['unreachable']]);
    expect(fleet.servers.map(names)).toEqual(before);
    const again = await startRedis(skip, server.port);
    closing.push(() => again.stop());
    await untilAnswered(send);
    await fleet.pass(4 * times.sealingPeriod, () => tickets.check());
    expect(tickets.refused).toEqual([]);
    expect(tickets.unsealed).toBe(0);
    expect(new Set(fleet.servers.map((one) => names(one).join())).size).toBe(1);
    expect(fleet.servers.map((one) => one.distributor.status().reachable)).toEqual([true, true, true]);
  });
});

it('RedisKeyDistributor asks a cluster of three for what stands on one of them', async ({ skip }) => {
  const nodes = await startRedisCluster(skip);
  closing.push(...nodes.map((node) => () => node.stop()));
  const client = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
  closing.push(() => client.disconnect());
  await untilAnswered(async () => client.call('GET', 'x'));
  const fleet = new Fleet();
  const [one, other] = [fleet.join(client), fleet.join(client)];
  await fleet.start();
  expect(names(one)).toHaveLength(3);
  expect(names(other)).toEqual(names(one));
}, 15_000);

it('RedisKeyDistributor uses what another one has written between its look and its word', async ({ skip }) => {
  const { client, send, fleet } = await worldOf(skip);
  const first = fleet.join(client);
  const call = async (command: string, ...args: string[]) => {
    if (command === 'SET') await first.start();
    return send(command, ...args);
  };
  const other = fleet.join({ call });
  await other.start();
  expect(names(first)).toHaveLength(3);
  expect(names(other)).toEqual(names(first));
  await fleet.pass(times.pollInterval);
  expect(names(first)).toHaveLength(3);
});

describe('who seals when', () => {
  it('in a new fleet nobody, until the key could be read for long enough', async ({ skip }) => {
    const { client, fleet } = await worldOf(skip);
    const [early, late] = [fleet.join(client), fleet.join(client)];
    await early.start();
    expect(early.distributor.status()).toEqual({ reachable: true, sealing: 'none', keys: 3 });
    await fleet.pass(times.publishAhead - second);
    expect(early.seal()).toBeUndefined();
    await late.start();
    expect(late.seal()).toBeUndefined();
    await fleet.pass(second);
    expect(sealingName(early)).toBe(names(early)[2]);
    expect(sealingName(late)).toBe(sealingName(early));
    await fleet.pass(times.pollInterval);
    expect(early.statuses.map(({ sealing }) => sealing)).toEqual(['none', 'on_time']);
  });

  it('the next key where the first one was made too close to the end of its period', async ({ skip }) => {
    const { client, fleet } = await worldOf(skip);
    fleet.time += times.sealingPeriod - 15 * second;
    const server = fleet.join(client);
    await server.start();
    await fleet.pass(times.publishAhead - second);
    expect(server.seal()).toBeUndefined();
    await fleet.pass(second);
    expect(sealingName(server)).toBe(names(server).at(-2));
  });

  it('a server that joins late at once, with the key of all others', async ({ skip }) => {
    const world = await worldOf(skip);
    await running(world);
    const late = world.fleet.join(world.client);
    await late.start();
    const tickets = new Tickets(world.fleet);
    tickets.check();
    expect({ sealed: tickets.sealed, refused: tickets.refused }).toEqual({ sealed: 4, refused: [] });
    expect(new Set(world.fleet.servers.map(sealingName)).size).toBe(1);
  });
});

describe('without Redis', () => {
  it('a server starts, has no tickets, and finds the keys later', async ({ skip }) => {
    const world = await worldOf(skip);
    await running(world, [0]);
    let dead = true;
    const late = world.fleet.join({
      call: async (command: string, ...args: string[]) => {
        if (dead) throw new Error('ECONNREFUSED');
        return world.send(command, ...args);
      },
    });
    await late.start();
    expect(late.seal()).toBeUndefined();
    expect(late.statuses).toEqual([{ reachable: false, sealing: 'none', keys: 0 }]);
    dead = false;
    await world.fleet.pass(times.pollInterval);
    expect(names(late)).toEqual(names(world.fleet.servers[0] ?? late));
    expect(late.statuses.at(-1)).toEqual({ reachable: true, sealing: 'on_time', keys: 5 });
    expect(codes(late)).toEqual(['unreachable']);
  });

  it('that is paused, servers use the keys that they have, extend the last one, and then have none', async ({
    skip,
  }) => {
    const world = await worldOf(skip);
    const pollInterval = times.publishAhead / 2;
    const { fleet, server, send } = world;
    let timeLimit = 5000; // only a Redis that is paused is given up soon
    const after = (milliseconds: number, callback: () => void) => {
      const timer = setTimeout(callback, milliseconds && timeLimit);
      return () => clearTimeout(timer);
    };
    await running(world, [0, 0], { pollInterval, breaker: new CircuitBreaker({ failuresToOpen: 1000, after }) });
    await fleet.pass(pollInterval); // everybody has seen the last key
    const [one] = fleet.servers;
    if (one === undefined) throw new Error('no server');
    const tickets = new Tickets(fleet);
    process.kill(server.pid, 'SIGSTOP');
    timeLimit = 50;
    closing.push(() => process.kill(server.pid, 'SIGCONT'));
    // To the end of the last of three keys, which is at the change of periods.
    await fleet.pass(3 * times.sealingPeriod - 5 * second - pollInterval - second, () => tickets.check());
    expect(one.distributor.status()).toMatchObject({ reachable: false, sealing: 'on_time' });
    await fleet.pass(times.maximumExtension, () => tickets.check());
    expect(one.distributor.status()).toMatchObject({ reachable: false, sealing: 'extended' });
    expect({ unsealed: tickets.unsealed, refused: tickets.refused }).toEqual({ unsealed: 0, refused: [] });
    await fleet.pass(pollInterval);
    expect(one.seal()).toBeUndefined();
    expect(one.distributor.status().sealing).toBe('none');
    expect(one.statuses.map(({ sealing }) => sealing).slice(-3)).toEqual(['on_time', 'extended', 'none']);

    process.kill(server.pid, 'SIGCONT');
    timeLimit = 5000;
    await untilAnswered(send);
    await fleet.pass(times.publishAhead + pollInterval, () => tickets.check());
    expect(one.distributor.status()).toMatchObject({ reachable: true, sealing: 'on_time' });
    expect(tickets.refused).toEqual([]);
    expect(codes(one)).toEqual(['unreachable']);
  }, 15_000);
});

describe('a Redis that has forgotten', () => {
  it('is told the keys again, and a server that comes first with another one changes nothing', async ({ skip }) => {
    const world = await worldOf(skip);
    const { fleet, send, client } = world;
    await running(world);
    const before = names(fleet.servers[0] ?? fleet.join(client));
    const tickets = new Tickets(fleet);
    tickets.check();
    await send('FLUSHALL');
    const fresh = fleet.join(client);
    await fresh.start();
    await fleet.pass(2 * times.pollInterval);
    const all = fleet.servers.map((server) => names(server).sort());
    for (const keys of all) expect(keys).toEqual(all[0]);
    expect(all[0]).toEqual(expect.arrayContaining(before));
    expect(all[0]).toHaveLength(8);
    await fleet.pass(5 * times.sealingPeriod, () => tickets.check());
    expect(tickets.refused).toEqual([]);
    expect(new Set(fleet.servers.map(sealingName)).size).toBe(1);
    expect(fleet.servers.flatMap(codes)).toEqual([]);
    expect(fleet.servers.map(({ ring }) => ring.status().length)).toEqual([5, 5, 5, 5]);
  });

  it('of the key before this one is told it again, and nobody seals with it any more', async ({ skip }) => {
    const world = await worldOf(skip);
    const { fleet, send } = world;
    await running(world);
    const before = (await entriesOf(send)).find((name) =>
      name.endsWith(`:${Math.floor(fleet.time / times.sealingPeriod) - 1}:0`),
    );
    expect(await send('DEL', before ?? '')).toBe(1);
    await fleet.pass(times.pollInterval);
    const late = fleet.join(world.client);
    await late.start();
    expect(names(late)).toEqual(names(fleet.servers[0] ?? late));
    const sealing = sealingName(late);
    await fleet.pass(times.publishAhead);
    expect(fleet.servers.map(sealingName)).toEqual(Array<string>(4).fill(sealing));
    expect(codes(late)).toEqual([]);
  });

  it('flushed again and again costs no ticket', async ({ skip }) => {
    const world = await worldOf(skip);
    const { fleet, send } = world;
    await running(world);
    const tickets = new Tickets(fleet);
    for (let i = 0; i < 20; i++) {
      await send('FLUSHALL');
      await fleet.pass(13 * second, () => tickets.check());
    }
    expect({ unsealed: tickets.unsealed, refused: tickets.refused }).toEqual({ unsealed: 0, refused: [] });
  });

  it('or two of them: what both halves of a fleet sealed opens everywhere once they see each other', async ({
    skip,
  }) => {
    const [left, right] = [await worldOf(skip), await worldOf(skip)];
    const { fleet } = left;
    let split = true;
    const call = (command: string, ...args: string[]) => (split ? right : left).send(command, ...args);
    const halves = [fleet.join(left.client), fleet.join(left.client), fleet.join({ call }), fleet.join({ call })];
    await fleet.start();
    await fleet.pass(times.sealingPeriod);
    expect(new Set(halves.map(sealingName)).size).toBe(2);
    const old = halves.map((server) => server.seal() ?? new Uint8Array());
    split = false;
    await fleet.pass(2 * times.pollInterval);
    const opened = halves.map((server) => old.map((ticket) => server.open(ticket).reason));
    expect(opened.flat()).toEqual(Array<undefined>(16).fill(undefined));
    const all = halves.map((server) => names(server).sort());
    for (const keys of all) expect(keys).toEqual(all[0]);
    expect(new Set(halves.map(sealingName)).size).toBe(1);
    const tickets = new Tickets(fleet);
    const leading: number[] = [];
    await fleet.pass(3 * times.sealingPeriod, () => {
      tickets.check();
      leading.push(new Set(halves.map(sealingName)).size);
    });
    expect({ unsealed: tickets.unsealed, refused: tickets.refused }).toEqual({ unsealed: 0, refused: [] });
    expect(Math.max(...leading)).toBe(1);
  });

  it('of four keys for a period three are shared, and the last one is dropped', async ({ skip }) => {
    const [main, aside] = [await worldOf(skip), await worldOf(skip)];
    const { fleet } = main;
    let { send } = aside;
    for (let i = 0; i < 4; i++) {
      await fleet.join({ call: async (command: string, ...args: string[]) => send(command, ...args) }).start();
      await aside.send('FLUSHALL');
    }
    expect(new Set(fleet.servers.flatMap(names)).size).toBe(12);
    ({ send } = main);
    await fleet.pass(2 * times.pollInterval);
    const all = fleet.servers.map((server) => names(server).sort());
    expect(all[0]).toHaveLength(9);
    for (const keys of all) expect(keys).toEqual(all[0]);
    expect(fleet.servers.flatMap(codes)).toEqual(['too_many_keys']);
  });
});

describe('what others write to Redis', () => {
  const entry = (fleet: Fleet, ahead: number, slot = 0) =>
    `{tls-resume:keys}:${Math.floor(fleet.time / times.sealingPeriod) + ahead}:${slot}`;

  it.each([
    ['another byte at the end', (text: string) => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A')],
    [
      'another time of publication',
      (text: string) => `${text.slice(0, 8)}${text[8] === 'A' ? 'B' : 'A'}${text.slice(9)}`,
    ],
    ['another format', (text: string) => `AA${text.slice(2)}`],
    ['nothing', () => ''],
    ['too much', (text: string) => text + 'A'.repeat(100_000)],
    ['no base64url', () => '\u0000'.repeat(162)],
  ])('is refused, told and changes nothing: %s', async (_, change) => {
    const world = await worldOf(() => expect.fail('no Redis'));
    const { fleet, send } = world;
    await running(world);
    const before = fleet.servers.map(names);
    const name = entry(fleet, 1);
    await send('SET', name, change(textOf(await send('GET', name)) ?? ''));
    await fleet.pass(2 * times.pollInterval);
    expect(fleet.servers.map(names)).toEqual(before);
    expect(fleet.servers.map(codes)).toEqual([['entry_refused'], ['entry_refused'], ['entry_refused']]);
    expect(fleet.servers[0]?.errors[0]?.message).toBe(`${name} was not written with this secret and these settings`);
    // In the next slot it is there for those who come later.
    const late = fleet.join(world.client);
    await late.start();
    expect(names(late)).toEqual(before[0]);
  });

  it('is refused where it was moved to another period, so that no key lives longer', async ({ skip }) => {
    const world = await worldOf(skip);
    const { fleet, send } = world;
    await running(world);
    const old = textOf(await send('GET', entry(fleet, 0))) ?? '';
    await send('SET', entry(fleet, 2, 1), old);
    await send('SET', entry(fleet, 1), old);
    const late = fleet.join(world.client);
    await late.start();
    expect(codes(late)).toEqual(['entry_refused', 'entry_refused']);
    expect(names(late).slice(-1)).toEqual(names(fleet.servers[0] ?? late).slice(-1));
  });

  it('of another kind than text is in the way of one slot', async ({ skip }) => {
    const { fleet, send, client } = await worldOf(skip);
    await send('LPUSH', entry(fleet, 0), 'x');
    const server = fleet.join(client);
    await server.start();
    expect(names(server)).toHaveLength(3);
    expect(await send('EXISTS', entry(fleet, 0, 1))).toBe(1);
  });

  it('with another secret, other times, another kind of key: none of it is used, and the slots do not run out', async ({
    skip,
  }) => {
    const world = await worldOf(skip);
    const { fleet, client } = world;
    await running(world);
    const before = fleet.servers.map(names);
    const strangers = [
      fleet.join(client, { secret: nodeCrypto.randomBytes(32) }),
      fleet.join(client, { openingPeriod: 50 * second }),
    ];
    for (const stranger of strangers) await stranger.start();
    for (const stranger of strangers) {
      expect(names(stranger).filter((name) => before.flat().includes(name))).toEqual([]);
      expect(new Set(codes(stranger))).toEqual(new Set(['entry_refused']));
    }
    await fleet.pass(times.pollInterval);
    expect(fleet.servers.slice(0, 3).map(names)).toEqual(before);
    expect(new Set(codes(fleet.servers[0] ?? strangers[0] ?? fleet.join(client)))).toEqual(new Set(['entry_refused']));
  });
});

describe('what Redis sees', () => {
  it('no part of a key, in entries that end with their key', async ({ skip }) => {
    const world = await worldOf(skip);
    const { fleet, send } = world;
    await running(world, [0]);
    const keys = fleet.servers[0]?.ring.exportKeys() ?? [];
    expect(keys).toHaveLength(5);
    for (const name of await entriesOf(send)) {
      const text = textOf(await send('GET', name)) ?? '';
      const bytes = toHex(new Uint8Array(Buffer.from(text, 'base64url')));
      for (const part of keys.flatMap(secretParts)) expect(bytes).not.toContain(toHex(part.subarray(0, 8)));
      const opensUntil = (Number(name.split(':')[2]) + 1) * times.sealingPeriod + 90 * second;
      const left = Number(await send('PTTL', name));
      expect(left).toBeLessThanOrEqual(opensUntil - fleet.time + 2 * times.sealingPeriod + times.publishAhead);
      expect(left).toBeGreaterThan(opensUntil - fleet.time);
    }
  });
});

describe('options', () => {
  it('keys of one secret, another prefix, by the timers of the runtime', async ({ skip }) => {
    const { client, send } = await worldOf(skip);
    const rings: (readonly Uint8Array[])[] = [];
    const make = (i: number) =>
      new RedisKeyDistributor({
        client,
        ring: {
          replace: (keys) =>
            (rings[i] = keys.map(({ name, secret: only }) => (only?.length === 32 ? name : ascii('?')))),
        },
        secret,
        crypto: nodeCrypto,
        now: Date.now,
        prefix: 'shop',
        kind: 'secret',
        sealingPeriod: 3_600_000,
        publishAhead: 200,
        pollInterval: 60,
      });
    const distributors = [make(0), make(1)];
    closing.push(() => distributors.map((one) => one.stop()));
    for (const one of distributors) await one.start();
    expect(rings[0]).toHaveLength(3);
    expect(rings[1]).toEqual(rings[0]);
    expect((await entriesOf(send)).every((name) => name.startsWith('{shop}:'))).toBe(true);
    while (distributors[1]?.status().sealing !== 'on_time') await delay(20);
    await send('FLUSHALL');
    while ((await entriesOf(send)).length < 3) await delay(20);
    for (const one of distributors) one.stop();
    expect(distributors.map((one) => one.status().keys)).toEqual([0, 0]);
    await send('FLUSHALL');
    await delay(150);
    expect(await send('DBSIZE')).toBe(0);
  });

  it('that make no sense are refused', () => {
    const fleet = new Fleet();
    const client = { call: () => Promise.resolve(null) };
    const refused = (options: Parameters<Fleet['join']>[1]) => misuse(() => fleet.join(client, options));
    expect(refused({ secret: new Uint8Array(32) })).toBe('invalid_key');
    expect(refused({ secret: nodeCrypto.randomBytes(31) })).toBe('invalid_key');
    expect(refused({ prefix: '{x}' })).toBe('invalid_option');
    expect(refused({ prefix: '' })).toBe('invalid_option');
    expect(refused({ publishAhead: 2 * times.pollInterval - 1 })).toBe('invalid_option');
    expect(refused({ publishAhead: times.sealingPeriod + 1 })).toBe('invalid_option');
    expect(refused({ sealingPeriod: 0.5 })).toBe('invalid_option');
    const year = 365 * 24 * 3600 * second;
    expect(refused({ pollInterval: 2 ** 31, publishAhead: year, sealingPeriod: year })).toBe('invalid_option');
    expect(refused({ maximumExtension: -1 })).toBe('invalid_option');
    expect(refused({ openingPeriod: 48 * times.sealingPeriod })).toBe('invalid_option');
    expect(refused({ maximumExtension: 0, openingPeriod: 48 * times.sealingPeriod })).toBeUndefined();
  });

  it('of which the ring has no use, it tells, and the ring is what it was', async ({ skip }) => {
    const { client, fleet } = await worldOf(skip);
    const server = fleet.join(client, { kind: 'secret' });
    await server.start();
    expect(codes(server)).toEqual(['ring_refused']);
    expect(server.errors[0]?.cause).toMatchObject({ code: 'invalid_key' });
    expect(names(server)).toEqual([]);
  });
});
