/**
 * `tls-resume/quic`: TLS 1.3 for a QUIC stack (RFC 9001 4). No records: handshake bytes by encryption level go in and out, secrets
 * come out as soon as they are there, and alerts are numbers.
 *
 * The surprising thing is what is missing: EndOfEarlyData, KeyUpdate, ChangeCipherSpec and close_notify are QUIC's own business
 * (RFC 9001 6, 8.3, 8.4).
 */
import { alertDescriptions } from '../alert.js';
import { empty, join } from '../bytes.js';
import { AlertError, PeerAlertError, UsageError, type TlsResumeError } from '../errors.js';
import { clientHandshake } from '../handshake/client.js';
import type { HandshakeTransport } from '../handshake/handshake-base.js';
import { HandshakeState } from '../handshake/handshake-state.js';
import type { Answers, Handshake } from '../handshake/needs.js';
import type { HandshakeResult } from '../handshake/result.js';
import { countHandshake } from '../handshake/resumption.js';
import { serverHandshake } from '../handshake/server.js';
import type { ClientSettings, ServerSettings } from '../handshake/settings.js';
import { sendTickets } from '../handshake/tickets-tls13.js';
import type { Tls13CipherSuite } from '../key-schedule/suites.js';
import { HandshakeJoiner } from '../record/handshake-joiner.js';
import type { Epoch, EpochKeys } from '../record/record-layer.js';
import { blame } from './alerts.js';
import { defaultAnswers } from './answers.js';
import { handshakeEvent, type EarlyDataEvent, type HandshakeEvent, type SessionEvent } from './events.js';
import { connectionLimits, type ConnectionLimits } from './limits.js';
import { PostHandshake, type AnyHandshakeState } from './post-handshake.js';
import { Tasks } from './tasks.js';

export { quicInitialSecrets, quicNextSecret, quicPacketKeys, type QuicPacketKeys } from '../key-schedule/quic.js';

/** RFC 9001 2.1. */
export type EncryptionLevel = 'initial' | Epoch;

/** Bytes for CRYPTO frames of one level. */
export interface CryptoData {
  readonly level: EncryptionLevel;
  readonly data: Uint8Array;
}

/** RFC 9001 4.1.4: packets of this level can be protected or read from now on. Keep it like a private key. */
export interface SecretEvent {
  readonly type: 'secret';
  readonly level: Epoch;
  readonly direction: 'read' | 'write';
  readonly cipherSuite: Tls13CipherSuite;
  /** As long as the hash of the suite; the receiver's to keep and to wipe. See {@link quicPacketKeys}. */
  readonly secret: Uint8Array;
}

/** The handshake has failed; always the last event. */
export interface QuicCloseEvent {
  readonly type: 'close';
  readonly error: TlsResumeError;
  /** RFC 9001 4.8: what CONNECTION_CLOSE says, 0x0100 to 0x01ff. `undefined` where there is nobody to tell. */
  readonly transportError: number | undefined;
}

export type QuicEvent = SecretEvent | HandshakeEvent | EarlyDataEvent | SessionEvent | QuicCloseEvent;

export interface QuicHandshakeOptions {
  /** See `ConnectionOptions`. */
  readonly driver?: 'sync' | 'async';
  readonly wake?: () => void;
  readonly limits?: Partial<ConnectionLimits>;
  readonly answers?: Partial<Answers>;
}

/** The client's side. Throws `UsageError` for settings that are not made with `transport: 'quic'`. */
export function quicClient(settings: ClientSettings, options: QuicHandshakeOptions = {}): QuicHandshake {
  return new QuicHandshake('client', requireQuic(settings), options);
}

/** The server's side. */
export function quicServer(settings: ServerSettings, options: QuicHandshakeOptions = {}): QuicHandshake {
  return new QuicHandshake('server', requireQuic(settings), options);
}

function requireQuic<Settings extends ClientSettings | ServerSettings>(settings: Settings): Settings {
  if (settings.transport === 'quic') return settings;
  throw new UsageError('invalid_option', "a QUIC handshake needs settings with `transport: 'quic'`");
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
  #earlyDataTold = false;

  /** Use {@link quicClient} or {@link quicServer}. */
  constructor(role: 'client' | 'server', settings: ClientSettings | ServerSettings, options: QuicHandshakeOptions) {
    this.role = role;
    this.#limits = connectionLimits(options.limits);
    this.#answers = { ...defaultAnswers, ...options.answers };
    this.#joiner = new HandshakeJoiner(this.#limits.maxHandshakeMessageLength);
    const { state, flow } = begin(settings, this.#transport);
    this.#hs = state;
    this.#post = new PostHandshake(state, { recordsWritten: 0 }, this.#limits);
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

  /** Takes over bytes of CRYPTO frames, in order and without gaps, of the level that they came in. */
  receive(level: EncryptionLevel, data: Uint8Array): void {
    if (this.#state === 'closed' || data.length === 0) return;
    const step = () => {
      // RFC 9001 4.1.3: handshake data of a level that is over, or whose keys are not there, is no mere reordering.
      if (level !== this.#transport.readLevel)
        throw new AlertError(
          'unexpected_message',
          `got handshake data at level ${level}, expected ${this.#transport.readLevel}`,
        );
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

  /** The QUIC connection is over: wipes what is secret. */
  destroy(): void {
    this.#state = 'closed';
    this.#tasks.close();
    this.#hs.destroy();
    this.#joiner.clear();
  }

  #run(step: () => void): void {
    this.#busy = true;
    this.#attempt(() => {
      step();
      this.#process();
    });
    this.#busy = false;
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
      this.#tell();
      if (this.#state === 'closed' || this.waiting) return;
      // RFC 9001 4.1.3: nothing is left over when the level changes.
      if (this.#joiner.pending && this.#joinerLevel !== this.#transport.readLevel)
        throw new AlertError('unexpected_message', 'got more handshake data before a change of keys');
      const message = this.#joiner.next();
      if (message === undefined) return;
      if (this.#tasks.waiting === 'message') this.#tasks.deliver(message);
      else
        this.#post.handle(message, (flow) =>
          this.#tasks.start(flow, (session) => session && this.#events.push({ type: 'session', session })),
        );
    }
  }

  /** Secrets and the fate of early data, in the order in which they came up. */
  #tell(): void {
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
    const alert =
      error instanceof AlertError ? error.alert : error instanceof PeerAlertError ? undefined : 'internal_error';
    this.destroy();
    const transportError = alert === undefined ? undefined : quicCryptoError + alertDescriptions[alert];
    this.#events.push({ type: 'close', error, transportError });
  }
}

/** RFC 9001 4.8: CRYPTO_ERROR. */
const quicCryptoError = 0x0100;

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

const unneeded = (): void => undefined;

/** Where a handshake's messages and secrets go in place of a record layer. */
class QuicTransport implements HandshakeTransport {
  readLevel: EncryptionLevel = 'initial';
  #writeLevel: EncryptionLevel = 'initial';
  #output: { level: EncryptionLevel; messages: Uint8Array[] }[] = [];
  #secrets: Pick<SecretEvent, 'level' | 'direction' | 'secret'>[] = [];

  writeHandshake(message: Uint8Array): void {
    const last = this.#output.at(-1);
    if (last?.level === this.#writeLevel) last.messages.push(message);
    else this.#output.push({ level: this.#writeLevel, messages: [message] });
  }

  takeOutput(): CryptoData[] {
    const output = this.#output;
    this.#output = [];
    return output.map(({ level, messages }) => ({ level, data: join(messages) }));
  }

  takeSecrets() {
    const secrets = this.#secrets;
    this.#secrets = [];
    return secrets;
  }

  /** Early data has no handshake bytes, in neither direction. */
  changeReadKeys(level: Epoch, { secret }: EpochKeys): void {
    this.#secrets.push({ level, direction: 'read', secret: secret.secret.slice() });
    if (level !== 'early') this.readLevel = level;
  }

  changeWriteKeys(level: Epoch, { secret }: EpochKeys): void {
    this.#secrets.push({ level, direction: 'write', secret: secret.secret.slice() });
    if (level !== 'early') this.#writeLevel = level;
  }

  // QUIC has its own ways for the rest (RFC 9001 4, 6, 8.4), and TLS 1.2 never runs on it.
  readonly writeChangeCipherSpec = unneeded;
  readonly versionNegotiated = unneeded;
  readonly endMessages = unneeded;
  readonly limitRecordSize = unneeded;
  readonly dropWriteProtection = unneeded;
  readonly skipEarlyData = unneeded;
  readonly stopSkipping = unneeded;

  changeReadProtection(): never {
    throw new AlertError('internal_error', 'QUIC has no record protection');
  }
  changeWriteProtection(): never {
    throw new AlertError('internal_error', 'QUIC has no record protection');
  }
}
