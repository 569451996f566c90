/**
 * The client's side of TLS 1.2 from ServerHello on: full (RFC 5246 7.3 figure 1), abbreviated by session ID (figure 2) and by
 * ticket (RFC 5077 3.1 figures 1 to 4).
 *
 * The surprising thing: whether a ticket was accepted is known only by the echo of the session ID made up beside it.
 */
import { copy, equal, fromAscii } from '../bytes.js';
import type { EcdheGroup } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { isPskSuite, isTls12CipherSuite, type Tls12CipherSuite } from '../key-schedule/suites.js';
import { findExtension, type NewSessionTicketTls12, type ServerHello } from '../messages/index.js';
import { clientSessionState } from '../sessions/session-state.js';
import type { Staples, Tls12Session } from '../sessions/session.js';
import { clientCertificateKeyExchange, type ServerHelloAnswer } from './certificates-tls12.js';
import { refusalHeard, type SentClientHello } from './client-hello.js';
import type { ClientHandshake } from './handshake-state.js';
import { ask, receive, type Handshake, type Received } from './needs.js';
import type { PskBehind } from './psk-behind.js';
import { clientPskKeyExchange } from './psk-tls12.js';
import { acceptRecordSizeLimit } from './record-size-limit.js';
import { nothingOfTls13, type HandshakeResult, type Tls12Outcome } from './result.js';
import { encodedTimestamps, staplesOf } from './staples.js';

/** What the ServerHello settled. */
interface Answer extends ServerHelloAnswer {
  readonly sessionId: Uint8Array;
  readonly secureRenegotiation: boolean;
  readonly alpnProtocol: string | undefined;
  /** NewSessionTicket will come (RFC 5077 3.2). */
  readonly ticketFollows: boolean;
}

export function* clientTls12(
  hs: ClientHandshake,
  offer: SentClientHello,
  serverHello: Received<'server_hello'>,
): Handshake<HandshakeResult> {
  const cipherSuite = checkServerHello(hs, offer, serverHello.body);
  const answer = readExtensions(hs, offer, serverHello.body);
  hs.serverRandom = serverHello.body.random;
  hs.tls12.chooseCipherSuite(cipherSuite);
  hs.transcript.add(serverHello.bytes);
  const resumed =
    offer.sessionId.length > 0 && equal(answer.sessionId, offer.sessionId) ? offer.tls12.session : undefined;
  return resumed === undefined
    ? yield* fullHandshake(hs, offer, answer)
    : yield* abbreviatedHandshake(hs, offer, resumed, answer);
}

/** RFC 5246 7.4.1.3. */
function checkServerHello(hs: ClientHandshake, offer: SentClientHello, hello: ServerHello): Tls12CipherSuite {
  if (hello.legacyVersion !== 'TLSv1.2')
    throw new AlertError('protocol_version', `got version ${String(hello.legacyVersion)}, expected TLSv1.2`);
  const { cipherSuite } = hello;
  if (!isTls12CipherSuite(cipherSuite) || !hs.settings.cipherSuites.includes(cipherSuite))
    throw new AlertError('illegal_parameter', `got cipher suite ${String(cipherSuite)}, which was not offered`);
  if (hello.legacyCompressionMethod !== 0)
    throw new AlertError('illegal_parameter', 'got a compression method that was not offered');
  // P-bind-7: an empty offer cannot be echoed, whatever the server put there.
  const echoed = offer.sessionId.length > 0 && equal(hello.legacySessionIdEcho, offer.sessionId);
  // RFC 8446 D.4: what was made up for middleboxes names no session.
  if (echoed && offer.tls12.session === undefined)
    throw new AlertError('illegal_parameter', 'got a session ID of ours that belongs to no session');
  if (echoed && offer.tls12.session !== undefined && offer.tls12.session.cipherSuite !== cipherSuite)
    throw new AlertError('illegal_parameter', `got cipher suite ${cipherSuite}, expected that of the resumed session`);
  return cipherSuite;
}

/** Extensions that RFC 5246 and its companions let a ServerHello hold. Some old servers add supported_groups: harmless. */
const serverHelloExtensions: ReadonlySet<string | number> = new Set([
  'server_name',
  'status_request',
  'signed_certificate_timestamp',
  'extended_master_secret',
  'renegotiation_info',
  'supported_groups',
  'ec_point_formats',
  'session_ticket',
  'record_size_limit',
  'application_layer_protocol_negotiation',
]);

function readExtensions(hs: ClientHandshake, offer: SentClientHello, hello: ServerHello): Answer {
  const { extensions } = hello;
  for (const { type } of extensions ?? []) {
    if (!offer.extensions.has(type))
      throw new AlertError('unsupported_extension', `got extension ${String(type)}, which was not offered`);
    if (!serverHelloExtensions.has(type))
      throw new AlertError('illegal_parameter', `got extension ${String(type)}, which a ServerHello may not hold`);
  }
  const renegotiationInfo = findExtension(extensions, 'renegotiation_info');
  if (renegotiationInfo === undefined && !hs.settings.allowServersWithoutSecureRenegotiation)
    throw new AlertError('handshake_failure', 'got no renegotiation_info (RFC 5746 3.4)');
  if (renegotiationInfo !== undefined && renegotiationInfo.length > 0)
    throw new AlertError('handshake_failure', 'got renegotiation_info that is not empty');
  const extended = findExtension(extensions, 'extended_master_secret') !== undefined;
  const formats = findExtension(extensions, 'ec_point_formats');
  if (formats !== undefined && !formats.includes('uncompressed'))
    throw new AlertError('illegal_parameter', 'got ec_point_formats without uncompressed');
  acceptRecordSizeLimit(hs, findExtension(extensions, 'record_size_limit'));
  const protocols = findExtension(extensions, 'application_layer_protocol_negotiation');
  const [alpnProtocol, ...more] = (protocols ?? []).map(fromAscii);
  if (alpnProtocol !== undefined && (more.length > 0 || !hs.settings.alpnProtocols.includes(alpnProtocol)))
    throw new AlertError('illegal_parameter', 'got an application protocol that was not offered');
  return {
    sessionId: hello.legacySessionIdEcho,
    extendedMasterSecret: extended,
    secureRenegotiation: renegotiationInfo !== undefined,
    alpnProtocol,
    ticketFollows: findExtension(extensions, 'session_ticket') !== undefined,
    statusMayFollow: findExtension(extensions, 'status_request') !== undefined,
    signedCertificateTimestamps: encodedTimestamps(findExtension(extensions, 'signed_certificate_timestamp')),
  };
}

/** RFC 5246 7.3 figure 2, RFC 5077 3.1 figures 2 and 3. */
function* abbreviatedHandshake(
  hs: ClientHandshake,
  offer: SentClientHello,
  session: Tls12Session,
  answer: Answer,
): Handshake<HandshakeResult> {
  hs.stored = offer.tls12.stored; // R5077-3.2-6: a session that was accepted and then fails is dropped, or it would fail for ever
  // RFC 7627 5.3: the answer has what the session has.
  if (answer.extendedMasterSecret !== session.extendedMasterSecret)
    throw new AlertError(
      'handshake_failure',
      `got a resumption with${answer.extendedMasterSecret ? '' : 'out'} extended_master_secret, unlike the session`,
    );
  hs.tls12.enterMasterSecret(copy(session.masterSecret), session.extendedMasterSecret);
  const ticket = answer.ticketFollows ? yield* receiveTicket(hs) : undefined;
  yield* receive('change_cipher_spec');
  yield* hs.tls12.receiveFinished();
  hs.peerSignatureScheme = session.peerSignatureScheme;
  hs.tls12.sendFinished();
  const renewed = ticket && withTicket(hs, session, ticket);
  if (renewed !== undefined) yield* storeSession(hs, renewed);
  return result(hs, answer, session, {
    mode: session.ticket === undefined ? 'session_id' : 'ticket',
    reason: undefined,
    group: session.group,
    newTicket: renewed !== undefined,
    session: handedOut(hs, renewed ?? session),
  });
}

/** RFC 5246 7.3 figure 1, RFC 5077 3.1 figures 1 and 4. */
function* fullHandshake(hs: ClientHandshake, offer: SentClientHello, answer: Answer): Handshake<HandshakeResult> {
  const { settings } = hs;
  if (!answer.extendedMasterSecret && !settings.allowMissingExtendedMasterSecret)
    throw new AlertError('handshake_failure', 'got no extended_master_secret');
  const peer = isPskSuite(hs.tls12.cipherSuite)
    ? yield* exchangeWithPsk(hs, answer)
    : yield* clientCertificateKeyExchange(hs, answer);
  hs.tls12.sendFinished();

  const ticket = answer.ticketFollows ? yield* receiveTicket(hs) : undefined;
  yield* receive('change_cipher_spec');
  yield* hs.tls12.receiveFinished();

  const session = newSession(hs, answer, peer, ticket);
  if (session !== undefined) yield* storeSession(hs, session);
  return result(hs, answer, peer, {
    mode: 'full',
    reason: refusalHeard(offer),
    group: peer.group,
    newTicket: session?.ticket !== undefined,
    session: session && handedOut(hs, session),
  });
}

/** Who the server is, as the session remembers it. */
type Party = Staples & PskBehind & Pick<Tls12Session, 'peerCertificates' | 'pskIdentityHint'>;
type PartyAndGroup = Party & { readonly group: EcdheGroup };

function* exchangeWithPsk(hs: ClientHandshake, answer: Answer): Handshake<PartyAndGroup> {
  hs.transcript.release();
  const { group, behind, identityHint } = yield* clientPskKeyExchange(hs, answer.extendedMasterSecret);
  return { group, peerCertificates: [], ...behind, pskIdentityHint: identityHint };
}

/** RFC 5077 3.3. An empty ticket means that the server changed its mind. */
function* receiveTicket(hs: ClientHandshake): Handshake<NewSessionTicketTls12> {
  const message = yield* receive('new_session_ticket');
  hs.transcript.add(message.bytes);
  return message.body;
}

/** RFC 5077 3.4: a ticket takes the place of the session ID. `undefined` for the empty ticket, which is none. */
function withTicket(
  hs: ClientHandshake,
  session: Tls12Session,
  { ticket, ticketLifetimeHint }: NewSessionTicketTls12,
): Tls12Session | undefined {
  if (ticket.length === 0) return undefined;
  const { sessionId: _forgotten, ...kept } = session;
  return { ...kept, ticket: ticket.slice(), ticketLifetimeHint, issuedAt: hs.settings.now() };
}

/** What can be resumed later; `undefined` if the server left neither ID nor ticket, or RFC 7627 5.3 forbids it. */
function newSession(
  hs: ClientHandshake,
  answer: Answer,
  { group, peerCertificates, externalPskIdentity, externalPskFingerprint, pskIdentityHint, ...staples }: PartyAndGroup,
  ticket: NewSessionTicketTls12 | undefined,
): Tls12Session | undefined {
  const { serverName, binding, now } = hs.settings;
  const { applicationContext, allowResumptionWithoutExtendedMasterSecret } = binding;
  if (!answer.extendedMasterSecret && !allowResumptionWithoutExtendedMasterSecret) return undefined;
  const session: Tls12Session = {
    version: 'TLSv1.2',
    cipherSuite: hs.tls12.cipherSuite,
    masterSecret: hs.tls12.masterSecret,
    extendedMasterSecret: answer.extendedMasterSecret,
    group,
    ...(serverName === undefined ? {} : { serverName }),
    ...(answer.alpnProtocol === undefined ? {} : { alpnProtocol: answer.alpnProtocol }),
    establishedAt: now(),
    issuedAt: now(),
    peerCertificates: peerCertificates.map((der) => der.slice()),
    ...staplesOf(staples),
    ...(hs.peerSignatureScheme === undefined ? {} : { peerSignatureScheme: hs.peerSignatureScheme }),
    applicationContext,
    ...(externalPskIdentity === undefined ? {} : { externalPskIdentity }),
    ...(externalPskFingerprint === undefined ? {} : { externalPskFingerprint }),
    ...(pskIdentityHint === undefined ? {} : { pskIdentityHint }),
  };
  if (ticket !== undefined) return withTicket(hs, session, ticket);
  return answer.sessionId.length === 0 ? undefined : { ...session, sessionId: answer.sessionId.slice() };
}

/** With a secret of its own, so that whoever wipes another session does not wipe this one. */
function handedOut(hs: ClientHandshake, session: Tls12Session): Tls12Session {
  return { ...session, masterSecret: hs.tls12.masterSecretForSession() };
}

/** P-state-1: both Finished are verified by now. */
function* storeSession(hs: ClientHandshake, session: Tls12Session): Handshake<void> {
  const { sessions: store, sessionKey: key, binding } = hs.settings;
  if (store === undefined) return;
  const { ticketLifetimeHint = 0 } = session;
  const byHint = ticketLifetimeHint > 0 ? session.issuedAt + ticketLifetimeHint * 1000 : Infinity;
  const expiresAt = Math.min(byHint, session.establishedAt + binding.maximumAge);
  if (yield* ask('store_session', { store, key, state: clientSessionState.encode(session), expiresAt }))
    hs.stored = { store, key };
}

function result(
  hs: ClientHandshake,
  answer: Answer,
  { peerCertificates, externalPskIdentity, ocspResponse, signedCertificateTimestamps }: Party,
  outcome: Tls12Outcome & Pick<HandshakeResult, 'session'>,
): HandshakeResult {
  return {
    version: 'TLSv1.2',
    cipherSuite: hs.tls12.cipherSuite,
    serverName: hs.settings.serverName,
    alpnProtocol: answer.alpnProtocol,
    peerCertificates,
    externalPskIdentity,
    ocspResponse,
    signedCertificateTimestamps,
    peerSignatureScheme: hs.peerSignatureScheme,
    extendedMasterSecret: answer.extendedMasterSecret,
    secureRenegotiation: answer.secureRenegotiation,
    ...nothingOfTls13,
    ...outcome,
  };
}
