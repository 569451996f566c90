/**
 * `KeyRing`: the ticket keys of one server, or of one fleet (RFC 5077 5.5, RFC 9325 3.4).
 *
 * A key goes through four states by the times it carries: `future` (opens only, so that a host may be a key ahead of
 * another) -> `active` (seals and opens) -> `retired` (opens only) -> `expired` (wiped). The surprising thing: by the clock states only
 * move forward. A clock that jumps back neither makes a retired key seal again nor brings an expired one back.
 */
import { wipe } from '../bytes.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { positive } from '../limits.js';
import { KeyRingListeners } from './key-ring-listeners.js';
import { checkedLimits, type KeyRingEvent, type KeyRingOptions } from './key-ring-options.js';
import type { TicketKeySource } from './key-source.js';
import type { TicketLayout } from './layout.js';
import { withEncryptionKey, withLastDecryptionKey } from './lua-key-updates.js';
import { arranged, RingKey, type TicketKeyStatus } from './ring-key.js';
import { generateTicketKey, requireStrongTicketKey, secretParts, type TicketKey } from './ticket-key.js';

/**
 * Holds one sealing key and several opening ones. Of several active keys the one with the latest `sealsFrom` seals, among
 * equal ones the first; keys without `sealsFrom` come before all others. The ring works on copies of the key bytes and
 * wipes them when the key expires; the caller's arrays stay the caller's.
 *
 * ```ts
 * const ring = new KeyRing({ crypto, now: Date.now, automaticRotation: true });
 * ```
 */
export class KeyRing {
  readonly #crypto: CryptoBackend;
  readonly #now: () => number;
  #source: TicketKeySource | undefined;
  #generateKey: (() => TicketKey) | undefined;
  readonly #sealingPeriod: number;
  readonly #openingPeriod: number;
  readonly #maxKeys: number;
  readonly #sealLimit: number;
  readonly #layouts = new Set<TicketLayout>();
  readonly #listeners = new KeyRingListeners();
  /** In the order of preference. */
  #keys: RingKey[] = [];
  #sealing: RingKey | undefined;
  #latest = -Infinity;
  /** Until then no key changes its state, unless the clock goes back. */
  #nextChange = Infinity;

  constructor(options: KeyRingOptions) {
    const { crypto, source, automaticRotation = false } = options;
    this.#crypto = crypto;
    this.#now = options.now;
    this.#source = source;
    this.#generateKey = automaticRotation ? (options.generateKey ?? (() => generateTicketKey(crypto))) : undefined;
    const { sealingPeriod, openingPeriod, maxKeys, sealLimit } = checkedLimits(options);
    this.#sealingPeriod = sealingPeriod;
    this.#openingPeriod = openingPeriod;
    this.#maxKeys = maxKeys;
    this.#sealLimit = sealLimit;
    for (const key of options.keys ?? []) this.add(key);
    this.#readClock();
  }

  /**
   * Takes a key in; its times say what it does. Throws `UsageError('invalid_key')` for a weak key, one whose name or bytes
   * equal another's and one that a layout in use has no use for, and `UsageError('invalid_option')` if the ring is full of keys that
   * still have to open.
   */
  add(key: TicketKey): void {
    this.#requireNoSource();
    this.#insert(key, this.#readClock());
  }

  /** As {@link add}, and from now on `key` seals: the keys that did are retired and open for one opening period more. */
  rotate(key: TicketKey): void {
    this.#requireNoSource();
    this.#rotate(key, this.#readClock());
  }

  /**
   * These keys in place of all others, the one to prefer first: as a file of keys that was written anew has them. A key that the ring
   * has already goes on with its counters, under the times that it carries now; keys that are not among them are wiped at once.
   * All or nothing: throws as {@link add} does, and the ring is what it was.
   */
  replace(keys: readonly TicketKey[]): void {
    this.#requireNoSource();
    this.#replace(keys, this.#readClock());
  }

  /**
   * As lua-ssl-nginx-module does: `key` seals, all keys before it only open, for as long as they are in the ring; and of all no more
   * than `nkeys` stay, the newest. The key that seals already is no news.
   */
  updateTicketEncryptionKey(key: TicketKey, nkeys: number): void {
    if (this.#sealing?.isSameAs(key) === true) return;
    const most = positive('nkeys', nkeys);
    this.#rearrange((keys) => withEncryptionKey(keys, key, most));
  }

  /**
   * As lua-ssl-nginx-module does: the oldest key gives way to `key`, which seals later, on some hosts earlier than on this one, and only
   * opens until then. A key that stands alone stays. A key that the ring has is no news.
   */
  updateLastTicketDecryptionKey(key: TicketKey): void {
    if (this.#keys.some((other) => other.isSameAs(key))) return;
    this.#rearrange((keys) => withLastDecryptionKey(keys, key));
  }

  /** The keys that have not expired, in the order of preference, with their times: secrets, to be written to a file or sent on. */
  exportKeys(): readonly TicketKey[] {
    this.#readClock();
    return this.#exportAll();
  }

  /** Sets all keys up for a layout, those to come included. Throws `UsageError('invalid_key')` if it has no use for one of them. */
  use(layout: TicketLayout): void {
    for (const key of this.#keys) key.prepare(layout);
    this.#layouts.add(layout);
  }

  /**
   * The key to seal one ticket with; counts the ticket. Throws `UsageError('no_sealing_key')` if no key is active.
   */
  sealingKey(): RingKey {
    const now = this.#readClock();
    // A key that begins to seal in the future began before the clock went back, and would seal for too long.
    if (this.#generateKey !== undefined && !(this.#sealing !== undefined && this.#sealing.sealsFrom <= now)) {
      this.#rotate({ ...this.#generateKey(), sealsUntil: now + this.#sealingPeriod }, now);
    }
    const key = this.#sealing;
    if (key === undefined) throw new UsageError('no_sealing_key', 'no ticket key is active');
    if (++key.sealed >= this.#sealLimit) {
      key.retire(now, this.#openingPeriod);
      this.#settle(now);
    }
    return key;
  }

  /** The key whose name stands at `offset` in `ticket`, or why it cannot open. The name lies within `ticket`. */
  openingKey(ticket: Uint8Array, offset = 0): RingKey | 'unknown_key_name' | 'expired' {
    this.#readClock();
    for (const key of this.#keys) {
      if (hasAt(ticket, offset, key.name)) return key.state === 'expired' ? 'expired' : key;
    }
    return 'unknown_key_name';
  }

  /** All keys that may open, for tickets that name none: the one that seals first. */
  openingKeys(): readonly RingKey[] {
    this.#readClock();
    const sealing = this.#sealing;
    const others = this.#keys.filter((key) => key !== sealing && key.state !== 'expired');
    return sealing === undefined ? others : [sealing, ...others];
  }

  /**
   * Counts a ticket that `key` has opened, and answers whether a new one should replace it: when a newer key seals. A `future`
   * key is the newer one itself, used by a host that is ahead, and its tickets are left alone.
   */
  countOpened(key: RingKey): boolean {
    key.opened++;
    const renew = this.#sealing !== undefined && this.#sealing !== key && key.state !== 'future';
    if (renew) key.renewed++;
    return renew;
  }

  /** Milliseconds that a ticket sealed from now on can be opened at least: no ticket should be made to live longer. */
  longestTicketLife(): number {
    const now = this.#readClock();
    const sealing = this.#keys.filter((key) => key.state === 'active' || key.state === 'future');
    return Math.min(this.#openingPeriod, ...sealing.map((key) => key.remainingLife(now, this.#openingPeriod)));
  }

  /** The keys, in the order of preference. */
  status(): readonly TicketKeyStatus[] {
    this.#readClock();
    return this.#keys.map((key) => this.#statusOf(key));
  }

  /**
   * Calls `listener` with whatever happens to keys, as soon as the ring notices: it looks at the clock when it is used. What a listener
   * throws is ignored. Answers how to end it.
   */
  subscribe(listener: (event: KeyRingEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Wipes all keys. The ring is then one whose keys have all expired, and makes no others. */
  destroy(): void {
    this.#generateKey = undefined;
    this.#source = undefined;
    for (const key of this.#keys) key.expire();
    this.#settle(this.#latest);
  }

  #requireNoSource(): void {
    if (this.#source !== undefined)
      throw new UsageError('invalid_option', 'the keys of this ring come from its source');
  }

  #rotate(key: TicketKey, now: number): void {
    const before = this.#keys.filter((other) => other.state === 'active');
    this.#insert({ ...key, sealsFrom: now }, now);
    for (const other of before) other.retire(now, this.#openingPeriod);
    this.#settle(now);
  }

  #insert(key: TicketKey, now: number): void {
    requireStrongTicketKey(key);
    for (const other of this.#keys) other.requireDistinct(key);
    const added = new RingKey(this.#crypto, key, this.#layouts);
    try {
      this.#makeRoom();
    } catch (error) {
      added.expire();
      throw error;
    }
    this.#keys.push(added);
    this.#tell('added', added);
    this.#settle(now);
  }

  #replace(keys: readonly TicketKey[], now: number): void {
    if (keys.length > this.#maxKeys) this.#refuseToGrow();
    const entries = arranged(keys, this.#keys, (key) => new RingKey(this.#crypto, key, this.#layouts));
    const removed = this.#keys.filter((key) => !entries.some(({ entry }) => entry === key));
    this.#keys = entries.map(({ entry }) => entry);
    for (const { entry, key, isNew } of entries) {
      if (isNew) this.#tell('added', entry);
      else entry.setTimes(key);
      // A file that was written anew makes no nonces anew.
      if (entry.sealed >= this.#sealLimit) entry.retire(now, this.#openingPeriod);
    }
    for (const key of removed) {
      key.expire();
      this.#tell('removed', key);
    }
    this.#settle(now);
  }

  #makeRoom(): void {
    if (this.#keys.length < this.#maxKeys) return;
    for (const state of ['expired', 'retired'] as const) {
      const oldest = this.#keys.findIndex((key) => key.state === state);
      if (oldest === -1) continue;
      for (const key of this.#keys.splice(oldest, 1)) {
        key.expire();
        this.#tell('removed', key);
      }
      return;
    }
    this.#refuseToGrow();
  }

  #refuseToGrow(): never {
    throw new UsageError('invalid_option', `the key ring holds ${String(this.#maxKeys)} keys at the most`);
  }

  /** `change` gets copies, which are wiped. */
  #rearrange(change: (keys: readonly TicketKey[]) => readonly TicketKey[]): void {
    const keys = this.#exportAll();
    try {
      this.replace(change(keys));
    } finally {
      wipe(...keys.flatMap(secretParts));
    }
  }

  #exportAll(): TicketKey[] {
    return this.#keys.map((key) => key.export()).filter((key) => key !== undefined);
  }

  #readClock(): number {
    const now = this.#now();
    if (now >= this.#nextChange || now < this.#latest || this.#latest === -Infinity) this.#advance(now);
    this.#latest = now;
    return now;
  }

  #advance(now: number): void {
    if (this.#source === undefined) {
      this.#settle(now);
      return;
    }
    const { keys, until } = this.#source.keysAt(now);
    this.#replace(keys, now);
    this.#nextChange = Math.min(this.#nextChange, until);
  }

  /** Moves every key to the state that it has at `now`, and finds the one that seals. */
  #settle(now: number): void {
    const before = this.#sealing;
    this.#sealing = undefined;
    this.#nextChange = Infinity;
    for (const key of this.#keys) {
      key.advance(now, this.#openingPeriod);
      this.#nextChange = Math.min(this.#nextChange, key.nextChange());
      if (key.state === 'active' && (this.#sealing === undefined || key.sealsFrom > this.#sealing.sealsFrom)) {
        this.#sealing = key;
      }
    }
    for (const key of this.#keys.filter(({ state, told }) => state !== told)) {
      key.told = key.state;
      if (key.state !== 'future') this.#tell(key.state, key);
    }
    if (this.#sealing !== undefined && this.#sealing !== before) this.#tell('seals', this.#sealing);
  }

  #statusOf(key: RingKey): TicketKeyStatus {
    return key.status(key === this.#sealing);
  }

  #tell(type: KeyRingEvent['type'], key: RingKey): void {
    this.#listeners.tell({ type, key: this.#statusOf(key) });
  }
}

/** Names are public, so leaving at the first difference gives nothing away. */
function hasAt(ticket: Uint8Array, offset: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (ticket[offset + i] !== name[i]) return false;
  return true;
}
