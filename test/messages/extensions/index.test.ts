import { describe, expect, it } from 'vitest';
import { type ExtensionContext, extensionList } from '../../../src/messages/extensions/index.js';
import { extensionTypes } from '../../../src/parameters.js';
import { alertOf } from '../../support/alerts.js';
import { hex, refusal } from '../../support/decoding.js';

type Name = keyof typeof extensionTypes;

/** One extension of a message, decoded from its data in hexadecimal. */
function decoded(context: ExtensionContext, name: Name, data: string): unknown {
  const [extension] = extensionList(context, 0, 2 ** 16 - 1).decode(framed(name, data));
  return extension?.data;
}

function refused(context: ExtensionContext, name: Name, data: string): string {
  return refusal({ decode: () => extensionList(context, 0, 2 ** 16 - 1).decode(framed(name, data)) }, '');
}

function framed(name: Name, data: string): Uint8Array {
  const bytes = hex(data);
  const list = new Uint8Array(6 + bytes.length);
  const view = new DataView(list.buffer);
  view.setUint16(0, 4 + bytes.length);
  view.setUint16(2, extensionTypes[name]);
  view.setUint16(4, bytes.length);
  list.set(bytes, 6);
  return list;
}

const zeros = '00'.repeat(32);

describe('extensions by message', () => {
  it.each<[ExtensionContext, Name, string, unknown]>([
    ['client_hello', 'server_name', '0004 00 0001 61', [{ nameType: 'host_name', name: hex('61') }]],
    ['server_hello', 'server_name', '', {}],
    ['encrypted_extensions', 'server_name', '', {}],
    ['client_hello', 'max_fragment_length', '01', '2^9'],
    ['server_hello', 'max_fragment_length', '04', '2^12'],
    ['encrypted_extensions', 'max_fragment_length', '05', 5],
    [
      'client_hello',
      'status_request',
      '01 0000 0000',
      { statusType: 'ocsp', request: { responderIdList: [], requestExtensions: hex('') } },
    ],
    ['client_hello', 'status_request', '02 aabb', { statusType: 2, request: hex('aabb') }],
    ['server_hello', 'status_request', '', {}],
    ['certificate', 'status_request', '01 000002 aabb', { statusType: 'ocsp', response: hex('aabb') }],
    ['certificate_request', 'status_request', '', {}],
    ['client_hello', 'supported_groups', '0004 001d 11ec', ['x25519', 'X25519MLKEM768']],
    ['encrypted_extensions', 'supported_groups', '0002 0017', ['secp256r1']],
    ['client_hello', 'ec_point_formats', '02 00 07', ['uncompressed', 7]],
    ['server_hello', 'ec_point_formats', '01 00', ['uncompressed']],
    ['client_hello', 'signature_algorithms', '0004 0403 0804', ['ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256']],
    ['certificate_request', 'signature_algorithms', '0002 0807', ['ed25519']],
    ['client_hello', 'signature_algorithms_cert', '0002 0201', ['rsa_pkcs1_sha1']],
    ['certificate_request', 'signature_algorithms_cert', '0002 0201', ['rsa_pkcs1_sha1']],
    ['client_hello', 'application_layer_protocol_negotiation', '0003 02 6832', [hex('6832')]],
    ['server_hello', 'application_layer_protocol_negotiation', '0003 02 6832', [hex('6832')]],
    ['encrypted_extensions', 'application_layer_protocol_negotiation', '0003 02 6832', [hex('6832')]],
    ['client_hello', 'signed_certificate_timestamp', '', {}],
    ['server_hello', 'signed_certificate_timestamp', '0003 0001 aa', [hex('aa')]],
    ['certificate', 'signed_certificate_timestamp', '0003 0001 aa', [hex('aa')]],
    ['certificate_request', 'signed_certificate_timestamp', '', {}],
    ['client_hello', 'padding', '0000', hex('0000')],
    ['client_hello', 'encrypt_then_mac', '', {}],
    ['server_hello', 'encrypt_then_mac', '', {}],
    ['client_hello', 'extended_master_secret', '', {}],
    ['server_hello', 'extended_master_secret', '', {}],
    ['client_hello', 'compress_certificate', '02 0002', ['brotli']],
    ['certificate_request', 'compress_certificate', '04 0001 0003', ['zlib', 'zstd']],
    ['client_hello', 'record_size_limit', '4001', 0x4001],
    ['server_hello', 'record_size_limit', '0040', 64],
    ['encrypted_extensions', 'record_size_limit', '4001', 0x4001],
    ['server_hello', 'session_ticket', '', {}],
    ['server_hello', 'pre_shared_key', '0001', 1],
    ['client_hello', 'early_data', '', {}],
    ['encrypted_extensions', 'early_data', '', {}],
    ['new_session_ticket', 'early_data', 'ffffffff', 0xffffffff],
    ['client_hello', 'supported_versions', '04 0304 0303', ['TLSv1.3', 'TLSv1.2']],
    ['server_hello', 'supported_versions', '0304', 'TLSv1.3'],
    ['hello_retry_request', 'supported_versions', '7f1c', 0x7f1c],
    ['client_hello', 'cookie', '0002 aabb', hex('aabb')],
    ['hello_retry_request', 'cookie', '0002 aabb', hex('aabb')],
    ['client_hello', 'psk_key_exchange_modes', '02 01 0b', ['psk_dhe_ke', 0x0b]],
    ['client_hello', 'certificate_authorities', '0003 0001 30', [hex('30')]],
    ['certificate_request', 'certificate_authorities', '0003 0001 30', [hex('30')]],
    [
      'certificate_request',
      'oid_filters',
      '0004 01 55 0000',
      [{ certificateExtensionOid: hex('55'), certificateExtensionValues: hex('') }],
    ],
    ['client_hello', 'post_handshake_auth', '', {}],
    ['client_hello', 'key_share', '0024 001d 0020' + zeros, [{ group: 'x25519', keyExchange: hex(zeros) }]],
    ['client_hello', 'key_share', '0000', []],
    ['server_hello', 'key_share', '001d 0020' + zeros, { group: 'x25519', keyExchange: hex(zeros) }],
    ['hello_retry_request', 'key_share', '0017', 'secp256r1'],
    ['client_hello', 'quic_transport_parameters', '0102 4000', hex('01024000')],
    ['encrypted_extensions', 'quic_transport_parameters', '', hex('')],
    ['client_hello', 'ticket_request', '02 01', { newSessionCount: 2, resumptionCount: 1 }],
    ['encrypted_extensions', 'ticket_request', '02', 2],
    ['client_hello', 'tls_flags', '01 80', hex('80')],
    ['new_session_ticket', 'tls_flags', '01 80', hex('80')],
    ['client_hello', 'renegotiation_info', '00', hex('')],
    ['server_hello', 'renegotiation_info', '02 aabb', hex('aabb')],
    // Where the message does not know the type, its data is raw.
    ['server_hello', 'psk_key_exchange_modes', '01 01', hex('0101')],
    ['encrypted_extensions', 'key_share', '0017', hex('0017')],
    ['client_hello', 'encrypted_client_hello', '00', hex('00')],
  ])('%s %s', (context, name, data, value) => {
    expect(decoded(context, name, data)).toEqual(value);
    const list = extensionList(context, 0, 2 ** 16 - 1);
    expect(list.encode(list.decode(framed(name, data)))).toEqual(framed(name, data));
  });

  it('R5077-3.2-7 the ticket is the data itself, without an inner length', () => {
    expect(decoded('client_hello', 'session_ticket', '0002 aabb')).toEqual(hex('0002aabb'));
    expect(decoded('client_hello', 'session_ticket', '')).toEqual(hex(''));
  });

  it('R8701-4.2-1 GREASE in NewSessionTicket is data', () => {
    const list = extensionList('new_session_ticket', 0, 2 ** 16 - 2);
    expect(list.decode(hex('0006 5a5a 0002 0102'))).toEqual([{ type: 0x5a5a, data: hex('0102') }]);
  });
});

it.each<[ExtensionContext, string]>([
  ['client_hello', 'decode_error'],
  ['server_hello', 'decode_error'],
  ['hello_retry_request', 'illegal_parameter'],
  ['encrypted_extensions', 'decode_error'],
  ['certificate', 'illegal_parameter'],
  ['certificate_request', 'illegal_parameter'],
  ['new_session_ticket', 'illegal_parameter'],
])('R8446-4.2-3 one of a type twice, in %s: %s', (context, alert) => {
  const list = extensionList(context, 0, 2 ** 16 - 1);
  expect(alertOf(() => list.decode(hex('0008 5a5a 0000 5a5a 0000')))).toBe(alert);
});

describe('refused with decode_error', () => {
  it.each<[string, ExtensionContext, Name, string, string]>([
    [
      'R7627-5.1-1 extended_master_secret with data',
      'client_hello',
      'extended_master_secret',
      '00',
      'trailing_bytes [0].extended_master_secret @6',
    ],
    [
      'R7627-5.1-1 extended_master_secret with data in the answer',
      'server_hello',
      'extended_master_secret',
      '00',
      'trailing_bytes [0].extended_master_secret @6',
    ],
    ['a server name in the answer', 'server_hello', 'server_name', '0000', 'trailing_bytes [0].server_name @6'],
    ['a ticket in ServerHello', 'server_hello', 'session_ticket', 'aa', 'trailing_bytes [0].session_ticket @6'],
    ['R6066-3-1 no server name', 'client_hello', 'server_name', '0000', 'length_out_of_range [0].server_name @6'],
    [
      'R6066-3-1 an empty server name',
      'client_hello',
      'server_name',
      '0003 00 0000',
      'length_out_of_range [0].server_name[0].name @9',
    ],
    [
      'R7301-3.1-1 no protocol',
      'client_hello',
      'application_layer_protocol_negotiation',
      '0000',
      'length_out_of_range [0].application_layer_protocol_negotiation @6',
    ],
    [
      'R7301-3.1-1 an empty protocol',
      'client_hello',
      'application_layer_protocol_negotiation',
      '0002 00 00',
      'length_out_of_range [0].application_layer_protocol_negotiation[0] @8',
    ],
    ['no group', 'client_hello', 'supported_groups', '0000', 'length_out_of_range [0].supported_groups @6'],
    ['no point format', 'client_hello', 'ec_point_formats', '00', 'length_out_of_range [0].ec_point_formats @6'],
    [
      'no signature scheme',
      'client_hello',
      'signature_algorithms',
      '0000',
      'length_out_of_range [0].signature_algorithms @6',
    ],
    ['no version', 'client_hello', 'supported_versions', '00', 'length_out_of_range [0].supported_versions @6'],
    [
      'R8446-4.2.9-4 no mode',
      'client_hello',
      'psk_key_exchange_modes',
      '00',
      'length_out_of_range [0].psk_key_exchange_modes @6',
    ],
    ['an empty cookie', 'hello_retry_request', 'cookie', '0000', 'length_out_of_range [0].cookie @6'],
    [
      'an empty key share',
      'client_hello',
      'key_share',
      '0004 001d 0000',
      'length_out_of_range [0].key_share[0].keyExchange @10',
    ],
    [
      'two key shares in the answer',
      'server_hello',
      'key_share',
      '001d 0001 aa 001d 0001 aa',
      'trailing_bytes [0].key_share @11',
    ],
    ['early_data with data', 'client_hello', 'early_data', '00000000', 'trailing_bytes [0].early_data @6'],
    ['early_data without size in a ticket', 'new_session_ticket', 'early_data', '', 'truncated [0].early_data @6'],
    [
      'R9149-3-1 one count of tickets',
      'client_hello',
      'ticket_request',
      '01',
      'truncated [0].ticket_request.resumptionCount @7',
    ],
    [
      'R9149-3-1 three counts of tickets',
      'client_hello',
      'ticket_request',
      '010101',
      'trailing_bytes [0].ticket_request @8',
    ],
    [
      'no compression algorithm',
      'client_hello',
      'compress_certificate',
      '00',
      'length_out_of_range [0].compress_certificate @6',
    ],
    [
      'no authority',
      'client_hello',
      'certificate_authorities',
      '0000',
      'length_out_of_range [0].certificate_authorities @6',
    ],
    [
      'an OCSP response of no bytes',
      'certificate',
      'status_request',
      '01 000000',
      'length_out_of_range [0].status_request.response @7',
    ],
  ])('%s', (_, context, name, data, expected) => {
    expect(refused(context, name, data)).toBe(expected);
  });
});
