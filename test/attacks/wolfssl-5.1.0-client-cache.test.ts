/** wolfSSL 5.1.0 (release notes): a client cache at its capacity handed out the session of another peer. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { clientSessionState } from '../../src/sessions/session-state.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { SessionStore } from '../../src/sessions/store.js';
import { TicketPool } from '../../src/sessions/ticket-pool.js';
import { cacheKey, connectSync, kinds, makeWorld, outcome, secretOf, sessionOf } from '../support/attack-rig.js';
import { epoch, ticketKey, ticketSealer } from '../support/connections.js';

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

  it.each<[string, (now: () => number) => SessionStore]>([
    ['a store of so many bytes', (now) => new MemoryStore({ now, maxBytes: 1024 })],
    ['a pool of so many peers', (now) => new TicketPool({ now, maxPeers: 3 })],
    ['a pool of so many bytes', (now) => new TicketPool({ now, maxBytes: 1024 })],
  ])('P-state-7 %s, visited in turn: no peer is ever offered what another one gave', (_title, storeOf) => {
    const world = makeWorld(kind);
    const sessions = storeOf(() => world.clock.time);
    // Each peer has a store or a key ring of its own: what is another's it would not know.
    const peers = Array.from({ length: 8 }, (_, i) => {
      const { sealer } = ticketSealer('node', `peer ${String(i)}`, { keys: [ticketKey('node', `peer ${String(i)}`)] });
      const own = kind === 'session_id' ? { sessions: new MemoryStore({ now: () => epoch }) } : { tickets: sealer };
      const serverName = `peer${String(i)}.example`;
      return { server: world.server(own), client: () => world.client({ serverName, sessions }) };
    });
    const ends: string[] = [];
    for (let visit = 0; visit < 36; visit++) {
      // Each twice, and all of them again.
      const peer = peers[(visit >> 1) % peers.length];
      if (peer === undefined) throw new Error('there are 8');
      ends.push(outcome(connectSync(peer.client(), peer.server)));
    }
    expect([...new Set(ends)].sort()).toEqual(['full: not_offered', kind].sort());
    // Some that it had, it had to let go.
    expect(ends.filter((each) => each !== kind).length).toBeGreaterThan(peers.length);
  });
});
