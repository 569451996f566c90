/**
 * RFC 8446 8.2: where the storage key of a replay record is taken from binders that nobody verifies, changing one makes a replay
 * look new. The key here is the binder that was verified, and nothing else.
 */
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import type { ReplayGuard } from '../../src/early-data/replay-guard.js';
import { makeTls13World, maxEarlyData, rogueClient, rogueServer, type Rogue } from '../support/attack-rig-tls13.js';
import { drain, eventsOf, theEvent } from '../support/connections.js';

describe('a second binder that nobody verifies', () => {
  const world = makeTls13World();
  const keys: string[] = [];
  const replayGuard: ReplayGuard = {
    startedAt: world.guard.startedAt,
    check: (key, expiresAt) => {
      keys.push(toHex(key));
      return world.guard.check(key, expiresAt);
    },
  };
  const server = world.server({
    earlyData: { maxSize: maxEarlyData, replayGuard, ticketsAreOfThisProcessAlone: true },
  });
  const sessions = [world.session(), world.session()];
  const client = rogueClient(world.client({ session: sessions, earlyData: true }));
  client.connection.writeEarlyData(ascii('once'));
  const flight = drain(client);
  const helloEnd = 5 + (flight[3] ?? 0) * 256 + (flight[4] ?? 0);

  function receiving(bytes: Uint8Array): Rogue {
    const end = rogueServer(server);
    end.connection.receive(bytes.slice());
    end.events.push(...end.connection.takeEvents());
    return end;
  }

  it('R8446-8.2-3 the flight as it is: accepted', () => {
    expect(theEvent(receiving(flight), 'early_data').accepted).toBe(true);
    expect(keys).toHaveLength(1);
  });

  it.each([1, 16, 32])(
    'R8446-8.2-3 with byte %d from the end of the second binder changed: still a replay',
    (fromEnd) => {
      const forged = flight.slice();
      forged[helloEnd - fromEnd] = (forged[helloEnd - fromEnd] ?? 0) ^ 1;
      const replay = receiving(forged);
      expect(theEvent(replay, 'early_data')).toMatchObject({ accepted: false, reason: 'replayed' });
      expect(eventsOf(replay, 'data')).toEqual([]);
      expect(new Set(keys).size).toBe(1);
    },
  );

  it.each([34, 50, 65])(
    'R8446-8.2-3 with byte %d from the end, in the first binder, changed: decrypt_error, never asked',
    (fromEnd) => {
      const asked = keys.length;
      const forged = flight.slice();
      forged[helloEnd - fromEnd] = (forged[helloEnd - fromEnd] ?? 0) ^ 1;
      const replay = receiving(forged);
      expect(theEvent(replay, 'close').error).toMatchObject({ code: 'decrypt_error' });
      expect(keys.length).toBe(asked);
    },
  );

  it('R8446-8.2-3 the key is the first binder itself', () => {
    expect(keys[0]).toBe(toHex(flight.subarray(helloEnd - 65, helloEnd - 33)));
  });
});
