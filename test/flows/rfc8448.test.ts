/**
 * The five traces of RFC 8448 by our client and our server at once: every message, secret and record equals the trace.
 *
 * Given are the randoms, the key pairs, the ticket and the signatures, whose salts are random; and what NSS offers that we do
 * not: groups, signature schemes, three extensions and the order of them all.
 */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { empty, equal, join, toHex } from '../../src/bytes.js';
import { clientSettings, serverSettings } from '../../src/connection/config.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { CryptoBackend, EcdheGroup, KeyShare } from '../../src/crypto/backend.js';
import { answerWith } from '../../src/crypto/key-share.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nodeKeyShare } from '../../src/crypto/node-key-share.js';
import { nodeCrypto, publicKeyOf } from '../../src/crypto/node.js';
import { requireEcdhe } from '../../src/crypto/refusals.js';
import type {
  CertificateVerifier,
  ClientHelloExtensions,
  Credentials,
  ServerExtensions,
} from '../../src/handshake/settings.js';
import type { SignatureSchemeName } from '../../src/handshake/signature-schemes.js';
import { decodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import { findExtension } from '../../src/messages/index.js';
import type { Session } from '../../src/sessions/session.js';
import { Deframer } from '../../src/record/deframer.js';
import type { TicketSealer } from '../../src/tickets/sealer.js';
import { epoch, eventsOf, makePair, pump, theEvent, type Pair } from '../support/connections.js';
import { traceOf, type Trace } from '../support/rfc8448.js';
import type { Side } from '../support/traffic.js';

const backends: readonly (readonly [CryptoBackend, (group: EcdheGroup, secretKey: Uint8Array) => KeyShare])[] = [
  [nobleCryptoWithRsa, nobleKeyShare],
  [nodeCrypto, nodeKeyShare],
];

describe.each(backends)('RFC 8448 by client and server', (crypto, keyShare) => {
  it(`simple 1-RTT handshake (${crypto.name})`, () => {
    const trace = traceOf('simple-1rtt');
    const { pair, keyLogs, sealed } = connect(trace);
    exchangeData(pair, trace);
    close(pair);
    expectTrace(trace, pair, keyLogs);
    const { session } = theEvent(pair.client, 'session');
    expect(session).toMatchObject({ version: 'TLSv1.3', ticketLifetime: 30, maxEarlyDataSize: 1024 });
    expect(toHex(session.version === 'TLSv1.3' ? session.psk : empty)).toBe(trace.secrets['resumptionPsk']);
    expect(sealed).toHaveLength(1);
  });

  it(`resumed 0-RTT handshake, with the ticket of the first trace (${crypto.name})`, () => {
    const first = connect(traceOf('simple-1rtt'));
    const trace = traceOf('resumed-0rtt');
    const { pair, keyLogs } = connect(trace, {
      session: theEvent(first.pair.client, 'session').session,
      sealed: first.sealed,
      // The ticket is 6 ms old.
      now: epoch + 6,
    });
    exchangeData(pair, trace);
    close(pair);
    expectTrace(trace, pair, keyLogs);
    expect(theEvent(pair.server, 'handshake')).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'accepted' });
    expect(eventsOf(pair.server, 'data').map(({ early }) => early)).toEqual([true, false]);
  });

  it(`R8446-4.2.2-1 R8446-4.4.1-1 HelloRetryRequest (${crypto.name})`, () => {
    const trace = traceOf('hello-retry-request');
    const { pair, keyLogs } = connect(trace, {
      client: { groups: ['x25519', 'secp256r1', 'secp384r1'] },
      server: { groups: ['secp256r1', 'secp384r1'] },
    });
    close(pair);
    expectTrace(trace, pair, keyLogs);
    expect(theEvent(pair.client, 'handshake')).toMatchObject({ helloRetryRequest: true, group: 'secp256r1' });
  });

  it(`client authentication (${crypto.name})`, () => {
    const trace = traceOf('client-auth');
    const { pair, keyLogs } = connect(trace, { server: { clientAuthentication: 'require' } });
    close(pair);
    expectTrace(trace, pair, keyLogs);
    expect(theEvent(pair.server, 'handshake').peerCertificates.map(toHex)).toEqual([
      toHex(trace.certificates.client?.der ?? empty),
    ]);
  });

  it(`R8446-D.4-1 R8446-D.4-2 middlebox compatibility mode (${crypto.name})`, () => {
    const trace = traceOf('compatibility-mode');
    const { pair, keyLogs } = connect(trace, { client: { middleboxCompatibility: true } });
    close(pair);
    expectTrace(trace, pair, keyLogs);
  });

  interface Given {
    readonly client?: Partial<ClientOptions>;
    readonly server?: Partial<ServerOptions>;
    readonly session?: Session;
    /** What the server has sealed into the ticket of the traces. */
    readonly sealed?: Uint8Array[];
    readonly now?: number;
  }

  function connect(trace: Trace, { client, server, session, sealed = [], now = epoch }: Given = {}) {
    const keyLogs: Record<Side, string[]> = { client: [], server: [] };
    const common = (side: Side) => ({
      now: () => now,
      minVersion: 'TLSv1.3' as const,
      cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_256_GCM_SHA384'] as const,
      groups: ['x25519', 'secp256r1', 'secp384r1'] as const,
      recordSizeLimit: 16385,
      crypto: tracedCrypto(trace, side),
      verifyCertificate: acceptAny,
      keyLog: (line: string) => void keyLogs[side].push(line),
    });
    const ofClient = clientSettings({
      ...common('client'),
      serverName: 'server',
      middleboxCompatibility: false,
      credentials: credentialsOf(trace, 'client'),
      earlyData: true,
      shapeClientHello: likeTrace(trace),
      ...(session !== undefined && { session }),
      ...client,
    });
    const ofServer = serverSettings({
      ...common('server'),
      credentials: credentialsOf(trace, 'server'),
      tickets: tracedSealer(sealed),
      ticketLifetime: 30,
      ticketCount: trace.messages.filter(({ type }) => type === 'NewSessionTicket').length,
      earlyData: { maxSize: 1024, acceptReplayedEarlyData: true },
      shapeEncryptedExtensions: withExtensionsOf(trace),
      retryCookie: () => cookieOf(trace),
      ...server,
    });
    // NSS has schemes that are not ours in its CertificateRequest.
    const signatureSchemes = schemesOf(trace) ?? ofServer.signatureSchemes;
    const pair = makePair(ofClient, { ...ofServer, signatureSchemes });
    const early = trace.records.find(({ epoch, contentType }) => epoch === 'early' && contentType === 23);
    if (early !== undefined) pair.client.connection.writeEarlyData(early.payload);
    return { pair: pump(pair), keyLogs, sealed };
  }

  /** The backend, with the randoms and key pairs of a trace. */
  function tracedCrypto(trace: Trace, side: Side): CryptoBackend {
    const [hello] = hellos(trace, side);
    if (hello === undefined) throw new Error(`no hello of the ${side}`);
    const ageAdd = trace.messages
      .map(({ bytes }) => decodeHandshake('TLSv1.3', bytes))
      .flatMap((message) => (message.type === 'new_session_ticket' ? [message.body.ticketAgeAdd] : []));
    const randoms = [
      hello.body.random,
      ...('legacySessionId' in hello.body ? [hello.body.legacySessionId] : []),
      ...ageAdd.map((value) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)),
    ];
    // Key shares wipe their secrets.
    const secrets = trace.secretKeys[side].map((secret) => secret.slice());
    const nextShare = (group: string): KeyShare => keyShare(requireEcdhe(group as EcdheGroup), taken(secrets));
    return {
      ...crypto,
      randomBytes: (length) => {
        const next = taken(randoms);
        expect(next.length).toBe(length);
        return next;
      },
      generateKeyShare: nextShare,
      answerKeyShare: (group, peer) => answerWith(nextShare(group), peer),
    };
  }
});

function taken(values: Uint8Array[]): Uint8Array {
  const value = values.shift();
  if (value === undefined) throw new Error('the trace has no more of them');
  return value;
}

type Hello = Extract<HandshakeMessage<'TLSv1.3'>, { type: 'client_hello' | 'server_hello' }>;

function hellos({ messages }: Trace, side: Side): Hello[] {
  return messages
    .filter(({ from }) => from === side)
    .map(({ bytes }) => decodeHandshake('TLSv1.3', bytes))
    .filter((message): message is Hello => message.type === 'client_hello' || message.type === 'server_hello');
}

/** Extensions that NSS sends and we do not, or whose data hold what we do not have. */
const ofNss: readonly string[] = [
  'renegotiation_info',
  'supported_groups',
  'session_ticket',
  'signature_algorithms',
  'padding',
];

/** Our extensions in the trace's order, with those of NSS between them; the second call is for the second ClientHello. */
function likeTrace(trace: Trace): (extensions: ClientHelloExtensions) => ClientHelloExtensions {
  const remaining = hellos(trace, 'client');
  return (ours) => {
    const hello = remaining.shift();
    if (hello?.type !== 'client_hello') throw new Error('one ClientHello too many');
    const wanted = (hello.body.extensions ?? []).filter(({ type }) => type !== 'pre_shared_key');
    const missing = ours.filter(({ type }) => !wanted.some((extension) => extension.type === type));
    expect(missing).toEqual([]);
    return wanted.map((extension) => {
      if (ofNss.includes(String(extension.type))) return extension;
      const own = ours.find(({ type }) => type === extension.type);
      if (own === undefined) throw new Error(`we do not send ${String(extension.type)}`);
      return own;
    });
  };
}

/** In the order of NSS, which tells its groups, and acknowledges the name on resumption as well. */
function withExtensionsOf(trace: Trace): (extensions: ServerExtensions) => ServerExtensions {
  const message = trace.messages.find(({ type }) => type === 'EncryptedExtensions');
  const decoded = decodeHandshake('TLSv1.3', message?.bytes ?? empty);
  const theirs = decoded.type === 'encrypted_extensions' ? decoded.body.extensions : [];
  return (ours) => {
    const ofNss = theirs.filter(({ type }) => !ours.some((own) => own.type === type));
    expect(
      ofNss.map(({ type }) => type).filter((type) => type !== 'supported_groups' && type !== 'server_name'),
    ).toEqual([]);
    return theirs.flatMap(({ type }) => [...ofNss, ...ours].find((extension) => extension.type === type) ?? []);
  };
}

function cookieOf({ messages }: Trace): Uint8Array | undefined {
  for (const { bytes } of messages) {
    const message = decodeHandshake('TLSv1.3', bytes);
    if (message.type === 'hello_retry_request') return findExtension(message.body.extensions, 'cookie');
  }
  return undefined;
}

function schemesOf({ messages }: Trace): readonly SignatureSchemeName[] | undefined {
  for (const { bytes } of messages) {
    const message = decodeHandshake('TLSv1.3', bytes);
    if (message.type !== 'certificate_request') continue;
    return findExtension(message.body.extensions, 'signature_algorithms') as readonly SignatureSchemeName[];
  }
  return undefined;
}

/** The trace's chain and signature; what is to be signed has to be what the trace signs. */
function credentialsOf(trace: Trace, side: Side): readonly Credentials[] {
  const certificate =
    trace.certificates[side] ?? (side === 'server' ? traceOf('simple-1rtt').certificates.server : undefined);
  if (certificate === undefined) return [];
  const { der, signedContent, signature } = certificate;
  const sign = (_algorithm: unknown, data: Uint8Array) => {
    expect(toHex(data)).toBe(toHex(signedContent));
    return signature;
  };
  return [{ certificates: [der], signer: { publicKey: keyOf(der), sign } }];
}

/** Who these certificates belong to is not this test's matter: that the signatures verify under their keys is. */
const acceptAny: CertificateVerifier = ({ certificates: [leaf = empty] }) => ({
  accepted: true,
  publicKey: keyOf(leaf),
});

function keyOf(der: Uint8Array) {
  const key = publicKeyOf(new X509Certificate(der).publicKey);
  if (key === undefined) throw new Error('no key of ours');
  return key;
}

const ticket = (() => {
  const message = traceOf('simple-1rtt').messages.find(({ type }) => type === 'NewSessionTicket');
  const decoded = decodeHandshake('TLSv1.3', message?.bytes ?? empty);
  return decoded.type === 'new_session_ticket' ? decoded.body.ticket : empty;
})();

/** Whatever it seals comes out as the ticket of the traces. */
function tracedSealer(sealed: Uint8Array[]): TicketSealer {
  return {
    seal: (state) => {
      sealed.push(state.slice());
      return ticket;
    },
    open: (offered) => {
      const [state] = sealed;
      return state !== undefined && equal(offered, ticket) ? { state, renew: false } : { reason: 'unknown_key_name' };
    },
  };
}

/** The records of both sides under application keys that are neither tickets nor alerts. */
function exchangeData(pair: Pair, { records }: Trace): void {
  for (const from of ['client', 'server'] as const) {
    for (const { epoch, contentType, payload, from: sender } of records)
      if (sender === from && epoch === 'application' && contentType === 23) pair[from].connection.write(payload);
    pump(pair);
  }
}

function close(pair: Pair): void {
  pair.client.connection.close();
  pump(pair);
}

function expectTrace(trace: Trace, pair: Pair, keyLogs: Record<Side, string[]>): void {
  for (const side of ['client', 'server'] as const) {
    const sent = pair.segments.filter(({ from }) => from === side).map(({ bytes }) => bytes);
    const expected = trace.records.filter(({ from }) => from === side).map(({ bytes }) => toHex(bytes));
    expect(recordsOf(join(sent))).toEqual(expected);
    expect(keyLogs[side]).toEqual(keyLogOf(trace));
    expect(theEvent(pair[side], 'close')).toEqual({ type: 'close', reason: 'close_notify' });
  }
  expect(orderOf(pair)).toEqual(trace.records.map(({ from }) => from).filter((from, i, all) => from !== all[i - 1]));
}

function recordsOf(stream: Uint8Array): string[] {
  const deframer = new Deframer();
  const found: string[] = [];
  deframer.push(stream);
  let offset = 0;
  for (let record = deframer.next(); record !== undefined; record = deframer.next()) {
    const end = offset + 5 + record.fragment.length;
    found.push(toHex(stream.subarray(offset, end)));
    offset = end;
  }
  return found;
}

/** Who spoke after whom. */
function orderOf({ segments }: Pair): Side[] {
  return segments.map(({ from }) => from).filter((from, i, all) => from !== all[i - 1]);
}

/** RFC 9850, in the order in which the secrets come to be. */
function keyLogOf({ secrets, messages }: Trace): string[] {
  const clientRandom = toHex(messages[0]?.bytes.subarray(6, 38) ?? empty);
  const labels = {
    CLIENT_EARLY_TRAFFIC_SECRET: 'clientEarlyTraffic',
    EARLY_EXPORTER_SECRET: 'earlyExporterMaster',
    CLIENT_HANDSHAKE_TRAFFIC_SECRET: 'clientHandshakeTraffic',
    SERVER_HANDSHAKE_TRAFFIC_SECRET: 'serverHandshakeTraffic',
    CLIENT_TRAFFIC_SECRET_0: 'clientApplicationTraffic',
    SERVER_TRAFFIC_SECRET_0: 'serverApplicationTraffic',
    EXPORTER_SECRET: 'exporterMaster',
  };
  return Object.entries(labels).flatMap(([label, name]) => {
    const secret = secrets[name];
    return secret === undefined ? [] : [`${label} ${clientRandom} ${secret}`];
  });
}
