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
import { clientOptions, configuredServer, refusal, type Seen, type World } from './options.js';

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
  const seen: Seen = { config, retry: configurations.retry, verified: 0, trafficSecrets: new Map() };
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
  const options = { driver, wake, limits: limits(config), ...fragments(config) } as const;
  return config.server === true
    ? serverConnection(configuredServer(config, world, seen), options)
    : clientConnection(clientSettings(clientOptions(config, world, seen, session)), options);
}

function fragments({ 'max-send-fragment': length }: Configuration) {
  return length === undefined ? {} : { maximumFragmentLength: length };
}

function limits({ 'max-cert-list': longest }: Configuration) {
  return { maxWarnings: 4, ...(longest !== undefined && { maxHandshakeMessageLength: longest }) };
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
  /** What the shim says of its own accord. */
  #unwritten: Uint8Array;
  readonly #initialLength: number;
  #finish!: () => void;
  #fail!: (error: unknown) => void;
  #over = false;
  #acceptedEarlyData = false;
  /** What the connection has not been given yet. */
  #input: Uint8Array = new Uint8Array();
  #ended = false;
  /** What the connection has said and the runner has not been given. */
  #unsent: Uint8Array = new Uint8Array();
  #held = false;

  constructor(socket: Socket, configurations: Configurations, seen: Seen, isResumption: boolean) {
    this.#socket = socket;
    this.#configurations = configurations;
    this.#seen = seen;
    this.#isResumption = isResumption;
    this.#config = isResumption ? configurations.resume : configurations.initial;
    this.#unwritten = initialWrites(this.#config);
    this.#initialLength = initialData(this.#config).length;
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  begin(connection: Connection): void {
    this.#connection = connection;
    this.#socket.on('data', (bytes) => {
      this.#input = Buffer.concat([this.#input, bytes]);
      this.pump();
    });
    const end = () => {
      this.#ended = true;
      this.pump();
    };
    this.#socket.once('end', end);
    this.#socket.once('error', end);
    this.pump();
  }

  /** `-async`: as if the transport had but one byte at a time, and none while an answer is awaited. */
  pump(): void {
    for (;;) {
      this.#drain();
      if (this.#over || this.#connection.waiting || this.#input.length === 0) break;
      const step = this.#config.async === true ? 1 : this.#input.length;
      this.#connection.receive(this.#input.subarray(0, step));
      this.#input = this.#input.subarray(step);
    }
    if (this.#ended && this.#input.length === 0 && !this.#connection.waiting) {
      this.#connection.receiveEnd();
      this.#drain();
    }
  }

  #drain(): void {
    while (!this.#over) {
      if (this.#connection.state === 'handshake') {
        this.#send(this.#connection.takeOutput());
        this.#attempt(() => this.#writeEarly());
      }
      const events = this.#connection.takeEvents();
      for (const event of events) this.#attempt(() => this.#handle(event));
      // As BoringSSL: what the runner has said already is heard before it is answered.
      if (this.#input.length === 0 || this.#connection.state !== 'open') this.#send(this.#connection.takeOutput());
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
    this.#held = false;
    this.#send(this.#connection.takeOutput());
    if (error === undefined) this.#finish();
    else this.#fail(error);
  }

  #handle(event: ConnectionEvent): void {
    switch (event.type) {
      case 'handshake':
        this.#opened(event);
        break;
      case 'early_data':
        this.#acceptedEarlyData = event.accepted;
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
    const config = (this.#config = this.#seen.config = this.#configurations.retry);
    // The session was judged before it was offered, and this configuration would not have offered it.
    if (config['verify-fail'] === true && config['reverify-on-resume'] === true && this.#connection.state !== 'closed')
      this.#connection.abort(refusal(config).alert);
    this.#unwritten = initialWrites(config);
  }

  /** As much as may be; the rest follows when the handshake is complete. */
  #writeEarly(): void {
    const connection = this.#connection;
    this.#seen.offeredEarlyData ||= connection.earlyDataAllowance > 0;
    if (connection.earlyDataAllowance > 0) this.#export();
    if (this.#unwritten.length === 0 || connection.earlyDataAllowance === 0 || !this.#mayWriteEarly()) return;
    while (this.#unwritten.length > 0 && connection.earlyDataAllowance > 0) {
      const length = Math.min(this.#unwritten.length, connection.earlyDataAllowance, this.#initialLength);
      connection.writeEarlyData(this.#unwritten.subarray(0, length));
      this.#unwritten = this.#unwritten.subarray(length);
    }
    this.#hold();
  }

  /** `-early-write-after-message`: 2 is ServerHello, whose secrets are there then; 8 EncryptedExtensions, which accept early data. */
  #mayWriteEarly(): boolean {
    const after = this.#config['early-write-after-message'];
    if (after === undefined) return true;
    return after === 2 ? this.#seen.trafficSecrets.has('CLIENT_HANDSHAKE_TRAFFIC_SECRET') : this.#acceptedEarlyData;
  }

  /** `-read-with-unfinished-write`: of what was said first, one byte gets through until the runner is heard again. */
  #hold(): void {
    if (this.#config['read-with-unfinished-write'] !== true) return;
    const output = this.#connection.takeOutput();
    this.#socket.write(output.subarray(0, 1));
    this.#unsent = output.subarray(1);
    this.#held = true;
  }

  #send(output: Uint8Array): void {
    const waiting = Buffer.concat([this.#unsent, output]);
    if (this.#held) this.#unsent = waiting;
    else {
      if (waiting.length > 0) this.#socket.write(waiting);
      this.#unsent = new Uint8Array();
    }
  }

  #opened(event: HandshakeEvent): void {
    const config = this.#config;
    const connection = this.#connection;
    this.#handshake = event;
    this.#held = false;
    checkHandshake(config, event, this.#seen, this.#isResumption);
    this.#export();
    if (config['tls-unique'] === true) connection.write(connection.channelBinding('tls-unique'));
    if (config['export-traffic-secrets'] === true) this.#writeTrafficSecrets();
    if (config['send-alert'] === true) {
      connection.abort('decompression_failure');
      this.#end();
      return;
    }
    if (this.#unwritten.length > 0) {
      this.#send(connection.takeOutput());
      connection.write(this.#unwritten);
      this.#hold();
    }
    this.#unwritten = new Uint8Array();
    if (config['shim-shuts-down'] === true) {
      if (config['check-close-notify'] === true) connection.close();
      else this.#end();
    } else if (config['key-update-before-read'] === true) connection.updateKeys();
  }

  /** BoringSSL's shim asks as soon as it may write, and be it early data: then there is nothing to export. */
  #export(): void {
    const config = this.#config;
    const connection = this.#connection;
    const length = config['export-keying-material'] ?? 0;
    if (length === 0) return;
    const context = config['use-export-context'] === true ? Buffer.from(config['export-context'] ?? '') : undefined;
    connection.write(connection.exportKeyingMaterial(config['export-label'] ?? '', length, context));
  }

  #writeTrafficSecrets(): void {
    const secret = (owner: string) => this.#seen.trafficSecrets.get(`${owner}_TRAFFIC_SECRET_0`)!;
    const [own, peers] = this.#config.server === true ? ['SERVER', 'CLIENT'] : ['CLIENT', 'SERVER'];
    const length = Buffer.alloc(2);
    length.writeUInt16LE(secret(own).length);
    for (const part of [length, secret(peers), secret(own)]) this.#connection.write(part);
  }

  #echo(data: Uint8Array): void {
    this.#held = false;
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
    expect('renegotiations', 0, config['expect-total-renegotiations'] ?? 0);
    if (config['check-close-notify'] === true) expect('the end', reason, 'close_notify');
    this.#checkSession();
    this.#end();
  }

  #checkSession(): void {
    const config = this.#config;
    if (config.server === true || config['shim-shuts-down'] === true) return;
    const { version, resumed, newTicket } = this.#handshake!;
    const expectsNone = config['expect-no-session'] === true;
    const isTls13 = version === 'TLSv1.3';
    const wanted = isTls13 ? !expectsNone : !expectsNone && (!resumed || config['expect-ticket-renewal'] === true);
    // A TLS 1.2 session that was resumed may be resumed again, and is told of again.
    const isNew = this.session !== undefined && (isTls13 || !resumed || newTicket);
    expect('a new session', isNew, wanted);
    const across = this.session?.version === 'TLSv1.3' && this.session.resumableAcrossNames === true;
    if (config['expect-resumable-across-names'] === true) expect('resumable across names', across, true);
    if (config['expect-not-resumable-across-names'] === true) expect('resumable across names', across, false);
    if (this.session?.version === 'TLSv1.3')
      expect(
        'a session for early data',
        this.session.maxEarlyDataSize > 0,
        config['expect-ticket-supports-early-data'] === true,
      );
  }
}

function initialWrites(config: Configuration): Uint8Array {
  const writes = config['shim-writes-first'] === true || config['read-with-unfinished-write'] === true;
  const times = writes ? (config['repeat-shim-initial-write'] ?? 1) : 0;
  return new Uint8Array(Buffer.concat(Array.from({ length: times }, () => initialData(config))));
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
