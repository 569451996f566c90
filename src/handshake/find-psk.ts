/**
 * The server's search for a PSK among those that a ClientHello offers (RFC 8446 4.2.11): external ones, tickets that its key ring
 * opens, tickets that its store keeps.
 *
 * What cannot be used is skipped with a reason, and a full handshake follows. Only the binder of the PSK that is chosen is
 * looked at, and a wrong one ends the handshake.
 */
import { equal, equalConstantTime } from '../bytes.js';
import type { HashAlgorithm } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { tls13Suites, type Tls13CipherSuite } from '../key-schedule/suites.js';
import { Tls13KeySchedule, type PskKind } from '../key-schedule/tls13.js';
import { truncateClientHello, type OfferedPsks, type PskIdentity } from '../messages/index.js';
import { refuseSession } from '../sessions/binding.js';
import { sessionState } from '../sessions/session-state.js';
import type { Session, Tls13Session } from '../sessions/session.js';
import { judgePeer } from './find-session.js';
import type { ServerHandshake } from './handshake-state.js';
import { ask, type Handshake } from './needs.js';
import { isBehind } from './psk-behind.js';
import type { ResumptionRefusal } from './resumption.js';
import { putBack, takeState } from './taken-ticket.js';
import { handleLength } from './tickets-tls13.js';
import type { ExternalPsk, ServerSettings } from './settings.js';

/** How many identities of one ClientHello are looked at: each may cost a look into a store. */
export const maxPskIdentities = 8;

/** A PSK that may be used. */
export interface FoundPsk {
  readonly index: number;
  readonly offered: PskIdentity;
  readonly kind: PskKind;
  readonly key: Uint8Array;
  readonly hash: HashAlgorithm;
  readonly cipherSuite: Tls13CipherSuite;
  readonly session: Tls13Session | undefined;
  /** The external PSK that it is, or that stands behind the ticket. */
  readonly external: ExternalPsk | undefined;
}

export type PskSearch = FoundPsk | { readonly index?: undefined; readonly reason: ResumptionRefusal };

type Candidate = Pick<FoundPsk, 'kind' | 'key' | 'hash' | 'session' | 'external'>;

/**
 * The first PSK that is fit for this connection with one of `suites`, which both sides have, most preferred first. A ticket that is good
 * for one connection is taken out of its store, and is in `hs.taken` until its binder is verified: see {@link putBack}.
 */
export function* findPsk(
  hs: ServerHandshake,
  { identities }: OfferedPsks,
  suites: readonly Tls13CipherSuite[],
  serverName: string | undefined,
): Handshake<PskSearch> {
  let reason: ResumptionRefusal = 'not_offered';
  for (const [index, offered] of inOurOrder(hs.settings, identities.slice(0, maxPskIdentities))) {
    const found = yield* lookUp(hs, offered.identity, suites, serverName);
    if (typeof found === 'string') {
      yield* putBack(hs);
      // The first reason tells most: clients put their best ticket first.
      if (index === 0) reason = found;
      continue;
    }
    const fitting = suites.filter((suite) => tls13Suites[suite].hash === found.hash);
    // Early data needs the very suite of the ticket.
    const cipherSuite = fitting.find((suite) => suite === found.session?.cipherSuite) ?? fitting[0];
    if (cipherSuite !== undefined) return { ...found, index, offered, cipherSuite };
    // An external PSK: a session has said so before.
    if (index === 0) reason = 'cipher_suite_not_offered';
  }
  return { reason };
}

/** External PSKs of ours stand where the client put some, in our order; everything else in the client's. */
function inOurOrder(
  { externalPsks }: ServerSettings,
  identities: readonly PskIdentity[],
): readonly (readonly [number, PskIdentity])[] {
  const entries = [...identities.entries()];
  if (externalPsks.length < 2) return entries;
  const rank = ({ identity }: PskIdentity) => externalPsks.findIndex((psk) => equal(psk.identity, identity));
  const ours = entries.filter(([, offered]) => rank(offered) >= 0);
  const ranked = [...ours].sort(([, a], [, b]) => rank(a) - rank(b));
  return entries.map((entry) => ranked[ours.indexOf(entry)] ?? entry);
}

function* lookUp(
  hs: ServerHandshake,
  identity: Uint8Array,
  cipherSuites: readonly Tls13CipherSuite[],
  serverName: string | undefined,
): Handshake<Candidate | ResumptionRefusal> {
  const { settings } = hs;
  const configured = configuredPsk(settings, identity);
  if (configured !== undefined) return externalCandidate(settings, configured);
  const session = yield* findTicket(hs, identity, serverName);
  if (typeof session === 'string') {
    const psk = yield* lookUpExternalPsk(settings, identity);
    return psk === undefined ? session : externalCandidate(settings, psk);
  }
  const { binding, transport, now } = settings;
  const request = { version: 'TLSv1.3', cipherSuites, serverName, transport, extendedMasterSecret: true } as const;
  const refusal = refuseSession(session, request, binding, now());
  if (refusal !== undefined) return refusal;
  // The first rule: for the compiler.
  if (session.version !== 'TLSv1.3') return 'version_mismatch';
  const unfit = yield* judgePeer(hs, session);
  if (unfit !== undefined) return unfit;
  const behind = session.externalPskIdentity;
  const external = behind && (yield* findExternalPsk(settings, behind));
  if (behind !== undefined && (external === undefined || !isBehind(settings.crypto, session, external)))
    return 'external_psk_removed';
  return {
    kind: 'resumption',
    key: session.psk,
    hash: tls13Suites[session.cipherSuite].hash,
    session,
    external,
  };
}

function* findExternalPsk(settings: ServerSettings, identity: Uint8Array): Handshake<ExternalPsk | undefined> {
  return configuredPsk(settings, identity) ?? (yield* lookUpExternalPsk(settings, identity));
}

function configuredPsk({ externalPsks }: ServerSettings, identity: Uint8Array): ExternalPsk | undefined {
  return externalPsks.find((psk) => equal(psk.identity, identity));
}

function* lookUpExternalPsk(
  { findExternalPsk: lookup }: ServerSettings,
  identity: Uint8Array,
): Handshake<ExternalPsk | undefined> {
  return lookup === undefined ? undefined : yield* ask('find_external_psk', { lookup, identity });
}

/** P-psk-1: a ClientHello under the PSK that we use as a client is our own, reflected (Selfie). */
function externalCandidate(
  { clientAuthentication }: ServerSettings,
  external: ExternalPsk,
): Candidate | ResumptionRefusal {
  const { kind, key, hash, role } = external;
  if (role !== 'server') throw new AlertError('illegal_parameter', 'got an external PSK that is ours as a client');
  // R8446-E.1-1: a PSK comes without certificates, and so not where one is required.
  if (clientAuthentication === 'require') return 'client_certificate_missing';
  return { kind, key, hash, session: undefined, external };
}

/** Sealed by the key ring, or a handle that the store knows. */
function* findTicket(
  hs: ServerHandshake,
  identity: Uint8Array,
  serverName: string | undefined,
): Handshake<Session | ResumptionRefusal> {
  const { tickets: sealer, ticketEncoding, sessions: store } = hs.settings;
  if (sealer !== undefined) {
    const opened = yield* ask('open_ticket', { sealer, ticket: identity });
    if ('failed' in opened) return 'store_unavailable';
    return opened.state === undefined ? opened.reason : hs.openSession(ticketEncoding, opened.state, serverName);
  }
  if (store === undefined) return 'disabled';
  // Session IDs, which everybody sees, have another length: nobody takes out a session of TLS 1.2 by its ID.
  if (identity.length !== handleLength) return 'unknown_session_id';
  const entry = { store, key: identity.slice() };
  const found = yield* takeState(entry, sessionState);
  if ('failed' in found) return 'store_unavailable';
  if (found.state === undefined) return 'unknown_session_id';
  const session = hs.openSession(sessionState, found.state, serverName);
  if (typeof session !== 'string' && session.version === 'TLSv1.3' && store.take !== undefined)
    hs.taken = { ...entry, session, encoding: sessionState };
  return session;
}

/**
 * RFC 8446 4.2.11: the binder of the chosen PSK, in constant time. Answers the early secret, which it stands on. `bytes` is
 * the ClientHello, not in the transcript yet.
 */
export function verifyBinder(
  hs: ServerHandshake,
  psk: FoundPsk,
  { binders }: OfferedPsks,
  bytes: Uint8Array,
): Tls13KeySchedule {
  const schedule = new Tls13KeySchedule(hs.settings.crypto, psk.hash, psk.key);
  hs.atEnd(() => schedule.destroy());
  const expected = schedule.binder(psk.kind, hs.transcript.digestUnder(psk.hash, truncateClientHello(bytes, binders)));
  const binder = binders[psk.index];
  if (binder === undefined || !equalConstantTime(binder, expected))
    throw new AlertError('decrypt_error', 'got a binder that does not verify');
  return schedule;
}
