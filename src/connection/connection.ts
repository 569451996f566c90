/**
 * A TLS connection without I/O: bytes in, bytes and events out. The shell around it reads and writes the transport.
 *
 * `receive` the transport's bytes, then send what `takeOutput` gives and act on what `takeEvents` gives; do the same when
 * `wake` is called, which happens only where an answer from outside was a promise. Every error ends the connection with one
 * alert and one `close` event; nothing is thrown for what a peer does.
 */
import { empty } from '../bytes.js';
import { alertDescriptions, alertLevels, type AlertDescription } from '../alert.js';
import { AlertError, PeerAlertError, UsageError } from '../errors.js';
import { clientHandshake } from '../handshake/client.js';
import type { HandshakeTransport } from '../handshake/handshake-base.js';
import { HandshakeState } from '../handshake/handshake-state.js';
import { changeCipherSpec, type Answers, type Handshake } from '../handshake/needs.js';
import type { HandshakeResult } from '../handshake/result.js';
import { countHandshake } from '../handshake/resumption.js';
import { serverHandshake } from '../handshake/server.js';
import type { ClientSettings, ServerSettings } from '../handshake/settings.js';
import { returnTaken } from '../handshake/taken-ticket.js';
import { sendTickets } from '../handshake/tickets-tls13.js';
import { contentTypes, handshakeTypes } from '../parameters.js';
import { Deframer, maxPlaintextLength } from '../record/deframer.js';
import { handshakeHeaderLength, HandshakeJoiner, type RawHandshake } from '../record/handshake-joiner.js';
import { RecordLayer, type PlainRecord } from '../record/record-layer.js';
import type { Session } from '../sessions/session.js';
import { blame, readAlert } from './alerts.js';
import { defaultAnswers, forgetSession } from './answers.js';
import { handshakeEvent, type CloseEvent, type ConnectionEvent } from './events.js';
import { inRange } from './option-values.js';
import { connectionLimits, type ConnectionLimits } from './limits.js';
import { PostHandshake, type AnyHandshakeState } from './post-handshake.js';
import { Tasks } from './tasks.js';

export interface ConnectionOptions {
  /** `sync`: every answer must be a value, and a promise ends the connection. Default `async`. */
  readonly driver?: 'sync' | 'async';
  /** Called when an answer that had to be waited for has brought output or events. Never called while one of our methods runs. If it throws, the connection ends. */
  readonly wake?: () => void;
  readonly limits?: Partial<ConnectionLimits>;
  /**
   * TLS 1.3: a close_notify of the peer is an `end` event, and we may go on writing until `close` (RFC 8446 6.1). Default false: it
   * is answered at once, as TLS 1.2 wants it.
   */
  readonly halfClose?: boolean;
  /**
   * Longest plaintext in a record of ours, 512 to 16384 bytes; a shorter `record_size_limit` of the peer counts before it. Default
   * 16384. {@link Connection.limitFragments} changes it.
   */
  readonly maximumFragmentLength?: number;
  /**
   * Gives the arrays that output is written into, each of exactly this length. For shells that know when their transport is through with
   * one, so that it can serve again. Default: a new one each time.
   */
  readonly allocateOutput?: (length: number) => Uint8Array;
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

/** Every alert but the three that are warnings. */
export type FatalAlert = Exclude<AlertDescription, (typeof warnings)[number]>;
const warnings = ['close_notify', 'no_renegotiation', 'user_canceled'] as const;

type Begin = (transport: HandshakeTransport) => { state: AnyHandshakeState; flow: Handshake<HandshakeResult> };

export class Connection {
  readonly role: 'client' | 'server';
  readonly #hs: AnyHandshakeState;
  /** What only a connection at work has: the flows under way, and the messages that are not whole yet. */
  #running: Tasks | undefined;
  #partial: HandshakeJoiner | undefined;
  readonly #driver: 'sync' | 'async';
  readonly #wake: () => void;
  /** From the first time that it is needed: most connections never do. */
  #postHandshake: PostHandshake | undefined;
  readonly #answers: Answers;
  readonly #limits: ConnectionLimits;
  readonly #deframer = new Deframer();
  /** Under which keys the bytes in the joiner came (P-state-4). */
  #joinerEpoch = 0;
  readonly #records: RecordLayer;
  readonly #halfClose: boolean;
  #events: ConnectionEvent[] = [];
  #state: 'handshake' | 'open' | 'closed' = 'handshake';
  #result: HandshakeResult | undefined;
  #busy = false;
  #closeSent = false;
  #closeReceived = false;
  #ended = false;
  #warnings = 0;
  /** TLS 1.3, where it means nothing. */
  #changeCipherSpecReceived = false;
  /** What has been told of early data. */
  #earlyDataTold = false;

  /** Use {@link clientConnection} or {@link serverConnection}. */
  constructor(role: 'client' | 'server', begin: Begin, options: ConnectionOptions) {
    this.role = role;
    this.#records = new RecordLayer(options.allocateOutput);
    if (options.maximumFragmentLength !== undefined) this.limitFragments(options.maximumFragmentLength);
    this.#limits = connectionLimits(options.limits);
    this.#answers = options.answers === undefined ? defaultAnswers : { ...defaultAnswers, ...options.answers };
    this.#driver = options.driver ?? 'async';
    this.#wake = options.wake ?? nobody;
    this.#halfClose = options.halfClose ?? false;
    if (role === 'server') this.#records.versionNegotiated();
    const { state, flow } = begin(this.#records);
    if (state.settings.transport === 'quic')
      throw new UsageError('invalid_option', 'settings for QUIC are for `tls-resume/quic`');
    this.#hs = state;
    this.#begin(flow);
  }

  /** A step of its own, so that nothing of the handshake is kept by what stays. */
  #begin(flow: Handshake<HandshakeResult>): void {
    this.#run(() => {
      this.#tasks.start(flow, (result) => {
        if (result !== undefined) this.#open(result);
      });
    });
  }

  /** Whether an answer from outside is awaited: a shell should stop reading its transport until `wake`. */
  get waiting(): boolean {
    return this.#running?.waiting === 'answer';
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
    // RFC 8446 6.1: what comes after a close_notify is ignored.
    if (this.#state === 'closed' || this.#closeReceived) return;
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
    if (data.length > 0) this.#writeData(data);
  }

  /** Client: bytes of early data that may be sent now (RFC 8446 4.2.10); 0 where none may. */
  get earlyDataAllowance(): number {
    const { open, remaining } = this.#hs.earlyData;
    return this.role === 'client' && this.#state === 'handshake' && open ? remaining : 0;
  }

  /**
   * Client: sends application data before the handshake is complete. The server may not read it (`early_data` event), and whoever
   * records it can send it again. Throws `UsageError` (`connection_not_open`) beyond {@link earlyDataAllowance}.
   */
  writeEarlyData(data: Uint8Array): void {
    if (data.length > this.earlyDataAllowance)
      throw new UsageError('connection_not_open', `early data: ${this.earlyDataAllowance} bytes are allowed now`);
    if (this.#records.recordsWritten >= this.#limits.maxRecordsPerKey)
      throw new UsageError('connection_not_open', 'early data: its key is worn out, and there is no KeyUpdate yet');
    this.#hs.earlyData.count(data.length);
    if (data.length > 0) this.#attempt(() => this.#records.write(contentTypes.application_data, data));
  }

  /**
   * Server, TLS 1.3: sends application data to a client that has not proven anything yet: it may be a replay, or have no
   * certificate (RFC 8446 2, E.5: "0.5-RTT"). Throws `UsageError` (`connection_not_open`) before our Finished is sent.
   */
  writeHalfRtt(data: Uint8Array): void {
    const isOpen = isServer(this.#hs) && (this.#hs.halfRttOpen || this.#state === 'open');
    if (!isOpen || this.#state === 'closed' || this.#closeSent)
      throw new UsageError('connection_not_open', 'half-RTT data needs a server whose Finished is sent');
    if (data.length > 0) this.#writeData(data);
  }

  /** Server, TLS 1.3: sends tickets, as many as configured by default. They are on their way when `wake` is called, or at once. */
  sendTickets(count?: number): void {
    const hs = this.#hs;
    if (this.#state !== 'open' || this.#closeSent || !isServer(hs) || hs.version !== 'TLSv1.3')
      throw new UsageError('connection_not_open', 'tickets on demand need an open TLS 1.3 connection of a server');
    const flow = () => sendTickets(hs, count ?? hs.settings.ticketCount);
    this.#run(() => this.#tasks.startAfter(flow, () => undefined));
  }

  /**
   * TLS 1.3: new keys for what we send, and for what the peer sends if it is asked (RFC 8446 4.6.3). It changes them before its next
   * application data, as we do when it asks.
   */
  updateKeys({ requestPeer = false }: { readonly requestPeer?: boolean } = {}): void {
    if (this.#state !== 'open' || this.#closeSent || this.#hs.version !== 'TLSv1.3')
      throw new UsageError('connection_not_open', 'a key update needs an open TLS 1.3 connection');
    this.#attempt(() => this.#post.updateKeys(requestPeer));
  }

  /**
   * From now on our records hold so many bytes of plaintext at most: short ones are there to be read sooner on slow links. Throws
   * `UsageError` for less than 512 or more than 16384.
   */
  limitFragments(maximumFragmentLength: number): void {
    this.#records.limitFragments(inRange('maximumFragmentLength', maximumFragmentLength, 512, maxPlaintextLength));
  }

  /** Server, TLS 1.3: whether tickets are being sealed or stored, which `close` would put an end to. `wake` follows when they are out. */
  get sendingTickets(): boolean {
    return this.#state === 'open' && isServer(this.#hs) && this.#running?.idle === false;
  }

  /** Says that nothing more comes (RFC 5246 7.2.1, RFC 8446 6.1). What the peer has still sent is delivered until it answers. */
  close(): void {
    if (this.#state === 'closed' || this.#closeSent) return;
    // Nothing comes after close_notify: what is not sealed or stored by now is no ticket.
    if (this.sendingTickets) this.#running?.close();
    this.#attempt(() => this.#sendAlert('close_notify'));
    if (this.#state === 'handshake') this.#close({ type: 'close', reason: 'destroyed' });
    else if (this.#closeReceived) this.#close({ type: 'close', reason: 'close_notify' });
  }

  /**
   * Ends the connection with a fatal alert, for reasons of the caller's own (RFC 5246 7.2.2, RFC 8446 6.2). Throws `UsageError` for what
   * is none.
   */
  abort(alert: FatalAlert): void {
    // Not everybody has types: a name that is none would go out as close_notify.
    if (!isFatal(alert)) throw new UsageError('invalid_option', `${alert} is no fatal alert`);
    if (this.#state !== 'closed') this.#fail(new AlertError(alert, 'the application ended the connection'));
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
   * Keying material for other protocols (RFC 5705, RFC 8446 7.5). Throws `UsageError` while there is no connection, and where the
   * master secret is not bound to the handshake (RFC 7627 5.4: without extended_master_secret nothing may be exported).
   */
  exportKeyingMaterial(label: string, length: number, context?: Uint8Array): Uint8Array {
    if (this.#state !== 'open') throw new UsageError('connection_not_open', 'keying material needs an open connection');
    return this.#hs.exportKeyingMaterial(label, context, length);
  }

  /**
   * Keying material bound to the ClientHello alone (RFC 8446 7.5), which a replay has as well. Throws `UsageError` where no early
   * data was offered, or it was rejected.
   */
  exportEarlyKeyingMaterial(label: string, length: number, context: Uint8Array = empty): Uint8Array {
    const material =
      this.#state === 'closed' ? undefined : this.#hs.tls13.exportEarlyKeyingMaterial(label, context, length);
    if (material === undefined) throw new UsageError('connection_not_open', 'there is no early data');
    return material;
  }

  /**
   * Bytes that both ends have in common, and no other connection: 32 of `tls-exporter` (RFC 9266), or the 12 of `tls-unique` (RFC
   * 5929 3), in TLS 1.2 and for protocols that know no better. Throws `UsageError` as {@link exportKeyingMaterial} does, and for
   * `tls-unique` in TLS 1.3 and after a resumption without extended_master_secret (RFC 7627 5.4).
   */
  channelBinding(type: 'tls-exporter' | 'tls-unique'): Uint8Array {
    if (type === 'tls-unique') {
      if (this.#state !== 'open') throw new UsageError('connection_not_open', 'tls-unique needs an open connection');
      return this.#hs.tlsUnique;
    }
    return this.exportKeyingMaterial('EXPORTER-Channel-Binding', 32, empty);
  }

  get #tasks(): Tasks {
    return (this.#running ??= new Tasks(this.#driver, this.#answers, (step) => {
      this.#run(step);
      this.#attempt(this.#wake);
    }));
  }

  get #joiner(): HandshakeJoiner {
    return (this.#partial ??= new HandshakeJoiner(this.#limits.maxHandshakeMessageLength));
  }

  /** Whether part of a handshake message waits for the rest. */
  get #inMessage(): boolean {
    return this.#partial?.pending === true;
  }

  get #post(): PostHandshake {
    return (this.#postHandshake ??= new PostHandshake(this.#hs, this.#limits));
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
    // A callback may have ended it, and the step went on until its next wait.
    if (this.#state === 'closed') this.#wipe();
  }

  #process(): void {
    for (;;) {
      // RFC 8446 5.1, P-state-4: nothing received under one key is processed under another, nor is a handshake complete before.
      if (this.#inMessage && this.#joinerEpoch !== this.#records.readEpoch)
        this.#refuseExcess('got more handshake data before a change of keys');
      this.#running?.settle();
      this.#tellOfEarlyData();
      if (this.#state === 'closed') return;
      if (this.waiting) {
        if (this.#deframer.buffered > this.#limits.maxBufferedLength)
          throw new AlertError('unexpected_message', 'got more than one flight before it was our turn');
        if (this.#ended && this.#deframer.buffered === 0 && !this.#inMessage) this.#truncated();
        return;
      }
      const message = this.#partial?.next();
      if (message !== undefined) {
        this.#handleMessage(message);
        continue;
      }
      // Nothing that follows on our flight can have begun before it. Tickets of ours are no flight that anybody follows on.
      if (this.#inMessage && this.#state === 'handshake' && this.#records.flightWaits)
        this.#refuseExcess('got more handshake data before our flight');
      const record = this.#closeReceived ? undefined : this.#deframer.next();
      if (record === undefined) {
        this.#records.flush();
        if (this.#ended) this.#truncated();
        this.#rest();
        return;
      }
      this.#handleRecord(this.#records.open(record));
    }
  }

  /** What we would have answered stays unsaid. */
  #refuseExcess(message: string): never {
    this.#records.dropFlight();
    throw new AlertError('unexpected_message', message);
  }

  /** Lets go of what is not at work. */
  #rest(): void {
    if (this.#running?.idle === true) this.#running = undefined;
    if (!this.#inMessage) this.#partial = undefined;
  }

  #tellOfEarlyData(): void {
    const { outcome, reason } = this.#hs.earlyData;
    if (this.#earlyDataTold || (outcome !== 'accepted' && outcome !== 'rejected')) return;
    this.#earlyDataTold = true;
    this.#events.push({ type: 'early_data', accepted: outcome === 'accepted', reason });
  }

  /** `undefined` is early data that was rejected. */
  #handleRecord(record: PlainRecord | undefined): void {
    if (record === undefined) {
      if (this.#inMessage) throw insideMessage();
      return;
    }
    const { contentType, payload, owned } = record;
    if (contentType === contentTypes.handshake) {
      this.#joiner.push(payload, owned);
      this.#joinerEpoch = this.#records.readEpoch;
    } else if (contentType === contentTypes.alert) this.#handleAlert(payload);
    // RFC 8446 5.1: no other record between the parts of a message; P-state-4: and no key change.
    else if (this.#inMessage) throw insideMessage();
    else if (contentType === contentTypes.change_cipher_spec) this.#handleChangeCipherSpec(payload, owned);
    else if (contentType !== contentTypes.application_data)
      throw new AlertError('unexpected_message', `got a record of type ${contentType}`);
    else this.#handleData(owned ? payload : payload.slice());
  }

  #handleData(data: Uint8Array): void {
    const early = this.#state !== 'open';
    if (early) this.#countEarlyData(data.length);
    this.#postHandshake?.dataReceived();
    if (data.length > 0) this.#events.push({ type: 'data', data, early });
  }

  /** R8446-4.6.1-14: no more than the ticket allows. */
  #countEarlyData(length: number): void {
    const { earlyData } = this.#hs;
    if (this.role === 'client' || !earlyData.open)
      throw new AlertError('unexpected_message', 'got application data before the handshake is complete');
    earlyData.count(length);
    if (earlyData.remaining < 0)
      throw new AlertError('unexpected_message', 'got more early data than the ticket allows');
  }

  /** RFC 5246 7.1. In TLS 1.3 it means nothing, and is dropped while there is a handshake (RFC 8446 5). */
  #handleChangeCipherSpec(payload: Uint8Array, isProtected: boolean): void {
    const { version, settings } = this.#hs;
    const one = payload.length === 1 && payload[0] === 1;
    const mayBeTls13 = version === undefined && this.role === 'client' && settings.versions.includes('TLSv1.3');
    if (version === 'TLSv1.3' || mayBeTls13) {
      if (!one || isProtected || this.#state !== 'handshake')
        throw new AlertError('unexpected_message', 'got change_cipher_spec');
      // One is compatibility, more are a nuisance.
      if (this.#changeCipherSpecReceived) this.#countWarning();
      this.#changeCipherSpecReceived = true;
      return;
    }
    if (!one) throw new AlertError('illegal_parameter', 'got a ChangeCipherSpec that is not the one byte 1');
    if (this.#running?.waiting !== 'message') throw new AlertError('unexpected_message', 'got change_cipher_spec');
    this.#running.deliver(changeCipherSpec);
  }

  #handleMessage(message: RawHandshake): void {
    const { version } = this.#hs;
    if (this.#running?.waiting === 'message' && !this.#isHelloRequest(message)) this.#running.deliver(message);
    else if (version === 'TLSv1.3')
      this.#post.handle(message, (flow) => this.#tasks.start(flow, (session) => this.#tellOfSession(session)));
    else if (this.#isHelloRequest(message)) this.#handleHelloRequest(message);
    else if (this.role === 'server' && message.type === handshakeTypes.client_hello) this.#refuseRenegotiation();
    else
      throw new AlertError('unexpected_message', `got handshake message ${String(message.type)} after the handshake`);
  }

  #tellOfSession(session: Session | undefined): void {
    if (session !== undefined) this.#events.push({ type: 'session', session });
  }

  /** TLS 1.2 has this message outside of any order. */
  #isHelloRequest(message: RawHandshake): boolean {
    return this.role === 'client' && !this.#isTls13 && message.type === handshakeTypes.hello_request;
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

  /** What it is, or all that it can become. */
  get #isTls13(): boolean {
    const { version, settings } = this.#hs;
    return version === 'TLSv1.3' || (version === undefined && !settings.versions.includes('TLSv1.2'));
  }

  #countWarning(): void {
    if (++this.#warnings > this.#limits.maxWarnings)
      throw new AlertError('unexpected_message', `got more than ${String(this.#limits.maxWarnings)} warnings`);
  }

  /** RFC 5246 7.2. */
  #handleAlert(payload: Uint8Array): void {
    const notice = readAlert(payload, this.#isTls13);
    if (notice.type === 'close_notify') {
      this.#handleCloseNotify();
      return;
    }
    this.#countWarning();
    this.#events.push(notice);
  }

  /**
   * RFC 5246 7.2.1: answered with our own, pending writes are dropped. RFC 8446 6.1: the peer closes its side, and only that. In
   * mid-handshake it is a failure.
   */
  #handleCloseNotify(): void {
    if (this.#state === 'handshake') throw new PeerAlertError('close_notify');
    if (this.#halfClose && this.#hs.version === 'TLSv1.3' && !this.#closeSent) {
      this.#closeReceived = true;
      this.#deframer.clear();
      this.#events.push({ type: 'end' });
      return;
    }
    if (!this.#closeSent) this.#sendAlert('close_notify');
    this.#close({ type: 'close', reason: 'close_notify' });
  }

  #open(result: HandshakeResult): void {
    const hs = this.#hs;
    this.#records.flush();
    this.#state = 'open';
    this.#result = result;
    this.#tellOfEarlyData();
    hs.complete();
    countHandshake(hs.settings.counters, result);
    this.#events.push(handshakeEvent(result, hs.earlyData.bytes));
    this.#tellOfSession(result.session);
    if (isServer(hs) && hs.ticketsToSend > 0) this.#tasks.start(sendTickets(hs, hs.ticketsToSend), () => undefined);
  }

  /** Before application data of ours: keys that are worn out (RFC 8446 5.5), or that the peer wants to see changed. */
  #renewKeys(): void {
    if (this.#records.recordsWritten >= this.#limits.maxRecordsPerKey) this.#post.updateKeys(false);
    else this.#postHandshake?.answerKeyUpdate();
  }

  #writeData(data: Uint8Array): void {
    this.#attempt(() => {
      if (this.#hs.version === 'TLSv1.3' && this.#state === 'open') this.#renewKeys();
      this.#records.write(contentTypes.application_data, data);
    });
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
    forgetSession(this.#answers, this.#hs.stored);
    this.#close({ type: 'close', reason: 'error', error: known });
  }

  /** After a close_notify the end of the transport is no news. */
  #truncated(): void {
    if (!this.#closeReceived) this.#close({ type: 'close', reason: 'truncated' });
  }

  #close(event: CloseEvent): void {
    this.#state = 'closed';
    this.#running?.close();
    this.#running = this.#partial = undefined;
    quietly(() => this.#records.flush());
    this.#wipe();
    this.#deframer.clear();
    this.#events.push(event);
  }

  #wipe(): void {
    returnTaken(this.#answers, this.#hs);
    this.#hs.destroy();
    this.#records.destroy();
  }
}

function isFatal(alert: string): boolean {
  return Object.hasOwn(alertDescriptions, alert) && !warnings.some((warning) => warning === alert);
}

function insideMessage(): AlertError {
  return new AlertError('unexpected_message', 'got a record inside a handshake message');
}

function isServer(hs: AnyHandshakeState): hs is HandshakeState<ServerSettings> {
  return hs.role === 'server';
}

const nobody = (): void => undefined;

/** For the last words of a connection: where the backend itself has failed, they stay unsaid. */
function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // The connection is about to be closed for what went wrong before.
  }
}
