/**
 * The keys that one server of a fleet holds, by the periods of the clock, and who of them seals when.
 *
 * A period has one key. Where it has more, because servers could not see each other for a while, the one in the first slot leads and the
 * others open. The surprising thing is the end of sealing: each key may go on for the whole extension, and stops sooner only because a ring
 * prefers the key that began to seal last. So nothing has to happen for a server without Redis to go on.
 */
import { toHex, wipe } from '../../bytes.js';
import { defaultMaxKeys } from '../key-ring-options.js';
import { secretParts, type TicketKey } from '../ticket-key.js';
import { keysPerPeriod, periodsAhead, type FleetKeyStatus, type FleetKeyTiming } from './fleet-key-options.js';
import type { PublishedKey } from './wrapped-key.js';

export interface HeldKey {
  readonly period: number;
  readonly key: TicketKey;
  /** When it has been readable for long enough, and its period has begun. */
  readonly sealsFrom: number;
  /** Where it stood in Redis at the last look. */
  slot: number | undefined;
}

export class HeldKeys {
  readonly #timing: FleetKeyTiming;
  readonly #keys = new Map<string, HeldKey>();

  constructor(timing: FleetKeyTiming) {
    this.#timing = timing;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The periods that matter at `now`, the latest first. */
  periodsAt(now: number): readonly number[] {
    const { periodsBehind } = this.#timing;
    const last = this.#periodAt(now) + periodsAhead;
    return Array.from({ length: periodsAhead + 1 + periodsBehind }, (_, i) => last - i).filter((period) => period >= 0);
  }

  /** Periods that have to have a key at `now`. */
  isNeeded(period: number, now: number): boolean {
    return period >= this.#periodAt(now);
  }

  opensUntil(period: number): number {
    return this.#sealsUntil(period) + this.#timing.openingPeriod;
  }

  of(period: number): readonly HeldKey[] {
    return [...this.#keys.values()].filter((held) => held.period === period).sort(bySlot);
  }

  /** Nothing is known any more about what stands in Redis. */
  forgetSlots(): void {
    for (const held of this.#keys.values()) held.slot = undefined;
  }

  /** A key that stands in Redis. A copy of one that is held is wiped. */
  take({ key, publishedAt }: PublishedKey, period: number, slot: number): void {
    const name = toHex(key.name);
    const known = this.#keys.get(name);
    if (known === undefined) {
      const sealsFrom = Math.max(period * this.#timing.sealingPeriod, publishedAt + this.#timing.publishAhead);
      this.#keys.set(name, { period, key, sealsFrom, slot });
      return;
    }
    known.slot ??= slot;
    wipe(...secretParts(key));
  }

  /** Wipes what opens nothing any more; and what is too much, of which it answers the number: neither a period nor the ring has room for it. */
  prune(now: number): number {
    for (const held of this.#keys.values()) if (this.opensUntil(held.period) <= now) this.#drop(held);
    const ranked = [...this.#keys.values()]
      .map((held) => ({ held, rank: this.of(held.period).indexOf(held) }))
      .sort((a, b) => a.rank - b.rank || b.held.period - a.held.period);
    const surplus = ranked.filter(({ rank }, i) => rank >= keysPerPeriod || i >= defaultMaxKeys);
    for (const { held } of surplus) this.#drop(held);
    return surplus.length;
  }

  /** The keys with their times, as a ring takes them; the secrets are still those that are held. */
  timed(now: number): readonly TicketKey[] {
    // The latest period first: of keys that begin to seal at one time a ring prefers the first.
    const periods = [...new Set([...this.#keys.values()].map(({ period }) => period))].sort((a, b) => b - a);
    return periods.flatMap((period) => this.of(period).map((held) => ({ ...held.key, ...this.#timesOf(held, now) })));
  }

  sealing(now: number): FleetKeyStatus['sealing'] {
    const sealing = [...this.#keys.values()].filter((held) => {
      const { sealsFrom, sealsUntil } = this.#timesOf(held, now);
      return sealsFrom <= now && now < sealsUntil;
    });
    if (sealing.length === 0) return 'none';
    return sealing.some(({ period }) => this.isNeeded(period, now)) ? 'on_time' : 'extended';
  }

  wipe(): void {
    for (const held of this.#keys.values()) this.#drop(held);
  }

  #timesOf(held: HeldKey, now: number) {
    const { period, sealsFrom } = held;
    const opensUntil = this.opensUntil(period);
    return this.#maySeal(held, now)
      ? { sealsFrom, sealsUntil: this.#sealsUntil(period), opensUntil }
      : { sealsFrom: -Infinity, sealsUntil: -Infinity, opensUntil };
  }

  #maySeal(held: HeldKey, now: number): boolean {
    // Ready only when the next key's turn has come, it would push that one aside.
    if (held.sealsFrom >= (held.period + 1) * this.#timing.sealingPeriod) return false;
    const [leading = held] = this.of(held.period);
    return held === leading || (held.sealsFrom <= now && now < leading.sealsFrom);
  }

  #sealsUntil(period: number): number {
    return (period + 1) * this.#timing.sealingPeriod + this.#timing.maximumExtension;
  }

  #periodAt(now: number): number {
    return Math.max(Math.floor(now / this.#timing.sealingPeriod), 0);
  }

  #drop(held: HeldKey): void {
    this.#keys.delete(toHex(held.key.name));
    wipe(...secretParts(held.key));
  }
}

/** Those that are not in Redis last, by name: all servers see them in one order. */
function bySlot(one: HeldKey, other: HeldKey): number {
  const slots = (one.slot ?? Infinity) - (other.slot ?? Infinity);
  if (slots < 0 || slots > 0) return slots;
  return toHex(one.key.name) < toHex(other.key.name) ? -1 : 1;
}
