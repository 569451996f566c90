/**
 * The IANA tables of TLS: names as the registries write them, with their numbers.
 *
 * A value on the wire is its name where a table below knows it, and its number where not: `CipherSuite` is
 * `'TLS_AES_128_GCM_SHA256' | ... | number`. Unknown numbers, GREASE (RFC 8701) among them, are data and no error.
 * Having a name here says nothing about support: many suites and groups are listed so that a dump can be read.
 */

/** RFC 8446 4.2.1, RFC 5246 6.2.1. */
export const protocolVersions = {
  SSLv3: 0x0300,
  'TLSv1.0': 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
} as const;
export type ProtocolVersion = keyof typeof protocolVersions | number;

/** RFC 8446 5.1. */
export const contentTypes = {
  change_cipher_spec: 20,
  alert: 21,
  handshake: 22,
  application_data: 23,
  heartbeat: 24,
} as const;
export type ContentType = keyof typeof contentTypes | number;

/** RFC 8446 4, RFC 5246 7.4, RFC 8879 4. A HelloRetryRequest is a server_hello with a special random (RFC 8446 4.1.3). */
export const handshakeTypes = {
  hello_request: 0,
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  end_of_early_data: 5,
  encrypted_extensions: 8,
  certificate: 11,
  server_key_exchange: 12,
  certificate_request: 13,
  server_hello_done: 14,
  certificate_verify: 15,
  client_key_exchange: 16,
  finished: 20,
  certificate_status: 22,
  key_update: 24,
  compressed_certificate: 25,
  message_hash: 254,
} as const;

/** TLS Cipher Suites registry: all of TLS 1.3, and what clients still offer for TLS 1.2. */
export const cipherSuites = {
  TLS_RSA_WITH_RC4_128_MD5: 0x0004,
  TLS_RSA_WITH_RC4_128_SHA: 0x0005,
  TLS_RSA_WITH_3DES_EDE_CBC_SHA: 0x000a,
  TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA: 0x0013,
  TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA: 0x0016,
  TLS_RSA_WITH_AES_128_CBC_SHA: 0x002f,
  TLS_DHE_DSS_WITH_AES_128_CBC_SHA: 0x0032,
  TLS_DHE_RSA_WITH_AES_128_CBC_SHA: 0x0033,
  TLS_RSA_WITH_AES_256_CBC_SHA: 0x0035,
  TLS_DHE_DSS_WITH_AES_256_CBC_SHA: 0x0038,
  TLS_DHE_RSA_WITH_AES_256_CBC_SHA: 0x0039,
  TLS_RSA_WITH_AES_128_CBC_SHA256: 0x003c,
  TLS_RSA_WITH_AES_256_CBC_SHA256: 0x003d,
  TLS_DHE_DSS_WITH_AES_128_CBC_SHA256: 0x0040,
  TLS_DHE_RSA_WITH_AES_128_CBC_SHA256: 0x0067,
  TLS_DHE_DSS_WITH_AES_256_CBC_SHA256: 0x006a,
  TLS_DHE_RSA_WITH_AES_256_CBC_SHA256: 0x006b,
  TLS_PSK_WITH_AES_128_CBC_SHA: 0x008c,
  TLS_PSK_WITH_AES_256_CBC_SHA: 0x008d,
  TLS_RSA_WITH_AES_128_GCM_SHA256: 0x009c,
  TLS_RSA_WITH_AES_256_GCM_SHA384: 0x009d,
  TLS_DHE_RSA_WITH_AES_128_GCM_SHA256: 0x009e,
  TLS_DHE_RSA_WITH_AES_256_GCM_SHA384: 0x009f,
  TLS_DHE_DSS_WITH_AES_128_GCM_SHA256: 0x00a2,
  TLS_DHE_DSS_WITH_AES_256_GCM_SHA384: 0x00a3,
  TLS_PSK_WITH_AES_128_GCM_SHA256: 0x00a8,
  TLS_PSK_WITH_AES_256_GCM_SHA384: 0x00a9,
  /** RFC 5746 3.3: not a suite, but "renegotiation_info, empty". */
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV: 0x00ff,
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_AES_128_CCM_SHA256: 0x1304,
  TLS_AES_128_CCM_8_SHA256: 0x1305,
  /** RFC 7507: not a suite, but "this is a retry with a lower version". */
  TLS_FALLBACK_SCSV: 0x5600,
  TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA: 0xc008,
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 0xc009,
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 0xc00a,
  TLS_ECDHE_RSA_WITH_RC4_128_SHA: 0xc011,
  TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA: 0xc012,
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 0xc013,
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 0xc014,
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 0xc023,
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384: 0xc024,
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 0xc027,
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384: 0xc028,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_RSA_WITH_ARIA_128_GCM_SHA256: 0xc050,
  TLS_RSA_WITH_ARIA_256_GCM_SHA384: 0xc051,
  TLS_DHE_RSA_WITH_ARIA_128_GCM_SHA256: 0xc052,
  TLS_DHE_RSA_WITH_ARIA_256_GCM_SHA384: 0xc053,
  TLS_DHE_DSS_WITH_ARIA_128_GCM_SHA256: 0xc056,
  TLS_DHE_DSS_WITH_ARIA_256_GCM_SHA384: 0xc057,
  TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256: 0xc05c,
  TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384: 0xc05d,
  TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256: 0xc060,
  TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384: 0xc061,
  TLS_RSA_WITH_AES_128_CCM: 0xc09c,
  TLS_RSA_WITH_AES_256_CCM: 0xc09d,
  TLS_DHE_RSA_WITH_AES_128_CCM: 0xc09e,
  TLS_DHE_RSA_WITH_AES_256_CCM: 0xc09f,
  TLS_RSA_WITH_AES_128_CCM_8: 0xc0a0,
  TLS_RSA_WITH_AES_256_CCM_8: 0xc0a1,
  TLS_DHE_RSA_WITH_AES_128_CCM_8: 0xc0a2,
  TLS_DHE_RSA_WITH_AES_256_CCM_8: 0xc0a3,
  TLS_PSK_WITH_AES_128_CCM: 0xc0a4,
  TLS_PSK_WITH_AES_256_CCM: 0xc0a5,
  TLS_ECDHE_ECDSA_WITH_AES_128_CCM: 0xc0ac,
  TLS_ECDHE_ECDSA_WITH_AES_256_CCM: 0xc0ad,
  TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8: 0xc0ae,
  TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8: 0xc0af,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
  TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xccaa,
  TLS_PSK_WITH_CHACHA20_POLY1305_SHA256: 0xccab,
  TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256: 0xccac,
  TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256: 0xd001,
  TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384: 0xd002,
} as const;
export type CipherSuite = keyof typeof cipherSuites | number;

/** RFC 5246 7.4.1.2, RFC 3749. */
export const compressionMethods = { null: 0, deflate: 1 } as const;

/** RFC 8446 4.2. */
export const extensionTypes = {
  server_name: 0,
  max_fragment_length: 1,
  client_certificate_url: 2,
  trusted_ca_keys: 3,
  truncated_hmac: 4,
  status_request: 5,
  supported_groups: 10,
  ec_point_formats: 11,
  srp: 12,
  signature_algorithms: 13,
  use_srtp: 14,
  heartbeat: 15,
  application_layer_protocol_negotiation: 16,
  status_request_v2: 17,
  signed_certificate_timestamp: 18,
  client_certificate_type: 19,
  server_certificate_type: 20,
  padding: 21,
  encrypt_then_mac: 22,
  extended_master_secret: 23,
  token_binding: 24,
  cached_info: 25,
  compress_certificate: 27,
  record_size_limit: 28,
  ticket_pinning: 32,
  tls_cert_with_extern_psk: 33,
  delegated_credential: 34,
  session_ticket: 35,
  pre_shared_key: 41,
  early_data: 42,
  supported_versions: 43,
  cookie: 44,
  psk_key_exchange_modes: 45,
  certificate_authorities: 47,
  oid_filters: 48,
  post_handshake_auth: 49,
  signature_algorithms_cert: 50,
  key_share: 51,
  transparency_info: 52,
  connection_id: 54,
  external_id_hash: 55,
  external_session_id: 56,
  quic_transport_parameters: 57,
  ticket_request: 58,
  dnssec_chain: 59,
  tls_flags: 62,
  ech_outer_extensions: 0xfd00,
  encrypted_client_hello: 0xfe0d,
  renegotiation_info: 0xff01,
} as const;
export type ExtensionType = keyof typeof extensionTypes | number;

/** RFC 8446 4.2.7, RFC 8422 5.1.1, RFC 7919, and the ML-KEM groups. */
export const namedGroups = {
  secp192r1: 19,
  secp224r1: 21,
  secp256k1: 22,
  secp256r1: 23,
  secp384r1: 24,
  secp521r1: 25,
  brainpoolP256r1: 26,
  brainpoolP384r1: 27,
  brainpoolP512r1: 28,
  x25519: 29,
  x448: 30,
  brainpoolP256r1tls13: 31,
  brainpoolP384r1tls13: 32,
  brainpoolP512r1tls13: 33,
  curveSM2: 41,
  ffdhe2048: 256,
  ffdhe3072: 257,
  ffdhe4096: 258,
  ffdhe6144: 259,
  ffdhe8192: 260,
  MLKEM512: 512,
  MLKEM768: 513,
  MLKEM1024: 514,
  SecP256r1MLKEM768: 4587,
  X25519MLKEM768: 4588,
  SecP384r1MLKEM1024: 4589,
} as const;
export type NamedGroup = keyof typeof namedGroups | number;

/**
 * RFC 8446 4.2.3. TLS 1.2 writes the same two bytes as SignatureAndHashAlgorithm (RFC 5246 7.4.1.4.1), with
 * `ecdsa_secp256r1_sha256` meaning any curve with SHA-256 there.
 */
export const signatureSchemes = {
  rsa_pkcs1_sha1: 0x0201,
  ecdsa_sha1: 0x0203,
  rsa_pkcs1_sha256: 0x0401,
  ecdsa_secp256r1_sha256: 0x0403,
  rsa_pkcs1_sha256_legacy: 0x0420,
  rsa_pkcs1_sha384: 0x0501,
  ecdsa_secp384r1_sha384: 0x0503,
  rsa_pkcs1_sha384_legacy: 0x0520,
  rsa_pkcs1_sha512: 0x0601,
  ecdsa_secp521r1_sha512: 0x0603,
  rsa_pkcs1_sha512_legacy: 0x0620,
  sm2sig_sm3: 0x0708,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
  ed25519: 0x0807,
  ed448: 0x0808,
  rsa_pss_pss_sha256: 0x0809,
  rsa_pss_pss_sha384: 0x080a,
  rsa_pss_pss_sha512: 0x080b,
  ecdsa_brainpoolP256r1tls13_sha256: 0x081a,
  ecdsa_brainpoolP384r1tls13_sha384: 0x081b,
  ecdsa_brainpoolP512r1tls13_sha512: 0x081c,
  mldsa44: 0x0904,
  mldsa65: 0x0905,
  mldsa87: 0x0906,
} as const;
export type SignatureScheme = SignatureSchemeInRegistry | number;
export type SignatureSchemeInRegistry = keyof typeof signatureSchemes;

/** RFC 6066 3. */
export const serverNameTypes = { host_name: 0 } as const;
export type ServerNameType = keyof typeof serverNameTypes | number;

/** RFC 6066 4: the plaintext length is two to the power of the exponent in the name. */
export const maxFragmentLengths = { '2^9': 1, '2^10': 2, '2^11': 3, '2^12': 4 } as const;
export type MaxFragmentLength = keyof typeof maxFragmentLengths | number;

/** RFC 6066 8. */
export const certificateStatusTypes = { ocsp: 1 } as const;
export type CertificateStatusType = keyof typeof certificateStatusTypes | number;

/** RFC 8422 5.1.2. */
export const ecPointFormats = {
  uncompressed: 0,
  ansiX962_compressed_prime: 1,
  ansiX962_compressed_char2: 2,
} as const;
export type EcPointFormat = keyof typeof ecPointFormats | number;

/** RFC 8422 5.4. */
export const ecCurveTypes = { explicit_prime: 1, explicit_char2: 2, named_curve: 3 } as const;
export type EcCurveType = keyof typeof ecCurveTypes | number;

/** RFC 8446 4.2.9. */
export const pskKeyExchangeModes = { psk_ke: 0, psk_dhe_ke: 1 } as const;
export type PskKeyExchangeMode = keyof typeof pskKeyExchangeModes | number;

/** RFC 8446 4.6.3. */
export const keyUpdateRequests = { update_not_requested: 0, update_requested: 1 } as const;
export type KeyUpdateRequest = keyof typeof keyUpdateRequests | number;

/** RFC 8879 3. */
export const certificateCompressionAlgorithms = { zlib: 1, brotli: 2, zstd: 3 } as const;
export type CertificateCompressionAlgorithm = keyof typeof certificateCompressionAlgorithms | number;

/** TLS KDF Identifiers registry, RFC 9258 5.1. */
export const tlsKdfIdentifiers = { HKDF_SHA256: 1, HKDF_SHA384: 2 } as const;
export type TlsKdfIdentifier = keyof typeof tlsKdfIdentifiers | number;

/** RFC 5246 7.4.4, RFC 8422 5.5. */
export const clientCertificateTypes = {
  rsa_sign: 1,
  dss_sign: 2,
  rsa_fixed_dh: 3,
  dss_fixed_dh: 4,
  ecdsa_sign: 64,
  rsa_fixed_ecdh: 65,
  ecdsa_fixed_ecdh: 66,
} as const;
export type ClientCertificateType = keyof typeof clientCertificateTypes | number;
