/** When a session enters a store, and when it leaves it. */
import { describe, expect, it } from 'vitest';
import { ascii, fromHex } from '../../src/bytes.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { clientSessionState } from '../../src/sessions/session-state.js';
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
  ticketKey,
  ticketSealer,
  type Pair,
} from '../support/connections.js';
import { RecordingStore } from '../support/recording-store.js';
import { flows, itemName, itemsFrom, record, Replay } from '../support/replay.js';
import { tls12Session } from '../support/sessions.js';
import { readTraffic, theMessage } from '../support/traffic.js';

const day = 24 * hour;
const garbage = Uint8Array.of(99, 3, 3, 0, 0);
const fatalAlert = { contentType: 21, bytes: fromHex('0228') };

describe('a session enters the store', () => {
  it('P-state-1 of a server only when both Finished are verified', () => {
    const sessions = new RecordingStore();
    const replay = new Replay(flows.withSessionId, 'server', { serverChanges: { sessions } });
    for (const item of itemsFrom(record(flows.withSessionId), 'client')) {
      expect([itemName(item), sessions.calls]).toEqual([itemName(item), []]);
      replay.send(item);
    }
    expect(sessions.calls).toEqual(['set']);
  });

  it('P-state-1 R5077-3.3-4 of a client only when the server’s Finished is verified', () => {
    for (const flow of [flows.withSessionId, flows.withTicket, flows.renewed]) {
      const sessions = new RecordingStore();
      const replay = new Replay(flow, 'client', { clientChanges: { sessions } });
      for (const item of itemsFrom(record(flow), 'server')) {
        expect(sessions.calls.filter((call) => call === 'set')).toEqual([]);
        replay.send(item);
      }
      expect(sessions.calls.filter((call) => call === 'set')).toEqual(['set']);
    }
  });

  it('P-state-1 never with a Finished that does not verify', () => {
    for (const target of ['client', 'server'] as const) {
      const sessions = new RecordingStore();
      const changes = target === 'client' ? { clientChanges: { sessions } } : { serverChanges: { sessions } };
      const incoming = itemsFrom(record(flows.withSessionId), target === 'client' ? 'server' : 'client');
      const forged = { ...incoming.at(-1)!, bytes: incoming.at(-1)!.bytes.slice().fill(7, 4) };
      const replay = new Replay(flows.withSessionId, target, changes).send(...incoming.slice(0, -1), forged);
      expect(replay.end.connection.state).toBe('closed');
      expect(sessions.entries.size).toBe(0);
      expect(eventsOf(replay.end, 'session')).toEqual([]);
    }
  });

  it('R5246-F.1.4-2 for a day at most by default, and for as long as the server says', () => {
    for (const [options, lifetime] of [
      [{}, day],
      [{ sessionLifetime: hour }, hour],
    ] as const) {
      const sessions = new RecordingStore();
      pump(makePair(flows.withSessionId.client(), flows.withSessionId.server({ sessions, ...options })));
      expect(sessions.expiries).toEqual([epoch + lifetime]);
    }
  });

  it('R5077-3.3-8 R5077-5.6-1 of a client until the hint is over, or 7 days where there is none', () => {
    for (const [ticketLifetimeHint, lifetime] of [
      [60, 60_000],
      [0, 7 * day],
      [8 * 24 * 3600, 7 * day],
    ] as const) {
      const sessions = new RecordingStore();
      pump(makePair(flows.withTicket.client({ sessions }), flows.withTicket.server({ ticketLifetimeHint })));
      expect(sessions.expiries).toEqual([epoch + lifetime]);
    }
  });
});

describe('R5246-7.2.2-1 a session leaves the store of the server', () => {
  const open = (flow: typeof flows.withSessionId, entries?: ReadonlyMap<string, Uint8Array>) => {
    const sessions = new RecordingStore(entries ?? (flow.server().sessions as RecordingStore).entries);
    const replay = new Replay(flow, 'server', { serverChanges: { sessions } });
    return { sessions, replay, incoming: itemsFrom(record(flow), 'client') };
  };

  it.each([
    ['made here', flows.withSessionId],
    ['resumed here', flows.sessionId],
  ])('P-state-1 when the client sends a fatal alert: %s', (_, flow) => {
    const { sessions, replay, incoming } = open(flow);
    replay.send(...incoming);
    expect(sessions.entries.size).toBe(1);
    replay.send(fatalAlert);
    expect(replay.events().at(-1)).toMatchObject({ type: 'close', error: { code: 'peer_alert' } });
    expect(sessions.entries.size).toBe(0);
  });

  it.each([
    ['made here', flows.withSessionId],
    ['resumed here', flows.sessionId],
  ])('P-state-1 when the server has to send one: %s', (_, flow) => {
    const { sessions, replay, incoming } = open(flow);
    replay.send(...incoming).sendBytes(garbage);
    expect(replay.end.connection.state).toBe('closed');
    expect(sessions.entries.size).toBe(0);
  });

  it('but not for somebody who merely saw its ID', () => {
    const recording = record(flows.sessionId);
    const incoming = itemsFrom(recording, 'client');
    const forgedFinished = { ...incoming.at(-1)!, bytes: incoming.at(-1)!.bytes.slice().fill(7, 4) };
    const attempts: ((replay: Replay) => void)[] = [
      (replay) => replay.send(incoming[0]!).sendBytes(garbage),
      (replay) => replay.send(incoming[0]!, fatalAlert),
      (replay) => replay.send(incoming[0]!, incoming[1]!).sendBytes(fromHex('16030300' + '28' + '00'.repeat(40))),
      (replay) => replay.send(incoming[0]!, incoming[1]!, forgedFinished),
    ];
    for (const attempt of attempts) {
      const { sessions, replay } = open(flows.sessionId);
      attempt(replay);
      expect(replay.end.connection.state).toBe('closed');
      expect(sessions.entries.size).toBe(1);
    }
  });

  it('R5246-7.2.1-1 and not when the connection just ends', () => {
    const ends: ((pair: Pair) => void)[] = [
      ({ server }) => server.connection.receiveEnd(),
      ({ server }) => server.connection.destroy(),
      ({ client }) => client.connection.close(),
      ({ server }) => server.connection.close(),
    ];
    for (const end of ends) {
      const sessions = new RecordingStore();
      const settings = flows.withSessionId.server({ sessions });
      const pair = pump(makePair(flows.withSessionId.client(), settings));
      end(pair);
      pump(pair);
      const { session } = theEvent(pair.client, 'session');
      const client = testClient('node', 'again', { session, tickets: false });
      expect(theEvent(pump(makePair(client, settings)).server, 'handshake').mode).toBe('session_id');
    }
  });
});

describe('R5246-7.2.2-1 a session leaves the store of the client', () => {
  /** A client with a store that holds a session of this flow's server. */
  const remembered = (flow: typeof flows.ticket) => {
    const sessions = new RecordingStore();
    const settings = flow.client({ sessions });
    const [session] = settings.offeredSessions;
    sessions.set(settings.sessionKey, clientSessionState.encode(session!));
    return {
      sessions,
      replay: new Replay(flow, 'client', { clientChanges: { sessions, session: undefined } }),
      incoming: itemsFrom(record(flow), 'server'),
    };
  };

  it.each([flows.ticket, flows.sessionId, flows.renewed])(
    '$name: the resumed connection ends with a fatal alert',
    (flow) => {
      for (const end of [(replay: Replay) => replay.send(fatalAlert), (replay: Replay) => replay.sendBytes(garbage)]) {
        const { sessions, replay, incoming } = remembered(flow);
        replay.send(...incoming);
        expect([replay.end.connection.state, sessions.entries.size]).toEqual(['open', 1]);
        end(replay);
        expect([replay.end.connection.state, sessions.entries.size]).toEqual(['closed', 0]);
      }
    },
  );

  it.each([flows.ticket, flows.sessionId, flows.renewed])(
    'R5077-3.2-6 $name: accepted, and then the handshake fails',
    (flow) => {
      const { incoming } = remembered(flow);
      const forged = { ...incoming.at(-1)!, bytes: incoming.at(-1)!.bytes.slice().fill(7, 4) };
      for (const end of [
        [...incoming.slice(0, -1), forged],
        [incoming[0]!, fatalAlert],
        [incoming[0]!, incoming[0]!],
      ]) {
        const { sessions, replay } = remembered(flow);
        replay.send(...end);
        expect([replay.end.connection.state, sessions.entries.size]).toEqual(['closed', 0]);
      }
    },
  );

  it('but not when the server declined it, or never said', () => {
    const ends: ((replay: Replay, incoming: ReturnType<typeof itemsFrom>) => void)[] = [
      (replay) => replay.send(fatalAlert),
      (replay) => replay.sendBytes(garbage),
      (replay) => replay.end.connection.receiveEnd(),
      (replay, incoming) => replay.send(incoming[0]!, incoming[0]!),
      (replay, incoming) => replay.send(incoming[0]!, incoming[1]!, fatalAlert),
    ];
    for (const end of ends) {
      const { sessions, replay, incoming } = remembered(flows.refused);
      end(replay, incoming);
      expect([replay.end.connection.state, sessions.entries.size]).toEqual(['closed', 1]);
    }
  });

  it('R5246-7.2.1-1 and not when the connection just ends', () => {
    for (const end of ['receiveEnd', 'close', 'destroy'] as const) {
      const { sessions, replay, incoming } = remembered(flows.ticket);
      replay.send(...incoming).end.connection[end]();
      expect(sessions.entries.size).toBe(1);
    }
  });
});

describe('the client’s store', () => {
  const settings = (sessions: MemoryStore | RecordingStore) => ({
    client: (seed: string) => testClient('node', seed, { sessions }),
    server: testServer('node', 'store', { tickets: ticketSealer('node', 'store').sealer }),
  });

  it('R5077-3.3-6 offers the renewed ticket next time, and R5077-3.4-2 forgets the session ID beside a ticket', async () => {
    const sessions = new RecordingStore();
    const { client } = settings(sessions);
    const { sealer, ring } = ticketSealer('node', 'renewing');
    const server = testServer('node', 'renewing', { tickets: sealer });
    await connect(client('1'), server);
    ring.rotate(ticketKey('node', 'second'));
    const renewed = tls12Session(theEvent((await connect(client('2'), server)).client, 'session').session);
    expect(renewed.sessionId).toBeUndefined();
    const third = await connect(client('3'), server);
    const [offered] =
      theMessage(readTraffic(third.segments), 'client_hello').body.extensions?.filter(
        ({ type }) => type === 'session_ticket',
      ) ?? [];
    expect(offered?.data).toEqual(renewed.ticket);
    expect(theEvent(third.server, 'handshake')).toMatchObject({ mode: 'ticket', newTicket: false });
  });

  it('is used again for as long as the server takes the ticket', async () => {
    const { client, server } = settings(new MemoryStore({ now: () => epoch }));
    const modes: string[] = [];
    for (let i = 0; i < 3; i++)
      modes.push(theEvent((await connect(client(String(i)), server)).client, 'handshake').mode);
    expect(modes).toEqual(['full', 'ticket', 'ticket']);
  });

  it('a caller’s session comes first, and the stored one where that is not fit', async () => {
    const sessions = new RecordingStore();
    const { client, server } = settings(sessions);
    const { session } = theEvent((await connect(client('1'), server)).client, 'session');
    const stale = { ...session, establishedAt: epoch - 8 * day };
    const own = await connect({ ...client('2'), offeredSessions: [session] }, server);
    expect([theEvent(own.client, 'handshake').mode, sessions.calls]).toEqual(['ticket', ['get', 'set']]);
    const stored = await connect({ ...client('3'), offeredSessions: [stale] }, server);
    expect([theEvent(stored.client, 'handshake').mode, sessions.calls]).toEqual(['ticket', ['get', 'set', 'get']]);
  });

  it('bytes that are no session are none', async () => {
    const sessions = new RecordingStore();
    const client = testClient('node', 'odd', { sessions });
    sessions.set(client.sessionKey, ascii('something else'));
    const pair = await connect(client, testServer('node', 'odd'));
    expect(theEvent(pair.client, 'handshake')).toMatchObject({ mode: 'full', reason: 'not_offered' });
  });
});
