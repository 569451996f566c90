/**
 * Whoever records the first flight of a client, ClientHello and early data, and sends it to other nodes (RFC 8446 8). The flights are
 * those of real clients of ours, written down where they would have left, so that the original is one of the replays.
 */
import { connect as connectTransport } from 'node:net';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../src/adapters/node/index.js';
import { Client, connectOptions, newRequest } from './client.js';
import { requestLength } from './protocol.js';
import type { Figures } from './figures.js';
import type { Fleet } from './fleet.js';
import type { Member } from './member.js';

export interface Flight {
  readonly id: string;
  readonly bytes: Buffer;
  /** On the clock of `performance`. */
  readonly recordedAt: number;
}

/** Milliseconds after which no node takes a flight any more: RFC 8446 8.3, where two clocks are 22 seconds apart. */
const flightLifetime = 35_000;
const applicationData = 23;
const recordHeaderLength = 5;
/** The content type within, and the tag (RFC 8446 5.2). */
const protectionLength = 17;
/** Milliseconds that a recorder waits for an answer. */
const patience = 5_000;
/** Milliseconds between the first bytes of an answer and the end: by then the node has read what came with the hello. */
const lingering = 50;

/** So many sessions of TLS 1.3 that allow early data. */
export async function gatherSessions(fleet: Fleet, count: number): Promise<Buffer[]> {
  const sessions: Buffer[] = [];
  for (let attempt = 0; attempt < 10 * count && sessions.length < count; attempt++)
    sessions.push(...(await new Client('tickets, TLS 1.3').visit(fleet.portOf('tickets'))).sessions);
  if (sessions.length < count) throw new Error('the fleet gives no tickets');
  return sessions;
}

/** The first flight under this session, as it would have been sent now. */
export async function record(session: Buffer): Promise<Flight> {
  const id = newRequest();
  const written: Buffer[] = [];
  const nobody = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(Buffer.from(chunk));
      done();
    },
  });
  const socket = connect({ ...connectOptions, socket: nobody, session, earlyData: Buffer.from(id) });
  socket.on('error', () => undefined);
  for (let turns = 0; turns < 100 && !hasEarlyData(written); turns++) await turn();
  if (!hasEarlyData(written)) throw new Error('a client sent no early data');
  const flight = { id, bytes: Buffer.concat(written), recordedAt: performance.now() };
  socket.destroy();
  return flight;
}

/** RFC 8446 D.4: the last record of such a flight says that it is application data. */
function hasEarlyData(written: readonly Buffer[]): boolean {
  const length = recordHeaderLength + requestLength + protectionLength;
  const bytes = Buffer.concat(written);
  return bytes[bytes.length - length] === applicationData;
}

/** At all of these at the same moment: connected before, and written in one turn. */
export async function replay(flight: Flight, members: readonly Member[]): Promise<void> {
  const sockets = await Promise.all(members.map((member) => reach(member)));
  const reached = sockets.filter((socket) => socket !== undefined);
  for (const socket of reached) socket.write(flight.bytes);
  await Promise.all(
    reached.map(async (socket) => {
      const signal = AbortSignal.timeout(patience);
      await once(socket, 'data', { signal }).catch(() => undefined);
      await delay(lingering);
      socket.destroy();
    }),
  );
}

/** `undefined` of a node that is dead. */
async function reach(member: Member) {
  const socket = connectTransport({ host: '127.0.0.1', port: member.ports.tickets, noDelay: true });
  try {
    await once(socket, 'connect');
    return socket.on('error', () => undefined);
  } catch {
    return undefined;
  }
}

/** Records and replays as long as it is let. */
export class Attacker {
  readonly #fleet: Fleet;
  readonly #figures: Figures;
  readonly #flights: Flight[] = [];
  readonly #stopping = new AbortController();
  #attacking: Promise<void> | undefined;

  constructor(fleet: Fleet, figures: Figures) {
    this.#fleet = fleet;
    this.#figures = figures;
  }

  async start(): Promise<void> {
    const sessions = await gatherSessions(this.#fleet, 20);
    this.#attacking = this.#attack(sessions);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#attacking;
  }

  /** Flights that one node has accepted by now, and that are still fresh. */
  get acceptedFlights(): number {
    return this.#flights.filter(({ id }) => this.#fleet.readEarly(id) > 0).length;
  }

  async #attack(sessions: readonly Buffer[]): Promise<void> {
    const { chance } = this.#fleet;
    for (let turns = 0; !this.#stopping.signal.aborted; turns++) {
      const session = sessions[turns % sessions.length];
      if (session === undefined) return;
      const { members } = this.#fleet;
      const forAll = await record(session);
      const forOne = await record(session);
      const old = this.#flights.filter(({ recordedAt }) => performance.now() - recordedAt < flightLifetime);
      this.#flights.splice(0, Infinity, ...old, forAll, forOne);
      const anyone = () => members.slice(chance.below(members.length)).slice(0, 1);
      const sent = [...[...old, forOne].map((flight) => ({ flight, to: anyone() })), { flight: forAll, to: members }];
      await Promise.all(sent.map(({ flight, to }) => replay(flight, to)));
      this.#figures.replays += sent.reduce((sum, { to }) => sum + to.length, 0);
      await delay(1_000, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }
}
