/**
 * How servers write ticket keys down, as data. A layout is a name that somebody says and never a guess from the size of a file: 48 bytes
 * are name, AES, HMAC to nginx and name, HMAC, AES to Apache, and a server with the two swapped starts, and resumes nothing.
 */

export type KeyFileLayoutName = keyof typeof keyFileLayouts;

/** A stretch of a key as it is stored. From a `seed` all the others are derived. */
export type KeyPartName = 'name' | 'aesKey' | 'hmacKey' | 'seed';

export interface KeyFileLayout {
  /** What people call the server. */
  readonly server: string;
  /**
   * - `raw`: one key in a file, nothing but its bytes
   * - `base64_lines`: one key in a line
   * - `envoy_json`: a message `TlsSessionTicketKeys`, or a response of the secret discovery service with one
   * - `h2o_yaml`, `json`: parts that have their names, and times
   */
  readonly encoding: 'raw' | 'base64_lines' | 'envoy_json' | 'h2o_yaml' | 'json';
  /** The parts of one key in the order of its bytes; empty where parts have names. */
  readonly parts: readonly (readonly [part: KeyPartName, length: number])[];
  /**
   * Which key seals. `last_but_one`: of the last three, which are all that the server keeps; the last is the next one. `newest`: the one whose
   * time came last. Where keys have times, `first` is for those of equal times.
   */
  readonly seals: 'first' | 'last_but_one' | 'newest';
  /** How many keys the server takes. */
  readonly keyCount: readonly [fewest: number, most: number];
  /** Bytes after a key are left unread, and not refused. */
  readonly ignoresRest?: true;
  /** What the server makes of a file that is not of this layout. */
  readonly otherwise: string;
}

/** name 16, AES-128, HMAC 16. */
const aesThenHmac = [
  ['name', 16],
  ['aesKey', 16],
  ['hmacKey', 16],
] as const;
const hmacThenAes = [
  ['name', 16],
  ['hmacKey', 16],
  ['aesKey', 16],
] as const;
/** name 16, AES-256, HMAC 32. */
const longAesThenHmac = [
  ['name', 16],
  ['aesKey', 32],
  ['hmacKey', 32],
] as const;
const longHmacThenAes = [
  ['name', 16],
  ['hmacKey', 32],
  ['aesKey', 32],
] as const;

const many = [1, Infinity] as const;
const one = [1, 1] as const;

const nginx = {
  server: 'nginx',
  encoding: 'raw',
  seals: 'first',
  keyCount: many,
  otherwise: 'nginx takes 48 bytes as nginx48 and 80 as nginx80; with any other size it does not start or reload',
} as const;
const haproxy = {
  server: 'HAProxy',
  encoding: 'base64_lines',
  seals: 'last_but_one',
  keyCount: [3, Infinity],
  otherwise: 'HAProxy does not start: it takes at least 3 lines, all of 48 or all of 80 bytes',
} as const;
const luaSsl = {
  server: 'lua-ssl-nginx-module',
  encoding: 'raw',
  seals: 'first',
  keyCount: many,
  otherwise: 'lua-ssl-nginx-module answers an error for other sizes and goes on with the keys that it has',
} as const;
const openssl = {
  server: 'OpenSSL',
  encoding: 'raw',
  seals: 'first',
  keyCount: one,
  otherwise: 'SSL_CTX_set_tlsext_ticket_keys fails; a program that does not look goes on with random keys of its own',
} as const;
const apache = {
  server: 'Apache',
  encoding: 'raw',
  seals: 'first',
  keyCount: one,
  ignoresRest: true,
  otherwise: 'Apache does not start with less than 48 bytes, and leaves what comes after them unread',
} as const;
const envoy = {
  server: 'Envoy',
  seals: 'first',
  keyCount: many,
  parts: longHmacThenAes,
  otherwise: 'Envoy refuses the configuration',
} as const;

/** All layouts. Of two that differ in nothing but the name, each is what its server's manual calls it. */
export const keyFileLayouts = {
  /** `ssl_session_ticket_key`, a file for each key. */
  nginx48: { ...nginx, parts: aesThenHmac },
  /** The same directive; the order of AES and HMAC changes with the size. */
  nginx80: { ...nginx, parts: longHmacThenAes },
  /** `SSLSessionTicketKeyFile`. */
  apache48: { ...apache, parts: hmacThenAes },
  /** The same file, to read tickets of Apache on OpenSSL 3 and for nothing else: a `KeyRing` refuses the key. */
  'apache48-ossl3': { ...apache, parts: hmacThenAes },
  /** `ticketKeys`, `server.setTicketKeys()`. */
  node48: {
    server: 'Node.js',
    encoding: 'raw',
    seals: 'first',
    keyCount: one,
    parts: hmacThenAes,
    otherwise: 'Node.js throws: session ticket keys are a buffer of 48 bytes',
  },
  /** `tls-ticket-keys`. Of all lines the last three count. */
  haproxy48: { ...haproxy, parts: aesThenHmac },
  haproxy80: { ...haproxy, parts: longAesThenHmac },
  /** `update_ticket_encryption_key`. */
  luaSsl48: { ...luaSsl, parts: aesThenHmac },
  luaSsl80: { ...luaSsl, parts: longAesThenHmac },
  /** `SSL_CTX_set_tlsext_ticket_keys` up to OpenSSL 1.1.0, and in BoringSSL. */
  openssl48: { ...openssl, parts: hmacThenAes },
  openssl80: { ...openssl, parts: longHmacThenAes },
  /** `session_ticket_keys`, a file for each key. */
  envoy80: { ...envoy, encoding: 'raw' },
  /** The same with `inline_bytes`, as JSON. */
  envoyJson: { ...envoy, encoding: 'envoy_json' },
  /** `ticket-file` of `ssl-session-resumption`. */
  h2o: {
    server: 'h2o',
    encoding: 'h2o_yaml',
    seals: 'newest',
    keyCount: many,
    parts: [],
    otherwise: 'h2o reports it and goes on with the keys that it has; without any it seals with keys that nobody keeps',
  },
  /** `SetSessionTicketKeys`: all parts are derived. Since Go 1.21 the name is left out of tickets. */
  go32: {
    server: 'Go',
    encoding: 'raw',
    seals: 'first',
    keyCount: many,
    parts: [['seed', 32]],
    otherwise: 'Go takes arrays of 32 bytes; copied into one, a shorter key ends in zeros and a longer one is cut',
  },
  /** `gnutls_session_ticket_enable_server`: a master, from which keys follow by the clock (`gnutlsKeySource`). */
  gnutls64: {
    server: 'GnuTLS',
    encoding: 'raw',
    seals: 'first',
    keyCount: one,
    parts: [['seed', 64]],
    otherwise: 'GnuTLS refuses a key that does not have 64 bytes',
  },
  /**
   * This library's own: a list of keys, parts in hexadecimal, times in ISO 8601, `"never"` for none. For keys of one secret (`secret`), and
   * wherever times have to travel with keys.
   */
  json: {
    server: 'tls-resume',
    encoding: 'json',
    seals: 'first',
    keyCount: many,
    parts: [],
    otherwise: 'tls-resume refuses it with a reason',
  },
} as const satisfies Readonly<Record<string, KeyFileLayout>>;

/** The layout of a name; the type is wide, for those who go through its members. */
export function keyFileLayout(name: KeyFileLayoutName): KeyFileLayout {
  return keyFileLayouts[name];
}

/** Bytes of one key. */
export function keyLength({ parts }: KeyFileLayout): number {
  return parts.reduce((sum, [, length]) => sum + length, 0);
}
