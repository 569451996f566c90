/** What a server may say that ends a client’s handshake. */
import { ascii, concat, fromHex } from '../../../src/bytes.js';
import { contentTypes } from '../../../src/parameters.js';
import { ecdsaP256, ecdsaP384, rsaCredentials } from '../../support/credentials.js';
import { flows, itemName, itemsFrom, Replay } from '../../support/replay.js';
import {
  asCase,
  configured,
  decodeError,
  edited,
  encode,
  flipped,
  keyExchange,
  rawExtension,
  recordingOf,
  serverExtension,
  serverHello,
  withoutExtension,
  zeroMacs,
  type AlertCase,
} from './builders.js';

const { publicKey } = ecdsaP256.signer;

export const clientCases: readonly AlertCase[] = [
  serverHello('TLS 1.1 chosen', (body) => ({ ...body, legacyVersion: 'TLSv1.1' }), 'protocol_version'),
  serverHello(
    'R5246-E.1-1 TLS 1.1 chosen on resumption',
    (body) => ({ ...body, legacyVersion: 'TLSv1.1' }),
    'protocol_version',
    flows.ticket,
  ),
  serverHello(
    'a suite of TLS 1.3',
    (body) => ({ ...body, cipherSuite: 'TLS_AES_128_GCM_SHA256' }),
    'illegal_parameter',
  ),
  serverHello('a suite without name', (body) => ({ ...body, cipherSuite: 0xdada }), 'illegal_parameter'),
  serverHello('a suite of ours that was not offered', (body) => body, 'illegal_parameter', flows.withTicket, {
    clientChanges: { cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] },
  }),
  serverHello('compression', (body) => ({ ...body, legacyCompressionMethod: 1 }), 'illegal_parameter'),
  serverHello(
    'R5246-7.4.1.3-4 compression on resumption',
    (body) => ({ ...body, legacyCompressionMethod: 1 }),
    'illegal_parameter',
    flows.ticket,
  ),
  ...[flows.sessionId, flows.ticket].map((flow) =>
    serverHello(
      `R5246-7.4.1.3-4 another suite than the session’s, ${flow.name}`,
      (body) => ({ ...body, cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' }),
      'illegal_parameter',
      flow,
    ),
  ),
  serverHello(
    'R5246-7.4.1.3-6 a session ID of 33 bytes',
    (body) => {
      const bytes = encode({ type: 'server_hello', body: { ...body, legacySessionIdEcho: new Uint8Array(32) } });
      const longer = concat(bytes.subarray(0, 39), fromHex('00'), bytes.subarray(39));
      longer[3]!++;
      longer[38]!++;
      return longer;
    },
    decodeError('length_out_of_range', 'server_hello.legacySessionIdEcho'),
  ),
  serverHello(
    'R5246-7.4.1.4-1 an extension that was not offered',
    serverExtension({ type: 'status_request', data: {} }),
    'unsupported_extension',
  ),
  serverHello(
    'R5077-3.2-4 session_ticket that was not offered',
    serverExtension({ type: 'session_ticket', data: {} }),
    'unsupported_extension',
    flows.withSessionId,
  ),
  serverHello(
    'ALPN that was not offered',
    serverExtension({ type: 'application_layer_protocol_negotiation', data: [ascii('h2')] }),
    'unsupported_extension',
  ),
  serverHello(
    'an extension that a ServerHello may not hold',
    serverExtension({ type: 'signature_algorithms', data: fromHex('00020403') }),
    'illegal_parameter',
  ),
  serverHello('an extension twice', rawExtension('server_hello', 'ff01000100' + 'ff01000100'), {
    alert: 'decode_error',
    code: 'duplicate_extension',
    path: 'server_hello.extensions[1].renegotiation_info',
  }),
  serverHello('R5746-3.4-2 no renegotiation_info', withoutExtension('renegotiation_info'), 'handshake_failure'),
  ...[flows.withTicket, flows.sessionId, flows.ticket].map((flow) =>
    serverHello(
      `R5746-3.4-2 renegotiation_info with verify_data (CVE-2009-3555), ${flow.name}`,
      serverExtension({ type: 'renegotiation_info', data: new Uint8Array(24) }),
      'handshake_failure',
      flow,
    ),
  ),
  serverHello(
    'ec_point_formats without uncompressed',
    serverExtension({ type: 'ec_point_formats', data: [1] }),
    'illegal_parameter',
  ),
  ...[['h2', 'http/1.1'], ['imap']].map((names) =>
    serverHello(
      `R7301-3.1-2 ALPN answered with ${names.join(' and ')}`,
      serverExtension({ type: 'application_layer_protocol_negotiation', data: names.map(ascii) }),
      'illegal_parameter',
      flows.withTicket,
      { clientChanges: { alpnProtocols: ['h2', 'http/1.1'] } },
    ),
  ),
  serverHello(
    'R7301-3.1-2 ALPN answered with nothing',
    rawExtension('server_hello', '00100002' + '0000'),
    decodeError('length_out_of_range', 'server_hello.extensions[0].application_layer_protocol_negotiation'),
  ),
  serverHello(
    'R7627-5.1-1 extended_master_secret that is not empty',
    rawExtension('server_hello', '0017000100'),
    decodeError('trailing_bytes', 'server_hello.extensions[0].extended_master_secret'),
  ),
  serverHello(
    'R5077-3.2-3 session_ticket that is not empty',
    rawExtension('server_hello', '0023000100'),
    decodeError('trailing_bytes', 'server_hello.extensions[0].session_ticket'),
  ),
  serverHello(
    'R7627-4-1 R7627-5.2-4 no extended_master_secret',
    withoutExtension('extended_master_secret'),
    'handshake_failure',
  ),
  ...[flows.sessionId, flows.ticket].map((flow) =>
    serverHello(
      `R7627-5.3-8 no extended_master_secret, ${flow.name}`,
      withoutExtension('extended_master_secret'),
      'handshake_failure',
      flow,
      { clientChanges: { allowMissingExtendedMasterSecret: true } },
    ),
  ),
  edited(
    'a Certificate without certificates',
    'client',
    flows.full,
    'certificate',
    () => ({ certificateList: [] }),
    'decode_error',
  ),
  edited(
    'a certificate without bytes',
    'client',
    flows.full,
    'certificate',
    () => fromHex('0b000006' + '000003' + '000000'),
    decodeError('length_out_of_range', 'certificate.certificateList[0]'),
  ),
  edited(
    'a certificate that nobody trusts',
    'client',
    flows.full,
    'certificate',
    () => ({ certificateList: [fromHex('3000')] }),
    'unknown_ca',
  ),
  ...(['bad_certificate', 'certificate_expired', 'certificate_revoked'] as const).map((alert) =>
    configured(
      `a verifier that says ${alert}`,
      'client',
      flows.full,
      { clientChanges: { verifyCertificate: () => ({ accepted: false, alert, reason: 'so' }) } },
      alert,
    ),
  ),
  configured(
    'P-state-8 a verifier that says neither yes nor no',
    'client',
    flows.full,
    { clientChanges: { verifyCertificate: () => ({ accepted: Promise.resolve(true) as unknown as true, publicKey }) } },
    'internal_error',
  ),
  configured(
    'an RSA key under an ECDSA suite',
    'client',
    flows.full,
    { clientChanges: { verifyCertificate: () => ({ accepted: true, publicKey: rsaCredentials().signer.publicKey }) } },
    'illegal_parameter',
  ),
  configured(
    'RFC 8422 5.1: an ECDSA key on a curve that was not offered',
    'client',
    flows.full,
    {
      clientChanges: {
        groups: ['x25519', 'secp256r1'],
        verifyCertificate: () => ({ accepted: true, publicKey: ecdsaP384.signer.publicKey }),
      },
    },
    'illegal_parameter',
  ),
  edited(
    'a signature scheme that was not offered',
    'client',
    flows.full,
    'server_key_exchange',
    (body) => ({ ...body, algorithm: 0x0201 }),
    'illegal_parameter',
  ),
  configured(
    'a signature scheme of ours that was not offered',
    'client',
    flows.full,
    { clientChanges: { signatureSchemes: ['ed25519'] } },
    'illegal_parameter',
  ),
  edited(
    'a signature scheme that does not fit the key',
    'client',
    flows.full,
    'server_key_exchange',
    (body) => ({ ...body, algorithm: 'ed25519' }),
    'illegal_parameter',
  ),
  edited(
    'a forged signature',
    'client',
    flows.full,
    'server_key_exchange',
    (body) => ({ ...body, signature: flipped(body.signature) }),
    'decrypt_error',
  ),
  edited(
    'an empty signature',
    'client',
    flows.full,
    'server_key_exchange',
    (body) => ({ ...body, signature: new Uint8Array(0) }),
    'decrypt_error',
  ),
  edited(
    'another key than the signed one',
    'client',
    flows.full,
    'server_key_exchange',
    (body) => ({ ...body, params: { ...body.params, public: flipped(body.params.public) } }),
    'decrypt_error',
  ),
  edited(
    'a group that was not offered',
    'client',
    flows.full,
    'server_key_exchange',
    (body) => ({ ...body, params: { ...body.params, namedCurve: 'secp521r1' } }),
    'illegal_parameter',
  ),
  edited(
    'explicit curve parameters',
    'client',
    flows.full,
    'server_key_exchange',
    () => fromHex('0c000001' + '01'),
    decodeError('value_out_of_range', 'server_key_exchange.params.curveType'),
  ),
  keyExchange('an x25519 key of small order', (own) => ({ ...own, public: new Uint8Array(32) }), 'illegal_parameter'),
  keyExchange('an x25519 key of 31 bytes', (own) => ({ ...own, public: own.public.subarray(1) }), 'illegal_parameter'),
  keyExchange(
    'a point that is not on the curve',
    (own) => ({ ...own, namedCurve: 'secp256r1', public: new Uint8Array(65).fill(4) }),
    'illegal_parameter',
  ),
  keyExchange(
    'a compressed point',
    (own) => ({ ...own, namedCurve: 'secp256r1', public: new Uint8Array(33).fill(2) }),
    'illegal_parameter',
  ),
  edited(
    'R8446-4.6.1-12 a ticket longer than its message',
    'client',
    flows.withTicket,
    'new_session_ticket',
    () => fromHex('04000007' + '00001c20' + '0100' + '5a'),
    decodeError('truncated', 'new_session_ticket.ticket'),
  ),
  configured(
    'P-state-2 master secret of zeros',
    'client',
    flows.full,
    { clientChanges: { crypto: zeroMacs('client', flows.full) } },
    'internal_error',
  ),
  edited(
    'R5246-7.4.9-1 a Finished that does not verify',
    'client',
    flows.ticket,
    'finished',
    () => ({ verifyData: new Uint8Array(12) }),
    'decrypt_error',
  ),
  asCase('the beginning of a message behind ServerHelloDone', 'client', 'unexpected_message', () => {
    const incoming = itemsFrom(recordingOf(flows.full), 'server');
    const done = incoming.findIndex((item) => itemName(item) === 'server_hello_done');
    const { contentType, bytes } = incoming[done]!;
    return new Replay(flows.full, 'client').send(...incoming.slice(0, done), {
      contentType,
      bytes: concat(bytes, fromHex('1400')),
    });
  }),
  asCase('a HelloRequest that is not empty', 'client', 'decode_error', () =>
    new Replay(flows.full, 'client').send({ contentType: contentTypes.handshake, bytes: fromHex('0000000100') }),
  ),
];
