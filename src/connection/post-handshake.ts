/**
 * What comes after a TLS 1.3 handshake (RFC 8446 4.6): tickets and key updates. A small state beside the connection, no flow: these
 * messages belong to no order.
 */
import { AlertError } from '../errors.js';
import type { HandshakeState } from '../handshake/handshake-state.js';
import type { Handshake } from '../handshake/needs.js';
import type { ClientSettings, ServerSettings } from '../handshake/settings.js';
import { checkQuicTicket, receiveTicket } from '../handshake/tickets-tls13.js';
import { keyUpdate, newSessionTicket } from '../messages/index.js';
import { handshakeTypes } from '../parameters.js';
import { handshakeHeaderLength, type RawHandshake } from '../record/handshake-joiner.js';
import type { Tls13Session } from '../sessions/session.js';
import type { ConnectionLimits } from './limits.js';

export type AnyHandshakeState = HandshakeState<ClientSettings> | HandshakeState<ServerSettings>;

export class PostHandshake {
  readonly #hs: AnyHandshakeState;
  readonly #limits: ConnectionLimits;
  #tickets = 0;
  #keyUpdatesInARow = 0;
  /** The peer wants to see new keys of ours. */
  #updateDue = false;
  /** We want to see new keys of the peer (RFC 9846 4.7.3: asked for once at a time). */
  #updateAwaited = false;

  constructor(hs: AnyHandshakeState, limits: ConnectionLimits) {
    this.#hs = hs;
    this.#limits = limits;
  }

  /** A message that is no KeyUpdate and no ticket has no place here; a ticket may take a flow to keep. */
  handle(message: RawHandshake, ticketFlow: (flow: Handshake<Tls13Session | undefined>) => void): void {
    const { type, bytes } = message;
    if (type === handshakeTypes.key_update) this.#handleKeyUpdate(bytes);
    else if (type === handshakeTypes.new_session_ticket && isClient(this.#hs)) {
      const body = newSessionTicket.decode(bytes.subarray(handshakeHeaderLength));
      if (this.#hs.settings.transport === 'quic') checkQuicTicket(body);
      // P-state-9: more than anybody will use are not worth a derivation.
      if (this.#hs.resumable !== undefined && ++this.#tickets <= this.#limits.maxSessionTickets)
        ticketFlow(receiveTicket(this.#hs, body));
    } else throw new AlertError('unexpected_message', `got handshake message ${type} after the handshake`);
  }

  /** RFC 8446 4.6.3. */
  #handleKeyUpdate(bytes: Uint8Array): void {
    // RFC 9001 6: whatever it says.
    if (this.#hs.settings.transport === 'quic') throw new AlertError('unexpected_message', 'got a KeyUpdate in QUIC');
    const { requestUpdate } = keyUpdate.decode(bytes.subarray(handshakeHeaderLength));
    if (requestUpdate !== 'update_requested' && requestUpdate !== 'update_not_requested')
      throw new AlertError('illegal_parameter', `got a KeyUpdate with ${requestUpdate}`);
    if (++this.#keyUpdatesInARow > this.#limits.maxKeyUpdatesInARow)
      throw new AlertError(
        'unexpected_message',
        `got more than ${this.#limits.maxKeyUpdatesInARow} KeyUpdates in a row`,
      );
    this.#hs.tls13.update(this.#hs.role === 'client' ? 'server' : 'client');
    this.#updateAwaited = false;
    this.#updateDue ||= requestUpdate === 'update_requested';
  }

  /** Application data came: whoever updates keys now and then uses them as well. */
  dataReceived(): void {
    this.#keyUpdatesInARow = 0;
  }

  /** RFC 8446 4.6.3: before our next application data, once for however many requests came while we were silent. */
  answerKeyUpdate(): void {
    if (this.#updateDue) this.updateKeys(false);
  }

  /** RFC 8446 4.6.3. */
  updateKeys(requestPeer: boolean): void {
    const request = requestPeer && !this.#updateAwaited;
    this.#updateAwaited ||= request;
    this.#updateDue = false;
    this.#hs.sendAfterHandshake({
      type: 'key_update',
      body: { requestUpdate: request ? 'update_requested' : 'update_not_requested' },
    });
    this.#hs.tls13.update(this.#hs.role);
  }
}

function isClient(hs: AnyHandshakeState): hs is HandshakeState<ClientSettings> {
  return hs.role === 'client';
}
