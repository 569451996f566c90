import { Cluster } from 'ioredis';
import { createClientPool, createCluster, createSentinel } from 'redis';
import { afterEach, describe, expect, it } from 'vitest';
import { redisCommands, textOf, type RedisClient } from '../../src/remote/redis-client.js';
import { misuse } from '../support/decoding.js';
import type { ServerProcess } from '../support/peers.js';
import { redisLibraries, startRedis, startRedisCluster, startSentinel } from '../support/remote-stores.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started<T extends ServerProcess | readonly ServerProcess[]>(starting: Promise<T>): Promise<T> {
  const servers = await starting;
  for (const server of [servers].flat()) closing.push(() => server.stop());
  return servers;
}

/** The commands of the stores, of the replay guard and of the key distribution, by one key each. */
async function exercise(client: RedisClient): Promise<void> {
  const send = redisCommands(client);
  const script = "return {KEYS[1], ARGV[1], redis.call('GET', KEYS[1])}";
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    expect(await send('SET', key, 'one', 'PX', '10000')).toBe('OK');
    expect(await send('SET', key, 'two', 'NX', 'PX', '10000')).toBeNull();
    expect(textOf(await send('GET', key))).toBe('one');
    expect(await send('EVAL', script, '1', key, 'x')).toEqual([key, 'x', 'one']);
    expect(textOf(await send('GETDEL', key))).toBe('one');
    expect(await send('GET', key)).toBeNull();
    expect(await send('DEL', key)).toBe(0);
    expect(await send('RPUSH', key, 'element')).toBe(1);
    await expect(send('GET', key)).rejects.toThrow(/^WRONGTYPE/);
    await expect(send('GETDEL', key)).rejects.toThrow(/^WRONGTYPE/);
    expect(await send('DEL', key)).toBe(1);
  }
  expect(await send('EVAL', 'return 7', '0')).toBe(7);
  expect(await send('PUBLISH', 'channel', 'message')).toBe(0);
}

describe('redisCommands', () => {
  it.for(redisLibraries)('sends the commands of a client of $library', async ({ connect }, { skip }) => {
    const server = await started(startRedis(skip));
    const { client, close } = await connect(server.port);
    closing.push(close);
    await exercise(client);
  });

  it('sends those of a pool of redis', async ({ skip }) => {
    const { port } = await started(startRedis(skip));
    const pool = createClientPool({ socket: { host: '127.0.0.1', port } });
    await pool.connect();
    closing.push(() => pool.destroy());
    await exercise(pool);
  });

  it('sends those of the clients of a cluster to the master of the key', async ({ skip }) => {
    const nodes = await started(startRedisCluster(skip));
    const [port = 0] = nodes.map((node) => node.port);
    const cluster = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] });
    await cluster.connect();
    closing.push(() => cluster.destroy());
    await exercise(cluster);
    const ofIoredis = new Cluster([{ host: '127.0.0.1', port }]);
    closing.push(() => ofIoredis.disconnect());
    await exercise(ofIoredis);
  });

  it('sends those of a client that sentinels tell of the master', async ({ skip }) => {
    const { port } = await started(startRedis(skip));
    const sentinel = await started(startSentinel(skip, port));
    const client = createSentinel({ name: 'primary', sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }] });
    client.on('error', () => undefined);
    await client.connect();
    closing.push(() => client.destroy());
    await exercise(client);
  });

  it('knows the parameter lists of redis apart', async () => {
    const calls: unknown[] = [];
    const sendCommand = (...parameters: unknown[]) => {
      calls.push(parameters);
      return Promise.resolve('OK');
    };
    const clients: RedisClient[] = [
      { sendCommand },
      { sendCommand, getMasterNode: () => undefined },
      { sendCommand, nodeClient: () => undefined },
      { call: sendCommand },
    ];
    for (const client of clients) expect(await redisCommands(client)('SET', 'key', 'value')).toBe('OK');
    const command = ['SET', 'key', 'value'];
    expect(calls).toEqual([[command], [false, command], ['key', false, command], command]);
    calls.length = 0;
    const send = redisCommands({ sendCommand, nodeClient: () => undefined });
    await send('EVALSHA', 'f00', '1', 'key', 'x');
    await send('EVAL', 'script', '0');
    await send('PUBLISH', 'channel', 'x');
    expect(calls).toEqual([
      ['key', false, ['EVALSHA', 'f00', '1', 'key', 'x']],
      [undefined, false, ['EVAL', 'script', '0']],
      [undefined, false, ['PUBLISH', 'channel', 'x']],
    ]);
  });

  it('rejects where a client throws', async () => {
    const call = () => {
      throw new Error('closed');
    };
    await expect(redisCommands({ call })('GET', 'key')).rejects.toThrow('closed');
    await expect(redisCommands({ sendCommand: call })('GET', 'key')).rejects.toThrow('closed');
  });

  it('is told at once that something else is no client', () => {
    const client: object = { get: () => undefined };
    expect(misuse(() => redisCommands(client as RedisClient))).toBe('invalid_option');
  });
});

it('answers are text, also as bytes, or nothing', () => {
  expect(textOf('text')).toBe('text');
  expect(textOf(Buffer.from('text'))).toBe('text');
  for (const answer of [null, undefined, 7, ['text'], new Error('text')]) expect(textOf(answer)).toBeUndefined();
});
