/**
 * `TwoLevelStore`: a near store before a far one, memory before Redis. What is read often is read nearby.
 *
 * The surprising thing: `take` asks the far store alone. The near one has copies, and so have those of other processes; only the far store
 * knows whether somebody has used the entry up. A copy nearby saves the look, not the decision.
 */
import type { MaybePromise } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import type { SessionStore } from './store.js';

/** Milliseconds. How long a copy nearby may outlive an entry that has expired, or that another process has deleted. */
export const defaultNearLifetime = 60_000;

export interface TwoLevelStoreOptions {
  /** A `MemoryStore`, of this process alone. */
  readonly near: SessionStore;
  /** A `RedisStore` or `MemcachedStore`, of the fleet. */
  readonly far: SessionStore;
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** Milliseconds; see {@link defaultNearLifetime}. */
  readonly nearLifetime?: number;
}

/** Has `take` if the far store has it. Answers from nearby are synchronous where the near store is. */
export class TwoLevelStore implements SessionStore {
  readonly take?: (key: Uint8Array) => MaybePromise<Uint8Array | undefined>;
  readonly #near: SessionStore;
  readonly #far: SessionStore;
  readonly #now: () => number;
  readonly #nearLifetime: number;

  /** Throws `UsageError` (`invalid_option`). */
  constructor({ near, far, now, nearLifetime = defaultNearLifetime }: TwoLevelStoreOptions) {
    if (!(nearLifetime > 0))
      throw new UsageError('invalid_option', `nearLifetime is ${nearLifetime}, expected more than 0`);
    this.#near = near;
    this.#far = far;
    this.#now = now;
    this.#nearLifetime = nearLifetime;
    if (far.take !== undefined) this.take = async (key) => this.#takeFar(key);
  }

  get(key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    const value = this.#near.get(key);
    return value instanceof Promise ? value.then((found) => found ?? this.#getFar(key)) : (value ?? this.#getFar(key));
  }

  /** Rejects where the far store does; the copy nearby stays, for entries that are read and never taken. */
  async set(key: Uint8Array, value: Uint8Array, expiresAt: number): Promise<void> {
    await this.#near.set(key, value, Math.min(expiresAt, this.#now() + this.#nearLifetime));
    await this.#far.set(key, value, expiresAt);
  }

  async delete(key: Uint8Array): Promise<void> {
    await this.#near.delete(key);
    await this.#far.delete(key);
  }

  async #getFar(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#far.get(key);
    if (value !== undefined) await this.#near.set(key, value, this.#now() + this.#nearLifetime);
    return value;
  }

  async #takeFar(key: Uint8Array): Promise<Uint8Array | undefined> {
    await this.#near.delete(key);
    return this.#far.take?.(key);
  }
}
