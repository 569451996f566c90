/**
 * `TicketSealer`: the envelope around the state in a ticket. Every layout - RFC 5077's own, and those of other servers - is one
 * of these over the same opaque state bytes; what the bytes mean is a {@link SessionEncoding}'s matter.
 *
 * RFC 5077 3.2: a ticket that cannot be opened is never an error. It is a reason, and a full handshake.
 */
import type { MaybePromise } from '../crypto/backend.js';

/**
 * Why a ticket did not open. Nothing of it reaches the peer.
 * - `malformed`: too short or too long for the layout, or authentic and yet not of its shape
 * - `unknown_key_name`: no key of the ring has this name
 * - `expired`: the key of this name has been wiped
 * - `bad_mac`: changed, or sealed under another key of the same name
 */
export type TicketRefusal = 'malformed' | 'unknown_key_name' | 'expired' | 'bad_mac';

/** `renew` asks for a new ticket beside the resumption, because a newer key seals by now. */
export type OpenedTicket =
  | { readonly state: Uint8Array; readonly renew: boolean; readonly reason?: never }
  | { readonly reason: TicketRefusal; readonly state?: never };

export interface TicketSealer {
  /**
   * A ticket around `state`, at most 65535 bytes; `state` is wiped afterwards. Throws `UsageError`: `no_sealing_key` while no key may seal,
   * `value_not_encodable` for a state that does not fit.
   */
  seal(state: Uint8Array): MaybePromise<Uint8Array>;
  /** What `ticket` holds, in an array of its own, which is wiped; or why it stays closed. Never throws, whatever the bytes. */
  open(ticket: Uint8Array): MaybePromise<OpenedTicket>;
  /** Milliseconds that a ticket sealed from now on can be opened at least; settings whose tickets would live longer are refused. */
  longestTicketLife?(): number;
}
