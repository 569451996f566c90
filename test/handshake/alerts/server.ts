/** What a client may say that ends a server’s handshake. */
import { ascii, concat, fromHex } from '../../../src/bytes.js';
import { flows } from '../../support/replay.js';
import {
  clientExtension,
  clientHello,
  configured,
  decodeError,
  edited,
  encode,
  flipped,
  hostName,
  rawExtension,
  withoutExtension,
  zeroMacs,
  type AlertCase,
} from './builders.js';

const mutual = flows.mutual;
export const serverCases: readonly AlertCase[] = [
  clientHello('TLS 1.1 at most', (body) => ({ ...body, legacyVersion: 'TLSv1.1' }), 'protocol_version'),
  clientHello('TLS 1.3 only', clientExtension({ type: 'supported_versions', data: ['TLSv1.3'] }), 'protocol_version'),
  clientHello(
    'no null compression',
    (body) => ({ ...body, legacyCompressionMethods: fromHex('01') }),
    'illegal_parameter',
  ),
  clientHello(
    'R5246-7.4.1.2-2 no null compression on resumption',
    (body) => ({ ...body, legacyCompressionMethods: fromHex('01') }),
    'illegal_parameter',
    flows.ticket,
  ),
  clientHello(
    'ec_point_formats without uncompressed',
    clientExtension({ type: 'ec_point_formats', data: [1, 2] }),
    'illegal_parameter',
  ),
  configured(
    'a name that is not served',
    'server',
    flows.withTicket,
    { serverChanges: { chooseSettings: () => undefined } },
    'unrecognized_name',
  ),
  clientHello('a hello without a name', withoutExtension('server_name'), 'unrecognized_name', flows.withTicket, {
    serverChanges: { chooseSettings: () => undefined },
  }),
  ...[flows.withTicket, flows.sessionId, flows.ticket].map((flow) =>
    clientHello(
      `R5746-3.6-1 renegotiation_info with verify_data, ${flow.name}`,
      clientExtension({ type: 'renegotiation_info', data: new Uint8Array(12) }),
      'handshake_failure',
      flow,
    ),
  ),
  clientHello(
    'neither renegotiation_info nor SCSV',
    withoutExtension('renegotiation_info'),
    'handshake_failure',
    flows.withTicket,
    { serverChanges: { allowClientsWithoutSecureRenegotiation: false } },
  ),
  clientHello(
    'R6066-3-1 two host names',
    clientExtension({
      type: 'server_name',
      data: ['a.example', 'b.example'].map((name) => ({ nameType: 'host_name' as const, name: ascii(name) })),
    }),
    'illegal_parameter',
  ),
  ...['server.example.', '192.0.2.1', '2001:db8::1', 'two words', 'sm\u00f8rrebr\u00f8d.example', 'nul\0.example'].map(
    (name) =>
      clientHello(
        `R6066-3-1 the host name ${JSON.stringify(name)}`,
        clientExtension(hostName(name)),
        'illegal_parameter',
      ),
  ),
  clientHello(
    'R6066-3-1 an empty host name',
    rawExtension('client_hello', '00000005' + '0003' + '000000'),
    decodeError('length_out_of_range', 'client_hello.extensions[0].server_name[0].name'),
  ),
  clientHello(
    'R6066-3-1 an empty list of names',
    rawExtension('client_hello', '00000002' + '0000'),
    decodeError('length_out_of_range', 'client_hello.extensions[0].server_name'),
  ),
  clientHello(
    'R7301-3.1-1 an empty list of protocols',
    rawExtension('client_hello', '00100002' + '0000'),
    decodeError('length_out_of_range', 'client_hello.extensions[0].application_layer_protocol_negotiation'),
  ),
  clientHello(
    'R7301-3.1-1 a protocol without a name',
    rawExtension('client_hello', '00100006' + '0004' + '00' + '026832'),
    decodeError('length_out_of_range', 'client_hello.extensions[0].application_layer_protocol_negotiation[0]'),
  ),
  ...[flows.withTicket, flows.sessionId, flows.ticket].map((flow) =>
    clientHello(
      `R7301-3.2-1 no protocol in common, ${flow.name}`,
      clientExtension({ type: 'application_layer_protocol_negotiation', data: [ascii('imap')] }),
      'no_application_protocol',
      flow,
      { serverChanges: { alpnProtocols: ['h2'] } },
    ),
  ),
  clientHello(
    'R5246-7.4.1.2-4 a byte after the extensions',
    (body) => {
      const bytes = concat(encode({ type: 'client_hello', body }), fromHex('00'));
      bytes[3]!++;
      return bytes;
    },
    decodeError('trailing_bytes', 'client_hello'),
  ),
  clientHello(
    'R5246-7.4.1.2-4 half an extensions block',
    (body) => {
      const bytes = encode({ type: 'client_hello', body: { ...body, extensions: undefined } });
      const longer = concat(bytes, fromHex('00'));
      longer[3]!++;
      return longer;
    },
    decodeError('truncated', 'client_hello.extensions'),
  ),
  clientHello(
    'P-state-6 a session ID of 33 bytes',
    (body) => {
      const bytes = encode({ type: 'client_hello', body: { ...body, legacySessionId: new Uint8Array(32) } });
      const longer = concat(bytes.subarray(0, 39), fromHex('00'), bytes.subarray(39));
      longer[3]!++;
      longer[38]!++;
      return longer;
    },
    decodeError('length_out_of_range', 'client_hello.legacySessionId'),
  ),
  clientHello(
    'no suite in common',
    (body) => ({ ...body, cipherSuites: ['TLS_RSA_WITH_AES_128_CBC_SHA', 0x0a0a] }),
    'handshake_failure',
  ),
  clientHello(
    'no suite for the key of the server',
    (body) => ({ ...body, cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] }),
    'handshake_failure',
  ),
  clientHello(
    'no signature scheme in common',
    clientExtension({ type: 'signature_algorithms', data: ['rsa_pkcs1_sha256', 0x0203] }),
    'handshake_failure',
  ),
  clientHello('no signature_algorithms', withoutExtension('signature_algorithms'), 'handshake_failure'),
  clientHello(
    'no group in common',
    clientExtension({ type: 'supported_groups', data: ['secp521r1', 0x0a0a] }),
    'handshake_failure',
  ),
  clientHello('no supported_groups', withoutExtension('supported_groups'), 'handshake_failure'),
  clientHello(
    'the beginning of a message behind the ClientHello',
    (body) => concat(encode({ type: 'client_hello', body }), fromHex('1000')),
    'unexpected_message',
  ),
  clientHello(
    'R7627-4-1 R7627-5.2-3 no extended_master_secret',
    withoutExtension('extended_master_secret'),
    'handshake_failure',
  ),
  ...[flows.sessionId, flows.ticket].map((flow) =>
    clientHello(
      `R7627-5.3-4 no extended_master_secret, session with, ${flow.name}`,
      withoutExtension('extended_master_secret'),
      'handshake_failure',
      flow,
      { serverChanges: { allowMissingExtendedMasterSecret: true, allowResumptionWithoutExtendedMasterSecret: true } },
    ),
  ),
  clientHello(
    'R7627-5.1-1 extended_master_secret that is not empty',
    rawExtension('client_hello', '0017000100'),
    decodeError('trailing_bytes', 'client_hello.extensions[0].extended_master_secret'),
  ),
  clientHello(
    'R5246-7.4.1.2-1 a session ID without the suite of its session',
    (body) => ({ ...body, cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] }),
    'illegal_parameter',
    flows.sessionId,
  ),
  edited(
    'no client certificate where one is required',
    'server',
    mutual,
    'certificate',
    () => ({ certificateList: [] }),
    'handshake_failure',
  ),
  edited(
    'a client certificate that nobody trusts',
    'server',
    mutual,
    'certificate',
    () => ({ certificateList: [fromHex('3000')] }),
    'unknown_ca',
  ),
  edited(
    'a signature scheme that was not asked for',
    'server',
    mutual,
    'certificate_verify',
    (body) => ({ ...body, algorithm: 0x0203 }),
    'illegal_parameter',
  ),
  edited(
    'a signature scheme that does not fit the client’s key',
    'server',
    mutual,
    'certificate_verify',
    (body) => ({ ...body, algorithm: 'rsa_pss_rsae_sha256' }),
    'illegal_parameter',
  ),
  edited(
    'P-state-5 a forged client signature',
    'server',
    mutual,
    'certificate_verify',
    (body) => ({ ...body, signature: flipped(body.signature) }),
    'decrypt_error',
  ),
  configured(
    'settings that ask for a certificate and cannot judge it',
    'server',
    mutual,
    { serverChanges: { chooseSettings: () => ({ ...mutual.server(), verifyCertificate: undefined }) } },
    'internal_error',
  ),
  edited(
    'a client key of small order',
    'server',
    flows.full,
    'client_key_exchange',
    () => ({ public: new Uint8Array(32) }),
    'illegal_parameter',
  ),
  edited(
    'a client key that is too short',
    'server',
    flows.full,
    'client_key_exchange',
    () => ({ public: fromHex('09') }),
    'illegal_parameter',
  ),
  edited(
    'an empty client key',
    'server',
    flows.full,
    'client_key_exchange',
    () => fromHex('1000000100'),
    decodeError('length_out_of_range', 'client_key_exchange.public'),
  ),
  configured(
    'P-state-2 master secret of zeros',
    'server',
    flows.full,
    { serverChanges: { crypto: zeroMacs('server', flows.full) } },
    'internal_error',
  ),
  configured(
    'P-state-8 a clock that throws',
    'server',
    flows.withTicket,
    {
      serverChanges: {
        now: () => {
          throw new Error('no clock');
        },
      },
    },
    'internal_error',
  ),
];
