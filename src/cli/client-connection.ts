/**
 * One connection of `connect`: the client's side of TLS over a new TCP socket, a request, and what comes back.
 *
 * It reads until the server closes, or until nothing has come for {@link quietTime}: TLS 1.3 tickets come after the handshake,
 * and some servers never answer.
 */
import { connect, type Socket } from 'node:net';
import { clientConnection, type Connection } from '../connection/connection.js';
import type { CloseEvent, ConnectionEvent, HandshakeEvent } from '../connection/events.js';
import type { ClientSettings } from '../handshake/settings.js';
import type { Session } from '../sessions/session.js';
import { failureOf, systemFailure, type Failure } from './failure.js';
import type { Target } from './values.js';

/** Milliseconds. */
const quietTime = 700;
/** Milliseconds that connecting and the handshake may take. */
const handshakeTimeout = 15_000;
/** Milliseconds that the server has to answer close_notify. */
const lingerTimeout = 1_000;

export interface Conversation {
  readonly target: Target;
  readonly settings: ClientSettings;
  /** Sent first; as much of it as the session allows goes out as early data. */
  readonly early: Uint8Array;
  readonly request: Uint8Array;
  /** Gets what the server says. */
  readonly received: (data: Uint8Array) => void;
}

export interface Outcome {
  /** `undefined` if there was none to the end. */
  readonly handshake: HandshakeEvent | undefined;
  /** In the order in which they came. */
  readonly sessions: readonly Session[];
  /** `undefined` if all went well. */
  readonly failure: Failure | undefined;
  /** What was received may not be all: the handshake was fine, and nothing said that this is the end (RFC 8446 6.1). */
  readonly truncated: boolean;
}

/** Never rejects. */
export function converse(conversation: Conversation): Promise<Outcome> {
  return new Promise((resolve) => new ClientSide(conversation, resolve));
}

class ClientSide {
  readonly #socket: Socket;
  readonly #conversation: Conversation;
  readonly #resolve: (outcome: Outcome) => void;
  #timer: NodeJS.Timeout;
  #connection: Connection | undefined;
  #handshake: HandshakeEvent | undefined;
  readonly #sessions: Session[] = [];
  #failure: Failure | undefined;
  #truncated = false;
  /** Bytes. */
  #earlySent = 0;
  #ended = false;

  constructor(conversation: Conversation, resolve: (outcome: Outcome) => void) {
    this.#conversation = conversation;
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.#timeOut(), handshakeTimeout);
    this.#socket = connect({ ...conversation.target, noDelay: true, allowHalfOpen: true });
    this.#socket.once('connect', () => this.#begin(conversation.settings));
    this.#socket.on('error', (error) => {
      if (this.#ended) return;
      if (this.#handshake === undefined) this.#failure ??= systemFailure(error);
      else this.#truncated = true;
    });
    this.#socket.on('close', () => this.#closed());
  }

  #begin(settings: ClientSettings): void {
    const connection = clientConnection(settings, { wake: () => this.#advance() });
    this.#connection = connection;
    this.#socket.on('data', (chunk: Buffer) => {
      connection.receive(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      this.#advance();
      this.#waitForQuiet();
    });
    this.#socket.on('end', () => {
      connection.receiveEnd();
      this.#advance();
    });
    this.#advance();
  }

  #advance(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#sendEarly(connection);
    for (const event of connection.takeEvents()) this.#handle(connection, event);
    const output = connection.takeOutput();
    if (output.length > 0 && this.#socket.writable) this.#socket.write(output);
    if (connection.state === 'closed') this.#end();
  }

  #handle(connection: Connection, event: ConnectionEvent): void {
    switch (event.type) {
      case 'handshake':
        this.#handshake = event;
        this.#speak(connection, event);
        this.#waitForQuiet();
        break;
      case 'session':
        this.#sessions.push(event.session);
        break;
      case 'data':
        this.#conversation.received(event.data);
        break;
      case 'close':
        this.#failure ??= this.#judge(event);
        break;
      case 'early_data':
      case 'end':
      case 'warning':
    }
  }

  /** What the server has not read as early data is said now, by the one who asked for it (RFC 8446 4.2.10). */
  #speak(connection: Connection, { earlyData }: HandshakeEvent): void {
    if (connection.state !== 'open') return;
    const { early, request } = this.#conversation;
    connection.write(early.subarray(earlyData === 'accepted' ? this.#earlySent : 0));
    connection.write(request);
  }

  #sendEarly(connection: Connection): void {
    const { early } = this.#conversation;
    const count = Math.min(early.length - this.#earlySent, connection.earlyDataAllowance);
    if (count === 0) return;
    connection.writeEarlyData(early.subarray(this.#earlySent, this.#earlySent + count));
    this.#earlySent += count;
  }

  /** After our own close_notify the server may go without a word (RFC 5246 7.2.1, RFC 8446 6.1). */
  #judge({ reason, error }: CloseEvent): Failure | undefined {
    if (error !== undefined) return failureOf(error);
    if (reason !== 'truncated' || this.#ended) return undefined;
    this.#truncated = this.#handshake !== undefined;
    if (this.#truncated) return undefined;
    return { code: 'truncated', message: 'the server went away in mid-handshake' };
  }

  #waitForQuiet(): void {
    if (this.#handshake === undefined || this.#ended) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#connection?.close();
      this.#end();
      this.#advance();
    }, quietTime);
  }

  #timeOut(): void {
    this.#failure ??= { code: 'handshake_timeout', message: `the handshake took more than ${handshakeTimeout} ms` };
    this.#socket.destroy();
  }

  /** Our side has said its last word; the server has a moment for its own. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), lingerTimeout);
    const last = this.#connection?.takeOutput() ?? new Uint8Array(0);
    this.#socket.end(last);
    this.#socket.resume();
  }

  #closed(): void {
    clearTimeout(this.#timer);
    this.#connection?.destroy();
    const [handshake, sessions] = [this.#handshake, this.#sessions];
    this.#resolve({ handshake, sessions, failure: this.#failure, truncated: this.#truncated });
  }
}
