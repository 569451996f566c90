/** A client over TCP that sees every record: what came in how many records, and which side closed first. */
import { connect, type Socket } from 'node:net';
import { acceptAnyCertificateForTesting } from '../../src/adapters/x509/node-verifier.js';
import { clientSettings } from '../../src/connection/config.js';
import type { ClientOptions } from '../../src/connection/options.js';
import { clientConnection, type Connection } from '../../src/connection/connection.js';
import type { CloseEvent, ConnectionEvent, HandshakeEvent } from '../../src/connection/events.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import type { Session } from '../../src/sessions/session.js';

export class RecordClient {
  readonly socket: Socket;
  connection!: Connection;
  handshake: HandshakeEvent | undefined;
  /** Application data, one entry a record. */
  readonly records: string[] = [];
  readonly sessions: Session[] = [];
  closed: CloseEvent | undefined;
  /** Whether the server has ended the TCP connection. */
  ended = false;
  /** Sends each byte in a segment of its own. */
  dribbles = false;
  #changed: () => void = () => undefined;

  constructor(port: number, options: Partial<ClientOptions> = {}, early?: (connection: Connection) => void) {
    const settings = clientSettings({
      now: Date.now,
      crypto: nodeCrypto,
      serverName: 'example.test',
      verifyCertificate: acceptAnyCertificateForTesting(),
      ...options,
    });
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.socket.once('connect', () => {
      this.connection = clientConnection(settings, { wake: () => this.step() });
      early?.(this.connection);
      this.step();
    });
    this.socket.on('data', (chunk: Buffer) => {
      this.connection.receive(Uint8Array.from(chunk));
      this.step();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.connection.receiveEnd();
      this.step();
    });
    this.socket.on('error', () => this.#changed());
    this.socket.on('close', () => this.#changed());
  }

  /** Waits for the handshake, a record, an end: whatever the condition is about. */
  until(condition: (client: this) => boolean, milliseconds = 5_000): Promise<this> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`timed out: ${condition.toString()}`)), milliseconds);
      const look = () => {
        if (!condition(this)) return;
        clearTimeout(timer);
        this.#changed = () => undefined;
        resolve(this);
      };
      this.#changed = look;
      look();
    });
  }

  opened(): Promise<this> {
    return this.until(({ handshake }) => handshake !== undefined);
  }

  /** One record, in a segment of its own. */
  write(text: string): void {
    this.connection.write(Buffer.from(text));
    this.step();
  }

  close(): void {
    this.connection.close();
    this.step();
  }

  step(): void {
    for (const event of this.connection.takeEvents()) this.#handle(event);
    const output = this.connection.takeOutput();
    if (this.socket.writable)
      for (const piece of this.dribbles ? Array.from(output, (byte) => Uint8Array.of(byte)) : [output])
        if (piece.length > 0) this.socket.write(piece);
    this.#changed();
  }

  #handle(event: ConnectionEvent): void {
    if (event.type === 'handshake') this.handshake = event;
    else if (event.type === 'data') this.records.push(Buffer.from(event.data).toString('latin1'));
    else if (event.type === 'session') this.sessions.push(event.session);
    else if (event.type === 'close') this.closed = event;
  }
}
