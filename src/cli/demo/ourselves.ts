/** This library on both sides: every way of resuming TLS 1.2, and what happens when one cannot be used. */
import { once } from 'node:events';
import { connect, createServer, nodeCrypto, type ConnectOptions, type TLSSocket } from '../../adapters/node/index.js';
import { clientSessionState } from '../../sessions/session-state.js';
import { generateTicketKey } from '../../tickets/ticket-key.js';
import { KeyRing } from '../../tickets/key-ring.js';
import { portOf, startRelay, type Relay } from './relay.js';
import type { Outcome, Report, Step } from './report.js';

/** PEM: trust anchor, certificate and key of `example.test`. */
export interface Identity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const serverName = 'example.test';

export async function againstOurselves(report: Report, { ca, cert, key }: Identity): Promise<void> {
  const ticketKeys = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [generateTicketKey(nodeCrypto)] });
  const accepted: Outcome[] = [];
  const server = createServer({ cert, key, ticketKeys, maxVersion: 'TLSv1.2' }, (socket) => {
    if (socket.handshake !== undefined) accepted.push(socket.handshake);
    socket.on('error', () => undefined); // the client's report tells
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = await startRelay(portOf(server));
  try {
    report.note('TLS 1.2, tls-resume on both sides');
    const step = async ({ newTicket, ...words }: Words, options: ConnectOptions): Promise<Buffer> => {
      const { outcome, session, echoed, milliseconds, ...made } = await connectOnce(relay, { ca, ...options });
      const other = accepted.pop();
      const checks = {
        'both sides say the same': other?.mode === outcome.mode,
        'the echo came back': echoed,
        [`a ticket ${newTicket ? 'came' : 'did not come'}`]: made.newTicket === newTicket,
      };
      // The server knows why a handshake was full; a client can only say that it was.
      const known = { ...outcome, reason: other?.reason };
      report.add({ ...words, peer: 'tls-resume', outcome: known, checks, segments: relay.take(), milliseconds });
      return session;
    };
    const byId = await step(words.full, { tickets: false });
    await step(words.sessionId, { tickets: false, session: byId });
    const byTicket = await step(words.fullWithTicket, {});
    await step(words.ticket, { session: byTicket });
    ticketKeys.rotate(generateTicketKey(nodeCrypto));
    const renewed = await step(words.rotated, { session: byTicket });
    await step(words.renewed, { session: renewed });
    await step(words.broken, { session: withBrokenTicket(renewed) });
  } finally {
    await relay.close();
    server.close();
  }
}

type Words = Pick<Step, 'step' | 'about' | 'expected' | 'expectedReason'> & { readonly newTicket: boolean };

const words = {
  full: {
    step: 'full',
    about: 'Nothing to resume. The server gives out a session ID.',
    expected: 'full',
    expectedReason: 'not_offered',
    newTicket: false,
  },
  sessionId: {
    step: 'session ID',
    about: 'The server finds the session in its store (RFC 5246 7.3).',
    expected: 'session_id',
    newTicket: false,
  },
  fullWithTicket: {
    step: 'full, with ticket',
    about: 'The server seals its state into a ticket.',
    expected: 'full',
    expectedReason: 'not_offered',
    newTicket: true,
  },
  ticket: {
    step: 'ticket',
    about: 'The server kept nothing; the ticket has it all (RFC 5077 3.1).',
    expected: 'ticket',
    newTicket: false,
  },
  rotated: {
    step: 'ticket under a rotated key',
    about: 'The old key still opens; a ticket under the new one takes its place.',
    expected: 'ticket',
    newTicket: true,
  },
  renewed: { step: 'renewed ticket', about: 'Sealed by the new key.', expected: 'ticket', newTicket: false },
  broken: {
    step: 'broken ticket',
    about: 'One bit is wrong: the MAC says so, and a full handshake follows.',
    expected: 'full',
    expectedReason: 'bad_mac',
    newTicket: true,
  },
} as const satisfies Record<string, Words>;

export interface Made {
  readonly outcome: Outcome;
  readonly session: Buffer;
  readonly milliseconds: number;
  /** Whether what was sent came back, in whatever order. */
  readonly echoed: boolean;
  readonly newTicket: boolean;
}

/** Connects through the relay in TLS 1.2, has a line echoed, closes. Rejects if the handshake fails. */
export async function connectOnce(relay: Relay, options: ConnectOptions): Promise<Made> {
  relay.take();
  const start = performance.now();
  const target = { host: '127.0.0.1', port: relay.port, servername: serverName, maxVersion: 'TLSv1.2' } as const;
  const socket = connect({ ...target, ...options });
  await once(socket, 'secureConnect');
  const milliseconds = performance.now() - start;
  const { handshake } = socket;
  const session = socket.getSession();
  if (handshake === undefined || session === undefined) throw new Error('the handshake left no session');
  const echoed = await echo(socket, 'hello');
  socket.end();
  await once(socket, 'close');
  return { outcome: handshake, session, milliseconds, echoed, newTicket: handshake.newTicket };
}

async function echo(socket: TLSSocket, line: string): Promise<boolean> {
  socket.write(`${line}\n`);
  const answer: unknown[] = await once(socket, 'data');
  const text = String(answer[0]).trim();
  return text === line || text === Array.from(line).reverse().join('');
}

function withBrokenTicket(session: Buffer): Buffer {
  const decoded = clientSessionState.decode(session);
  if (decoded?.ticket === undefined) throw new Error('the session has no ticket');
  const ticket = decoded.ticket.slice();
  ticket[50] = (ticket[50] ?? 0) ^ 1;
  return Buffer.from(clientSessionState.encode({ ...decoded, ticket }));
}
