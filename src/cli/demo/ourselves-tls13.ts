/**
 * This library on both sides of TLS 1.3: full, resumed by PSK, with a request in the first flight (0-RTT), and what becomes of that
 * flight when somebody who recorded it sends it again.
 */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect, createServer, type ConnectOptions, type Server, type TLSSocket } from '../../adapters/node/index.js';
import type { EarlyDataEvent } from '../../connection/events.js';
import { MemoryReplayGuard } from '../../early-data/memory-replay-guard.js';
import { serverName, type Identity } from './ourselves.js';
import { portOf, startRelay, type Relay } from './relay.js';
import type { Outcome, Report, Step } from './report.js';

export type Tls13Words = Pick<
  Step,
  'step' | 'about' | 'expected' | 'expectedRoundTrips' | 'expectedReason' | 'expectedEarlyData'
>;

export const tls13Words = {
  full: {
    step: 'full',
    about:
      'One round trip before the request; tickets follow. Braces: under handshake keys, brackets: application keys.',
    expected: 'full',
    expectedRoundTrips: 1,
  },
  psk: {
    step: 'PSK',
    about: 'Resumed from a ticket, with a fresh key exchange and without certificate (RFC 8446 2.2).',
    expected: 'psk_dhe_ke',
    expectedRoundTrips: 1,
  },
  earlyData: {
    step: '0-RTT',
    about: 'The request is in the first flight, in parentheses: under early keys (RFC 8446 2.3).',
    expected: 'psk_dhe_ke',
    expectedRoundTrips: 0,
    expectedEarlyData: 'accepted',
  },
} as const satisfies Record<string, Tls13Words>;

const replayed = {
  step: 'replayed 0-RTT',
  about: 'The first flight once more, from somebody without keys: the server reads none of its early data.',
};

export async function tls13AgainstOurselves(report: Report, identity: Identity): Promise<void> {
  const served = await startTls13Server(identity);
  const relay = await startRelay(portOf(served.server));
  try {
    report.note('TLS 1.3, tls-resume on both sides');
    const step = async (words: Tls13Words, options: Pick<ConnectOptions, 'session' | 'earlyData'> = {}) => {
      const { session, echoed, ...made } = await connectTls13(relay, { ca: identity.ca, ...options });
      const other = served.outcomes.pop();
      const checks = {
        'both sides say the same': other?.mode === made.outcome.mode && other.earlyData === made.outcome.earlyData,
        'the echo came back': echoed,
      };
      const outcome = { ...made.outcome, reason: other?.reason };
      const segments = relay.take();
      report.add({ ...words, ...made, peer: 'tls-resume', outcome, checks, segments });
      return { session, segments, keyLog: made.keyLog };
    };
    const full = await step({ ...tls13Words.full, expectedReason: 'not_offered' });
    const resumed = await step(tls13Words.psk, { session: full.session });
    const early = await step(tls13Words.earlyData, { session: resumed.session, earlyData: Buffer.from(request) });

    const answered = early.segments.findIndex(({ from }) => from === 'server');
    const flight = Buffer.concat(early.segments.slice(0, answered).map(({ bytes }) => bytes));
    const before = served.requests();
    const refusal = await replay(served.server, relay, flight);
    report.addReplay({
      ...replayed,
      peer: 'tls-resume',
      reason: refusal.event.reason,
      checks: { 'no request reached the application': served.requests() === before },
      segments: relay.take(),
      // The early secret is the first sender's, all others are new: later lines count.
      keyLog: `${early.keyLog.replace(/^(?!CLIENT_EARLY).*\n/gm, '')}${refusal.keyLog}`,
    });
  } finally {
    await relay.close();
    served.server.close();
  }
}

/** What is sent, with the ClientHello or after the handshake, and echoed. */
export const request = 'hello\n';

export interface Served {
  readonly server: Server;
  /** Of handshakes that are complete. */
  readonly outcomes: Outcome[];
  /** Pieces of data that reached the application. */
  requests(): number;
  /** All lines since the last call. */
  takeKeyLog(): string;
}

/** Echoes; early data at once, as half-RTT data. */
export async function startTls13Server({ cert, key }: Identity): Promise<Served> {
  const outcomes: Outcome[] = [];
  let requests = 0;
  let keyLog = '';
  const earlyData = {
    maxSize: 16_384,
    replayGuard: new MemoryReplayGuard({ now: Date.now }),
    ticketsAreOfThisProcessAlone: true,
  };
  const server = createServer({ cert, key, minVersion: 'TLSv1.3', earlyData });
  server.on('keylog', (line) => (keyLog += line.toString()));
  server.on('earlyData', (socket) => {
    socket.once('data', (data) => {
      requests++;
      socket.writeHalfRtt(data);
    });
  });
  server.on('secureConnection', (socket) => {
    if (socket.handshake !== undefined) outcomes.push(socket.handshake);
    socket.on('error', () => undefined); // the client's report tells
    socket.on('data', (data) => {
      requests++;
      socket.write(data);
    });
    socket.on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const takeKeyLog = () => {
    const taken = keyLog;
    keyLog = '';
    return taken;
  };
  return { server, outcomes, requests: () => requests, takeKeyLog };
}

export interface MadeTls13 {
  readonly outcome: Outcome;
  /** From the newest ticket. */
  readonly session: Buffer;
  readonly milliseconds: number;
  readonly echoed: boolean;
  readonly keyLog: string;
}

/** Connects through the relay, has the request echoed, waits for a ticket, closes. `answer` makes the other side echo. */
export async function connectTls13(
  relay: Relay,
  options: ConnectOptions,
  answer: () => Promise<void> = () => Promise.resolve(),
): Promise<MadeTls13> {
  relay.take();
  const start = performance.now();
  const target = { host: '127.0.0.1', port: relay.port, servername: serverName, minVersion: 'TLSv1.3' } as const;
  const socket = connect({ ...target, ...options });
  let keyLog = '';
  let session: Buffer | undefined;
  socket.on('keylog', (line) => (keyLog += line.toString()));
  socket.on('session', (newest) => (session = newest));
  await once(socket, 'secureConnect');
  const milliseconds = performance.now() - start;
  const { handshake: outcome } = socket;
  if (!socket.earlyDataAccepted) socket.write(request);
  await answer();
  const echoed = String((await once(socket, 'data'))[0]) === request;
  if (session === undefined) await once(socket, 'session');
  await end(socket);
  if (outcome === undefined || session === undefined) throw new Error('the handshake left no session');
  return { outcome, session, milliseconds, echoed, keyLog };
}

async function end(socket: TLSSocket): Promise<void> {
  socket.end();
  await once(socket, 'close');
}

/** Sends the bytes, as somebody would who has nothing else. */
async function replay(
  server: Server,
  relay: Relay,
  flight: Uint8Array,
): Promise<{ readonly event: EarlyDataEvent; readonly keyLog: string }> {
  let keyLog = '';
  const event = new Promise<EarlyDataEvent>((resolve) => {
    server.on('keylog', function note(line, socket) {
      if (keyLog === '') socket.once('earlyData', resolve);
      keyLog += line.toString();
    });
  });
  server.once('tlsClientError', () => undefined); // he leaves in mid-handshake
  const attacker = connectTcp(relay.port, '127.0.0.1');
  attacker.write(flight);
  await once(attacker, 'data');
  const told = await event;
  attacker.destroy();
  return { event: told, keyLog };
}
