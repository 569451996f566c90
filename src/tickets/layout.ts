/**
 * `TicketLayout`: how a server lays out a sealed ticket, key name, IV, ciphertext and MAC (RFC 5077 4 recommends one way, and servers
 * have many). A layout knows nothing of what the state means, nor of rings: it turns one key into something that seals and opens.
 *
 * The surprising thing: `open` of every layout looks at nothing but lengths before the MAC is found right. Forged bytes under a known
 * name thus cost one MAC and one comparison whatever is wrong with them, and there is no padding oracle.
 */
import type { CryptoBackend } from '../crypto/backend.js';
import type { TicketKey } from './ticket-key.js';

/** RFC 5077 3.3, RFC 8446 4.6.1: `opaque ticket<0..2^16-1>`. */
export const longestTicket = 2 ** 16 - 1;

/** The layout of one kind of server. Layouts are compared by identity: one object for each, frozen by convention. */
export interface TicketLayout {
  /** What people call it: `openssl`, `s2n`. */
  readonly name: string;
  /** Where the name of the key stands in a ticket. Left out where a ticket has none, and every key is tried. */
  readonly keyName?: { readonly offset: number; readonly length: number };
  /** Bytes of the shortest ticket that can be one. */
  readonly shortestTicket: number;
  /** Bytes of the longest state that fits into a ticket of 65535 bytes. */
  readonly longestState: number;
  /**
   * Sets a key up for as long as it lives; works on copies of its bytes. Throws `UsageError('invalid_key')` for a key of another kind
   * or of lengths that this layout has no use for. Whether the key is a strong one is not asked here.
   */
  prepare(crypto: CryptoBackend, key: TicketKey): LayoutKey;
}

/** One key, ready for one layout. */
export interface LayoutKey {
  /** The ticket around `state`, which is `longestState` bytes at the most and is left as it is. */
  seal(state: Uint8Array): Uint8Array;
  /**
   * The state in an array of its own; `bad_mac` where it does not authenticate, `malformed` where it does and is not of the layout's
   * shape. `ticket` has from `shortestTicket` to 65535 bytes, and where the layout has a name, this key's. Never throws.
   */
  open(ticket: Uint8Array): Uint8Array | 'malformed' | 'bad_mac';
  /** Wipes what can be wiped; neither method may be called afterwards. */
  destroy(): void;
}
