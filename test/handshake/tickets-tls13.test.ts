/** NewSessionTicket in both roles (RFC 8446 4.6.1, RFC 9149): how many, what is in them, and what a client keeps. */
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { encodeHandshake } from '../../src/messages/handshake.js';
import { newSessionTicket, type EncryptedExtensions, type NewSessionTicket } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { clientSessionState } from '../../src/sessions/session-state.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { sessionsOf } from '../support/attack-rig-tls13.js';
import {
  eventsOf,
  hour,
  makePair,
  pump,
  theEvent,
  ticketKey,
  ticketSealer,
  type Changes,
} from '../support/connections.js';
import { countingCrypto } from '../support/counting-crypto.js';
import { clientCredentials } from '../support/credentials.js';
import {
  clientMeets,
  clientPair,
  listening,
  outcome,
  saying,
  serverMeets,
  withExtensions,
  withoutExtensions,
} from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();
const day = 24 * hour;

/** An honest connection, and a server that can say more. */
function opened(client: Changes<ClientOptions> = {}, server: Changes<ServerOptions> = {}) {
  const pair = clientPair(world.client(client), world.server({ ticketCount: 0, ...server }));
  pump(pair);
  const give = (changes: Partial<NewSessionTicket> = {}) => {
    pair.server.hs.sendAfterHandshake({ type: 'new_session_ticket', body: { ...aTicket, ...changes } });
    pump(pair);
    return sessionsOf(pair);
  };
  return { pair, give };
}

const aTicket: NewSessionTicket = {
  ticketLifetime: 7200,
  ticketAgeAdd: 1,
  ticketNonce: Uint8Array.of(0),
  ticket: ascii('a ticket'),
  extensions: [],
};

describe('a server', () => {
  it('R8446-4.6.1-16 R8446-C.4-2 sends two by default, one after a resumption, and more when told', () => {
    const full = world.connect();
    expect(sessionsOf(full)).toHaveLength(2);
    const [session] = sessionsOf(full);
    const resumed = world.connect({ session: session! });
    expect([outcome(resumed), sessionsOf(resumed).length]).toEqual(['psk_dhe_ke', 1]);
    resumed.server.connection.sendTickets(3);
    pump(resumed);
    expect(sessionsOf(resumed)).toHaveLength(4);
    expect(sessionsOf(world.connect({}, { ticketCount: 5 }))).toHaveLength(5);
    expect(sessionsOf(world.connect({}, { ticketCount: 0 }))).toHaveLength(0);
  });

  it('R8446-4.6.1-8 R8446-4.6.1-9 R8446-4.6.1-10 gives each an age_add, a nonce and a PSK of its own', () => {
    const sessions = sessionsOf(world.connect({}, { ticketCount: 20 }));
    for (const distinct of [
      sessions.map(({ ticketAgeAdd }) => String(ticketAgeAdd)),
      sessions.map(({ psk }) => toHex(psk)),
      sessions.map(({ ticket }) => toHex(ticket!)),
    ])
      expect(new Set(distinct).size).toBe(20);
    expect(Math.max(...sessions.map(({ ticketAgeAdd }) => ticketAgeAdd))).toBeGreaterThan(2 ** 31);
  });

  it('R8446-4.6.1-9 nonces stay apart beyond the 256th: PSKs do', () => {
    const limits = { maxSessionTickets: 300 };
    const pair = makePair(world.client(), world.server({ ticketCount: 255 }), { client: { limits } });
    pump(pair);
    pair.server.connection.sendTickets(5);
    pump(pair);
    expect(new Set(sessionsOf(pair).map(({ psk }) => toHex(psk))).size).toBe(260);
  });

  it('P-state-2 none whose PSK is zeros: internal_error', () => {
    let broken = false;
    const settings = world.server();
    const { crypto } = settings;
    const pair = makePair(world.client(), {
      ...settings,
      crypto: {
        ...crypto,
        hmac: (hash, key) => {
          const mac = crypto.hmac(hash, key);
          const compute: typeof mac.compute = (...data) =>
            broken ? new Uint8Array(mac.outputLength) : mac.compute(...data);
          return { outputLength: mac.outputLength, compute, destroy: () => mac.destroy() };
        },
      },
    });
    const tickets = sessionsOf(pump(pair)).length;
    broken = true;
    pair.server.connection.sendTickets();
    pump(pair);
    expect(theEvent(pair.server, 'close').error).toMatchObject({
      alert: 'internal_error',
      message: 'the resumption PSK is unusable',
    });
    expect(sessionsOf(pair)).toHaveLength(tickets);
  });

  it('R8446-4.6.1-4 sends them once the client’s Finished is verified', () => {
    const pair = makePair(world.client(), world.server());
    pair.server.connection.receive(pair.client.connection.takeOutput());
    const flight = pair.server.connection.takeOutput();
    pair.client.connection.receive(flight);
    const finished = pair.client.connection.takeOutput();
    expect(pair.client.connection.takeEvents().map(({ type }) => type)).toEqual(['handshake']);
    pair.server.connection.receive(finished);
    pair.client.connection.receive(pair.server.connection.takeOutput());
    expect(pair.client.connection.takeEvents().map(({ type }) => type)).toEqual(['session', 'session']);
  });

  it('R8446-4.6.1-7 honours one for as long as it likes', () => {
    const session = world.session({}, { ticketLifetime: 3600 });
    const shorter = world.server({ maximumSessionAge: 500 });
    expect(serverMeets(world.client({ session }), shorter)).toBe('full: too_old');
  });

  it('R8446-4.6.1-5 R8446-4.6.1-15 tells no more than 7 days, and what is left of them since the full handshake', () => {
    const other = makeWorld13();
    const server = { ticketLifetime: (7 * day) / 1000 };
    const session = other.session({}, server);
    expect(session.ticketLifetime).toBe(604800);
    other.clock.time += 6 * day;
    const [renewed] = other.sessions({ session }, server);
    expect(renewed?.ticketLifetime).toBe(day / 1000 - 1);
    expect(renewed?.establishedAt).toBe(session.establishedAt);
    expect(() => world.server({ ticketLifetime: 604801 })).toThrow('ticketLifetime');
  });
});

describe('ticket_request', () => {
  const asking = (newSessionCount: number, resumptionCount: number) => ({
    ticketRequest: { newSessionCount, resumptionCount },
  });

  it('R9149-3-2 R9149-3-3 no more than asked for, by the kind of handshake, and no more than the server’s own limit', () => {
    const count = (client: Changes<ClientOptions>, server: Changes<ServerOptions> = {}) =>
      sessionsOf(world.connect(client, server)).length;
    expect(count(asking(4, 1))).toBe(4);
    expect(count(asking(0, 4))).toBe(0);
    expect(count({ ...asking(0, 4), session: world.session() })).toBe(4);
    expect(count({ ...asking(4, 0), session: world.session() })).toBe(0);
    expect(count(asking(255, 255))).toBe(8);
    expect(count(asking(255, 255), { maximumTicketCount: 3 })).toBe(3);
  });

  it('R9149-3-4 is answered with the number that comes, in EncryptedExtensions', () => {
    const { heard, says } = listening('encrypted_extensions');
    const answers = (client: Changes<ClientOptions>) => {
      heard.length = 0;
      clientMeets(world.client(client), world.server(), says);
      return heard[0]?.extensions.filter(({ type }) => type === 'ticket_request').map(({ data }) => data);
    };
    expect(answers(asking(3, 1))).toEqual([3]);
    expect(answers(asking(0, 1))).toEqual([0]);
    expect(answers(asking(20, 1))).toEqual([8]);
    expect(answers({})).toEqual([]);
  });

  it('R9149-3-5 the answer in another message: illegal_parameter', () => {
    const answer = { type: 'ticket_request', data: Uint8Array.of(2) } as const;
    const client = world.client(asking(2, 2));
    const retrying = { groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] } as const;
    expect(clientMeets(client, world.server(), saying('server_hello', withExtensions(answer)))).toBe(
      'client: illegal_parameter',
    );
    expect(
      clientMeets(
        world.client({ ...asking(2, 2), ...retrying }),
        world.server({ groups: ['x25519'] }),
        saying('hello_retry_request', withExtensions(answer)),
      ),
    ).toBe('client: illegal_parameter');
  });

  it('R9149-3-1 an answer of another length: decode_error; one that was not asked for: unsupported_extension', () => {
    const raw = Uint8Array.of(8, 0, 0, 8, 0, 6, 0, 58, 0, 2, 0, 2);
    expect(
      clientMeets(
        world.client(asking(2, 2)),
        world.server(),
        saying('encrypted_extensions', () => [raw]),
      ),
    ).toBe('client: decode_error');
    const says = saying(
      'encrypted_extensions',
      withExtensions<EncryptedExtensions>({ type: 'ticket_request', data: 2 }),
    );
    expect(clientMeets(world.client(), world.server(), says)).toBe('client: unsupported_extension');
  });
});

describe('a client', () => {
  it('R8446-4.6.1-13 R8701-4.2-1 takes a ticket with extensions that it does not know', () => {
    const { give } = opened();
    const [session] = give({
      extensions: [
        { type: 0x7a7a, data: ascii('grease') },
        { type: 'early_data', data: 77 },
      ],
    });
    expect(session).toMatchObject({ maxEarlyDataSize: 77, ticket: ascii('a ticket') });
  });

  it('R8446-4.6.1-6 R9846-4.7.1-3 drops one of lifetime 0 at once', () => {
    const { give, pair } = opened();
    expect(give({ ticketLifetime: 0 })).toEqual([]);
    expect(give()).toHaveLength(1);
    expect(pair.client.connection.state).toBe('open');
  });

  it('R8446-4.6.1-5 refuses one of more than 7 days: illegal_parameter', () => {
    const { give, pair } = opened();
    expect(give({ ticketLifetime: 604800 })).toHaveLength(1);
    give({ ticketLifetime: 604801 });
    expect(outcome(pair)).toBe('client: illegal_parameter');
  });

  it('R9846-4.7.1-3 offers none that is older than 7 days since the full handshake, however it was renewed', () => {
    const other = makeWorld13();
    const server = { ticketLifetime: (7 * day) / 1000 };
    const session = other.session({}, server);
    other.clock.time = session.issuedAt + 7 * day;
    expect(serverMeets(other.client({ session }), other.server(server))).toBe('psk_dhe_ke');
    other.clock.time += 1;
    expect(serverMeets(other.client({ session }), other.server(server))).toBe('full: not_offered');
  });

  it('R9846-4.7.1-1 that does not resume ignores them', () => {
    const { give, pair } = opened({ tickets: false });
    expect(give()).toEqual([]);
    pair.server.connection.write(ascii('goes on'));
    pump(pair);
    expect(eventsOf(pair.client, 'data')).toHaveLength(1);
  });

  it('P-state-9 keeps so many of one connection, and takes any number', () => {
    const { give, pair } = opened();
    for (let i = 0; i < 100; i++) give({ ticketNonce: Uint8Array.of(i) });
    expect(sessionsOf(pair)).toHaveLength(32);
    expect(pair.client.connection.state).toBe('open');
  });

  it('R8446-4.6.1-12 refuses an empty ticket, and one with something behind it: decode_error', () => {
    const say = (bytes: Uint8Array) => {
      const { pair } = opened();
      pair.server.transport.writeHandshake(bytes);
      pump(pair);
      return outcome(pair);
    };
    const good = encodeHandshake('TLSv1.3', { type: 'new_session_ticket', body: aTicket });
    expect(say(good)).toBe('full: not_offered');
    const longer = Uint8Array.of(...good, 0);
    longer[3] = longer.length - 4;
    expect(say(longer)).toBe('client: decode_error');
    // lifetime, age_add, nonce<0>, ticket<0>, extensions<0>
    expect(say(Uint8Array.of(4, 0, 0, 13, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toBe('client: decode_error');
  });

  it('R8446-4.6.1-4 refuses one before the server’s Finished: unexpected_message', () => {
    const says = saying('finished', (body) => [
      { type: 'new_session_ticket', body: aTicket },
      { type: 'finished', body },
    ]);
    expect(clientMeets(world.client(), world.server(), says)).toBe('client: unexpected_message');
  });

  it('R8446-4.6.1-4 takes one that a server has computed ahead, before it heard our Finished', () => {
    const pair = clientPair(world.client(), world.server());
    pair.server.connection.receive(pair.client.connection.takeOutput());
    pair.server.hs.sendAfterHandshake({ type: 'new_session_ticket', body: aTicket });
    pair.client.connection.receive(pair.server.connection.takeOutput());
    pair.client.events.push(...pair.client.connection.takeEvents());
    expect(sessionsOf(pair).map(({ ticket }) => ticket)).toEqual([ascii('a ticket')]);
  });

  it('R8446-6-1 forgets the ticket of a connection that fails afterwards', () => {
    const sessions = new MemoryStore({ now: () => world.clock.time });
    const { pair, give } = opened({ sessions });
    give();
    const key = world.client({ sessions }).tls13SessionKey;
    expect(sessions.get(key)).toBeDefined();
    pair.server.hs.sendAfterHandshake({ type: 'end_of_early_data', body: {} });
    pump(pair);
    expect(outcome(pair)).toBe('client: unexpected_message');
    expect(sessions.get(key)).toBeUndefined();
  });

  it('R8446-C.4-1 R9149-3-7 takes a ticket out of its store to offer it; once declined, nothing of that session is left', () => {
    const sessions = new MemoryStore({ now: () => world.clock.time });
    const { tls13SessionKey: key } = world.client({ sessions });
    const stored = () => {
      const state = sessions.get(key);
      const session = state && clientSessionState.decode(state);
      return session?.version === 'TLSv1.3' ? session : undefined;
    };
    world.connect({ sessions });
    const first = stored();
    world.clock.time += 1000;
    const { sealer } = ticketSealer('node', 'other', { keys: [ticketKey('node', 'other')] });
    const pair = makePair(world.client({ sessions }), world.server({ tickets: sealer }));
    expect(stored()).toBeUndefined();
    pump(pair);
    expect(theEvent(pair.client, 'handshake')).toMatchObject({ mode: 'full', reason: 'declined_by_server' });
    expect(stored()?.establishedAt).toBe(first!.establishedAt + 1000);
  });

  it('remembers who the server was', () => {
    const alpnProtocols = ['h2'];
    const session = world.session({ alpnProtocols }, { alpnProtocols });
    expect(session).toMatchObject({ serverName: 'server.example', alpnProtocol: 'h2', transport: 'tcp' });
    expect(session.peerCertificates).toEqual(world.server().credentials[0]?.certificates);
    expect(session.establishedAt).toBe(session.issuedAt);
  });
});

it('R9846-4.4.2-1 extensions of a ticket may fill 2^16-1 bytes, and those of a CertificateRequest none', () => {
  const extensions = [{ type: 0x7a7a, data: new Uint8Array(2 ** 16 - 1 - 4) }];
  const bytes = newSessionTicket.encode({ ...aTicket, extensions });
  expect(newSessionTicket.decode(bytes).extensions[0]?.data).toHaveLength(2 ** 16 - 5);
  const { give, pair } = opened();
  give({ extensions });
  expect(sessionsOf(pair)).toHaveLength(1);
  const says = saying('certificate_request', withoutExtensions('signature_algorithms'));
  const asking = world.server({ clientAuthentication: 'request' });
  expect(clientMeets(world.client({ credentials: [clientCredentials] }), asking, says)).toBe(
    'client: missing_extension',
  );
});

it('R5077-5.4-1 a ticket under an unknown key name costs nothing, any other one MAC, and one that opens a decryption', () => {
  const { crypto, take } = countingCrypto(nodeCrypto);
  const { sealer } = ticketSealer('node', 'another', { keys: [ticketKey('node', 'counted')] });
  const keys = new KeyRing({ crypto, now: () => 0, keys: [ticketKey('node', 'counted')] });
  const counted = new RingSealer({ keys });
  const ticket = sealer.seal(new Uint8Array(100));
  const costs = (offered: Uint8Array) => {
    take();
    const { reason } = counted.open(offered);
    return [
      reason,
      ...Object.entries(take()).flatMap(([name, count]) => (count > 0 ? [`${name} ${String(count)}`] : [])),
    ];
  };
  // Keys are set up once for all tickets.
  counted.open(ticket);
  expect(costs(ticket)).toEqual([undefined, 'hmac 1', 'cbc 1']);
  expect(costs(ticket.map((byte, i) => (i === 0 ? byte ^ 1 : byte)))).toEqual(['unknown_key_name']);
  expect(costs(ticket.map((byte, i) => (i === 40 ? byte ^ 1 : byte)))).toEqual(['bad_mac', 'hmac 1']);
});
