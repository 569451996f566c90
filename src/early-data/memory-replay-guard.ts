/**
 * `MemoryReplayGuard`: a {@link ReplayGuard} in the memory of one process, a strike register (RFC 8446 8.2). It is exact: of two checks of
 * one key at most one answers `fresh`, and nothing that it has not seen is called `replayed`.
 *
 * A table of buckets, in which every key has two to choose from: a check looks at 16 places, never more, nothing is ever moved or swept,
 * and whatever has expired is written over. Binders are the output of HMAC, so they are their own hash. Whoever holds a ticket can
 * search for binders that fall into one bucket; then that bucket is full, for less than he could have done by sending as many others.
 *
 * The surprising thing is what it gives up: where it cannot remember it makes no statement, and 0-RTT is rejected. A full guard
 * lets no unexpired entry go, and after a clock that was ahead it stays silent about hellos whose record may be gone
 * (P-time-2), until time has caught up.
 */
import { finite } from '../limits.js';
import { defaultFreshnessWindow, replayWindow } from './freshness.js';
import { registerKey, registerKeyLength } from './register-key.js';
import type { ReplayAnswer, ReplayGuard } from './replay-guard.js';

/** 3.2 MB, and 5,000 early hellos a second in a window of 20 seconds. */
export const defaultMaxReplayEntries = 100_000;

export interface MemoryReplayGuardOptions {
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /**
   * How many hellos that have not expired there is room for, 32 bytes each. Which of those beyond it find no room is a matter of chance;
   * at 1.6 times as many all places are taken. Default {@link defaultMaxReplayEntries}.
   */
  readonly maxEntries?: number;
  /** That of the servers that ask, or more. Default {@link defaultFreshnessWindow}. */
  readonly freshnessWindow?: number;
}

/** Synchronous. */
export class MemoryReplayGuard implements ReplayGuard {
  readonly startedAt: number;
  readonly freshnessWindow: number;
  /** What the table takes, bytes: all of it from the beginning, and never more. */
  readonly byteLength: number;
  readonly #now: () => number;
  /** How long hellos are kept, milliseconds: whoever asks, and whatever its window is, none is fresh any more. */
  readonly #kept: number;
  readonly #buckets: number;
  readonly #places: Uint32Array;
  /** The latest time that the clock has shown: what expires later is all on record. */
  #latest: number;
  readonly #keyBytes = new Uint8Array(registerKeyLength);
  readonly #keyWords = new Uint32Array(this.#keyBytes.buffer);

  constructor(options: MemoryReplayGuardOptions) {
    const { now, maxEntries = defaultMaxReplayEntries, freshnessWindow = defaultFreshnessWindow } = options;
    this.#now = now;
    this.freshnessWindow = freshnessWindow;
    this.#kept = replayWindow(freshnessWindow);
    this.#buckets = Math.ceil(finite('maxEntries', maxEntries) / entriesPerBucket);
    this.#places = new Uint32Array(this.#buckets * wordsOfBucket);
    this.byteLength = this.#places.byteLength;
    this.startedAt = this.#latest = now();
  }

  check(key: Uint8Array, expiresAt: number): ReplayAnswer {
    this.#latest = Math.max(this.#latest, this.#now());
    this.#keyBytes.set(registerKey(key));
    const words = this.#keyWords;
    const a = words[0] ?? 0;
    const b = words[1] ?? 0;
    const places = this.#places;
    const second = Math.floor((this.#latest - this.startedAt) / 1000);
    let room: number | undefined;
    let mostRoom = 0;
    for (let choice = 0; choice < 2; choice++) {
      const bucket = ((choice === 0 ? a : b) % this.#buckets) * wordsOfBucket;
      let free = 0;
      let place = bucket;
      for (let at = bucket; at < bucket + wordsOfBucket; at += wordsOfPlace) {
        const expires = places[at + 4] ?? 0;
        if (expires <= second) {
          free++;
          place = at;
        } else if (
          places[at] === a &&
          places[at + 1] === b &&
          places[at + 2] === words[2] &&
          places[at + 3] === words[3]
        )
          return 'replayed';
      }
      if (free > mostRoom) {
        mostRoom = free;
        room = place;
      }
    }
    if (room === undefined || !(expiresAt > this.#latest)) return 'not_checked';
    places.set(words, room);
    const until = Math.max(expiresAt, this.#latest + this.#kept);
    places[room + 4] = Math.min(Math.ceil((until - this.startedAt) / 1000), latestSecond);
    return 'fresh';
  }
}

/** Of eight places: up to a tenth beyond that, nobody finds both of his buckets full (measured with a million entries). */
const entriesPerBucket = 5;
/** A place: four words of the key, and the second from the start in which it expires. Zeros have expired. */
const wordsOfPlace = 5;
const wordsOfBucket = 8 * wordsOfPlace;
/** 136 years. */
const latestSecond = 2 ** 32 - 1;
