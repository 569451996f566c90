/**
 * A server may send tickets without end (P-state-9), and does so in 16 KiB and more. Who receives them keeps a bounded number, and
 * works for no more than that.
 */
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/connection/limits.js';
import { encodeHandshake } from '../../src/messages/handshake.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { outcome } from '../support/attack-rig.js';
import { makeTls13World, pairOf, pass, rogueClient, rogueServer, type Rogue } from '../support/attack-rig-tls13.js';
import { drain, eventsOf, pump, theEvent } from '../support/connections.js';
import { countingCrypto } from '../support/counting-crypto.js';

const ticketOf = (length: number, number: number, lifetime = 3600) =>
  encodeHandshake('TLSv1.3', {
    type: 'new_session_ticket',
    body: {
      ticketLifetime: lifetime,
      ticketAgeAdd: number,
      ticketNonce: Uint8Array.of(number >> 8, number & 0xff),
      ticket: new Uint8Array(length).fill(number & 0xff),
      extensions: [],
    },
  });

/** A client with its store, and a server that has no manners. */
function flood(limits = {}) {
  const world = makeTls13World();
  const sessions = new MemoryStore({ now: world.now });
  const client = rogueClient(world.client({ sessions }), {}, { limits });
  const server = rogueServer(world.server({ ticketCount: 0 }));
  const pair = pump(pairOf(client, server));
  expect(outcome(pair)).toBe('full: not_offered');
  return { pair, sessions, client, server };
}

const say = ({ hs }: Rogue, message: Uint8Array) => hs.transport.writeHandshake(message);

describe('10,000 NewSessionTickets on one connection', () => {
  it('P-state-9 as many sessions as the limit says, one in the store, and the connection goes on', () => {
    const { pair, sessions, server, client } = flood();
    for (let i = 0; i < 10_000; i++) {
      say(server, ticketOf(200, i));
      if (i % 100 === 99) pass(server, client);
    }
    expect(eventsOf(client, 'session').length).toBe(defaultLimits.maxSessionTickets);
    expect(sessions.statistics().entries).toBe(1);
    server.connection.write(Uint8Array.of(42));
    pump(pair);
    expect(theEvent(client, 'data').data).toEqual(Uint8Array.of(42));
    expect([client.connection.state, server.connection.state]).toEqual(['open', 'open']);
  });

  it.each([0, 1, 7])('P-state-9 the limit is a setting: %d', (maxSessionTickets) => {
    const { server, client } = flood({ maxSessionTickets });
    for (let i = 0; i < 100; i++) say(server, ticketOf(200, i));
    pass(server, client);
    expect(eventsOf(client, 'session').length).toBe(maxSessionTickets);
  });

  it('P-state-9 those beyond it cost no derivation', () => {
    const world = makeTls13World();
    const { crypto } = world.client();
    const counted = countingCrypto(crypto);
    const client = rogueClient(world.client({ crypto: counted.crypto }));
    const server = rogueServer(world.server({ ticketCount: 0 }));
    pump(pairOf(client, server));
    const costOf = (count: number): number => {
      counted.take();
      for (let i = 0; i < count; i++) say(server, ticketOf(200, i));
      pass(server, client);
      return counted.take().hmac;
    };
    expect(costOf(defaultLimits.maxSessionTickets)).toBeGreaterThan(0);
    expect(costOf(5000)).toBe(0);
  });

  it('P-state-9 of 64 KiB each: no more than those sessions hold, and none longer than a message may be', () => {
    const { server, client } = flood();
    for (let i = 0; i < 200; i++) {
      say(server, ticketOf(65_000, i));
      pass(server, client);
    }
    expect(eventsOf(client, 'session').length).toBe(defaultLimits.maxSessionTickets);
    expect(client.connection.state).toBe('open');
  });

  it('P-state-9 while the store takes its time: what waits is bounded', async () => {
    const world = makeTls13World();
    const never = { get: () => undefined, set: () => new Promise<void>(() => undefined), delete: () => undefined };
    const client = rogueClient(world.client({ sessions: never }), {}, { named: 'async' });
    const server = rogueServer(world.server({ ticketCount: 0 }));
    const pair = pump(pairOf(client, server));
    await new Promise(setImmediate);
    pump(pair);
    let sent = 0;
    while (client.connection.state !== 'closed' && sent < 4 * defaultLimits.maxBufferedLength) {
      say(server, ticketOf(10_000, 1));
      sent += pass(server, client).length;
    }
    drain(client);
    expect(theEvent(client, 'close').error).toMatchObject({ code: 'unexpected_message' });
    expect(sent).toBeLessThan(defaultLimits.maxBufferedLength + 64 * 1024);
  });

  it('R8446-4.6.1-5 R8446-4.6.1-6 lifetime 604801: illegal_parameter; lifetime 0: no session', () => {
    const { server, client } = flood();
    say(server, ticketOf(100, 1, 0));
    say(server, ticketOf(100, 1, 604_800));
    pass(server, client);
    expect(eventsOf(client, 'session').length).toBe(1);
    say(server, ticketOf(100, 1, 604_801));
    pass(server, client);
    expect(theEvent(client, 'close').error).toMatchObject({ code: 'illegal_parameter' });
  });
});

describe('messages without end after the handshake', () => {
  it.each(['client', 'server'] as const)('P-state-9 KeyUpdates in a row from the %s: bounded', (side) => {
    const world = makeTls13World();
    const ends = { client: rogueClient(world.client()), server: rogueServer(world.server()) };
    pump(pairOf(ends.client, ends.server));
    const victim = ends[side === 'client' ? 'server' : 'client'];
    let sent = 0;
    while (victim.connection.state === 'open' && sent < 1000) {
      ends[side].connection.updateKeys();
      sent++;
      pass(ends[side], victim);
    }
    expect(sent).toBe(defaultLimits.maxKeyUpdatesInARow + 1);
    expect(theEvent(victim, 'close').error).toMatchObject({ code: 'unexpected_message' });
  });

  it('P-state-5 a NewSessionTicket of a client: unexpected_message', () => {
    const world = makeTls13World();
    const [client, server] = [rogueClient(world.client()), rogueServer(world.server())];
    pump(pairOf(client, server));
    say(client, ticketOf(100, 1));
    pass(client, server);
    expect(theEvent(server, 'close').error).toMatchObject({ code: 'unexpected_message' });
  });
});
