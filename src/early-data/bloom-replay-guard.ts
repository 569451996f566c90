/**
 * `BloomReplayGuard`: a {@link ReplayGuard} in a tenth of the memory of the exact one, for a known rate of errors (RFC 8446 8.2). What came
 * within the window is never called `fresh`; of what is new so many are called `maybe_replayed` as `falsePositiveRate` says, and no more.
 *
 * Eight Bloom filters follow each other in time, and each is kept for a window after its last entry. They share one table: the byte of a
 * position has one bit for each filter, so that one look answers for all eight. Positions come from HMAC under a key of this process:
 * nobody can choose binders that fill the table unevenly.
 *
 * The surprising thing: no rate of arrivals makes the errors more. A filter takes nothing more once half of its bits are set, and then
 * the guard makes no statement, until the next filter begins.
 */
import type { CryptoBackend, HmacKey } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { finite } from '../limits.js';
import { defaultFreshnessWindow, replayWindow } from './freshness.js';
import type { ReplayAnswer, ReplayGuard } from './replay-guard.js';

/** One of a thousand. */
export const defaultFalsePositiveRate = 0.001;

export type BloomReplayGuardOptions = {
  /** For HMAC-SHA256 and a key. */
  readonly crypto: Pick<CryptoBackend, 'hmac' | 'randomBytes'>;
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** How many of those that are new may be taken for replays, above 0 and below 1. Default {@link defaultFalsePositiveRate}. */
  readonly falsePositiveRate?: number;
  /** That of the servers that ask, or more: what may come within twice as long is remembered. Default {@link defaultFreshnessWindow}. */
  readonly freshnessWindow?: number;
} & (
  | {
      /** How many hellos with early data may come, at most, without any of them being refused. */ readonly expectedPerSecond: number;
    }
  | { /** Of memory. */ readonly bytes: number }
);

/** Synchronous. */
export class BloomReplayGuard implements ReplayGuard {
  readonly startedAt: number;
  readonly freshnessWindow: number;
  /** What the filters take, bytes: all of it from the beginning, and never more. */
  readonly byteLength: number;
  readonly #now: () => number;
  readonly #window: number;
  /** How long a filter takes entries, milliseconds. */
  readonly #period: number;
  readonly #hmac: HmacKey;
  readonly #table: Uint8Array;
  readonly #positions: Uint32Array;
  /** The latest time that the clock has shown: what expires later is all on record. */
  #latest: number;
  /** How many bits of the filter that takes entries are set. */
  #bitsSet = 0;

  constructor(options: BloomReplayGuardOptions) {
    const { crypto, now, falsePositiveRate = defaultFalsePositiveRate } = options;
    const { freshnessWindow = defaultFreshnessWindow } = options;
    this.#now = now;
    this.freshnessWindow = freshnessWindow;
    this.#window = replayWindow(freshnessWindow);
    if (!(falsePositiveRate < 1)) throw new UsageError('invalid_option', 'falsePositiveRate is 1 or more');
    // A filter with half of its bits set says yes to one in 2^looks.
    const looks = Math.ceil(Math.log2(filters / finite('falsePositiveRate', falsePositiveRate)));
    this.#positions = new Uint32Array(looks);
    // What the last filter has taken last is kept as long as the others take entries.
    this.#period = Math.ceil(this.#window / (filters - 1));
    const bytes =
      'bytes' in options
        ? finite('bytes', options.bytes)
        : bytesFor((finite('expectedPerSecond', options.expectedPerSecond) * this.#period) / 1000, looks);
    if (bytes < 2 * looks) throw new UsageError('invalid_option', `${bytes} bytes have no room for one entry`);
    this.#table = new Uint8Array(4 * Math.ceil(bytes / 4));
    this.byteLength = this.#table.length;
    this.#hmac = crypto.hmac('sha256', crypto.randomBytes(32));
    this.startedAt = this.#latest = now();
  }

  check(key: Uint8Array, expiresAt: number): ReplayAnswer {
    this.#readClock();
    const filter = this.#filterOf(this.#latest);
    const table = this.#table;
    const positions = this.#locate(key);
    let seen = 0xff;
    for (const position of positions) seen &= table[position] ?? 0;
    if (seen !== 0) return 'maybe_replayed';
    const canRemember = expiresAt > this.#latest && expiresAt <= this.#latest + this.#window;
    if (!canRemember || this.#bitsSet > table.length / 2 - positions.length) return 'not_checked';
    for (const position of positions) {
      const bits = table[position] ?? 0;
      if ((bits & filter) === 0) this.#bitsSet++;
      table[position] = bits | filter;
    }
    return 'fresh';
  }

  /** Empties the filters that begin anew. */
  #readClock(): void {
    const before = Math.floor(this.#latest / this.#period);
    this.#latest = Math.max(this.#latest, this.#now());
    const begun = Math.min(Math.floor(this.#latest / this.#period) - before, filters);
    if (!(begun > 0)) return;
    let emptied = 0;
    for (let ago = 0; ago < begun; ago++) emptied |= this.#filterOf(this.#latest - ago * this.#period);
    const words = new Uint32Array(this.#table.buffer);
    const kept = (~emptied & 0xff) * 0x01010101;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) & kept;
    this.#bitsSet = 0;
  }

  /** The bit of the filter that takes entries at that time. */
  #filterOf(time: number): number {
    return 1 << (((Math.floor(time / this.#period) % filters) + filters) % filters);
  }

  /** Enhanced double hashing (Dillinger and Manolios, 2004): as many positions as one likes out of two words. */
  #locate(key: Uint8Array): Uint32Array {
    const digest = this.#hmac.compute(key);
    const words = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
    const { length } = this.#table;
    let position = words.getUint32(0) % length;
    let step = words.getUint32(4) % length;
    for (let i = 0; i < this.#positions.length; i++) {
      this.#positions[i] = position;
      position += step;
      if (position >= length) position -= length;
      step = (step + i + 1) % length;
    }
    return this.#positions;
  }
}

/** As many as a byte has bits. */
const filters = 8;

/** Positions, one byte each: half of them are set by so many entries, and there is a twentieth to spare for chance. */
function bytesFor(entries: number, looks: number): number {
  return Math.ceil((1.05 * (Math.max(entries, 1) * looks)) / Math.LN2);
}
