/**
 * This library's own encodings of a {@link Session}: `sessionState` for tickets and server stores, `clientSessionState` for what a
 * client keeps between connections (RFC 5077 4 leaves the contents to the server; RFC 7627 5.4).
 *
 *     struct {
 *         uint8 format;                              // 1, and 2 for a client's session
 *         ProtocolVersion protocol_version;
 *         CipherSuite cipher_suite;
 *         opaque master_secret[48];
 *         uint8 extended_master_secret;              // 0 or 1
 *         uint64 established_at, issued_at;          // milliseconds
 *         opaque server_name<0..2^16-1>;             // empty: none
 *         opaque alpn_protocol<0..2^8-1>;            // empty: none
 *         ASN.1Cert peer_certificates<0..2^24-1>;
 *         opaque application_context<0..2^16-1>;
 *     } SessionState;
 *
 * Neither encoding protects anything: a ticket is sealed around the first, and whoever can write where a client keeps the second
 * can make it trust another server. Its checksum finds damage, not attackers.
 */
import { ascii, concat, fromAscii } from '../bytes.js';
import { UsageError } from '../errors.js';
import { isTls12CipherSuite } from '../key-schedule/suites.js';
import { cipherSuites, protocolVersions } from '../parameters.js';
import {
  constant,
  enumeration,
  fixed,
  opaque,
  struct,
  uint32,
  uint64,
  uint8,
  vector,
  type Infer,
} from '../presentation/codec.js';
import { decodeOrUndefined, isAllZero } from './decode.js';
import { masterSecretLength, type Session, type SessionEncoding } from './session.js';

/** Without the client's id, ticket and lifetime hint. */
export const sessionState = {
  encode: (session: Session): Uint8Array => serverCodec.encode({ format: 'session', ...toFields(session) }),
  decode: (bytes: Uint8Array): Session | undefined => fromFields(decodeOrUndefined(serverCodec, bytes)),
} satisfies SessionEncoding;

/** With the client's id, ticket and lifetime hint, and a checksum at the end. `decode` works on a copy of the bytes. */
export const clientSessionState = {
  encode(session: Session): Uint8Array {
    const { sessionId = none, ticket = none, ticketLifetimeHint = 0 } = session;
    const state = clientCodec.encode({
      format: 'client_session',
      ...toFields(session),
      sessionId,
      ticket,
      ticketLifetimeHint,
    });
    return concat(state, uint32.encode(crc32(state)));
  },

  decode(bytes: Uint8Array): Session | undefined {
    const state = bytes.slice(0, -4);
    if (decodeOrUndefined(uint32, bytes.subarray(-4)) !== crc32(state)) return undefined;
    const fields = decodeOrUndefined(clientCodec, state);
    const session = fromFields(fields);
    if (fields === undefined || session === undefined) return undefined;
    const { sessionId, ticket, ticketLifetimeHint } = fields;
    if (sessionId.length > 0) session.sessionId = sessionId;
    if (ticket.length > 0) {
      session.ticket = ticket;
      session.ticketLifetimeHint = ticketLifetimeHint;
    }
    return session;
  },
} satisfies SessionEncoding;

const none = new Uint8Array(0);

const format = enumeration(1, { session: 1, client_session: 2 });

const fields = {
  protocolVersion: constant(enumeration(2, protocolVersions), 'TLSv1.2'),
  cipherSuite: enumeration(2, cipherSuites),
  masterSecret: fixed(masterSecretLength),
  extendedMasterSecret: uint8,
  establishedAt: uint64,
  issuedAt: uint64,
  serverName: opaque(0, 2 ** 16 - 1),
  alpnProtocol: opaque(0, 2 ** 8 - 1),
  peerCertificates: vector(opaque(1, 2 ** 24 - 1), 0, 2 ** 24 - 1),
  applicationContext: opaque(0, 2 ** 16 - 1),
};
const serverCodec = struct({ format: constant(format, 'session'), ...fields });
const clientCodec = struct({
  format: constant(format, 'client_session'),
  ...fields,
  sessionId: opaque(0, 32),
  ticket: opaque(0, 2 ** 16 - 1),
  ticketLifetimeHint: uint32,
});

type StateFields = Omit<Infer<typeof serverCodec>, 'format'>;

function toFields(session: Session): StateFields {
  return {
    protocolVersion: session.version,
    cipherSuite: session.cipherSuite,
    masterSecret: session.masterSecret,
    extendedMasterSecret: session.extendedMasterSecret ? 1 : 0,
    establishedAt: BigInt(Math.floor(session.establishedAt)),
    issuedAt: BigInt(Math.floor(session.issuedAt)),
    serverName: byteString(session.serverName),
    alpnProtocol: byteString(session.alpnProtocol),
    peerCertificates: session.peerCertificates,
    applicationContext: session.applicationContext,
  };
}

/** While it is read. */
type Draft = { -readonly [K in keyof Session]: Session[K] };

function fromFields(fields: StateFields | undefined): Draft | undefined {
  if (fields === undefined) return undefined;
  const { protocolVersion, cipherSuite, masterSecret, extendedMasterSecret, serverName, alpnProtocol } = fields;
  if (!isTls12CipherSuite(cipherSuite) || isAllZero(masterSecret) || extendedMasterSecret > 1) return undefined;
  if (fields.establishedAt > latestTime || fields.issuedAt > latestTime) return undefined;
  const session: Draft = {
    version: protocolVersion,
    cipherSuite,
    masterSecret,
    extendedMasterSecret: extendedMasterSecret === 1,
    establishedAt: Number(fields.establishedAt),
    issuedAt: Number(fields.issuedAt),
    peerCertificates: fields.peerCertificates,
    applicationContext: fields.applicationContext,
  };
  if (serverName.length > 0) session.serverName = fromAscii(serverName);
  if (alpnProtocol.length > 0) session.alpnProtocol = fromAscii(alpnProtocol);
  return session;
}

/** The last millisecond of an ECMAScript Date. */
const latestTime = 8_640_000_000_000_000n;

/** A name cut to bytes could come out as another name: that is refused instead. */
function byteString(text = ''): Uint8Array {
  const bytes = ascii(text);
  if (fromAscii(bytes) !== text)
    throw new UsageError('value_not_encodable', 'a name with characters that are no bytes');
  return bytes;
}

/** CRC-32 (ISO 3309), a byte at a time. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (crc32Table[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

const crc32Table = /* @__PURE__ */ Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
