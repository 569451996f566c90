/**
 * `KeyRing`: the ticket keys of one server, or of one fleet (RFC 5077 5.5, RFC 9325 3.4).
 *
 * A key goes through four states by the times it carries: `future` (opens only, so that a host may be a key ahead of
 * another) -> `active` (seals and opens) -> `retired` (opens only) -> `expired` (wiped). The surprising thing: states only move
 * forward. A clock that jumps back neither makes a retired key seal again nor brings an expired one back.
 */
import type { CryptoBackend } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { RingKey, type PreparedTicketKey, type TicketKeyStatus } from './ring-key.js';
import { generateTicketKey, requireStrongTicketKey, ticketKeyNameLength, type TicketKey } from './ticket-key.js';

const hour = 60 * 60 * 1000;

/** How long a key made by the ring seals, in milliseconds. */
export const defaultSealingPeriod = 24 * hour;
/** How long a key goes on opening after it stopped sealing, in milliseconds: the longest life of a ticket. */
export const defaultOpeningPeriod = 24 * hour;
/** Most keys held at once, names of expired ones included. */
export const defaultMaxKeys = 64;
/**
 * Most tickets sealed under one key. Random 128-bit IVs: after 2^32 tickets two share one with a probability of 2^-65, and with
 * 4 KiB each, two ciphertext blocks with one of 2^-49.
 */
export const defaultSealLimit = 2 ** 32;

export interface KeyRingOptions {
  readonly crypto: CryptoBackend;
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** Keys to begin with, as if given to {@link KeyRing.add} one after the other. */
  readonly keys?: readonly TicketKey[];
  /**
   * Whether the ring makes a key of its own whenever it has to seal and no key may: at first, after `sealingPeriod`, and at
   * the seal limit. For servers that share tickets with no other process. Default: no.
   */
  readonly automaticRotation?: boolean;
  /** Milliseconds; see {@link defaultSealingPeriod}. */
  readonly sealingPeriod?: number;
  /** Milliseconds; see {@link defaultOpeningPeriod}. */
  readonly openingPeriod?: number;
  /** See {@link defaultMaxKeys}. */
  readonly maxKeys?: number;
  /** See {@link defaultSealLimit}. */
  readonly sealLimit?: number;
}

/**
 * Holds one sealing key and several opening ones. Of several active keys the one with the latest `sealsFrom` seals, among
 * equal ones the first added; keys without `sealsFrom` come before all others. The ring works on copies of the key bytes and
 * wipes them when the key expires; the caller's arrays stay the caller's.
 *
 * ```ts
 * const ring = new KeyRing({ crypto, now: Date.now, automaticRotation: true });
 * ```
 */
export class KeyRing {
  /** Milliseconds; no ticket should be made to live longer. */
  readonly openingPeriod: number;
  readonly #crypto: CryptoBackend;
  readonly #now: () => number;
  #automaticRotation: boolean;
  readonly #sealingPeriod: number;
  readonly #maxKeys: number;
  readonly #sealLimit: number;
  /** In the order of arrival. */
  readonly #keys: RingKey[] = [];
  #sealing: RingKey | undefined;
  #latest = -Infinity;
  /** Until then no key changes its state, unless the clock goes back. */
  #nextChange = Infinity;

  constructor(options: KeyRingOptions) {
    this.#crypto = options.crypto;
    this.#now = options.now;
    this.#automaticRotation = options.automaticRotation ?? false;
    this.#sealingPeriod = positive('sealingPeriod', options.sealingPeriod ?? defaultSealingPeriod);
    this.openingPeriod = positive('openingPeriod', options.openingPeriod ?? defaultOpeningPeriod);
    this.#maxKeys = positive('maxKeys', options.maxKeys ?? defaultMaxKeys);
    this.#sealLimit = positive('sealLimit', options.sealLimit ?? defaultSealLimit);
    for (const key of options.keys ?? []) this.add(key);
  }

  /**
   * Takes a key in; its times say what it does. Throws `UsageError('invalid_key')` for a weak key or one whose name or bytes
   * equal another's, and `UsageError('invalid_option')` if the ring is full of keys that still have to open.
   */
  add(key: TicketKey): void {
    this.#insert(key, this.#readClock());
  }

  /** As {@link add}, and from now on `key` seals: the keys that did are retired and open for one opening period more. */
  rotate(key: TicketKey): void {
    const now = this.#readClock();
    const before = this.#keys.filter((other) => other.state === 'active');
    this.#insert({ ...key, sealsFrom: now }, now);
    for (const other of before) other.retire(now, this.openingPeriod);
    this.#settle(now);
  }

  /**
   * The key to seal one ticket with; counts the ticket. Throws `UsageError('no_sealing_key')` if no key is active.
   */
  sealingKey(): PreparedTicketKey {
    const now = this.#readClock();
    // A key that begins to seal in the future began before the clock went back, and would seal for too long.
    if (this.#automaticRotation && !(this.#sealing !== undefined && this.#sealing.sealsFrom <= now)) {
      this.rotate(generateTicketKey(this.#crypto, { sealsUntil: now + this.#sealingPeriod }));
    }
    const key = this.#sealing;
    if (key === undefined) throw new UsageError('no_sealing_key', 'no ticket key is active');
    if (++key.sealed >= this.#sealLimit) {
      key.retire(now, this.openingPeriod);
      this.#settle(now);
    }
    return key;
  }

  /** The key whose name `ticket` begins with, or why it cannot open. `ticket` has 16 bytes at least. */
  openingKey(ticket: Uint8Array): PreparedTicketKey | 'unknown_key_name' | 'expired' {
    this.#readClock();
    for (const key of this.#keys) {
      if (startsWith(ticket, key.name)) return key.state === 'expired' ? 'expired' : key;
    }
    return 'unknown_key_name';
  }

  /**
   * Counts a ticket that `key` has opened, and answers whether a new one should replace it: when a newer key seals. A `future`
   * key is the newer one itself, used by a host that is ahead, and its tickets are left alone.
   */
  countOpened(key: PreparedTicketKey): boolean {
    if (!(key instanceof RingKey)) return false;
    key.opened++;
    const renew = this.#sealing !== undefined && this.#sealing !== key && key.state !== 'future';
    if (renew) key.renewed++;
    return renew;
  }

  /** The keys, in the order of arrival. */
  status(): readonly TicketKeyStatus[] {
    this.#readClock();
    return this.#keys.map((key) => key.status(key === this.#sealing));
  }

  /** Wipes all keys. The ring is then one whose keys have all expired, and makes no others. */
  destroy(): void {
    this.#automaticRotation = false;
    for (const key of this.#keys) key.expire();
    this.#settle(this.#latest);
  }

  #insert(key: TicketKey, now: number): void {
    requireStrongTicketKey(key);
    for (const other of this.#keys) other.requireDistinct(key);
    this.#makeRoom();
    this.#keys.push(new RingKey(this.#crypto, key));
    this.#settle(now);
  }

  #makeRoom(): void {
    if (this.#keys.length < this.#maxKeys) return;
    for (const state of ['expired', 'retired'] as const) {
      const oldest = this.#keys.findIndex((key) => key.state === state);
      if (oldest === -1) continue;
      for (const key of this.#keys.splice(oldest, 1)) key.expire();
      return;
    }
    throw new UsageError('invalid_option', `the key ring holds ${String(this.#maxKeys)} keys that are in use`);
  }

  #readClock(): number {
    const now = this.#now();
    if (now >= this.#nextChange || now < this.#latest) this.#settle(now);
    this.#latest = now;
    return now;
  }

  /** Moves every key to the state that it has at `now`, and finds the one that seals. */
  #settle(now: number): void {
    this.#sealing = undefined;
    this.#nextChange = Infinity;
    for (const key of this.#keys) {
      key.advance(now, this.openingPeriod);
      this.#nextChange = Math.min(this.#nextChange, key.nextChange());
      if (key.state === 'active' && (this.#sealing === undefined || key.sealsFrom > this.#sealing.sealsFrom)) {
        this.#sealing = key;
      }
    }
  }
}

function positive(option: string, value: number): number {
  if (value > 0) return value;
  throw new UsageError('invalid_option', `${option} is ${String(value)}, expected a positive number`);
}

/** Names are public, so leaving at the first difference gives nothing away. */
function startsWith(ticket: Uint8Array, name: Uint8Array): boolean {
  for (let i = 0; i < ticketKeyNameLength; i++) if (ticket[i] !== name[i]) return false;
  return true;
}
