/**
 * The client's side of TLS 1.3 from ServerHello or HelloRetryRequest on (RFC 8446 2 figures 1 to 4).
 *
 * The surprising thing: early data goes on until the server's Finished is verified, under keys older than those by which
 * everything else is read.
 */
import { wipe } from '../bytes.js';
import type { KeyExchangeGroup } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { tls13Suites, type Tls13CipherSuite } from '../key-schedule/suites.js';
import { findExtension, type EncryptedExtensions, type ServerHello } from '../messages/index.js';
import {
  authenticateServer,
  sendClientAuthentication,
  type CertificateRequestReceived,
  type ServerAuthenticated,
} from './authenticate-tls13.js';
import {
  refusalHeard,
  sendClientHello,
  type ClientOffer,
  type OfferedPsk,
  type SentClientHello,
} from './client-hello.js';
import type { ClientHandshake } from './handshake-state.js';
import { ask, receiveTls13, type Handshake, type ReceivedTls13 } from './needs.js';
import { pskBehind } from './psk-behind.js';
import type { HandshakeResult } from './result.js';
import { checkHello, readEncryptedExtensions, requestedGroup, selectedPsk, selectedVersion } from './server-hello.js';
import { staplesOf } from './staples.js';

/** RFC 8446 4.1.4: a second ClientHello, and the flow that follows. */
export function* clientRetry(
  hs: ClientHandshake,
  sent: SentClientHello,
  retry: ReceivedTls13<'hello_retry_request'>,
): Handshake<HandshakeResult> {
  const { settings, transport, transcript } = hs;
  const { body } = retry;
  const cipherSuite = checkHello(hs, sent, body);
  const cookie = findExtension(body.extensions, 'cookie');
  const group = requestedGroup(hs, sent, body);
  if (group === undefined && cookie === undefined)
    throw new AlertError('illegal_parameter', 'got a HelloRetryRequest that changes nothing');

  hs.negotiated('TLSv1.3');
  transport.endMessages();
  const { hash } = tls13Suites[cipherSuite];
  transcript.startRetry(hash);
  transcript.add(retry.bytes);
  if (sent.earlyData) {
    transport.dropWriteProtection();
    hs.tls13.dropEarlyTraffic();
    hs.earlyData.reject('hello_retry_request');
  }
  const keyShares =
    group === undefined
      ? sent.keyShares
      : new Map([[group, yield* ask('generate_key_share', { crypto: settings.crypto, group })]]);
  const offer: ClientOffer = {
    ...sent,
    keyShares,
    cookie,
    grease: sent.grease && { ...sent.grease, keyShare: group === undefined && sent.grease.keyShare },
    firstOrder: [...sent.extensions],
    earlyData: false,
    psks: sent.psks.filter((psk) => psk.hash === hash), // R8446-4.1.4-8
  };
  hs.sendCompatibilityChangeCipherSpec();
  try {
    const second = sendClientHello(hs, offer);
    const serverHello = yield* receiveTls13('server_hello');
    return yield* clientTls13(hs, second, serverHello, { cipherSuite });
  } finally {
    for (const keyShare of keyShares.values()) keyShare.destroy?.();
  }
}

/** What a HelloRetryRequest has settled, apart from the group: of that alone a key share goes out (R8446-4.1.4). */
interface Retried {
  readonly cipherSuite: Tls13CipherSuite;
}

/** RFC 8446 2 figures 1, 3 and 4. */
export function* clientTls13(
  hs: ClientHandshake,
  sent: SentClientHello,
  serverHello: ReceivedTls13<'server_hello'>,
  retried: Retried | undefined,
): Handshake<HandshakeResult> {
  const { settings, transcript, tls13 } = hs;
  const { body } = serverHello;
  // R8446-4.1.4-7: a version, once chosen, stays.
  if (selectedVersion(body) === undefined)
    throw new AlertError('illegal_parameter', 'got TLS 1.2 after a HelloRetryRequest of TLS 1.3');
  const cipherSuite = checkHello(hs, sent, body, 'server_hello');
  if (retried !== undefined && retried.cipherSuite !== cipherSuite)
    throw new AlertError('illegal_parameter', 'got another cipher suite than in the HelloRetryRequest');
  const psk = selectedPsk(sent, body, cipherSuite);
  hs.serverRandom = body.random;
  if (retried === undefined) hs.negotiated('TLSv1.3');
  const { group, sharedSecret } = yield* agree(hs, sent, body, psk);

  tls13.chooseCipherSuite(cipherSuite);
  transcript.start(tls13.hash);
  transcript.release();
  transcript.add(serverHello.bytes);
  tls13.enterEarlySecret(psk?.schedule);
  tls13.enterHandshake(sharedSecret);
  tls13.readHandshakeKeys();
  // Early data goes on until the second flight, and everything else that we say, alerts for one, is under these keys. RFC 9001
  // 4.1.4: a QUIC client has both at once, and packets to acknowledge.
  hs.sendCompatibilityChangeCipherSpec();
  if (!sent.earlyData || settings.transport === 'quic') tls13.writeHandshakeKeys();
  // P-early-3: who does not take the first PSK has not proven anything yet, and can read no early data.
  if (sent.earlyData && psk !== sent.psks[0]) hs.earlyData.end();

  const parameters = yield* receiveTls13('encrypted_extensions');
  transcript.add(parameters.bytes);
  const answer = readEncryptedExtensions(hs, sent, parameters.body);
  acceptEarlyData(hs, sent, parameters.body, psk, cipherSuite, answer.alpnProtocol);

  const { peerCertificates, staples, request } =
    psk === undefined ? yield* authenticateServer(hs, sent.extensions) : rememberedBy(psk);
  if (psk !== undefined) hs.peerSignatureScheme = psk.session?.peerSignatureScheme;
  yield* tls13.receiveFinished();
  tls13.enterApplication();
  yield* sendSecondFlight(hs, request);
  tls13.enterResumption();
  tls13.writeApplicationKeys();
  tls13.readApplicationKeys();

  if (settings.tickets)
    hs.resumable = {
      establishedAt: psk?.session?.establishedAt ?? settings.now(),
      serverName: settings.serverName,
      alpnProtocol: answer.alpnProtocol,
      peerCertificates,
      peerSignatureScheme: hs.peerSignatureScheme,
      staples,
      behind: pskBehind(settings.crypto, psk?.external),
    };
  return {
    version: 'TLSv1.3',
    cipherSuite,
    mode: psk === undefined ? 'full' : group === undefined ? 'psk_ke' : 'psk_dhe_ke',
    reason: psk === undefined ? refusalHeard(sent) : undefined,
    serverName: settings.serverName,
    alpnProtocol: answer.alpnProtocol,
    peerCertificates,
    peerSignatureScheme: hs.peerSignatureScheme,
    ocspResponse: staples.ocspResponse,
    signedCertificateTimestamps: staples.signedCertificateTimestamps,
    externalPskIdentity: psk?.external?.externalIdentity ?? psk?.external?.identity,
    pskKind: psk?.kind,
    extendedMasterSecret: true,
    secureRenegotiation: true,
    group,
    helloRetryRequest: retried !== undefined,
    earlyData: hs.earlyData.result,
    earlyDataReason: hs.earlyData.reason,
    ticketAgeSkew: undefined,
    newTicket: false,
    quicTransportParameters: hs.peerTransportParameters,
    session: undefined,
  };
}

/** R8446-4.3.2-1: with a PSK nothing is shown and nothing asked for. */
function rememberedBy({ session }: OfferedPsk): ServerAuthenticated {
  return {
    peerCertificates: session?.peerCertificates ?? [],
    staples: session === undefined ? {} : staplesOf(session),
    request: undefined,
  };
}

/** RFC 8446 4.2.8 and 4.2.9; P-state-3: without PSK and without key share there is no secret. */
function* agree(
  hs: ClientHandshake,
  sent: SentClientHello,
  { extensions }: ServerHello,
  psk: OfferedPsk | undefined,
): Handshake<{ readonly group: KeyExchangeGroup | undefined; readonly sharedSecret: Uint8Array | undefined }> {
  const { pskKeyExchangeModes: modes } = hs.settings;
  const entry = findExtension(extensions, 'key_share');
  if (entry === undefined) {
    if (psk === undefined) throw new AlertError('missing_extension', 'got neither pre_shared_key nor key_share');
    if (!modes.includes('psk_ke')) throw new AlertError('illegal_parameter', 'got no key_share, expected psk_dhe_ke');
    return { group: undefined, sharedSecret: undefined };
  }
  if (psk !== undefined && !modes.includes('psk_dhe_ke'))
    throw new AlertError('illegal_parameter', 'got a key_share, expected psk_ke');
  const [group, keyShare] = [...sent.keyShares].find(([candidate]) => candidate === entry.group) ?? [];
  if (group === undefined || keyShare === undefined)
    throw new AlertError('illegal_parameter', `got group ${String(entry.group)}, for which no key share was sent`);
  const sharedSecret = yield* ask('agree', { keyShare, peer: entry.keyExchange });
  hs.atEnd(() => wipe(sharedSecret));
  keyShare.destroy?.();
  if (sharedSecret === undefined) throw new AlertError('illegal_parameter', `got a useless ${group} key share`);
  return { group, sharedSecret };
}

/** RFC 8446 4.2.10. */
function acceptEarlyData(
  hs: ClientHandshake,
  sent: SentClientHello,
  { extensions }: EncryptedExtensions,
  psk: OfferedPsk | undefined,
  cipherSuite: Tls13CipherSuite,
  alpnProtocol: string | undefined,
): void {
  if (!sent.earlyData) return;
  if (findExtension(extensions, 'early_data') === undefined) {
    hs.tls13.dropEarlyTraffic();
    hs.earlyData.reject('declined_by_server');
    if (hs.settings.transport === 'tcp') hs.tls13.writeHandshakeKeys();
    return;
  }
  const session = psk?.session;
  if (session === undefined || psk !== sent.psks[0])
    throw new AlertError('illegal_parameter', 'got early_data without the first PSK');
  if (session.cipherSuite !== cipherSuite || session.alpnProtocol !== alpnProtocol)
    throw new AlertError('illegal_parameter', 'got early_data with another cipher suite or application protocol');
  hs.earlyData.accepted();
}

/** EndOfEarlyData, Certificate, CertificateVerify, Finished (RFC 8446 4.4, 4.5). */
function* sendSecondFlight(hs: ClientHandshake, request: CertificateRequestReceived | undefined): Handshake<void> {
  const { settings, tls13, earlyData } = hs;
  // RFC 9001 8.3: QUIC has packet types for that.
  const endOfEarlyData = earlyData.outcome === 'accepted' && settings.transport === 'tcp';
  if (endOfEarlyData) hs.sendTls13({ type: 'end_of_early_data', body: {} });
  earlyData.end();
  if (endOfEarlyData) tls13.writeHandshakeKeys();
  if (request !== undefined) yield* sendClientAuthentication(hs, request);
  tls13.sendFinished();
}
