/**
 * `tls-resume/quic`: TLS 1.3 for a QUIC stack (RFC 9001 4). No records: handshake bytes by encryption level go in and out, secrets
 * come out as soon as they are there, and alerts are numbers.
 *
 * The surprising thing is what is missing: EndOfEarlyData, KeyUpdate, ChangeCipherSpec and close_notify are QUIC's own business
 * (RFC 9001 6, 8.3, 8.4).
 */
import { empty, wipe } from '../bytes.js';
import { AlertError, UsageError, type TlsResumeError } from '../errors.js';
import { clientHandshake } from '../handshake/client.js';
import type { HandshakeTransport } from '../handshake/handshake-base.js';
import { HandshakeState } from '../handshake/handshake-state.js';
import type { Answers, Handshake } from '../handshake/needs.js';
import type { HandshakeResult } from '../handshake/result.js';
import { countHandshake } from '../handshake/resumption.js';
import { serverHandshake } from '../handshake/server.js';
import type { ClientSettings, ServerSettings } from '../handshake/settings.js';
import { returnTaken } from '../handshake/taken-ticket.js';
import { sendTickets } from '../handshake/tickets-tls13.js';
import { handshakeTypes } from '../parameters.js';
import { HandshakeJoiner, type RawHandshake } from '../record/handshake-joiner.js';
import { blame } from './alerts.js';
import { defaultAnswers, forgetSession } from './answers.js';
import { isPromise } from './driver.js';
import { handshakeEvent } from './events.js';
import { connectionLimits, type ConnectionLimits } from './limits.js';
import { PostHandshake, type AnyHandshakeState } from './post-handshake.js';
import { protocolViolation, transportErrorOf, type QuicEvent } from './quic-events.js';
import { QuicTransport, type CryptoData, type EncryptionLevel } from './quic-transport.js';
import { Tasks } from './tasks.js';

export { quicInitialSecrets, quicNextSecret, quicPacketKeys, type QuicPacketKeys } from '../key-schedule/quic.js';
export type { QuicCloseEvent, QuicEvent, SecretEvent, TransportParametersEvent } from './quic-events.js';
export type { CryptoData, EncryptionLevel };

export interface QuicHandshakeOptions {
  /** RFC 9001 8.2: those of this connection. Required, unless `quicTransportParameters` of the settings hold for every connection. */
  readonly transportParameters?: Uint8Array;
  /** See `ConnectionOptions`. */
  readonly driver?: 'sync' | 'async';
  readonly wake?: () => void;
  readonly limits?: Partial<ConnectionLimits>;
  readonly answers?: Partial<Answers>;
}

/** The client's side. Throws `UsageError` for settings without `transport: 'quic'`, and where there are no transport parameters. */
export function quicClient(settings: ClientSettings, options: QuicHandshakeOptions = {}): QuicHandshake {
  return new QuicHandshake('client', quicSettings(settings, options), options);
}

/** The server's side. */
export function quicServer(settings: ServerSettings, options: QuicHandshakeOptions = {}): QuicHandshake {
  return new QuicHandshake('server', quicSettings(settings, options), options);
}

function quicSettings<Settings extends ClientSettings | ServerSettings>(
  settings: Settings,
  { transportParameters = settings.quicTransportParameters }: QuicHandshakeOptions,
): Settings {
  if (settings.transport !== 'quic')
    throw new UsageError('invalid_option', "a QUIC handshake needs settings with `transport: 'quic'`");
  if (transportParameters === undefined) throw new UsageError('invalid_option', 'QUIC needs `transportParameters`');
  return { ...settings, quicTransportParameters: transportParameters };
}

export class QuicHandshake {
  readonly role: 'client' | 'server';
  readonly #hs: AnyHandshakeState;
  readonly #transport = new QuicTransport();
  readonly #limits: ConnectionLimits;
  readonly #answers: Answers;
  readonly #post: PostHandshake;
  readonly #tasks: Tasks;
  readonly #joiner: HandshakeJoiner;
  #joinerLevel: EncryptionLevel = 'initial';
  #events: QuicEvent[] = [];
  #state: 'handshake' | 'open' | 'closed' = 'handshake';
  #busy = false;
  #destroyed = false;
  #earlyDataTold = false;
  #parametersTold = false;

  /** Use {@link quicClient} or {@link quicServer}. */
  constructor(role: 'client' | 'server', settings: ClientSettings | ServerSettings, options: QuicHandshakeOptions) {
    this.role = role;
    this.#limits = connectionLimits(options.limits);
    this.#answers = quicAnswers(options);
    this.#joiner = new HandshakeJoiner(this.#limits.maxHandshakeMessageLength);
    const { state, flow } = begin(settings, this.#transport);
    this.#hs = state;
    this.#post = new PostHandshake(state, this.#limits);
    const wake = options.wake ?? (() => undefined);
    this.#tasks = new Tasks(options.driver ?? 'async', this.#answers, (step) => {
      this.#run(step);
      this.#attempt(wake);
    });
    this.#run(() => {
      this.#tasks.start(flow, (result) => {
        if (result !== undefined) this.#open(result);
      });
    });
  }

  get state(): 'handshake' | 'open' | 'closed' {
    return this.#state;
  }

  /** Whether an answer from outside is awaited. */
  get waiting(): boolean {
    return this.#tasks.waiting === 'answer';
  }

  /**
   * Takes bytes of CRYPTO frames, each byte once, in order and without gaps, together with the level that they came in: to keep the
   * data of a level until its read secret is there is the caller's part.
   */
  receive(level: EncryptionLevel, data: Uint8Array): void {
    if (this.#state === 'closed' || data.length === 0) return;
    const step = () => {
      const { readLevel } = this.#transport;
      // RFC 9001 4.1.3 and 8.3: data beyond the end of a level that is over, and CRYPTO frames in 0-RTT packets.
      if (level !== readLevel) throw protocolViolation(`got handshake data at level ${level}, expected ${readLevel}`);
      this.#joiner.push(data, false);
      this.#joinerLevel = level;
    };
    if (this.#busy) this.#attempt(step);
    else this.#run(step);
  }

  /** Handshake bytes to be sent, once, in order. */
  takeOutput(): CryptoData[] {
    return this.#transport.takeOutput();
  }

  /** What happened since the last call, in order. */
  takeEvents(): QuicEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Server: sends tickets, as many as configured by default (RFC 9001 4.6.1: their early data is 0xffffffff or none). */
  sendTickets(count?: number): void {
    const hs = this.#hs;
    if (this.#state !== 'open' || !isServer(hs))
      throw new UsageError('connection_not_open', 'tickets on demand need a server whose handshake is complete');
    const flow = () => sendTickets(hs, count ?? hs.settings.ticketCount);
    this.#run(() => this.#tasks.startAfter(flow, () => undefined));
  }

  /** RFC 8446 7.5. Throws `UsageError` before the handshake is complete. */
  exportKeyingMaterial(label: string, length: number, context: Uint8Array = empty): Uint8Array {
    if (this.#state !== 'open')
      throw new UsageError('connection_not_open', 'keying material needs a complete handshake');
    return this.#hs.exportKeyingMaterial(label, context, length);
  }

  /** The QUIC connection is over: wipes what is secret, and what has not been taken. No event tells of it. */
  destroy(): void {
    this.#state = 'closed';
    this.#destroyed = true;
    this.#forget();
    this.#transport.clear();
    for (const event of this.takeEvents()) if (event.type === 'secret') wipe(event.secret);
  }

  #run(step: () => void): void {
    this.#busy = true;
    this.#attempt(() => {
      step();
      this.#process();
    });
    this.#busy = false;
    // A callback may have ended it, and its step went on until the next wait.
    if (this.#destroyed) this.destroy();
    else if (this.#state === 'closed') this.#forget();
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(blame(error));
    }
  }

  #process(): void {
    for (;;) {
      this.#tasks.settle();
      if (this.#state === 'closed') return;
      this.#tell();
      // RFC 9001 4.1.3: nothing is left over when the level changes.
      if (this.#joiner.pending && this.#joinerLevel !== this.#transport.readLevel)
        throw protocolViolation('got more handshake data before a change of keys');
      if (this.waiting) {
        if (this.#joiner.buffered > this.#limits.maxBufferedLength)
          throw new AlertError('unexpected_message', 'got more than one flight before it was our turn');
        return;
      }
      const message = this.#joiner.next();
      if (message === undefined) return;
      if (this.#tasks.waiting === 'message') this.#tasks.deliver(message);
      else this.#handleAfterHandshake(message);
    }
  }

  #handleAfterHandshake(message: RawHandshake): void {
    // RFC 9001 4.4.
    if (message.type === handshakeTypes.certificate_request)
      throw protocolViolation('got a CertificateRequest after the handshake');
    this.#post.handle(message, (flow) =>
      this.#tasks.start(flow, (session) => session && this.#events.push({ type: 'session', session })),
    );
  }

  /** What the handshake has brought up, with the peer's parameters before the secrets that can be used by them. */
  #tell(): void {
    const { peerTransportParameters: transportParameters } = this.#hs;
    if (transportParameters !== undefined && !this.#parametersTold) {
      this.#parametersTold = true;
      this.#events.push({ type: 'transport_parameters', transportParameters });
    }
    for (const secret of this.#transport.takeSecrets())
      this.#events.push({ type: 'secret', cipherSuite: this.#hs.tls13.cipherSuite, ...secret });
    const { outcome, reason } = this.#hs.earlyData;
    if (this.#earlyDataTold || (outcome !== 'accepted' && outcome !== 'rejected')) return;
    this.#earlyDataTold = true;
    this.#events.push({ type: 'early_data', accepted: outcome === 'accepted', reason });
  }

  #open(result: HandshakeResult): void {
    const hs = this.#hs;
    this.#state = 'open';
    this.#tell();
    hs.complete();
    countHandshake(hs.settings.counters, result);
    this.#events.push(handshakeEvent(result, 0));
    if (isServer(hs) && hs.ticketsToSend > 0) this.#tasks.start(sendTickets(hs, hs.ticketsToSend), () => undefined);
  }

  #fail(error: TlsResumeError): void {
    if (this.#state === 'closed') return;
    // CONNECTION_CLOSE goes out under the newest keys that the peer may have.
    this.#tell();
    this.#state = 'closed';
    forgetSession(this.#answers, this.#hs.stored);
    this.#forget();
    this.#events.push({ type: 'close', error, transportError: transportErrorOf(error) });
  }

  #forget(): void {
    this.#tasks.close();
    returnTaken(this.#answers, this.#hs);
    this.#hs.destroy();
    this.#joiner.clear();
  }
}

/** Whatever settings are chosen, the transport parameters are those of the connection. */
function quicAnswers({ answers, ...options }: QuicHandshakeOptions): Answers {
  const all = { ...defaultAnswers, ...answers };
  const ours = (settings: ServerSettings | undefined) => settings && quicSettings(settings, options);
  return {
    ...all,
    choose_settings: (question) => {
      const chosen = all.choose_settings(question);
      return isPromise(chosen) ? chosen.then(ours) : ours(chosen);
    },
  };
}

function begin(
  settings: ClientSettings | ServerSettings,
  transport: HandshakeTransport,
): { state: AnyHandshakeState; flow: Handshake<HandshakeResult> } {
  if ('sessionKey' in settings) {
    const state = new HandshakeState('client', settings, transport);
    return { state, flow: clientHandshake(state) };
  }
  const state = new HandshakeState('server', settings, transport);
  return { state, flow: serverHandshake(state) };
}

function isServer(hs: AnyHandshakeState): hs is HandshakeState<ServerSettings> {
  return hs.role === 'server';
}
