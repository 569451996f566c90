/** TLS 1.3 for QUIC (RFC 9001 4 and 8): levels, secrets, parameters, numbers of errors, and what QUIC does otherwise than TLS. */
import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import type { Answers } from '../../src/handshake/needs.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import {
  quicClient,
  quicInitialSecrets,
  quicPacketKeys,
  quicServer,
  type QuicHandshakeOptions,
} from '../../src/connection/quic.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { encodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import { findExtension, type ClientHello } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import {
  connect,
  driverNames,
  promised,
  testClient,
  testServer,
  theEvent,
  tls13Client,
  tls13Server,
  type Changes,
} from '../support/connections.js';
import { clientCredentials } from '../support/credentials.js';
import { cryptoFrame, openPacket } from '../support/quic-packets.js';
import {
  clientParameters,
  drainQuic,
  editFirst,
  fate,
  hear,
  makeQuicWorld,
  pumpQuic,
  quicEnd,
  quicEvents,
  serverParameters,
  settleQuic,
  type QuicEnd,
  type QuicPair,
} from '../support/quic.js';
import { seededCrypto } from '../support/seeded.js';
import { defaultAnswers } from '../../src/connection/answers.js';
import { withExtensions, withoutExtensions } from '../support/tls13-rules.js';
import { readVectors } from '../support/vectors.js';
import { misuse } from '../support/decoding.js';

const world = makeQuicWorld();
const secretsOf = (end: QuicEnd) => quicEvents(end, 'secret').map(({ level, direction }) => `${level} ${direction}`);
const tellsOf = (end: QuicEnd) =>
  end.events.map((event) => (event.type === 'secret' ? `${event.level} ${event.direction}` : event.type));
const levelsOf = (end: QuicEnd) => end.said.map(({ level }) => level);
const fatesOf = ({ client, server }: QuicPair) => [fate(client), fate(server)];
const message = (value: HandshakeMessage<'TLSv1.3'>) => encodeHandshake('TLSv1.3', value);

const externalPsk = { identity: ascii('device 7'), key: new Uint8Array(32).fill(7) };
const retrying = [
  { keyShareGroups: ['secp256r1'], groups: ['secp256r1', 'x25519'] },
  { groups: ['x25519'] },
] satisfies [Changes<ClientOptions>, Changes<ServerOptions>];

/** Everything that a handshake can be: what client and server are changed to, and what comes of it. */
const flows: readonly {
  readonly name: string;
  readonly client?: () => Changes<ClientOptions>;
  readonly server?: () => Changes<ServerOptions>;
  readonly mode: string;
  readonly early?: boolean;
}[] = [
  { name: 'full', mode: 'full' },
  { name: 'HelloRetryRequest', client: () => retrying[0], server: () => retrying[1], mode: 'full' },
  { name: 'a retry cookie', server: () => ({ retryCookie: () => ascii('cookie') }), mode: 'full' },
  {
    name: 'mutual',
    client: () => ({ credentials: [clientCredentials] }),
    server: () => ({ clientAuthentication: 'require' }),
    mode: 'full',
  },
  { name: 'PSK', client: () => ({ session: world.session() }), mode: 'psk_dhe_ke' },
  {
    name: 'PSK after HelloRetryRequest',
    client: () => ({ session: world.session(), ...retrying[0] }),
    server: () => retrying[1],
    mode: 'psk_dhe_ke',
  },
  {
    name: 'psk_ke',
    client: () => ({ session: world.session(), pskKeyExchangeModes: ['psk_ke'] }),
    server: () => ({ pskKeyExchangeModes: ['psk_ke'] }),
    mode: 'psk_ke',
  },
  {
    name: '0-RTT accepted',
    client: () => ({ session: world.session(), earlyData: true }),
    mode: 'psk_dhe_ke',
    early: true,
  },
  {
    name: '0-RTT rejected',
    client: () => ({ session: world.session(), earlyData: true }),
    server: () => ({ earlyData: undefined }),
    mode: 'psk_dhe_ke',
    early: false,
  },
  {
    name: '0-RTT rejected by HelloRetryRequest',
    client: () => ({ session: world.session(), earlyData: true, ...retrying[0] }),
    server: () => retrying[1],
    mode: 'psk_dhe_ke',
    early: false,
  },
  {
    name: 'external PSK',
    client: () => ({ externalPsks: [{ ...externalPsk, role: 'client' }] }),
    server: () => ({ externalPsks: [{ ...externalPsk, role: 'server' }] }),
    mode: 'psk_dhe_ke',
  },
];

const pairOf = (flow: (typeof flows)[number], options: Parameters<typeof world.pair>[2] = {}) =>
  world.pair(flow.client?.(), flow.server?.(), options);

describe.each(flows)('$name', (flow) => {
  it.each(driverNames)(
    'with driver %s: both ends agree on every secret, and on what was negotiated',
    async (driver) => {
      const pair = await settleQuic(pairOf(flow, { driver }));
      const { client, server } = pair;
      expect(fatesOf(pair)).toEqual([flow.mode, flow.mode]);
      const secrets = (end: QuicEnd, direction: 'read' | 'write') =>
        quicEvents(end, 'secret')
          .filter((event) => event.direction === direction)
          .map(({ level, cipherSuite, secret }) => `${level} ${cipherSuite} ${toHex(secret)}`);
      expect(secrets(client, 'read')).toEqual(secrets(server, 'write'));
      // The server reads early data only where it accepts it (R9001-4.6.2-1).
      const sent = secrets(client, 'write').filter((line) => flow.early === true || !line.startsWith('early'));
      expect(secrets(server, 'read')).toEqual(sent);
      expect(quicEvents(client, 'transport_parameters').map((event) => event.transportParameters)).toEqual([
        serverParameters,
      ]);
      expect(quicEvents(server, 'transport_parameters').map((event) => event.transportParameters)).toEqual([
        clientParameters,
      ]);
      expect(quicEvents(client, 'handshake')[0]?.quicTransportParameters).toEqual(serverParameters);
      expect(quicEvents(server, 'handshake')[0]?.quicTransportParameters).toEqual(clientParameters);
      expect(client.quic.exportKeyingMaterial('EXPORTER-test', 16)).toEqual(
        server.quic.exportKeyingMaterial('EXPORTER-test', 16),
      );
      const early = flow.early === undefined ? [] : [flow.early];
      expect(quicEvents(client, 'early_data').map(({ accepted }) => accepted)).toEqual(early);
      expect(quicEvents(server, 'early_data').map(({ accepted }) => accepted)).toEqual(early);
      expect(quicEvents(client, 'session').length).toBe(flow.mode === 'full' ? 2 : 1);
    },
  );

  it('in pieces of one byte gives the same modes, and secrets in the same order', () => {
    const [whole, pieces] = [pumpQuic(pairOf(flow)), pumpQuic(pairOf(flow), 1)];
    expect(fatesOf(pieces)).toEqual(fatesOf(whole));
    expect([secretsOf(pieces.client), secretsOf(pieces.server)]).toEqual([
      secretsOf(whole.client),
      secretsOf(whole.server),
    ]);
  });
});

describe('fragmentation', () => {
  it('at every boundary of every flight makes no difference', () => {
    // Without curves and signatures: some hundred handshakes.
    const options = (role: 'client' | 'server') => ({
      externalPsks: [{ ...externalPsk, role }],
      pskKeyExchangeModes: ['psk_ke'] as const,
    });
    const pair = () => world.pair(options('client'), options('server'));
    const whole = pumpQuic(pair());
    const longest = Math.max(...[...whole.client.said, ...whole.server.said].map(({ data }) => data.length));
    expect(longest).toBeGreaterThan(150);
    for (let size = 1; size <= longest; size++) {
      const { client, server } = pumpQuic(pair(), size);
      expect([size, fate(client), fate(server), tellsOf(client)]).toEqual([
        size,
        'psk_ke',
        'psk_ke',
        tellsOf(whole.client),
      ]);
    }
  });
});

describe('secrets, as RFC 9001 4.1.4 needs them', () => {
  it('the client: 0-RTT with its ClientHello, Handshake in both directions before its flight', () => {
    const pair = world.pair({ session: world.session(), earlyData: true });
    const { client, server } = pair;
    const [hello, ...more] = drainQuic(client);
    expect([hello?.level, more.length, tellsOf(client)]).toEqual(['initial', 0, ['early write']]);
    server.quic.receive('initial', hello!.data);
    const [serverHello, rest, ...none] = drainQuic(server);
    expect([serverHello?.level, rest?.level, none.length]).toEqual(['initial', 'handshake', 0]);
    // Its 1-RTT secret comes with its first flight, the client's only with the client's Finished.
    expect(tellsOf(server)).toEqual([
      'transport_parameters',
      'handshake write',
      'application write',
      'early read',
      'handshake read',
      'early_data',
    ]);
    client.quic.receive('initial', serverHello!.data);
    expect([drainQuic(client).length, tellsOf(client)]).toEqual([
      0,
      ['early write', 'handshake read', 'handshake write'],
    ]);
    client.quic.receive('handshake', rest!.data);
    const [finished] = drainQuic(client);
    expect(finished?.level).toBe('handshake');
    expect(tellsOf(client).slice(3)).toEqual([
      'transport_parameters',
      'early_data',
      'application write',
      'application read',
      'handshake',
    ]);
    server.quic.receive('handshake', finished!.data);
    const [tickets] = drainQuic(server);
    expect([tickets?.level, tellsOf(server).slice(6)]).toEqual(['application', ['application read', 'handshake']]);
  });

  it('keys of the secrets are those of RFC 9001 5.1, of the suite that was chosen', () => {
    const cipherSuites = ['TLS_AES_256_GCM_SHA384'] as const;
    const { client } = world.connect({ cipherSuites });
    for (const { cipherSuite, secret } of quicEvents(client, 'secret'))
      expect([cipherSuite, secret.length, quicPacketKeys(nodeCrypto, cipherSuite, secret).key.length]).toEqual([
        'TLS_AES_256_GCM_SHA384',
        48,
        32,
      ]);
    expect(quicEvents(client, 'secret')).toHaveLength(4);
  });

  it('R9001-4.6.2-1 a server that rejects 0-RTT has nothing to read it by', () => {
    const { server } = world.connect({ session: world.session(), earlyData: true }, { earlyData: undefined });
    expect(quicEvents(server, 'early_data')[0]).toMatchObject({ accepted: false, reason: 'disabled' });
    expect(secretsOf(server)).not.toContain('early read');
  });

  it('a ClientHello that was seen before is no 0-RTT', () => {
    const { client, server } = world.pair({ session: world.session(), earlyData: true });
    const [hello] = drainQuic(client);
    const again = quicEnd((own) => quicServer(world.server(), own));
    hear(server, 'initial', hello!.data);
    hear(again, 'initial', hello!.data);
    expect(quicEvents(server, 'early_data')[0]?.accepted).toBe(true);
    expect(quicEvents(again, 'early_data')[0]).toMatchObject({ accepted: false, reason: 'replayed' });
    expect(secretsOf(again)).not.toContain('early read');
  });

  it('come up before the close where a handshake fails, for CONNECTION_CLOSE', () => {
    const sign = () => {
      throw new Error('no signer today');
    };
    const pair = world.pair({}, {}, { server: { answers: { sign } } });
    hear(pair.server, 'initial', drainQuic(pair.client)[0]!.data);
    expect(tellsOf(pair.server)).toEqual(['transport_parameters', 'handshake write', 'close']);
    expect(fate(pair.server)).toBe('close 0x150');
  });
});

describe('RFC 9001 appendix A.2', () => {
  it('its ClientHello, out of its packet, is answered', () => {
    const vectors = readVectors('rfc9001/quic-rfc9001.json') as {
      readonly destinationConnectionId: string;
      readonly clientInitial: { readonly packet: string; readonly packetNumber: number };
    };
    const { packet, packetNumber } = vectors.clientInitial;
    const suite = 'TLS_AES_128_GCM_SHA256';
    const { client } = quicInitialSecrets(nodeCrypto, fromHex(vectors.destinationConnectionId));
    const keys = quicPacketKeys(nodeCrypto, suite, client);
    const { payload } = openPacket(nodeCrypto, suite, keys, fromHex(packet), 18, packetNumber);
    const server = quicEnd((own) => quicServer(world.server({ alpnProtocols: ['alpn'] }), own));
    hear(server, 'initial', cryptoFrame(payload!));
    const output = drainQuic(server);
    expect(output.map(({ level, data }) => `${level} ${String(data[0])}`)).toEqual(['initial 2', 'handshake 8']);
    expect(quicEvents(server, 'secret')[0]?.cipherSuite).toBe(suite);
    const [told] = quicEvents(server, 'transport_parameters');
    expect(toHex(told!.transportParameters)).toMatch(/^0408ffffffffffffffff/);
  });
});

describe('tickets', () => {
  const refusals = (size: number) => {
    const { client } = world.connect();
    const ticket = {
      ticketLifetime: 10,
      ticketAgeAdd: 1,
      ticketNonce: Uint8Array.of(9),
      ticket: ascii('ticket'),
      extensions: [{ type: 'early_data' as const, data: size }],
    };
    const before = quicEvents(client, 'session').length;
    client.quic.receive('application', message({ type: 'new_session_ticket', body: ticket }));
    const verdict = fate(client);
    return [verdict, quicEvents(client, 'session').length - before];
  };

  it('R9001-4.6.1-1 a server says 0xffffffff, or nothing where it reads no early data', () => {
    expect(world.session().maxEarlyDataSize).toBe(0xffffffff);
    expect(world.session({}, { earlyData: undefined }).maxEarlyDataSize).toBe(0);
  });

  it.each([0, 1, 1000, 0xfffffffe])('R9001-4.6.1-1 a client refuses %d as PROTOCOL_VIOLATION', (size) => {
    expect(refusals(size)).toEqual(['close 0xa', 0]);
  });

  it('R9001-4.6.1-1 a client takes 0xffffffff', () => {
    expect(refusals(0xffffffff)).toEqual(['full', 1]);
  });

  it('R9001-4.6.1-1 whether or not it keeps tickets', () => {
    const { client } = world.connect({ tickets: false });
    const extensions = [{ type: 'early_data' as const, data: 5 }];
    const body = { ticketLifetime: 10, ticketAgeAdd: 1, ticketNonce: Uint8Array.of(9), ticket: ascii('t'), extensions };
    client.quic.receive('application', message({ type: 'new_session_ticket', body }));
    expect(fate(client)).toBe('close 0xa');
  });

  it('are sent on demand', () => {
    const pair = world.connect({}, { ticketCount: 0 });
    expect(quicEvents(pair.client, 'session')).toEqual([]);
    pair.server.quic.sendTickets(3);
    pumpQuic(pair);
    expect(quicEvents(pair.client, 'session')).toHaveLength(3);
    expect(misuse(() => pair.client.quic.sendTickets())).toBe('connection_not_open');
  });

  describe.each(['sealer', 'store'] as const)('of a %s', (kind) => {
    const keeping = (store: MemoryStore): Changes<ServerOptions> =>
      kind === 'sealer' ? { tickets: world.sealer } : { tickets: undefined, sessions: store };
    const now = () => world.clock.time;
    const crossing = async (to: 'tcp' | 'quic', tampered: boolean) => {
      const store = new MemoryStore({ now });
      const [tcpClient, tcpServer] = [
        (changes: Changes<ClientOptions> = {}) => tls13Client('node', 'crossing', { now, ...changes }),
        tls13Server('node', 'crossing', { now, ...keeping(store) }),
      ];
      if (to === 'tcp') {
        const session = world.session({}, keeping(store));
        const offered = tampered ? { ...session, transport: 'tcp' as const } : session;
        const { client } = await connect(tcpClient({ session: offered }), tcpServer);
        return [theEvent(client, 'handshake').mode, theEvent(client, 'handshake').reason];
      }
      const { client: first } = await connect(tcpClient(), tcpServer);
      const [told] = first.events.filter((event) => event.type === 'session');
      if (told?.session.version !== 'TLSv1.3') throw new Error('no ticket came');
      const offered = tampered ? { ...told.session, transport: 'quic' as const } : told.session;
      const { client, server } = world.connect({ session: offered }, keeping(store));
      return [fate(client), quicEvents(server, 'handshake')[0]?.reason];
    };

    it.each(['tcp', 'quic'] as const)('a client does not offer those of the other transport over %s', async (to) => {
      expect(await crossing(to, false)).toEqual(['full', 'not_offered']);
    });

    it('a server of QUIC refuses those of TCP', async () => {
      expect(await crossing('quic', true)).toEqual(['full', 'transport_mismatch']);
    });

    it('a server of TCP refuses those of QUIC', async () => {
      expect(await crossing('tcp', true)).toEqual(['full', 'declined_by_server']);
    });
  });

  it("a client's store has a place for each transport", async () => {
    const now = () => world.clock.time;
    const sessions = new MemoryStore({ now });
    pumpQuic(world.pair({ sessions }));
    const { client } = await connect(
      tls13Client('node', 'store', { now, sessions }),
      tls13Server('node', 'store', { now }),
    );
    expect(theEvent(client, 'handshake')).toMatchObject({ mode: 'full', reason: 'not_offered' });
    expect(fatesOf(world.connect({ sessions }))).toEqual(['psk_dhe_ke', 'psk_dhe_ke']);
  });
});

describe('what QUIC does otherwise than TLS over TCP', () => {
  it('R9001-8.3-1 there is no EndOfEarlyData', () => {
    const { client } = world.connect({ session: world.session(), earlyData: true });
    expect(quicEvents(client, 'early_data')[0]?.accepted).toBe(true);
    // Type 20 is Finished: all that a client says after its ClientHello.
    expect(client.said.map(({ level, data }) => [level, data[0], data.length])).toEqual([
      ['initial', 1, client.said[0]!.data.length],
      ['handshake', 20, 36],
    ]);
  });

  it('R9001-8.3-1 an EndOfEarlyData is refused', () => {
    const { client, server } = world.pair({ session: world.session(), earlyData: true });
    hear(server, 'initial', drainQuic(client)[0]!.data);
    hear(server, 'handshake', message({ type: 'end_of_early_data', body: {} }));
    expect(fate(server)).toBe('close 0x10a');
  });

  it('R9001-8.4-1 a ClientHello has no session ID, and the answer neither', () => {
    const { client, server } = world.connect({}, {});
    // legacy_session_id, or its echo: behind header, version and random.
    expect([client.said[0]!.data[38], server.said[0]!.data[38]]).toEqual([0, 0]);
    expect([levelsOf(client), levelsOf(server)]).toEqual([
      ['initial', 'handshake'],
      ['initial', 'handshake', 'application'],
    ]);
  });

  it('R9001-8.4-1 a session ID in a ClientHello is PROTOCOL_VIOLATION', () => {
    expect(serverHears((hello) => ({ ...hello, legacySessionId: Uint8Array.of(1) }))).toBe('close 0xa');
  });

  it.each(['update_requested', 'update_not_requested', 7] as const)(
    'R9001-6-1 a KeyUpdate, %s, is unexpected_message in both roles, after the handshake',
    (requestUpdate) => {
      const { client, server } = world.connect();
      const bytes = message({ type: 'key_update', body: { requestUpdate } });
      client.quic.receive('application', bytes);
      server.quic.receive('application', bytes);
      expect([fate(client), fate(server)]).toEqual(['close 0x10a', 'close 0x10a']);
    },
  );

  it('R9001-6-1 and within it', () => {
    const { client, server } = world.pair();
    hear(server, 'initial', drainQuic(client)[0]!.data);
    const body = { requestUpdate: 'update_requested' } as const;
    hear(server, 'handshake', message({ type: 'key_update', body }));
    expect(fate(server)).toBe('close 0x10a');
  });

  it('R8446-6-1 and the ticket of a connection that fails afterwards is forgotten', () => {
    const sessions = new MemoryStore({ now: () => world.clock.time });
    const settings = world.client({ sessions });
    const client = quicEnd((own) => quicClient(settings, own));
    pumpQuic({ client, server: world.pair().server });
    expect(sessions.get(settings.tls13SessionKey)).toBeDefined();
    client.quic.receive('application', message({ type: 'end_of_early_data', body: {} }));
    expect(fate(client)).toBe('close 0x10a');
    expect(sessions.get(settings.tls13SessionKey)).toBeUndefined();
  });

  it('a CertificateRequest after the handshake is PROTOCOL_VIOLATION', () => {
    const { client } = world.connect();
    const body = {
      certificateRequestContext: Uint8Array.of(1),
      extensions: [{ type: 'signature_algorithms' as const, data: ['ed25519' as const] }],
    };
    client.quic.receive('application', message({ type: 'certificate_request', body }));
    expect(fate(client)).toBe('close 0xa');
  });
});

/** What a server makes of another ClientHello than the client's. */
function serverHears(edit: (hello: ClientHello) => ClientHello, changes?: Changes<ServerOptions>): string {
  const { client, server } = world.pair({}, changes);
  hear(server, 'initial', editFirst(drainQuic(client)[0]!.data, 'client_hello', edit));
  return fate(server);
}

/** What a client makes of other EncryptedExtensions than the server's. */
function clientHears(
  edit: Parameters<typeof editFirst<'encrypted_extensions'>>[2],
  changes?: Changes<ClientOptions>,
): string {
  const { client, server } = world.pair(changes);
  hear(server, 'initial', drainQuic(client)[0]!.data);
  for (const { level, data } of drainQuic(server))
    hear(client, level, level === 'handshake' ? editFirst(data, 'encrypted_extensions', edit) : data);
  return fate(client);
}

describe('transport parameters', () => {
  it('are required from the peer: missing_extension', () => {
    expect(serverHears(withoutExtensions('quic_transport_parameters'))).toBe('close 0x16d');
    expect(clientHears(withoutExtensions('quic_transport_parameters'))).toBe('close 0x16d');
  });

  it('of one connection go before those of the settings, whatever settings are chosen for it', async () => {
    const [own, other] = [Uint8Array.of(11), Uint8Array.of(22)];
    const chosen = world.server({ quicTransportParameters: Uint8Array.of(33) });
    for (const chooseSettings of [() => chosen, () => Promise.resolve(chosen)]) {
      const options = { client: { transportParameters: own }, server: { transportParameters: other } };
      const { client, server } = await settleQuic(world.pair({}, { chooseSettings }, { driver: 'async', ...options }));
      expect(quicEvents(client, 'handshake')[0]?.quicTransportParameters).toEqual(other);
      expect(quicEvents(server, 'handshake')[0]?.quicTransportParameters).toEqual(own);
    }
  });

  it('may be left out of the settings, and of nothing else', () => {
    const settings = world.client({ quicTransportParameters: undefined });
    expect(quicClient(settings, { transportParameters: new Uint8Array() }).takeOutput()).toHaveLength(1);
    expect(misuse(() => quicClient(settings))).toBe('invalid_option');
    expect(misuse(() => quicClient(tls13Client('node', 'tcp')))).toBe('invalid_option');
    expect(misuse(() => quicServer(tls13Server('node', 'tcp')))).toBe('invalid_option');
  });

  it('have no place in settings for TCP', () => {
    expect(misuse(() => tls13Client('node', 'tcp', { quicTransportParameters: clientParameters }))).toBe(
      'invalid_option',
    );
  });

  it('settings of another transport cannot be chosen', async () => {
    const pair = world.pair({}, { chooseSettings: () => tls13Server('node', 'tcp') }, { driver: 'async' });
    expect(fate((await settleQuic(pair)).server)).toBe('close 0x150');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('over TCP, with %s, they are unsupported_extension', async (maxVersion) => {
    const shapeClientHello: ClientOptions['shapeClientHello'] = (extensions) => [
      ...extensions,
      { type: 'quic_transport_parameters', data: Uint8Array.of(1) },
    ];
    const { server } = await connect(
      testClient('node', 'tcp', { maxVersion, shapeClientHello }),
      testServer('node', 'tcp', { maxVersion: 'TLSv1.3' }),
    );
    expect(theEvent(server, 'close').error).toMatchObject({ alert: 'unsupported_extension' });
  });

  it('over TCP a client refuses those that it did not ask for', async () => {
    const shapeEncryptedExtensions: ServerOptions['shapeEncryptedExtensions'] = (extensions) => [
      ...extensions,
      { type: 'quic_transport_parameters', data: Uint8Array.of(1) },
    ];
    const { client } = await connect(
      tls13Client('node', 'tcp'),
      tls13Server('node', 'tcp', { shapeEncryptedExtensions }),
    );
    expect(theEvent(client, 'close').error).toMatchObject({ alert: 'unsupported_extension' });
  });
});

describe('ALPN (RFC 9001 8.1)', () => {
  const h3 = { alpnProtocols: ['h3'] };

  it('is negotiated, or left to another mechanism by both', () => {
    expect(quicEvents(world.connect(h3, h3).client, 'handshake')[0]?.alpnProtocol).toBe('h3');
    expect(fatesOf(world.connect())).toEqual(['full', 'full']);
  });

  it('nothing in common, or a client without: no_application_protocol by the server', () => {
    expect(fate(world.connect({ alpnProtocols: ['hq'] }, h3).server)).toBe('close 0x178');
    expect(fate(world.connect({}, h3).server)).toBe('close 0x178');
  });

  it('a server without: no_application_protocol by the client', () => {
    expect(fate(world.connect(h3).client)).toBe('close 0x178');
  });

  it('a protocol that was not offered is illegal_parameter', () => {
    const other = withExtensions({ type: 'application_layer_protocol_negotiation', data: [ascii('hq')] });
    expect(clientHears(other as Parameters<typeof clientHears>[0], h3)).toBe('close 0x12f');
  });
});

describe('levels', () => {
  it.each(['early', 'handshake', 'application'] as const)('data at %s before its time is refused', (level) => {
    const { client, server } = world.pair();
    for (const end of [client, server]) {
      end.quic.receive(level, Uint8Array.of(20, 0, 0, 0));
      expect(fate(end)).toBe('close 0xa');
    }
  });

  it('data of a level that is over is refused', () => {
    const { client, server } = world.connect();
    client.quic.receive('initial', Uint8Array.of(2));
    server.quic.receive('handshake', Uint8Array.of(20));
    expect([fate(client), fate(server)]).toEqual(['close 0xa', 'close 0xa']);
  });

  it('CRYPTO frames in 0-RTT packets are refused', () => {
    const { client, server } = world.pair({ session: world.session(), earlyData: true });
    hear(server, 'initial', drainQuic(client)[0]!.data);
    expect(secretsOf(server)).toContain('early read');
    server.quic.receive('early', Uint8Array.of(5, 0, 0, 0));
    expect(fate(server)).toBe('close 0xa');
  });

  it.each(['initial', 'handshake'] as const)('more than a whole flight at %s is refused, by either role', (level) => {
    const { client, server } = world.pair();
    const surplus = (end: QuicEnd, other: QuicEnd) => {
      for (const piece of drainQuic(other))
        hear(end, piece.level, piece.level === level ? Uint8Array.from([...piece.data, 20, 0]) : piece.data);
      return fate(end);
    };
    if (level === 'initial') expect(surplus(server, client)).toBe('close 0xa');
    else {
      hear(server, 'initial', drainQuic(client)[0]!.data);
      expect(surplus(client, server)).toBe('close 0xa');
    }
  });

  it('no data is no error, at any level', () => {
    const pair = world.pair();
    for (const level of ['early', 'handshake', 'application'] as const)
      pair.server.quic.receive(level, new Uint8Array());
    expect(fatesOf(pumpQuic(pair))).toEqual(['full', 'full']);
  });

  it('data are copied: the caller may use its buffer again', () => {
    const { client, server } = world.pair();
    const [hello] = drainQuic(client);
    const buffer = new Uint8Array(50);
    for (let at = 0; at < hello!.data.length; at += buffer.length) {
      const part = hello!.data.subarray(at, at + buffer.length);
      buffer.set(part);
      server.quic.receive('initial', buffer.subarray(0, part.length));
    }
    buffer.fill(0);
    expect(drainQuic(server).map(({ level }) => level)).toEqual(['initial', 'handshake']);
  });
});

describe('errors are numbers (RFC 9001 4.8)', () => {
  const verdict = { accepted: false, alert: 'certificate_expired', reason: 'test' } as const;
  it.each<[string, Changes<ClientOptions>, Changes<ServerOptions>, 'client' | 'server', string]>([
    [
      'handshake_failure',
      { cipherSuites: ['TLS_AES_128_GCM_SHA256'] },
      { cipherSuites: ['TLS_AES_256_GCM_SHA384'] },
      'server',
      '0x128',
    ],
    ['certificate_expired', { verifyCertificate: () => verdict }, {}, 'client', '0x12d'],
    ['certificate_required', {}, { clientAuthentication: 'require' }, 'server', '0x174'],
    ['unrecognized_name', {}, { chooseSettings: () => undefined }, 'server', '0x170'],
  ])('%s', (_, clientChanges, serverChanges, role, number) => {
    const pair = world.connect(clientChanges, serverChanges);
    expect(fate(pair[role])).toBe(`close ${number}`);
    expect(pair[role].quic.state).toBe('closed');
  });

  it('decode_error, and nothing comes after a close', () => {
    const server = quicEnd((own) => quicServer(world.server(), own));
    hear(server, 'initial', Uint8Array.of(1, 0, 0, 1, 0));
    expect(fate(server)).toBe('close 0x132');
    const events = server.events.length;
    hear(server, 'initial', drainQuic(world.pair().client)[0]!.data);
    expect([drainQuic(server), server.events.length]).toEqual([[], events]);
  });

  it('decrypt_error: a Finished with one wrong bit', () => {
    const { client, server } = world.pair();
    hear(server, 'initial', drainQuic(client)[0]!.data);
    for (const { level, data } of drainQuic(server)) {
      if (level === 'handshake') data[data.length - 1]! ^= 1;
      hear(client, level, data);
    }
    expect(fate(client)).toBe('close 0x133');
  });
});

describe('limits', () => {
  it('maxHandshakeMessageLength', () => {
    const server = quicEnd((own) => quicServer(world.server(), own), 'sync', {
      limits: { maxHandshakeMessageLength: 100 },
    });
    hear(server, 'initial', Uint8Array.of(1, 0, 0, 97));
    expect(fate(server)).toBe('close 0x12f');
  });

  it('maxBufferedLength, while an answer is awaited', () => {
    const never: Partial<Answers> = { choose_settings: () => new Promise(() => undefined) };
    const server = quicEnd((own) => quicServer(world.server(), own), 'async', {
      answers: never,
      limits: { maxBufferedLength: 1000 },
    });
    hear(server, 'initial', drainQuic(world.pair().client)[0]!.data);
    hear(server, 'initial', new Uint8Array(1000));
    expect([server.quic.waiting, fate(server)]).toEqual([true, 'nothing']);
    hear(server, 'initial', new Uint8Array(1));
    expect(fate(server)).toBe('close 0x10a');
  });

  it('maxSessionTickets', () => {
    const pair = world.pair({}, { ticketCount: 5 }, { client: { limits: { maxSessionTickets: 3 } } });
    expect(quicEvents(pumpQuic(pair).client, 'session')).toHaveLength(3);
  });

  it('a limit that is no number is a mistake of the caller', () => {
    expect(misuse(() => quicClient(world.client(), { limits: { maxBufferedLength: NaN } }))).toBe('invalid_option');
  });
});

describe('answers that take their time', () => {
  it('wake is called for each, and not for answers that are values', async () => {
    let wakes = 0;
    const options: QuicHandshakeOptions = { wake: () => wakes++ };
    const pair = world.pair({}, {}, { driver: 'promises', client: options });
    expect(pair.client.quic.waiting).toBe(true);
    expect(fatesOf(await settleQuic(pair))).toEqual(['full', 'full']);
    expect(wakes).toBeGreaterThan(3);
    wakes = 0;
    pumpQuic(world.pair({}, {}, { driver: 'async', client: options }));
    expect(wakes).toBe(0);
  });

  it('one that fails ends the handshake with internal_error, and no rejection is left unhandled', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    const verify_certificate = () => Promise.reject(new Error('the verifier is gone'));
    const pair = world.pair({}, {}, { driver: 'async', client: { answers: { verify_certificate } } });
    await settleQuic(pair);
    expect(fate(pair.client)).toBe('close 0x150');
    // The same, of a handshake that nobody wants any more.
    const left = world.pair({}, {}, { driver: 'async', client: { answers: { verify_certificate } } });
    pumpQuic(left);
    expect(left.client.quic.waiting).toBe(true);
    left.client.quic.destroy();
    await new Promise(setImmediate);
    expect([left.client.quic.takeEvents(), left.client.quic.takeOutput()]).toEqual([[], []]);
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });

  it('a promise ends a handshake of the sync driver', () => {
    const answers = promised(defaultAnswers);
    const client = quicEnd((own) => quicClient(world.client(), { ...own, answers }));
    expect([fate(client), quicEvents(client, 'close')[0]?.error.code]).toEqual(['close 0x150', 'asynchronous_answer']);
  });

  it('a wake that throws ends the handshake', async () => {
    const wake = () => {
      throw new Error('asleep');
    };
    const pair = world.pair({}, {}, { driver: 'promises', client: { wake } });
    await settleQuic(pair);
    expect(fate(pair.client)).toBe('close 0x150');
  });
});

describe('what is secret is wiped', () => {
  /** A backend that keeps hold of every secret that becomes a key. */
  const watched = (seed: string) => {
    const crypto = seededCrypto('node', seed);
    const secrets: Uint8Array[] = [];
    const watching: CryptoBackend = {
      ...crypto,
      hmac: (hash, key) => {
        secrets.push(key);
        return crypto.hmac(hash, key);
      },
    };
    return { crypto: watching, seen: () => secrets.length, unwiped: () => secrets.filter((key) => key.some(Boolean)) };
  };

  it.each(['client', 'server'] as const)('when a %s is destroyed, at any point', (role) => {
    for (let flights = 0; flights < 4; flights++) {
      const watch = watched(`watched ${role} ${String(flights)}`);
      const changes = { crypto: watch.crypto };
      const pair = world.pair(role === 'client' ? changes : {}, role === 'server' ? changes : {});
      const { client, server } = pair;
      for (let i = 0; i < flights; i++) {
        const [from, to] = i % 2 === 0 ? [client, server] : [server, client];
        // Not `hear`: events stay untaken, secrets among them.
        for (const { level, data } of from.quic.takeOutput()) to.quic.receive(level, data);
      }
      pair[role].quic.destroy();
      expect([flights, watch.unwiped(), pair[role].quic.state]).toEqual([flights, [], 'closed']);
      expect([pair[role].quic.takeEvents(), pair[role].quic.takeOutput()]).toEqual([[], []]);
      if (flights === 3) expect(watch.seen()).toBeGreaterThan(5);
    }
  });

  it('secrets that were told are the stack’s own: nothing of ours wipes them', () => {
    const { client } = world.connect();
    const secrets = quicEvents(client, 'secret').map(({ secret }) => secret);
    client.quic.destroy();
    expect(secrets.map((secret) => secret.some(Boolean))).toEqual([true, true, true, true]);
  });

  it('when a callback destroys it, and its step ends there', async () => {
    const watch = watched('callback');
    const destroyed: string[] = [];
    const crypto: CryptoBackend = {
      ...watch.crypto,
      generateKeyShare: async (group) => {
        const share = await watch.crypto.generateKeyShare(group);
        return { ...share, destroy: () => destroyed.push(group) };
      },
    };
    const holder: { client?: QuicEnd } = {};
    // For the ClientHello after a HelloRetryRequest; nothing fails before the wait for its answer.
    const shapeClientHello: ClientOptions['shapeClientHello'] = (extensions) => {
      holder.client?.quic.destroy();
      return extensions;
    };
    const [asking, answering] = retrying;
    const pair = world.pair({ crypto, ...asking, shapeClientHello }, answering, { driver: 'async' });
    const { client, server } = pair;
    await new Promise(setImmediate);
    const [hello] = drainQuic(client);
    holder.client = client;
    hear(server, 'initial', hello!.data);
    await settleQuic(pair);
    expect([client.quic.state, watch.unwiped(), fate(client), drainQuic(client)]).toEqual([
      'closed',
      [],
      'nothing',
      [],
    ]);
    // The second ClientHello was made after that, and goes nowhere.
    expect(levelsOf(client)).toEqual(['initial']);
    // The share that was of no use is let go when the flow ends, and only then.
    expect(destroyed).toContain('secp256r1');
  });

  it('and nothing can be exported any more', () => {
    const { client } = world.connect();
    client.quic.destroy();
    expect(misuse(() => client.quic.exportKeyingMaterial('EXPORTER-test', 16))).toBe('connection_not_open');
    expect(misuse(() => world.pair().client.quic.exportKeyingMaterial('EXPORTER-test', 16))).toBe(
      'connection_not_open',
    );
  });
});

describe('the ClientHello', () => {
  it('carries the parameters, and early_data where it is wanted', () => {
    const { client } = world.pair({ session: world.session(), earlyData: true });
    const [hello] = drainQuic(client);
    editFirst(hello!.data, 'client_hello', (body) => {
      expect(findExtension(body.extensions, 'quic_transport_parameters')).toEqual(clientParameters);
      expect(findExtension(body.extensions, 'early_data')).toEqual({});
      expect(
        body.cipherSuites.every(
          (suite) => String(suite).startsWith('TLS_AES') || String(suite).startsWith('TLS_CHACHA20'),
        ),
      ).toBe(true);
      return body;
    });
    expect.assertions(3);
  });
});
