/**
 * `RedisStore`: sessions in Redis, for all servers of a fleet (RFC 5246 F.1.4, RFC 8446 4.6.1 and 8.1), sealed before they leave. A Redis
 * that is slow, paused or dead costs full handshakes: every call ends within the breaker's time limit.
 *
 * The surprising thing: what was taken may come back where Redis forgets that it was. Replicas hear of it later, and one that is promoted
 * too early has the session again. So single use is no replay protection on its own: early data has a replay guard.
 */
import { CircuitBreaker } from '../remote/circuit-breaker.js';
import { redisCommands, textOf, type RedisClient, type RedisCommands } from '../remote/redis-client.js';
import { SealedEntries, type SealedEntriesOptions } from './sealed-entries.js';
import type { SessionStore } from './store.js';

export interface RedisStoreOptions extends SealedEntriesOptions {
  /** A connected client of `redis` or `ioredis`; see {@link RedisClient}. */
  readonly client: RedisClient;
  /** One for all that asks this Redis, or one with other limits. Default: one of its own, with the defaults. */
  readonly breaker?: CircuitBreaker;
}

/**
 * Redis 6.2 or later: GET, SET with PX, GETDEL and DEL, each of one key and in one round trip, so that a cluster does not mind. Whatever
 * stands in the database and was not sealed for its place is as good as nothing. All methods reject while Redis does not answer.
 */
export class RedisStore implements Required<SessionStore> {
  readonly #send: RedisCommands;
  readonly #breaker: CircuitBreaker;
  readonly #entries: SealedEntries;

  /** Throws `UsageError` (`invalid_option`). */
  constructor(options: RedisStoreOptions) {
    this.#send = redisCommands(options.client);
    this.#breaker = options.breaker ?? new CircuitBreaker();
    this.#entries = new SealedEntries(options);
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#read('GET', key);
  }

  /** Keeps it for 7 days at the longest (RFC 8446 4.6.1). */
  async set(key: Uint8Array, value: Uint8Array, expiresAt: number): Promise<void> {
    const lifetime = this.#entries.lifetime(expiresAt);
    if (lifetime === 0) return this.delete(key);
    const place = this.#entries.place(key);
    const text = await this.#entries.seal(place, value, lifetime);
    await this.#breaker.run(() => this.#send('SET', place.name, text, 'PX', String(lifetime)));
  }

  async delete(key: Uint8Array): Promise<void> {
    const { name } = this.#entries.place(key);
    await this.#breaker.run(() => this.#send('DEL', name));
  }

  /** Of all callers in all processes one gets it, as long as one Redis has the say. */
  async take(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#read('GETDEL', key);
  }

  async #read(command: 'GET' | 'GETDEL', key: Uint8Array): Promise<Uint8Array | undefined> {
    const place = this.#entries.place(key);
    const answer = await this.#breaker.run(() => this.#send(command, place.name).catch(nothingOfWrongType));
    return this.#entries.open(place, textOf(answer));
  }
}

/** Somebody put a list there. Redis is well, and the circuit stays closed. */
function nothingOfWrongType(error: unknown): undefined {
  if (!(error instanceof Error && error.message.startsWith('WRONGTYPE'))) throw error;
}
