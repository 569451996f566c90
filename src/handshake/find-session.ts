/**
 * The server's search for the session that a ClientHello offers: by ticket (RFC 5077 3.4) or by session ID (RFC 5246
 * 7.4.1.2), and the judgement whether it may resume here.
 *
 * What cannot be used is a reason and a full handshake, never an alert, with two exceptions: RFC 7627 5.3 demands
 * one, and a session ID offered without its cipher suite breaks RFC 5246 7.4.1.2.
 */
import { AlertError } from '../errors.js';
import { findExtension } from '../messages/index.js';
import { refuseSession } from '../sessions/binding.js';
import type { Session, Tls12Session } from '../sessions/session.js';
import { sessionState } from '../sessions/session-state.js';
import { askVerdict } from './authenticate.js';
import type { StoredSession } from './handshake-base.js';
import { ask, type Handshake } from './needs.js';
import { isBehind } from './psk-behind.js';
import { findPskKey } from './psk-tls12.js';
import type { ResumptionRefusal } from './resumption.js';
import type { ServerHandshake } from './handshake-state.js';
import type { HelloFacts } from './negotiate.js';

/** The session to resume and how it was found, or why there is none. */
export type FoundSession =
  | {
      readonly session: Tls12Session;
      readonly mode: 'session_id' | 'ticket';
      readonly renew: boolean;
      /** Where a session ID led to. */
      readonly stored: StoredSession | undefined;
    }
  | { readonly session?: undefined; readonly reason: ResumptionRefusal };

export function* findSession(hs: ServerHandshake, facts: HelloFacts): Handshake<FoundSession> {
  const ticket = findExtension(facts.hello.extensions, 'session_ticket');
  // RFC 5077 3.4: with a ticket offered, the session ID is neither looked up nor judged by.
  const found =
    ticket !== undefined && ticket.length > 0
      ? yield* findByTicket(hs, ticket, facts.serverName)
      : yield* findBySessionId(hs, facts.hello.legacySessionId, facts.serverName);
  if (found.session === undefined) return found;
  const { session } = found;
  const refusal = judge(hs, facts, found) ?? (yield* judgePeer(hs, session)) ?? (yield* judgePsk(hs, session));
  // A stored session that is refused stays: it may be good under the configuration that made it.
  return refusal === undefined ? found : { reason: refusal };
}

function* findByTicket(
  hs: ServerHandshake,
  ticket: Uint8Array,
  serverName: string | undefined,
): Handshake<FoundSession> {
  const { tickets: sealer, ticketEncoding } = hs.settings;
  if (sealer === undefined) return { reason: 'disabled' };
  const opened = yield* ask('open_ticket', { sealer, ticket });
  if ('failed' in opened) return { reason: 'store_unavailable' };
  if (opened.state === undefined) return { reason: opened.reason };
  const session = hs.openSession(ticketEncoding, opened.state, serverName);
  if (typeof session === 'string') return { reason: session };
  if (session.version !== 'TLSv1.2') return { reason: 'version_mismatch' };
  return { session, mode: 'ticket', renew: opened.renew, stored: undefined };
}

function* findBySessionId(
  hs: ServerHandshake,
  sessionId: Uint8Array,
  serverName: string | undefined,
): Handshake<FoundSession> {
  const { sessions: store } = hs.settings;
  if (sessionId.length === 0) return { reason: 'not_offered' };
  if (store === undefined) return { reason: 'disabled' };
  const found = yield* ask('find_session', { store, key: sessionId });
  if ('failed' in found) return { reason: 'store_unavailable' };
  if (found.state === undefined) return { reason: 'unknown_session_id' };
  const session = hs.openSession(sessionState, found.state, serverName);
  if (typeof session === 'string') return { reason: session };
  if (session.version !== 'TLSv1.2') return { reason: 'version_mismatch' };
  return { session, mode: 'session_id', renew: false, stored: { store, key: sessionId } };
}

function judge(
  hs: ServerHandshake,
  facts: HelloFacts,
  { session, mode }: Extract<FoundSession, { session: Tls12Session }>,
): ResumptionRefusal | undefined {
  const { settings } = hs;
  const { serverName, extendedMasterSecret, hello } = facts;
  const { cipherSuites } = hello;
  const request = { version: 'TLSv1.2', cipherSuites, serverName, transport: 'tcp', extendedMasterSecret } as const;
  const refusal = refuseSession(session, request, settings.binding, settings.now());
  if (refusal === 'hello_without_extended_master_secret')
    throw new AlertError('handshake_failure', 'got a resumption without extended_master_secret (RFC 7627 5.3)');
  // RFC 5246 7.4.1.2: a session ID without its suite breaks a rule; a ticket's holder cannot know what is in it.
  if (refusal === 'cipher_suite_not_offered' && mode === 'session_id')
    throw new AlertError('illegal_parameter', `got a session ID without its cipher suite ${session.cipherSuite}`);
  return refusal;
}

/** A session lives no longer than the PSK behind it. */
function* judgePsk(hs: ServerHandshake, session: Tls12Session): Handshake<ResumptionRefusal | undefined> {
  const { externalPskIdentity: identity } = session;
  if (identity === undefined) return undefined;
  const key = yield* findPskKey(hs.settings, identity);
  const isSame = key !== undefined && isBehind(hs.settings.crypto, session, { identity, key });
  return isSame ? undefined : 'external_psk_removed';
}

/**
 * P-bind-4: a client that was authenticated by certificate is judged again; the chain may have expired or been revoked, and what it signed
 * with be accepted no more.
 */
export function* judgePeer(hs: ServerHandshake, session: Session): Handshake<ResumptionRefusal | undefined> {
  const { peerCertificates: certificates, peerSignatureScheme: signedWith } = session;
  const { verifyCertificate: verifier, signatureSchemes, binding } = hs.settings;
  if (certificates.length === 0 || binding.overrides.allowSessionsOfPeersThatAreNotJudgedAgain === true)
    return undefined;
  if (verifier === undefined) return 'certificate_refused';
  if (signedWith !== undefined && !signatureSchemes.some((scheme) => scheme === signedWith))
    return 'certificate_refused';
  const peer = { certificates, role: 'client', serverName: undefined, resumed: true } as const;
  const verdict = yield* askVerdict(verifier, peer);
  return verdict.accepted ? undefined : 'certificate_refused';
}
