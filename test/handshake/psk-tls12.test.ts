/** ECDHE_PSK in TLS 1.2 (RFC 5489, RFC 4279, RFC 7905, RFC 8442): key exchange, identities, and what becomes of its sessions. */
import { describe, expect, it } from 'vitest';
import { ascii, concat, equal, toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { ClientHelloExtensions, Tls12PskLookup } from '../../src/handshake/settings.js';
import { isPskSuite, isTls12CipherSuite, tls12Suites, type Tls12CipherSuite } from '../../src/key-schedule/suites.js';
import { pskPremasterSecret } from '../../src/key-schedule/tls12.js';
import { decodeHandshake, handshakeMessages, pskHandshakeMessages } from '../../src/messages/handshake.js';
import { contentTypes } from '../../src/parameters.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { rfc5077State } from '../../src/sessions/state-plaintext.js';
import {
  connectSync,
  outcome,
  passing,
  pumpThrough,
  rewritingServerHello,
  clearItems,
  tls12SessionOf,
  type ClearItem,
  type Middleman,
} from '../support/attack-rig.js';
import {
  connect,
  driverNames,
  epoch,
  eventsOf,
  makePair,
  pump,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
  type Changes,
  type Pair,
} from '../support/connections.js';
import { clientCredentials, trustingVerifier } from '../support/credentials.js';
import { misuse } from '../support/decoding.js';
import { itemName, tls12Psk as device } from '../support/replay.js';
import { backendNames } from '../support/seeded.js';

const pskSuites = Object.keys(tls12Suites).filter(isTls12CipherSuite).filter(isPskSuite);
const find: Tls12PskLookup = (identity) => (equal(identity, device.identity) ? device.key : undefined);

const client = (changes: Changes<ClientOptions> = {}) =>
  testClient('node', 'psk', { selectTls12Psk: () => device, verifyCertificate: nobody, ...changes });
const server = (changes: Changes<ServerOptions> = {}) =>
  testServer('node', 'psk', { credentials: [], findTls12Psk: find, ...changes });

/** A client that has nothing but its PSK asks for no certificate. */
const nobody: ClientOptions['verifyCertificate'] = () => ({
  accepted: false,
  alert: 'unknown_ca',
  reason: 'no certificate is to be seen',
});

const meet = (ours: Changes<ClientOptions> = {}, theirs: Changes<ServerOptions> = {}): Pair =>
  connectSync(client(ours), server(theirs));

describe.each(backendNames)('on %s', (backend) => {
  it.each(pskSuites.flatMap((suite) => driverNames.map((driver) => [suite, driver] as const)))(
    '%s, driver %s: full, and resumed by ticket',
    async (cipherSuite, driver) => {
      const asked: string[] = [];
      const ours = {
        cipherSuites: [cipherSuite],
        verifyCertificate: nobody,
        selectTls12Psk: (hint: Uint8Array) => {
          asked.push(toHex(hint));
          return device;
        },
      };
      const { sealer } = ticketSealer(backend, 'psk');
      const theirs = testServer(backend, 'psk', {
        credentials: [],
        findTls12Psk: find,
        tls12PskIdentityHint: ascii('a hint'),
        tickets: sealer,
      });
      const first = await connect(testClient(backend, 'first', ours), theirs, { driver });
      const { session } = theEvent(first.client, 'session');
      const second = await connect(testClient(backend, 'second', { ...ours, session }), theirs, { driver });
      expect(asked).toEqual([toHex(ascii('a hint')), toHex(ascii('a hint'))]);
      for (const [pair, mode] of [
        [first, 'full'],
        [second, 'ticket'],
      ] as const) {
        for (const end of [pair.client, pair.server])
          expect(theEvent(end, 'handshake')).toMatchObject({
            version: 'TLSv1.2',
            cipherSuite,
            mode,
            group: 'x25519',
            extendedMasterSecret: true,
            externalPskIdentity: device.identity,
            peerCertificates: [],
          });
        pair.client.connection.write(ascii('question'));
        pair.server.connection.write(ascii('answer'));
        pump(pair);
        expect(eventsOf(pair.server, 'data').map(({ data }) => data)).toEqual([ascii('question')]);
        expect(eventsOf(pair.client, 'data').map(({ data }) => data)).toEqual([ascii('answer')]);
        expect(pair.client.connection.exportKeyingMaterial('EXPERIMENTAL', 16)).toEqual(
          pair.server.connection.exportKeyingMaterial('EXPERIMENTAL', 16),
        );
      }
    },
  );
});

describe('key exchange', () => {
  it('RFC 4279 2, RFC 5489 2: lengths before both parts of the premaster secret', () => {
    const z = new Uint8Array(32).fill(1);
    expect(toHex(pskPremasterSecret(z, ascii('key')))).toBe(`0020${toHex(z)}00036b6579`);
    expect(toHex(pskPremasterSecret(new Uint8Array(2), new Uint8Array(256)))).toBe(`000200000100${'00'.repeat(256)}`);
  });

  it('no Certificate and no CertificateRequest, though one would be asked for', () => {
    const pair = meet({}, { clientAuthentication: 'request', verifyCertificate: trustingVerifier });
    expect(clearItems(pair, 'server').map(itemName)).toEqual([
      'server_hello',
      'server_key_exchange',
      'server_hello_done',
      'change_cipher_spec',
    ]);
    expect(outcome(pair)).toBe('full: not_offered');
  });

  it('a ServerKeyExchange is always sent, its hint is empty where there is none', () => {
    const hints: Uint8Array[] = [];
    meet({ selectTls12Psk: (hint) => (hints.push(hint), device) });
    expect(hints).toEqual([new Uint8Array(0)]);
  });

  it('without extended_master_secret too, where both sides allow it', () => {
    const allowed = { allowMissingExtendedMasterSecret: true };
    const ours = {
      ...allowed,
      shapeClientHello: (extensions: ClientHelloExtensions) =>
        extensions.filter(({ type }) => type !== 'extended_master_secret'),
    };
    const pair = meet(ours, { ...allowed, tickets: ticketSealer('node', 'psk legacy').sealer });
    expect(theEvent(pair.client, 'handshake')).toMatchObject({
      extendedMasterSecret: false,
      externalPskIdentity: device.identity,
    });
    // RFC 7627 5.3: and nothing to resume.
    expect(eventsOf(pair.client, 'session')).toEqual([]);
  });
});

describe('identities', () => {
  it('RFC 4279 2: an unknown identity looks like a wrong key', () => {
    const wrong = meet({ selectTls12Psk: () => ({ ...device, key: new Uint8Array(32) }) });
    const unknown = meet({ selectTls12Psk: () => ({ ...device, identity: ascii('nobody') }) });
    for (const pair of [wrong, unknown]) {
      expect(outcome(pair)).toBe('server: bad_record_mac');
      expect(theEvent(pair.client, 'close')).toMatchObject({ error: { code: 'peer_alert', alert: 'bad_record_mac' } });
    }
    expect(unknown.segments.map(({ from, bytes }) => [from, bytes.length])).toEqual(
      wrong.segments.map(({ from, bytes }) => [
        from,
        bytes.length + (from === 'client' && bytes.length < 150 ? ascii('nobody').length - device.identity.length : 0),
      ]),
    );
  });

  it('a client without a PSK for the hint ends it', () => {
    expect(outcome(meet({ selectTls12Psk: () => undefined }))).toBe('client: handshake_failure');
  });

  it('an empty identity is one', () => {
    const identity = new Uint8Array(0);
    const pair = meet({ selectTls12Psk: () => ({ ...device, identity }) }, { findTls12Psk: () => device.key });
    expect(theEvent(pair.server, 'handshake').externalPskIdentity).toEqual(identity);
  });

  it('R9257-6-1 a key below 16 bytes is a mistake of ours on either side, unless it is allowed', () => {
    const short = { ...device, key: ascii('12345') };
    const shortClient = { selectTls12Psk: () => short };
    const shortServer = { findTls12Psk: () => short.key };
    const allowed = { allowShortTls12Psks: true };
    const ended = (pair: Pair) =>
      [pair.client, pair.server].map((end) => eventsOf(end, 'close').map(({ error }) => error?.code));
    expect(ended(meet(shortClient, { ...shortServer, ...allowed }))).toEqual([['invalid_key'], ['peer_alert']]);
    expect(ended(meet({ ...shortClient, ...allowed }, shortServer))).toEqual([['peer_alert'], ['invalid_key']]);
    const pair = meet({ ...shortClient, ...allowed }, { ...shortServer, ...allowed });
    expect(outcome(pair)).toBe('full: not_offered');
    const none = { selectTls12Psk: () => ({ ...device, key: new Uint8Array(0) }), ...allowed };
    expect(ended(meet(none))).toEqual([['invalid_key'], ['peer_alert']]);
  });

  it.each([65_536, 70_000])('an identity of %i bytes fits nowhere', (length) => {
    const pair = meet({ selectTls12Psk: () => ({ ...device, identity: new Uint8Array(length) }) });
    expect(theEvent(pair.client, 'close')).toMatchObject({ error: { code: 'value_not_encodable' } });
    expect(misuse(() => server({ tls12PskIdentityHint: new Uint8Array(length) }))).toBe('invalid_option');
  });
});

describe('what is offered and chosen', () => {
  const offered = (changes: Changes<ClientOptions>) => client(changes).cipherSuites;

  it('nothing of it without PSKs of TLS 1.2', () => {
    const isPsk = (suite: Tls12CipherSuite) => isPskSuite(suite);
    expect(offered({ selectTls12Psk: undefined }).some(isPsk)).toBe(false);
    expect(testServer('node', 'psk').cipherSuites.some(isPsk)).toBe(false);
    expect(offered({}).filter(isPsk)).toEqual(pskSuites);
    expect(misuse(() => client({ selectTls12Psk: undefined, cipherSuites: pskSuites }))).toBe('invalid_option');
    expect(misuse(() => server({ findTls12Psk: undefined }))).toBe('invalid_option');
  });

  it('before certificates, unless the server prefers them', () => {
    const both = testServer('node', 'both', { findTls12Psk: find });
    expect(theEvent(connectSync(client(), both).server, 'handshake').cipherSuite).toMatch(/ECDHE_PSK/);
    const certificates = testServer('node', 'both', {
      findTls12Psk: find,
      cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', ...pskSuites],
    });
    const trusting = client({ verifyCertificate: trustingVerifier });
    const pair = connectSync(trusting, certificates);
    expect(theEvent(pair.server, 'handshake')).toMatchObject({
      cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      externalPskIdentity: undefined,
    });
    expect(theEvent(connectSync(testClient('node', 'web'), both).server, 'handshake').cipherSuite).toMatch(/ECDSA/);
  });

  it('not where a client certificate is required', () => {
    const strict = testServer('node', 'strict', { findTls12Psk: find, clientAuthentication: 'require' });
    const pair = connectSync(client({ verifyCertificate: trustingVerifier, credentials: [clientCredentials] }), strict);
    expect(theEvent(pair.server, 'handshake')).toMatchObject({ externalPskIdentity: undefined });
    expect(theEvent(pair.server, 'handshake').peerCertificates).not.toEqual([]);
    const alone = server({ clientAuthentication: 'require', verifyCertificate: trustingVerifier });
    expect(outcome(connectSync(client(), alone))).toBe('server: handshake_failure');
  });

  it('RFC 8446 E.7: they are not for TLS 1.3, which a server that has nothing else does not speak', () => {
    const both = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
    expect(server(both).versions).toEqual(['TLSv1.2']);
    const withCertificate = testServer('node', 'both', { ...both, findTls12Psk: find });
    expect(withCertificate.versions).toEqual(['TLSv1.3', 'TLSv1.2']);
    expect(theEvent(connectSync(client(both), server(both)).server, 'handshake')).toMatchObject({
      version: 'TLSv1.2',
      externalPskIdentity: device.identity,
    });
  });

  it('RFC 5246 7.4.1.3: a client refuses a suite that it did not offer', () => {
    const without = client({ selectTls12Psk: undefined });
    const suite = 'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256';
    const pair = makePair(without, testServer('node', 'psk'));
    pumpThrough(
      pair,
      rewritingServerHello((hello) => ({ ...hello, cipherSuite: suite })),
    );
    expect(outcome(pair)).toBe('client: illegal_parameter');
  });
});

describe('messages that do not belong', () => {
  /** In place of the server's message of that name. */
  const inPlaceOf =
    (name: string, replace: (item: ClearItem) => readonly Pick<ClearItem, 'contentType' | 'bytes'>[]): Middleman =>
    (item) =>
      item.from === 'server' && itemName(item) === name ? replace(item) : passing(item);
  const handshake = (bytes: Uint8Array) => ({ contentType: contentTypes.handshake, bytes });
  const certificate = handshake(
    handshakeMessages['TLSv1.2'].encode({ type: 'certificate', body: { certificateList: [new Uint8Array(4)] } }),
  );
  const certificateRequest = handshake(
    handshakeMessages['TLSv1.2'].encode({
      type: 'certificate_request',
      body: {
        certificateTypes: ['ecdsa_sign'],
        supportedSignatureAlgorithms: ['ed25519'],
        certificateAuthorities: [],
      },
    }),
  );
  const run = (middleman: Middleman) => outcome(pumpThrough(makePair(client(), server()), middleman));
  const keyExchange = (change: (bytes: Uint8Array) => Uint8Array) =>
    run(inPlaceOf('server_key_exchange', ({ bytes }) => [handshake(change(bytes))]));

  it('RFC 4279 2: neither Certificate nor CertificateRequest', () => {
    expect(run(inPlaceOf('server_key_exchange', (item) => [certificate, item]))).toBe('client: unexpected_message');
    expect(run(inPlaceOf('server_hello_done', (item) => [certificateRequest, item]))).toBe(
      'client: unexpected_message',
    );
    expect(run(inPlaceOf('server_key_exchange', () => []))).toBe('client: unexpected_message');
  });

  it('a share that is no point, or of another group', () => {
    expect(keyExchange((bytes) => bytes.map((byte, i) => (i < bytes.length - 32 ? byte : 0)))).toBe(
      'client: illegal_parameter',
    );
    const decoded = (bytes: Uint8Array) => {
      const message = pskHandshakeMessages.decode(bytes);
      if (message.type !== 'server_key_exchange') throw new Error(message.type);
      return message.body;
    };
    const ofGroup = (namedCurve: 'secp521r1' | 'secp256r1') =>
      keyExchange((bytes) => {
        const body = decoded(bytes);
        return pskHandshakeMessages.encode({
          type: 'server_key_exchange',
          body: { ...body, params: { ...body.params, namedCurve } },
        });
      });
    expect([ofGroup('secp521r1'), ofGroup('secp256r1')]).toEqual([
      'client: illegal_parameter',
      'client: illegal_parameter',
    ]);
  });

  it('bytes left over', () => {
    expect(
      keyExchange((bytes) => {
        const longer = concat(bytes, Uint8Array.of(0));
        longer[3]!++;
        return longer;
      }),
    ).toBe('client: decode_error');
  });

  it('a ServerKeyExchange with a signature is none', () => {
    const pair = connectSync(testClient('node', 'web'), testServer('node', 'web'));
    const signed = clearItems(pair, 'server').find((item) => itemName(item) === 'server_key_exchange')!;
    expect(decodeHandshake('TLSv1.2', signed.bytes).type).toBe('server_key_exchange');
    expect(keyExchange(() => signed.bytes)).toBe('client: decode_error');
  });
});

describe('sessions', () => {
  const withTickets = { tickets: ticketSealer('node', 'psk sessions').sealer };
  const first = () => meet({}, withTickets);

  it('remember the identity, and the hint that it was selected by', () => {
    const session = tls12SessionOf(meet({}, { ...withTickets, tls12PskIdentityHint: ascii('hint') }));
    expect(session).toMatchObject({
      externalPskIdentity: device.identity,
      pskIdentityHint: ascii('hint'),
      peerCertificates: [],
    });
  });

  it('resume by session ID too', () => {
    const theirs = { sessions: new MemoryStore({ now: () => epoch }) };
    const session = tls12SessionOf(meet({ tickets: false }, theirs));
    const pair = meet({ tickets: false, session }, theirs);
    expect(outcome(pair)).toBe('session_id');
    expect(theEvent(pair.server, 'handshake').externalPskIdentity).toEqual(device.identity);
  });

  it('a client offers them again from its store', () => {
    const sessions = new MemoryStore({ now: () => epoch });
    meet({ sessions }, withTickets);
    expect(outcome(meet({ sessions }, withTickets))).toBe('ticket');
  });

  it('die with the PSK: a client does not offer them, a server does not take them', () => {
    const session = tls12SessionOf(first());
    const other = { identity: ascii('another'), key: device.key };
    expect(
      outcome(meet({ session, selectTls12Psk: () => other }, { ...withTickets, findTls12Psk: () => other.key })),
    ).toBe('full: not_offered');
    const both = testServer('node', 'both', { ...withTickets, findTls12Psk: () => undefined });
    const removed = connectSync(client({ session }), both);
    expect(theEvent(removed.client, 'close')).toMatchObject({ error: { alert: 'bad_record_mac' } });
    const trusting = client({
      session,
      cipherSuites: [session.cipherSuite, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
      verifyCertificate: trustingVerifier,
    });
    const preferring = testServer('node', 'both', {
      ...withTickets,
      findTls12Psk: () => undefined,
      cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', session.cipherSuite],
    });
    expect(outcome(connectSync(trusting, preferring))).toBe('full: external_psk_removed');
  });

  it('P-bind-2 die with the key of the PSK, though its identity lives on', () => {
    const session = tls12SessionOf(first());
    const replaced = { identity: device.identity, key: new Uint8Array(32).fill(0x5a) };
    const here = { ...withTickets, findTls12Psk: () => replaced.key };
    // Who has both changed meets under the new key; the session is offered by nobody.
    expect(outcome(meet({ session, selectTls12Psk: () => replaced }, here))).toBe('full: not_offered');
    // Who goes on with the old key is nobody any more.
    const stale = meet({ session }, here);
    expect(theEvent(stale.client, 'close')).toMatchObject({ error: { alert: 'bad_record_mac' } });
    expect(eventsOf(stale.server, 'handshake')).toEqual([]);
  });

  it('a client without PSKs offers none, a server without them takes none', () => {
    const session = tls12SessionOf(first());
    const plain = testServer('node', 'plain', withTickets);
    const web = testClient('node', 'web', { session });
    expect(outcome(connectSync(web, plain))).toBe('full: not_offered');
    expect(outcome(connectSync(client({ session, verifyCertificate: trustingVerifier }), plain))).toBe(
      'full: cipher_suite_disabled',
    );
  });

  it('not where a client certificate is required', () => {
    const session = tls12SessionOf(first());
    const strict = testServer('node', 'strict', { ...withTickets, findTls12Psk: find, applicationContext: ascii('x') });
    expect(outcome(connectSync(client({ session }), strict))).toBe('full: context_mismatch');
  });

  it('RFC 5077 4: StatePlaintext has room for the identity', () => {
    const { extendedMasterSecret: _, serverName: _name, ...session } = tls12SessionOf(first());
    const bare = { ...session, extendedMasterSecret: false, applicationContext: new Uint8Array(0) };
    const decoded = rfc5077State.decode(rfc5077State.encode(bare)!);
    expect(decoded).toMatchObject({ cipherSuite: session.cipherSuite, externalPskIdentity: device.identity });
  });
});
