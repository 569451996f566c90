/**
 * `TLSSocket`: a connection as a Duplex over another one, with the names of `node:tls`.
 *
 * Differences that matter: errors are this library's own, a transport that ends without close_notify is an error and not an
 * end (RFC 5246 7.2.1: truncation), and in TLS 1.2 a peer's close_notify ends both directions, as it demands.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Connection, ConnectionOptions } from '../../connection/connection.js';
import type { CloseEvent, ConnectionEvent, HandshakeEvent } from '../../connection/events.js';
import { AlertError, PeerAlertError, UsageError } from '../../errors.js';
import { giveArray, takeArray, writeStep } from './output-pool.js';
import { SecureStream } from './secure-stream.js';
import type { Listener, TLSSocketEvents } from './socket-events.js';
import { Verdicts } from './verdicts.js';

type Done = (error?: Error | null) => void;

export interface TLSSocketOptions {
  /** Makes the connection: `clientConnection` or `serverConnection` with its settings. */
  readonly begin: (options: ConnectionOptions) => Connection;
  readonly connection: Pick<ConnectionOptions, 'answers' | 'limits'>;
  /** TLS 1.3: whether our direction stays open when the peer has closed its own. */
  readonly allowHalfOpen: boolean;
  readonly rejectUnauthorized: boolean;
  /** Milliseconds. */
  readonly handshakeTimeout: number;
  /** Client: to be sent with the ClientHello, if it may be. */
  readonly earlyData?: Uint8Array;
}

export class TLSSocket extends SecureStream {
  protected readonly connection: Connection;
  readonly #verdicts: Verdicts;
  #handshakeTimer: NodeJS.Timeout | undefined;
  #earlyData: Uint8Array | undefined;
  #earlyDataSent = false;
  #earlyBytes = 0;
  /** A write or an end that waits for the handshake. */
  #waiting: { readonly run: () => void; readonly done: Done } | undefined;
  /** Our end, which waits for tickets that are under way; for a while. */
  #end: (() => void) | undefined;
  #endTimer: NodeJS.Timeout | undefined;
  /** The reader has enough for now. */
  #isFull = false;
  #isHandlingEvents = false;

  /** Use `connect` or `createServer`. Reads and writes `transport` from now on, and destroys it in the end. */
  constructor(transport: Duplex, options: TLSSocketOptions) {
    super(transport, options.allowHalfOpen);
    this.#earlyData = options.earlyData;
    this.#verdicts = new Verdicts(options.rejectUnauthorized);
    this.#handshakeTimer = setTimeout(() => this.#timeOut(options.handshakeTimeout), options.handshakeTimeout);
    this.connection = options.begin({
      ...options.connection,
      // The stream ends our direction, with all that waits to be written.
      halfClose: true,
      // A TCP socket is through with what it has written; what other streams do with it nobody knows.
      ...(transport instanceof Socket && { allocateOutput: takeArray }),
      answers: { ...options.connection.answers, verify_certificate: this.#verdicts.ask },
      wake: () => this.#advance(),
    });
    transport.on('data', this.#receive);
    transport.on('end', this.#receiveEnd);
    transport.on('error', this.#transportFailed);
    transport.on('close', this.#transportClosed);
    // Not before the caller has had the chance to listen.
    process.nextTick(() => this.#advance());
  }

  /**
   * How many of the stream's first bytes came as early data (server), so that anybody may have sent them before; or were sent as early
   * data (client).
   */
  get earlyDataBytes(): number {
    return this.handshake?.earlyDataBytes ?? this.#earlyBytes;
  }

  /** Client: whether the server has read all of the option `earlyData`. Known with `secureConnect`. */
  get earlyDataAccepted(): boolean {
    return this.#earlyDataSent && this.handshake?.earlyData === 'accepted';
  }

  /**
   * Server, TLS 1.3: writes before the handshake is complete, in answer to early data. The client has proven nothing yet: it may
   * be a replay, or lack a certificate. Comes before all that `write` sends. Throws `UsageError` before our Finished is sent.
   */
  writeHalfRtt(data: Uint8Array): void {
    this.connection.writeHalfRtt(data);
    this.#advance();
  }

  /** Server, TLS 1.3: sends so many tickets, or as many as after a handshake. Throws `UsageError` where there can be none. */
  sendTickets(count?: number): void {
    this.connection.sendTickets(count);
    this.#advance();
  }

  /** From now on our records hold so many bytes at most, 512 to 16384; `false` for any other size, which changes nothing. */
  setMaxSendFragment(size = 16_384): boolean {
    if (!Number.isInteger(size) || size < 512 || size > 16_384) return false;
    this.connection.limitFragments(size);
    return true;
  }

  /** TLS 1.3: new keys for what we send, and for what the peer sends if asked (RFC 8446 4.6.3). Throws `UsageError` in TLS 1.2. */
  updateKeys(options: { readonly requestPeer?: boolean } = {}): void {
    this.connection.updateKeys(options);
    this.#advance();
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
    this.#whenOpen(() => {
      const length = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);
      const joined = takeArray(length);
      let at = 0;
      for (const { chunk } of chunks) {
        joined.set(chunk, at);
        at += chunk.length;
      }
      this.#send(joined, (error) => {
        joined.fill(0);
        giveArray(joined);
        done(error);
      });
    }, done);
  }

  /** close_notify, then the end of the transport's writable side. */
  override _final(done: Done): void {
    this.#whenOpen(() => {
      this.#end = () => {
        clearTimeout(this.#endTimer);
        this.#end = undefined;
        this.connection.close();
        this.#flush();
        this.transport.end(() => done());
      };
      if (this.connection.sendingTickets) this.#endTimer = setTimeout(this.#end, ticketPatience);
      else this.#end();
    }, done);
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#handshakeTimer);
    clearTimeout(this.#endTimer);
    this.transport.off('data', this.#receive).off('end', this.#receiveEnd);
    if (this.connection.state === 'closed') this.lingerAndDestroy();
    else {
      this.connection.destroy();
      this.transport.destroy();
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    done(error);
    waiting?.done(error ?? new UsageError('connection_not_open', 'the socket was destroyed'));
  }

  readonly #receive = (chunk: Buffer): void => {
    // A plain view: Buffer's own `slice` shares memory.
    this.connection.receive(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#advance();
  };

  readonly #receiveEnd = (): void => {
    this.connection.receiveEnd();
    this.#advance();
  };

  readonly #transportFailed = (error: Error): void => {
    this.connection.destroy();
    this.destroy(error);
  };

  /** A transport that closes without having ended was destroyed by somebody else; after the end of one direction, the other goes too. */
  readonly #transportClosed = (): void => {
    if (this.destroyed || this.connection.state === 'closed') return;
    this.#receiveEnd();
    if (this.readableEnded) this.destroy();
  };

  /** Sends what waits to be sent and handles what has happened. */
  #advance(): void {
    if (this.destroyed) return;
    this.#sendEarlyData();
    this.#flush();
    if (this.#isHandlingEvents) return; // the loop below goes on with what is new
    this.#isHandlingEvents = true;
    try {
      for (let events = this.connection.takeEvents(); events.length > 0; events = this.connection.takeEvents())
        for (const event of events) this.#handle(event);
    } finally {
      this.#isHandlingEvents = false;
    }
    if (!this.connection.sendingTickets) this.#end?.();
    this.#pauseOrResume();
  }

  /** As soon as it is known which session is offered, and none of a refused server; then it leaves together with the ClientHello. */
  #sendEarlyData(): void {
    const data = this.#earlyData;
    if (data === undefined || this.connection.earlyDataAllowance < data.length || !this.#verdicts.areAllGood) return;
    this.#earlyData = undefined;
    this.connection.writeEarlyData(data);
    this.#earlyDataSent = true;
  }

  #handle(event: ConnectionEvent): void {
    if (this.destroyed) return;
    switch (event.type) {
      case 'handshake':
        this.#opened(event);
        break;
      case 'early_data':
        this.emit('earlyData', event);
        break;
      case 'session':
        this.session = event.session;
        // A resumption of TLS 1.2 without a new ticket goes on with the session that it was given.
        if (
          event.session.version === 'TLSv1.3' ||
          this.handshake?.mode === 'full' ||
          this.handshake?.newTicket === true
        )
          this.emit('session', this.getSession());
        break;
      case 'data':
        if (event.early) this.#earlyBytes += event.data.length;
        this.#isFull = !this.push(event.data);
        break;
      case 'warning':
        break;
      case 'end':
        this.#endReading();
        break;
      case 'close':
        this.#closed(event);
    }
  }

  #opened(event: HandshakeEvent): void {
    clearTimeout(this.#handshakeTimer);
    this.#handshakeTimer = this.#earlyData = undefined;
    this.handshake = event;
    this.session = this.connection.handshake?.session;
    const { authorized, authorizationError } = this.#verdicts.about(event.peerCertificates);
    this.authorized = authorized;
    this.authorizationError = authorizationError;
    this.emit('handshake', event);
    if (this.destroyed) return;
    this.emit('secure');
    if (this.connection.role === 'client') this.emit('secureConnect');
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.run();
  }

  #closed({ reason, error }: CloseEvent): void {
    if (error !== undefined) this.destroy(error);
    // Who has said the end himself need not wait for the peer's close_notify (RFC 5246 7.2.1).
    else if (reason === 'truncated' && !this.writableEnded) this.destroy(truncated());
    else {
      this.#endReading();
      this.transport.end();
    }
  }

  #endReading(): void {
    this.push(null);
    this.read(0); // or nobody who does not read would hear of the end, as in net.Socket
  }

  #whenOpen(run: () => void, done: Done): void {
    if (this.connection.state === 'handshake') this.#waiting = { run, done };
    else run();
  }

  #send(data: Uint8Array, done: Done): void {
    if (this.connection.state === 'closed') {
      done(new PeerAlertError('close_notify'));
      return;
    }
    const isLast = data.length <= writeStep;
    this.connection.write(isLast ? data : data.subarray(0, writeStep));
    this.#flush(isLast ? done : (error) => (error ? done(error) : this.#send(data.subarray(writeStep), done)));
  }

  #flush(done?: Done): void {
    const output = this.connection.takeOutput();
    if (output.length === 0) {
      done?.();
      return;
    }
    this.transport.write(output, (error) => {
      if (!error) giveArray(output);
      done?.(error);
    });
  }

  #pauseOrResume(): void {
    if (this.destroyed) return;
    // Early data, which is bounded, may have to wait for a reader that comes after the handshake.
    const mayWait = this.connection.state !== 'handshake';
    if ((this.#isFull && mayWait) || this.connection.waiting) this.transport.pause();
    else if (this.transport.isPaused()) this.transport.resume();
  }

  #timeOut(milliseconds: number): void {
    const message = `the handshake took more than ${String(milliseconds)} ms`;
    this.destroy(new AlertError('user_canceled', message, { code: 'handshake_timeout' }));
  }
}

/** Milliseconds that an end waits for a store or sealer, which may never answer. */
const ticketPatience = 1000;

function truncated(): AlertError {
  const message = 'the transport ended without close_notify: data may be missing';
  return new AlertError('close_notify', message, { code: 'truncated' });
}
