/**
 * One key in a ring: what layouts made of it, its place in time, its counters. The ring ({@link KeyRing}) decides when it moves on.
 */
import { copy, equal, equalConstantTime, wipe } from '../bytes.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import type { LayoutKey, TicketLayout } from './layout.js';
import {
  copyTicketKey,
  requireStrongTicketKey,
  secretParts,
  type TicketKey,
  type TicketKeyTimes,
} from './ticket-key.js';

export type TicketKeyState = 'future' | 'active' | 'retired' | 'expired';

/** What an operator sees of a key. */
export interface TicketKeyStatus {
  readonly name: Uint8Array;
  readonly state: TicketKeyState;
  /** Whether this is the one active key that seals. */
  readonly seals: boolean;
  readonly sealsFrom: number;
  readonly sealsUntil: number;
  /** Infinity while the key neither carries the time nor has stopped sealing. */
  readonly opensUntil: number;
  /** Tickets sealed, opened, and among those opened the ones to renew under a newer key. */
  readonly sealed: number;
  readonly opened: number;
  readonly renewed: number;
}

/** Works on copies of the key bytes, which `expire` wipes. States only move forward. */
export class RingKey {
  readonly name: Uint8Array;
  readonly #crypto: CryptoBackend;
  readonly #key: TicketKey;
  readonly #prepared = new Map<TicketLayout, LayoutKey>();
  /** Whether `opensUntil` is the owner's word. */
  #carriesEnd = false;
  sealsFrom = -Infinity;
  sealsUntil = Infinity;
  opensUntil = Infinity;
  state: TicketKeyState = 'future';
  /** The state that the ring's listeners know of. */
  told: TicketKeyState = 'future';
  sealed = 0;
  opened = 0;
  renewed = 0;

  /** Throws `UsageError('invalid_key')` where one of the layouts cannot use the key. */
  constructor(crypto: CryptoBackend, key: TicketKey, layouts: Iterable<TicketLayout>) {
    this.name = copy(key.name);
    this.#crypto = crypto;
    this.#key = copyTicketKey(key);
    this.setTimes(key);
    try {
      for (const layout of layouts) this.prepare(layout);
    } catch (error) {
      this.expire();
      throw error;
    }
  }

  /** Throws `UsageError('invalid_key')` where the layout cannot use the key. */
  prepare(layout: TicketLayout): void {
    if (this.state === 'expired' || this.#prepared.has(layout)) return;
    this.#prepared.set(layout, layout.prepare(this.#crypto, this.#key));
  }

  /** The key as a layout uses it; `undefined` once it has expired. */
  for(layout: TicketLayout): LayoutKey | undefined {
    return this.#prepared.get(layout);
  }

  /** New times, and the state starts anew with them: for an owner who says again what there is. */
  setTimes({ sealsFrom = -Infinity, sealsUntil = Infinity, opensUntil }: TicketKeyTimes): void {
    this.sealsFrom = sealsFrom;
    this.sealsUntil = sealsUntil;
    this.opensUntil = opensUntil ?? Infinity;
    this.#carriesEnd = opensUntil !== undefined;
    this.state = 'future';
  }

  /** Of the same name and bytes. */
  isSameAs(key: TicketKey): boolean {
    return this.state !== 'expired' && equal(this.name, key.name) && sharedParts(this.#key, key) === 'all';
  }

  /** Throws `UsageError('invalid_key')`. */
  requireDistinct(key: TicketKey): void {
    if (equal(this.name, key.name)) throw new UsageError('invalid_key', 'the ring has a key of this name already');
    if (this.state !== 'expired' && sharedParts(this.#key, key) !== 'none')
      throw new UsageError('invalid_key', 'the ring has these key bytes already, under another name');
  }

  /** A copy of the key with its times; `undefined` once it has expired. */
  export(): TicketKey | undefined {
    if (this.state === 'expired') return undefined;
    const { sealsFrom, sealsUntil, opensUntil } = this;
    return {
      ...copyTicketKey(this.#key),
      ...(sealsFrom !== -Infinity && { sealsFrom }),
      ...(sealsUntil !== Infinity && { sealsUntil }),
      ...((opensUntil !== Infinity || this.#carriesEnd) && { opensUntil }),
    };
  }

  /** How long a ticket that is sealed now can be opened at least, if it is sealed by this key before it stops. Milliseconds. */
  remainingLife(now: number, openingPeriod: number): number {
    // One that waits for a word seals nothing: it comes with other times then.
    if (!this.#carriesEnd || this.sealsFrom === Infinity) return openingPeriod;
    return this.opensUntil - (this.sealsUntil === Infinity ? Math.max(now, this.sealsFrom) : this.sealsUntil);
  }

  advance(now: number, openingPeriod: number): void {
    if (this.state === 'future' && now >= this.sealsFrom) this.state = 'active';
    if (this.state === 'active' && now >= this.sealsUntil) this.retire(this.sealsUntil, openingPeriod);
    // P-time-2: retired by a clock that was ahead, it would open for more than one period after the clock went back.
    if (this.state === 'retired' && !this.#carriesEnd) this.opensUntil = Math.min(this.opensUntil, now + openingPeriod);
    if (now >= this.opensUntil) this.expire();
  }

  /** When `advance` will have something to do again. */
  nextChange(): number {
    switch (this.state) {
      case 'future':
        return Math.min(this.sealsFrom, this.opensUntil);
      case 'active':
        return Math.min(this.sealsUntil, this.opensUntil);
      case 'retired':
        return this.opensUntil;
      case 'expired':
        return Infinity;
    }
  }

  retire(now: number, openingPeriod: number): void {
    this.state = 'retired';
    this.sealsUntil = Math.min(this.sealsUntil, now);
    if (!this.#carriesEnd) this.opensUntil = this.sealsUntil + openingPeriod;
  }

  expire(): void {
    if (this.state === 'expired') return;
    this.state = 'expired';
    for (const prepared of this.#prepared.values()) prepared.destroy();
    this.#prepared.clear();
    wipe(...secretParts(this.#key));
  }

  status(seals: boolean): TicketKeyStatus {
    const { name, state, sealsFrom, sealsUntil, opensUntil, sealed, opened, renewed } = this;
    return { name: copy(name), state, seals, sealsFrom, sealsUntil, opensUntil, sealed, opened, renewed };
  }
}

/** A key of a ring that is replaced, and the one of {@link TicketKey} that it goes by. */
interface Arranged {
  readonly entry: RingKey;
  readonly key: TicketKey;
  readonly isNew: boolean;
}

/** All of `keys` as the ring has them, or none and an error. */
export function arranged(
  keys: readonly TicketKey[],
  known: readonly RingKey[],
  make: (key: TicketKey) => RingKey,
): readonly Arranged[] {
  const entries: Arranged[] = [];
  try {
    for (const key of keys) {
      requireStrongTicketKey(key);
      for (const { entry } of entries) entry.requireDistinct(key);
      const same = known.find((other) => other.isSameAs(key));
      entries.push({ entry: same ?? make(key), key, isNew: same === undefined });
    }
    return entries;
  } catch (error) {
    for (const { entry, isNew } of entries) if (isNew) entry.expire();
    throw error;
  }
}

/** How many secrets of one kind two keys have in common. */
function sharedParts(one: TicketKey, other: TicketKey): 'all' | 'some' | 'none' {
  const others = secretParts(other);
  const parts = secretParts(one);
  if (parts.length !== others.length) return 'none';
  const shared = parts.filter((part, i) => equalConstantTime(part, others[i] ?? part.subarray(0, 0))).length;
  return shared === 0 ? 'none' : shared === parts.length ? 'all' : 'some';
}
