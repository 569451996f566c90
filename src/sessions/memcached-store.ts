/**
 * `MemcachedStore`: sessions in memcached, sealed before they leave, as in a {@link RedisStore}.
 *
 * The surprising thing is what is missing: there is no `take`. memcached cannot read and delete in one step. Who deletes an entry is told
 * whether it was there, which would name one winner, but only as long as no client ever asks another server in its place, and clients do. So
 * tickets of TLS 1.3 that are kept here are good for several connections, until they expire.
 */
import { CircuitBreaker } from '../remote/circuit-breaker.js';
import type { MemcachedClient } from '../remote/memcached-client.js';
import { textOf } from '../remote/redis-client.js';
import { SealedEntries, type SealedEntriesOptions } from './sealed-entries.js';
import type { SessionStore } from './store.js';

export interface MemcachedStoreOptions extends SealedEntriesOptions {
  /** A client of `memjs`; see {@link MemcachedClient}. */
  readonly client: MemcachedClient;
  /** See `breaker` of {@link RedisStoreOptions}. */
  readonly breaker?: CircuitBreaker;
}

/** Each method takes one round trip, and rejects while memcached does not answer. */
export class MemcachedStore implements SessionStore {
  readonly #client: MemcachedClient;
  readonly #breaker: CircuitBreaker;
  readonly #entries: SealedEntries;

  /** Throws `UsageError` (`invalid_option`). */
  constructor(options: MemcachedStoreOptions) {
    this.#client = options.client;
    this.#breaker = options.breaker ?? new CircuitBreaker();
    this.#entries = new SealedEntries(options);
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const place = this.#entries.place(key);
    const { value } = await this.#breaker.run(() => this.#client.get(place.name));
    return this.#entries.open(place, textOf(value));
  }

  /** Keeps it for 7 days at the longest (RFC 8446 4.6.1). */
  async set(key: Uint8Array, value: Uint8Array, expiresAt: number): Promise<void> {
    const lifetime = this.#entries.lifetime(expiresAt);
    if (lifetime === 0) return this.delete(key);
    const place = this.#entries.place(key);
    const text = await this.#entries.seal(place, value, lifetime);
    await this.#breaker.run(() => this.#client.set(place.name, text, { expires: Math.ceil(lifetime / 1000) }));
  }

  async delete(key: Uint8Array): Promise<void> {
    const { name } = this.#entries.place(key);
    await this.#breaker.run(() => this.#client.delete(name));
  }
}
