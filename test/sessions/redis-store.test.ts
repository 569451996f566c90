/** Sessions in a real Redis, through both client libraries. */
import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import { afterEach, describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { CircuitBreaker, type CircuitBreakerOptions } from '../../src/remote/circuit-breaker.js';
import { redisCommands, textOf, type RedisClient } from '../../src/remote/redis-client.js';
import { RedisStore } from '../../src/sessions/redis-store.js';
import { compactPaddedLayout } from '../../src/tickets/layouts/padded.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { generateSecretTicketKey } from '../../src/tickets/ticket-key.js';
import { misuse } from '../support/decoding.js';
import type { ServerProcess } from '../support/peers.js';
import {
  kill,
  pause,
  redisLibraries,
  startRedis,
  startRedisCluster,
  type ConnectedRedis,
} from '../support/remote-stores.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const value = ascii('a session with its master secret');
const soon = () => Date.now() + 60_000;

const ring = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [generateSecretTicketKey(nodeCrypto)] });
const sealer = new RingSealer({ keys: ring, layout: compactPaddedLayout });

function storeOn(client: RedisClient, limits: CircuitBreakerOptions = {}) {
  const breaker = new CircuitBreaker(limits);
  return { breaker, store: new RedisStore({ client, sealer, crypto: nodeCrypto, now: Date.now, breaker }) };
}

interface World {
  readonly server: ServerProcess;
  readonly client: RedisClient;
  /** For looking behind the store's back. */
  readonly send: (command: string, ...args: string[]) => Promise<unknown>;
  readonly key: Uint8Array;
}

async function world(
  { connect }: { connect(port: number): Promise<ConnectedRedis> },
  skip: (reason: string) => never,
): Promise<World> {
  const server = await startRedis(skip);
  closing.push(() => server.stop());
  const { client, close } = await connect(server.port);
  closing.push(close);
  return { server, client, send: redisCommands(client), key: nodeCrypto.randomBytes(32) };
}

/** The one name in the database. */
async function theName({ send }: World): Promise<string> {
  const names = await send('KEYS', '*');
  expect(names).toHaveLength(1);
  return String(names);
}

/** The code or the message with which it was refused, and after how many milliseconds. */
async function refusalOf(call: Promise<unknown>): Promise<{ why: string; after: number }> {
  const start = performance.now();
  const why = await call.then(
    (found) => `answered ${String(found)}`,
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
  return { why, after: performance.now() - start };
}

async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await happened())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe.each(redisLibraries)('RedisStore on $library', (library) => {
  it('keeps values, replaces them, and forgets them', async ({ skip }) => {
    const { client, key } = await world(library, skip);
    const { store } = storeOn(client);
    expect(await store.get(key)).toBeUndefined();
    await store.set(key, value, soon());
    expect(await store.get(key)).toEqual(value);
    await store.set(key, ascii('another'), soon());
    expect(await store.get(key)).toEqual(ascii('another'));
    await store.delete(key);
    expect(await store.get(key)).toBeUndefined();
    await store.delete(key);
  });

  it('lets Redis forget them when their time is over', async ({ skip }) => {
    const all = await world(library, skip);
    const { store } = storeOn(all.client);
    await store.set(all.key, value, Date.now() + 3_600_000);
    const left = Number(await all.send('PTTL', await theName(all)));
    expect(left).toBeGreaterThan(3_590_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
    await store.set(all.key, value, Infinity);
    expect(Number(await all.send('PTTL', await theName(all)))).toBeLessThanOrEqual(7 * 24 * 3_600_000);
    await store.set(all.key, value, Date.now() - 1);
    expect(await all.send('DBSIZE')).toBe(0);
    await store.set(all.key, value, Date.now() + 150);
    await until(async () => (await all.send('DBSIZE')) === 0);
    expect(await store.get(all.key)).toBeUndefined();
  });

  it('R8446-8.1-1 of 50 that take at once, over two connections, one gets it', async ({ skip }) => {
    const { server, client, key } = await world(library, skip);
    const other = await library.connect(server.port);
    closing.push(other.close);
    const stores = [storeOn(client).store, storeOn(other.client).store];
    for (let round = 0; round < 5; round++) {
      await stores[0]?.set(key, value, soon());
      const callers = Array.from({ length: 50 }, async (_, i) => stores[i % 2]?.take(key));
      const taken = (await Promise.all(callers)).filter((found) => found !== undefined);
      expect(taken).toEqual([value]);
    }
  });

  it('R5246-F.1.4-3 shows the database neither secrets nor session IDs', async ({ skip }) => {
    const all = await world(library, skip);
    await storeOn(all.client).store.set(all.key, value, soon());
    const name = await theName(all);
    const text = textOf(await all.send('GET', name)) ?? '';
    expect(name).toMatch(/^tls-resume:session:[\w-]{43}$/);
    expect(text).toMatch(/^[\w-]{300,400}$/);
    for (const secret of [value, all.key])
      for (const where of [name, text])
        for (const bytes of [Buffer.from(where), Buffer.from(where.replace(/.*:/, ''), 'base64url')])
          for (const encoding of ['latin1', 'hex', 'base64', 'base64url'] as const)
            expect(bytes.includes(Buffer.from(secret).toString(encoding).slice(0, 10), 0, 'latin1')).toBe(false);
  });

  it('refuses sessions that changed places, and what somebody else has put there', async ({ skip }) => {
    const all = await world(library, skip);
    const { store, breaker } = storeOn(all.client);
    await store.set(all.key, value, soon());
    const name = await theName(all);
    const sealed = String(await all.send('GET', name));
    const other = nodeCrypto.randomBytes(32);
    await store.set(other, ascii('of somebody else'), soon());
    const [otherName = ''] = [await all.send('KEYS', '*')]
      .flat()
      .map(String)
      .filter((found) => found !== name);
    for (const planted of [
      String(await all.send('GET', otherName)),
      '',
      'garbage',
      '\0',
      sealed.slice(2),
      'A'.repeat(2 ** 24),
    ]) {
      await all.send('SET', name, planted);
      expect(await store.get(all.key)).toBeUndefined();
      expect(await store.take(all.key)).toBeUndefined();
      expect(await all.send('EXISTS', name)).toBe(0);
    }
    await all.send('RPUSH', name, 'a list');
    for (let i = 0; i < 5; i++)
      expect([await store.get(all.key), await store.take(all.key)]).toEqual([undefined, undefined]);
    expect(breaker.statistics()).toMatchObject({ state: 'closed', failed: 0 });
    await store.set(all.key, value, soon());
    expect(await store.get(all.key)).toEqual(value);
    await all.send('DEL', name);
    await all.send('RPUSH', name, 'a list');
    await store.delete(all.key);
    expect(await all.send('EXISTS', name)).toBe(0);
  });

  it('opens what older keys have sealed', async ({ skip }) => {
    const { client, key } = await world(library, skip);
    const { store } = storeOn(client);
    await store.set(key, value, soon());
    ring.rotate(generateSecretTicketKey(nodeCrypto));
    expect(await store.get(key)).toEqual(value);
    ring.replace([generateSecretTicketKey(nodeCrypto)]);
    expect(await store.get(key)).toBeUndefined();
  });

  it('each method is one round trip', async ({ skip }) => {
    const { client, key, send } = await world(library, skip);
    const { store } = storeOn(client);
    const processed = async () =>
      Number(/total_commands_processed:(\d+)/.exec(String(await send('INFO', 'stats')))?.[1]);
    for (const call of [
      () => store.set(key, value, soon()),
      () => store.get(key),
      () => store.take(key),
      () => store.get(key),
      () => store.set(key, value, 0),
      () => store.delete(key),
    ]) {
      const before = await processed();
      await call();
      expect(await processed()).toBe(before + 2); // and the INFO itself
    }
  });

  it('P-state-8 rejects within the time limit while Redis is dead, and goes on when it is back, empty', async ({
    skip,
  }) => {
    const { server, client, key } = await world(library, skip);
    const { store, breaker } = storeOn(client, { timeLimit: 150, shortestPause: 50, longestPause: 50 });
    await store.set(key, value, soon());
    const calls = Array.from({ length: 20 }, () => refusalOf(store.get(key)));
    kill(server);
    for (const { after } of await Promise.all(calls)) expect(after).toBeLessThan(1000);
    for (const call of [
      () => store.get(key),
      () => store.set(key, value, soon()),
      () => store.delete(key),
      () => store.take(key),
    ]) {
      const { why, after } = await refusalOf(call());
      expect(why).not.toMatch(/^answered/);
      expect(after).toBeLessThan(1000);
    }
    expect(breaker.statistics().state).not.toBe('closed');
    await server.stop();
    const again = await startRedis(skip, server.port);
    closing.push(() => again.stop());
    await until(() =>
      store.get(key).then(
        (found) => found === undefined,
        () => false,
      ),
    );
    await store.set(key, value, soon());
    expect(await store.take(key)).toEqual(value);
  });

  it('P-state-8 nobody waits for a Redis that is paused, once it is known', async ({ skip }) => {
    const { server, client, key } = await world(library, skip);
    const limits = { timeLimit: 200, failuresToOpen: 3, shortestPause: 100, longestPause: 200 };
    const { store, breaker } = storeOn(client, limits);
    const states: string[] = [];
    breaker.subscribe((state) => states.push(state));
    await store.set(key, value, soon());
    await pause(server);
    try {
      const slow = await Promise.all([store.get(key), store.take(key), store.set(key, value, soon())].map(refusalOf));
      for (const { why, after } of slow) {
        expect(why).toBe('timed_out');
        expect(after).toBeGreaterThan(190);
        expect(after).toBeLessThan(1000);
      }
      const quick = await refusalOf(store.get(key));
      expect(quick.why).toBe('circuit_open');
      expect(quick.after).toBeLessThan(150);
      await until(() => breaker.statistics().state === 'half_open');
      expect((await refusalOf(store.get(key))).why).toBe('timed_out');
      expect(states).toEqual(['open', 'half_open', 'open']);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await until(() =>
      store.get(key).then(
        () => true,
        () => false,
      ),
    );
    expect(states.slice(-2)).toEqual(['half_open', 'closed']);
    await store.set(key, value, soon());
    expect(await store.get(key)).toEqual(value);
  });

  it('an answer that waited while this process was busy is in time', async ({ skip }) => {
    const { server, client, key } = await world(library, skip);
    const other = await library.connect(server.port);
    closing.push(other.close);
    const { store } = storeOn(client, { timeLimit: 200 });
    await store.set(key, value, soon());
    await redisCommands(other.client)('CLIENT', 'PAUSE', '100');
    const call = refusalOf(store.get(key));
    await new Promise((resolve) => setTimeout(resolve, 20)); // it is on its way
    // Timers come next after this phase of the event loop, before whatever has arrived.
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        for (const end = performance.now() + 300; performance.now() < end;);
        resolve();
      });
    });
    expect((await call).why).toBe(`answered ${String(value)}`);
  });
});

it('a cluster has sessions on all of its nodes, through either library', async ({ skip }) => {
  const nodes = await startRedisCluster(skip);
  for (const node of nodes) closing.push(() => node.stop());
  const [port = 0] = nodes.map((node) => node.port);
  const ofRedis = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] });
  await ofRedis.connect();
  closing.push(() => ofRedis.destroy());
  const ofIoredis = new Cluster([{ host: '127.0.0.1', port }]);
  closing.push(() => ofIoredis.disconnect());
  const stores = [storeOn(ofRedis).store, storeOn(ofIoredis).store] as const;
  const keys = Array.from({ length: 40 }, () => nodeCrypto.randomBytes(32));
  for (const [i, key] of keys.entries()) await stores[i % 2]?.set(key, value, soon());
  for (const { port: each } of nodes) {
    const { client, close } = await redisLibraries[0].connect(each);
    expect(Number(await redisCommands(client)('DBSIZE'))).toBeGreaterThan(0);
    close();
  }
  for (const key of keys) {
    for (const store of stores) expect(await store.get(key)).toEqual(value);
    const taken = await Promise.all(stores.map((store) => store.take(key)));
    expect(taken.filter((found) => found !== undefined)).toEqual([value]);
    for (const store of stores) await store.delete(key);
  }
});

describe('RedisStore on clients that are no good', () => {
  const key = nodeCrypto.randomBytes(32);

  it('waits no longer than the time limit for one that never answers, and asks it hardly ever', async () => {
    let calls = 0;
    const client = {
      call: () => {
        calls++;
        return new Promise<never>(() => undefined);
      },
    };
    const { store, breaker } = storeOn(client, { timeLimit: 20, maxCallsInFlight: 10 });
    const first = await Promise.all(Array.from({ length: 30 }, () => refusalOf(store.get(key))));
    expect(first.map(({ why }) => why).sort()).toEqual([
      ...Array<string>(10).fill('timed_out'),
      ...Array<string>(20).fill('too_many_calls'),
    ]);
    expect((await refusalOf(store.set(key, value, soon()))).why).toBe('circuit_open');
    expect(calls).toBe(10);
    expect(breaker.statistics()).toMatchObject({ state: 'open', inFlight: 0, timedOut: 10, refused: 21 });
  });

  it('rejects where it throws, and where the sealer does', async () => {
    const call = () => {
      throw new Error('the client is closed');
    };
    expect(await refusalOf(storeOn({ call }).store.get(key))).toMatchObject({ why: 'Error: the client is closed' });
    const keyless = new RingSealer({ keys: new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [] }) });
    const store = new RedisStore({ client: { call }, sealer: keyless, crypto: nodeCrypto, now: Date.now });
    expect((await refusalOf(store.set(key, value, soon()))).why).toBe('no_sealing_key');
  });

  it('finds nothing in answers that are no text', async () => {
    for (const answer of [7, true, ['a'], { value: 'a' }, new Uint8Array(10), undefined]) {
      const { store } = storeOn({ call: () => Promise.resolve(answer) });
      expect([await store.get(key), await store.take(key)]).toEqual([undefined, undefined]);
    }
  });

  it('refuses prefixes that are none', () => {
    const call = () => Promise.resolve(null);
    expect(
      misuse(() => new RedisStore({ client: { call }, sealer, crypto: nodeCrypto, now: Date.now, keyPrefix: '' })),
    ).toBe('invalid_option');
  });
});
