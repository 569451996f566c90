/**
 * `TicketPool`: what a client keeps in memory between connections, several tickets for each peer (RFC 8446 C.4, RFC 9149 1).
 *
 * It is a {@link SessionStore} with more than one value under a key. A ticket of TLS 1.3 is taken out and used once, the newest first, so that
 * connections that race to one peer each have one; a session of TLS 1.2, which is only looked at, stays. The keys are the client's, and
 * hold peer, configuration and context: where sessions must not be linked, as between the sites of a browser, the
 * `applicationContext` of the connections tells them apart.
 *
 * The surprising thing: a ticket is no more than a handshake saved. Whatever the limits say is dropped, the peers that were not asked for
 * longest before all others.
 */
import { copy, fromAscii, wipe } from '../bytes.js';
import { positive } from '../limits.js';
import type { SessionStore } from './store.js';

/** As many connections as browsers open to one peer at a time. */
export const defaultMaxTicketsPerPeer = 6;
export const defaultMaxPeers = 1000;
/** Of all sessions together; the bookkeeping around one comes to some 250 bytes more. */
export const defaultMaxPoolBytes = 8 * 1024 * 1024;
/** Milliseconds: RFC 8446 4.6.1, no ticket is kept for longer than 7 days. */
export const defaultMaxTicketLifetime = 7 * 24 * 60 * 60 * 1000;

export interface TicketPoolOptions {
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** See {@link defaultMaxTicketsPerPeer}. */
  readonly maxTicketsPerPeer?: number;
  /** See {@link defaultMaxPeers}. */
  readonly maxPeers?: number;
  /** See {@link defaultMaxPoolBytes}. */
  readonly maxBytes?: number;
  /** See {@link defaultMaxTicketLifetime}. */
  readonly maxLifetime?: number;
}

/** At each ticket that comes. */
const peersSweptAtOnce = 2;

interface Ticket {
  readonly value: Uint8Array;
  readonly expiresAt: number;
}

/** Synchronous. */
export class TicketPool implements SessionStore {
  readonly #now: () => number;
  readonly #maxTicketsPerPeer: number;
  readonly #maxPeers: number;
  readonly #maxBytes: number;
  readonly #maxLifetime: number;
  /** Peers by the time when they were asked for, the latest last; of each its tickets, the newest last. */
  readonly #peers = new Map<string, Ticket[]>();
  #sweeper = this.#peers.entries();
  #bytes = 0;
  #latest = -Infinity;

  /** Throws `UsageError('invalid_option')`. */
  constructor(options: TicketPoolOptions) {
    this.#now = options.now;
    this.#maxTicketsPerPeer = positive('maxTicketsPerPeer', options.maxTicketsPerPeer ?? defaultMaxTicketsPerPeer);
    this.#maxPeers = positive('maxPeers', options.maxPeers ?? defaultMaxPeers);
    this.#maxBytes = positive('maxBytes', options.maxBytes ?? defaultMaxPoolBytes);
    this.#maxLifetime = positive('maxLifetime', options.maxLifetime ?? defaultMaxTicketLifetime);
  }

  /** Peers, tickets and their bytes that are held now, those included whose time is over and that were not come across since. */
  get size(): { readonly peers: number; readonly tickets: number; readonly bytes: number } {
    let tickets = 0;
    for (const each of this.#peers.values()) tickets += each.length;
    return { peers: this.#peers.size, tickets, bytes: this.#bytes };
  }

  /** The newest, which stays. */
  get(key: Uint8Array): Uint8Array | undefined {
    const ticket = this.#ticketsOf(fromAscii(key))?.at(-1);
    return ticket && copy(ticket.value);
  }

  /** The newest, which nobody else gets. */
  take(key: Uint8Array): Uint8Array | undefined {
    const name = fromAscii(key);
    const tickets = this.#ticketsOf(name);
    const ticket = tickets?.pop();
    if (tickets?.length === 0) this.#peers.delete(name);
    this.#bytes -= ticket?.value.length ?? 0;
    return ticket?.value;
  }

  /** Beside the others of this key, as the newest. */
  set(key: Uint8Array, value: Uint8Array, expiresAt: number): void {
    const now = this.#readClock();
    const until = Math.min(expiresAt, now + this.#maxLifetime);
    if (until <= now || value.length > this.#maxBytes) return;
    const name = fromAscii(key);
    const tickets = this.#ticketsOf(name) ?? [];
    this.#peers.set(name, tickets);
    tickets.push({ value: copy(value), expiresAt: until });
    this.#bytes += value.length;
    if (tickets.length > this.#maxTicketsPerPeer) this.#drop(tickets.splice(0, 1));
    while (this.#peers.size > this.#maxPeers || this.#bytes > this.#maxBytes) this.#dropOldest();
    this.#sweep(now);
  }

  /** All of this key. */
  delete(key: Uint8Array): void {
    const name = fromAscii(key);
    this.#drop(this.#peers.get(name) ?? []);
    this.#peers.delete(name);
  }

  /** All of them, wiped. */
  clear(): void {
    for (const tickets of this.#peers.values()) this.#drop(tickets);
    this.#peers.clear();
  }

  /** Those whose time is not over; `undefined` where there are none. Makes the peer the one that was asked for last. */
  #ticketsOf(name: string): Ticket[] | undefined {
    const now = this.#readClock();
    const tickets = this.#peers.get(name);
    if (tickets === undefined) return undefined;
    this.#peers.delete(name);
    const live = tickets.filter(({ expiresAt }) => expiresAt > now);
    if (live.length < tickets.length) this.#drop(tickets.filter(({ expiresAt }) => expiresAt <= now));
    if (live.length === 0) return undefined;
    this.#peers.set(name, live);
    return live;
  }

  /** A few peers further, and from the beginning again: what nobody asks for any more is wiped all the same. */
  #sweep(now: number): void {
    for (let i = 0; i < peersSweptAtOnce; i++) {
      const next = this.#sweeper.next();
      if (next.done === true) {
        this.#sweeper = this.#peers.entries();
        return;
      }
      const [name, tickets] = next.value;
      const isOver = ({ expiresAt }: Ticket) => expiresAt <= now;
      if (!tickets.some(isOver)) continue;
      this.#drop(tickets.filter(isOver));
      const live = tickets.filter((ticket) => !isOver(ticket));
      if (live.length === 0) this.#peers.delete(name);
      else this.#peers.set(name, live);
    }
  }

  /** Of the peer that was not asked for longest, the oldest ticket; the peer with it, where there are too many. */
  #dropOldest(): void {
    for (const [name, tickets] of this.#peers) {
      this.#drop(this.#peers.size > this.#maxPeers ? tickets.splice(0) : tickets.splice(0, 1));
      if (tickets.length === 0) this.#peers.delete(name);
      return;
    }
  }

  #drop(tickets: readonly Ticket[]): void {
    for (const { value } of tickets) {
      this.#bytes -= value.length;
      wipe(value);
    }
  }

  /** P-time-2: a clock that goes back brings nothing back. */
  #readClock(): number {
    this.#latest = Math.max(this.#latest, this.#now());
    return this.#latest;
  }
}
