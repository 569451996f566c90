/**
 * May this session resume here? One pure function, every rule a named reason (RFC 5246 7.4.1.2, RFC 6066 3, RFC 7627 5.3).
 *
 * Order matters in one place: the extended master secret comes last, because two of its cases end the handshake instead
 * of declining the session, and a session that would be declined anyway must not get that far.
 */
import { equal } from '../bytes.js';
import type { Session } from './session.js';

/** RFC 8446 4.6.1: no session lives longer than 7 days, and renewal does not extend it. Milliseconds. */
export const maximumSessionAge = 7 * 24 * 60 * 60 * 1000;

/** Why a session that was found is not resumed. */
export type BindingRefusal =
  | 'too_old'
  | 'cipher_suite_disabled'
  | 'cipher_suite_not_offered'
  | 'server_name_mismatch'
  | 'context_mismatch'
  | 'client_certificate_missing'
  | 'session_without_extended_master_secret'
  | 'hello_without_extended_master_secret';

/** What the peer asks for now. */
export interface ResumptionRequest {
  readonly cipherSuites: readonly (string | number)[];
  /** Lower case. */
  readonly serverName: string | undefined;
  readonly extendedMasterSecret: boolean;
}

/** What the local configuration demands. */
export interface BindingPolicy {
  readonly cipherSuites: readonly string[];
  /** Digest of everything that must not differ between two configurations: trust, client authentication, virtual host. */
  readonly applicationContext: Uint8Array;
  /** Longest time since the full handshake, milliseconds. */
  readonly maximumAge: number;
  readonly requireClientCertificate: boolean;
  readonly allowResumptionWithoutExtendedMasterSecret: boolean;
}

/** `undefined` if the session may resume, or the first rule it breaks. `now` is in milliseconds. */
export function refuseSession(
  session: Session,
  request: ResumptionRequest,
  policy: BindingPolicy,
  now: number,
): BindingRefusal | undefined {
  const age = now - session.establishedAt;
  // A session from the future was made by another clock: honouring it would extend its life (P-time-2).
  if (age > Math.min(policy.maximumAge, maximumSessionAge) || age < -maximumClockSkew) return 'too_old';
  if (!policy.cipherSuites.includes(session.cipherSuite)) return 'cipher_suite_disabled';
  if (!request.cipherSuites.includes(session.cipherSuite)) return 'cipher_suite_not_offered';
  if (session.serverName !== request.serverName) return 'server_name_mismatch';
  if (!equal(session.applicationContext, policy.applicationContext)) return 'context_mismatch';
  if (policy.requireClientCertificate && session.peerCertificates.length === 0) return 'client_certificate_missing';
  if (!request.extendedMasterSecret) {
    if (session.extendedMasterSecret || !policy.allowResumptionWithoutExtendedMasterSecret)
      return 'hello_without_extended_master_secret';
  } else if (!session.extendedMasterSecret) return 'session_without_extended_master_secret';
  return undefined;
}

/** How far ahead the clock of another server of the fleet may be, milliseconds. */
export const maximumClockSkew = 60_000;
