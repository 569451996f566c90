/**
 * Replay as such (RFC 8446 8 and E.5, MacCárthaigh 2017): early data is bound to nothing that the server chose, so whoever records
 * a first flight can send it again.
 */
import { describe, expect, it } from 'vitest';
import { ascii, fromAscii } from '../../src/bytes.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { ServerSettings } from '../../src/handshake/settings.js';
import { makeTls13World, pairOf, rogueClient, rogueServer, waitFor, type Rogue } from '../support/attack-rig-tls13.js';
import { drain, eventsOf, pump } from '../support/connections.js';

const request = 'POST /pay HTTP/1.1\r\n\r\n';

/** A first flight with early data, and the client that sent it. */
function recorded(
  world: ReturnType<typeof makeTls13World>,
  session = world.session(),
): { client: Rogue; flight: Uint8Array } {
  const client = rogueClient(world.client({ session, earlyData: true }));
  client.connection.writeEarlyData(ascii(request));
  return { client, flight: drain(client) };
}

/** A server that gets these bytes: what it read early, what it said of it, and whether it resumed. */
function receiving(settings: ServerSettings, flight: Uint8Array): Rogue {
  const server = rogueServer(settings);
  server.connection.receive(flight.slice());
  server.events.push(...server.connection.takeEvents());
  return server;
}

function verdictOf(server: Rogue): unknown[] {
  const [verdict] = eventsOf(server, 'early_data');
  const data = eventsOf(server, 'data').map(({ data: bytes, early }) => [fromAscii(bytes), early]);
  return [verdict?.accepted, verdict?.reason, data];
}

const once = [true, undefined, [[request, true]]];
const refused = (reason: string) => [false, reason, []];

describe('a first flight that is sent again', () => {
  it('R8446-8-1 P-early-1 in turn: accepted once, then a PSK handshake without early data', () => {
    const world = makeTls13World();
    const settings = world.server();
    const { client, flight } = recorded(world);
    const first = receiving(settings, flight);
    expect(verdictOf(first)).toEqual(once);
    for (let again = 0; again < 5; again++) {
      world.clock.time += 100;
      const replay = receiving(settings, flight);
      expect(verdictOf(replay)).toEqual(refused('replayed'));
      // It has selected the PSK, and waits for a Finished that the attacker cannot make.
      expect([replay.said, replay.connection.state]).toEqual([
        ['server_hello', 'encrypted_extensions', 'finished'],
        'handshake',
      ]);
    }
    // The client that said it first is none the worse.
    pump(pairOf(client, first));
    expect(eventsOf(first, 'handshake')).toMatchObject([{ mode: 'psk_dhe_ke', earlyData: 'accepted' }]);
    expect(settings.counters.earlyData.accepted).toBe(1);
  });

  it('R8446-8-1 P-early-1 the replay first: then the client itself is rejected, and goes on', () => {
    const world = makeTls13World();
    const settings = world.server();
    const { client, flight } = recorded(world);
    const thief = receiving(settings, flight);
    const own = receiving(settings, flight);
    expect([verdictOf(thief), verdictOf(own)]).toEqual([once, refused('replayed')]);
    pump(pairOf(client, own));
    expect(eventsOf(client, 'early_data')).toMatchObject([{ accepted: false }]);
    expect(eventsOf(own, 'handshake')).toMatchObject([{ mode: 'psk_dhe_ke', earlyData: 'rejected' }]);
  });

  it('P-early-1 at once, with a guard that takes its time: accepted once', async () => {
    const world = makeTls13World();
    const slow = {
      startedAt: world.guard.startedAt,
      check: async (key: Uint8Array, expiresAt: number) => {
        await new Promise(setImmediate);
        return world.guard.check(key, expiresAt);
      },
    };
    const settings = world.server({
      earlyData: { maxSize: 1000, replayGuard: slow, ticketsAreOfThisProcessAlone: true },
    });
    const { flight } = recorded(
      world,
      world.session({}, { earlyData: { maxSize: 1000, replayGuard: slow, ticketsAreOfThisProcessAlone: true } }),
    );
    const servers = Array.from({ length: 8 }, () => {
      const server = rogueServer(settings, {}, { named: 'async' });
      server.connection.receive(flight.slice());
      return server;
    });
    for (const server of servers) await waitFor(server);
    const verdicts = servers.map((server) => verdictOf(server));
    expect(verdicts.filter(([accepted]) => accepted === true)).toEqual([once]);
    expect(verdicts.filter(([accepted]) => accepted === false)).toEqual(Array(7).fill(refused('replayed')));
  });

  it('R8446-8.1-1 a ticket that is good for one connection: the second is a full handshake', () => {
    const world = makeTls13World();
    const sessions = new MemoryStore({ now: world.now });
    const stateful = { tickets: undefined, sessions };
    const { flight } = recorded(world, world.session({}, stateful));
    const settings = world.server(stateful);
    expect(verdictOf(receiving(settings, flight))).toEqual(once);
    const replay = receiving(settings, flight);
    expect(verdictOf(replay)).toEqual(refused('psk_not_selected'));
    expect(replay.said).toContain('certificate');
  });

  it('P-early-1 after the window it is too old, whatever the guard still knows', () => {
    const world = makeTls13World();
    const settings = world.server();
    const { flight } = recorded(world);
    world.clock.time += 10_001;
    const [accepted, reason, data] = verdictOf(receiving(settings, flight));
    expect([accepted, data]).toEqual([false, []]);
    expect(reason).toMatch(/^(ticket_age|too_old_for_replay_window)$/);
  });

  it('P-early-4 a server without a guard has said so in as many words', () => {
    const world = makeTls13World();
    const careless = { earlyData: { maxSize: 1000, acceptReplayedEarlyData: true } } as const;
    const { flight } = recorded(world, world.session({}, careless));
    const settings = world.server(careless);
    expect([1, 2, 3].map(() => verdictOf(receiving(settings, flight)))).toEqual([once, once, once]);
  });
});
