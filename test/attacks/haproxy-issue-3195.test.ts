/** HAProxy issue 3195: sessions towards a backend were reused although the name now asked for differed, or was not set. */
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { connectSync, kinds, makeWorld, outcome, sessionOf } from '../support/attack-rig.js';
import { epoch, theEvent } from '../support/connections.js';

describe.each(kinds)('the name of a backend changes (%s)', (kind) => {
  const world = makeWorld(kind);
  const server = world.server();
  const sessions = new MemoryStore({ now: () => epoch });
  const backend = (serverName: string | undefined) => ({ sessions, serverName, peerIdentity: '192.0.2.1:443' });
  const first = connectSync(world.client(backend('a.example')), server);

  it.each([undefined, 'b.example'])(
    'P-bind-5 R6066-3-3 now %s: no session is offered, from the cache or by hand',
    (serverName) => {
      for (const options of [backend(serverName), { serverName, session: sessionOf(first) }]) {
        const pair = connectSync(world.client(options), server);
        expect(outcome(pair)).toBe('full: not_offered');
        expect(theEvent(pair.server, 'handshake').serverName).toBe(serverName);
      }
    },
  );

  it('P-bind-5 the same name gets it', () => {
    expect(outcome(connectSync(world.client(backend('a.example')), server))).toBe(kind);
  });
});
