/**
 * The server's side of TLS 1.3 (RFC 8446 2 figures 1 to 4), from a ClientHello that offers it.
 *
 * The surprising thing: the server's keys for application data are in use before anything of the client's is verified.
 */
import { ascii, wipe } from '../bytes.js';
import type { KeyExchangeGroup } from '../crypto/backend.js';
import { ticketAgeSkew } from '../early-data/freshness.js';
import { AlertError } from '../errors.js';
import { findExtension, type Extension } from '../messages/index.js';
import {
  authenticateClient,
  sendCertificate,
  sendCertificateRequest,
  sendCertificateVerify,
} from './authenticate-tls13.js';
import type { FoundPsk } from './find-psk.js';
import type { ServerHandshake } from './handshake-state.js';
import { fitting } from './hooks.js';
import { pskBehind } from './psk-behind.js';
import { ask, receiveTls13, type Handshake } from './needs.js';
import { chooseCredentials, commonPskModes, type Tls13Hello } from './negotiate-tls13.js';
import { negotiateRecordSizeLimit } from './record-size-limit.js';
import { nothingStapled, type HandshakeResult } from './result.js';
import { judgeEarlyData } from './server-early-data.js';
import { settleHello, skippableLength } from './settle-hello.js';
import { staplesFor } from './staples.js';

export function* serverTls13(hs: ServerHandshake, first: Tls13Hello): Handshake<HandshakeResult> {
  const { settings } = hs;
  // RFC 8446 D.4: a client that looks like TLS 1.2 wants a server that does.
  const compatible = first.body.legacySessionId.length > 0 || settings.alwaysMiddleboxCompatible;
  hs.middleboxCompatibility = compatible && settings.transport === 'tcp';
  const settled = yield* settleHello(hs, first);
  const { hello, psk, reason, cipherSuite, group, share, alpnProtocol, helloRetryRequest } = settled;
  // Before the ServerHello: a refusal is for eyes that have no keys yet.
  const own = psk === undefined ? chooseCredentials(settings, hello.body, reason) : undefined;
  const staples = own && (yield* staplesFor(own.credentials, hello.body));

  hs.clientRandom = hello.body.random;
  hs.serverRandom = settings.crypto.randomBytes(32);
  if (!helloRetryRequest) hs.negotiated('TLSv1.3');
  const { tls13, transcript, transport } = hs;
  transport.endMessages();
  tls13.chooseCipherSuite(cipherSuite);
  transcript.start(tls13.hash);
  transcript.release();
  transcript.add(hello.bytes);
  tls13.enterEarlySecret(settled.earlySecret);
  const skew = skewOf(psk, settings.now());
  yield* judgeEarlyData(hs, first, hello, psk, reason, alpnProtocol);
  if (hs.earlyData.outcome === 'accepted') tls13.enterEarlyTraffic(transcript.digest());

  const answer =
    group === undefined ? undefined : yield* ask('answer_key_share', { crypto: settings.crypto, group, peer: share });
  if (answer !== undefined) hs.atEnd(() => wipe(answer.sharedSecret));
  if (group !== undefined && answer === undefined)
    throw new AlertError('illegal_parameter', `got a useless ${group} key share`);
  sendServerHello(hs, hello, psk, group, answer?.publicKey);
  hs.sendCompatibilityChangeCipherSpec();
  tls13.enterHandshake(answer?.sharedSecret);
  tls13.writeHandshakeKeys();
  sendEncryptedExtensions(hs, hello, alpnProtocol, psk);
  const asked = own !== undefined && settings.clientAuthentication !== 'none';
  if (own !== undefined) {
    if (asked) sendCertificateRequest(hs);
    sendCertificate(hs, own.credentials.certificates, own.compression, staples);
    yield* sendCertificateVerify(hs, own.credentials, own.scheme);
  }
  tls13.sendFinished();
  tls13.enterApplication();
  tls13.writeApplicationKeys();
  hs.halfRttOpen = true;

  if (hs.earlyData.outcome === 'accepted') yield* readEarlyData(hs);
  tls13.readHandshakeKeys(hs.earlyData.outcome !== 'accepted');
  if (hs.earlyData.outcome === 'rejected' && !helloRetryRequest)
    transport.skipEarlyData('record_that_opens', skippableLength(hs));
  const peerCertificates = asked ? yield* authenticateClient(hs) : (psk?.session?.peerCertificates ?? []);
  if (!asked) hs.peerSignatureScheme = psk?.session?.peerSignatureScheme;
  yield* tls13.receiveFinished();
  tls13.enterResumption();
  tls13.readApplicationKeys();

  const { serverName } = hello.info;
  if (commonPskModes(settings, hello).length > 0) {
    const establishedAt = psk?.session?.establishedAt ?? settings.now();
    hs.resumable = {
      establishedAt,
      serverName,
      alpnProtocol,
      peerCertificates,
      peerSignatureScheme: hs.peerSignatureScheme,
      staples: {},
      behind: pskBehind(settings.crypto, psk?.external),
    };
    hs.ticketsToSend = ticketsToSend(hs, hello, psk !== undefined);
  }
  return {
    version: 'TLSv1.3',
    cipherSuite,
    mode: psk === undefined ? 'full' : group === undefined ? 'psk_ke' : 'psk_dhe_ke',
    reason,
    serverName,
    alpnProtocol,
    peerCertificates,
    peerSignatureScheme: hs.peerSignatureScheme,
    ...nothingStapled,
    externalPskIdentity: psk?.external?.externalIdentity ?? psk?.external?.identity,
    pskKind: psk?.kind,
    extendedMasterSecret: true,
    secureRenegotiation: true,
    group,
    helloRetryRequest,
    earlyData: hs.earlyData.result,
    earlyDataReason: hs.earlyData.reason,
    ticketAgeSkew: skew,
    newTicket: hs.ticketsToSend > 0,
    quicTransportParameters: hs.peerTransportParameters,
    session: undefined,
  };
}

function skewOf(psk: FoundPsk | undefined, now: number): number | undefined {
  if (psk?.session === undefined) return undefined;
  const { issuedAt, ticketAgeAdd } = psk.session;
  return ticketAgeSkew({ issuedAt, ticketAgeAdd, obfuscatedTicketAge: psk.offered.obfuscatedTicketAge, now });
}

/** RFC 8446 4.1.3. */
function sendServerHello(
  hs: ServerHandshake,
  { body }: Tls13Hello,
  psk: FoundPsk | undefined,
  group: KeyExchangeGroup | undefined,
  share: Uint8Array | undefined,
): void {
  const extensions: Extension<'server_hello'>[] = [];
  if (psk !== undefined) extensions.push({ type: 'pre_shared_key', data: psk.index });
  if (group !== undefined && share !== undefined)
    extensions.push({ type: 'key_share', data: { group, keyExchange: share } });
  extensions.push({ type: 'supported_versions', data: 'TLSv1.3' });
  hs.sendTls13({
    type: 'server_hello',
    body: {
      legacyVersion: 'TLSv1.2',
      random: hs.serverRandom,
      legacySessionIdEcho: body.legacySessionId,
      cipherSuite: hs.tls13.cipherSuite,
      legacyCompressionMethod: 0,
      extensions,
    },
  });
}

/** RFC 8446 4.3.1. */
function sendEncryptedExtensions(
  hs: ServerHandshake,
  hello: Tls13Hello,
  alpnProtocol: string | undefined,
  psk: FoundPsk | undefined,
): void {
  const { settings } = hs;
  const extensions: Extension<'encrypted_extensions'>[] = [];
  if (negotiateRecordSizeLimit(hs, hello.body) && settings.recordSizeLimit !== undefined)
    extensions.push({ type: 'record_size_limit', data: settings.recordSizeLimit });
  // RFC 6066 3: the name is acknowledged once, and not on resumption.
  const { serverName } = hello.info;
  if (serverName !== undefined && settings.acknowledgeServerName && psk?.session === undefined)
    extensions.push({ type: 'server_name', data: {} });
  if (alpnProtocol !== undefined)
    extensions.push({ type: 'application_layer_protocol_negotiation', data: [ascii(alpnProtocol)] });
  const tickets = findExtension(hello.body.extensions, 'ticket_request') && ticketsToSend(hs, hello, psk !== undefined);
  if (tickets !== undefined) extensions.push({ type: 'ticket_request', data: tickets });
  if (settings.transport === 'quic' && settings.quicTransportParameters !== undefined)
    extensions.push({ type: 'quic_transport_parameters', data: settings.quicTransportParameters });
  if (hs.earlyData.outcome === 'accepted') extensions.push({ type: 'early_data', data: {} });
  const shaped = settings.shapeEncryptedExtensions?.(extensions) ?? extensions;
  hs.sendTls13({
    type: 'encrypted_extensions',
    body: { extensions: fitting('shapeEncryptedExtensions', shaped, Array.isArray) },
  });
}

/** RFC 9149 3; by our own policy a resumption is given one back for the one that it used. */
function ticketsToSend({ settings }: ServerHandshake, hello: Tls13Hello, resumed: boolean): number {
  const { ticketCount, maximumTicketCount, tickets, sessions } = settings;
  if (tickets === undefined && sessions === undefined) return 0;
  if (commonPskModes(settings, hello).length === 0) return 0;
  const request = findExtension(hello.body.extensions, 'ticket_request');
  if (request === undefined) return resumed ? Math.min(ticketCount, 1) : ticketCount;
  return Math.min(resumed ? request.resumptionCount : request.newSessionCount, maximumTicketCount);
}

/** RFC 8446 4.5. In QUIC the packets say which keys they are under, and there is no EndOfEarlyData (RFC 9001 8.3). */
function* readEarlyData(hs: ServerHandshake): Handshake<void> {
  hs.tls13.useEarlyKeys();
  if (hs.settings.transport === 'quic') return;
  const end = yield* receiveTls13('end_of_early_data');
  hs.transcript.add(end.bytes);
  hs.earlyData.end();
}
