/**
 * One handshake: what holds for both versions (`handshake-base.ts`) and the secrets of the version that it comes to.
 *
 * `destroy` wipes every secret; drivers see to it that it runs whichever way a handshake ends.
 */
import { empty, wipe } from '../bytes.js';
import { UsageError } from '../errors.js';
import type { BindingRefusal } from '../sessions/binding-refusal.js';
import { isAllZero } from '../sessions/decode.js';
import { isClientState } from '../sessions/session-state.js';
import { secretOf, wipeSession, type Session, type SessionEncoding } from '../sessions/session.js';
import { HandshakeBase, type TakenTicket } from './handshake-base.js';
import type { ClientSettings, ServerSettings } from './settings.js';
import { Tls12State } from './tls12-state.js';
import { Tls13State } from './tls13-state.js';

export class HandshakeState<Settings extends ClientSettings | ServerSettings> extends HandshakeBase<Settings> {
  #tls12: Tls12State | undefined;
  #tls13: Tls13State | undefined;
  #borrowed: (() => void)[] | undefined;

  get tls12(): Tls12State {
    return (this.#tls12 ??= new Tls12State(this));
  }

  get tls13(): Tls13State {
    return (this.#tls13 ??= new Tls13State(this));
  }

  /** RFC 5705 and RFC 8446 7.5 keying material. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    return this.version === 'TLSv1.3'
      ? this.tls13.exportKeyingMaterial(label, context ?? empty, length)
      : this.tls12.exportKeyingMaterial(label, context, length);
  }

  /** RFC 5929 3. */
  get tlsUnique(): Uint8Array {
    if (this.version === 'TLSv1.3')
      throw new UsageError('invalid_option', 'TLS 1.3 has tls-exporter, and no tls-unique');
    return this.tls12.tlsUnique;
  }

  /** The ticket that was taken out of a store for this handshake, and may have to go back. */
  taken: TakenTicket | undefined;

  /** Registers how to forget a secret that a flow works with: called once when the handshake is over, whichever way that comes. */
  atEnd(forget: () => void): void {
    (this.#borrowed ??= []).push(forget);
  }

  /**
   * A session that was looked up for this handshake, or why there is none: the bytes are wiped at once, and its secret when the handshake
   * is over. P-state-2: none whose secret was a view on the bytes, and is zeros by now, which everybody knows.
   */
  openSession(
    encoding: SessionEncoding,
    state: Uint8Array,
    serverName: string | undefined,
  ): Session | BindingRefusal | 'unreadable_state' {
    const { binding, now } = this.settings;
    const { applicationContext, clientAuthenticationPolicy } = binding;
    const session = encoding.decode(state, { serverName, applicationContext, clientAuthenticationPolicy, now: now() });
    // What a client has written is in a store that both roles share, or under a key of both.
    const isOfClient = session === undefined && this.role === 'server' && isClientState(state);
    wipe(state);
    if (typeof session === 'string') return session;
    if (isOfClient) return 'role_mismatch';
    if (session === undefined || isAllZero(secretOf(session))) return 'unreadable_state';
    this.atEnd(() => {
      wipeSession(session);
    });
    return session;
  }

  /** The handshake is over: only what exporters need stays, and of messages no more than their randoms. */
  complete(): void {
    this.#giveBack();
    this.transcript.close();
    this.#tls12?.complete();
    this.#tls13?.complete();
    // TLS 1.2 exports with both, and a key log goes on with the client's.
    const isTls13 = this.version === 'TLSv1.3';
    this.clientRandom = isTls13 && this.settings.keyLog === undefined ? empty : this.clientRandom.slice();
    this.serverRandom = isTls13 ? empty : this.serverRandom.slice();
  }

  /** Wipes what is secret. The protections in use belong to the record layer. */
  destroy(): void {
    this.#giveBack();
    this.#tls12?.destroy();
    this.#tls13?.destroy();
  }

  #giveBack(): void {
    const borrowed = this.#borrowed ?? [];
    this.#borrowed = undefined;
    for (const forget of borrowed) {
      try {
        forget();
      } catch {
        // Whatever a backend has answered here, the others are forgotten, and the connection ends as it was going to.
      }
    }
  }
}

/** What a server's sessions are bound to by its configuration. */
export function boundTo({
  binding,
}: ServerSettings): Pick<Session, 'applicationContext' | 'clientAuthenticationPolicy'> {
  const { applicationContext, clientAuthenticationPolicy } = binding;
  return { applicationContext, ...(clientAuthenticationPolicy !== undefined && { clientAuthenticationPolicy }) };
}

export type ClientHandshake = HandshakeState<ClientSettings>;
export type ServerHandshake = HandshakeState<ServerSettings>;
