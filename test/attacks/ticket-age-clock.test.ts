/**
 * Clocks that jump: what tolerates a client whose clock is a little off must not bring old tickets or old flights back to life
 * (RFC 8446 8.3).
 */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { serverConnection } from '../../src/connection/connection.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import type { Session } from '../../src/sessions/session.js';
import {
  epoch,
  eventsOf,
  hour,
  makeEnd,
  makePair,
  pump,
  theEvent,
  ticketSealer,
  tls13Client,
  tls13Server,
} from '../support/connections.js';

const request = ascii('GET / HTTP/1.0\r\n\r\n');
const minute = 60_000;
const week = 7 * 24 * hour;

function makeWorld() {
  const clocks = { client: epoch, server: epoch };
  const now = () => clocks.server;
  const server = tls13Server('node', 'clocks', {
    now,
    tickets: ticketSealer('node', 'clocks', { now }).sealer,
    earlyData: { maxSize: 1000, replayGuard: new MemoryReplayGuard({ now }), ticketsAreOfThisProcessAlone: true },
  });
  let made = 0;
  const client = (session?: Session) =>
    tls13Client('node', `clocks ${String(made++)}`, { now: () => clocks.client, session, earlyData: true });
  const [first] = eventsOf(pump(makePair(client(), server)).client, 'session');
  if (first === undefined) throw new Error('no session');

  /** The first flight of a client that resumes and sends its request early. */
  const flight = () => {
    const { connection } = makePair(client(first.session), server).client;
    connection.writeEarlyData(request);
    return connection.takeOutput();
  };
  /** What the server makes of it. */
  const judge = (bytes: Uint8Array) => {
    const end = makeEnd((own) => serverConnection(server, own), 'sync');
    end.connection.receive(bytes);
    end.events.push(...end.connection.takeEvents());
    const { accepted, reason } = theEvent(end, 'early_data');
    return accepted ? 'accepted' : reason;
  };
  return { clocks, flight, judge };
}

describe('the age of a ticket', () => {
  it.each([
    [9000, 'accepted'],
    [-9000, 'accepted'],
    [11_000, 'ticket_age'],
    [-11_000, 'too_old_for_replay_window'],
  ])('R8446-8.3-1 R8446-4.2.10-9 by a client whose clock has moved by %i ms: %s', (error, expected) => {
    const { clocks, flight, judge } = makeWorld();
    clocks.server += minute;
    clocks.client += minute + error;
    expect(judge(flight())).toBe(expected);
  });

  it.each([
    ['back by an hour', -hour, 'psk_not_selected'],
    ['back by half a minute', -minute / 2, 'ticket_age'],
    ['forward by half a minute', minute / 2, 'too_old_for_replay_window'],
    ['forward by a week', week, 'psk_not_selected'],
  ])('P-time-2 R8446-4.2.10-9 when the clock of the server jumps %s: no early data', (_, jump, expected) => {
    const { clocks, flight, judge } = makeWorld();
    clocks.client += minute;
    clocks.server += minute + jump;
    expect(judge(flight())).toBe(expected);
  });

  it('P-time-2 R8446-4.6.1-6 a ticket that has expired stays so while the clock of the client stands still', () => {
    const { clocks, flight, judge } = makeWorld();
    const early = flight();
    clocks.server += week + minute;
    expect(judge(early)).toBe('psk_not_selected');
    expect(judge(flight())).toBe('psk_not_selected');
  });

  it('P-time-2 R8446-8-1 a flight that was read is not read again, wherever the clock of the server goes', () => {
    const { clocks, flight, judge } = makeWorld();
    const recorded = flight();
    expect(judge(recorded)).toBe('accepted');
    expect(judge(recorded)).toBe('replayed');
    for (const jump of [11_000, week, hour, 1, -9000, 0]) {
      clocks.server = epoch + jump;
      expect(judge(recorded), String(jump)).not.toBe('accepted');
    }
  });

  it('P-time-2 R8446-8-1 nor when the server has forgotten it while its clock was ahead', () => {
    const { clocks, flight, judge } = makeWorld();
    const recorded = flight();
    expect(judge(recorded)).toBe('accepted');
    clocks.client = clocks.server = epoch + 22_000;
    expect(judge(flight())).toBe('accepted');
    clocks.client = clocks.server = epoch;
    expect(judge(recorded)).toBe('replay_store_unavailable');
    // Time has caught up.
    clocks.client = clocks.server = epoch + 23_000;
    expect(judge(recorded)).toBe('too_old_for_replay_window');
    expect(judge(flight())).toBe('accepted');
  });
});
