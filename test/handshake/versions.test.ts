/** Which version comes about, and what keeps an attacker from choosing it (RFC 8446 4.1.2, 4.1.3, 4.2.1, D). */
import { describe, expect, it } from 'vitest';
import { alertDescriptions } from '../../src/alert.js';
import { ascii, concat, empty, toHex } from '../../src/bytes.js';
import { clientConnection } from '../../src/connection/connection.js';
import { decodeHandshake, encodeHandshake } from '../../src/messages/handshake.js';
import { findExtension } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { Session } from '../../src/sessions/session.js';
import {
  drain,
  epoch,
  eventsOf,
  makeEnd,
  makePair,
  pump,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
  tls13Client,
  tls13Server,
} from '../support/connections.js';
import { makeWorld13 } from '../support/world-tls13.js';
import {
  clientMeets,
  feed,
  helloOf,
  listening,
  outcome,
  saying,
  serverMeets,
  serverPair,
  typesOf,
  withExtensions,
  withoutExtensions,
} from '../support/tls13-rules.js';

const both = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

describe('the ClientHello', () => {
  it('R8446-4.1.2-3 says 3.3, and what it really speaks in supported_versions', () => {
    const hello = helloOf(testClient('node', 'both', both));
    expect(hello.legacyVersion).toBe('TLSv1.2');
    expect(findExtension(hello.extensions, 'supported_versions')).toEqual(['TLSv1.3', 'TLSv1.2']);
    const new13 = helloOf(tls13Client('node', 'new'));
    expect(new13.legacyVersion).toBe('TLSv1.2');
    expect(findExtension(new13.extensions, 'supported_versions')).toEqual(['TLSv1.3']);
  });

  it('R8446-4.1.2-5 has 32 fresh bytes for a session ID in compatibility mode, and none otherwise', () => {
    const settings = tls13Client('node', 'compatible');
    const ids = [helloOf(settings), helloOf(settings)].map(({ legacySessionId }) => legacySessionId);
    expect(ids.map(({ length }) => length)).toEqual([32, 32]);
    expect(toHex(ids[0]!)).not.toBe(toHex(ids[1]!));
    const plain = helloOf(tls13Client('node', 'plain', { middleboxCompatibility: false }));
    expect(plain.legacySessionId).toEqual(empty);
  });

  it('R8446-4.1.2-4 R8446-4.1.2-5 has the session ID of a TLS 1.2 session that it holds', () => {
    const store = new MemoryStore({ now: () => epoch });
    const first = pump(
      makePair(testClient('node', 'a', { tickets: false }), testServer('node', 'a', { sessions: store })),
    );
    const { session } = theEvent(first.client, 'session');
    const hello = helloOf(testClient('node', 'b', { ...both, tickets: false, session }));
    expect(session.version === 'TLSv1.2' && session.sessionId).toEqual(hello.legacySessionId);
    expect(hello.legacySessionId.length).toBe(32);
  });
});

describe('R8446-D.1-1 a client that resumes', () => {
  const { sealer } = ticketSealer('node', 'versions');
  const sessionFrom = (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Session => {
    const pair = pump(
      makePair(testClient('node', 'x', { ...both, maxVersion }), testServer('node', 'x', { ...both, tickets: sealer })),
    );
    return eventsOf(pair.client, 'session')[0]!.session;
  };

  it('offers the version of its session, and newer ones', () => {
    const session = sessionFrom('TLSv1.2');
    const client = testClient('node', 'y', { ...both, session });
    expect(findExtension(helloOf(client).extensions, 'supported_versions')).toEqual(['TLSv1.3', 'TLSv1.2']);
    expect(outcome(pump(makePair(client, testServer('node', 'y', { tickets: sealer }))))).toBe('ticket');
  });

  it('by a ticket of TLS 1.3, and does not where TLS 1.3 is off', () => {
    const session = sessionFrom('TLSv1.3');
    const server = testServer('node', 'y', { ...both, tickets: sealer });
    expect(outcome(pump(makePair(testClient('node', 'y', { ...both, session }), server)))).toBe('psk_dhe_ke');
    expect(typesOf(helloOf(testClient('node', 'z', { session })))).not.toContain('pre_shared_key');
    expect(outcome(pump(makePair(testClient('node', 'z', { session }), server)))).toBe('full: not_offered');
  });
});

describe('downgrades', () => {
  const { sealer } = ticketSealer('node', 'downgrades');
  const server = testServer('node', 'new', { ...both, tickets: sealer });
  /** As a man in the middle leaves a ClientHello. */
  const shapeClientHello: NonNullable<Parameters<typeof testClient>[2]>['shapeClientHello'] = (extensions) =>
    extensions.filter(({ type }) => type !== 'supported_versions');
  const randomOf = (pair: ReturnType<typeof makePair>) => pair.segments[1]!.bytes.subarray(5 + 4 + 2, 5 + 4 + 2 + 32);

  it('R8446-4.1.3-3 a server of TLS 1.3 marks its random where it settles on TLS 1.2, resumptions included', () => {
    const first = pump(makePair(testClient('node', 'old'), server));
    const { session } = theEvent(first.client, 'session');
    const resumed = pump(makePair(testClient('node', 'old again', { session }), server));
    expect([outcome(first), outcome(resumed)]).toEqual(['full: not_offered', 'ticket']);
    for (const pair of [first, resumed]) expect(toHex(randomOf(pair).subarray(24))).toBe('444f574e47524401');
    const old = pump(makePair(testClient('node', 'old'), testServer('node', 'old')));
    expect(toHex(randomOf(old).subarray(24))).not.toContain('444f574e475244');
  });

  it('R8446-4.1.3-4 a client of TLS 1.3 refuses the mark, resumptions included', () => {
    const client = testClient('node', 'new', { ...both, shapeClientHello });
    expect(outcome(pump(makePair(client, server)))).toBe('client: illegal_parameter');
    const { session } = theEvent(pump(makePair(testClient('node', 'old'), server)).client, 'session');
    const resuming = testClient('node', 'resuming', { ...both, shapeClientHello, session });
    expect(outcome(pump(makePair(resuming, server)))).toBe('client: illegal_parameter');
  });

  it('R8446-4.1.3-4 refuses the mark of TLS 1.1 and below as well', () => {
    const marked = { ...server.crypto, randomBytes: () => new Uint8Array(32) };
    const old = testServer('node', 'old', { crypto: { ...marked, randomBytes: (length) => mark(length) } });
    expect(outcome(pump(makePair(testClient('node', 'new', both), old)))).toBe('client: illegal_parameter');
    function mark(length: number): Uint8Array {
      const random = new Uint8Array(length).fill(7);
      if (length === 32) random.set(ascii('DOWNGRD\0'), 24);
      return random;
    }
  });

  it('a client that wants nothing below TLS 1.3 says protocol_version', () => {
    const says = saying('server_hello', withoutExtensions('supported_versions'));
    expect(clientMeets(tls13Client('node', 'new'), server, says)).toBe('client: protocol_version');
  });

  it('RFC 7507 3: TLS_FALLBACK_SCSV where the server knows a newer version: inappropriate_fallback', () => {
    const says = saying('client_hello', (body) => ({
      ...body,
      cipherSuites: [...body.cipherSuites, 'TLS_FALLBACK_SCSV'],
    }));
    expect(serverMeets(testClient('node', 'fallen'), server, says)).toBe('server: inappropriate_fallback');
  });

  it('RFC 8446 D.4: TLS 1.2 with the session ID that was made up for middleboxes: illegal_parameter', () => {
    const client = makeEnd((own) => clientConnection(testClient('node', 'made up', both), own), 'sync');
    const hello = decodeHandshake('TLSv1.2', drain(client).subarray(5));
    if (hello.type !== 'client_hello') throw new Error('a client speaks first');
    const { legacySessionId } = hello.body;
    expect(legacySessionId).toHaveLength(32);
    const answer = encodeHandshake('TLSv1.2', {
      type: 'server_hello',
      body: {
        legacyVersion: 'TLSv1.2',
        random: new Uint8Array(32),
        legacySessionIdEcho: legacySessionId,
        cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
        legacyCompressionMethod: 0,
        extensions: [],
      },
    });
    feed(client, concat(Uint8Array.of(22, 3, 3, 0, answer.length), answer));
    expect(theEvent(client, 'close').error).toMatchObject({
      alert: 'illegal_parameter',
      message: 'got a session ID of ours that belongs to no session',
    });
  });
});

describe('what a ServerHello may say', () => {
  const client = tls13Client('node', 'client');
  const server = tls13Server('node', 'server');

  it.each([['TLSv1.2'], ['TLSv1.1'], [0x7a7a], [0x0305]] as const)(
    'R8446-4.2.1-2 selected_version %s is illegal_parameter',
    (data) => {
      const says = saying('server_hello', withExtensions({ type: 'supported_versions', data }));
      expect(clientMeets(client, server, says)).toBe('client: illegal_parameter');
      expect(clientMeets(testClient('node', 'both', both), server, says)).toBe('client: illegal_parameter');
    },
  );

  it('R8446-4.1.3-1 another session ID than was sent is illegal_parameter', () => {
    for (const legacySessionIdEcho of [empty, new Uint8Array(32)]) {
      const says = saying('server_hello', (body) => ({ ...body, legacySessionIdEcho }));
      expect(clientMeets(client, server, says)).toBe('client: illegal_parameter');
    }
    const without = tls13Client('node', 'plain', { middleboxCompatibility: false });
    const says = saying('server_hello', (body) => ({ ...body, legacySessionIdEcho: new Uint8Array(32) }));
    expect(clientMeets(without, server, says)).toBe('client: illegal_parameter');
  });

  it('legacy_version is 3.3, and compression is null', () => {
    const version = saying('server_hello', (body) => ({ ...body, legacyVersion: 'TLSv1.3' }));
    expect(clientMeets(client, server, version)).toBe('client: illegal_parameter');
    const compression = saying('server_hello', (body) => ({ ...body, legacyCompressionMethod: 1 }));
    expect(clientMeets(client, server, compression)).toBe('client: illegal_parameter');
  });

  it('R8446-4.1.3-6 the server puts in what sets up keys and version, and nothing else', () => {
    const world = makeWorld13();
    const { heard, says } = listening('server_hello');
    const session = world.session();
    const options = { alpnProtocols: ['h2'], recordSizeLimit: 4000 };
    expect(clientMeets(world.client({ ...options, session }), world.server(options), says)).toBe('psk_dhe_ke');
    expect(clientMeets(world.client(options), world.server(options), says)).toBe('full: not_offered');
    expect(heard.map(typesOf)).toEqual([
      ['pre_shared_key', 'key_share', 'supported_versions'],
      ['key_share', 'supported_versions'],
    ]);
  });

  it('R8446-4.1.3-6 the client refuses everything else: illegal_parameter, or unsupported_extension if it did not ask', () => {
    const asking = tls13Client('node', 'asking', { alpnProtocols: ['h2'], recordSizeLimit: 4000 });
    const refused = (type: 'application_layer_protocol_negotiation' | 'record_size_limit', data: unknown) =>
      saying('server_hello', withExtensions({ type, data }));
    const alpn = refused('application_layer_protocol_negotiation', [ascii('h2')]);
    expect(clientMeets(asking, server, alpn)).toBe('client: illegal_parameter');
    expect(clientMeets(client, server, alpn)).toBe('client: unsupported_extension');
    expect(clientMeets(asking, server, refused('record_size_limit', 100))).toBe('client: illegal_parameter');
    const unknown = saying('server_hello', withExtensions({ type: 0x7a7a, data: empty }));
    expect(clientMeets(asking, server, unknown)).toBe('client: unsupported_extension');
  });
});

describe('what a ClientHello may say', () => {
  const client = tls13Client('node', 'client');
  const server = tls13Server('node', 'server');

  it.each([['0100'], ['01'], ['0001'], ['0000']])(
    'R8446-4.1.2-7 compression methods %s are illegal_parameter',
    (hex) => {
      const legacyCompressionMethods = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
      const says = saying('client_hello', (body) => ({ ...body, legacyCompressionMethods }));
      expect(serverMeets(client, server, says)).toBe('server: illegal_parameter');
    },
  );

  it('R8446-4.1.2-2 a second ClientHello is unexpected_message, in the handshake and after it', () => {
    const hello = helloOf(client);
    const twice = saying('client_hello', (body) => [
      { type: 'client_hello', body },
      { type: 'client_hello', body },
    ]);
    expect(serverMeets(client, server, twice)).toBe('server: unexpected_message');
    const instead = saying('finished', () => [{ type: 'client_hello', body: hello }]);
    expect(serverMeets(client, server, instead)).toBe('server: unexpected_message');
    const pair = serverPair(client, server);
    pump(pair);
    pair.client.hs.sendAfterHandshake({ type: 'client_hello', body: hello });
    expect(outcome(pump(pair))).toBe('server: unexpected_message');
  });
});

describe('early data to a server that has forgotten TLS 1.3', () => {
  const world = makeWorld13();
  const old = { ...both, maxVersion: 'TLSv1.2' } as const;

  it('R8446-D.3-1 R8446-D.3-2 is given up with protocol_version; without early data the same client goes on', () => {
    const session = world.session();
    const early = makePair(world.client({ ...both, session, earlyData: true }), world.server(old));
    early.client.connection.writeEarlyData(ascii('early'));
    pump(early);
    expect(outcome(early)).toBe('client: protocol_version');
    expect(outcome(early, 'server')).toBe('server: unexpected_message');
    const again = world.client({ ...both, session });
    expect(findExtension(helloOf(again).extensions, 'supported_versions')).toEqual(['TLSv1.3', 'TLSv1.2']);
    expect(outcome(pump(makePair(again, world.server(old))))).toBe('full: disabled');
  });
});

it('R9846-6.2-1 general_error has its number; what we send is more specific', () => {
  expect(alertDescriptions.general_error).toBe(117);
});
