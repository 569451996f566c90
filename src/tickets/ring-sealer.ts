/**
 * `RingSealer`: tickets in any layout under the keys of a ring.
 *
 * The surprising thing: a layout without key names has every key tried on a ticket, so that a forged one costs a MAC for each key.
 */
import { UsageError } from '../errors.js';
import type { KeyRing } from './key-ring.js';
import { longestTicket, type TicketLayout } from './layout.js';
import { rfc5077Layout } from './layouts/rfc5077.js';
import type { RingKey } from './ring-key.js';
import type { OpenedTicket, TicketRefusal, TicketSealer } from './sealer.js';

export interface RingSealerOptions {
  readonly keys: KeyRing;
  /** Default: that of RFC 5077 section 4. */
  readonly layout?: TicketLayout;
}

/** Synchronous. Counters and renewal are the key ring's. Throws `UsageError('invalid_key')` if the layout has no use for one of the keys. */
export class RingSealer implements TicketSealer {
  readonly #keys: KeyRing;
  readonly #layout: TicketLayout;

  constructor({ keys, layout = rfc5077Layout }: RingSealerOptions) {
    this.#keys = keys;
    this.#layout = layout;
    keys.use(layout);
  }

  seal(state: Uint8Array): Uint8Array {
    const { name, longestState } = this.#layout;
    if (state.length > longestState) {
      throw new UsageError(
        'value_not_encodable',
        `ticket state of ${String(state.length)} bytes, at most ${String(longestState)} fit into layout ${name}`,
      );
    }
    const key = this.#keys.sealingKey().for(this.#layout);
    if (key === undefined) throw new UsageError('no_sealing_key', 'the ticket key has expired');
    return key.seal(state);
  }

  open(ticket: Uint8Array): OpenedTicket {
    const { keyName, shortestTicket } = this.#layout;
    if (ticket.length < shortestTicket || ticket.length > longestTicket) return refusals.malformed;
    if (keyName === undefined) return this.#tryAll(ticket);
    const key = this.#keys.openingKey(ticket, keyName.offset);
    return typeof key === 'string' ? refusals[key] : this.#openWith(key, ticket);
  }

  longestTicketLife(): number {
    return this.#keys.longestTicketLife();
  }

  /** Without a name a ticket of another key and a forged one are the same: `unknown_key_name`. */
  #tryAll(ticket: Uint8Array): OpenedTicket {
    for (const key of this.#keys.openingKeys()) {
      const opened = this.#openWith(key, ticket);
      if (opened.reason !== 'bad_mac') return opened;
    }
    return refusals.unknown_key_name;
  }

  #openWith(key: RingKey, ticket: Uint8Array): OpenedTicket {
    const state = key.for(this.#layout)?.open(ticket) ?? 'expired';
    return typeof state === 'string' ? refusals[state] : { state, renew: this.#keys.countOpened(key) };
  }
}

const refusals: { readonly [reason in TicketRefusal]: { readonly reason: reason } } = {
  malformed: { reason: 'malformed' },
  unknown_key_name: { reason: 'unknown_key_name' },
  expired: { reason: 'expired' },
  bad_mac: { reason: 'bad_mac' },
};
