/**
 * One connection of the shim: it dials the runner, shakes hands in the role that it was told, sends back what it gets with every
 * bit turned, and looks at what the connection has become.
 */
import { connect, type Socket } from 'node:net';
import {
  clientConnection,
  clientSettings,
  type CloseEvent,
  type Connection,
  type ConnectionEvent,
  type HandshakeEvent,
  PeerAlertError,
  serverConnection,
  type Session,
} from '../../src/index.js';
import { checkHandshake, expect, Unmet } from './expectations.js';
import type { Configuration, Configurations } from './flags.js';
import { clientOptions, configuredServer, type Seen, type World } from './options.js';

/** Milliseconds that the runner has to close its end; it waits longer for us before it gives up on the test. */
const drainTimeout = 5_000;

/** The session to offer next time. Rejects with what went wrong. */
export async function exchange(
  configurations: Configurations,
  world: World,
  isResumption: boolean,
  session: Session | undefined,
): Promise<Session | undefined> {
  const config = isResumption ? configurations.resume : configurations.initial;
  const socket = await dial(config);
  const seen: Seen = { verified: 0, trafficSecrets: new Map() };
  const exchanged = new Exchange(socket, configurations, seen, isResumption);
  try {
    exchanged.begin(makeConnection(config, world, seen, session, () => exchanged.pump()));
    await exchanged.done;
  } finally {
    await hangUp(socket);
  }
  return exchanged.session;
}

async function dial(config: Configuration): Promise<Socket> {
  const socket = connect({
    port: config.port ?? 0,
    host: config.ipv6 === true ? '::1' : '127.0.0.1',
    noDelay: true,
    allowHalfOpen: true,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const id = Buffer.alloc(8);
  id.writeBigUInt64LE(BigInt(config['shim-id'] ?? 0));
  socket.write(id);
  return socket;
}

/** What the runner still sends is read: an end that is reset may lose our last words. */
async function hangUp(socket: Socket): Promise<void> {
  socket.removeAllListeners('data');
  socket.end();
  socket.resume();
  if (socket.closed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, drainTimeout);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  socket.destroy();
}

function makeConnection(
  config: Configuration,
  world: World,
  seen: Seen,
  session: Session | undefined,
  wake: () => void,
): Connection {
  const driver = config.async === true ? 'async' : 'sync';
  const options = { driver, wake, limits: limits(config) } as const;
  return config.server === true
    ? serverConnection(configuredServer(config, world, seen), options)
    : clientConnection(clientSettings(clientOptions(config, world, seen, session)), options);
}

function limits({ 'max-cert-list': longest }: Configuration) {
  return longest === undefined ? {} : { maxHandshakeMessageLength: longest };
}

class Exchange {
  session: Session | undefined;
  readonly done: Promise<void>;
  readonly #socket: Socket;
  readonly #configurations: Configurations;
  readonly #seen: Seen;
  readonly #isResumption: boolean;
  #config: Configuration;
  #connection!: Connection;
  #handshake: HandshakeEvent | undefined;
  #initialWritesLeft: number;
  #finish!: () => void;
  #fail!: (error: unknown) => void;
  #over = false;

  constructor(socket: Socket, configurations: Configurations, seen: Seen, isResumption: boolean) {
    this.#socket = socket;
    this.#configurations = configurations;
    this.#seen = seen;
    this.#isResumption = isResumption;
    this.#config = isResumption ? configurations.resume : configurations.initial;
    this.#initialWritesLeft = initialWrites(this.#config);
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  begin(connection: Connection): void {
    this.#connection = connection;
    this.#writeEarly();
    this.#socket.on('data', (bytes) => this.#receive(new Uint8Array(bytes)));
    this.#socket.once('end', () => {
      connection.receiveEnd();
      this.pump();
    });
    this.#socket.once('error', () => {
      connection.receiveEnd();
      this.pump();
    });
    this.pump();
  }

  /** `-async`: as if the transport had but one byte at a time. */
  #receive(bytes: Uint8Array): void {
    const step = this.#config.async === true ? 1 : bytes.length;
    for (let at = 0; at < bytes.length; at += step) {
      this.#connection.receive(bytes.subarray(at, at + step));
      this.pump();
    }
  }

  pump(): void {
    while (!this.#over) {
      const events = this.#connection.takeEvents();
      for (const event of events) this.#attempt(() => this.#handle(event));
      const output = this.#connection.takeOutput();
      if (output.length > 0) this.#socket.write(output);
      if (events.length === 0) return;
    }
  }

  #attempt(step: () => void): void {
    if (this.#over) return;
    try {
      step();
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const output = this.#connection.takeOutput();
    if (output.length > 0) this.#socket.write(output);
    if (error === undefined) this.#finish();
    else this.#fail(error);
  }

  #handle(event: ConnectionEvent): void {
    switch (event.type) {
      case 'handshake':
        this.#opened(event);
        break;
      case 'early_data':
        if (!event.accepted && this.#config.server !== true) this.#rejected();
        break;
      case 'session':
        this.session = event.session;
        break;
      case 'data':
        this.#echo(event.data);
        break;
      case 'close':
        this.#closed(event);
        break;
      case 'warning':
      case 'end':
        break;
    }
  }

  /** From here on it is another connection, with expectations of its own. */
  #rejected(): void {
    expect('early data', this.#config['expect-reject-early-data'], true);
    this.#config = this.#configurations.retry;
    this.#initialWritesLeft = initialWrites(this.#config);
  }

  #writeEarly(): void {
    const connection = this.#connection;
    const data = initialData(this.#config);
    for (; this.#initialWritesLeft > 0 && connection.earlyDataAllowance >= data.length; this.#initialWritesLeft--)
      connection.writeEarlyData(data);
  }

  #opened(event: HandshakeEvent): void {
    const config = this.#config;
    const connection = this.#connection;
    this.#handshake = event;
    checkHandshake(config, event, this.#seen, this.#isResumption);
    const length = config['export-keying-material'] ?? 0;
    if (length > 0) {
      const context = config['use-export-context'] === true ? Buffer.from(config['export-context'] ?? '') : undefined;
      connection.write(connection.exportKeyingMaterial(config['export-label'] ?? '', length, context));
    }
    if (config['export-traffic-secrets'] === true) this.#writeTrafficSecrets();
    if (config['send-alert'] === true) {
      connection.abort('decompression_failure');
      this.#end();
      return;
    }
    for (; this.#initialWritesLeft > 0; this.#initialWritesLeft--) connection.write(initialData(config));
    if (config['shim-shuts-down'] === true) {
      if (config['check-close-notify'] === true) connection.close();
      else this.#end();
    } else if (config['key-update-before-read'] === true) connection.updateKeys();
  }

  #writeTrafficSecrets(): void {
    const secret = (owner: string) => this.#seen.trafficSecrets.get(`${owner}_TRAFFIC_SECRET_0`)!;
    const [own, peers] = this.#config.server === true ? ['SERVER', 'CLIENT'] : ['CLIENT', 'SERVER'];
    const length = Buffer.alloc(2);
    length.writeUInt16LE(secret(own!).length);
    for (const part of [length, secret(peers!), secret(own!)]) this.#connection.write(part);
  }

  #echo(data: Uint8Array): void {
    const config = this.#config;
    const connection = this.#connection;
    if (config['key-update'] === true) connection.updateKeys();
    const turned = data.map((byte) => byte ^ 0xff);
    const step = config['read-size'] ?? turned.length;
    for (let at = 0; at < turned.length; at += step) {
      const part = turned.subarray(at, at + step);
      if (this.#handshake === undefined && config.server === true) connection.writeHalfRtt(part);
      else connection.write(part);
    }
    if (config['key-update-before-read'] === true) connection.updateKeys();
  }

  #closed({ reason, error }: CloseEvent): void {
    if (reason === 'error') throw error ?? new Error('an error without an error');
    if (this.#handshake === undefined) throw new Unmet('the runner went away in the handshake');
    const config = this.#config;
    if (config['check-close-notify'] === true) expect('the end', reason, 'close_notify');
    this.#checkSession();
    this.#end();
  }

  #checkSession(): void {
    const config = this.#config;
    if (config.server === true) return;
    const { version, resumed } = this.#handshake!;
    const expectsNone = config['expect-no-session'] === true;
    const wanted =
      version === 'TLSv1.3'
        ? !expectsNone && config['shim-shuts-down'] !== true
        : !expectsNone && (!resumed || config['expect-ticket-renewal'] === true);
    expect('a new session', this.session !== undefined, wanted);
    if (this.session?.version === 'TLSv1.3')
      expect(
        'a session for early data',
        this.session.maxEarlyDataSize > 0,
        config['expect-ticket-supports-early-data'] === true,
      );
  }
}

function initialWrites(config: Configuration): number {
  const writes = config['shim-writes-first'] === true || config['read-with-unfinished-write'] === true;
  return writes ? (config['repeat-shim-initial-write'] ?? 1) : 0;
}

function initialData(config: Configuration): Uint8Array {
  return new TextEncoder().encode(config['shim-initial-write'] ?? 'hello');
}

/** One line for the runner, which looks for words in it. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const alert = error instanceof PeerAlertError ? `:${String(error.alert)}` : '';
  const cause = error.cause === undefined ? '' : ` (${describe(error.cause)})`;
  return `${error.name}:${code}${alert}: ${error.message}${cause}`;
}
