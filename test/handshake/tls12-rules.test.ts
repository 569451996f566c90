/** Rules of the standards on TLS 1.2 sessions and tickets that have no historic attack to be named after. */
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import { findExtension, type ClientHello, type ServerHello } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import {
  breakingFinished,
  clearItems,
  connectSync,
  handshakeItem,
  tls12Kinds,
  makeWorld,
  messageIn,
  nameOf,
  offer,
  outcome,
  passing,
  pumpThrough,
  rewritingClientHello,
  rewritingServerHello,
  serverFlight,
  sessionOf,
  shameless,
  without,
} from '../support/attack-rig.js';
import { epoch, makePair, pump, theEvent, type Pair } from '../support/connections.js';
import { tls12Session } from '../support/sessions.js';

const aes = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const chacha = 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256';

function clientHelloOf(pair: Pair): ClientHello {
  const [hello] = clearItems(pair, 'client').map(messageIn);
  if (hello?.type !== 'client_hello') throw new Error('a client begins with its hello');
  return hello.body;
}

function serverHelloOf(pair: Pair): ServerHello {
  const [hello] = clearItems(pair, 'server').map(messageIn);
  if (hello?.type !== 'server_hello') throw new Error('a server begins with its hello');
  return hello.body;
}

const typesOf = ({ extensions }: ClientHello | ServerHello) => (extensions ?? []).map(({ type }) => type);

it('RFC 6066 3: a name is acknowledged, unless acknowledgeServerName is false', () => {
  const world = makeWorld('ticket');
  const told = (acknowledgeServerName: boolean) =>
    typesOf(serverHelloOf(connectSync(world.client(), world.server({ acknowledgeServerName })))).includes(
      'server_name',
    );
  expect([told(true), told(false)]).toEqual([true, false]);
});

describe('session IDs', () => {
  it('R5246-7.4.1.2-3 are random bytes and nothing else; a made-up one does no harm', () => {
    const world = makeWorld('session_id');
    const server = world.server();
    const drawn: string[] = [];
    const randomBytes = (length: number) => {
      const bytes = server.crypto.randomBytes(length);
      drawn.push(toHex(bytes));
      return bytes;
    };
    const drawing = { ...server, crypto: { ...server.crypto, randomBytes } };
    const session = tls12Session(sessionOf(connectSync(world.client(), drawing)));
    expect(drawn).toContain(toHex(session.sessionId ?? ascii('')));
    const madeUp = { ...session, sessionId: new Uint8Array(32).fill(0x41) };
    expect(outcome(connectSync(shameless(world.client(), madeUp), server))).toBe('full: unknown_session_id');
    expect(outcome(connectSync(world.client({ session }), server))).toBe('session_id');
  });

  it.each(tls12Kinds)(
    'R5246-7.4.1.3-2 %s: the client goes through a full handshake in any suite that it offered',
    (kind) => {
      const world = makeWorld(kind);
      const session = sessionOf(connectSync(world.client(), world.server({ cipherSuites: [aes] })));
      const pair = connectSync(world.client({ session }), world.server({ cipherSuites: [chacha] }));
      expect(outcome(pair)).toBe('full: cipher_suite_disabled');
      expect(theEvent(pair.client, 'handshake')).toMatchObject({ reason: 'declined_by_server', cipherSuite: chacha });
    },
  );

  it('R5246-7.2.2-1 P-state-1 a fatal alert after the handshake takes the session with it, on both sides', () => {
    const world = makeWorld('session_id');
    const server = world.server();
    for (const broken of ['client', 'server'] as const) {
      const sessions = new MemoryStore({ now: () => epoch });
      const client = world.client({ sessions });
      const pair = connectSync(client, server);
      const session = sessionOf(pair);
      pair[broken].connection.receive(Uint8Array.of(0x17, 3, 3, 0, 1, 0));
      pump(pair);
      expect(pair[broken].connection.state).toBe('closed');
      expect(sessions.statistics().entries).toBe(0);
      expect(outcome(connectSync(world.client({ session }), server))).toBe('full: unknown_session_id');
    }
  });

  it('R5246-7.2.1-1 a connection that ended without close_notify may be resumed', () => {
    const world = makeWorld('session_id');
    const server = world.server();
    const pair = connectSync(world.client(), server);
    pair.client.connection.receiveEnd();
    pair.server.connection.receiveEnd();
    expect(outcome(connectSync(world.client({ session: sessionOf(pair) }), server))).toBe('session_id');
  });

  it.each(tls12Kinds)(
    'P-state-1 %s: no session is stored or told before the Finished of the other side is verified',
    (kind) => {
      for (const side of ['client', 'server'] as const) {
        const world = makeWorld(kind);
        const sessions = new MemoryStore({ now: () => epoch });
        const pair = makePair(world.client({ sessions }), world.server());
        pumpThrough(pair, passing, breakingFinished(side));
        expect(outcome(pair)).toBe(`${side === 'client' ? 'server' : 'client'}: bad_record_mac`);
        expect(pair.client.events.map(({ type }) => type)).toEqual(['close']);
        expect(sessions.statistics().entries).toBe(0);
        // The server has verified the client's Finished before it stores; that its own does not arrive, the alert tells it.
        expect(world.store.statistics().entries).toBe(0);
      }
    },
  );
});

describe('the ticket extension', () => {
  const ticketIn = (pair: Pair) => findExtension(clientHelloOf(pair).extensions, 'session_ticket');

  it('R5077-3.2-1 is empty in the hello of a client that has no ticket and wants one', () => {
    const world = makeWorld('ticket');
    expect(ticketIn(connectSync(world.client(), world.server()))).toEqual(ascii(''));
  });

  it('R5077-3.2-2 is left out by a client that wants none, also where it has one', () => {
    const world = makeWorld('ticket');
    const session = sessionOf(connectSync(world.client(), world.server()));
    for (const client of [world.client({ tickets: false }), world.client({ tickets: false, session })])
      expect(ticketIn(connectSync(client, world.server()))).toBeUndefined();
  });

  it('R5077-3.4-1 R5077-3.2-3 a server that will issue a ticket says so, and gives no session ID', () => {
    const world = makeWorld('ticket');
    const server = world.server({ sessions: world.store });
    const issuing = serverHelloOf(connectSync(world.client(), server));
    expect(typesOf(issuing)).toContain('session_ticket');
    expect(issuing.legacySessionIdEcho.length).toBe(0);
    expect(world.store.statistics().entries).toBe(0);
    const other = serverHelloOf(connectSync(world.client({ tickets: false }), server));
    expect(typesOf(other)).not.toContain('session_ticket');
    expect(other.legacySessionIdEcho.length).toBe(32);
  });

  it('R5077-3.4-6 a client puts a fresh session ID of 32 bytes beside every ticket', () => {
    const world = makeWorld('ticket');
    const server = world.server();
    const session = sessionOf(connectSync(world.client(), server));
    const ids = [1, 2, 3].map(() => clientHelloOf(connectSync(world.client({ session }), server)).legacySessionId);
    expect(ids.map(({ length }) => length)).toEqual([32, 32, 32]);
    expect(new Set(ids.map(toHex)).size).toBe(3);
  });

  it('R5077-3.3-3 no ticket is sealed, let alone sent, before the Finished of the client is verified', () => {
    const world = makeWorld('ticket');
    const pair = makePair(world.client(), world.server());
    pumpThrough(pair, passing, breakingFinished('client'));
    expect(outcome(pair)).toBe('server: bad_record_mac');
    expect(serverFlight(pair)).not.toContain('new_session_ticket');
    expect(world.ring.status().map(({ sealed }) => sealed)).toEqual([0]);
  });

  it('R5077-3.2-6 a ticket that was accepted before the handshake failed is not offered again', () => {
    const world = makeWorld('ticket');
    const server = world.server();
    const sessions = new MemoryStore({ now: () => epoch });
    const client = world.client({ sessions });
    expect(outcome(connectSync(client, server))).toBe('full: not_offered');
    const failing = pumpThrough(makePair(client, server), passing, breakingFinished('server'));
    expect(outcome(failing)).toBe('client: bad_record_mac');
    expect(outcome(connectSync(client, server))).toBe('full: not_offered');
  });

  it('R5077-3.3-6 R5077-3.3-7 a renewed ticket that may not have arrived does not replace the old one', () => {
    const world = makeWorld('ticket');
    const server = world.server({ renewTickets: 'always' });
    const session = sessionOf(connectSync(world.client(), server));
    const lost = pumpThrough(makePair(world.client({ session }), server), passing, breakingFinished('server'));
    expect(serverFlight(lost)).toContain('new_session_ticket');
    expect(server.counters.renewed).toBe(0);
    const again = connectSync(world.client({ session }), server);
    expect([outcome(again), server.counters.renewed]).toEqual(['ticket', 1]);
    expect(toHex(sessionOf(again).ticket ?? ascii(''))).not.toBe(toHex(session.ticket ?? ascii('')));
  });

  it('R5077-5.1-1 a ticket that does not verify invalidates nothing', () => {
    const world = makeWorld('ticket');
    const server = world.server();
    const session = sessionOf(connectSync(world.client(), server));
    const forged = { ...session, ticket: (session.ticket ?? ascii('')).map((byte, i) => (i > 40 ? byte ^ 1 : byte)) };
    expect(outcome(connectSync(shameless(world.client(), forged), server))).toBe('full: bad_mac');
    expect(outcome(connectSync(world.client({ session }), server))).toBe('ticket');
  });

  it('R9325-3.4-1 neither the secret nor the name stands in a ticket', () => {
    const world = makeWorld('ticket');
    const { ticket, masterSecret, serverName } = tls12Session(sessionOf(connectSync(world.client(), world.server())));
    const text = toHex(ticket ?? ascii(''));
    expect(text.length).toBeGreaterThan(200);
    for (const secret of [masterSecret.subarray(0, 8), masterSecret.subarray(40), ascii(serverName ?? '?')])
      expect(text).not.toContain(toHex(secret));
  });
});

describe.each(tls12Kinds)('hellos of a resumption (%s)', (kind) => {
  const world = makeWorld(kind);
  const server = world.server({ alpnProtocols: ['h2'] });
  const full = connectSync(world.client({ alpnProtocols: ['h2'] }), server);
  const resumed = offer(full, world.client({ alpnProtocols: ['h2'] }), server);

  it('R6066-1.1-1 R6066-3-3 the client sends the extensions of a full handshake', () => {
    expect(outcome(resumed)).toBe(kind);
    expect(typesOf(clientHelloOf(resumed))).toEqual(typesOf(clientHelloOf(full)));
    expect(findExtension(clientHelloOf(resumed).extensions, 'server_name')).toEqual(
      findExtension(clientHelloOf(full).extensions, 'server_name'),
    );
  });

  it('R6066-1.1-2 R6066-3-5 R7627-5.2-2 R9325-3.5-1 the server answers all but the name', () => {
    const answered = typesOf(serverHelloOf(full)).filter((type) => type !== 'server_name' && type !== 'session_ticket');
    expect(typesOf(serverHelloOf(full))).toContain('server_name');
    expect(typesOf(serverHelloOf(resumed))).toEqual(answered);
    expect(answered).toContain('extended_master_secret');
  });

  it('R8446-4.1.3-7 R5246-7.4.1.3-5 randoms are new', () => {
    const randoms = [full, resumed].flatMap((pair) => [clientHelloOf(pair).random, serverHelloOf(pair).random]);
    expect(new Set(randoms.map(toHex)).size).toBe(4);
  });

  it('R7301-3.2-2 the protocol that is told is the one that was selected', () => {
    for (const pair of [full, resumed]) {
      expect(findExtension(serverHelloOf(pair).extensions, 'application_layer_protocol_negotiation')).toEqual([
        ascii('h2'),
      ]);
      expect(theEvent(pair.server, 'handshake').alpnProtocol).toBe('h2');
    }
  });
});

describe('a client judges the answer', () => {
  const cases: [string, string, (hello: ServerHello) => ServerHello][] = [
    [
      'R8446-4.1.3-2 a suite that was not offered',
      'illegal_parameter',
      (hello) => ({ ...hello, cipherSuite: 'TLS_RSA_WITH_AES_128_CBC_SHA' }),
    ],
    ['R8701-3.1-1 a GREASE suite', 'illegal_parameter', (hello) => ({ ...hello, cipherSuite: 0x1a1a })],
    [
      'R8446-D.1-2 a version that was not offered',
      'protocol_version',
      (hello) => ({ ...hello, legacyVersion: 'TLSv1.1' }),
    ],
    ['R8701-3.1-1 R8446-D.1-2 a GREASE version', 'protocol_version', (hello) => ({ ...hello, legacyVersion: 0x3a3a })],
    [
      'R8446-4.2-1 R8701-3.1-1 a GREASE extension',
      'unsupported_extension',
      (hello) => ({ ...hello, extensions: [...(hello.extensions ?? []), { type: 0x2a2a, data: ascii('') }] }),
    ],
    [
      'R8446-4.2-2 an extension that was offered and does not belong here',
      'illegal_parameter',
      (hello) => ({
        ...hello,
        extensions: [...(hello.extensions ?? []), { type: 'signature_algorithms', data: ascii('') }],
      }),
    ],
    [
      'R9325-3.8-1 R8701-3.1-1 a protocol that was not offered',
      'illegal_parameter',
      (hello) => ({
        ...hello,
        extensions: [
          ...without(hello.extensions, 'application_layer_protocol_negotiation'),
          { type: 'application_layer_protocol_negotiation', data: [ascii('\u000a\u000a')] },
        ],
      }),
    ],
  ];

  it.each(cases)('%s: %s', (_title, alert, rewrite) => {
    const world = makeWorld('session_id');
    const pair = makePair(world.client({ alpnProtocols: ['h2'] }), world.server({ alpnProtocols: ['h2'] }));
    expect(outcome(pumpThrough(pair, rewritingServerHello(rewrite)))).toBe(`client: ${alert}`);
  });

  it('R8701-3.1-1 a GREASE group: illegal_parameter', () => {
    const world = makeWorld('session_id');
    const pair = pumpThrough(makePair(world.client(), world.server()), (item) => {
      const message = messageIn(item);
      if (message?.type !== 'server_key_exchange') return [item];
      const params = { ...message.body.params, namedCurve: 0x4a4a };
      return [handshakeItem({ ...message, body: { ...message.body, params } })];
    });
    expect(outcome(pair)).toBe('client: illegal_parameter');
  });

  it.each(tls12Kinds)('R5246-F.1.4-1 %s: a session whose chain has expired meanwhile is not offered', (kind) => {
    const world = makeWorld(kind);
    const server = world.server();
    const session = sessionOf(connectSync(world.client(), server));
    const expired = { accepted: false, alert: 'certificate_expired', reason: 'expired' } as const;
    const pair = connectSync(world.client({ session, verifyCertificate: () => expired }), server);
    expect(clientHelloOf(pair).legacySessionId.length).toBe(0);
    expect(outcome(pair)).toBe('client: certificate_expired');
  });

  it('R9846-C.4-1 R8446-C.4-1 connections of different contexts do not find each other’s sessions', () => {
    const world = makeWorld('ticket');
    const server = world.server();
    const sessions = new MemoryStore({ now: () => epoch });
    const visitor = (context: string) => world.client({ sessions, applicationContext: ascii(context) });
    connectSync(visitor('site a'), server);
    expect(outcome(connectSync(visitor('site b'), server))).toBe('full: not_offered');
    expect(outcome(connectSync(visitor('site a'), server))).toBe('ticket');
  });
});

describe('versions in a ClientHello', () => {
  type Rewrite = (hello: ClientHello) => ClientHello;
  const offering =
    (
      legacyVersion: ClientHello['legacyVersion'],
      ...versions: ('TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | number)[]
    ): Rewrite =>
    (hello) => ({
      ...hello,
      legacyVersion,
      extensions: [
        ...(hello.extensions ?? []),
        ...(versions.length === 0 ? [] : [{ type: 'supported_versions', data: versions } as const]),
      ],
    });

  it.each<[string, Rewrite, string]>([
    ['R8446-4.2.1-1 the list alone decides: 1.2 in it, 1.0 beside it', offering('TLSv1.0', 'TLSv1.2'), 'server_hello'],
    [
      'R8446-4.2.1-1 unknown versions in it are skipped',
      offering('TLSv1.2', 0x7a7a, 0x0305, 'TLSv1.2'),
      'server_hello',
    ],
    ['R8446-4.2.1-1 the list alone decides: 1.2 not in it', offering('TLSv1.2', 0x7a7a, 'TLSv1.1'), 'alert'],
    ['R8446-4.2.1-1 without a list legacy_version does', offering('TLSv1.2'), 'server_hello'],
    ['R9325-3.1.1-1 TLS 1.1 is none of ours', offering('TLSv1.1'), 'alert'],
  ])('%s', (_title, rewrite, answer) => {
    const world = makeWorld('session_id');
    const pair = pumpThrough(makePair(world.client(), world.server()), rewritingClientHello(rewrite));
    expect(clearItems(pair, 'server').map(nameOf)[0]).toBe(answer);
    if (answer === 'alert') expect(pair.server.events).toMatchObject([{ error: { alert: 'protocol_version' } }]);
  });
});
