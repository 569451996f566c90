/**
 * `MemoryStore`: a {@link SessionStore} in the memory of one process, bounded in entries, bytes and lifetime (P-state-7). When it
 * is full, the entry that was used longest ago makes room: setting and getting a key makes it the youngest. A session that is
 * taken is gone, so where sessions are used once this is the order in which they came. Values are wiped as they leave.
 *
 * Entries are bytes in a few large arrays and cost some 28 bytes more than their key and value; no object of JavaScript's belongs
 * to any of them. Nothing grows or is cleared away in one go: no call takes longer because there is much in the store, but `clear`.
 *
 * The surprising thing is the clock: the store adds up the time that passes, and takes no notice of steps back. So nothing that
 * has expired at any time the store looked is there again afterwards, and nothing outlives its lifetime by the clock's error (P-time-2).
 */
import { copy } from '../bytes.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { pooledRandomBytes } from '../crypto/random-pool.js';
import { UsageError } from '../errors.js';
import { positive } from '../limits.js';
import { hashKeyLength, KeyedHash } from './keyed-hash.js';
import { RecordIndex } from './record-index.js';
import type { RecordReference } from './record-places.js';
import { RecordQueue } from './record-queue.js';
import { latestExpiry, maxRecordKeyLength, RecordSlabs } from './record-slabs.js';
import type { SessionStore } from './store.js';

export const defaultMaxEntries = 20_000;
/** Keys and values together; what is around an entry comes to some 28 bytes more. */
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
  /** Draws the key of the hash function, once. Default: the runtime's random numbers. */
  readonly crypto?: Pick<CryptoBackend, 'randomBytes'>;
}

export interface MemoryStoreStatistics {
  /** Calls of `get` and `take` that found a value, and that did not. */
  readonly hits: number;
  readonly misses: number;
  /** Entries that left because their time had come, and because others needed the room. */
  readonly expired: number;
  readonly evicted: number;
  /** What the store holds now: entries, and bytes of keys and values. Some may have expired: see {@link MemoryStore.set}. */
  readonly entries: number;
  readonly bytes: number;
}

/** Synchronous. */
export class MemoryStore implements SessionStore {
  readonly #now: () => number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #maxLifetime: number;
  readonly #copies = new CopyPool();
  /** Hashes the key that a call is about, and has it in words. */
  readonly #key: KeyedHash;
  #slabs = new RecordSlabs();
  #index: RecordIndex;
  #queue: RecordQueue;
  /** What the clock showed last, and the milliseconds that have passed: its steps forward, added up. */
  #latest: number;
  #elapsed = 0;
  /** Whom the sweep looked at last, and how often `set` was called since. */
  #swept: RecordReference = 0;
  #unswept = 0;
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
    const hashKey = options.crypto?.randomBytes(hashKeyLength) ?? pooledRandomBytes(hashKeyLength);
    this.#key = new KeyedHash(hashKey, maxRecordKeyLength);
    this.#index = new RecordIndex(this.#slabs);
    this.#queue = new RecordQueue(this.#slabs);
    this.#latest = this.#now();
  }

  /**
   * The value, in an array that is the caller's to keep or wipe. As with `Buffer.allocUnsafe`, its `buffer` has room for others
   * as well, and may hold what other calls answered.
   */
  get(key: Uint8Array): Uint8Array | undefined {
    const record = this.#findLive(key);
    if (record === 0) return undefined;
    this.#slabs.setUsed(record, true);
    return this.#copies.copy(this.#slabs.valueOf(record));
  }

  /**
   * An entry that has expired already, or that is larger than the whole store, is not kept. Calls also look at a few other
   * entries and drop those that have expired, so that what nobody asks for any more leaves as well.
   *
   * @throws {UsageError} `value_not_encodable` where the key is longer than 255 bytes; session IDs have 32 at the most.
   */
  set(key: Uint8Array, value: Uint8Array, expiresAt: number): void {
    if (key.length > maxRecordKeyLength)
      throw new UsageError('value_not_encodable', `key of ${key.length} bytes, expected ${maxRecordKeyLength} at most`);
    this.#readClock();
    const hash = this.#key.hash(key);
    const before = this.#index.find(this.#key, hash);
    if (before !== 0) this.#remove(before);
    this.#sweep();
    const lifetime = Math.min(expiresAt - this.#latest, this.#maxLifetime);
    const size = key.length + value.length;
    if (!(lifetime > 0) || size > this.#maxBytes) return;
    this.#makeRoom(size);
    const expiry = Math.min(Math.floor(this.#elapsed + lifetime), latestExpiry);
    const record = this.#slabs.add(this.#key, hash, value, expiry);
    this.#index.add(record, hash);
    this.#queue.add(record);
    this.#bytes += size;
  }

  delete(key: Uint8Array): void {
    const record = this.#find(key);
    if (record !== 0) this.#remove(record);
  }

  take(key: Uint8Array): Uint8Array | undefined {
    const record = this.#findLive(key);
    if (record === 0) return undefined;
    const value = this.#copies.copy(this.#slabs.valueOf(record));
    this.#remove(record);
    return value;
  }

  /** Forgets everything. */
  clear(): void {
    this.#slabs.wipe();
    this.#slabs = new RecordSlabs();
    this.#index = new RecordIndex(this.#slabs);
    this.#queue = new RecordQueue(this.#slabs);
    this.#swept = 0;
    this.#bytes = 0;
  }

  statistics(): MemoryStoreStatistics {
    return {
      hits: this.#hits,
      misses: this.#misses,
      expired: this.#expired,
      evicted: this.#evicted,
      entries: this.#index.records,
      bytes: this.#bytes,
    };
  }

  /** NaN, once there, stays: everything has expired for ever. */
  #readClock(): void {
    const now = this.#now();
    this.#elapsed += Math.max(0, now - this.#latest);
    this.#latest = now;
  }

  #find(key: Uint8Array): RecordReference {
    return key.length > maxRecordKeyLength ? 0 : this.#index.find(this.#key, this.#key.hash(key));
  }

  #findLive(key: Uint8Array): RecordReference {
    this.#readClock();
    const record = this.#find(key);
    if (record !== 0 && !this.#hasExpired(record)) {
      this.#hits++;
      return record;
    }
    if (record !== 0) this.#expire(record);
    this.#misses++;
    return 0;
  }

  #hasExpired(record: RecordReference): boolean {
    return !(this.#slabs.expiryOf(record) > this.#elapsed);
  }

  /** Whoever joined first is likely to expire first; the others are looked at in the order in which they stand. */
  #sweep(): void {
    for (let i = 0; i < sweepLength; i++) {
      const { oldest } = this.#queue;
      if (oldest === 0 || !this.#hasExpired(oldest)) break;
      this.#expire(oldest);
    }
    if (++this.#unswept < sweepInterval) return;
    this.#unswept = 0;
    for (let i = 0; i < sweepLength; i++) {
      const record = this.#slabs.after(this.#swept);
      this.#swept = record;
      if (record === 0) return;
      if (!this.#hasExpired(record)) continue;
      this.#expire(record);
      this.#swept = record - 1; // another may come to stand in its place
    }
  }

  #makeRoom(size: number): void {
    let chances = maxSecondChances;
    while (this.#index.records >= this.#maxEntries || this.#bytes + size > this.#maxBytes) {
      const { oldest } = this.#queue;
      if (oldest === 0) return;
      if (this.#hasExpired(oldest)) this.#expire(oldest);
      else if (this.#slabs.isUsed(oldest) && chances-- > 0) {
        this.#slabs.setUsed(oldest, false);
        this.#queue.remove(oldest);
        this.#queue.add(oldest);
      } else {
        this.#remove(oldest);
        this.#evicted++;
      }
    }
  }

  #expire(record: RecordReference): void {
    this.#remove(record);
    this.#expired++;
  }

  #remove(reference: RecordReference): void {
    const record = this.#closeGap(reference);
    this.#bytes -= this.#slabs.lengthOf(record);
    this.#index.remove(record);
    this.#queue.remove(record);
    this.#slabs.remove(record);
  }

  /** Where `record` is afterwards. */
  #closeGap(record: RecordReference): RecordReference {
    const { gap } = this.#slabs;
    const moved = this.#slabs.closeGap();
    if (moved === 0) return record;
    this.#index.moved(moved, gap);
    this.#queue.moved(gap);
    return moved === record ? gap : record;
  }
}

/**
 * After so many calls of `set`, so many entries are looked at, wherever they stand: in a row, because one at a time they would be in
 * no cache. That is more than have come in meanwhile, so that the store catches up with what nobody takes away; and it is all
 * that leaves in one call from the old end.
 */
const sweepInterval = 16;
const sweepLength = 32;
/** In one call: so that no call has to go through all that was used. */
const maxSecondChances = 16;

/** Copies for callers: an array of its own for each of 200 bytes takes longer to make than the value to find. */
class CopyPool {
  #pool = new Uint8Array(0);
  #used = 0;

  copy(bytes: Uint8Array): Uint8Array {
    if (bytes.length > largestPooledCopy) return copy(bytes);
    if (this.#pool.length - this.#used < bytes.length) {
      this.#pool = new Uint8Array(copyPoolLength);
      this.#used = 0;
    }
    const pooled = this.#pool.subarray(this.#used, this.#used + bytes.length);
    pooled.set(bytes);
    this.#used += bytes.length;
    return pooled;
  }
}

const copyPoolLength = 8192;
const largestPooledCopy = 1024;
