/**
 * wolfSSL pull request 10398 (2026): sessions below what the configuration had come to demand were resumed, and lifetimes above
 * seven days were taken from the server.
 */
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import { encodeHandshake } from '../../src/messages/handshake.js';
import {
  clearItems,
  connectSync,
  kinds,
  makeWorld,
  offer,
  outcome,
  sessionOf,
  shameless,
  tls12Kinds,
  tls12SessionOf,
} from '../support/attack-rig.js';
import { between, pass } from '../support/attack-rig-tls13.js';
import { eventsOf, hour, makePair, pump, theEvent } from '../support/connections.js';

/** One suite for each version; of TLS 1.3 the hash decides. */
const sha256 = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'] as const;
const sha384 = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'] as const;

describe.each(kinds)('sessions below what is demanded now (%s)', (kind) => {
  const world = makeWorld(kind);
  const first = connectSync(world.client({ cipherSuites: sha256 }), world.server());

  it('P-bind-10 a suite no longer enabled: the client does not offer the session', () => {
    const stricter = world.client({ cipherSuites: sha384, session: sessionOf(first) });
    const pair = connectSync(stricter, world.server());
    expect([outcome(pair), theEvent(pair.client, 'handshake').reason]).toEqual(['full: not_offered', 'not_offered']);
  });

  it('P-bind-10 a suite no longer enabled: the server does not accept the session', () => {
    const stricter = world.server({ cipherSuites: sha384 });
    expect(outcome(offer(first, world.client(), stricter))).toBe('full: cipher_suite_disabled');
  });
});

describe('a minimum version that was raised', () => {
  const both = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

  describe.each(tls12Kinds)('with a session of TLS 1.2 (%s)', (kind) => {
    const world = makeWorld(kind);
    const first = connectSync(world.client(both), world.server());
    const session = tls12SessionOf(first);

    it('P-bind-10 the client does not offer it, in no field of its hello', () => {
      const pair = connectSync(
        world.client({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', session }),
        world.server(both),
      );
      expect([outcome(pair), theEvent(pair.server, 'handshake').version]).toEqual(['full: not_offered', 'TLSv1.3']);
      const [hello] = clearItems(pair, 'client').map(({ bytes }) => toHex(bytes));
      for (const handle of [session.ticket, session.sessionId])
        if (handle !== undefined) expect(hello?.includes(toHex(handle))).toBe(false);
    });

    it('P-bind-10 the server does not accept it, by whatever version the client is met', () => {
      const stricter = world.server({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' });
      expect(outcome(pump(makePair(shameless(world.client(), session), stricter)))).toBe('server: protocol_version');
      const modern = connectSync(shameless(world.client(both), session), stricter);
      expect([outcome(modern), theEvent(modern.server, 'handshake').version]).toEqual(['full: not_offered', 'TLSv1.3']);
    });
  });
});

describe('lifetimes', () => {
  const week = 7 * 24 * hour;

  it('R8446-4.6.1-5 ticket_lifetime 604801: illegal_parameter, and no session', () => {
    const world = makeWorld('psk');
    const { client, server } = between(world.client(), world.server({ ticketCount: 0 }));
    const ticketOf = (ticketLifetime: number) =>
      encodeHandshake('TLSv1.3', {
        type: 'new_session_ticket',
        body: { ticketLifetime, ticketAgeAdd: 1, ticketNonce: ascii('n'), ticket: ascii('ticket'), extensions: [] },
      });
    server.hs.transport.writeHandshake(ticketOf(604_800));
    pass(server, client);
    expect(sessionOf({ client, server, segments: [] }).version).toBe('TLSv1.3');
    server.hs.transport.writeHandshake(ticketOf(604_801));
    pass(server, client);
    expect(theEvent(client, 'close').error).toMatchObject({ alert: 'illegal_parameter' });
    expect(eventsOf(client, 'session')).toHaveLength(1);
  });

  it.each([604_801, 2 ** 32 - 1, 0])(
    'R5077-5.6-1 R5077-3.3-8 a hint of %d seconds: the client stops at seven days of its own',
    (ticketLifetimeHint) => {
      const world = makeWorld('ticket');
      const server = world.server({ ticketLifetimeHint });
      const session = tls12SessionOf(connectSync(world.client(), server));
      expect(session.ticketLifetimeHint).toBe(ticketLifetimeHint);
      const reasonAfter = (milliseconds: number) => {
        world.clock.time = session.establishedAt + milliseconds;
        return outcome(connectSync(world.client({ session }), server));
      };
      expect(reasonAfter(week)).toBe('ticket');
      expect(reasonAfter(week + 1)).toBe('full: not_offered');
    },
  );

  it('R5077-3.3-8 a hint counts from receipt, to the second', () => {
    const world = makeWorld('ticket');
    const server = world.server({ ticketLifetimeHint: 60 });
    const session = sessionOf(connectSync(world.client(), server));
    world.clock.time += 60_000;
    expect(outcome(connectSync(world.client({ session }), server))).toBe('ticket');
    world.clock.time += 1;
    expect(outcome(connectSync(world.client({ session }), server))).toBe('full: not_offered');
  });

  it('P-time-2 a ticket from the future of a clock that has gone back is not offered', () => {
    const world = makeWorld('ticket');
    const server = world.server({ ticketLifetimeHint: 48 * 3600, renewTickets: 'always' });
    const first = sessionOf(connectSync(world.client(), server));
    world.clock.time += 24 * hour;
    const session = sessionOf(connectSync(world.client({ session: first }), server));
    expect(outcome(connectSync(world.client({ session }), server))).toBe('ticket');
    world.clock.time -= 12 * hour;
    expect(outcome(connectSync(world.client({ session }), server))).toBe('full: not_offered');
  });

  it.each(kinds)('R8446-4.6.1-15 P-key-7 a %s that is offered past seven days is declined, renewed or not', (kind) => {
    const world = makeWorld(kind);
    const server = world.server({ renewTickets: 'always', sessionLifetime: 2 * week, ticketLifetime: week / 1000 });
    let last = connectSync(world.client(), server);
    for (let day = 1; day <= 7; day++) {
      world.clock.time += 24 * hour;
      const renewed = offer(last, world.client(), server);
      expect(outcome(renewed)).toBe(kind);
      if (kind !== 'session_id' && day < 7) last = renewed;
    }
    world.clock.time += 1;
    expect(outcome(offer(last, world.client(), server))).toBe('full: too_old');
  });
});
