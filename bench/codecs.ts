/**
 * Codecs: a ClientHello of Node.js 20 as it sends it by default (368 bytes), one in the manner of a browser with a hybrid
 * post-quantum key share (about 2 KB), and the TLS 1.3 NewSessionTicket.
 */
import { ascii, fromHex } from '../src/bytes.js';
import { type ClientHello, decodeHandshake, encodeHandshake, type HandshakeMessage } from '../src/messages/index.js';

export const codecCases = (): { case: string; run: () => void }[] => {
  const small = decodeHandshake('TLSv1.3', nodeClientHello);
  const browserClientHello = encodeHandshake('TLSv1.3', { type: 'client_hello', body: browser });
  const ticket = encodeHandshake('TLSv1.3', newSessionTicket);
  return [
    { case: 'ClientHello decode, 368 bytes', run: () => void decodeHandshake('TLSv1.3', nodeClientHello) },
    { case: 'ClientHello decode, 2 KB', run: () => void decodeHandshake('TLSv1.3', browserClientHello) },
    { case: 'ClientHello encode, 368 bytes', run: () => void encodeHandshake('TLSv1.3', small) },
    { case: 'NewSessionTicket decode', run: () => void decodeHandshake('TLSv1.3', ticket) },
    { case: 'NewSessionTicket encode', run: () => void encodeHandshake('TLSv1.3', newSessionTicket) },
  ];
};

/** Captured from `tls.connect({ servername: 'resumption.test' })`. */
const nodeClientHello = fromHex(
  '0100016c03036e514f966ef77777b99650e498504f2cfaa18e468f5e59ddd8f5aa644287b48c2086c035f6d2ec5fd6095709aec1ca16822eeb37ec98ff44c749b858f989a832d10076130213031301c02fc02bc030c02c009ec0270067c028006b00a3009fcca9cca8ccaac0afc0adc0a3c09fc05dc061c057c05300a2c0aec0acc0a2c09ec05cc060c056c052c024006ac0230040c00ac01400390038c009c01300330032009dc0a1c09dc051009cc0a0c09cc050003d003c0035002f00ff010000ad00000014001200000f726573756d7074696f6e2e74657374000b000403000102000a00160014001d0017001e0019001801000101010201030104002300000016000000170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602002b00050403040303002d00020101003300260024001d0020312f0fb3053720bc90707988847378891db8be746e0c20b7a3601c8a0250877b',
);

const filled = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => i);

const browser: ClientHello = {
  legacyVersion: 'TLSv1.2',
  random: filled(32),
  legacySessionId: filled(32),
  cipherSuites: [
    0x1a1a,
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
    'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
    'TLS_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_RSA_WITH_AES_128_CBC_SHA',
    'TLS_RSA_WITH_AES_256_CBC_SHA',
  ],
  legacyCompressionMethods: new Uint8Array(1),
  extensions: [
    { type: 0x2a2a, data: new Uint8Array(0) },
    { type: 'extended_master_secret', data: {} },
    { type: 'supported_versions', data: [0x3a3a, 'TLSv1.3', 'TLSv1.2'] },
    { type: 0x44cd, data: fromHex('0003026832') }, // application_settings
    { type: 'compress_certificate', data: ['brotli'] },
    { type: 'renegotiation_info', data: new Uint8Array(0) },
    { type: 'ec_point_formats', data: ['uncompressed'] },
    { type: 'application_layer_protocol_negotiation', data: [ascii('h2'), ascii('http/1.1')] },
    {
      type: 'status_request',
      data: { statusType: 'ocsp', request: { responderIdList: [], requestExtensions: new Uint8Array(0) } },
    },
    { type: 'psk_key_exchange_modes', data: ['psk_dhe_ke'] },
    { type: 'supported_groups', data: [0x4a4a, 'X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'] },
    { type: 'server_name', data: [{ nameType: 'host_name', name: ascii('resumption.test') }] },
    { type: 'signed_certificate_timestamp', data: {} },
    { type: 'encrypted_client_hello', data: filled(250) },
    {
      type: 'signature_algorithms',
      data: [
        'ecdsa_secp256r1_sha256',
        'rsa_pss_rsae_sha256',
        'rsa_pkcs1_sha256',
        'ecdsa_secp384r1_sha384',
        'rsa_pss_rsae_sha384',
        'rsa_pkcs1_sha384',
        'rsa_pss_rsae_sha512',
        'rsa_pkcs1_sha512',
      ],
    },
    { type: 'session_ticket', data: new Uint8Array(0) },
    {
      type: 'key_share',
      data: [
        { group: 0x4a4a, keyExchange: new Uint8Array(1) },
        { group: 'X25519MLKEM768', keyExchange: filled(1216) },
        { group: 'x25519', keyExchange: filled(32) },
      ],
    },
    { type: 0x5a5a, data: new Uint8Array(1) },
  ],
};

const newSessionTicket: HandshakeMessage<'TLSv1.3'> = {
  type: 'new_session_ticket',
  body: {
    ticketLifetime: 7200,
    ticketAgeAdd: 0x12345678,
    ticketNonce: filled(8),
    ticket: filled(176),
    extensions: [{ type: 'early_data', data: 16384 }],
  },
};
