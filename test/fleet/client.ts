/** A client of the fleet: this library's own, with its ticket pool, trusting one root. What a visit came to is data. */
import { randomBytes } from 'node:crypto';
import { connect as connectTransport } from 'node:net';
import { connect, type ConnectOptions } from '../../src/adapters/node/index.js';
import { TicketPool } from '../../src/sessions/index.js';
import certificates from '../../vectors/certificates/certificates.json' with { type: 'json' };
import { requestLength, type Reply, type Service } from './protocol.js';

/** What clients do, by the names under which the table has it. */
export const kinds = {
  'tickets, TLS 1.3': { service: 'tickets', minVersion: 'TLSv1.3', early: true },
  'tickets, TLS 1.2': { service: 'tickets', maxVersion: 'TLSv1.2' },
  'Redis, TLS 1.3': { service: 'handles', minVersion: 'TLSv1.3' },
  'Redis, TLS 1.2': { service: 'ids', maxVersion: 'TLSv1.2', tickets: false },
  'memory and Redis, TLS 1.2': { service: 'twoLevel', maxVersion: 'TLSv1.2', tickets: false },
  'memcached, TLS 1.2': { service: 'memcached', maxVersion: 'TLSv1.2', tickets: false },
} as const satisfies Record<string, Pick<ConnectOptions, 'minVersion' | 'maxVersion' | 'tickets'> & KindFacts>;
export type Kind = keyof typeof kinds;

interface KindFacts {
  readonly service: Service;
  /** Asks in early data whenever it has a session. */
  readonly early?: boolean;
}

export interface Visit {
  /** On the clock of `performance`, milliseconds. */
  readonly startedAt: number;
  /** From the first packet of TCP on. */
  readonly handshakeMilliseconds: number;
  /** Whether the client held a session. */
  readonly held: boolean;
  readonly earlyDataSent: boolean;
  readonly earlyDataAccepted: boolean;
  readonly reply: Reply | undefined;
  /** Why it came to nothing. */
  readonly error: string | undefined;
  /** Its own TCP port. */
  readonly clientPort: number;
  /** Those of this connection, newest last. */
  readonly sessions: readonly Buffer[];
}

/** Milliseconds after which a visit has failed. */
const patience = 20_000;
/** Milliseconds that a client waits for a ticket after it has its answer. */
const ticketPatience = 300;

export class Client {
  readonly kind: Kind;
  readonly #pool = new TicketPool({ now: Date.now });

  constructor(kind: Kind) {
    this.kind = kind;
  }

  /** `session` in place of those of the pool. */
  visit(port: number, session?: Buffer): Promise<Visit> {
    const { service: _service, ...facts } = kinds[this.kind];
    const { early, ...versions } = { early: false, ...facts };
    const held = session !== undefined || this.#pool.size.tickets > 0;
    const id = newRequest();
    return visit(
      {
        ...connectOptions,
        ...versions,
        ...(session === undefined ? { sessionCache: this.#pool } : { session }),
        ...(early && held && { earlyData: Buffer.from(id) }),
      },
      { port, id, held },
    );
  }
}

/** The identity is the fleet's: whichever port leads there, sessions are good for it. */
export const connectOptions = {
  host: '127.0.0.1',
  port: 443,
  servername: 'localhost',
  ca: certificates.root.cert,
  handshakeTimeout: patience,
} as const satisfies ConnectOptions;

/** 16 characters that nobody has asked with before. */
export function newRequest(): string {
  return randomBytes(requestLength / 2).toString('hex');
}

function visit(
  options: ConnectOptions,
  { port, id, held }: { port: number; id: string; held: boolean },
): Promise<Visit> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const transport = connectTransport({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    const socket = connect({ ...options, socket: transport });
    const sessions: Buffer[] = [];
    let [handshakeMilliseconds, clientPort, answer] = [0, 0, ''];
    let error: string | undefined;
    let waiting: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${patience} ms`)), patience);
    const leave = () => {
      clearTimeout(waiting);
      socket.end();
    };
    transport.once('connect', () => (clientPort = transport.localPort ?? 0));
    socket.once('secureConnect', () => {
      handshakeMilliseconds = performance.now() - startedAt;
      if (!socket.earlyDataAccepted) socket.write(id);
    });
    socket.on('session', (session: Buffer) => {
      sessions.push(session);
      if (answer.endsWith('\n')) leave();
    });
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString();
      if (!answer.endsWith('\n')) return;
      const isLate = socket.getProtocol() === 'TLSv1.3' && sessions.length === 0;
      if (isLate) waiting = setTimeout(leave, ticketPatience);
      else leave();
    });
    socket.on('error', (cause: Error & { readonly code?: string }) => (error = cause.code ?? cause.message));
    socket.once('close', () => {
      clearTimeout(timer);
      clearTimeout(waiting);
      const reply = answer.endsWith('\n') ? (JSON.parse(answer) as Reply) : undefined;
      resolve({
        startedAt,
        handshakeMilliseconds,
        held,
        earlyDataSent: socket.earlyDataBytes > 0,
        earlyDataAccepted: socket.earlyDataAccepted,
        reply,
        // What comes after the answer, such as the reset of a node that is killed, harms nobody.
        error: reply === undefined ? (error ?? 'closed without an answer') : undefined,
        clientPort,
        sessions,
      });
    });
  });
}
