/** HelloRetryRequest and the second ClientHello (RFC 8446 4.1.2, 4.1.4, 4.2.2, 4.2.8, 4.4.1). */
import { describe, expect, it } from 'vitest';
import { ascii, empty, toHex } from '../../src/bytes.js';
import { encodeHandshake } from '../../src/messages/handshake.js';
import {
  findExtension,
  helloRetryRequestRandom,
  type ClientHello,
  type HelloRetryRequest,
} from '../../src/messages/index.js';
import { eventsOf, makePair, pump, theEvent } from '../support/connections.js';
import { boundHello } from '../support/attack-rig-tls13.js';
import {
  binderKeyOf,
  clientMeets,
  listening,
  outcome,
  saying,
  secondClientHello,
  serverMeets,
  serverPair,
  typesOf,
  withExtensions,
  withoutExtensions,
} from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();
/** The client sends a share of secp256r1, and the server knows x25519 alone. */
const retrying = { groups: ['secp256r1', 'x25519', 'secp384r1'], keyShareGroups: ['secp256r1'] } as const;
const client = world.client({
  ...retrying,
  alpnProtocols: ['h2'],
  ticketRequest: { newSessionCount: 3, resumptionCount: 1 },
});
const server = world.server({ groups: ['x25519'] });

/** An honest retry, message by message. */
function honest(from = client, to = server) {
  const hello = listening('client_hello');
  const retry = listening('hello_retry_request');
  const serverHello = listening('server_hello');
  const pair = serverPair(from, to, hello.says);
  expect(outcome(pump(pair))).toMatch(/^(full: |psk_dhe_ke)/);
  expect(clientMeets(from, to, (message, hs) => (retry.says(message, hs), serverHello.says(message, hs)))).toMatch(
    /^(full: |psk_dhe_ke)/,
  );
  const [first, second] = hello.heard;
  const [request] = retry.heard;
  const [answer] = serverHello.heard;
  if (!first || !second || !request || !answer) throw new Error('no retry');
  return { pair, first, second, request, answer };
}

describe('an honest retry', () => {
  it('R8446-4.1.2-1 changes nothing of the ClientHello but its key share, and adds the cookie', () => {
    const cookie = ascii('cookie');
    const { first, second } = honest(client, world.server({ groups: ['x25519'], retryCookie: () => cookie }));
    expect(findExtension(second.extensions, 'cookie')).toEqual(cookie);
    expect(findExtension(second.extensions, 'key_share')?.map(({ group }) => group)).toEqual(['x25519']);
    const rest = (hello: ClientHello) =>
      toHex(
        encodeHandshake('TLSv1.3', {
          type: 'client_hello',
          body: withoutExtensions<ClientHello>('cookie', 'key_share')(hello),
        }),
      );
    expect(rest(second)).toBe(rest(first));
  });

  it('R8446-4.1.2-1 with a cookie alone keeps the key share', () => {
    const { first, second, request } = honest(
      world.client({ groups: ['x25519'] }),
      world.server({ groups: ['x25519'], retryCookie: () => ascii('cookie') }),
    );
    expect(typesOf(request)).toEqual(['cookie', 'supported_versions']);
    expect(findExtension(second.extensions, 'key_share')).toEqual(findExtension(first.extensions, 'key_share'));
  });

  it('R8446-4.2.2-2 the first ClientHello has no cookie', () => {
    expect(typesOf(honest().first)).not.toContain('cookie');
  });

  it('R8446-4.1.4-1 R8446-4.1.4-5 the request says version and group, and its suite stays', () => {
    const { request, answer } = honest();
    expect(typesOf(request)).toEqual(['key_share', 'supported_versions']);
    expect(findExtension(request.extensions, 'key_share')).toBe('x25519');
    expect(findExtension(request.extensions, 'supported_versions')).toBe('TLSv1.3');
    expect(answer.cipherSuite).toBe(request.cipherSuite);
  });

  it('R9149-3-6 keeps ticket_request and its values; a server refuses other ones', () => {
    const { first, second } = honest();
    const counts = { newSessionCount: 3, resumptionCount: 1 };
    for (const hello of [first, second]) expect(findExtension(hello.extensions, 'ticket_request')).toEqual(counts);
    const other = secondClientHello(
      withExtensions({ type: 'ticket_request', data: { ...counts, newSessionCount: 4 } }),
    );
    expect(serverMeets(client, server, other)).toBe('server: illegal_parameter');
    expect(serverMeets(client, server, secondClientHello(withoutExtensions('ticket_request')))).toBe(
      'server: illegal_parameter',
    );
  });

  it('is told to both sides', () => {
    const pair = pump(makePair(client, server));
    for (const end of [pair.client, pair.server])
      expect(theEvent(end, 'handshake')).toMatchObject({ helloRetryRequest: true, group: 'x25519' });
  });
});

describe('R8446-4.1.2-1 a server refuses a second ClientHello', () => {
  it.each<[string, (body: ClientHello) => ClientHello]>([
    ['with another random', (body) => ({ ...body, random: new Uint8Array(32) })],
    ['with another session ID', (body) => ({ ...body, legacySessionId: empty })],
    ['with other cipher suites', (body) => ({ ...body, cipherSuites: body.cipherSuites.slice(0, 1) })],
    [
      'with another server name',
      withExtensions({ type: 'server_name', data: [{ nameType: 'host_name', name: ascii('b') }] }),
    ],
    ['without ALPN', withoutExtensions('application_layer_protocol_negotiation')],
    ['with an extension more', withExtensions({ type: 'post_handshake_auth', data: {} })],
    ['with a cookie that nobody sent', withExtensions({ type: 'cookie', data: ascii('cookie') })],
    ['without the key share asked for', withExtensions({ type: 'key_share', data: [] })],
  ])('%s: illegal_parameter', (_what, change) => {
    expect(serverMeets(client, server, secondClientHello(change))).toBe('server: illegal_parameter');
  });

  it('R8446-4.2.10-3 but not for early_data, which is not read', () => {
    const session = world.session();
    const says = secondClientHello((body, hs) => {
      const last = body.extensions?.at(-1);
      if (last?.type !== 'pre_shared_key') throw new Error('no PSK');
      const early = withExtensions<ClientHello>({ type: 'early_data', data: {} }, last)(body);
      return [boundHello(hs, early, [binderKeyOf(session)])];
    });
    const pair = serverPair(world.client({ ...retrying, session, earlyData: true }), server, says);
    expect(outcome(pump(pair), 'server')).toBe('psk_dhe_ke');
    expect(eventsOf(pair.server, 'early_data')).toEqual([
      { type: 'early_data', accepted: false, reason: 'hello_retry_request' },
    ]);
    expect(serverMeets(client, server, secondClientHello(withExtensions({ type: 'early_data', data: {} })))).toBe(
      'full: not_offered',
    );
  });

  it('R8446-4.1.2-1 without any PSK, though one was chosen: missing_extension', () => {
    const from = world.client({ ...retrying, session: world.session() });
    expect(serverMeets(from, server, secondClientHello(withoutExtensions('pre_shared_key')))).toBe(
      'server: missing_extension',
    );
  });

  it('R8446-4.1.2-1 with PSKs, and no longer the one that was chosen: illegal_parameter', () => {
    const [chosen, other] = [world.session(), world.session()];
    const says = secondClientHello((body, hs) => {
      const offered = findExtension(body.extensions, 'pre_shared_key')!;
      const data = { identities: offered.identities.slice(1), binders: offered.binders.slice(1) };
      const hello = withExtensions<ClientHello>({ type: 'pre_shared_key', data })(body);
      return [boundHello(hs, hello, [binderKeyOf(other)])];
    });
    const from = world.client({ ...retrying, session: [chosen, other] });
    expect(serverMeets(from, server, says)).toBe('server: illegal_parameter');
  });

  it('but not for PSKs that were refused before: they may go', () => {
    const strange = {
      ...world.session(),
      ticket: ascii('not of ours, but as long as a ticket has to be to be looked at'),
    };
    const from = world.client({ ...retrying, session: strange });
    expect(serverMeets(from, server, secondClientHello(withoutExtensions('pre_shared_key')))).toBe('full: malformed');
  });

  it('with another cookie, or without it: illegal_parameter', () => {
    const asking = world.server({ groups: ['x25519'], retryCookie: () => ascii('cookie') });
    const changed = secondClientHello(withExtensions({ type: 'cookie', data: ascii('kookie') }));
    expect(serverMeets(client, asking, changed)).toBe('server: illegal_parameter');
    expect(serverMeets(client, asking, secondClientHello(withoutExtensions('cookie')))).toBe(
      'server: illegal_parameter',
    );
  });

  it('but not for its padding', () => {
    const padded = secondClientHello(withExtensions({ type: 'padding', data: new Uint8Array(17) }));
    expect(serverMeets(client, server, padded)).toBe('full: not_offered');
  });

  it('that is none at all: unexpected_message', () => {
    const instead = secondClientHello(() => [{ type: 'finished', body: { verifyData: new Uint8Array(32) } }]);
    expect(serverMeets(client, server, instead)).toBe('server: unexpected_message');
  });
});

describe('a client refuses a HelloRetryRequest', () => {
  const refused = (change: (body: HelloRetryRequest) => HelloRetryRequest) =>
    clientMeets(client, server, saying('hello_retry_request', change));

  it('R8446-4.1.4-2 that would change nothing: illegal_parameter', () => {
    expect(refused(withoutExtensions('key_share'))).toBe('client: illegal_parameter');
  });

  it.each<[string, (body: HelloRetryRequest) => HelloRetryRequest]>([
    ['another legacy_version', (body) => ({ ...body, legacyVersion: 'TLSv1.1' })],
    ['another session ID', (body) => ({ ...body, legacySessionIdEcho: empty })],
    ['a suite that was not offered', (body) => ({ ...body, cipherSuite: 'TLS_AES_128_CCM_SHA256' })],
    ['a suite of TLS 1.2', (body) => ({ ...body, cipherSuite: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' })],
    ['another version', withExtensions({ type: 'supported_versions', data: 'TLSv1.2' })],
  ])('R8446-4.1.4-4 with %s: illegal_parameter', (_what, change) => {
    expect(refused(change)).toBe('client: illegal_parameter');
  });

  it('R8446-4.1.4-4 with a compression method: decode_error', () => {
    const says = saying('hello_retry_request', (body) => {
      const bytes = encodeHandshake('TLSv1.3', { type: 'hello_retry_request', body });
      // After type and length, version, random, session ID and suite.
      bytes[4 + 2 + 32 + 1 + body.legacySessionIdEcho.length + 2] = 1;
      return [bytes];
    });
    expect(clientMeets(client, server, says)).toBe('client: decode_error');
  });

  it('R8446-4.1.4-1 without supported_versions: missing_extension', () => {
    expect(refused(withoutExtensions('supported_versions'))).toBe('client: missing_extension');
  });

  it('R8446-4.1.4-1 with an extension that was not offered: unsupported_extension', () => {
    expect(refused(withExtensions({ type: 0x7a7a, data: empty }))).toBe('client: unsupported_extension');
  });

  it('with one that has its place elsewhere: illegal_parameter', () => {
    expect(refused(withExtensions({ type: 'server_name', data: empty }))).toBe('client: illegal_parameter');
  });

  it.each([
    ['was not in supported_groups', 'secp521r1'],
    ['is GREASE', 0x1a1a],
    ['has a share already', 'secp256r1'],
  ] as const)('R8446-4.2.8-1 for a group that %s: illegal_parameter', (_what, data) => {
    expect(refused(withExtensions({ type: 'key_share', data }))).toBe('client: illegal_parameter');
  });

  it('R8446-4.1.4-3 that is the second one: unexpected_message', () => {
    const again = saying('server_hello', ({ cipherSuite, legacySessionIdEcho }) => [
      {
        type: 'hello_retry_request',
        body: {
          legacyVersion: 'TLSv1.2',
          random: helloRetryRequestRandom,
          legacySessionIdEcho,
          cipherSuite,
          legacyCompressionMethod: 0,
          extensions: [
            { type: 'key_share', data: 'secp384r1' },
            { type: 'supported_versions', data: 'TLSv1.3' },
          ],
        },
      },
    ]);
    expect(clientMeets(client, server, again)).toBe('client: unexpected_message');
  });
});

describe('a client refuses a ServerHello after it', () => {
  const suites = { cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'] } as const;

  it('R8446-4.1.4-6 with another cipher suite: illegal_parameter', () => {
    const says = saying('server_hello', (body) => ({ ...body, cipherSuite: 'TLS_CHACHA20_POLY1305_SHA256' }));
    const offering = world.client({ ...retrying, ...suites });
    expect(clientMeets(offering, server, says)).toBe('client: illegal_parameter');
  });

  it('R8446-4.1.4-7 of another version, or without one: illegal_parameter', () => {
    const both = world.client({ ...retrying, minVersion: 'TLSv1.2' });
    const without = saying('server_hello', withoutExtensions('supported_versions'));
    expect(clientMeets(both, server, without)).toBe('client: illegal_parameter');
    const older = saying('server_hello', withExtensions({ type: 'supported_versions', data: 'TLSv1.2' }));
    expect(clientMeets(both, server, older)).toBe('client: illegal_parameter');
  });

  it('R8446-4.2.8-2 with another group than was asked for: illegal_parameter', () => {
    const keyExchange = new Uint8Array(65).fill(4);
    for (const group of ['secp256r1', 'secp384r1', 'ffdhe2048'] as const) {
      const says = saying('server_hello', withExtensions({ type: 'key_share', data: { group, keyExchange } }));
      expect(clientMeets(client, server, says)).toBe('client: illegal_parameter');
    }
  });
});

it('R8446-4.2.8-2 without a retry: a group that no share was sent for is illegal_parameter', () => {
  const data = { group: 'secp384r1', keyExchange: new Uint8Array(97).fill(4) } as const;
  const says = saying('server_hello', withExtensions({ type: 'key_share', data }));
  expect(clientMeets(world.client({ groups: ['x25519', 'secp384r1'] }), server, says)).toBe(
    'client: illegal_parameter',
  );
});

describe('PSKs after a HelloRetryRequest', () => {
  const sha384 = { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } as const;
  const sha256 = { cipherSuites: ['TLS_AES_128_GCM_SHA256'] } as const;

  it('R9846-4.3.11.2-1 binders of both hellos have the hash of the PSK, message_hash that of the connection', () => {
    const session = world.session(sha384, sha384);
    // The client likes SHA-256 better: nothing but the PSK speaks for SHA-384.
    const from = world.client({
      ...retrying,
      session,
      cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
    });
    const { first, second, answer } = honest(from, server);
    for (const hello of [first, second])
      expect(findExtension(hello.extensions, 'pre_shared_key')?.binders.map(({ length }) => length)).toEqual([48]);
    expect(findExtension(answer.extensions, 'pre_shared_key')).toBe(0);
    expect(answer.cipherSuite).toBe('TLS_AES_256_GCM_SHA384');
  });

  it('R8446-4.1.4-8 those of another hash are left out', () => {
    const session = [world.session(sha384, sha384), world.session(sha256, sha256)];
    const from = world.client({
      ...retrying,
      session,
      cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
    });
    const { first, second, answer } = honest(from, world.server({ groups: ['x25519'], ...sha256 }));
    const binders = (hello: ClientHello) =>
      findExtension(hello.extensions, 'pre_shared_key')?.binders.map(({ length }) => length);
    expect([binders(first), binders(second)]).toEqual([[48, 32], [32]]);
    expect(findExtension(answer.extensions, 'pre_shared_key')).toBe(0);
  });

  it('R8446-4.1.2-1 ages and binders are new, identities the same', () => {
    const session = world.session();
    const from = world.client({ ...retrying, session });
    const { heard, says } = listening('client_hello');
    const pair = serverPair(from, server, says);
    pair.server.connection.receive(pair.client.connection.takeOutput());
    world.clock.time += 250;
    pair.client.connection.receive(pair.server.connection.takeOutput());
    expect(outcome(pump(pair))).toBe('psk_dhe_ke');
    const offered = heard.map((hello) => findExtension(hello.extensions, 'pre_shared_key')!);
    const [first, second] = offered;
    expect(second!.identities[0]!.identity).toEqual(first!.identities[0]!.identity);
    const age = second!.identities[0]!.obfuscatedTicketAge - first!.identities[0]!.obfuscatedTicketAge;
    expect((age + 2 ** 32) % 2 ** 32).toBe(250);
    expect(toHex(second!.binders[0]!)).not.toBe(toHex(first!.binders[0]!));
  });

  it('R8446-4.2.10-3 the second hello offers no early data, though the first did', () => {
    const session = world.session();
    const { first, second, pair } = honest(world.client({ ...retrying, session, earlyData: true }), server);
    expect([typesOf(first).includes('early_data'), typesOf(second).includes('early_data')]).toEqual([true, false]);
    expect(theEvent(pair.client, 'early_data')).toMatchObject({ accepted: false, reason: 'hello_retry_request' });
  });
});

describe('retryForPreferredGroup', () => {
  const preferring = { groups: ['x25519', 'secp256r1'] } as const;
  const met = (ofServer: { retryForPreferredGroup?: boolean }, keyShareGroups: readonly ['secp256r1', 'x25519'?]) => {
    const groups = keyShareGroups.flatMap((group) => group ?? []);
    const pair = pump(
      makePair(world.client({ ...retrying, keyShareGroups: groups }), world.server({ ...preferring, ...ofServer })),
    );
    const { group, helloRetryRequest } = theEvent(pair.server, 'handshake');
    return { group, helloRetryRequest };
  };

  it('is off: the share that came along is taken', () => {
    expect(met({}, ['secp256r1'])).toEqual({ group: 'secp256r1', helloRetryRequest: false });
  });

  it('RFC 8446 4.1.4: asks for the group that the server likes best, where its share did not come along', () => {
    const on = { retryForPreferredGroup: true };
    expect(met(on, ['secp256r1'])).toEqual({ group: 'x25519', helloRetryRequest: true });
    expect(met(on, ['secp256r1', 'x25519'])).toEqual({ group: 'x25519', helloRetryRequest: false });
  });
});

it('a retry takes one round trip more', () => {
  const pair = pump(makePair(client, server));
  expect(pair.segments.map(({ from }) => from).join(' ')).toBe('client server client server client server');
});
