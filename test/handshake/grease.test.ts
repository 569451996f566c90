/** GREASE (RFC 8701) in both roles, and ClientHellos whose extensions come in any order. */
import { describe, expect, it } from 'vitest';
import { ascii, empty, fromHex, toHex } from '../../src/bytes.js';
import type { ClientOptions } from '../../src/connection/options.js';
import { clientConnection } from '../../src/connection/connection.js';
import { findExtension, type ClientHello, type Extension, type ExtensionType } from '../../src/messages/index.js';
import { sessionsOf } from '../support/attack-rig-tls13.js';
import { outcome as outcomeTls12 } from '../support/attack-rig.js';
import {
  connect,
  eventsOf,
  makeEnd,
  makePair,
  pump,
  testClient,
  testServer,
  theEvent,
  tls13Client,
  type Changes,
} from '../support/connections.js';
import { clientCredentials } from '../support/credentials.js';
import { changing, disguisedServer, type Disguise } from '../support/disguised.js';
import {
  clientMeets,
  clientPair,
  helloOf,
  listening,
  outcome,
  saying,
  serverMeets,
  serverPair,
  typesOf,
  withExtensions,
} from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();
const both = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
const full = 'full: not_offered';

/** RFC 8701 2. */
const reserved = Array.from({ length: 16 }, (_, n) => (n << 12) | 0x0a00 | (n << 4) | 0x0a);
const isReserved = (value: unknown): value is number => typeof value === 'number' && reserved.includes(value);
const reservedModes = [0x0b, 0x2a, 0x49, 0x68, 0x87, 0xa6, 0xc5, 0xe4];

/** What of a ClientHello is reserved, by the place where it stands. */
function greaseIn({ cipherSuites, extensions = [] }: ClientHello) {
  const shares = findExtension(extensions, 'key_share') ?? [];
  const protocols = findExtension(extensions, 'application_layer_protocol_negotiation') ?? [];
  return {
    cipherSuites: cipherSuites.filter(isReserved),
    groups: (findExtension(extensions, 'supported_groups') ?? []).filter(isReserved),
    keyShares: shares.flatMap(({ group }) => (isReserved(group) ? [group] : [])),
    versions: (findExtension(extensions, 'supported_versions') ?? []).filter(isReserved),
    signatureSchemes: (findExtension(extensions, 'signature_algorithms') ?? []).filter(isReserved),
    modes: (findExtension(extensions, 'psk_key_exchange_modes') ?? []).filter((mode) => typeof mode === 'number'),
    protocols: protocols.filter((name) => name.length === 2 && name[0] === name[1] && isReserved(name[0]! * 0x101)),
    extensions: extensions.filter(({ type }) => isReserved(type)),
  };
}

const lengths = (found: ReturnType<typeof greaseIn>) =>
  Object.fromEntries(Object.entries(found).map(([place, values]) => [place, values.length]));
const none = {
  cipherSuites: 0,
  groups: 0,
  keyShares: 0,
  versions: 0,
  signatureSchemes: 0,
  modes: 0,
  protocols: 0,
  extensions: 0,
};
const everywhere = {
  cipherSuites: 1,
  groups: 1,
  keyShares: 1,
  versions: 1,
  signatureSchemes: 1,
  modes: 1,
  protocols: 1,
  extensions: 2,
};

describe('a ClientHello', () => {
  const hello = (changes: Changes<ClientOptions>, seed = 'hello') =>
    helloOf(testClient('node', seed, { ...both, alpnProtocols: ['h2'], ...changes }));

  it('has no reserved values unless asked', () => {
    expect(lengths(greaseIn(hello({})))).toEqual(none);
    expect(lengths(greaseIn(hello({ grease: false })))).toEqual(none);
  });

  it('has one in every place, and two extensions', () => {
    const found = greaseIn(hello({ grease: true }));
    expect(lengths(found)).toEqual(everywhere);
    expect(found.keyShares).toEqual(found.groups);
    expect(found.extensions.map(({ data }) => data)).toEqual([empty, Uint8Array.of(0)]);
    expect(reservedModes).toContain(found.modes[0]);
  });

  it('has those of TLS 1.2 where there is no TLS 1.3, and no protocol where there is none', () => {
    const found = greaseIn(hello({ grease: true, maxVersion: 'TLSv1.2', alpnProtocols: undefined }));
    expect(lengths(found)).toEqual({ ...everywhere, keyShares: 0, versions: 0, modes: 0, protocols: 0 });
  });

  it('has other values each time, all of them in the end, and never one extension twice', () => {
    const hellos = Array.from({ length: 120 }, (_, i) => greaseIn(hello({ grease: true }, `seed ${String(i)}`)));
    const seen = (place: 'cipherSuites' | 'groups' | 'versions' | 'signatureSchemes' | 'modes') =>
      new Set(hellos.flatMap((found) => found[place])).size;
    expect([seen('cipherSuites'), seen('groups'), seen('versions'), seen('signatureSchemes')]).toEqual([
      16, 16, 16, 16,
    ]);
    expect(seen('modes')).toBe(8);
    for (const { extensions } of hellos) expect(new Set(extensions.map(({ type }) => type)).size).toBe(2);
  });

  it('is shaped with them', () => {
    const types: ExtensionType[][] = [];
    hello({
      grease: true,
      shapeClientHello: (extensions) => (types.push(extensions.map(({ type }) => type)), extensions),
    });
    expect(types.map((list) => [isReserved(list[0]), isReserved(list.at(-1))])).toEqual([[true, true]]);
  });
});

describe.each(['noble', 'node'] as const)('GREASE with %s', (backend) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'does not disturb %s, with and without client authentication',
    async (version) => {
      const only = { minVersion: version, maxVersion: version, grease: true } as const;
      const client = testClient(backend, 'grease', {
        ...only,
        alpnProtocols: ['h2'],
        credentials: [clientCredentials],
      });
      for (const clientAuthentication of ['none', 'require'] as const) {
        const server = testServer(backend, 'grease', { ...only, alpnProtocols: ['h2'], clientAuthentication });
        const pair = await connect(client, server);
        for (const end of [pair.client, pair.server])
          expect(theEvent(end, 'handshake')).toMatchObject({ version, alpnProtocol: 'h2' });
      }
    },
  );
});

describe('after a HelloRetryRequest', () => {
  const retried = (
    client: Changes<ClientOptions>,
    server: Parameters<typeof world.server>[0],
    offered?: Changes<ClientOptions>,
  ) => {
    const { heard, says } = listening('client_hello');
    const pair = serverPair(world.client({ ...client, ...offered }), world.server(server), says);
    expect(outcome(pump(pair))).toBe(full);
    const [first, second] = heard;
    if (first === undefined || second === undefined || heard.length > 2) throw new Error('expected two ClientHellos');
    return [first, second] as const;
  };
  const otherGroup = { groups: ['secp384r1'] } as const;
  const retryCookie = () => ascii('cookie');

  it('the second ClientHello has the same values, but no share of a group that nobody asked for', () => {
    const [first, second] = retried({ grease: true }, otherGroup).map(greaseIn);
    expect(second).toEqual({ ...first, keyShares: [] });
    expect(first?.keyShares).toHaveLength(1);
  });

  it('and the same shares where none was asked for', () => {
    const [first, second] = retried({ grease: true }, { retryCookie });
    expect(greaseIn(second)).toEqual(greaseIn(first));
    expect(findExtension(second.extensions, 'key_share')).toEqual(findExtension(first.extensions, 'key_share'));
  });

  it.each([true, false])('the extensions come in the same order, a cookie after them (grease: %s)', (grease) => {
    for (let i = 0; i < 5; i++) {
      const [first, second] = retried({ grease, permuteExtensions: true }, { ...otherGroup, retryCookie });
      expect(typesOf(second)).toEqual([...typesOf(first), 'cookie']);
    }
  });
});

describe('a reserved value that a server chooses: illegal_parameter', () => {
  const grease = { grease: true, alpnProtocols: ['h2'] };
  // Clients of one seed draw the same values.
  const client = () => tls13Client('node', 'chosen', grease);
  const { cipherSuites, groups, versions, signatureSchemes, protocols } = greaseIn(helloOf(client()));
  const [suite, group, version, scheme] = [cipherSuites[0]!, groups[0]!, versions[0]!, signatureSchemes[0]!];
  const server = world.server({ alpnProtocols: ['h2'] });
  const refused = 'client: illegal_parameter';

  it.each([
    ['cipher suite', saying('server_hello', (body) => ({ ...body, cipherSuite: suite }))],
    ['version', saying('server_hello', withExtensions({ type: 'supported_versions', data: version }))],
    [
      'group',
      saying('server_hello', withExtensions({ type: 'key_share', data: { group, keyExchange: Uint8Array.of(0) } })),
    ],
    ['signature scheme', saying('certificate_verify', (body) => ({ ...body, algorithm: scheme }))],
    [
      'protocol',
      saying(
        'encrypted_extensions',
        withExtensions({ type: 'application_layer_protocol_negotiation', data: [protocols[0] ?? empty] }),
      ),
    ],
  ])('%s of TLS 1.3', (_what, says) => {
    expect(clientMeets(client(), server, says)).toBe(refused);
  });

  it('group of a HelloRetryRequest', () => {
    const says = saying('hello_retry_request', withExtensions({ type: 'key_share', data: group }));
    expect(clientMeets(client(), world.server({ ...grease, groups: ['secp384r1'] }), says)).toBe(refused);
  });

  it.each(['server_hello', 'hello_retry_request', 'encrypted_extensions', 'certificate'] as const)(
    'extension in %s',
    (type) => {
      for (const i of [0, 1]) {
        const seen: ExtensionType[] = [];
        const echoing = world.client({
          ...grease,
          shapeClientHello: (all) => (seen.push(...all.map((each) => each.type).filter(isReserved)), all),
        });
        const echo = () => ({ type: seen[i]!, data: empty }) as Extension<'certificate'>;
        const says =
          type === 'certificate'
            ? saying(type, (body) => ({
                ...body,
                certificateList: body.certificateList.map((entry) => ({ ...entry, extensions: [echo()] })),
              }))
            : saying(type, (body) => withExtensions<typeof body>(echo())(body) as never);
        const groups = type === 'hello_retry_request' ? (['secp384r1'] as const) : undefined;
        expect(clientMeets(echoing, world.server({ groups }), says)).toBe(
          type === 'encrypted_extensions' ? 'client: unsupported_extension' : refused,
        );
      }
    },
  );

  describe('TLS 1.2', () => {
    const meet = (disguise: Disguise) =>
      outcomeTls12(
        pump({
          client: makeEnd((own) => clientConnection(testClient('node', 'grease 12', grease), own), 'sync'),
          server: disguisedServer(testServer('node', 'grease 12', { alpnProtocols: ['h2'] }), disguise),
          segments: [],
        }),
      );
    const offered = greaseIn(helloOf(testClient('node', 'grease 12', grease)));
    const [suite, group, scheme] = [offered.cipherSuites[0]!, offered.groups[0]!, offered.signatureSchemes[0]!];
    const adding = (extension: Extension<'server_hello'>) =>
      changing('server_hello', (body) => ({
        ...body,
        extensions: [...(body.extensions ?? []).filter(({ type }) => type !== extension.type), extension],
      }));

    it.each([
      ['cipher suite', changing('server_hello', (body) => ({ ...body, cipherSuite: suite }))],
      [
        'group',
        changing('server_key_exchange', (body) => ({ ...body, params: { ...body.params, namedCurve: group } })),
      ],
      ['signature scheme', changing('server_key_exchange', (body) => ({ ...body, algorithm: scheme }))],
      ['protocol', adding({ type: 'application_layer_protocol_negotiation', data: [offered.protocols[0] ?? empty] })],
    ])('%s', (_what, says) => {
      expect(meet({ says })).toBe(refused);
    });

    it('extension', () => {
      const type = offered.extensions[0]?.type ?? 0;
      const echo = { type, data: empty } as Extension<'server_hello'>;
      const client = testClient('node', 'grease 12', grease);
      expect(typesOf(helloOf(client))).toContain(type);
      expect(meet({ says: adding(echo) })).toBe(refused);
    });
  });
});

describe('a server', () => {
  it('has none unless asked', () => {
    const { heard, says } = listening('certificate_request');
    expect(clientMeets(world.client(), world.server({ clientAuthentication: 'request' }), says)).toBe(full);
    expect(heard.map((body) => [typesOf(body), body.extensions[0]?.type])).toEqual([
      [['signature_algorithms'], 'signature_algorithms'],
    ]);
  });

  it('puts a scheme and an extension into CertificateRequest', () => {
    const { heard, says } = listening('certificate_request');
    const server = world.server({ grease: true, clientAuthentication: 'require' });
    expect(clientMeets(world.client({ credentials: [clientCredentials] }), server, says)).toBe(full);
    const [request] = heard;
    const schemes = findExtension(request?.extensions, 'signature_algorithms') ?? [];
    expect(schemes.filter(isReserved)).toHaveLength(1);
    expect(typesOf(request ?? {}).filter(isReserved)).toHaveLength(1);
  });

  it('refuses a client that signs with it: illegal_parameter', () => {
    const server = world.server({ grease: true, clientAuthentication: 'require' });
    const says = saying('certificate_verify', (body) => ({ ...body, algorithm: 0x0a0a }));
    expect(serverMeets(world.client({ credentials: [clientCredentials] }), server, says)).toBe(
      'server: illegal_parameter',
    );
  });

  it('puts an extension into every ticket, beside early_data, and the tickets are good', () => {
    const tickets: ExtensionType[][] = [];
    const pair = clientPair(
      world.client(),
      world.server({ grease: true, earlyData: { maxSize: 100, acceptReplayedEarlyData: true } }),
    );
    const { hs } = pair.server;
    const send = hs.sendAfterHandshake.bind(hs);
    hs.sendAfterHandshake = (message) => {
      if (message.type === 'new_session_ticket') tickets.push(typesOf(message.body));
      send(message);
    };
    expect(outcome(pump(pair))).toBe(full);
    expect(tickets.map((types) => types.map((type) => (isReserved(type) ? 'reserved' : type)))).toEqual([
      ['early_data', 'reserved'],
      ['early_data', 'reserved'],
    ]);
    const [session] = sessionsOf(pair);
    expect(session?.maxEarlyDataSize).toBe(100);
    expect(clientMeets(world.client({ session }), world.server())).toBe('psk_dhe_ke');
  });
});

describe('extensions in random order', () => {
  const permuting = (i: number, changes: Changes<ClientOptions> = {}) =>
    tls13Client('node', `order ${String(i)}`, { ...both, permuteExtensions: true, ...changes });

  it('are the same extensions, and all of them move', () => {
    const usual = typesOf(helloOf(tls13Client('node', 'usual', both)));
    const orders = Array.from({ length: 60 }, (_, i) => typesOf(helloOf(permuting(i))));
    for (const order of orders) expect([...order].sort()).toEqual([...usual].sort());
    expect(new Set(orders.map(String)).size).toBe(60);
    // Each stands in most places at some time.
    for (const type of usual)
      expect(new Set(orders.map((order) => order.indexOf(type))).size).toBeGreaterThan(usual.length / 2);
  });

  it('are the same order from the same randomness', () => {
    expect(typesOf(helloOf(permuting(1)))).toEqual(typesOf(helloOf(permuting(1))));
  });

  it('are the same order from randomness in a Buffer, whose slices are views', () => {
    const inPool = (bytes: Uint8Array) => Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    const { crypto } = permuting(1);
    const pooled = permuting(1, { crypto: { ...crypto, randomBytes: (length) => inPool(crypto.randomBytes(length)) } });
    expect(typesOf(helloOf(pooled))).toEqual(typesOf(helloOf(permuting(1))));
  });

  it('R8446-4.2.11-1 keep pre_shared_key at the end, and early data goes with it', () => {
    const session = world.session({}, { earlyData: { maxSize: 100, acceptReplayedEarlyData: true } });
    const server = world.server({ earlyData: { maxSize: 100, acceptReplayedEarlyData: true } });
    for (let i = 0; i < 10; i++) {
      const client = world.client({ session, earlyData: true, permuteExtensions: true, grease: true });
      expect(typesOf(helloOf(client)).at(-1)).toBe('pre_shared_key');
      const pair = makePair(client, server);
      pair.client.connection.writeEarlyData(fromHex('00'));
      pump(pair);
      expect(theEvent(pair.server, 'handshake')).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'accepted' });
    }
  });

  it('are shaped after that', () => {
    const shaped: string[] = [];
    const shapeClientHello: ClientOptions['shapeClientHello'] = (extensions) => {
      shaped.push(String(extensions.map(({ type }) => type)));
      return [...extensions].reverse();
    };
    const sent = [1, 2, 3].map((i) => typesOf(helloOf(permuting(i, { shapeClientHello }))));
    expect(sent.map((types) => String([...types].reverse()))).toEqual(shaped);
    expect(new Set(shaped).size).toBe(3);
  });

  it.each(['noble', 'node'] as const)('do not disturb TLS 1.2 (%s)', async (backend) => {
    const client = testClient(backend, 'permuted', { permuteExtensions: true });
    const pair = await connect(client, testServer(backend, 'permuted'));
    expect(eventsOf(pair.client, 'handshake').map(({ version }) => version)).toEqual(['TLSv1.2']);
    expect(toHex(pair.segments[0]?.bytes.subarray(0, 3) ?? empty)).toBe('160301');
  });
});
