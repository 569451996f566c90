/**
 * The server's side of TLS 1.3 (RFC 8446 2 figures 1 to 4), from a ClientHello that offers it.
 *
 * The surprising thing: everything is decided on the first ClientHello, and a HelloRetryRequest only asks for the same again with
 * a key share that fits.
 */
import { ascii, empty, wipe } from '../bytes.js';
import type { KeyExchangeGroup } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { tls13Suites, type Tls13CipherSuite } from '../key-schedule/suites.js';
import type { Tls13KeySchedule } from '../key-schedule/tls13.js';
import { findExtension, helloRetryRequestRandom, type Extension } from '../messages/index.js';
import {
  authenticateClient,
  sendCertificate,
  sendCertificateRequest,
  sendCertificateVerify,
} from './authenticate-tls13.js';
import { findPsk, takeTicket, verifyBinder, type FoundPsk, type PskSearch } from './find-psk.js';
import type { ServerHandshake } from './handshake-state.js';
import { ask, receiveTls13, type Handshake } from './needs.js';
import { chooseProtocol } from './negotiate.js';
import {
  checkSecondHello,
  chooseCredentials,
  chooseGroup,
  commonPskModes,
  commonSuites,
  readTls13Hello,
  type Tls13Hello,
} from './negotiate-tls13.js';
import { negotiateRecordSizeLimit } from './record-size-limit.js';
import type { HandshakeResult } from './result.js';
import type { ResumptionRefusal } from './resumption.js';
import { judgeEarlyData } from './server-early-data.js';

export function* serverTls13(hs: ServerHandshake, first: Tls13Hello): Handshake<HandshakeResult> {
  const { settings } = hs;
  // RFC 8446 D.4: a client that looks like TLS 1.2 wants a server that does.
  hs.middleboxCompatibility = first.body.legacySessionId.length > 0 && settings.transport === 'tcp';
  const suites = commonSuites(settings, first.body);
  const alpnProtocol = chooseProtocol(settings, first.info.alpnProtocols);
  if (settings.transport === 'quic') checkQuicHello(hs, first);

  let hello = first;
  let search = yield* searchPsk(hs, first, suites);
  let choice = choose(hs, hello, suites, search);
  const cookie = settings.retryCookie?.(first.info);
  const retry = choice.retryGroup !== undefined || cookie !== undefined;
  if (retry) {
    sendHelloRetryRequest(hs, first, choice, cookie);
    hello = readTls13Hello(yield* receiveTls13('client_hello'));
    hs.transport.stopSkipping();
    checkSecondHello(first, hello, choice.retryGroup, cookie);
    // What was refused may be left out now: the first reason stands.
    if (hello.offeredPsks !== undefined || search.index !== undefined)
      search = yield* searchPsk(hs, hello, [choice.cipherSuite]);
    choice = choose(hs, hello, [choice.cipherSuite], search);
    if (choice.retryGroup !== undefined)
      throw new AlertError('illegal_parameter', 'got no key share of the group asked for');
  }
  const earlySecret = yield* acceptPsk(hs, hello, choice.psk);
  if (choice.psk !== undefined && earlySecret === undefined) {
    choice = choose(hs, hello, [choice.cipherSuite], { reason: 'already_used' });
    if (choice.retryGroup !== undefined) throw new AlertError('handshake_failure', 'no key share for a full handshake');
  }
  const { psk, reason, cipherSuite, group, share } = choice;
  // Before the ServerHello: a refusal is for eyes that have no keys yet.
  const own = psk === undefined ? chooseCredentials(settings, hello.body) : undefined;

  hs.clientRandom = hello.body.random;
  hs.serverRandom = settings.crypto.randomBytes(32);
  if (!retry) hs.negotiated('TLSv1.3');
  const { tls13, transcript, transport } = hs;
  transport.endMessages();
  tls13.chooseCipherSuite(cipherSuite);
  transcript.start(tls13.hash);
  transcript.release();
  transcript.add(hello.bytes);
  tls13.enterEarlySecret(earlySecret);
  yield* judgeEarlyData(hs, first, hello, psk, reason, alpnProtocol);
  if (hs.earlyData.outcome === 'accepted') tls13.enterEarlyTraffic(transcript.digest());

  const answer =
    group === undefined ? undefined : yield* ask('answer_key_share', { crypto: settings.crypto, group, peer: share });
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
    sendCertificate(hs, own.credentials.certificates, own.compression);
    yield* sendCertificateVerify(hs, own.credentials, own.scheme);
  }
  tls13.sendFinished();
  tls13.enterApplication();
  tls13.writeApplicationKeys();
  hs.halfRttOpen = true;

  if (hs.earlyData.outcome === 'accepted') yield* readEarlyData(hs);
  tls13.readHandshakeKeys(hs.earlyData.outcome !== 'accepted');
  if (hs.earlyData.outcome === 'rejected' && !retry) transport.skipEarlyData('record_that_opens', skippableLength(hs));
  const peerCertificates = asked ? yield* authenticateClient(hs) : (psk?.session?.peerCertificates ?? []);
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
      externalPskIdentity: psk?.external?.identity.slice(),
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
    externalPskIdentity: psk?.external?.externalIdentity ?? psk?.external?.identity,
    extendedMasterSecret: true,
    secureRenegotiation: true,
    group,
    helloRetryRequest: retry,
    earlyData: hs.earlyData.result,
    earlyDataReason: hs.earlyData.reason,
    newTicket: hs.ticketsToSend > 0,
    quicTransportParameters: hs.peerTransportParameters,
    session: undefined,
  };
}

/** RFC 9001 8.2 and 8.4. */
function checkQuicHello(hs: ServerHandshake, { body, quicTransportParameters }: Tls13Hello): void {
  if (body.legacySessionId.length > 0)
    throw new AlertError('illegal_parameter', 'got a session ID in QUIC', { code: 'quic_protocol_violation' });
  if (quicTransportParameters === undefined)
    throw new AlertError('missing_extension', 'got no quic_transport_parameters');
  hs.peerTransportParameters = quicTransportParameters.slice();
}

function* searchPsk(hs: ServerHandshake, hello: Tls13Hello, suites: readonly Tls13CipherSuite[]): Handshake<PskSearch> {
  const { offeredPsks, info } = hello;
  if (offeredPsks === undefined) return { reason: 'not_offered' };
  if (commonPskModes(hs.settings, hello).length === 0) return { reason: 'psk_mode_mismatch' };
  return yield* findPsk(hs, offeredPsks, suites, info.serverName);
}

/** What a ServerHello or HelloRetryRequest will say. */
interface Choice {
  readonly cipherSuite: Tls13CipherSuite;
  readonly psk: FoundPsk | undefined;
  readonly reason: ResumptionRefusal | undefined;
  /** Of the key exchange; `undefined` is psk_ke. */
  readonly group: KeyExchangeGroup | undefined;
  readonly share: Uint8Array;
  /** The group to ask for, where the client sent no share of it. */
  readonly retryGroup: KeyExchangeGroup | undefined;
}

/** RFC 8446 4.1.1: suite, PSK and group, each by our preference; a group that the client sent a share for saves a round trip. */
function choose(
  hs: ServerHandshake,
  hello: Tls13Hello,
  suites: readonly Tls13CipherSuite[],
  search: PskSearch,
): Choice {
  const [preferred] = suites;
  if (preferred === undefined) throw new AlertError('handshake_failure', 'no cipher suite in common');
  const psk = search.index === undefined ? undefined : search;
  const modes = commonPskModes(hs.settings, hello);
  const found = chooseGroup(hs.settings, hello);
  const withoutGroup = modes[0] === 'psk_ke' || (found === undefined && modes.includes('psk_ke'));
  if (psk !== undefined && withoutGroup) return { ...nothingChosen, cipherSuite: psk.cipherSuite, psk };
  if (found === undefined) {
    // R8446-4.2.9-7: only psk_ke does without.
    if (findExtension(hello.body.extensions, 'supported_groups') === undefined)
      throw new AlertError('missing_extension', 'got no supported_groups and key_share');
    throw new AlertError('handshake_failure', 'no group in common');
  }
  return {
    cipherSuite: psk?.cipherSuite ?? preferred,
    psk,
    reason: search.index === undefined ? search.reason : undefined,
    group: found.group,
    share: found.share ?? empty,
    retryGroup: found.share === undefined ? found.group : undefined,
  };
}

const nothingChosen = { reason: undefined, group: undefined, share: empty, retryGroup: undefined };

/** RFC 8446 4.2.11: the binder first, and then the ticket is used up. `undefined`: without a PSK, or somebody was faster. */
function* acceptPsk(
  hs: ServerHandshake,
  { offeredPsks, bytes }: Tls13Hello,
  psk: FoundPsk | undefined,
): Handshake<Tls13KeySchedule | undefined> {
  if (psk === undefined || offeredPsks === undefined) return undefined;
  const earlySecret = verifyBinder(hs, psk, offeredPsks, bytes);
  if (psk.session !== undefined) wipe(psk.key);
  if (yield* takeTicket(psk)) return earlySecret;
  earlySecret.destroy();
  return undefined;
}

/** RFC 8446 4.1.4. */
function sendHelloRetryRequest(
  hs: ServerHandshake,
  { bytes, body, offersEarlyData }: Tls13Hello,
  { cipherSuite, retryGroup }: Choice,
  cookie: Uint8Array | undefined,
): void {
  const { transcript, transport, settings } = hs;
  hs.negotiated('TLSv1.3');
  transport.endMessages();
  transcript.add(bytes);
  transcript.startRetry(tls13Suites[cipherSuite].hash);
  const extensions: Extension<'hello_retry_request'>[] = [];
  if (retryGroup !== undefined) extensions.push({ type: 'key_share', data: retryGroup });
  if (cookie !== undefined) extensions.push({ type: 'cookie', data: cookie });
  extensions.push({ type: 'supported_versions', data: 'TLSv1.3' });
  hs.sendTls13({
    type: 'hello_retry_request',
    body: {
      legacyVersion: 'TLSv1.2',
      random: helloRetryRequestRandom,
      legacySessionIdEcho: body.legacySessionId,
      cipherSuite,
      legacyCompressionMethod: 0,
      extensions,
    },
  });
  hs.sendCompatibilityChangeCipherSpec();
  if (offersEarlyData && settings.transport === 'tcp')
    transport.skipEarlyData('second_client_hello', skippableLength(hs));
}

/** RFC 8446 4.2.10: what may be dropped of early data that is not read. */
function skippableLength({ settings }: ServerHandshake): number {
  return Math.max(settings.earlyData?.maxSize ?? 0, leastSkippableLength);
}

/** A client may hold a ticket of a configuration that reads early data: so many bytes are dropped at least. */
export const leastSkippableLength = 2 ** 14;

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
  if (hello.info.serverName !== undefined) extensions.push({ type: 'server_name', data: {} });
  if (alpnProtocol !== undefined)
    extensions.push({ type: 'application_layer_protocol_negotiation', data: [ascii(alpnProtocol)] });
  const tickets = findExtension(hello.body.extensions, 'ticket_request') && ticketsToSend(hs, hello, psk !== undefined);
  if (tickets !== undefined) extensions.push({ type: 'ticket_request', data: tickets });
  if (settings.transport === 'quic' && settings.quicTransportParameters !== undefined)
    extensions.push({ type: 'quic_transport_parameters', data: settings.quicTransportParameters });
  if (hs.earlyData.outcome === 'accepted') extensions.push({ type: 'early_data', data: {} });
  hs.sendTls13({
    type: 'encrypted_extensions',
    body: { extensions: settings.shapeEncryptedExtensions?.(extensions) ?? extensions },
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
