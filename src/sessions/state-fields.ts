/**
 * The parts that both encodings of a {@link Session} have in common, and the way from a session to them and back.
 *
 * The surprising thing: what is read is not yet a session. Suites, secrets and times are looked at, and whatever no session can have is
 * `undefined`, for bytes come from tickets and stores.
 */
import { ascii, empty, fromAscii } from '../bytes.js';
import { concealed } from '../concealed.js';
import { hashLength, type EcdheGroup } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { isPskSuite, isTls12CipherSuite, isTls13CipherSuite, tls13Suites } from '../key-schedule/suites.js';
import { cipherSuites, namedGroups, signatureSchemes } from '../parameters.js';
import {
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
import { isAllZero } from './decode.js';
import {
  masterSecretLength,
  maximumTicketLifetime,
  type Session,
  type SessionFacts,
  type Tls12Session,
  type Tls13Session,
} from './session.js';

/** What sessions of both versions remember. Times are in milliseconds; an empty name is none. */
const facts = struct({
  establishedAt: uint64,
  issuedAt: uint64,
  serverName: opaque(0, 2 ** 16 - 1),
  alpnProtocol: opaque(0, 2 ** 8 - 1),
  peerCertificates: vector(opaque(1, 2 ** 24 - 1), 0, 2 ** 24 - 1),
  applicationContext: opaque(0, 2 ** 16 - 1),
  peerSignatureScheme: enumeration(2, signatureSchemes), // 0: none
  clientAuthenticationPolicy: opaque(0, 2 ** 8 - 1), // empty: none
  externalPskFingerprint: opaque(0, 2 ** 8 - 1), // empty: none
});

export const tls12State = struct({
  cipherSuite: enumeration(2, cipherSuites),
  masterSecret: fixed(masterSecretLength),
  extendedMasterSecret: uint8, // 0 or 1
  externalPskIdentity: opaque(0, 2 ** 16 - 1), // empty with the suites of certificates
  group: enumeration(2, {
    none: 0,
    secp256r1: namedGroups.secp256r1,
    secp384r1: namedGroups.secp384r1,
    secp521r1: namedGroups.secp521r1,
    x25519: namedGroups.x25519,
  } satisfies Record<EcdheGroup | 'none', number>),
  facts,
});

export const tls13State = struct({
  cipherSuite: enumeration(2, cipherSuites),
  psk: opaque(hashLength.sha256, hashLength.sha384),
  ticketAgeAdd: uint32,
  ticketLifetime: uint32, // seconds
  maxEarlyDataSize: uint32,
  transport: enumeration(1, { tcp: 0, quic: 1 }),
  externalPskIdentity: opaque(0, 2 ** 16 - 1), // empty: none
  resumableAcrossNames: uint8, // 0 or 1
  zone: opaque(0, 2 ** 8 - 1), // empty: none
  facts,
});

/** While it is read. */
export type Draft<S> = { -readonly [K in keyof S]: S[K] };

/** What is written down of it, without what only a client has. */
export function tls12Fields(session: Tls12Session): Infer<typeof tls12State> {
  return {
    cipherSuite: session.cipherSuite,
    masterSecret: session.masterSecret,
    extendedMasterSecret: session.extendedMasterSecret ? 1 : 0,
    externalPskIdentity: session.externalPskIdentity ?? empty,
    group: session.group ?? 'none',
    facts: factFields(session),
  };
}

/** The session that was written down, to which a client adds what only it has; `undefined` if there can be none such. */
export function tls12Session(fields: Infer<typeof tls12State>): Draft<Tls12Session> | undefined {
  const { cipherSuite, extendedMasterSecret, externalPskIdentity, group, facts } = fields;
  const masterSecret = concealed(fields.masterSecret);
  if (!isTls12CipherSuite(cipherSuite) || isAllZero(masterSecret) || extendedMasterSecret > 1) return undefined;
  if (typeof group === 'number') return undefined;
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
  if (group !== 'none') session.group = group;
  return withNames(facts, session);
}

/** As {@link tls12Fields}. */
export function tls13Fields(session: Tls13Session): Infer<typeof tls13State> {
  return {
    cipherSuite: session.cipherSuite,
    psk: session.psk,
    ticketAgeAdd: session.ticketAgeAdd,
    ticketLifetime: session.ticketLifetime,
    maxEarlyDataSize: session.maxEarlyDataSize,
    transport: session.transport,
    externalPskIdentity: session.externalPskIdentity ?? empty,
    resumableAcrossNames: session.resumableAcrossNames === true ? 1 : 0,
    zone: byteString(session.zone),
    facts: factFields(session),
  };
}

/** As {@link tls12Session}. */
export function tls13Session(fields: Infer<typeof tls13State>): Draft<Tls13Session> | undefined {
  const { cipherSuite, ticketAgeAdd, ticketLifetime, maxEarlyDataSize, transport, externalPskIdentity, facts } = fields;
  const { resumableAcrossNames, zone } = fields;
  const psk = concealed(fields.psk);
  if (!isTls13CipherSuite(cipherSuite) || psk.length !== hashLength[tls13Suites[cipherSuite].hash]) return undefined;
  if (isAllZero(psk) || ticketLifetime > maximumTicketLifetime || typeof transport === 'number') return undefined;
  if (resumableAcrossNames > 1) return undefined;
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
  if (resumableAcrossNames === 1) session.resumableAcrossNames = true;
  if (zone.length > 0) session.zone = fromAscii(zone);
  return withNames(facts, session);
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
    clientAuthenticationPolicy: session.clientAuthenticationPolicy ?? empty,
    externalPskFingerprint: session.externalPskFingerprint ?? empty,
  };
}

/**
 * The facts that a session may lack; `undefined` where a time or a scheme is none. The others stand in the literals above: spread into one
 * object they make decoding five times as slow.
 */
function withNames<S extends Draft<Session>>(fields: Infer<typeof facts>, session: S): S | undefined {
  const { establishedAt, issuedAt, serverName, alpnProtocol, peerSignatureScheme, clientAuthenticationPolicy } = fields;
  const { externalPskFingerprint } = fields;
  if (establishedAt > latestTime || issuedAt > latestTime) return undefined;
  if (serverName.length > 0) session.serverName = fromAscii(serverName);
  if (alpnProtocol.length > 0) session.alpnProtocol = fromAscii(alpnProtocol);
  if (typeof peerSignatureScheme === 'string') session.peerSignatureScheme = peerSignatureScheme;
  else if (peerSignatureScheme !== 0) return undefined;
  if (externalPskFingerprint.length > 0) session.externalPskFingerprint = concealed(externalPskFingerprint);
  if (clientAuthenticationPolicy.length > 0) session.clientAuthenticationPolicy = clientAuthenticationPolicy;
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
