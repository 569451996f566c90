/**
 * The client's first message, and the choice of flow by the server's (RFC 5246 7.4.1, RFC 8446 4.1).
 *
 * A ClientHello always looks the same whether or not a session is offered; only session ID and ticket differ.
 */
import { ascii, empty } from '../bytes.js';
import type { Extension } from '../messages/index.js';
import { clientSessionState } from '../sessions/session-state.js';
import { maximumClockSkew, refuseSession } from '../sessions/binding.js';
import type { Session } from '../sessions/session.js';
import { askVerdict } from './authenticate.js';
import { clientTls12, type ClientOffer } from './client-tls12.js';
import type { ClientHandshake } from './handshake-state.js';
import { ask, receive, type Handshake } from './needs.js';
import type { HandshakeResult } from './result.js';
import type { ClientSettings } from './settings.js';

/** RFC 5246 7.3 figures 1 and 2, RFC 5077 3.1 figures 1 to 4, from the client's side. */
export function* clientHandshake(hs: ClientHandshake): Handshake<HandshakeResult> {
  const { session, stored } = yield* findSession(hs);
  const offer = { ...sendClientHello(hs, session), session, stored };
  const serverHello = yield* receive('server_hello');
  return yield* clientTls12(hs, offer, serverHello);
}

/** The session given by the caller, or else the one that the store has for this peer, if it may still be offered. */
function* findSession(hs: ClientHandshake): Handshake<Pick<ClientOffer, 'session' | 'stored'>> {
  const { settings } = hs;
  const { session, sessions: store, sessionKey: key } = settings;
  if (session !== undefined && (yield* isOfferable(session, settings))) return { session, stored: undefined };
  if (store === undefined) return nothing;
  const found = yield* ask('find_session', { store, key });
  if ('failed' in found || found.state === undefined) return nothing;
  const stored = clientSessionState.decode(found.state);
  if (stored === undefined || !(yield* isOfferable(stored, settings))) return nothing;
  return { session: stored, stored: { store, key } };
}

const nothing = { session: undefined, stored: undefined };

/** P-bind-6: no certificate comes with a resumption, so the session's own chain is judged again, for the name asked for now. */
function* isOfferable(session: Session, settings: ClientSettings): Handshake<boolean> {
  if (!mayOffer(session, settings)) return false;
  const { verifyCertificate: verifier, serverName } = settings;
  const peer = { certificates: session.peerCertificates, role: 'server', serverName, resumed: true } as const;
  return (yield* askVerdict(verifier, peer)).accepted;
}

/** RFC 5246 7.4.1.2, RFC 5077 3.3, RFC 7627 5.3: what a client may offer; P-bind-5 by name and context. */
function mayOffer(session: Session, settings: ClientSettings): boolean {
  const now = settings.now();
  const { cipherSuites, serverName } = settings;
  const policy = {
    cipherSuites,
    applicationContext: settings.applicationContext,
    maximumAge: settings.maximumSessionAge,
    requireClientCertificate: false,
    allowResumptionWithoutExtendedMasterSecret: false,
  };
  const request = { cipherSuites, serverName, extendedMasterSecret: true };
  if (refuseSession(session, request, policy, now) !== undefined) return false;
  const { ticketLifetimeHint = 0 } = session;
  const age = now - session.issuedAt;
  // P-time-2: where the clock has gone back to before the ticket, its age says nothing.
  if (ticketLifetimeHint > 0 && (age > ticketLifetimeHint * 1000 || age < -maximumClockSkew)) return false;
  return session.ticket === undefined ? (session.sessionId?.length ?? 0) > 0 : settings.tickets;
}

function sendClientHello(
  hs: ClientHandshake,
  session: Session | undefined,
): Pick<ClientOffer, 'sessionId' | 'extensions'> {
  const { crypto, cipherSuites } = hs.settings;
  hs.clientRandom = crypto.randomBytes(32);
  // RFC 5077 3.4: a made-up session ID beside a ticket; its echo tells that the ticket was accepted.
  const sessionId = session?.ticket === undefined ? (session?.sessionId ?? empty) : crypto.randomBytes(32);
  const extensions = clientHelloExtensions(hs.settings, session);
  hs.send({
    type: 'client_hello',
    body: {
      legacyVersion: 'TLSv1.2',
      random: hs.clientRandom,
      legacySessionId: sessionId,
      cipherSuites,
      legacyCompressionMethods: Uint8Array.of(0),
      extensions,
    },
  });
  return { sessionId, extensions: new Set(extensions.map(({ type }) => type)) };
}

function clientHelloExtensions(settings: ClientSettings, session: Session | undefined): Extension<'client_hello'>[] {
  const { serverName, alpnProtocols } = settings;
  const extensions: Extension<'client_hello'>[] = [];
  if (serverName !== undefined)
    extensions.push({ type: 'server_name', data: [{ nameType: 'host_name', name: ascii(serverName) }] });
  extensions.push(
    { type: 'extended_master_secret', data: {} }, // RFC 7627 5.2: in every ClientHello
    { type: 'renegotiation_info', data: empty }, // RFC 5746 3.4: in every initial ClientHello
    { type: 'supported_groups', data: settings.groups },
    { type: 'ec_point_formats', data: ['uncompressed'] },
  );
  if (settings.tickets) extensions.push({ type: 'session_ticket', data: session?.ticket ?? empty });
  if (alpnProtocols.length > 0)
    extensions.push({ type: 'application_layer_protocol_negotiation', data: alpnProtocols.map(ascii) });
  extensions.push({ type: 'signature_algorithms', data: settings.signatureSchemes });
  return extensions;
}
