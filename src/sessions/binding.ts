/**
 * May this session resume here? One pure function over a list of rules, each a named reason, for both versions and both roles
 * (RFC 5246 7.4.1.2, RFC 6066 3, RFC 7627 5.3; RFC 8446 4.2.10, 4.2.11, 4.6.1). What the rules cannot see is asked elsewhere: whether the
 * peer of then is still acceptable, by the certificate verifier; which role a session is for, by the encodings.
 *
 * Order matters in one place: the extended master secret comes last, because one of its cases ends the handshake instead
 * of declining the session, and a session that would be declined anyway must not get that far.
 */
import { empty, equal } from '../bytes.js';
import { isTls13CipherSuite, tls13Suites, type Tls13CipherSuite } from '../key-schedule/suites.js';
import type { BindingOverrides } from './binding-overrides.js';
import type { BindingRefusal, EarlyDataBindingRefusal } from './binding-refusal.js';
import type { Session, Tls13Session } from './session.js';

/** RFC 8446 4.6.1: no session lives longer than 7 days, and renewal does not extend it. Milliseconds. */
export const maximumSessionAge = 7 * 24 * 60 * 60 * 1000;

/** How far ahead the clock of another server of the fleet may be, milliseconds. */
export const maximumClockSkew = 60_000;

/** What the local configuration demands of any session. */
export interface BindingPolicy {
  /** Names of enabled suites; those of the other version do no harm. */
  readonly cipherSuites: readonly string[];
  /** Digest of everything that must not differ between two configurations: virtual host, tenant, a client's trust and identity. */
  readonly applicationContext: Uint8Array;
  /** Server: digest of how it authenticates clients; `undefined` where it does not ask, and in clients. */
  readonly clientAuthenticationPolicy: Uint8Array | undefined;
  readonly requireClientCertificate: boolean;
  /** Longest time since the full handshake, milliseconds. */
  readonly maximumAge: number;
  /**
   * TLS 1.3: whether a session whose server says so may resume under another name (draft-ietf-tls-cross-sni-resumption). That the
   * certificate is valid for it is for the client to ask.
   */
  readonly resumptionAcrossNames: boolean;
  readonly allowResumptionWithoutExtendedMasterSecret: boolean;
  readonly overrides: BindingOverrides;
}

/** Where a session is to resume. */
export interface ResumptionRequest {
  readonly version: Session['version'];
  /** What the peer offers in TLS 1.2; what both have in TLS 1.3. */
  readonly cipherSuites: readonly (string | number)[];
  /** Lower case. */
  readonly serverName: string | undefined;
  readonly transport: Tls13Session['transport'];
  /** Whether the ClientHello has the extension; of no interest in TLS 1.3. */
  readonly extendedMasterSecret: boolean;
}

interface Meeting {
  readonly session: Session;
  readonly request: ResumptionRequest;
  readonly policy: BindingPolicy;
  readonly now: number;
}

interface Rule<Refusal, Case> {
  readonly refusal: Refusal;
  /** Where this is set the rule does not hold. Rules without it are those of the keys themselves, or have an option of their own. */
  readonly override?: keyof BindingOverrides;
  readonly isBroken: (meeting: Case) => boolean;
}

const rules: readonly Rule<BindingRefusal, Meeting>[] = [
  { refusal: 'version_mismatch', isBroken: ({ session, request }) => session.version !== request.version },
  {
    refusal: 'too_old',
    isBroken: ({ session, policy, now }) => isOutside(now - session.establishedAt, policy.maximumAge),
  },
  {
    refusal: 'too_old',
    override: 'allowSessionsOlderThanSevenDays',
    isBroken: ({ session, now }) => isOutside(now - session.establishedAt, maximumSessionAge),
  },
  {
    refusal: 'expired',
    isBroken: ({ session, now }) =>
      session.version === 'TLSv1.3' && isOutside(now - session.issuedAt, session.ticketLifetime * 1000),
  },
  {
    refusal: 'cipher_suite_disabled',
    override: 'allowSessionsOfDisabledCipherSuites',
    isBroken: ({ session, policy }) => !carries(policy.cipherSuites, session),
  },
  { refusal: 'cipher_suite_not_offered', isBroken: ({ session, request }) => !carries(request.cipherSuites, session) },
  {
    refusal: 'transport_mismatch',
    override: 'allowSessionsOfOtherTransports',
    isBroken: ({ session, request }) =>
      (session.version === 'TLSv1.3' ? session.transport : 'tcp') !== request.transport,
  },
  {
    refusal: 'server_name_mismatch',
    override: 'allowSessionsOfOtherServerNames',
    isBroken: (meeting) => meeting.session.serverName !== meeting.request.serverName && !mayCrossNames(meeting),
  },
  {
    refusal: 'context_mismatch',
    override: 'allowSessionsOfOtherApplicationContexts',
    isBroken: ({ session, policy }) => !equal(session.applicationContext, policy.applicationContext),
  },
  {
    refusal: 'client_authentication_mismatch',
    override: 'allowSessionsOfOtherClientAuthenticationPolicies',
    isBroken: ({ session, policy }) =>
      !equal(session.clientAuthenticationPolicy ?? empty, policy.clientAuthenticationPolicy ?? empty),
  },
  {
    refusal: 'client_certificate_missing',
    override: 'allowSessionsWithoutRequiredClientCertificate',
    isBroken: ({ session, policy }) => policy.requireClientCertificate && session.peerCertificates.length === 0,
  },
  {
    refusal: 'hello_without_extended_master_secret',
    isBroken: ({ session, request, policy }) =>
      session.version === 'TLSv1.2' &&
      !request.extendedMasterSecret &&
      (session.extendedMasterSecret || !policy.allowResumptionWithoutExtendedMasterSecret),
  },
  {
    refusal: 'session_without_extended_master_secret',
    isBroken: ({ session, request }) =>
      session.version === 'TLSv1.2' && request.extendedMasterSecret && !session.extendedMasterSecret,
  },
];

/** `undefined` if the session may resume, or the first rule it breaks. `now` is in milliseconds. */
export function refuseSession(
  session: Session,
  request: ResumptionRequest,
  policy: BindingPolicy,
  now: number,
): BindingRefusal | undefined {
  return firstBroken(rules, { session, request, policy, now }, policy.overrides);
}

/** What a connection with early data is, once suite and protocol are chosen. */
export interface EarlyDataRequest {
  readonly cipherSuite: Tls13CipherSuite;
  /** What ALPN has chosen now. */
  readonly alpnProtocol: string | undefined;
  /** Lower case. */
  readonly serverName: string | undefined;
  readonly transport: Tls13Session['transport'];
  /** Whose replay record is asked; `undefined` where there is one for all who issue tickets without a zone. */
  readonly zone: string | undefined;
  /** Bytes that are read. */
  readonly maxSize: number;
}

interface EarlyMeeting {
  readonly session: Tls13Session;
  readonly request: EarlyDataRequest;
}

const earlyDataRules: readonly Rule<EarlyDataBindingRefusal, EarlyMeeting>[] = [
  { refusal: 'suite_mismatch', isBroken: ({ session, request }) => session.cipherSuite !== request.cipherSuite },
  {
    refusal: 'alpn_mismatch',
    override: 'allowEarlyDataOfOtherApplicationProtocols',
    isBroken: ({ session, request }) => session.alpnProtocol !== request.alpnProtocol,
  },
  // Whatever lets the session itself cross names or transports: what was sent early was meant for one.
  {
    refusal: 'server_name_mismatch',
    isBroken: ({ session, request }) => session.serverName !== request.serverName,
  },
  { refusal: 'transport_mismatch', isBroken: ({ session, request }) => session.transport !== request.transport },
  {
    refusal: 'other_zone',
    isBroken: ({ session, request }) => session.zone !== request.zone,
  },
  {
    refusal: 'limit',
    isBroken: ({ session: { maxEarlyDataSize, transport }, request }) =>
      maxEarlyDataSize === 0 || (transport === 'tcp' && maxEarlyDataSize > request.maxSize),
  },
];

/** RFC 8446 4.2.10: `undefined` if early data under this session may be read, or the first rule it breaks. */
export function refuseEarlyData(
  session: Tls13Session,
  request: EarlyDataRequest,
  overrides: BindingOverrides,
): EarlyDataBindingRefusal | undefined {
  return firstBroken(earlyDataRules, { session, request }, overrides);
}

function firstBroken<Refusal, Case>(
  list: readonly Rule<Refusal, Case>[],
  meeting: Case,
  overrides: BindingOverrides,
): Refusal | undefined {
  for (const { refusal, override, isBroken } of list)
    if (isBroken(meeting) && (override === undefined || overrides[override] !== true)) return refusal;
  return undefined;
}

/** Whether one of the suites is that of the session, or in TLS 1.3 has its hash. */
function carries(cipherSuites: readonly (string | number)[], session: Session): boolean {
  if (session.version === 'TLSv1.2') return cipherSuites.includes(session.cipherSuite);
  const { hash } = tls13Suites[session.cipherSuite];
  return cipherSuites.some((suite) => isTls13CipherSuite(suite) && tls13Suites[suite].hash === hash);
}

/** What comes from the future was made by another clock: honouring it would extend its life (P-time-2). */
function isOutside(age: number, lifetime: number): boolean {
  return age > lifetime || age < -maximumClockSkew;
}

/** What is valid for the other name is a certificate: it takes one, and names. */
function mayCrossNames({ session, request, policy }: Meeting): boolean {
  if (session.version !== 'TLSv1.3') return false;
  if (!policy.resumptionAcrossNames || session.resumableAcrossNames !== true) return false;
  if (session.externalPskIdentity !== undefined) return false;
  return session.serverName !== undefined && request.serverName !== undefined;
}
