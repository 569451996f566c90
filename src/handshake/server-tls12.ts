/**
 * The server's side of TLS 1.2: full (RFC 5246 7.3 figure 1), abbreviated by session ID (figure 2) and by ticket (RFC 5077 3.1
 * figures 1 to 4).
 *
 * The surprising thing: in a full handshake the ticket is sealed only after the client's Finished (RFC 5077 3.3), in an
 * abbreviated one before it, so a renewed ticket is nothing that a server may count on.
 */
import { ascii, copy, empty } from '../bytes.js';
import type { EcdheGroup } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import type { Extension } from '../messages/index.js';
import { sessionState } from '../sessions/session-state.js';
import type { Staples, Tls12Session } from '../sessions/session.js';
import { serverCertificateKeyExchange } from './certificates-tls12.js';
import { findSession, type FoundSession } from './find-session.js';
import { ask, receive, type Handshake } from './needs.js';
import { chooseProtocol, negotiateSuite, type HelloFacts } from './negotiate.js';
import type { PskBehind } from './psk-behind.js';
import { serverPskKeyExchange } from './psk-tls12.js';
import type { ResumptionRefusal } from './resumption.js';
import { negotiateRecordSizeLimit } from './record-size-limit.js';
import { nothingOfTls13, nothingStapled, type HandshakeResult, type Tls12Outcome } from './result.js';
import { boundTo, type ServerHandshake } from './handshake-state.js';
import type { ServerSettings } from './settings.js';
import { staplesFor, timestampExtension } from './staples.js';

/** RFC 5246 7.4.1.3: session IDs that this server makes. */
const sessionIdLength = 32;

export function* serverTls12(hs: ServerHandshake, facts: HelloFacts): Handshake<HandshakeResult> {
  const found = yield* findSession(hs, facts);
  hs.serverRandom = serverRandom(hs.settings);
  const alpnProtocol = chooseProtocol(hs.settings, facts.alpnProtocols);
  return found.session === undefined
    ? yield* fullHandshake(hs, facts, alpnProtocol, found.reason)
    : yield* abbreviatedHandshake(hs, facts, alpnProtocol, found);
}

/** RFC 8446 4.1.3: a server that could do better says so, where an attacker cannot change it. */
function serverRandom({ crypto, versions }: ServerSettings): Uint8Array {
  const random = crypto.randomBytes(32);
  if (versions.includes('TLSv1.3')) random.set(ascii('DOWNGRD\u0001'), 24);
  return random;
}

/** RFC 5246 7.3 figure 2, RFC 5077 3.1 figures 2 and 3. */
function* abbreviatedHandshake(
  hs: ServerHandshake,
  facts: HelloFacts,
  alpnProtocol: string | undefined,
  { session, mode, renew, stored }: Extract<FoundSession, { session: Tls12Session }>,
): Handshake<HandshakeResult> {
  const { settings } = hs;
  hs.tls12.chooseCipherSuite(session.cipherSuite);
  hs.peerSignatureScheme = session.peerSignatureScheme;
  const policy = settings.renewTickets;
  const renewing = mode === 'ticket' && (policy === 'always' || (policy === 'when_key_rotated' && renew));
  const ticket = renewing ? yield* sealTicket(hs, { ...session, issuedAt: settings.now() }) : undefined;
  // RFC 6066 1.1: the server name is not acknowledged here; R5077-3.4-3: the ID is echoed as it came.
  sendServerHello(hs, facts, facts.hello.legacySessionId, ticket !== undefined, alpnProtocol, false);
  hs.tls12.enterMasterSecret(copy(session.masterSecret), session.extendedMasterSecret);
  if (ticket !== undefined) sendTicket(hs, ticket);
  hs.tls12.sendFinished();
  yield* receive('change_cipher_spec');
  yield* hs.tls12.receiveFinished();
  hs.stored = stored;
  if (ticket !== undefined) settings.counters.renewed++;
  return result(hs, facts, alpnProtocol, session, {
    mode,
    reason: undefined,
    group: session.group,
    newTicket: ticket !== undefined,
  });
}

/** RFC 5246 7.3 figure 1, RFC 5077 3.1 figures 1 and 4. */
function* fullHandshake(
  hs: ServerHandshake,
  facts: HelloFacts,
  alpnProtocol: string | undefined,
  reason: ResumptionRefusal,
): Handshake<HandshakeResult> {
  const { settings } = hs;
  if (!facts.extendedMasterSecret && !settings.allowMissingExtendedMasterSecret)
    throw new AlertError('handshake_failure', 'got no extended_master_secret');
  const { cipherSuite, group, certificate } = negotiateSuite(settings, facts.hello);
  // RFC 7627 5.3: a session without the extension would not be resumed, so it is not kept either.
  const resumable = facts.extendedMasterSecret || settings.binding.allowResumptionWithoutExtendedMasterSecret;
  const ticketFollows = resumable && facts.wantsTicket && settings.tickets !== undefined;
  // RFC 5077 3.4: no session ID where a ticket is coming.
  const sessionId =
    resumable && !ticketFollows && settings.sessions !== undefined
      ? settings.crypto.randomBytes(sessionIdLength)
      : empty;

  const staples = certificate && (yield* staplesFor(certificate.credentials, facts.hello));
  hs.tls12.chooseCipherSuite(cipherSuite);
  sendServerHello(hs, facts, sessionId, ticketFollows, alpnProtocol, facts.serverName !== undefined, staples);
  const peer: Party =
    certificate === undefined
      ? {
          peerCertificates: [],
          ...(yield* serverPskKeyExchange(hs, group, facts.extendedMasterSecret)),
        }
      : {
          peerCertificates: yield* serverCertificateKeyExchange(
            hs,
            group,
            facts.extendedMasterSecret,
            certificate,
            staples,
          ),
        };
  yield* receive('change_cipher_spec');
  yield* hs.tls12.receiveFinished();

  const session = newSession(hs, facts, alpnProtocol, group, peer);
  // R5077-3.3-5: a server that cannot seal after all sends an empty ticket.
  const ticket = ticketFollows ? ((yield* sealTicket(hs, session)) ?? empty) : undefined;
  if (ticket !== undefined) sendTicket(hs, ticket);
  hs.tls12.sendFinished();
  if (sessionId.length > 0) yield* storeSession(hs, sessionId, session);
  return result(hs, facts, alpnProtocol, peer, {
    mode: 'full',
    reason,
    group,
    newTicket: ticket !== undefined && ticket.length > 0,
  });
}

/** Who the client is, as the session remembers it. */
type Party = Pick<Tls12Session, 'peerCertificates'> & PskBehind;

function sendServerHello(
  hs: ServerHandshake,
  facts: HelloFacts,
  sessionId: Uint8Array,
  ticketFollows: boolean,
  alpnProtocol: string | undefined,
  acknowledgeName: boolean,
  { ocspResponse, signedCertificateTimestamps }: Staples = {},
): void {
  const extensions: Extension<'server_hello'>[] = [];
  if (acknowledgeName && hs.settings.acknowledgeServerName) extensions.push({ type: 'server_name', data: {} });
  if (ocspResponse !== undefined) extensions.push({ type: 'status_request', data: {} });
  if (signedCertificateTimestamps !== undefined) extensions.push(timestampExtension(signedCertificateTimestamps));
  if (facts.extendedMasterSecret) extensions.push({ type: 'extended_master_secret', data: {} });
  if (facts.secureRenegotiation) extensions.push({ type: 'renegotiation_info', data: empty });
  if (ticketFollows) extensions.push({ type: 'session_ticket', data: {} });
  if (negotiateRecordSizeLimit(hs, facts.hello) && hs.settings.recordSizeLimit !== undefined)
    extensions.push({ type: 'record_size_limit', data: hs.settings.recordSizeLimit });
  if (alpnProtocol !== undefined)
    extensions.push({ type: 'application_layer_protocol_negotiation', data: [ascii(alpnProtocol)] });
  hs.send({
    type: 'server_hello',
    body: {
      legacyVersion: 'TLSv1.2',
      random: hs.serverRandom,
      legacySessionIdEcho: sessionId,
      cipherSuite: hs.tls12.cipherSuite,
      legacyCompressionMethod: 0,
      extensions,
    },
  });
}

function newSession(
  hs: ServerHandshake,
  { serverName, extendedMasterSecret }: HelloFacts,
  alpnProtocol: string | undefined,
  group: EcdheGroup,
  { peerCertificates, ...behind }: Party,
): Tls12Session {
  const now = hs.settings.now();
  return {
    version: 'TLSv1.2',
    cipherSuite: hs.tls12.cipherSuite,
    masterSecret: hs.tls12.masterSecret,
    extendedMasterSecret,
    group,
    ...(serverName === undefined ? {} : { serverName }),
    ...(alpnProtocol === undefined ? {} : { alpnProtocol }),
    establishedAt: now,
    issuedAt: now,
    peerCertificates,
    ...(hs.peerSignatureScheme === undefined ? {} : { peerSignatureScheme: hs.peerSignatureScheme }),
    ...boundTo(hs.settings),
    ...behind,
  };
}

/** `undefined` if no ticket can be had: a sealer that fails costs a resumption, not the connection. */
function* sealTicket(hs: ServerHandshake, session: Tls12Session): Handshake<Uint8Array | undefined> {
  const { tickets: sealer, ticketEncoding } = hs.settings;
  const state = ticketEncoding.encode(session);
  return sealer === undefined || state === undefined ? undefined : yield* ask('seal_ticket', { sealer, state });
}

function sendTicket(hs: ServerHandshake, ticket: Uint8Array): void {
  const { ticketLifetimeHint } = hs.settings;
  hs.send({ type: 'new_session_ticket', body: { ticketLifetimeHint, ticket } });
}

/** P-state-1: the client's Finished is verified and ours is sent. */
function* storeSession(hs: ServerHandshake, key: Uint8Array, session: Tls12Session): Handshake<void> {
  const { sessions: store, sessionLifetime } = hs.settings;
  if (store === undefined) return;
  const expiresAt = session.establishedAt + sessionLifetime;
  if (yield* ask('store_session', { store, key, state: sessionState.encode(session), expiresAt }))
    hs.stored = { store, key };
}

function result(
  hs: ServerHandshake,
  facts: HelloFacts,
  alpnProtocol: string | undefined,
  { peerCertificates, externalPskIdentity }: Party,
  outcome: Tls12Outcome,
): HandshakeResult {
  return {
    version: 'TLSv1.2',
    cipherSuite: hs.tls12.cipherSuite,
    serverName: facts.serverName,
    alpnProtocol,
    peerCertificates,
    externalPskIdentity,
    peerSignatureScheme: hs.peerSignatureScheme,
    extendedMasterSecret: facts.extendedMasterSecret,
    secureRenegotiation: facts.secureRenegotiation,
    session: undefined,
    ...nothingStapled,
    ...nothingOfTls13,
    ...outcome,
  };
}
