/**
 * Is a ClientHello with early data recent (RFC 8446 8.3)? The client says how old its ticket is, the ticket says when it was
 * issued, and together they say when the hello should arrive.
 *
 * This bounds how long a {@link ReplayGuard} has to remember; it is no protection of its own, because a replay within the window is
 * as fresh as the original.
 */
import { finite } from '../limits.js';

/** Milliseconds to either side: RFC 8446 8.3 takes ten seconds for clients on the Internet. */
export const defaultFreshnessWindow = 10_000;

/** Times and ages in milliseconds. */
export interface TicketAge {
  /** When the server issued the ticket. */
  readonly issuedAt: number;
  /** The `ticket_age_add` of the ticket, 32 bits. */
  readonly ticketAgeAdd: number;
  /** The `obfuscated_ticket_age` of the ClientHello, 32 bits. */
  readonly obfuscatedTicketAge: number;
  readonly now: number;
  /** How far from the expected arrival the hello may be. See {@link defaultFreshnessWindow}. */
  readonly window?: number;
}

/** Times in milliseconds. */
export interface Freshness {
  readonly fresh: boolean;
  readonly expectedArrival: number;
  /** From when on the same hello is not fresh any more, whatever it was before: a record of it may be dropped. */
  readonly expiresAt: number;
}

/** How long after a hello was fresh for the first time it may still be so, milliseconds: what a record has to remember. */
export function replayWindow(freshnessWindow: number): number {
  return 2 * finite('freshnessWindow', freshnessWindow) + 1;
}

/** How much older the ticket is by the client's clock than by ours, milliseconds. */
export function ticketAgeSkew({ issuedAt, ticketAgeAdd, obfuscatedTicketAge, now }: TicketAge): number {
  const ticketAge = (obfuscatedTicketAge - ticketAgeAdd) >>> 0; // RFC 8446 4.2.11.1: modulo 2^32
  return issuedAt + ticketAge - now;
}

/** RFC 8446 8.3: whether the hello arrives when it should, had its client sent it once and now. */
export function freshness(age: TicketAge): Freshness {
  const { now, window = defaultFreshnessWindow } = age;
  const skew = ticketAgeSkew(age);
  const expectedArrival = now + skew;
  return {
    fresh: Math.abs(skew) <= window,
    expectedArrival,
    expiresAt: expectedArrival + window + 1,
  };
}
