/**
 * A TLS connection without I/O: bytes in, bytes and events out. The shell around it reads and writes the transport.
 *
 * `receive` the transport's bytes, then send what `takeOutput` gives and act on what `takeEvents` gives; do the same when
 * `wake` is called, which happens only where an answer from outside was a promise. Every error ends the connection with one
 * alert and one `close` event; nothing is thrown for what a peer does.
 */
import { alertDescriptions, alertLevels, alertName, type AlertDescription } from '../alert.js';
import { AlertError, PeerAlertError, UsageError, type TlsResumeError } from '../errors.js';
import { clientHandshake } from '../handshake/client.js';
import { HandshakeState, type HandshakeTransport, type StoredSession } from '../handshake/handshake-state.js';
import { changeCipherSpec, type Answers, type Handshake } from '../handshake/needs.js';
import type { HandshakeResult } from '../handshake/result.js';
import { countHandshake } from '../handshake/resumption.js';
import { serverHandshake } from '../handshake/server.js';
import type { ClientSettings, ServerSettings } from '../handshake/settings.js';
import { contentTypes, handshakeTypes } from '../parameters.js';
import { Deframer } from '../record/deframer.js';
import { handshakeHeaderLength, HandshakeJoiner, type RawHandshake } from '../record/handshake-joiner.js';
import { RecordLayer, type PlainRecord } from '../record/record-layer.js';
import { defaultAnswers } from './answers.js';
import { AsyncDriver } from './async-driver.js';
import type { Driver } from './driver.js';
import { handshakeEvent, type CloseEvent, type ConnectionEvent } from './events.js';
import { connectionLimits, type ConnectionLimits } from './limits.js';
import { SyncDriver } from './sync-driver.js';

export interface ConnectionOptions {
  /** `sync`: every answer must be a value, and a promise ends the connection. Default `async`. */
  readonly driver?: 'sync' | 'async';
  /** Called when an answer that had to be waited for has brought output or events. Never called while one of our methods runs. If it throws, the connection ends. */
  readonly wake?: () => void;
  readonly limits?: Partial<ConnectionLimits>;
  /** Answers in place of the default ones, for tests and for simulators. */
  readonly answers?: Partial<Answers>;
}

/** A client's side of a connection; its ClientHello is in `takeOutput` as soon as the session to offer is known. */
export function clientConnection(settings: ClientSettings, options: ConnectionOptions = {}): Connection {
  return new Connection(
    'client',
    (transport) => {
      const state = new HandshakeState('client', settings, transport);
      return { state, flow: clientHandshake(state) };
    },
    options,
  );
}

/** A server's side of a connection. */
export function serverConnection(settings: ServerSettings, options: ConnectionOptions = {}): Connection {
  return new Connection(
    'server',
    (transport) => {
      const state = new HandshakeState('server', settings, transport);
      return { state, flow: serverHandshake(state) };
    },
    options,
  );
}

type AnyHandshakeState = HandshakeState<ClientSettings> | HandshakeState<ServerSettings>;
type Begin = (transport: HandshakeTransport) => { state: AnyHandshakeState; flow: Handshake<HandshakeResult> };

export class Connection {
  readonly role: 'client' | 'server';
  readonly #hs: AnyHandshakeState;
  /** Gone once the handshake is complete, with all that its steps held. */
  #driver: Driver<HandshakeResult> | undefined;
  readonly #answers: Answers;
  readonly #limits: ConnectionLimits;
  readonly #deframer = new Deframer();
  readonly #joiner: HandshakeJoiner;
  readonly #records = new RecordLayer();
  #events: ConnectionEvent[] = [];
  #state: 'handshake' | 'open' | 'closed' = 'handshake';
  #result: HandshakeResult | undefined;
  #busy = false;
  #closeSent = false;
  #ended = false;
  #warnings = 0;

  /** Use {@link clientConnection} or {@link serverConnection}. */
  constructor(role: 'client' | 'server', begin: Begin, options: ConnectionOptions) {
    this.role = role;
    this.#limits = connectionLimits(options.limits);
    this.#answers = options.answers === undefined ? defaultAnswers : { ...defaultAnswers, ...options.answers };
    this.#joiner = new HandshakeJoiner(this.#limits.maxHandshakeMessageLength);
    const { state, flow } = begin(this.#records);
    this.#hs = state;
    const wake = options.wake ?? (() => undefined);
    this.#driver =
      options.driver === 'sync'
        ? new SyncDriver(flow, this.#answers)
        : new AsyncDriver(flow, this.#answers, {
            resume: (step) => {
              this.#run(step);
              this.#attempt(wake);
            },
          });
    this.#run(() => {
      this.#driver?.start();
    });
  }

  /** Whether an answer from outside is awaited: a shell should stop reading its transport until `wake`. */
  get waiting(): boolean {
    return this.#driver?.waiting === 'answer';
  }

  /** What the handshake came to, once it is complete. */
  get handshake(): HandshakeResult | undefined {
    return this.#result;
  }

  get state(): 'handshake' | 'open' | 'closed' {
    return this.#state;
  }

  /** Takes over bytes from the transport, any amount; the array must not be changed afterwards. Ignored once closed. */
  receive(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#deframer.push(bytes);
    if (!this.#busy) this.#run(() => undefined);
  }

  /** The transport has ended for reading. What it brought before is handled first, also where an answer is awaited. */
  receiveEnd(): void {
    if (this.#state === 'closed') return;
    this.#ended = true;
    if (!this.#busy) this.#run(() => undefined);
  }

  /** Sends application data. Throws `UsageError` (`connection_not_open`) before the `handshake` event and after `close`. */
  write(data: Uint8Array): void {
    if (this.#state !== 'open' || this.#closeSent)
      throw new UsageError('connection_not_open', 'application data needs an open connection');
    if (data.length > 0) this.#attempt(() => this.#records.write(contentTypes.application_data, data));
  }

  /** Says that nothing more comes (RFC 5246 7.2.1). What the peer has still sent is delivered until it answers. */
  close(): void {
    if (this.#state === 'closed' || this.#closeSent) return;
    this.#attempt(() => this.#sendAlert('close_notify'));
    if (this.#state === 'handshake') this.#close({ type: 'close', reason: 'destroyed' });
  }

  /** Ends the connection without a word, for a transport that is gone. */
  destroy(): void {
    if (this.#state !== 'closed') this.#close({ type: 'close', reason: 'destroyed' });
  }

  /** Bytes for the transport, once; empty if there are none. */
  takeOutput(): Uint8Array {
    this.#attempt(() => this.#records.flush());
    return this.#records.takeOutput();
  }

  /** What happened since the last call, in order. */
  takeEvents(): ConnectionEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  /**
   * RFC 5705 keying material. Throws `UsageError` while there is no connection, and where the master secret is not bound to
   * the handshake (RFC 7627 5.4: without extended_master_secret nothing may be exported).
   */
  exportKeyingMaterial(label: string, length: number, context?: Uint8Array): Uint8Array {
    if (this.#state !== 'open' || this.#result === undefined)
      throw new UsageError('connection_not_open', 'keying material needs an open connection');
    if (!this.#result.extendedMasterSecret)
      throw new UsageError('invalid_option', 'a connection without extended_master_secret exports no keying material');
    return this.#hs.exportKeyingMaterial(label, context, length);
  }

  /** Runs a step and everything that has arrived. */
  #run(step: () => void): void {
    this.#busy = true;
    this.#attempt(() => {
      step();
      this.#process();
    });
    this.#busy = false;
  }

  /** Whatever is thrown ends the connection. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  #process(): void {
    for (;;) {
      if (this.#driver?.result !== undefined) this.#open(this.#driver.result);
      if (this.#state === 'closed') return;
      if (this.waiting) {
        if (this.#deframer.buffered > this.#limits.maxBufferedLength)
          throw new AlertError('unexpected_message', 'got more than one flight before it was our turn');
        if (this.#ended && this.#deframer.buffered === 0 && !this.#joiner.pending) this.#truncated();
        return;
      }
      const message = this.#joiner.next();
      if (message !== undefined) {
        this.#handleMessage(message);
        continue;
      }
      const record = this.#deframer.next();
      if (record === undefined) {
        this.#records.flush();
        if (this.#ended) this.#truncated();
        return;
      }
      this.#handleRecord(this.#records.open(record));
    }
  }

  #handleRecord(record: PlainRecord): void {
    const { contentType, payload, owned } = record;
    if (contentType === contentTypes.handshake) this.#joiner.push(payload, owned);
    else if (contentType === contentTypes.alert) this.#handleAlert(payload);
    // RFC 8446 5.1: no other record between the parts of a message; P-state-4: and no key change.
    else if (this.#joiner.pending)
      throw new AlertError('unexpected_message', 'got a record inside a handshake message');
    else if (contentType === contentTypes.change_cipher_spec) this.#handleChangeCipherSpec(payload);
    else if (this.#state !== 'open')
      throw new AlertError('unexpected_message', 'got application data before the handshake is complete');
    else if (payload.length > 0) this.#events.push({ type: 'data', data: owned ? payload : payload.slice() });
  }

  /** RFC 5246 7.1. */
  #handleChangeCipherSpec(payload: Uint8Array): void {
    if (payload.length !== 1 || payload[0] !== 1)
      throw new AlertError('illegal_parameter', 'got a ChangeCipherSpec that is not the one byte 1');
    if (this.#driver?.waiting !== 'message') throw new AlertError('unexpected_message', 'got change_cipher_spec');
    this.#driver.deliver(changeCipherSpec);
  }

  #handleMessage(message: RawHandshake): void {
    if (this.role === 'client' && message.type === handshakeTypes.hello_request) this.#handleHelloRequest(message);
    else if (this.#driver?.waiting === 'message') this.#driver.deliver(message);
    else if (this.role === 'server' && message.type === handshakeTypes.client_hello) this.#refuseRenegotiation();
    else
      throw new AlertError('unexpected_message', `got handshake message ${String(message.type)} after the handshake`);
  }

  /** RFC 5246 7.4.1.1: ignored in mid-handshake; it never enters a transcript. */
  #handleHelloRequest(message: RawHandshake): void {
    if (message.bytes.length > handshakeHeaderLength)
      throw new AlertError('decode_error', 'got a HelloRequest that is not empty');
    if (this.#state === 'open') this.#refuseRenegotiation();
    else this.#countWarning();
  }

  /** RFC 5746 4.2, 4.4 and 5: renegotiation is off. After close_notify nothing is said any more. */
  #refuseRenegotiation(): void {
    this.#countWarning();
    if (!this.#closeSent) this.#sendAlert('no_renegotiation');
  }

  #countWarning(): void {
    if (++this.#warnings > this.#limits.maxWarnings)
      throw new AlertError('unexpected_message', `got more than ${String(this.#limits.maxWarnings)} warnings`);
  }

  /** RFC 5246 7.2. */
  #handleAlert(payload: Uint8Array): void {
    const [level = 0, description = 0] = payload;
    if (payload.length !== 2) throw new AlertError('decode_error', 'got an alert that is not two bytes');
    const alert = alertName(description);
    if (level === alertLevels.warning && alert === 'close_notify') this.#handleCloseNotify();
    else if (level === alertLevels.warning) {
      this.#countWarning();
      this.#events.push({ type: 'warning', alert });
    } else if (level === alertLevels.fatal) throw new PeerAlertError(alert);
    else throw new AlertError('illegal_parameter', `got alert level ${String(level)}`);
  }

  /** RFC 5246 7.2.1: answered with our own, pending writes are dropped. In mid-handshake it is a failure. */
  #handleCloseNotify(): void {
    if (this.#state === 'handshake') throw new PeerAlertError('close_notify');
    if (!this.#closeSent) this.#sendAlert('close_notify');
    this.#close({ type: 'close', reason: 'close_notify' });
  }

  #open(result: HandshakeResult): void {
    this.#records.flush();
    this.#state = 'open';
    this.#driver = undefined;
    this.#result = result;
    this.#hs.complete();
    countHandshake(this.#hs.settings.counters, result.mode, result.reason);
    this.#events.push(handshakeEvent(result));
    if (result.session !== undefined) this.#events.push({ type: 'session', session: result.session });
  }

  #sendAlert(alert: AlertDescription): void {
    const warning = alert === 'close_notify' || alert === 'no_renegotiation';
    this.#closeSent ||= alert !== 'no_renegotiation';
    const level = warning ? alertLevels.warning : alertLevels.fatal;
    this.#records.write(contentTypes.alert, Uint8Array.of(level, alertDescriptions[alert]));
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed') return;
    const known = blame(error);
    if (!(known instanceof PeerAlertError) && !this.#closeSent)
      quietly(() => this.#sendAlert(known instanceof AlertError ? known.alert : 'internal_error'));
    if (this.#hs.stored !== undefined) this.#forget(this.#hs.stored);
    this.#close({ type: 'close', reason: 'error', error: known });
  }

  /** RFC 5246 7.2.2: no session survives a fatal alert. Nobody waits for the answer, so nobody hears of its failure. */
  #forget(stored: StoredSession): void {
    new Promise((resolve) => {
      resolve(this.#answers.forget_session(stored));
    }).catch(() => undefined);
  }

  #truncated(): void {
    this.#close({ type: 'close', reason: 'truncated' });
  }

  #close(event: CloseEvent): void {
    this.#state = 'closed';
    this.#driver?.close();
    this.#driver = undefined;
    this.#hs.destroy();
    quietly(() => this.#records.flush());
    this.#records.destroy();
    this.#deframer.clear();
    this.#joiner.clear();
    this.#events.push(event);
  }
}

/** For the last words of a connection: where the backend itself has failed, they stay unsaid. */
function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // The connection is about to be closed for what went wrong before.
  }
}

/** Errors of ours pass; anything else was thrown by a callback or by a mistake of ours. */
function blame(error: unknown): TlsResumeError {
  if (error instanceof AlertError || error instanceof PeerAlertError || error instanceof UsageError) return error;
  return new AlertError('internal_error', 'an unexpected error ended the connection', { cause: error });
}
