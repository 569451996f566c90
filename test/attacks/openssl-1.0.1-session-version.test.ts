/**
 * OpenSSL 1.0.1: sessions were resumed under another protocol version than the one they were made with. The first remedy, to choose the
 * session's version, broke all clients that it was known of: here the version is chosen first, and the session gives way.
 */
import { describe, expect, it } from 'vitest';
import { concat, equal, fromHex } from '../../src/bytes.js';
import type { Session, Tls13Session } from '../../src/sessions/session.js';
import { sessionState } from '../../src/sessions/session-state.js';
import {
  connectSync,
  tls12Kinds,
  makeWorld,
  outcome,
  rewritingClientHello,
  pumpThrough,
  sessionOf,
  tls12SessionOf,
  shameless,
} from '../support/attack-rig.js';
import { makePair, serverName, theEvent, type Pair } from '../support/connections.js';

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

describe.each(tls12Kinds)('between TLS 1.2 and TLS 1.3, with one ring or one store (%s)', (way) => {
  const world = makeWorld('ticket');
  const shared = way === 'ticket' ? {} : { tickets: undefined, sessions: world.store };
  const both = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
  const onlyTls12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const server = (versions: typeof both | typeof onlyTls12) => world.server({ ...shared, ...versions, ticketCount: 1 });
  const versionOf = ({ server }: Pair) => theEvent(server, 'handshake').version;
  const connected = (session: Session | undefined, versions: typeof both | typeof onlyTls12) => {
    const pair = connectSync(world.client({ ...both, session }), server(versions));
    return { pair, ended: [outcome(pair), versionOf(pair)] };
  };
  const old = tls12SessionOf(connected(undefined, onlyTls12).pair);
  const recent = tls13SessionOf(connected(undefined, both).pair);

  it('P-bind-9 a session of TLS 1.2 at a server that has come to TLS 1.3: a full handshake of TLS 1.3', () => {
    expect(connected(old, both).ended).toEqual(['full: not_offered', 'TLSv1.3']);
    expect(connected(old, onlyTls12).ended).toEqual([way, 'TLSv1.2']);
  });

  it('P-bind-9 a ticket of TLS 1.3 at a server that has gone back to TLS 1.2: a full handshake of TLS 1.2', () => {
    // What it finds is the session ID for middleboxes.
    const reason = way === 'ticket' ? 'disabled' : 'unknown_session_id';
    expect(connected(recent, onlyTls12).ended).toEqual([`full: ${reason}`, 'TLSv1.2']);
  });

  const { cipherSuite, ticketAgeAdd, ticketLifetime, maxEarlyDataSize, transport } = recent;
  const { establishedAt, issuedAt, peerCertificates, applicationContext } = old;
  const facts = { establishedAt, issuedAt, peerCertificates, applicationContext, serverName };

  it('P-bind-9 the handle of a TLS 1.2 session offered as a PSK of TLS 1.3 is declined, and left where it is', () => {
    const handle = way === 'ticket' ? old.ticket : old.sessionId;
    const disguised = {
      ...{ ...facts, cipherSuite, ticketAgeAdd, ticketLifetime, maxEarlyDataSize, transport },
      version: 'TLSv1.3' as const,
      psk: old.masterSecret.slice(0, recent.psk.length),
      ...(handle !== undefined && { ticket: handle }),
    };
    // Session IDs are in the clear, and their length is not that of the handles of TLS 1.3: nobody takes one out this way.
    const reason = way === 'ticket' ? 'version_mismatch' : 'unknown_session_id';
    expect(connected(disguised, both).ended).toEqual([`full: ${reason}`, 'TLSv1.3']);
    expect(connected(old, onlyTls12).ended).toEqual([way, 'TLSv1.2']);
  });

  it('P-bind-9 the handle of a TLS 1.3 session offered to TLS 1.2 is declined, and left where it is', () => {
    const { ticket = new Uint8Array(0) } = recent;
    const disguised = {
      ...{ ...facts, version: 'TLSv1.2' as const, cipherSuite: old.cipherSuite, extendedMasterSecret: true },
      masterSecret: concat(recent.psk, recent.psk).slice(0, 48),
      ...(way === 'ticket' ? { ticket } : { sessionId: ticket }),
    };
    expect(connected(disguised, onlyTls12).ended).toEqual(['full: version_mismatch', 'TLSv1.2']);
    expect(connected(recent, both).ended).toEqual(['psk', 'TLSv1.3']);
  });
});

function tls13SessionOf(pair: Pair): Tls13Session {
  const session = sessionOf(pair);
  if (session.version !== 'TLSv1.3') throw new Error(`a session of ${session.version}`);
  return session;
}
