/** The servers of one node, made as docs/redis-fleets.md says: one Redis client and one circuit breaker for keys, sessions and replay guard. */
import { Client } from 'memjs';
import { createServer, nodeCrypto, type Server, type ServerOptions } from '../../src/adapters/node/index.js';
import { fromHex } from '../../src/bytes.js';
import { MemoryReplayGuard, RedisReplayGuard, type ReplayGuard } from '../../src/early-data/index.js';
import { CircuitBreaker, MemcachedStore, MemoryStore, RedisStore, TwoLevelStore } from '../../src/sessions/index.js';
import { compactPaddedLayout, KeyRing, RedisKeyDistributor, RingSealer } from '../../src/tickets/index.js';
import certificates from '../../vectors/certificates/certificates.json' with { type: 'json' };
import { redisLibraries } from '../support/remote-stores.js';
import type { NodeSettings, Service } from './protocol.js';

/** Sessions that a node keeps nearby: few, so that its memory is as full as it gets within a minute. */
const maxEntriesNearby = 500;

export interface Services {
  readonly servers: Readonly<Record<Service, Server>>;
  readonly ring: KeyRing;
  readonly distributor: RedisKeyDistributor;
}

export async function makeServices(settings: NodeSettings): Promise<Services> {
  const { keySecret, storeKey, keyTimes, clockOffset, redisPort, memcachedPort } = settings;
  const crypto = nodeCrypto;
  const now = () => Date.now() + clockOffset;
  const library = redisLibraries.find(({ library: name }) => name === settings.redisLibrary) ?? redisLibraries[0];
  const { client } = await library.connect(redisPort);
  const breaker = new CircuitBreaker();

  const ring = new KeyRing({ crypto, now, openingPeriod: keyTimes.openingPeriod });
  const distributor = new RedisKeyDistributor({
    client,
    breaker,
    ring,
    secret: fromHex(keySecret),
    crypto,
    now,
    ...keyTimes,
  });
  await distributor.start();

  const keys = new KeyRing({
    crypto,
    now,
    keys: [{ name: fromHex(storeKey.name), secret: fromHex(storeKey.secret), opensUntil: Infinity }],
  });
  const sealing = { sealer: new RingSealer({ keys, layout: compactPaddedLayout }), crypto, now };
  const sessionsOf = (name: Service) => new RedisStore({ client, breaker, ...sealing, keyPrefix: `${name}:` });
  const memcachedClient = Client.create(`127.0.0.1:${memcachedPort}`, { logger: { log: () => undefined } });
  const nearby = () => new MemoryStore({ now, maxEntries: maxEntriesNearby });

  const earlyData = { maxSize: 1024, replayGuard: guardOf(settings, now, { client, breaker }) };
  const options = {
    tickets: {
      sessions: nearby(),
      earlyData,
      ...(settings.ticketKeys === 'shared' && { ticketKeys: ring }),
    },
    handles: { minVersion: 'TLSv1.3', tickets: false, sessions: sessionsOf('handles') },
    ids: { maxVersion: 'TLSv1.2', tickets: false, sessions: sessionsOf('ids') },
    twoLevel: {
      maxVersion: 'TLSv1.2',
      tickets: false,
      sessions: new TwoLevelStore({ near: nearby(), far: sessionsOf('twoLevel'), now }),
    },
    memcached: {
      maxVersion: 'TLSv1.2',
      tickets: false,
      sessions: new MemcachedStore({ client: memcachedClient, ...sealing }),
    },
  } satisfies Record<Service, ServerOptions>;
  const common = { ...identityOf(settings.certificate), now };
  return {
    servers: {
      tickets: createServer({ ...common, ...options.tickets }),
      handles: createServer({ ...common, ...options.handles }),
      ids: createServer({ ...common, ...options.ids }),
      twoLevel: createServer({ ...common, ...options.twoLevel }),
      memcached: createServer({ ...common, ...options.memcached }),
    },
    ring,
    distributor,
  };
}

type RedisGuardOptions = ConstructorParameters<typeof RedisReplayGuard>[0];

function guardOf({ replayGuard }: NodeSettings, now: () => number, redis: RedisGuardOptions): ReplayGuard {
  if (replayGuard === 'memory') return new MemoryReplayGuard({ now });
  const guard = new RedisReplayGuard(redis);
  // The record of a Redis that is new begins when it is asked for the first time.
  void guard.check(nodeCrypto.randomBytes(32), Date.now());
  return guard;
}

function identityOf(certificate: NodeSettings['certificate']): { readonly cert: string; readonly key: string } {
  if (certificate === 'untrusted') return certificates['self-signed'];
  const { cert, key } = certificates.p256;
  return { cert: cert + certificates.intermediate.cert, key };
}
