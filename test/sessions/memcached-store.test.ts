/** Sessions in a real memcached, through memjs. */
import { Client } from 'memjs';
import { afterEach, describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { CircuitBreaker, type CircuitBreakerOptions } from '../../src/remote/circuit-breaker.js';
import type { MemcachedClient } from '../../src/remote/memcached-client.js';
import { MemcachedStore } from '../../src/sessions/memcached-store.js';
import type { SessionStore } from '../../src/sessions/store.js';
import { epoch, ticketSealer } from '../support/connections.js';
import { kill, pause, startMemcached } from '../support/remote-stores.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const value = ascii('a session with its master secret');
const soon = () => Date.now() + 60_000;
const { sealer } = ticketSealer('node', 'memcached');

function storeOn(client: MemcachedClient, limits: CircuitBreakerOptions = {}, keyPrefix = 'sessions:') {
  const breaker = new CircuitBreaker(limits);
  return {
    breaker,
    store: new MemcachedStore({ client, sealer, crypto: nodeCrypto, now: Date.now, breaker, keyPrefix }),
  };
}

async function world(skip: (reason: string) => never) {
  const server = await startMemcached(skip);
  closing.push(() => server.stop());
  const client = Client.create(`127.0.0.1:${server.port}`, { logger: { log: () => undefined } });
  closing.push(() => client.close());
  const key = nodeCrypto.randomBytes(32);
  const digest = nodeCrypto.hash('sha256', Buffer.concat([ascii('tls-resume entry\0sessions:\0'), key]));
  return { server, client, key, name: `sessions:${Buffer.from(digest).toString('base64url')}` };
}

describe('MemcachedStore', () => {
  it('keeps values, replaces them, and forgets them', async ({ skip }) => {
    const { client, key } = await world(skip);
    for (const keyPrefix of ['sessions:', 'p'.repeat(200)]) {
      const { store } = storeOn(client, {}, keyPrefix);
      expect(await store.get(key)).toBeUndefined();
      await store.set(key, value, soon());
      expect(await store.get(key)).toEqual(value);
      await store.set(key, ascii('another'), soon());
      expect(await store.get(key)).toEqual(ascii('another'));
      await store.delete(key);
      expect(await store.get(key)).toBeUndefined();
      await store.delete(key);
      await store.set(key, value, Date.now() - 1);
      expect(await store.get(key)).toBeUndefined();
    }
  });

  it('shows the database nothing but sealed bytes, and refuses what is not its own', async ({ skip }) => {
    const { client, key, name } = await world(skip);
    const { store } = storeOn(client);
    const other = nodeCrypto.randomBytes(32);
    await store.set(other, ascii('of somebody else'), soon());
    await store.set(key, value, soon());
    const text = (await client.get(name)).value.toString('latin1');
    expect(text).toMatch(/^[\w-]{150,250}$/);
    expect(Buffer.from(text, 'base64url').includes(Buffer.from(value.subarray(0, 10)))).toBe(false);
    await client.set(name.replace('sessions:', 'elsewhere:'), text, { expires: 60 });
    expect(await storeOn(client, {}, 'elsewhere:').store.get(key)).toBeUndefined();
    for (const planted of ['', 'garbage', '\0', text.slice(2), 'A'.repeat(2 ** 19)]) {
      await client.set(name, planted, { expires: 60 });
      expect(await store.get(key)).toBeUndefined();
    }
    await client.set(name, text, { expires: 60 });
    expect(await store.get(key)).toEqual(value);
  });

  it('keeps them for seconds, at least one and at most 7 days of them: 0 would be for ever', async () => {
    const expirations: number[] = [];
    const client: MemcachedClient = {
      get: () => Promise.resolve({ value: null }),
      set: (_, __, { expires }) => Promise.resolve(expirations.push(expires)),
      delete: () => Promise.resolve(true),
    };
    const store = new MemcachedStore({ client, sealer, crypto: nodeCrypto, now: () => epoch });
    for (const expiresAt of [epoch + 1, epoch + 1500, epoch + 3_600_000, Infinity])
      await store.set(ascii('key'), value, expiresAt);
    expect(expirations).toEqual([1, 2, 3600, 7 * 24 * 3600]);
  });

  it('lets memcached forget them', async ({ skip }) => {
    const { client, key, name } = await world(skip);
    await storeOn(client).store.set(key, value, Date.now() + 900);
    expect((await client.get(name)).value).not.toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 2100)); // its clock ticks once a second
    expect((await client.get(name)).value).toBeNull();
  });

  it('has no take, which memcached has not', () => {
    const client = Client.create('127.0.0.1:1');
    const store: SessionStore = storeOn(client).store;
    expect(store.take).toBeUndefined();
  });

  it('P-state-8 rejects within the time limit while memcached is paused or dead, and goes on when it is back', async ({
    skip,
  }) => {
    const { server, client, key } = await world(skip);
    const { store, breaker } = storeOn(client, { timeLimit: 150, shortestPause: 50, longestPause: 50 });
    const timed = async (call: () => Promise<unknown>) => {
      const start = performance.now();
      const failed = await call().then(
        () => false,
        () => true,
      );
      return failed && performance.now() - start < 1000;
    };
    const everything = [() => store.get(key), () => store.set(key, value, soon()), () => store.delete(key)];
    const recovered = async () => {
      while (await timed(() => store.get(key))) await new Promise((resolve) => setTimeout(resolve, 20));
      return breaker.statistics().state;
    };
    await store.set(key, value, soon());
    await pause(server);
    try {
      for (const call of everything) expect(await timed(call)).toBe(true);
      expect(breaker.statistics()).toMatchObject({ state: 'open', timedOut: 3 });
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    expect(await recovered()).toBe('closed');
    kill(server);
    await server.stop();
    for (const call of everything) expect(await timed(call)).toBe(true);
    const again = await startMemcached(skip, server.port);
    closing.push(() => again.stop());
    expect(await recovered()).toBe('closed');
    expect(await store.get(key)).toBeUndefined();
  });
});
