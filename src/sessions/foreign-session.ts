/**
 * The way from what a state of another server says to a {@link Session}, and back: the rules that all of these encodings share.
 *
 * The surprising thing is how much of a session is not in the state. The configuration that it was made under is the session id context
 * where there is one, and else nothing but the ticket key; a host name is missing where the server records none. So the configuration
 * of a session that is read is that of the place where it resumes, and names come from the profile.
 */
import { copy, equal } from '../bytes.js';
import { concealed } from '../concealed.js';
import { hashLength, type EcdheGroup } from '../crypto/backend.js';
import {
  isPskSuite,
  isTls12CipherSuite,
  isTls13CipherSuite,
  tls13Suites,
  type Tls12CipherSuite,
  type Tls13CipherSuite,
} from '../key-schedule/suites.js';
import { signatureSchemes, type SignatureSchemeInRegistry } from '../parameters.js';
import { maximumClockSkew } from './binding.js';
import type { BindingRefusal } from './binding-refusal.js';
import { isAllZero } from './decode.js';
import type { CheckedProfile } from './foreign-state.js';
import {
  masterSecretLength,
  maximumTicketLifetime,
  type ResumptionPlace,
  type Session,
  type Tls12Session,
  type Tls13Session,
} from './session.js';
import type { Draft } from './state-fields.js';

/** What a state says. Byte strings are views on it. */
export interface ForeignState {
  readonly version: string | number;
  readonly cipherSuite: string | number;
  /** TLS 1.2: the master secret; TLS 1.3: the PSK. */
  readonly secret: Uint8Array;
  readonly extendedMasterSecret: boolean;
  /** Milliseconds; as far as the state knows. */
  readonly establishedAt: number;
  /** Milliseconds. */
  readonly issuedAt: number;
  /** Seconds from `issuedAt`. */
  readonly lifetime: number;
  /** Left out where the encoding has none. */
  readonly sessionIdContext?: Uint8Array | undefined;
  /** In any case of letters; left out where the state has none. */
  readonly hostName?: string | undefined;
  readonly peerCertificates: readonly Uint8Array[];
  /** There is a client behind it that cannot be known again: its certificate failed, or only a digest is there. */
  readonly unverifiedClient?: boolean | undefined;
  readonly peerSignatureScheme?: string | number | undefined;
  readonly group?: string | number | undefined;
  readonly externalPskIdentity?: Uint8Array | undefined;
  /** TLS 1.3. */
  readonly ticketAgeAdd?: number | undefined;
  readonly maxEarlyDataSize?: number | undefined;
  readonly alpnProtocol?: string | undefined;
  readonly transport?: 'tcp' | 'quic' | undefined;
  readonly resumableAcrossNames?: boolean | undefined;
}

/** The session that `state` is at `place`, or why it is none there; `undefined` if it can be none anywhere. */
export function foreignSession(
  state: ForeignState,
  profile: CheckedProfile,
  place: ResumptionPlace,
): Session | BindingRefusal | undefined {
  const { version, cipherSuite, secret, externalPskIdentity } = state;
  if (isAllZero(secret)) return undefined;
  if (version === 'TLSv1.2') {
    if (!isTls12CipherSuite(cipherSuite) || secret.length !== masterSecretLength) return undefined;
    if (isPskSuite(cipherSuite) !== (externalPskIdentity !== undefined)) return undefined;
    return (
      refusalOf(state, profile, place) ?? withFacts(tls12Session(state, cipherSuite, place), state, profile, place)
    );
  }
  if (version !== 'TLSv1.3' || !isTls13CipherSuite(cipherSuite) || state.extendedMasterSecret) return undefined;
  if (secret.length !== hashLength[tls13Suites[cipherSuite].hash]) return undefined;
  return refusalOf(state, profile, place) ?? withFacts(tls13Session(state, cipherSuite, place), state, profile, place);
}

/** What the server that the state is for would refuse, and what it would believe and we do not. */
function refusalOf(
  { sessionIdContext, peerCertificates, unverifiedClient, issuedAt, lifetime }: ForeignState,
  profile: CheckedProfile,
  { now }: ResumptionPlace,
): BindingRefusal | undefined {
  if (sessionIdContext !== undefined && !equal(sessionIdContext, profile.sessionIdContext)) return 'context_mismatch';
  if (unverifiedClient === true) return 'client_certificate_distrusted';
  if (peerCertificates.length > 0 && profile.trustClientCertificatesInTickets !== true)
    return 'client_certificate_distrusted';
  // P-time-2: from the future, by another clock.
  if (issuedAt - now > maximumClockSkew) return 'too_old';
  return lifetime < 1 || now - issuedAt > lifetimeOf(lifetime) * 1000 ? 'expired' : undefined;
}

/** RFC 8446 4.6.1, whatever the state says: OpenSSL takes ten years from a ticket for what they are. */
function lifetimeOf(seconds: number): number {
  return Math.min(seconds, maximumTicketLifetime);
}

function tls12Session(
  state: ForeignState,
  cipherSuite: Tls12CipherSuite,
  { applicationContext }: ResumptionPlace,
): Draft<Tls12Session> {
  const session: Draft<Tls12Session> = {
    version: 'TLSv1.2',
    cipherSuite,
    masterSecret: concealed(copy(state.secret)),
    extendedMasterSecret: state.extendedMasterSecret,
    establishedAt: state.establishedAt,
    issuedAt: state.issuedAt,
    peerCertificates: state.peerCertificates.map(copy),
    applicationContext,
  };
  if (isEcdheGroup(state.group)) session.group = state.group;
  return session;
}

function tls13Session(
  state: ForeignState,
  cipherSuite: Tls13CipherSuite,
  { applicationContext }: ResumptionPlace,
): Draft<Tls13Session> {
  const session: Draft<Tls13Session> = {
    version: 'TLSv1.3',
    cipherSuite,
    psk: concealed(copy(state.secret)),
    ticketAgeAdd: state.ticketAgeAdd ?? 0,
    ticketLifetime: lifetimeOf(state.lifetime),
    maxEarlyDataSize: state.maxEarlyDataSize ?? 0,
    transport: state.transport ?? 'tcp',
    establishedAt: state.establishedAt,
    issuedAt: state.issuedAt,
    peerCertificates: state.peerCertificates.map(copy),
    applicationContext,
  };
  if (state.resumableAcrossNames === true) session.resumableAcrossNames = true;
  return session;
}

function withFacts<S extends Draft<Session>>(
  session: S,
  { hostName, alpnProtocol, peerSignatureScheme, externalPskIdentity }: ForeignState,
  { serverNamesOfUnnamedStates = [] }: CheckedProfile,
  { serverName: asked, clientAuthenticationPolicy }: ResumptionPlace,
): S {
  if (clientAuthenticationPolicy !== undefined) session.clientAuthenticationPolicy = clientAuthenticationPolicy;
  if (hostName !== undefined) session.serverName = hostName.toLowerCase();
  else if (asked !== undefined && serverNamesOfUnnamedStates.includes(asked)) session.serverName = asked;
  if (alpnProtocol !== undefined) session.alpnProtocol = alpnProtocol;
  if (isSignatureScheme(peerSignatureScheme)) session.peerSignatureScheme = peerSignatureScheme;
  if (externalPskIdentity !== undefined) session.externalPskIdentity = copy(externalPskIdentity);
  return session;
}

function isEcdheGroup(group: string | number | undefined): group is EcdheGroup {
  return group === 'x25519' || group === 'secp256r1' || group === 'secp384r1' || group === 'secp521r1';
}

function isSignatureScheme(scheme: string | number | undefined): scheme is SignatureSchemeInRegistry {
  return typeof scheme === 'string' && Object.hasOwn(signatureSchemes, scheme);
}

/** What a session may be bound to that only some encodings have room for. */
export interface Room {
  /** Where it has none, the profile's names are all that the session may have. */
  readonly hostName?: boolean;
  readonly externalPskIdentity?: boolean;
  readonly quic?: boolean;
  readonly acrossNames?: boolean;
}

/** Whether the encoding says all that the session is bound to, or the profile that it need not. */
export function hasRoom(room: Room, session: Session, profile: CheckedProfile): boolean {
  const { serverName, peerCertificates, externalPskIdentity } = session;
  if (externalPskIdentity !== undefined && room.externalPskIdentity !== true) return false;
  if (peerCertificates.length > 0 && profile.trustClientCertificatesInTickets !== true) return false;
  if (session.version === 'TLSv1.3') {
    if (session.transport === 'quic' && room.quic !== true) return false;
    if (session.resumableAcrossNames === true && room.acrossNames !== true) return false;
  }
  if (serverName === undefined) return true;
  if (room.hostName !== true) return profile.serverNamesOfUnnamedStates?.includes(serverName) === true;
  // To libraries in C the name would end at the NUL, and be another.
  return serverName.length <= longestHostName && !serverName.includes('\0');
}

/** RFC 1035 2.3.4; `TLSEXT_MAXLEN_host_name`. */
const longestHostName = 255;

/**
 * Seconds that a session has left of `lifetime` since its full handshake when a ticket of it is issued; less than 1 if none is to be issued
 * any more. Default: the seven days of RFC 8446 4.6.1.
 */
export function secondsLeft({ establishedAt, issuedAt }: Session, lifetime = maximumTicketLifetime): number {
  return lifetime - Math.max(0, inSeconds(issuedAt) - inSeconds(establishedAt));
}

/** Whole seconds since 1970, as these encodings have them. */
export function inSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
