/**
 * Replay in another process or zone (RFC 8446 8): one record for each instance accepts a flight once for each instance. The guard is
 * an interface, so that all of them can ask one.
 */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { ReplayAnswer, ReplayGuard } from '../../src/early-data/replay-guard.js';
import {
  makeTls13World,
  maxEarlyData,
  pairOf,
  rogueClient,
  rogueServer,
  waitFor,
  type Rogue,
} from '../support/attack-rig-tls13.js';
import { drain, eventsOf, settle, theEvent } from '../support/connections.js';

async function receiving(
  world: ReturnType<typeof makeTls13World>,
  flight: Uint8Array,
  guard: ReplayGuard,
): Promise<Rogue> {
  const earlyData = { maxSize: maxEarlyData, replayGuard: guard, ticketsAreOfThisProcessAlone: true };
  const server = rogueServer(world.server({ earlyData }), {}, { named: 'async' });
  server.connection.receive(flight.slice());
  await waitFor(server);
  return server;
}

function flightOf(world: ReturnType<typeof makeTls13World>) {
  const session = world.session();
  const client = rogueClient(world.client({ session, earlyData: true }));
  client.connection.writeEarlyData(ascii('once'));
  return { client, flight: drain(client) };
}

describe('two servers with one ticket key', () => {
  it('R8446-8-2 P-early-1 and one store: once in all, whoever is first', async () => {
    const world = makeTls13World();
    const { flight } = flightOf(world);
    const far: ReplayGuard = {
      startedAt: world.guard.startedAt,
      check: (key, expiresAt) => Promise.resolve(world.guard.check(key.slice(), expiresAt)),
    };
    const servers = await Promise.all([1, 2, 3, 4].map(() => receiving(world, flight, far)));
    const accepted = servers.map((server) => theEvent(server, 'early_data').accepted);
    expect(accepted.filter((is) => is)).toHaveLength(1);
    expect(servers.flatMap((server) => eventsOf(server, 'data'))).toHaveLength(1);
  });

  const outages: [string, () => ReplayAnswer | Promise<ReplayAnswer>][] = [
    [
      'throws',
      () => {
        throw new Error('ECONNREFUSED');
      },
    ],
    ['rejects', () => Promise.reject(new Error('ECONNRESET'))],
    ['answers nothing', () => undefined as unknown as ReplayAnswer],
    ['answers true', () => true as unknown as ReplayAnswer],
    ['answers FRESH', () => 'FRESH' as ReplayAnswer],
    ['answers OK, as a Redis does', () => Promise.resolve('OK' as ReplayAnswer)],
    ['answers an object', () => ({ fresh: true }) as unknown as ReplayAnswer],
    ['says that it has not checked', () => 'not_checked'],
  ];
  it.each(outages)(
    'P-early-1 a store that %s: early data is rejected, the handshake goes on',
    async (_title, check) => {
      const world = makeTls13World();
      const { client, flight } = flightOf(world);
      const server = await receiving(world, flight, { startedAt: world.guard.startedAt, check });
      expect(theEvent(server, 'early_data')).toMatchObject({ accepted: false, reason: 'replay_store_unavailable' });
      await settle(pairOf(client, server));
      expect(theEvent(server, 'handshake')).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'rejected' });
      expect(eventsOf(server, 'data')).toEqual([]);
    },
  );

  it('P-early-1 a filter that says "maybe" rejects early data, and nothing else', async () => {
    const world = makeTls13World();
    const { client, flight } = flightOf(world);
    const server = await receiving(world, flight, { startedAt: world.guard.startedAt, check: () => 'maybe_replayed' });
    expect(theEvent(server, 'early_data')).toMatchObject({ accepted: false, reason: 'replayed' });
    await settle(pairOf(client, server));
    expect(theEvent(server, 'handshake').mode).toBe('psk_dhe_ke');
  });

  it('P-early-1 a store that never answers: nothing is read early, and the connection can be ended', async () => {
    const world = makeTls13World();
    const { flight } = flightOf(world);
    const server = await receiving(world, flight, {
      startedAt: world.guard.startedAt,
      check: () => new Promise<ReplayAnswer>(() => undefined),
    });
    expect([eventsOf(server, 'data'), server.connection.waiting]).toEqual([[], true]);
    server.connection.destroy();
    drain(server);
    expect(server.events.map(({ type }) => type)).toEqual(['close']);
  });
});
