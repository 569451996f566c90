/**
 * Connections over loopback through `tls-resume/node`: resumptions, early data, half-closed and aborted connections, peers that say
 * nothing or nonsense. Servers live as long as the run; every socket has to go.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  connect as connectPlain,
  createServer as createPlainServer,
  type AddressInfo,
  type Server as NetServer,
} from 'node:net';
import {
  connect,
  createServer,
  type ConnectOptions,
  type Server,
  type TLSSocket,
} from '../../src/adapters/node/index.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { Chance } from './chance.js';
import type { Tally } from './tally.js';

/** Milliseconds after which a peer that says nothing is cut off. */
const shortTimeout = 300;
/** Milliseconds after which a connection that has come to nothing is a complaint. */
const patience = 20_000;
const maxEntries = 200;
const maxSessions = 50;
const earlyLength = 100;

const certificates: unknown = JSON.parse(
  readFileSync(new URL('../../vectors/certificates/certificates.json', import.meta.url), 'utf8'),
);

interface Identity {
  readonly cert: string;
  readonly key: string;
}

function pem(name: string): Identity {
  const found: unknown = typeof certificates === 'object' && certificates !== null && Reflect.get(certificates, name);
  if (typeof found !== 'object' || found === null || !('cert' in found) || !('key' in found))
    throw new Error(`no certificate ${name}`);
  return { cert: String(found.cert), key: String(found.key) };
}

function withIntermediate(name: string): Identity {
  const { cert, key } = pem(name);
  return { cert: cert + pem('intermediate').cert, key };
}

const ca = pem('root').cert;
const identity = withIntermediate('p256');
const clientIdentity = withIntermediate('client-p256');

export class SocketWorld {
  readonly #chance: Chance;
  readonly #tally: Tally;
  readonly #store = new MemoryStore({ now: Date.now, maxEntries });
  readonly #servers: readonly Server[];
  readonly #impatient: Server;
  readonly #silent = createPlainServer((socket) => socket.on('error', () => undefined).resume());
  readonly #rude = createPlainServer((socket) => {
    socket
      .on('error', () => undefined)
      .resume()
      .end(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  /** Newest last, by server. */
  readonly #sessions = new Map<Server, Buffer[]>();

  constructor(chance: Chance, tally: Tally) {
    this.#chance = chance;
    this.#tally = tally;
    const common = { ...identity, sessions: this.#store };
    const earlyData = {
      maxSize: 16_384,
      replayGuard: new MemoryReplayGuard({ now: Date.now, maxEntries: 5_000 }),
      ticketsAreOfThisProcessAlone: true,
    };
    this.#servers = [
      createServer({ ...common, maxVersion: 'TLSv1.2' }),
      createServer({ ...common, maxVersion: 'TLSv1.2', tickets: false }),
      createServer({ ...common, minVersion: 'TLSv1.3', earlyData }),
      createServer({ ...common, allowHalfOpen: true }),
      createServer({ ...common, requestCert: true, ca, ecdhCurve: 'P-256' }),
    ];
    this.#impatient = createServer({ ...common, handshakeTimeout: shortTimeout });
    for (const server of [...this.#servers, this.#impatient]) {
      this.#sessions.set(server, []);
      server.on('secureConnection', echo);
      server.on('tlsClientError', () => undefined);
    }
  }

  async open(): Promise<void> {
    for (const server of [...this.#servers, this.#impatient, this.#silent, this.#rude]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
  }

  async close(): Promise<void> {
    for (const server of [...this.#servers, this.#impatient, this.#silent, this.#rude])
      await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  bounds(): Record<string, readonly [size: number, limit: number]> {
    return { 'entries of the store of sockets': [this.#store.statistics().entries, maxEntries] };
  }

  async once(): Promise<void> {
    const chance = this.#chance;
    const kinds = [
      'talk',
      'talk',
      'talk',
      'early',
      'abort',
      'half-close',
      'wrong certificate',
      'garbage',
      'slow client',
      'slow server',
      'rude server',
    ] as const;
    const kind = chance.one(...kinds);
    const name = `socket: ${kind}`;
    // TLS 1.2 has no half-closed connections.
    const servers = kind === 'half-close' ? this.#servers.slice(2) : this.#servers;
    const server = servers[chance.below(servers.length)];
    if (server === undefined) return;
    try {
      if (kind === 'garbage' || kind === 'slow client') await this.#plain(kind);
      else await this.#visit(name, kind, server);
    } catch (error) {
      this.#tally.complain(name, `thrown: ${String(error)}`);
    }
  }

  /** Somebody who is no TLS client. */
  async #plain(kind: 'garbage' | 'slow client'): Promise<void> {
    const socket = connectPlain({ port: portOf(this.#impatient), host: '127.0.0.1' });
    socket.on('error', () => undefined).resume();
    const hello = Buffer.from(this.#chance.bytes(1 + this.#chance.below(600)));
    // A record that says that it is long, of which little comes.
    socket.write(kind === 'garbage' ? hello : Buffer.from([22, 3, 1, 1, 0, 1]));
    await this.#gone(`socket: ${kind}`, socket);
    this.#tally.count(`socket: ${kind}`, 'cut off');
  }

  async #visit(name: string, kind: string, server: Server): Promise<void> {
    const chance = this.#chance;
    const sessions = this.#sessions.get(server) ?? [];
    const target = kind === 'slow server' ? this.#silent : kind === 'rude server' ? this.#rude : server;
    const session = chance.oneIn(3) ? undefined : sessions.pop();
    const options: ConnectOptions = {
      port: portOf(target),
      host: '127.0.0.1',
      servername: 'localhost',
      ...(kind === 'slow server' ? { handshakeTimeout: shortTimeout } : {}),
      ...(kind === 'wrong certificate' ? {} : { ca }),
      ...clientIdentity,
      ...(session === undefined ? {} : { session }),
      ...(kind === 'early' ? { earlyData: chance.bytes(earlyLength) } : {}),
      ...(kind === 'half-close' ? { allowHalfOpen: true } : {}),
    };
    const socket = connect(options);
    let failure = '';
    let received = 0;
    socket.on('error', (error: Error & { code?: string }) => (failure = error.code ?? error.message));
    socket.on('session', (fresh: Buffer) => {
      sessions.push(fresh);
      if (sessions.length > maxSessions) sessions.shift();
    });
    const length = 1 + chance.below(chance.one(10, 1000, 100_000));
    let expected = length;
    socket.on('data', (data: Buffer) => {
      received += data.length;
      // In TLS 1.2 the end of one side drops what the other has not sent yet (RFC 5246 7.2.1).
      if (received >= expected && kind !== 'half-close') socket.end();
    });
    if (kind === 'abort') setTimeout(() => socket.destroy(), chance.below(20));
    socket.once('secureConnect', () => {
      if (kind === 'abort') socket.write(chance.bytes(100));
      else if (kind !== 'half-close') {
        if (socket.earlyDataAccepted) expected += earlyLength;
        socket.write(Buffer.from(chance.bytes(length)));
      } else {
        socket.write(Buffer.from(chance.bytes(length)));
        socket.updateKeys({ requestPeer: true });
        socket.end();
      }
    });
    await this.#gone(name, socket);
    const mode = socket.handshake?.mode;
    const isFine = ['talk', 'early', 'half-close'].includes(kind);
    if (isFine && (mode === undefined || failure !== '')) this.#tally.complain(name, `${String(mode)}, ${failure}`);
    if (isFine && mode !== undefined && received !== expected)
      this.#tally.complain(name, `${expected} bytes were sent and ${received} came back`);
    if (!isFine && kind !== 'abort' && mode !== undefined) this.#tally.complain(name, `came to ${mode}`);
    this.#tally.count(name, `${mode ?? ''}${failure === '' ? '' : ` ${failure}`}`.trim() || 'aborted');
  }

  /** Waits for the end of a socket, and complains where it takes too long. */
  async #gone(name: string, socket: TLSSocket | ReturnType<typeof connectPlain>): Promise<void> {
    const timer = setTimeout(() => {
      this.#tally.complain(name, 'a connection that does not end');
      socket.destroy();
    }, patience);
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    clearTimeout(timer);
  }
}

/** What comes goes back, and the end as well. */
function echo(socket: TLSSocket): void {
  socket.on('error', () => undefined);
  socket.on('data', (data: Buffer) => void socket.write(data));
  socket.once('end', () => socket.end());
}

function portOf(server: NetServer): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server that does not listen');
  return address.port;
}
