/** wolfSSL 5.1.0 (release notes): a client cache at its capacity handed out the session of another peer. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { clientSessionState } from '../../src/sessions/session-state.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { cacheKey, connectSync, kinds, makeWorld, outcome, secretOf, sessionOf } from '../support/attack-rig.js';
import { epoch } from '../support/connections.js';

describe.each(kinds)('a client cache of 8 entries for 24 peers (%s)', (kind) => {
  it('P-state-7 gives each peer its own session, or none', () => {
    const world = makeWorld(kind);
    const server = world.server();
    const sessions = new MemoryStore({ now: () => epoch, maxEntries: 8 });
    const peers = Array.from({ length: 24 }, (_, i) =>
      world.client({ serverName: `peer${String(i)}.example`, sessions }),
    );
    const secrets = peers.map((peer) => toHex(secretOf(sessionOf(connectSync(peer, server)))));
    expect(sessions.statistics()).toMatchObject({ entries: 8, evicted: 16 });

    const found = peers.map((peer) => {
      const state = sessions.get(cacheKey(kind, peer));
      const session = state && clientSessionState.decode(state);
      return session && toHex(secretOf(session));
    });
    expect(found).toEqual(secrets.map((secret, i) => (i < 16 ? undefined : secret)));
    const outcomes = [20, 23, 16, 15, 0].map((i) =>
      peers.slice(i, i + 1).map((peer) => outcome(connectSync(peer, server))),
    );
    expect(outcomes.flat()).toEqual([kind, kind, kind, 'full: not_offered', 'full: not_offered']);
    expect(sessions.statistics().entries).toBe(8);
  });
});
