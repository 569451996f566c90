/**
 * `MemoryReplayGuard`: a {@link ReplayGuard} in the memory of one process (RFC 8446 8.2). It is exact: of two checks of one key at
 * most one answers `fresh`, and nothing that it has not seen is called `replayed`.
 *
 * The surprising thing is what it gives up: where it cannot remember it makes no statement, and 0-RTT is rejected. A full guard
 * lets no unexpired entry go, and after a clock that was ahead it stays silent about hellos whose record may be gone
 * (P-time-2), until time has caught up.
 */
import { UsageError } from '../errors.js';
import type { ReplayAnswer, ReplayGuard } from './replay-guard.js';

/** Some 9 MB, and 5,000 early hellos a second in a window of 20 seconds. */
export const defaultMaxReplayEntries = 100_000;

export interface MemoryReplayGuardOptions {
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** See {@link defaultMaxReplayEntries}. */
  readonly maxEntries?: number;
}

/** Synchronous. */
export class MemoryReplayGuard implements ReplayGuard {
  readonly startedAt: number;
  readonly #now: () => number;
  readonly #maxEntries: number;
  readonly #seen = new Set<string>();
  /** Who expires when: the keys by the number of the interval in which their time comes. */
  readonly #expiring = new Map<number, string[]>();
  /** The latest time that the clock has shown: what expires later is all on record. */
  #latest: number;

  constructor(options: MemoryReplayGuardOptions) {
    const { now, maxEntries = defaultMaxReplayEntries } = options;
    if (!(maxEntries > 0))
      throw new UsageError('invalid_option', `maxEntries is ${String(maxEntries)}, expected a positive number`);
    this.#now = now;
    this.#maxEntries = maxEntries;
    this.startedAt = this.#latest = now();
  }

  check(key: Uint8Array, expiresAt: number): ReplayAnswer {
    this.#readClock();
    const name = String.fromCharCode(...key); // in one go: put together byte by byte it takes eight times the memory
    if (this.#seen.has(name)) return 'replayed';
    if (!(expiresAt > this.#latest) || this.#seen.size >= this.#maxEntries) return 'not_checked';
    this.#seen.add(name);
    const interval = intervalOf(expiresAt);
    const keys = this.#expiring.get(interval);
    if (keys === undefined) this.#expiring.set(interval, [name]);
    else keys.push(name);
    return 'fresh';
  }

  #readClock(): void {
    const before = intervalOf(this.#latest);
    this.#latest = Math.max(this.#latest, this.#now());
    const current = intervalOf(this.#latest);
    if (current === before) return;
    for (const [interval, keys] of this.#expiring) {
      if (interval >= current) continue;
      for (const name of keys) this.#seen.delete(name);
      this.#expiring.delete(interval);
    }
  }
}

/** Milliseconds: so much longer than it must an entry may stay, and a clock that ticks has so little to clear away. */
const intervalLength = 1000;

function intervalOf(time: number): number {
  return Math.floor(time / intervalLength);
}
