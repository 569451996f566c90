/**
 * "Tracking Users across the Web via TLS Session Resumption" (Sy et al., 2018): who offers a session says who he is, to the server from one
 * day to the next and to third parties from one site to the other, and every renewal prolongs it. (RFC 8446 C.4.)
 */
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import type { ClientOptions } from '../../src/connection/options.js';
import type { ServerSettings } from '../../src/handshake/settings.js';
import { findExtension } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { TicketPool } from '../../src/sessions/ticket-pool.js';
import { clearItems, connectSync, kinds, makeWorld, messageIn, outcome, type World } from '../support/attack-rig.js';
import { hour, type Changes, type Pair } from '../support/connections.js';

const day = 24 * hour;

/** By what a ClientHello can be recognised as one that has been here before. */
function marksOf(pair: Pair): string[] {
  const [hello] = clearItems(pair, 'client').map(messageIn);
  if (hello?.type !== 'client_hello') throw new Error('a client speaks first');
  const { legacySessionId, extensions } = hello.body;
  const { identities = [] } = findExtension(extensions, 'pre_shared_key') ?? {};
  const ticket = findExtension(extensions, 'session_ticket') ?? new Uint8Array(0);
  return [...identities.map(({ identity }) => identity), ticket, legacySessionId]
    .map(toHex)
    .filter((mark) => mark !== '');
}

/** A server that renews whatever it can. */
const generous = (world: World) =>
  world.server({
    renewTickets: 'always',
    ticketLifetime: (7 * day) / 1000,
    ticketLifetimeHint: (7 * day) / 1000,
    sessionLifetime: 14 * day,
  });

describe('a ticket of TLS 1.3', () => {
  it.each([
    ['pool', (world: World) => new TicketPool({ now: () => world.clock.time })],
    ['memory store', (world: World) => new MemoryStore({ now: () => world.clock.time })],
  ])('R8446-C.4-1 from a %s is offered once: no two ClientHellos have a mark in common', (_title, storeOf) => {
    const world = makeWorld('psk');
    const [sessions, server] = [storeOf(world), world.server({ ticketCount: 2 })];
    const visits = Array.from({ length: 8 }, () => connectSync(world.client({ sessions }), server));
    expect(visits.map(outcome)).toEqual(['full: not_offered', ...Array.from({ length: 7 }, () => 'psk')]);
    const marks = visits.flatMap(marksOf);
    // Of each but the first a ticket, and of all a session ID for middleboxes.
    expect([marks.length, new Set(marks).size]).toEqual([7 + 8, 7 + 8]);
  });

  it('R8446-C.4-1 connections that race have one each, and the last has none', () => {
    const world = makeWorld('psk');
    const sessions = new TicketPool({ now: () => world.clock.time });
    const server = world.server({ ticketCount: 3 });
    connectSync(world.client({ sessions }), server);
    const none = world.server({ ticketCount: 0 });
    const race = Array.from({ length: 4 }, () => connectSync(world.client({ sessions }), none));
    expect(race.map(outcome)).toEqual(['psk', 'psk', 'psk', 'full: not_offered']);
    expect(new Set(race.flatMap(marksOf)).size).toBe(3 + 4);
  });
});

describe.each(kinds)('a third party that two sites include (%s)', (kind) => {
  function browser(sessionsOf: (world: World) => ClientOptions['sessions']) {
    const world = makeWorld(kind);
    const [sessions, server] = [sessionsOf(world), generous(world)];
    const visit = (site: string, changes: Changes<ClientOptions> = {}) =>
      connectSync(
        world.client({ sessions, serverName: 'ads.example', applicationContext: ascii(site), ...changes }),
        server,
      );
    return { world, visit };
  }

  it.each([
    ['pool', (world: World) => new TicketPool({ now: () => world.clock.time })],
    ['memory store', (world: World) => new MemoryStore({ now: () => world.clock.time })],
  ])('R9846-C.4-1 sees no mark of the one site at the other, with one %s', (_title, sessionsOf) => {
    const { visit } = browser(sessionsOf);
    const [atNews, atShop] = [visit('news.example'), visit('shop.example')];
    expect([outcome(atNews), outcome(atShop)]).toEqual(['full: not_offered', 'full: not_offered']);
    const [again, anew] = [visit('news.example'), visit('shop.example')];
    expect([outcome(again), outcome(anew)]).toEqual([kind, kind]);
    const [news, shop] = [[atNews, again].flatMap(marksOf), [atShop, anew].flatMap(marksOf)];
    expect(news.filter((mark) => shop.includes(mark))).toEqual([]);
    expect(outcome(visit('blog.example'))).toBe('full: not_offered');
  });

  it('R9846-C.4-1 nor does a site that hands a session on', () => {
    const { world, visit } = browser(() => undefined);
    const [session] = visit('news.example').client.events.flatMap((event) =>
      event.type === 'session' ? [event.session] : [],
    );
    expect(session).toBeDefined();
    expect(outcome(visit('shop.example', { session }))).toBe('full: not_offered');
    expect(outcome(visit('news.example', { session }))).toBe(kind);
    expect(world.clock.time).toBeGreaterThan(0);
  });
});

describe.each(kinds)('how long somebody can be followed (%s)', (kind) => {
  /** Whether visits at these times resume. */
  function visits(times: readonly number[], own: (world: World) => Changes<ClientOptions>): string[] {
    const world = makeWorld(kind);
    const begin = world.clock.time;
    const [options, server]: [Changes<ClientOptions>, ServerSettings] = [own(world), generous(world)];
    return times.map((time) => {
      world.clock.time = begin + time;
      return outcome(connectSync(world.client(options), server));
    });
  }
  const full = 'full: not_offered';
  const daily = Array.from({ length: 7 }, (_, i) => i * day);

  it('P-key-7 seven days since the full handshake, however often and by whatever ticket it was prolonged', () => {
    const result = visits([...daily, 7 * day - 1, 7 * day + 1, 8 * day], (world) => ({
      sessions: new TicketPool({ now: () => world.clock.time }),
    }));
    // On the eighth day it begins anew.
    expect(result).toEqual([full, ...Array.from({ length: 7 }, () => kind), full, kind]);
  });

  it('R8446-C.4-1 an hour, for a client that wants no more, although the server would go on for a week', () => {
    const result = visits([0, hour / 2, hour - 1, hour + 1, 1.5 * hour], (world) => ({
      sessions: new TicketPool({ now: () => world.clock.time }),
      maximumSessionAge: hour,
    }));
    expect(result).toEqual([full, kind, kind, full, kind]);
  });
});

describe('a pool with a cap of its own', () => {
  it.each(kinds)('R8446-C.4-1 keeps nothing beyond it, whatever the server has said (%s)', (kind) => {
    const world = makeWorld(kind);
    const pool = new TicketPool({ now: () => world.clock.time, maxLifetime: hour });
    const server = generous(world);
    const client = () => world.client({ sessions: pool });
    connectSync(client(), server);
    expect(pool.size.tickets).toBe(1);
    world.clock.time += hour;
    const late = connectSync(client(), world.server({ ticketCount: 0, tickets: undefined, sessions: undefined }));
    expect([outcome(late), pool.size]).toEqual(['full: not_offered', { peers: 0, tickets: 0, bytes: 0 }]);
  });
});
