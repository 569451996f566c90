/**
 * `MemoryStore`: a {@link SessionStore} in the memory of one process, bounded in entries, bytes and lifetime (P-state-7). When it
 * is full the oldest entry makes room; setting a key anew makes it the youngest. Values are wiped as they leave.
 *
 * The surprising thing is the clock: an entry that has been expired at any time the store looked stays expired, also if the
 * clock jumps back afterwards (P-time-2).
 */
import { copy, fromAscii, wipe } from '../bytes.js';
import { UsageError } from '../errors.js';
import type { SessionStore } from './store.js';

export const defaultMaxEntries = 20_000;
/** Keys and values together; the bookkeeping around an entry comes to some 250 bytes more. */
export const defaultMaxBytes = 16 * 1024 * 1024;
/** Milliseconds. RFC 5246 F.1.4: a session ID lives 24 hours at the longest. */
export const defaultMaxLifetime = 24 * 60 * 60 * 1000;

export interface MemoryStoreOptions {
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** See {@link defaultMaxEntries}. */
  readonly maxEntries?: number;
  /** See {@link defaultMaxBytes}. */
  readonly maxBytes?: number;
  /** See {@link defaultMaxLifetime}. */
  readonly maxLifetime?: number;
}

export interface MemoryStoreStatistics {
  /** Calls of `get` and `take` that found a value, and that did not. */
  readonly hits: number;
  readonly misses: number;
  /** Entries that left because their time had come, and because others needed the room. */
  readonly expired: number;
  readonly evicted: number;
  /** What the store holds now: entries, and bytes of keys and values. */
  readonly entries: number;
  readonly bytes: number;
}

interface Entry {
  readonly value: Uint8Array;
  expiresAt: number;
}

/** Synchronous. */
export class MemoryStore implements SessionStore {
  readonly #now: () => number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #maxLifetime: number;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #latest = -Infinity;
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #expired = 0;
  #evicted = 0;

  constructor(options: MemoryStoreOptions) {
    this.#now = options.now;
    this.#maxEntries = positive('maxEntries', options.maxEntries ?? defaultMaxEntries);
    this.#maxBytes = positive('maxBytes', options.maxBytes ?? defaultMaxBytes);
    this.#maxLifetime = positive('maxLifetime', options.maxLifetime ?? defaultMaxLifetime);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const now = this.#readClock();
    const name = fromAscii(key);
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.expiresAt > now) {
      this.#hits++;
      return entry.value.slice();
    }
    if (entry !== undefined) this.#expire(name, entry);
    this.#misses++;
    return undefined;
  }

  /** An entry that has expired already, or that is larger than the whole store, is not kept. */
  set(key: Uint8Array, value: Uint8Array, expiresAt: number): void {
    const now = this.#readClock();
    const name = fromAscii(key);
    const before = this.#entries.get(name);
    if (before !== undefined) this.#remove(name, before);
    const size = key.length + value.length;
    if (!(expiresAt > now) || size > this.#maxBytes) return;
    this.#makeRoom(size, now);
    this.#entries.set(name, { value: copy(value), expiresAt: Math.min(expiresAt, now + this.#maxLifetime) });
    this.#bytes += size;
  }

  delete(key: Uint8Array): void {
    const name = fromAscii(key);
    const entry = this.#entries.get(name);
    if (entry !== undefined) this.#remove(name, entry);
  }

  take(key: Uint8Array): Uint8Array | undefined {
    const value = this.get(key);
    this.delete(key);
    return value;
  }

  /** Forgets everything. */
  clear(): void {
    for (const [name, entry] of this.#entries) this.#remove(name, entry);
  }

  statistics(): MemoryStoreStatistics {
    return {
      hits: this.#hits,
      misses: this.#misses,
      expired: this.#expired,
      evicted: this.#evicted,
      entries: this.#entries.size,
      bytes: this.#bytes,
    };
  }

  #readClock(): number {
    const now = this.#now();
    if (now < this.#latest) this.#settleBefore(now);
    this.#latest = now;
    return now;
  }

  /** The clock went back to `now`: what had expired leaves, and nothing outlives its lifetime by the clock's error. */
  #settleBefore(now: number): void {
    for (const [name, entry] of this.#entries) {
      if (entry.expiresAt <= this.#latest) this.#expire(name, entry);
      else entry.expiresAt = Math.min(entry.expiresAt, now + this.#maxLifetime);
    }
  }

  #makeRoom(size: number, now: number): void {
    for (const [name, entry] of this.#entries) {
      const full = this.#entries.size >= this.#maxEntries || this.#bytes + size > this.#maxBytes;
      if (entry.expiresAt <= now) this.#expire(name, entry);
      else if (!full) return;
      else {
        this.#remove(name, entry);
        this.#evicted++;
      }
    }
  }

  #expire(name: string, entry: Entry): void {
    this.#remove(name, entry);
    this.#expired++;
  }

  #remove(name: string, entry: Entry): void {
    this.#entries.delete(name);
    this.#bytes -= name.length + entry.value.length;
    wipe(entry.value);
  }
}

function positive(option: string, value: number): number {
  if (value > 0) return value;
  throw new UsageError('invalid_option', `${option} is ${String(value)}, expected a positive number`);
}
