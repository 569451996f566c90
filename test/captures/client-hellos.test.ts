/**
 * Every recorded ClientHello - of OpenSSL, Node.js, Go, GnuTLS and NSS, for both versions - against our server. It has
 * none of the keys under which the recorded sessions stand, so it answers a full flight or the alert that the hello deserves.
 */
import { describe, expect, it } from 'vitest';
import { ascii, empty, equal, toHex } from '../../src/bytes.js';
import { serverConnection } from '../../src/connection/connection.js';
import type { ServerSettings } from '../../src/handshake/settings.js';
import { isTls12CipherSuite } from '../../src/key-schedule/suites.js';
import {
  clientHello,
  contentTypes,
  decodeHandshake,
  findExtension,
  type ClientHello,
  type HandshakeVersion,
  type ServerHello,
} from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { captures, chunks, plaintextMessages, splitRecords } from '../support/capture.js';
import { epoch, testServer, ticketSealer } from '../support/connections.js';
import { ecdsaP256, ed25519Credentials, rsaCredentials } from '../support/credentials.js';
import { backendNames, type BackendName } from '../support/seeded.js';
import { tally } from '../support/tally.js';
import { alertsOf, readTraffic } from '../support/traffic.js';

interface Recorded {
  readonly origin: string;
  /** The record or records of the hello, as they were sent, without what may have come after them. */
  readonly wire: Uint8Array;
  readonly hello: ClientHello;
}

const recorded: Recorded[] = captures().map((connection) => {
  const { origin } = connection;
  const message = plaintextMessages([connection]).find(({ from }) => from === 'client');
  const [first] = chunks(connection);
  if (message === undefined || first?.from !== 'client') throw new Error(`${origin} does not begin with a ClientHello`);
  return {
    origin,
    wire: first.bytes.subarray(0, 5 + message.bytes.length),
    hello: clientHello.decode(message.bytes.subarray(4)),
  };
});

/** What RFC 8446 4.2.1, RFC 7627 5.2 and RFC 5246 7.4.1 make a TLS 1.2 server with our suites say. */
function expectedAnswer({ hello }: Recorded, allowMissingExtendedMasterSecret: boolean): string {
  const versions = findExtension(hello.extensions, 'supported_versions');
  if (versions !== undefined && !versions.includes('TLSv1.2')) return 'fatal protocol_version';
  const extended = findExtension(hello.extensions, 'extended_master_secret') !== undefined;
  if (!extended && !allowMissingExtendedMasterSecret) return 'fatal handshake_failure: no EMS';
  return hello.cipherSuites.some(isTls12CipherSuite) ? 'flight' : 'fatal handshake_failure: no suite';
}

function server(
  backend: BackendName,
  allowMissingExtendedMasterSecret: boolean,
  maxVersion: HandshakeVersion,
): ServerSettings {
  return testServer(backend, 'captures', {
    maxVersion,
    credentials: [ecdsaP256, ed25519Credentials, rsaCredentials()],
    tickets: ticketSealer(backend, 'captures').sealer,
    sessions: new MemoryStore({ now: () => epoch }),
    alpnProtocols: ['h2', 'http/1.1'],
    allowMissingExtendedMasterSecret,
  });
}

function answer(settings: ServerSettings, wire: Uint8Array) {
  const connection = serverConnection(settings, { driver: 'sync' });
  connection.receive(wire.slice());
  const items = readTraffic([{ from: 'server', bytes: connection.takeOutput() }]);
  const messages = items
    .filter(({ contentType }) => contentType === contentTypes.handshake)
    .map(({ bytes }) => decodeHandshake('TLSv1.2', bytes));
  return { connection, messages, types: messages.map(({ type }) => type), alerts: alertsOf(items) };
}

describe.each(backendNames)('recorded ClientHellos (%s)', (backend) => {
  it.each([
    {
      allow: false,
      expected: {
        flight: 44,
        'fatal handshake_failure: no EMS': 6,
        'fatal handshake_failure: no suite': 4,
        'fatal protocol_version': 66,
      },
    },
    {
      allow: true,
      expected: { flight: 50, 'fatal handshake_failure: no suite': 4, 'fatal protocol_version': 66 },
    },
  ])(
    'R8446-4.1.2-8 R7627-5.2-3 R5746-3.6-2 get the flight or the alert that they deserve; clients without EMS allowed: $allow',
    ({ allow, expected }) => {
      const settings = server(backend, allow, 'TLSv1.2');
      const answers = recorded.map((hello) => {
        const due = expectedAnswer(hello, allow);
        const { types, messages, alerts, connection } = answer(settings, hello.wire);
        if (due !== 'flight') {
          expect({ types, alerts, state: connection.state }, hello.origin).toEqual({
            types: [],
            alerts: [due.replace(/:.*/, '')],
            state: 'closed',
          });
          return due;
        }
        expect({ types, alerts, state: connection.state }, hello.origin).toEqual({
          types: ['server_hello', 'certificate', 'server_key_exchange', 'server_hello_done'],
          alerts: [],
          state: 'handshake',
        });
        const [serverHello] = messages;
        if (serverHello?.type === 'server_hello') checkServerHello(hello, serverHello.body);
        return due;
      });
      expect(tally(answers)).toEqual(expected);
    },
  );
});

describe.each(backendNames)('recorded ClientHellos and a server of both versions (%s)', (backend) => {
  const answers = recorded.map((hello) => {
    const connection = serverConnection(server(backend, true, 'TLSv1.3'), { driver: 'sync' });
    connection.receive(hello.wire.slice());
    return { ...hello, records: splitRecords(connection.takeOutput()) };
  });
  const offersTls13 = ({ hello }: Recorded) =>
    findExtension(hello.extensions, 'supported_versions')?.includes('TLSv1.3') === true;

  it('R8446-4.1.3-6 R8446-D.4-1 R8446-4.2.11-7 R8446-4.2.11-8 TLS 1.3 for who speaks it, full where the PSK is unknown', () => {
    const newest = answers.filter(offersTls13);
    for (const { origin, hello, records } of newest) {
      const [first, ...others] = records.map(({ contentType }) => contentType);
      const compatible = hello.legacySessionId.length > 0;
      expect([first, ...others], origin).toEqual(compatible ? [22, 20, 23] : [22, 23]);
      const message = records[0] && decodeHandshake('TLSv1.3', records[0].fragment);
      if (message?.type !== 'server_hello') throw new Error(`${origin} gets ${String(message?.type)}`);
      expect(message.body.extensions?.map(({ type }) => type).sort(), origin).toEqual([
        'key_share',
        'supported_versions',
      ]);
      expect(toHex(message.body.legacySessionIdEcho), origin).toBe(toHex(hello.legacySessionId));
    }
    expect(newest.length).toBe(66);
    const offered = newest.filter(({ hello }) => findExtension(hello.extensions, 'pre_shared_key') !== undefined);
    expect(offered.length).toBe(35);
  });

  it('R8446-4.1.3-3 TLS 1.2 for everybody else, with the mark of a downgrade', () => {
    const older = answers.filter((hello) => !offersTls13(hello) && hello.hello.cipherSuites.some(isTls12CipherSuite));
    for (const { origin, records } of older) {
      const messages = records[0]?.fragment ?? empty;
      const message = decodeHandshake('TLSv1.2', messages.subarray(0, 4 + (messages[3] ?? 0)));
      if (message.type !== 'server_hello') throw new Error(`${origin} gets ${message.type}`);
      expect(toHex(message.body.random.subarray(24)), origin).toBe(toHex(ascii('DOWNGRD\x01')));
    }
    expect(older.length).toBe(50);
  });
});

/** RFC 5246 7.4.1.3 and 7.4.1.4, RFC 5746 3.6, RFC 7627 5.2: what an answer owes to its hello. */
function checkServerHello({ origin, hello }: Recorded, answered: ServerHello): void {
  const offered = (type: 'session_ticket' | 'extended_master_secret' | 'server_name') =>
    findExtension(hello.extensions, type) !== undefined;
  const types = (answered.extensions ?? []).map(({ type }) => type);
  const scsv = hello.cipherSuites.includes('TLS_EMPTY_RENEGOTIATION_INFO_SCSV');
  expect(answered.legacyVersion, origin).toBe('TLSv1.2');
  expect(hello.cipherSuites, origin).toContain(answered.cipherSuite);
  expect(answered.legacyCompressionMethod, origin).toBe(0);
  for (const type of types)
    expect(
      (hello.extensions ?? []).some((extension) => extension.type === type) || (type === 'renegotiation_info' && scsv),
      `${origin} ${String(type)}`,
    ).toBe(true);
  expect(types.includes('session_ticket'), origin).toBe(offered('session_ticket') && offered('extended_master_secret'));
  expect(types.includes('extended_master_secret'), origin).toBe(offered('extended_master_secret'));
  expect(types.includes('server_name'), origin).toBe(offered('server_name'));
  // Nothing recorded resumes here: no session ID comes back, whether made up or from a cache.
  if (hello.legacySessionId.length > 0)
    expect(
      equal(answered.legacySessionIdEcho, hello.legacySessionId),
      `${origin} ${toHex(hello.legacySessionId)}`,
    ).toBe(false);
}
