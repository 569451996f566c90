/**
 * `TLSSocket`: a connection as a Duplex over another one, with the names of `node:tls`.
 *
 * Differences that matter: errors are this library's own, a transport that ends without close_notify is an error and not an
 * end (RFC 5246 7.2.1: truncation), and a peer's close_notify ends both directions, as TLS 1.2 demands.
 */
import { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { CipherNameAndProtocol, EphemeralKeyInfo } from 'node:tls';
import type { Connection, ConnectionOptions } from '../../connection/connection.js';
import type { CloseEvent, ConnectionEvent, HandshakeEvent } from '../../connection/events.js';
import type { MaybePromise } from '../../crypto/backend.js';
import { goOn } from '../../crypto/maybe-promise.js';
import { AlertError, PeerAlertError, UsageError } from '../../errors.js';
import type { Needs } from '../../handshake/needs.js';
import type { CertificateVerdict } from '../../handshake/settings.js';
import { clientSessionState } from '../../sessions/session-state.js';
import { leafPublicKey } from '../x509/node-verifier.js';
import type { Listener, TLSSocketEvents } from './socket-events.js';
import { cipherOf, ephemeralKeyOf, peerCertificate, type ChainedPeerCertificate } from './session-facts.js';
import { SocketStream } from './socket-stream.js';

/** Application data is protected and handed to the transport in steps of this size, bytes. */
export const writeStep = 256 * 1024;

type Done = (error?: Error | null) => void;

export interface TLSSocketOptions {
  /** Makes the connection: `clientConnection` or `serverConnection` with its settings. */
  readonly begin: (options: ConnectionOptions) => Connection;
  readonly connection: Pick<ConnectionOptions, 'limits' | 'answers'>;
  readonly rejectUnauthorized: boolean;
  /** Milliseconds. */
  readonly handshakeTimeout: number;
}

export class TLSSocket extends SocketStream {
  /** Always true; tells these sockets from plain ones. */
  readonly encrypted = true;
  /** What the handshake came to: mode, reason of a full handshake, suite and names. Set before `secureConnect`. */
  handshake: HandshakeEvent | undefined;
  /** Whether the peer's chain was accepted. */
  authorized = false;
  /** Why it was not, where `rejectUnauthorized` is false. */
  authorizationError: AlertError | null = null;
  readonly #connection: Connection;
  readonly #rejectUnauthorized: boolean;
  readonly #handshakeTimer: NodeJS.Timeout;
  /** A write or an end that waits for the handshake. */
  #waiting: { readonly run: () => void; readonly done: Done } | undefined;
  /** The reader has enough for now. */
  #isFull = false;
  #isHandlingEvents = false;

  /** Use `connect` or `createServer`. Reads and writes `transport` from now on, and destroys it in the end. */
  constructor(transport: Duplex, options: TLSSocketOptions) {
    super(transport);
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
    return this.handshake && cipherOf(this.handshake);
  }

  /** Client: the group of the key exchange; an empty object if the session was resumed. Server: null. */
  getEphemeralKeyInfo(): EphemeralKeyInfo | object | null {
    if (this.#connection.role === 'server') return null;
    return this.handshake === undefined ? {} : ephemeralKeyOf(this.handshake);
  }

  /** Client: the session to resume with, for the option `session`. It holds the master secret: keep it like a private key. */
  getSession(): Buffer | undefined {
    const session = this.#connection.handshake?.session;
    return session && Buffer.from(clientSessionState.encode(session));
  }

  /** Client: the ticket in {@link getSession}, if there is one. */
  getTLSTicket(): Buffer | undefined {
    const ticket = this.#connection.handshake?.session?.ticket;
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

  /** RFC 5705. Throws `UsageError` before the handshake is complete and after the connection is closed. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    return Buffer.from(this.#connection.exportKeyingMaterial(label, length, context));
  }

  override on<E extends keyof TLSSocketEvents>(event: E, listener: (...parameters: TLSSocketEvents[E]) => void): this;
  override on(event: string | symbol, listener: Listener): this;
  override on(event: string | symbol, listener: Listener): this {
    return super.on(event, listener);
  }

  override once<E extends keyof TLSSocketEvents>(event: E, listener: (...parameters: TLSSocketEvents[E]) => void): this;
  override once(event: string | symbol, listener: Listener): this;
  override once(event: string | symbol, listener: Listener): this {
    return super.once(event, listener);
  }

  override _read(): void {
    this.#isFull = false;
    this.#pauseOrResume();
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
      this.transport.end(() => done());
    }, done);
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#handshakeTimer);
    this.transport.off('data', this.#receive).off('end', this.#receiveEnd);
    if (this.#connection.state === 'closed') this.lingerAndDestroy();
    else {
      this.#connection.destroy();
      this.transport.destroy();
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
    if (this.#isHandlingEvents) return; // the loop below goes on with what is new
    this.#isHandlingEvents = true;
    try {
      for (let events = this.#connection.takeEvents(); events.length > 0; events = this.#connection.takeEvents())
        for (const event of events) this.#handle(event);
    } finally {
      this.#isHandlingEvents = false;
    }
    this.#pauseOrResume();
  }

  #handle(event: ConnectionEvent): void {
    if (this.destroyed) return;
    switch (event.type) {
      case 'handshake':
        this.#opened(event);
        break;
      case 'session':
        if (this.handshake?.mode === 'full' || this.handshake?.newTicket === true)
          this.emit('session', this.getSession());
        break;
      case 'data':
        this.#isFull = !this.push(event.data);
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
    // Who has said the end himself need not wait for the peer's close_notify (RFC 5246 7.2.1).
    else if (reason === 'truncated' && !this.writableEnded) this.destroy(truncated());
    else {
      this.push(null);
      this.read(0); // or nobody who does not read would hear of the end, as in net.Socket
      this.transport.end();
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
    const isLast = data.length <= writeStep;
    this.#connection.write(isLast ? data : data.subarray(0, writeStep));
    this.#flush(isLast ? done : (error) => (error ? done(error) : this.#send(data.subarray(writeStep), done)));
  }

  #flush(done?: Done): void {
    const output = this.#connection.takeOutput();
    if (output.length > 0) this.transport.write(output, done);
    else done?.();
  }

  #pauseOrResume(): void {
    if (this.destroyed) return;
    if (this.#isFull || this.#connection.waiting) this.transport.pause();
    else if (this.transport.isPaused()) this.transport.resume();
  }

  #verify({ verifier, peer }: Needs['verify_certificate']['question']): MaybePromise<CertificateVerdict> {
    return goOn(verifier(peer), (verdict) => this.#judge(verdict, peer.certificates));
  }

  /** Remembers the verdict, and turns it where anybody is let in. */
  #judge(verdict: CertificateVerdict, certificates: readonly Uint8Array[]): CertificateVerdict {
    this.authorized = verdict.accepted;
    this.authorizationError = verdict.accepted ? null : new AlertError(verdict.alert, verdict.reason);
    const publicKey = verdict.accepted || this.#rejectUnauthorized ? undefined : leafPublicKey(certificates);
    return publicKey === undefined ? verdict : { accepted: true, publicKey };
  }

  #timeOut(milliseconds: number): void {
    const message = `the handshake took more than ${String(milliseconds)} ms`;
    this.destroy(new AlertError('user_canceled', message, { code: 'handshake_timeout' }));
  }
}

function truncated(): AlertError {
  const message = 'the transport ended without close_notify: data may be missing';
  return new AlertError('close_notify', message, { code: 'truncated' });
}
