/**
 * Which sessions and PSKs a client offers: those that the caller gave, those that its store has for this peer, and external
 * PSKs, each if it is fit for this connection (RFC 5246 7.4.1.2, RFC 8446 4.6.1).
 */
import { empty, equal } from '../bytes.js';
import type { HashAlgorithm } from '../crypto/backend.js';
import { tls13Suites } from '../key-schedule/suites.js';
import { Tls13KeySchedule } from '../key-schedule/tls13.js';
import { maximumClockSkew, refuseSession } from '../sessions/binding.js';
import { clientSessionState } from '../sessions/session-state.js';
import type { Session, Tls12Session, Tls13Session } from '../sessions/session.js';
import { askVerdict } from './authenticate.js';
import type { ClientOffer, OfferedPsk } from './client-hello.js';
import type { StoredSession } from './handshake-base.js';
import type { ClientHandshake } from './handshake-state.js';
import { ask, type Handshake, type StoreAnswer } from './needs.js';
import { isBehind } from './psk-behind.js';
import { selectPsk } from './psk-tls12.js';
import type { ClientSettings, ExternalPsk } from './settings.js';
import { staplesOf } from './staples.js';
import { takeState } from './taken-ticket.js';

/** PSKs that a ClientHello has room for; the server has to open each. */
export const maxOfferedPsks = 4;

/** The TLS 1.2 session to offer, given or stored. */
export function* findTls12Session(hs: ClientHandshake): Handshake<ClientOffer['tls12']> {
  const { settings } = hs;
  const { sessions: store, sessionKey: key, offeredSessions } = settings;
  if (!settings.versions.includes('TLSv1.2')) return nothing;
  for (const session of offeredSessions)
    if (session.version === 'TLSv1.2' && mayOfferTls12(session, settings) && (yield* isTrusted(session, settings)))
      return { session, stored: undefined };
  if (store === undefined) return nothing;
  const session = decoded(hs, yield* ask('find_session', { store, key }));
  if (session?.version !== 'TLSv1.2' || !mayOfferTls12(session, settings)) return nothing;
  if (!(yield* isTrusted(session, settings))) return nothing;
  return { session, stored: { store, key } };
}

const nothing: { session: undefined; stored: StoredSession | undefined } = { session: undefined, stored: undefined };

/** RFC 8446 4.2.11: tickets before external PSKs, which are there in any case. */
export function* findPsks(hs: ClientHandshake): Handshake<OfferedPsk[]> {
  const { settings } = hs;
  if (!settings.versions.includes('TLSv1.3')) return [];
  const sessions: Tls13Session[] = [];
  for (const session of settings.offeredSessions)
    if (session.version === 'TLSv1.3' && (yield* isOfferable(session, settings))) sessions.push(session);
  const stored = sessions.length === 0 ? yield* takeStored(hs) : undefined;
  if (stored !== undefined) sessions.push(stored);
  const external = settings.externalPsks.filter((psk) => isForUs(psk, settings));
  return [...sessions.map((session) => ticketPsk(hs, session)), ...external.map((psk) => externalPsk(hs, psk))].slice(
    0,
    maxOfferedPsks,
  );
}

/** RFC 8446 C.4: a ticket is offered once, if the store can take it out. */
function* takeStored(hs: ClientHandshake): Handshake<Tls13Session | undefined> {
  const { settings } = hs;
  const { sessions: store, tls13SessionKey: key } = settings;
  if (store === undefined) return undefined;
  const entry = { store, key };
  const session = decoded(hs, yield* takeState(entry, clientSessionState));
  if (session?.version !== 'TLSv1.3') return undefined;
  if (store.take !== undefined) hs.taken = { ...entry, session, encoding: clientSessionState };
  if (yield* isOfferable(session, settings)) return session;
  hs.taken = undefined;
  return undefined;
}

function decoded(hs: ClientHandshake, answer: StoreAnswer): Session | undefined {
  if ('failed' in answer || answer.state === undefined) return undefined;
  const session = hs.openSession(clientSessionState, answer.state, hs.settings.serverName);
  return typeof session === 'string' ? undefined : session;
}

function* isOfferable(session: Tls13Session, settings: ClientSettings): Handshake<boolean> {
  if (session.ticket === undefined || !settings.tickets) return false;
  const { serverName, transport, tls13CipherSuites: cipherSuites, binding, now } = settings;
  const request = { version: 'TLSv1.3', cipherSuites, serverName, transport, extendedMasterSecret: true } as const;
  if (refuseSession(session, request, binding, now()) !== undefined) return false;
  return yield* isTrusted(session, settings);
}

/**
 * P-bind-6: no certificate comes with a resumption, so the session's own chain is judged again, for the name asked for now. A
 * session that stands on an external PSK has none, and is fit where that is still in use.
 */
function* isTrusted(session: Session, settings: ClientSettings): Handshake<boolean> {
  const { verifyCertificate: verifier, serverName } = settings;
  const { peerCertificates: certificates, externalPskIdentity } = session;
  if (externalPskIdentity !== undefined) {
    if (session.version === 'TLSv1.3')
      return settings.externalPsks.some((psk) => psk.role === 'client' && isBehind(settings.crypto, session, psk));
    const selected = yield* selectPsk(settings, session.pskIdentityHint ?? empty);
    return selected !== undefined && isBehind(settings.crypto, session, selected);
  }
  if (settings.binding.overrides.allowSessionsOfPeersThatAreNotJudgedAgain === true) return true;
  return (yield* askVerdict(verifier, {
    certificates,
    role: 'server',
    serverName,
    resumed: true,
    ...staplesOf(session),
  })).accepted;
}

/** RFC 5246 7.4.1.2, RFC 5077 3.3, RFC 7627 5.3: what a client may offer; P-bind-5 by name and context. */
function mayOfferTls12(session: Tls12Session, settings: ClientSettings): boolean {
  const now = settings.now();
  const { cipherSuites, serverName, binding } = settings;
  const { extendedMasterSecret } = session;
  const request = { version: 'TLSv1.2', cipherSuites, serverName, transport: 'tcp', extendedMasterSecret } as const;
  if (refuseSession(session, request, binding, now) !== undefined) return false;
  const { ticketLifetimeHint = 0 } = session;
  const age = now - session.issuedAt;
  // P-time-2: where the clock has gone back to before the ticket, its age says nothing.
  if (ticketLifetimeHint > 0 && (age > ticketLifetimeHint * 1000 || age < -maximumClockSkew)) return false;
  return session.ticket === undefined ? (session.sessionId?.length ?? 0) > 0 : settings.tickets;
}

function isForUs({ role, hash }: ExternalPsk, { tls13CipherSuites }: ClientSettings): boolean {
  return role === 'client' && tls13CipherSuites.some((suite) => tls13Suites[suite].hash === hash);
}

function ticketPsk(hs: ClientHandshake, session: Tls13Session): OfferedPsk {
  const behind = session.externalPskIdentity;
  const external = behind && hs.settings.externalPsks.find(({ identity }) => equal(identity, behind));
  const { hash } = tls13Suites[session.cipherSuite];
  const schedule = scheduleOf(hs, hash, session.psk);
  return {
    kind: 'resumption',
    identity: session.ticket ?? empty,
    hash,
    schedule,
    session,
    external,
  };
}

function externalPsk(hs: ClientHandshake, psk: ExternalPsk): OfferedPsk {
  const { kind, identity, key, hash } = psk;
  return {
    kind,
    identity,
    hash,
    schedule: scheduleOf(hs, hash, key),
    external: psk,
    session: undefined,
  };
}

/** Destroyed with the handshake, whether it is offered, selected or neither. */
function scheduleOf(hs: ClientHandshake, hash: HashAlgorithm, psk: Uint8Array): Tls13KeySchedule {
  const schedule = new Tls13KeySchedule(hs.settings.crypto, hash, psk);
  hs.atEnd(() => schedule.destroy());
  return schedule;
}
