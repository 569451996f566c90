/** What a resumed connection shares with its session, and for how long. */
import { describe, expect, it } from 'vitest';
import { ascii, equal, fromHex, toHex } from '../../src/bytes.js';
import type { ClientSettings } from '../../src/handshake/settings.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { wipeSession, type Session, type SessionEncoding, type Tls12Session } from '../../src/sessions/session.js';
import { sessionState } from '../../src/sessions/session-state.js';
import {
  connect,
  epoch,
  eventsOf,
  hour,
  makePair,
  pump,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
} from '../support/connections.js';
import { tls12Session } from '../support/sessions.js';
import { readTraffic, theMessage } from '../support/traffic.js';

const day = 24 * hour;

describe('resumed connections', () => {
  const { sealer } = ticketSealer('node', 'keys');
  const server = testServer('node', 'keys', { tickets: sealer });
  const connected = async (client: ClientSettings, to = server) =>
    tls12Session(theEvent((await connect(client, to)).client, 'session').session);
  const sessionOf = () => connected(testClient('node', 'first'));

  it('R5246-7.4.1.3-5 R5246-6.3-1 have new randoms and with them new keys, from one master secret', async () => {
    const session = await sessionOf();
    const keyLogs: string[] = [];
    const streams: string[] = [];
    const hellos: string[] = [];
    for (const seed of ['a', 'b']) {
      const client = testClient('node', seed, { session, keyLog: (line) => keyLogs.push(line) });
      const pair = await connect(client, server);
      expect(theEvent(pair.client, 'handshake').mode).toBe('ticket');
      const items = readTraffic(pair.segments);
      hellos.push(
        toHex(theMessage(items, 'client_hello').body.random),
        toHex(theMessage(items, 'server_hello').body.random),
      );
      pair.client.connection.write(ascii('the same'));
      streams.push(toHex(pair.client.connection.takeOutput()));
    }
    const [first, second] = keyLogs.map((line) => line.split(' '));
    expect(first![2]).toBe(second![2]);
    expect(first![2]).toBe(toHex(session.masterSecret));
    expect(new Set(hellos).size).toBe(4);
    expect(streams[0]).not.toBe(streams[1]);
  });

  it('P-state-10 leave the session as it was, at the same time and one after the other (CVE-2015-1791)', async () => {
    const session = await sessionOf();
    const before = structuredClone(session);
    const renewing = testServer('node', 'renewing', { tickets: sealer, renewTickets: 'always' });
    const pairs = ['a', 'b', 'c'].map((seed) =>
      makePair(testClient('node', seed, { session }), seed === 'b' ? server : renewing),
    );
    // Interleaved by hand: hellos of all before any answer.
    const hellos = pairs.map(({ client }) => client.connection.takeOutput());
    pairs.forEach((pair, i) => pair.server.connection.receive(hellos[i]!));
    pairs.forEach(pump);
    expect(pairs.map(({ client }) => theEvent(client, 'handshake').mode)).toEqual(['ticket', 'ticket', 'ticket']);
    expect(session).toEqual(before);
    const tickets = pairs.map(({ client }) => toHex(theEvent(client, 'session').session.ticket!));
    expect(new Set(tickets).size).toBe(3);
    expect(tickets[1]).toBe(toHex(session.ticket!));
  });

  it('P-state-10 a renewed session has a secret of its own: wiping the old one does not touch it', async () => {
    const session = await sessionOf();
    const renewing = testServer('node', 'renewing', { tickets: sealer, renewTickets: 'always' });
    const renewed = await connected(testClient('node', 'wipe'), renewing);
    const again = await connected(testClient('node', 'wipe 2', { session }), renewing);
    expect(equal(again.masterSecret, session.masterSecret)).toBe(true);
    wipeSession(session);
    expect(again.masterSecret.every((byte) => byte === 0)).toBe(false);
    expect(renewed.masterSecret.every((byte) => byte === 0)).toBe(false);
    const pair = await connect(testClient('node', 'wiped', { session: again }), server);
    expect(theEvent(pair.client, 'handshake').mode).toBe('ticket');
  });

  it('P-state-10 the connection is inert once it is over, and its settings are not', async () => {
    const settings = testClient('node', 'reused');
    for (let i = 0; i < 2; i++) {
      const pair = await connect(settings, server);
      expect(theEvent(pair.client, 'handshake').mode).toBe('full');
      pair.client.connection.destroy();
      pair.client.connection.receive(fromHex('160303000400000000'));
      pair.client.connection.receiveEnd();
      pair.client.connection.close();
      expect([
        pair.client.connection.takeOutput().length,
        pair.client.connection.takeEvents().map(({ type }) => type),
      ]).toEqual([0, ['close']]);
      expect(() => pair.client.connection.exportKeyingMaterial('label', 1)).toThrow(
        expect.objectContaining({ code: 'connection_not_open' }),
      );
    }
    expect(Object.isFrozen(settings)).toBe(true);
  });
});

describe('time', () => {
  const clock = { time: epoch };
  const now = () => clock.time;
  const { sealer, ring } = ticketSealer('node', 'time', { now });
  const server = (changes = {}) =>
    testServer('node', 'time', { now, tickets: sealer, ticketLifetimeHint: 0, ...changes });
  const client = (seed: string, session?: Session) => testClient('node', seed, { now, session });
  const stateOf = (session: Session) => sessionState.decode(sealer.open(session.ticket!.slice()).state!.slice())!;

  it('P-key-7 renewing keeps the time of the full handshake, and the whole life ends after 7 days', async () => {
    clock.time = epoch;
    let { session } = theEvent((await connect(client('0'), server())).client, 'session');
    for (let days = 1; days <= 7; days++) {
      clock.time = epoch + days * day;
      const pair = await connect(client(String(days), session), server({ renewTickets: 'always' }));
      expect(theEvent(pair.server, 'handshake').mode).toBe('ticket');
      ({ session } = theEvent(pair.client, 'session'));
      expect([session.establishedAt, session.issuedAt]).toEqual([epoch, clock.time]);
      expect([stateOf(session).establishedAt, stateOf(session).issuedAt]).toEqual([epoch, clock.time]);
    }
    clock.time += 1;
    expect(theEvent((await connect(client('8', session), server())).client, 'handshake')).toMatchObject({
      mode: 'full',
      reason: 'not_offered',
    });
    // A client that lies about it is told the same.
    const lying = { ...session, establishedAt: clock.time };
    expect(theEvent((await connect(client('9', lying), server())).server, 'handshake')).toMatchObject({
      mode: 'full',
      reason: 'too_old',
    });
  });

  it('a longer maximumSessionAge is cut to 7 days', () => {
    expect(server({ maximumSessionAge: 30 * day }).binding.maximumAge).toBe(7 * day);
    expect(testClient('node', 'age', { maximumSessionAge: 30 * day }).binding.maximumAge).toBe(7 * day);
  });

  it('P-time-2 a session from the future is none, but for the clocks of a fleet', async () => {
    clock.time = epoch + 100 * day;
    const { session } = theEvent((await connect(client('future'), server())).client, 'session');
    clock.time -= 60_000;
    expect(theEvent((await connect(client('skew', session), server())).server, 'handshake').mode).toBe('ticket');
    clock.time -= 1;
    expect(theEvent((await connect(client('jump', session), server())).server, 'handshake')).toMatchObject({
      mode: 'full',
      reason: 'not_offered',
    });
    const lying = { ...session, establishedAt: clock.time };
    expect(theEvent((await connect(client('lie', lying), server())).server, 'handshake')).toMatchObject({
      mode: 'full',
      reason: 'too_old',
    });
    expect(ring.status().some(({ seals }) => seals)).toBe(true);
  });

  it('P-time-2 a session that the store saw expire does not come back with the clock', async () => {
    clock.time = epoch + 200 * day;
    const sessions = new MemoryStore({ now });
    const settings = testServer('node', 'store', { now, sessions });
    const own = (seed: string, session?: Session) => testClient('node', seed, { now, session, tickets: false });
    const { session } = theEvent((await connect(own('1'), settings)).client, 'session');
    clock.time += day;
    expect(theEvent((await connect(own('2', session), settings)).server, 'handshake').reason).toBe(
      'unknown_session_id',
    );
    clock.time -= day;
    expect(theEvent((await connect(own('3', session), settings)).server, 'handshake').reason).toBe(
      'unknown_session_id',
    );
  });
});

describe('what a client may offer', () => {
  const server = testServer('node', 'offer', { tickets: ticketSealer('node', 'offer').sealer });

  it.each<[string, (session: Tls12Session) => Tls12Session]>([
    ['R7627-5.3-1 a session without extended master secret', (s) => ({ ...s, extendedMasterSecret: false })],
    ['R6066-3-3 a session of another name', (s) => ({ ...s, serverName: 'other.example' })],
    [
      'P-bind-10 a session of a suite that is off',
      (s) => ({ ...s, cipherSuite: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' }),
    ],
    ['P-bind-5 a session of another configuration', (s) => ({ ...s, applicationContext: ascii('other') })],
    ['a session with neither ticket nor ID', ({ ticket: _, ...s }) => s],
    ['R5077-3.3-8 a ticket whose hint is over', (s) => ({ ...s, issuedAt: epoch - 7200_001 })],
  ])('%s is not offered', async (_, change) => {
    const cipherSuites = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] as const;
    const made = await connect(testClient('node', 'made', { cipherSuites }), server);
    const session = tls12Session(theEvent(made.client, 'session').session);
    const offering = async (offered: Session) => {
      const pair = await connect(testClient('node', 'offer', { session: offered, cipherSuites }), server);
      return theEvent(pair.client, 'handshake').reason;
    };
    expect(await offering(session)).toBeUndefined();
    expect(await offering(change(session))).toBe('not_offered');
  });
});

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'P-state-2 %s: none from an encoding whose secrets are views on the bytes, which are wiped',
  async (version) => {
    const borrowing: SessionEncoding = {
      encode: (session) => sessionState.encode(session),
      decode(bytes) {
        const session = sessionState.decode(bytes);
        if (session === undefined) return undefined;
        const secret = session.version === 'TLSv1.3' ? session.psk : session.masterSecret;
        const at = toHex(bytes).indexOf(toHex(secret)) / 2;
        const view = bytes.subarray(at, at + secret.length);
        return session.version === 'TLSv1.3' ? { ...session, psk: view } : { ...session, masterSecret: view };
      },
    };
    const { sealer } = ticketSealer('node', 'borrowing');
    const versions = { minVersion: version, maxVersion: version };
    const server = testServer('node', 'borrowing', { ...versions, tickets: sealer, ticketEncoding: borrowing });
    const [first] = eventsOf((await connect(testClient('node', 'first', versions), server)).client, 'session');
    const pair = await connect(testClient('node', 'second', { ...versions, session: first?.session }), server);
    expect(theEvent(pair.server, 'handshake')).toMatchObject({ mode: 'full', reason: 'unreadable_state' });
  },
);
