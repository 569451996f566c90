/** OpenSSL 1.0.1: sessions were resumed under another protocol version than the one they were made with. */
import { describe, expect, it } from 'vitest';
import { equal, fromHex } from '../../src/bytes.js';
import { sessionState } from '../../src/sessions/session-state.js';
import {
  connectSync,
  tls12Kinds,
  makeWorld,
  outcome,
  rewritingClientHello,
  pumpThrough,
  tls12SessionOf,
  shameless,
} from '../support/attack-rig.js';
import { makePair } from '../support/connections.js';

describe('sessions of other versions', () => {
  it.each(['0300', '0301', '0302', '0304', '7f1c'])(
    'P-bind-9 R9325-3.1.1-1 a ticket whose state says version %s is declined',
    (version) => {
      const world = makeWorld('ticket');
      const session = tls12SessionOf(connectSync(world.client(), world.server()));
      const state = sessionState.encode(session);
      expect(equal(state.subarray(1, 3), fromHex('0303'))).toBe(true);
      state.set(fromHex(version), 1);
      const forged = shameless(world.client(), { ...session, ticket: world.sealer.seal(state) });
      expect(outcome(connectSync(forged, world.server()))).toBe('full: unreadable_state');
    },
  );

  it.each(['0300', '0301', '0302', '0304'])(
    'P-bind-9 R9325-3.1.1-1 a cached session of version %s is declined',
    (version) => {
      const world = makeWorld('session_id');
      const session = tls12SessionOf(connectSync(world.client(), world.server()));
      const sessionId = session.sessionId ?? new Uint8Array(0);
      const state = world.store.get(sessionId) ?? new Uint8Array(0);
      state.set(fromHex(version), 1);
      world.store.set(sessionId, state, Infinity);
      expect(outcome(connectSync(shameless(world.client(), session), world.server()))).toBe('full: unreadable_state');
    },
  );

  it.each(tls12Kinds)('R9325-3.1.1-1 a session of TLS 1.2 under a hello for TLS 1.1 (%s): protocol_version', (kind) => {
    const world = makeWorld(kind);
    const session = tls12SessionOf(connectSync(world.client(), world.server()));
    const pair = makePair(shameless(world.client(), session), world.server());
    pumpThrough(
      pair,
      rewritingClientHello((hello) => ({ ...hello, legacyVersion: 'TLSv1.1' })),
    );
    expect(outcome({ ...pair, client: { ...pair.client, events: [] } })).toBe('server: protocol_version');
  });
});
