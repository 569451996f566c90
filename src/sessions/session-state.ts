/**
 * This library's own encodings of a {@link Session}: `sessionState` for tickets and server stores, `clientSessionState` for what a
 * client keeps between connections (RFC 5077 4 leaves the contents to the server; RFC 7627 5.4, RFC 8446 4.6.1).
 *
 *     struct {
 *         uint8 format;                              // 1, and 2 for a client's session
 *         ProtocolVersion version;
 *         select (version) {
 *             case 0x0303: Tls12State;
 *             case 0x0304: Tls13State;
 *         } state;                                   // the tables below; a client's has its ticket at the end
 *     } SessionState;                                // and after it, where there is something to say: in a client's
 *                                                    // session what was stapled, and in any what came later
 *
 * Neither encoding protects anything: a ticket is sealed around the first, and whoever can write where a client keeps the second
 * can make it trust another server. Its checksum finds damage, not attackers.
 */
import { ascii, concat, copy, empty, fromAscii, wipe } from '../bytes.js';
import { concealed } from '../concealed.js';
import { hashLength, type EcdheGroup } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { isPskSuite, isTls12CipherSuite, isTls13CipherSuite, tls13Suites } from '../key-schedule/suites.js';
import { cipherSuites, namedGroups, protocolVersions, signatureSchemes } from '../parameters.js';
import {
  constant,
  enumeration,
  fixed,
  opaque,
  optional,
  select,
  struct,
  uint32,
  uint64,
  uint8,
  vector,
  type Infer,
} from '../presentation/codec.js';
import { decodeOrUndefined, isAllZero } from './decode.js';
import {
  masterSecretLength,
  maximumTicketLifetime,
  type Session,
  type SessionEncoding,
  type SessionFacts,
  type Tls12Session,
  type Tls13Session,
} from './session.js';

/** Without what only a client has: its id, ticket and lifetime hint. */
export const sessionState = {
  encode: (session: Session): Uint8Array =>
    serverCodec.encode({
      format: 'session',
      body:
        session.version === 'TLSv1.3'
          ? { version: session.version, state: tls13Fields(session) }
          : { version: session.version, state: tls12Fields(session) },
      additions: additionsOf(session),
    }),

  decode(bytes: Uint8Array): Session | undefined {
    const { body, additions } = decodeOrUndefined(serverCodec, copy(bytes)) ?? {};
    if (body === undefined) return undefined;
    return body.version === 'TLSv1.3' ? tls13Session(body.state, additions) : tls12Session(body.state, additions);
  },
} satisfies SessionEncoding;

/**
 * With the client's id, ticket and lifetime hint, and a checksum at the end. A session of TLS 1.3 without its ticket is a
 * `UsageError` (`value_not_encodable`).
 */
export const clientSessionState = {
  encode(session: Session): Uint8Array {
    const { ticket = empty, ocspResponse = empty, signedCertificateTimestamps = empty } = session;
    const additions = additionsOf(session);
    const state = clientCodec.encode({
      format: 'client_session',
      body:
        session.version === 'TLSv1.3'
          ? { version: session.version, state: { shared: tls13Fields(session), ticket } }
          : {
              version: session.version,
              state: {
                shared: tls12Fields(session),
                sessionId: session.sessionId ?? empty,
                ticket,
                ticketLifetimeHint: session.ticketLifetimeHint ?? 0,
                pskIdentityHint: session.pskIdentityHint ?? empty,
              },
            },
      staples:
        additions !== undefined || ocspResponse.length + signedCertificateTimestamps.length > 0
          ? { ocspResponse, signedCertificateTimestamps }
          : undefined,
      additions,
    });
    const checked = concat(state, uint32.encode(crc32(state)));
    wipe(state);
    return checked;
  },

  decode(bytes: Uint8Array): Session | undefined {
    const checked = copy(bytes.subarray(0, -4));
    if (decodeOrUndefined(uint32, bytes.subarray(-4)) !== crc32(checked)) return undefined;
    const { body, staples, additions } = decodeOrUndefined(clientCodec, checked) ?? {};
    // Nothing is announced that is not there.
    const hasStaples =
      staples !== undefined && staples.ocspResponse.length + staples.signedCertificateTimestamps.length > 0;
    if (body === undefined || (staples !== undefined && !hasStaples && additions === undefined)) return undefined;
    if (body.version === 'TLSv1.3') {
      const session = tls13Session(body.state.shared, additions);
      if (session === undefined) return undefined;
      session.ticket = body.state.ticket;
      return withStaples(session, staples);
    }
    const { shared, sessionId, ticket, ticketLifetimeHint, pskIdentityHint } = body.state;
    const session = tls12Session(shared, additions);
    if (session === undefined) return undefined;
    if (session.externalPskIdentity !== undefined) session.pskIdentityHint = pskIdentityHint;
    if (sessionId.length > 0) session.sessionId = sessionId;
    if (ticket.length > 0) {
      session.ticket = ticket;
      session.ticketLifetimeHint = ticketLifetimeHint;
    }
    return withStaples(session, staples);
  },
} satisfies SessionEncoding;

/** What sessions of both versions remember. Times are in milliseconds; an empty name is none. */
const facts = struct({
  establishedAt: uint64,
  issuedAt: uint64,
  serverName: opaque(0, 2 ** 16 - 1),
  alpnProtocol: opaque(0, 2 ** 8 - 1),
  peerCertificates: vector(opaque(1, 2 ** 24 - 1), 0, 2 ** 24 - 1),
  applicationContext: opaque(0, 2 ** 16 - 1),
  peerSignatureScheme: enumeration(2, signatureSchemes), // 0: none
});

const tls12State = struct({
  cipherSuite: enumeration(2, cipherSuites),
  masterSecret: fixed(masterSecretLength),
  extendedMasterSecret: uint8, // 0 or 1
  externalPskIdentity: opaque(0, 2 ** 16 - 1), // empty with the suites of certificates
  facts,
});

const tls13State = struct({
  cipherSuite: enumeration(2, cipherSuites),
  psk: opaque(hashLength.sha256, hashLength.sha384),
  ticketAgeAdd: uint32,
  ticketLifetime: uint32, // seconds
  maxEarlyDataSize: uint32,
  transport: enumeration(1, { tcp: 0, quic: 1 }),
  externalPskIdentity: opaque(0, 2 ** 16 - 1), // empty: none
  facts,
});

const format = enumeration(1, { session: 1, client_session: 2 });
const version = enumeration(2, protocolVersions);

/** What sessions did not remember at first: those that have none of it are written as they were then. */
const additional = struct({
  group: enumeration(2, {
    secp256r1: namedGroups.secp256r1,
    secp384r1: namedGroups.secp384r1,
    secp521r1: namedGroups.secp521r1,
    x25519: namedGroups.x25519,
  } satisfies Record<EcdheGroup, number>), // 0: none; TLS 1.2
  resumableAcrossNames: uint8, // 0 or 1; TLS 1.3
});

const serverCodec = struct({
  format: constant(format, 'session'),
  body: select('version', version, 'state', { 'TLSv1.2': tls12State, 'TLSv1.3': tls13State }),
  additions: optional(additional),
});

/** What stands after a client's session that has something of it or of `additional`; empty is none. */
const stapled = struct({
  ocspResponse: opaque(0, 2 ** 24 - 1),
  signedCertificateTimestamps: opaque(0, 2 ** 16 - 1),
});

const clientCodec = struct({
  format: constant(format, 'client_session'),
  body: select('version', version, 'state', {
    'TLSv1.2': struct({
      shared: tls12State,
      sessionId: opaque(0, 32), // empty: none
      ticket: opaque(0, 2 ** 16 - 1), // empty: none
      ticketLifetimeHint: uint32,
      pskIdentityHint: opaque(0, 2 ** 16 - 1),
    }),
    'TLSv1.3': struct({ shared: tls13State, ticket: opaque(1, 2 ** 16 - 1) }),
  }),
  staples: optional(stapled),
  additions: optional(additional),
});

/** While it is read. */
type Draft<S> = { -readonly [K in keyof S]: S[K] };

function tls12Fields(session: Tls12Session): Infer<typeof tls12State> {
  return {
    cipherSuite: session.cipherSuite,
    masterSecret: session.masterSecret,
    extendedMasterSecret: session.extendedMasterSecret ? 1 : 0,
    externalPskIdentity: session.externalPskIdentity ?? empty,
    facts: factFields(session),
  };
}

function tls12Session(
  fields: Infer<typeof tls12State>,
  additions: Additions | undefined,
): Draft<Tls12Session> | undefined {
  const { cipherSuite, extendedMasterSecret, externalPskIdentity, facts } = fields;
  const masterSecret = concealed(fields.masterSecret);
  if (!isTls12CipherSuite(cipherSuite) || isAllZero(masterSecret) || extendedMasterSecret > 1) return undefined;
  const session: Draft<Tls12Session> = {
    version: 'TLSv1.2',
    cipherSuite,
    masterSecret,
    extendedMasterSecret: extendedMasterSecret === 1,
    establishedAt: Number(facts.establishedAt),
    issuedAt: Number(facts.issuedAt),
    peerCertificates: facts.peerCertificates,
    applicationContext: facts.applicationContext,
  };
  if (isPskSuite(cipherSuite)) session.externalPskIdentity = externalPskIdentity;
  else if (externalPskIdentity.length > 0) return undefined;
  if (additions !== undefined) {
    const { group, resumableAcrossNames } = additions;
    if (typeof group === 'number' || resumableAcrossNames !== 0) return undefined;
    session.group = group;
  }
  return withNames(facts, session);
}

function tls13Fields(session: Tls13Session): Infer<typeof tls13State> {
  return {
    cipherSuite: session.cipherSuite,
    psk: session.psk,
    ticketAgeAdd: session.ticketAgeAdd,
    ticketLifetime: session.ticketLifetime,
    maxEarlyDataSize: session.maxEarlyDataSize,
    transport: session.transport,
    externalPskIdentity: session.externalPskIdentity ?? empty,
    facts: factFields(session),
  };
}

function tls13Session(
  fields: Infer<typeof tls13State>,
  additions: Additions | undefined,
): Draft<Tls13Session> | undefined {
  const { cipherSuite, ticketAgeAdd, ticketLifetime, maxEarlyDataSize, transport, externalPskIdentity, facts } = fields;
  const psk = concealed(fields.psk);
  if (!isTls13CipherSuite(cipherSuite) || psk.length !== hashLength[tls13Suites[cipherSuite].hash]) return undefined;
  if (isAllZero(psk) || ticketLifetime > maximumTicketLifetime || typeof transport === 'number') return undefined;
  const session: Draft<Tls13Session> = {
    version: 'TLSv1.3',
    cipherSuite,
    psk,
    ticketAgeAdd,
    ticketLifetime,
    maxEarlyDataSize,
    transport,
    establishedAt: Number(facts.establishedAt),
    issuedAt: Number(facts.issuedAt),
    peerCertificates: facts.peerCertificates,
    applicationContext: facts.applicationContext,
  };
  if (externalPskIdentity.length > 0) session.externalPskIdentity = externalPskIdentity;
  if (additions !== undefined) {
    if (additions.group !== 0 || additions.resumableAcrossNames !== 1) return undefined;
    session.resumableAcrossNames = true;
  }
  return withNames(facts, session);
}

type Additions = Infer<typeof additional>;

function additionsOf(session: Session): Additions | undefined {
  if (session.version === 'TLSv1.3') return session.resumableAcrossNames && { group: 0, resumableAcrossNames: 1 };
  return session.group && { group: session.group, resumableAcrossNames: 0 };
}

function factFields(session: SessionFacts): Infer<typeof facts> {
  return {
    establishedAt: BigInt(Math.floor(session.establishedAt)),
    issuedAt: BigInt(Math.floor(session.issuedAt)),
    serverName: byteString(session.serverName),
    alpnProtocol: byteString(session.alpnProtocol),
    peerCertificates: session.peerCertificates,
    applicationContext: session.applicationContext,
    peerSignatureScheme: session.peerSignatureScheme ?? 0,
  };
}

/**
 * The facts that a session may lack; `undefined` where a time or a scheme is none. The others stand in the literals above: spread into one
 * object they make decoding five times as slow.
 */
function withNames<S extends Draft<Session>>(fields: Infer<typeof facts>, session: S): S | undefined {
  const { establishedAt, issuedAt, serverName, alpnProtocol, peerSignatureScheme } = fields;
  if (establishedAt > latestTime || issuedAt > latestTime) return undefined;
  if (serverName.length > 0) session.serverName = fromAscii(serverName);
  if (alpnProtocol.length > 0) session.alpnProtocol = fromAscii(alpnProtocol);
  if (typeof peerSignatureScheme === 'string') session.peerSignatureScheme = peerSignatureScheme;
  else if (peerSignatureScheme !== 0) return undefined;
  return session;
}

function withStaples<S extends Draft<Session>>(session: S, staples: Infer<typeof stapled> | undefined): S {
  if (staples === undefined) return session;
  const { ocspResponse, signedCertificateTimestamps } = staples;
  if (ocspResponse.length > 0) session.ocspResponse = ocspResponse;
  if (signedCertificateTimestamps.length > 0) session.signedCertificateTimestamps = signedCertificateTimestamps;
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
