/** What a TLS socket tells of its connection, in the words of `node:tls`. */
import { X509Certificate } from 'node:crypto';
import type { CipherNameAndProtocol, EphemeralKeyInfo } from 'node:tls';
import type { Connection } from '../../connection/connection.js';
import type { HandshakeEvent } from '../../connection/events.js';
import type { AlertError } from '../../errors.js';
import { clientSessionState } from '../../sessions/session-state.js';
import type { Session } from '../../sessions/session.js';
import { cipherOf, ephemeralKeyOf, peerCertificate, type ChainedPeerCertificate } from './session-facts.js';
import { sessionBuffer } from './session-buffer.js';
import { SocketStream } from './socket-stream.js';

export abstract class SecureStream extends SocketStream {
  /** Always true; tells these sockets from plain ones. */
  readonly encrypted = true;
  /** What the handshake came to: mode, reason of a full handshake, suite, group and names. Set before `secureConnect`. */
  handshake: HandshakeEvent | undefined;
  /** Whether the peer's chain was accepted. */
  authorized = false;
  /** Why it was not, where `rejectUnauthorized` is false. */
  authorizationError: AlertError | null = null;
  /** Client: the newest session. */
  protected session: Session | undefined;
  protected abstract readonly connection: Connection;

  /** `TLSv1.2` or `TLSv1.3`, or null before the handshake is complete. */
  getProtocol(): string | null {
    return this.handshake?.version ?? null;
  }

  /** The suite by OpenSSL's name and by IANA's; `undefined` before the handshake is complete. */
  getCipher(): CipherNameAndProtocol | undefined {
    return this.handshake && cipherOf(this.handshake);
  }

  /** Client: the group of the key exchange; an empty object if there was none, or a hybrid one. Server: null. */
  getEphemeralKeyInfo(): EphemeralKeyInfo | object | null {
    if (this.connection.role === 'server') return null;
    return this.handshake === undefined ? {} : ephemeralKeyOf(this.handshake);
  }

  /**
   * Client: the newest session, for the option `session`; in TLS 1.3 there is none before the first ticket, see the event `session`.
   * It holds a secret: keep it like a private key.
   */
  getSession(): Buffer | undefined {
    return this.session && sessionBuffer(clientSessionState.encode(this.session));
  }

  /** Client: the ticket in {@link getSession}, if there is one. */
  getTLSTicket(): Buffer | undefined {
    const ticket = this.session?.ticket;
    return ticket && Buffer.from(ticket);
  }

  isSessionReused(): boolean {
    return this.handshake?.resumed ?? false;
  }

  /** The protocol that ALPN chose; false if there is none, null before the handshake is complete. */
  get alpnProtocol(): string | false | null {
    return this.handshake === undefined ? null : (this.handshake.alpnProtocol ?? false);
  }

  /** The name in the ClientHello; false if there is none, null before the handshake is complete. */
  get servername(): string | false | null {
    return this.handshake === undefined ? null : (this.handshake.serverName ?? false);
  }

  /** The peer's certificate; empty if it showed none. With `detailed`, its issuers as it sent them. */
  getPeerCertificate(detailed = false): ChainedPeerCertificate | object {
    return peerCertificate(this.handshake?.peerCertificates ?? [], detailed) ?? {};
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    const [leaf] = this.handshake?.peerCertificates ?? [];
    return leaf && new X509Certificate(leaf);
  }

  /** RFC 5705, RFC 8446 7.5. Throws `UsageError` before the handshake is complete and after the connection is closed. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    return Buffer.from(this.connection.exportKeyingMaterial(label, length, context));
  }
}
