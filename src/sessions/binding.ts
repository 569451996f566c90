/**
 * May this session resume here? One pure function for each version, every rule a named reason (RFC 5246 7.4.1.2, RFC 6066 3,
 * RFC 7627 5.3; RFC 8446 4.2.11, 4.6.1).
 *
 * Order matters in one place: the extended master secret comes last, because two of its cases end the handshake instead
 * of declining the session, and a session that would be declined anyway must not get that far.
 */
import { equal } from '../bytes.js';
import { isTls13CipherSuite, tls13Suites } from '../key-schedule/suites.js';
import type { BindingRefusal } from './binding-refusal.js';
import type { SessionFacts, Tls12Session, Tls13Session } from './session.js';

/** RFC 8446 4.6.1: no session lives longer than 7 days, and renewal does not extend it. Milliseconds. */
export const maximumSessionAge = 7 * 24 * 60 * 60 * 1000;

/** How far ahead the clock of another server of the fleet may be, milliseconds. */
export const maximumClockSkew = 60_000;

/** What the local configuration demands of any session. */
interface CommonPolicy {
  /** Names of enabled suites; those of the other version do no harm. */
  readonly cipherSuites: readonly string[];
  /** Digest of everything that must not differ between two configurations: trust, client authentication, virtual host. */
  readonly applicationContext: Uint8Array;
  /** Longest time since the full handshake, milliseconds. */
  readonly maximumAge: number;
  readonly requireClientCertificate: boolean;
}

/** What the local configuration demands of a session of TLS 1.2. */
export interface BindingPolicy extends CommonPolicy {
  readonly allowResumptionWithoutExtendedMasterSecret: boolean;
}

/** What the peer asks for now, in TLS 1.2. */
export interface ResumptionRequest {
  readonly cipherSuites: readonly (string | number)[];
  /** Lower case. */
  readonly serverName: string | undefined;
  readonly extendedMasterSecret: boolean;
}

/** `undefined` if the session may resume, or the first rule it breaks. `now` is in milliseconds. */
export function refuseSession(
  session: Tls12Session,
  request: ResumptionRequest,
  policy: BindingPolicy,
  now: number,
): BindingRefusal | undefined {
  if (isTooOld(session, policy, now)) return 'too_old';
  if (!policy.cipherSuites.includes(session.cipherSuite)) return 'cipher_suite_disabled';
  if (!request.cipherSuites.includes(session.cipherSuite)) return 'cipher_suite_not_offered';
  const mismatch = refuseParty(session, request, policy);
  if (mismatch !== undefined) return mismatch;
  if (!request.extendedMasterSecret) {
    if (session.extendedMasterSecret || !policy.allowResumptionWithoutExtendedMasterSecret)
      return 'hello_without_extended_master_secret';
  } else if (!session.extendedMasterSecret) return 'session_without_extended_master_secret';
  return undefined;
}

/** What the local configuration demands of a session of TLS 1.3. */
export interface Tls13BindingPolicy extends CommonPolicy {
  /**
   * Whether a session whose server says so may resume under another name (draft-ietf-tls-cross-sni-resumption). That the certificate is
   * valid for it is for the client to ask.
   */
  readonly resumptionAcrossNames: boolean;
}

/** Where a session of TLS 1.3 is to resume. */
export interface Tls13ResumptionRequest extends Pick<Tls13Session, 'transport'> {
  /** Lower case. */
  readonly serverName: string | undefined;
}

/**
 * `undefined` if the session may resume, or the first rule it breaks. `now` is in milliseconds. That the suite of this very
 * connection has the session's hash (RFC 8446 4.2.11) shows only once it is chosen.
 */
export function refuseTls13Session(
  session: Tls13Session,
  request: Tls13ResumptionRequest,
  policy: Tls13BindingPolicy,
  now: number,
): BindingRefusal | undefined {
  if (isTooOld(session, policy, now)) return 'too_old';
  if (isOutside(now - session.issuedAt, session.ticketLifetime * 1000)) return 'expired';
  const { hash } = tls13Suites[session.cipherSuite];
  if (!policy.cipherSuites.some((suite) => isTls13CipherSuite(suite) && tls13Suites[suite].hash === hash))
    return 'cipher_suite_disabled';
  if (session.transport !== request.transport) return 'transport_mismatch';
  return refuseParty(session, mayCrossNames(session, request, policy) ? session : request, policy);
}

/** What is valid for the other name is a certificate: it takes one, and names. */
function mayCrossNames(session: Tls13Session, request: Tls13ResumptionRequest, policy: Tls13BindingPolicy): boolean {
  if (!policy.resumptionAcrossNames || session.resumableAcrossNames !== true) return false;
  if (session.externalPskIdentity !== undefined) return false;
  return session.serverName !== undefined && request.serverName !== undefined;
}

function isTooOld(session: SessionFacts, policy: CommonPolicy, now: number): boolean {
  return isOutside(now - session.establishedAt, Math.min(policy.maximumAge, maximumSessionAge));
}

/** What comes from the future was made by another clock: honouring it would extend its life (P-time-2). */
function isOutside(age: number, lifetime: number): boolean {
  return age > lifetime || age < -maximumClockSkew;
}

/** Whether the same two parties meet again, under the same configuration. */
function refuseParty(
  session: SessionFacts,
  request: { readonly serverName?: string | undefined },
  policy: CommonPolicy,
): BindingRefusal | undefined {
  if (session.serverName !== request.serverName) return 'server_name_mismatch';
  if (!equal(session.applicationContext, policy.applicationContext)) return 'context_mismatch';
  if (policy.requireClientCertificate && session.peerCertificates.length === 0) return 'client_certificate_missing';
  return undefined;
}
