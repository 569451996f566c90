/**
 * `TLSSocket`: a connection as a Duplex over another one, with the names of `node:tls`.
 *
 * Differences that matter: errors are this library's own, a transport that ends without close_notify is an error and not an
 * end (RFC 5246 7.2.1: truncation), and a peer's close_notify ends both directions, as TLS 1.2 demands.
 */
import { X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { CipherNameAndProtocol, EphemeralKeyInfo } from 'node:tls';
import type { Connection, ConnectionOptions } from '../../connection/connection.js';
import type { CloseEvent, ConnectionEvent, HandshakeEvent } from '../../connection/events.js';
import { AlertError, PeerAlertError, UsageError } from '../../errors.js';
import type { Needs } from '../../handshake/needs.js';
import type { CertificateVerdict } from '../../handshake/settings.js';
import type { MaybePromise } from '../../crypto/backend.js';
import { clientSessionState } from '../../sessions/session-state.js';
import type { Session } from '../../sessions/session.js';
import { certificatePublicKey, parseCertificate } from '../x509/credentials.js';
import { opensslCipherName } from './names.js';
import { peerCertificate, type ChainedPeerCertificate } from './peer-certificate.js';
import { lingerAndDestroy } from './transport.js';

/** Application data is protected and handed to the transport in steps of this size, bytes. */
export const writeStep = 256 * 1024;

type Done = (error?: Error | null) => void;

export interface TLSSocketOptions {
  /** Makes the connection; `clientConnection` or `serverConnection` with its settings. */
  readonly begin: (options: ConnectionOptions) => Connection;
  readonly connection: Pick<ConnectionOptions, 'limits' | 'answers'>;
  readonly rejectUnauthorized: boolean;
  /** Milliseconds. */
  readonly handshakeTimeout: number;
}

export class TLSSocket extends Duplex {
  /** Always true; tells these sockets from plain ones. */
  readonly encrypted = true;
  /** What the handshake came to: mode, reason of a full handshake, suite and names. Set before `secureConnect`. */
  handshake: HandshakeEvent | undefined;
  /** Whether the peer's chain was accepted. */
  authorized = false;
  /** Why it was not, where `rejectUnauthorized` is false. */
  authorizationError: AlertError | null = null;
  readonly #transport: Duplex;
  readonly #connection: Connection;
  readonly #rejectUnauthorized: boolean;
  readonly #handshakeTimer: NodeJS.Timeout;
  #session: Session | undefined;
  /** A write or an end that waits for the handshake. */
  #waiting: { readonly run: () => void; readonly done: Done } | undefined;
  #handlingEvents = false;

  /** Use `connect` or `createServer`. Reads and writes `transport` from now on, and destroys it in the end. */
  constructor(transport: Duplex, options: TLSSocketOptions) {
    super({ allowHalfOpen: false, decodeStrings: true });
    this.#transport = transport;
    this.#rejectUnauthorized = options.rejectUnauthorized;
    this.#handshakeTimer = setTimeout(() => this.#timeOut(options.handshakeTimeout), options.handshakeTimeout);
    this.#connection = options.begin({
      ...options.connection,
      answers: { ...options.connection.answers, verify_certificate: (question) => this.#verify(question) },
      wake: () => this.#advance(),
    });
    transport.on('data', this.#receive);
    transport.on('end', this.#receiveEnd);
    transport.on('error', this.#transportFailed);
    transport.on('close', this.#transportClosed);
    // Not before the caller has had the chance to listen.
    process.nextTick(() => this.#advance());
  }

  /** `TLSv1.2`, or null before the handshake is complete. */
  getProtocol(): string | null {
    return this.handshake?.version ?? null;
  }

  /** The suite by OpenSSL's name and by IANA's; `undefined` before the handshake is complete. */
  getCipher(): CipherNameAndProtocol | undefined {
    if (this.handshake === undefined) return undefined;
    const { cipherSuite, version } = this.handshake;
    return { name: opensslCipherName(cipherSuite), standardName: cipherSuite, version };
  }

  /** Client: the group of the key exchange; an empty object if the session was resumed. Server: null. */
  getEphemeralKeyInfo(): EphemeralKeyInfo | object | null {
    if (this.#connection.role === 'server') return null;
    const group = this.handshake?.group;
    if (group === undefined) return {};
    return ephemeralKeys[group] ?? { type: 'ECDH', name: group, size: 0 };
  }

  /** Client: the session to resume with, for the option `session`. It holds the master secret: keep it like a private key. */
  getSession(): Buffer | undefined {
    return this.#session && Buffer.from(clientSessionState.encode(this.#session));
  }

  /** Client: the ticket in {@link getSession}, if there is one. */
  getTLSTicket(): Buffer | undefined {
    return this.#session?.ticket && Buffer.from(this.#session.ticket);
  }

  isSessionReused(): boolean {
    return this.handshake?.resumed ?? false;
  }

  /** The protocol that ALPN chose; false if there is none, null before the handshake is complete. */
  get alpnProtocol(): string | false | null {
    return this.handshake === undefined ? null : (this.handshake.alpnProtocol ?? false);
  }

  /** Server: the name that the client asked for, or false. Client: the name that was sent. */
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

  /** RFC 5705. Throws `UsageError` before the handshake is complete and after the connection is closed. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    return Buffer.from(this.#connection.exportKeyingMaterial(label, length, context));
  }

  override _read(): void {
    this.#resumeTransport();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#whenOpen(() => this.#send(chunk, done), done);
  }

  /** What was written while corked, or while the transport was busy, goes out together. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    const joined = Buffer.concat(chunks.map(({ chunk }) => chunk));
    this.#whenOpen(() => this.#send(joined, done), done);
  }

  /** close_notify, then the end of the transport's writable side. */
  override _final(done: Done): void {
    this.#whenOpen(() => {
      this.#connection.close();
      this.#flush();
      this.#transport.end(() => done());
    }, done);
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#handshakeTimer);
    this.#transport.off('data', this.#receive).off('end', this.#receiveEnd);
    if (this.#connection.state === 'closed') lingerAndDestroy(this.#transport);
    else {
      this.#connection.destroy();
      this.#transport.destroy();
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    done(error);
    waiting?.done(error ?? new UsageError('connection_not_open', 'the socket was destroyed'));
  }

  readonly #receive = (chunk: Buffer): void => {
    // A plain view: Buffer's own `slice` shares memory.
    this.#connection.receive(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#advance();
  };

  readonly #receiveEnd = (): void => {
    this.#connection.receiveEnd();
    this.#advance();
  };

  readonly #transportFailed = (error: Error): void => {
    this.#connection.destroy();
    this.destroy(error);
  };

  /** A transport that closes without having ended: destroyed by somebody else. */
  readonly #transportClosed = (): void => {
    if (!this.destroyed && this.#connection.state !== 'closed') this.#receiveEnd();
  };

  /** Sends what waits to be sent and handles what has happened. */
  #advance(): void {
    if (this.destroyed) return;
    this.#flush();
    if (this.#handlingEvents) return; // the loop below goes on with what is new
    this.#handlingEvents = true;
    try {
      for (let events = this.#connection.takeEvents(); events.length > 0; events = this.#connection.takeEvents())
        for (const event of events) this.#handle(event);
    } finally {
      this.#handlingEvents = false;
    }
    if (this.#connection.waiting) this.#transport.pause();
    else if (this.#connection.state === 'handshake') this.#resumeTransport();
  }

  #handle(event: ConnectionEvent): void {
    if (this.destroyed) return;
    switch (event.type) {
      case 'handshake':
        this.#opened(event);
        break;
      case 'session':
        this.#session = event.session;
        if (this.handshake?.mode === 'full' || this.handshake?.newTicket === true)
          this.emit('session', this.getSession());
        break;
      case 'data':
        if (!this.push(event.data)) this.#transport.pause();
        break;
      case 'warning':
        break;
      case 'close':
        this.#closed(event);
    }
  }

  #opened(event: HandshakeEvent): void {
    clearTimeout(this.#handshakeTimer);
    this.handshake = event;
    this.emit('handshake', event);
    this.emit('secure');
    if (this.#connection.role === 'client') this.emit('secureConnect');
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.run();
  }

  #closed({ reason, error }: CloseEvent): void {
    if (error !== undefined) this.destroy(error);
    else if (reason === 'truncated' && !this.writableEnded) this.destroy(truncated());
    else {
      // RFC 5246 7.2.1: the peer's close_notify ends our side as well.
      this.push(null);
      if (!this.writableFinished) this.#transport.end();
    }
  }

  #whenOpen(run: () => void, done: Done): void {
    if (this.#connection.state === 'handshake') this.#waiting = { run, done };
    else run();
  }

  #send(data: Uint8Array, done: Done): void {
    if (this.#connection.state === 'closed') {
      done(new PeerAlertError('close_notify'));
      return;
    }
    this.#connection.write(data.length <= writeStep ? data : data.subarray(0, writeStep));
    this.#flush(
      data.length <= writeStep ? done : (error) => (error ? done(error) : this.#send(data.subarray(writeStep), done)),
    );
  }

  #flush(done?: Done): void {
    const output = this.#connection.takeOutput();
    if (output.length > 0) this.#transport.write(output, done);
    else done?.();
  }

  #resumeTransport(): void {
    if (!this.#connection.waiting) this.#transport.resume();
  }

  #verify({ verifier, peer }: Needs['verify_certificate']['question']): MaybePromise<CertificateVerdict> {
    const verdict = verifier(peer);
    return verdict instanceof Promise
      ? verdict.then((later) => this.#judge(later, peer.certificates))
      : this.#judge(verdict, peer.certificates);
  }

  /** Remembers the verdict, and turns it where anybody is let in. */
  #judge(verdict: CertificateVerdict, [leaf]: readonly Uint8Array[]): CertificateVerdict {
    this.authorized = verdict.accepted;
    this.authorizationError = verdict.accepted ? null : new AlertError(verdict.alert, verdict.reason);
    if (verdict.accepted || this.#rejectUnauthorized) return verdict;
    const certificate = leaf && parseCertificate(leaf);
    const publicKey = certificate && certificatePublicKey(certificate);
    return publicKey === undefined ? verdict : { accepted: true, publicKey };
  }

  #timeOut(milliseconds: number): void {
    this.destroy(new AlertError('user_canceled', `the handshake took more than ${String(milliseconds)} ms`));
  }
}

function truncated(): AlertError {
  const message = 'the transport ended without close_notify: data may be missing';
  return new AlertError('close_notify', message, { code: 'truncated' });
}

/** What OpenSSL says of the groups. */
const ephemeralKeys: Readonly<Record<string, EphemeralKeyInfo>> = {
  x25519: { type: 'ECDH', name: 'X25519', size: 253 },
  secp256r1: { type: 'ECDH', name: 'prime256v1', size: 256 },
  secp384r1: { type: 'ECDH', name: 'secp384r1', size: 384 },
};
