/**
 * `KeyRing`: the ticket keys of one server, or of one fleet (RFC 5077 5.5, RFC 9325 3.4).
 *
 * A key goes through four states by the times it carries: `future` (opens only, so that a host may be a key ahead of
 * another) -> `active` (seals and opens) -> `retired` (opens only) -> `expired` (wiped). The surprising thing: states only move
 * forward. A clock that jumps back neither makes a retired key seal again nor brings an expired one back.
 */
import { equal, equalConstantTime, wipe } from '../bytes.js';
import type { CbcKey, CryptoBackend, HmacKey } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
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

export type TicketKeyState = 'future' | 'active' | 'retired' | 'expired';

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

/** A key of the ring as a sealer uses it: set up once. */
export interface PreparedTicketKey {
  readonly name: Uint8Array;
  readonly cbc: CbcKey;
  readonly hmac: HmacKey;
}

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
  readonly #automaticRotation: boolean;
  readonly #sealingPeriod: number;
  readonly #maxKeys: number;
  readonly #sealLimit: number;
  /** In the order of arrival. */
  readonly #keys: RingKey[] = [];
  #sealing: RingKey | undefined;
  /** Until then no key changes its state. */
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
    const now = this.#now();
    this.#settle(now);
    this.#insert(key, now);
  }

  /** As {@link add}, and from now on `key` seals: the keys that did are retired and open for one opening period more. */
  rotate(key: TicketKey): void {
    const now = this.#now();
    this.#settle(now);
    const before = this.#keys.filter((other) => other.state === 'active');
    this.#insert({ ...key, sealsFrom: now }, now);
    for (const other of before) other.retire(now, this.openingPeriod);
    this.#settle(now);
  }

  /**
   * The key to seal one ticket with; counts the ticket. Throws `UsageError('no_sealing_key')` if no key is active.
   */
  sealingKey(): PreparedTicketKey {
    const now = this.#now();
    if (now >= this.#nextChange) this.#settle(now);
    if (this.#sealing === undefined && this.#automaticRotation) {
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
    const now = this.#now();
    if (now >= this.#nextChange) this.#settle(now);
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
    this.#settle(this.#now());
    return this.#keys.map((key) => key.status(key === this.#sealing));
  }

  /** Wipes all keys. The ring is then one whose keys have all expired. */
  destroy(): void {
    for (const key of this.#keys) key.expire();
    this.#settle(this.#now());
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

class RingKey implements PreparedTicketKey {
  readonly name: Uint8Array;
  readonly cbc: CbcKey;
  readonly hmac: HmacKey;
  readonly #aesKey: Uint8Array;
  readonly #hmacKey: Uint8Array;
  readonly sealsFrom: number;
  sealsUntil: number;
  opensUntil: number;
  state: TicketKeyState = 'future';
  sealed = 0;
  opened = 0;
  renewed = 0;

  constructor(crypto: CryptoBackend, key: TicketKey) {
    this.name = key.name.slice();
    this.#aesKey = key.aesKey.slice();
    this.#hmacKey = key.hmacKey.slice();
    this.cbc = crypto.cbc(this.#aesKey);
    this.hmac = crypto.hmac('sha256', this.#hmacKey);
    this.sealsFrom = key.sealsFrom ?? -Infinity;
    this.sealsUntil = key.sealsUntil ?? Infinity;
    this.opensUntil = key.opensUntil ?? Infinity;
  }

  requireDistinct(key: TicketKey): void {
    if (equal(this.name, key.name)) throw new UsageError('invalid_key', 'the ring has a key of this name already');
    if (
      this.state !== 'expired' &&
      (equalConstantTime(this.#aesKey, key.aesKey) || equalConstantTime(this.#hmacKey, key.hmacKey))
    ) {
      throw new UsageError('invalid_key', 'the ring has these key bytes already, under another name');
    }
  }

  advance(now: number, openingPeriod: number): void {
    if (this.state === 'future' && now >= this.sealsFrom) this.state = 'active';
    if (this.state === 'active' && now >= this.sealsUntil) this.retire(this.sealsUntil, openingPeriod);
    if (this.state !== 'expired' && now >= this.opensUntil) this.expire();
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
    if (this.opensUntil === Infinity) this.opensUntil = this.sealsUntil + openingPeriod;
  }

  expire(): void {
    this.state = 'expired';
    this.cbc.destroy();
    this.hmac.destroy();
    wipe(this.#aesKey, this.#hmacKey);
  }

  status(seals: boolean): TicketKeyStatus {
    const { name, state, sealsFrom, sealsUntil, opensUntil, sealed, opened, renewed } = this;
    return { name: name.slice(), state, seals, sealsFrom, sealsUntil, opensUntil, sealed, opened, renewed };
  }
}
