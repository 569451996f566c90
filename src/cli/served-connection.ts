/**
 * One connection of `serve`: a TCP socket, the server's side of TLS over it, and what is said on it.
 *
 * The surprising thing: the answer to a request goes out in one record, and then the client has the word. The server closes
 * when close_notify comes, so that clients may wait for tickets, or say more before they go.
 */
import type { Socket } from 'node:net';
import { serverConnection, type Connection } from '../connection/connection.js';
import type { CloseEvent, ConnectionEvent, DataEvent, HandshakeEvent } from '../connection/events.js';
import type { ServerSettings } from '../handshake/settings.js';
import { failureOf, systemFailure, type Failure } from './failure.js';
import { handshakeLine, type HandshakeLine } from './handshake-line.js';
import { page } from './page.js';
import { RequestEnd } from './request-end.js';

/** Milliseconds that a client has for its handshake. */
const handshakeTimeout = 30_000;
/** Milliseconds without a byte in or out after which the server closes. */
const idleTimeout = 60_000;
/** Milliseconds that a client has to read the last bytes and to close its side. */
const lingerTimeout = 2_000;

export type ErrorLine = { readonly event: 'error' } & Failure;

export interface Service {
  readonly settings: ServerSettings;
  readonly manner: 'www' | 'echo';
  /** Hears of every complete handshake and of every failed connection, at once. */
  readonly report: (line: HandshakeLine | ErrorLine) => void;
}

export class ServedConnection {
  readonly #socket: Socket;
  readonly #service: Service;
  readonly #connection: Connection;
  readonly #handshakeTimer: NodeJS.Timeout;
  readonly #request = new RequestEnd();
  /** Early data to be echoed when the handshake is complete: as much as the server takes. */
  readonly #early: Uint8Array[] = [];
  #requested = false;
  #answered = false;
  #line: HandshakeLine | undefined;
  #draining = false;
  #ended = false;

  constructor(socket: Socket, service: Service) {
    this.#socket = socket;
    this.#service = service;
    this.#connection = serverConnection(service.settings, { halfClose: true, wake: () => this.#advance() });
    this.#handshakeTimer = setTimeout(() => this.#timeOut(), handshakeTimeout);
    socket.setTimeout(idleTimeout, () => this.end());
    socket.on('data', (chunk: Buffer) => {
      if (this.#ended) return;
      this.#connection.receive(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      this.#advance();
    });
    socket.on('end', () => {
      this.#connection.receiveEnd();
      this.#advance();
    });
    socket.on('drain', () => this.#advance());
    socket.on('error', (error) => {
      if (this.#line === undefined) this.#fail(systemFailure(error));
    });
    socket.on('close', () => {
      clearTimeout(this.#handshakeTimer);
      this.#connection.destroy();
    });
  }

  /** Lets the client have its answer, and ends the connection then. */
  drain(): void {
    this.#draining = true;
    if (this.#answered) this.end();
  }

  /** Says close_notify, and gives the client a moment to close its side. */
  end(): void {
    this.#connection.close();
    this.#flush();
    this.#endSocket();
  }

  #advance(): void {
    if (this.#ended) return;
    for (const event of this.#connection.takeEvents()) this.#handle(event);
    this.#flush();
    if (this.#connection.state === 'closed') this.#endSocket();
    else if (this.#draining && this.#answered) this.end();
    else if (this.#connection.waiting || this.#socket.writableNeedDrain) this.#socket.pause();
    else this.#socket.resume();
  }

  #handle(event: ConnectionEvent): void {
    if (event.type === 'handshake') this.#opened(event);
    else if (event.type === 'data') this.#read(event);
    else if (event.type === 'end') this.end();
    else if (event.type === 'close') this.#closed(event);
  }

  #opened(event: HandshakeEvent): void {
    clearTimeout(this.#handshakeTimer);
    this.#line = handshakeLine(event);
    this.#service.report(this.#line);
    for (const data of this.#early.splice(0)) this.#write(data);
    this.#answer();
  }

  #read({ data }: DataEvent): void {
    if (this.#service.manner === 'echo') {
      if (this.#line === undefined) this.#early.push(data);
      else this.#write(data);
    } else {
      this.#requested ||= this.#request.push(data);
      this.#answer();
    }
  }

  #answer(): void {
    if (!this.#requested || this.#answered || this.#line === undefined) return;
    this.#answered = true;
    this.#write(page(this.#line));
  }

  /** Nothing is said after the end: a client of TLS 1.2 that has closed does not listen any more. */
  #write(data: Uint8Array): void {
    if (this.#connection.state === 'open') this.#connection.write(data);
  }

  #closed({ reason, error }: CloseEvent): void {
    if (error !== undefined) this.#fail(failureOf(error));
    else if (reason === 'truncated' && this.#line === undefined)
      this.#fail({ code: 'truncated', message: 'the client went away in mid-handshake' });
  }

  /** Whoever only knocks at the port has not failed. */
  #fail(failure: Failure): void {
    if (this.#socket.bytesRead > 0) this.#service.report({ event: 'error', ...failure });
  }

  #timeOut(): void {
    const message = `the handshake took more than ${handshakeTimeout} ms`;
    this.#fail({ code: 'handshake_timeout', message });
    this.end();
  }

  #flush(): void {
    const output = this.#connection.takeOutput();
    if (output.length > 0 && this.#socket.writable) this.#socket.write(output);
  }

  /**
   * What the client still sends is read and dropped: a socket that is closed with unread bytes sends a reset, and a reset
   * makes the client drop the alert or the answer that it has not read yet.
   */
  #endSocket(): void {
    if (this.#ended) return;
    this.#ended = true;
    const timer = setTimeout(() => this.#socket.destroy(), lingerTimeout);
    this.#socket.once('close', () => {
      clearTimeout(timer);
    });
    this.#socket.end();
    this.#socket.resume();
  }
}
