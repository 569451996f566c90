/**
 * NewSessionTicket in both roles (RFC 8446 4.6.1): what happens after a TLS 1.3 handshake, as flows of their own, because sealing
 * and storing may take their time.
 */
import { empty, wipe } from '../bytes.js';
import { AlertError } from '../errors.js';
import { findExtension, hasTlsFlag, tlsFlagsWith, type Extension, type NewSessionTicket } from '../messages/index.js';
import { clientSessionState, sessionState } from '../sessions/session-state.js';
import { maximumTicketLifetime, wipeSession, type Tls13Session } from '../sessions/session.js';
import { greaseValue } from './grease.js';
import type { Resumable } from './handshake-base.js';
import { boundTo, type ClientHandshake, type ServerHandshake } from './handshake-state.js';
import { ask, type Handshake } from './needs.js';

/** RFC 9001 4.6.1: the one value in QUIC. */
const quicEarlyDataSize = 0xffffffff;
/** Bytes of a ticket that is a handle into the server's store: random, and not as long as a session ID. */
export const handleLength = 24;

/** When a ticket of a server's store is over, milliseconds. */
export function ticketExpiry({ issuedAt, ticketLifetime }: Tls13Session): number {
  return issuedAt + ticketLifetime * 1000;
}

/** Sends so many tickets; answers how many there were. A sealer or store that fails costs tickets, nothing else. */
export function* sendTickets(hs: ServerHandshake, count: number): Handshake<number> {
  const { resumable } = hs;
  if (resumable === undefined) return 0;
  for (let sent = 0; sent < count; sent++) if (!(yield* sendTicket(hs, resumable))) return sent;
  return count;
}

function* sendTicket(hs: ServerHandshake, resumable: Resumable): Handshake<boolean> {
  const { settings, tls13 } = hs;
  const { crypto, now, earlyData, transport } = settings;
  const issuedAt = now();
  // P-key-7: however often it is renewed, a session ends when its time since the full handshake is up.
  // Rounded up: a ticket of the last second would say 0, which is none (the server goes by the millisecond).
  const remaining = Math.ceil((resumable.establishedAt + settings.binding.maximumAge - issuedAt) / 1000);
  const ticketLifetime = Math.min(settings.ticketLifetime, remaining);
  if (ticketLifetime <= 0) return false;
  const maxEarlyDataSize = earlyData === undefined ? 0 : transport === 'quic' ? quicEarlyDataSize : earlyData.maxSize;
  const ticketNonce = tls13.nextTicketNonce();
  const [a = 0, b = 0, c = 0, d = 0] = crypto.randomBytes(4);
  const session: Tls13Session = {
    version: 'TLSv1.3',
    cipherSuite: tls13.cipherSuite,
    psk: tls13.ticketPsk(ticketNonce),
    ...partyOf(resumable),
    ...boundTo(settings),
    issuedAt,
    ticketAgeAdd: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0,
    ticketLifetime,
    maxEarlyDataSize,
    transport,
    ...(earlyData?.zone === undefined ? {} : { zone: earlyData.zone }),
    // What resumes under other names is a certificate that is valid for them.
    ...(settings.binding.resumptionAcrossNames &&
      resumable.behind.externalPskIdentity === undefined && { resumableAcrossNames: true }),
  };
  let ticket: Uint8Array | undefined;
  try {
    ticket = yield* ticketFor(hs, session);
  } finally {
    wipe(session.psk);
  }
  if (ticket === undefined) return false;
  hs.sendAfterHandshake({
    type: 'new_session_ticket',
    body: {
      ticketLifetime,
      ticketAgeAdd: session.ticketAgeAdd,
      ticketNonce,
      ticket,
      extensions: ticketExtensions(hs, session),
    },
  });
  return true;
}

/** RFC 8446 4.6.1, RFC 8701 4.1, draft-ietf-tls-cross-sni-resumption. */
function ticketExtensions(
  { settings }: ServerHandshake,
  { maxEarlyDataSize, resumableAcrossNames }: Tls13Session,
): Extension<'new_session_ticket'>[] {
  const extensions: Extension<'new_session_ticket'>[] = [];
  if (maxEarlyDataSize > 0) extensions.push({ type: 'early_data', data: maxEarlyDataSize });
  if (resumableAcrossNames) extensions.push({ type: 'tls_flags', data: tlsFlagsWith('resumption_across_names') });
  if (settings.grease) extensions.push({ type: greaseValue(settings.crypto), data: empty });
  return extensions;
}

/** Sealed by the key ring, or else a handle of what the store keeps. */
function* ticketFor({ settings }: ServerHandshake, session: Tls13Session): Handshake<Uint8Array | undefined> {
  const { tickets: sealer, ticketEncoding, sessions: store, crypto } = settings;
  if (sealer !== undefined) {
    const state = ticketEncoding.encode(session);
    const ticket = state === undefined ? undefined : yield* ask('seal_ticket', { sealer, state });
    return ticket === undefined || ticket.length === 0 ? undefined : ticket;
  }
  if (store === undefined) return undefined;
  const key = crypto.randomBytes(handleLength);
  const expiresAt = ticketExpiry(session);
  return (yield* ask('store_session', { store, key, state: sessionState.encode(session), expiresAt }))
    ? key
    : undefined;
}

/** RFC 9001 4.6.1, whether or not the ticket is of use. */
export function checkQuicTicket({ extensions }: NewSessionTicket): void {
  const size = findExtension(extensions, 'early_data') ?? quicEarlyDataSize;
  if (size !== quicEarlyDataSize)
    throw new AlertError('illegal_parameter', `got max_early_data_size ${size} in QUIC`, {
      code: 'quic_protocol_violation',
    });
}

/** What a ticket is good for; `undefined` where it is none (R8446-4.6.1-6). Keeps it in the store, if there is one. */
export function* receiveTicket(hs: ClientHandshake, message: NewSessionTicket): Handshake<Tls13Session | undefined> {
  const { settings, resumable, tls13 } = hs;
  const { ticketLifetime, ticketAgeAdd, ticketNonce, ticket, extensions } = message;
  const { transport, now, sessions: store, tls13SessionKey: key } = settings;
  if (ticketLifetime > maximumTicketLifetime)
    throw new AlertError('illegal_parameter', `got a ticket_lifetime of ${ticketLifetime} seconds`);
  const maxEarlyDataSize = findExtension(extensions, 'early_data') ?? 0;
  const acrossNames = hasTlsFlag(findExtension(extensions, 'tls_flags'), 'resumption_across_names');
  if (resumable === undefined || ticketLifetime === 0) return undefined;
  const issuedAt = now();
  const session: Tls13Session = {
    version: 'TLSv1.3',
    cipherSuite: tls13.cipherSuite,
    psk: tls13.ticketPsk(ticketNonce),
    ...partyOf(resumable),
    applicationContext: settings.binding.applicationContext,
    issuedAt,
    ticketAgeAdd,
    ticketLifetime,
    maxEarlyDataSize,
    transport,
    ...(acrossNames && { resumableAcrossNames: true }),
    ticket: ticket.slice(),
  };
  if (store === undefined) return session;
  const expiresAt = Math.min(issuedAt + ticketLifetime * 1000, session.establishedAt + settings.binding.maximumAge);
  let answered = false;
  try {
    if (yield* ask('store_session', { store, key, state: clientSessionState.encode(session), expiresAt }))
      hs.stored = { store, key };
    answered = true;
  } finally {
    // The connection has ended meanwhile, and nobody will get it.
    if (!answered) wipeSession(session);
  }
  return session;
}

function partyOf(resumable: Resumable) {
  const { serverName, alpnProtocol, establishedAt, peerCertificates, staples, behind } = resumable;
  const { peerSignatureScheme } = resumable;
  return {
    ...staples,
    ...(peerSignatureScheme === undefined ? {} : { peerSignatureScheme }),
    establishedAt,
    peerCertificates,
    ...(serverName === undefined ? {} : { serverName }),
    ...(alpnProtocol === undefined ? {} : { alpnProtocol }),
    ...behind,
  };
}
