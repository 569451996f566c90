/**
 * ECDHE of TLS 1.2 under certificates, both sides (RFC 5246 7.4.2 to 7.4.8, RFC 8422 5): from Certificate to CertificateVerify, and into
 * the keys.
 *
 * The surprising thing is what is signed, and when: a server signs its share with both randoms and nothing else, a client all that
 * was said, and only after it has sent its share.
 */
import { concat } from '../bytes.js';
import type { EcdheGroup, KeyShare, PublicKey } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { tls12Suites } from '../key-schedule/suites.js';
import { serverEcdhParams, type CertificateRequestTls12, type ServerKeyExchange } from '../messages/index.js';
import type { Staples } from '../sessions/session.js';
import { clientCredentials, refuseUnfitChoice, sign, verifyCertificate, verifySignature } from './authenticate.js';
import { agree, generateKeyShare, offeredGroup } from './ecdhe-tls12.js';
import type { ClientHandshake, ServerHandshake } from './handshake-state.js';
import { receive, type Handshake, type Received } from './needs.js';
import { authenticationOf, type NegotiatedCertificate } from './negotiate.js';
import type { Credentials } from './settings.js';
import { chooseScheme, type SignatureSchemeName } from './signature-schemes.js';
import { ocspResponseIn, staplesOf } from './staples.js';

/** What the ServerHello settled of it. */
export interface ServerHelloAnswer {
  readonly extendedMasterSecret: boolean;
  /** RFC 6066 8: and it may be left out all the same. */
  readonly statusMayFollow: boolean;
  /** RFC 6962 3.3. */
  readonly signedCertificateTimestamps: Uint8Array | undefined;
}

/** Who the server is, and the group of its share. */
export interface ShownByServer extends Staples {
  readonly peerCertificates: readonly Uint8Array[];
  readonly group: EcdheGroup;
}

/** From Certificate to our CertificateVerify, and into the keys. */
export function* clientCertificateKeyExchange(
  hs: ClientHandshake,
  answer: ServerHelloAnswer,
): Handshake<ShownByServer> {
  const { settings } = hs;
  const { peerCertificates, staples, afterwards } = yield* receiveCertificate(hs, answer);
  const publicKey = yield* verifyCertificate(settings.verifyCertificate, {
    ...staples,
    certificates: peerCertificates,
    role: 'server',
    serverName: settings.serverName,
    resumed: false,
  });
  if (authenticationOf(publicKey) !== tls12Suites[hs.tls12.cipherSuite].authentication)
    throw new AlertError(
      'illegal_parameter',
      `got a key of kind ${publicKey.kind}, which ${hs.tls12.cipherSuite} excludes`,
    );

  // RFC 8422 5.1: supported_groups are for the keys of ECDSA certificates as well.
  if (publicKey.kind === 'ecdsa' && !settings.ecdheGroups.includes(publicKey.curve))
    throw new AlertError('illegal_parameter', `got an ECDSA key on ${publicKey.curve}, which was not offered`);

  const keyExchange = afterwards ?? (yield* receive('server_key_exchange'));
  hs.transcript.add(keyExchange.bytes);
  const { group, publicKey: peerShare } = yield* verifyKeyExchange(hs, publicKey, keyExchange.body);

  let next = yield* receive('certificate_request', 'server_hello_done');
  let request: CertificateRequestTls12 | undefined;
  if (next.type === 'certificate_request') {
    hs.transcript.add(next.bytes);
    request = next.body;
    next = yield* receive('server_hello_done');
  }
  hs.transcript.add(next.bytes);

  const own = request === undefined ? undefined : yield* chooseCredentials(hs, request);
  if (request !== undefined)
    hs.send({ type: 'certificate', body: { certificateList: own?.credentials.certificates ?? [] } });
  yield* sendClientKeyExchange(hs, answer, group, peerShare);
  if (own !== undefined) {
    const signature = yield* sign(own.credentials, own.scheme, hs.transcript.messages());
    hs.send({ type: 'certificate_verify', body: { algorithm: own.scheme, signature } });
  }
  hs.transcript.release();
  return { group, peerCertificates, ...staples };
}

/** RFC 5246 7.4.2, RFC 6066 8: the chain and what is stapled to it. That a status was left out, the message after it tells. */
function* receiveCertificate(
  hs: ClientHandshake,
  { statusMayFollow, signedCertificateTimestamps }: ServerHelloAnswer,
): Handshake<{
  readonly peerCertificates: readonly Uint8Array[];
  readonly staples: Staples;
  readonly afterwards: Received<'server_key_exchange'> | undefined;
}> {
  const certificate = yield* receive('certificate');
  hs.transcript.add(certificate.bytes);
  const peerCertificates = certificate.body.certificateList;
  if (peerCertificates.length === 0) throw new AlertError('decode_error', 'got a Certificate without a certificate');
  const next = statusMayFollow ? yield* receive('certificate_status', 'server_key_exchange') : undefined;
  if (next?.type !== 'certificate_status')
    return { peerCertificates, staples: staplesOf({ signedCertificateTimestamps }), afterwards: next };
  hs.transcript.add(next.bytes);
  const staples = staplesOf({ ocspResponse: ocspResponseIn(next.body), signedCertificateTimestamps });
  return { peerCertificates, staples, afterwards: undefined };
}

/** RFC 8422 5.4: the parameters are signed together with both randoms. */
function* verifyKeyExchange(
  hs: ClientHandshake,
  key: PublicKey,
  body: ServerKeyExchange,
): Handshake<{ group: EcdheGroup; publicKey: Uint8Array }> {
  const group = offeredGroup(hs.settings, body.params);
  const signed = concat(hs.clientRandom, hs.serverRandom, serverEcdhParams.encode(body.params));
  yield* verifySignature(hs, key, body.algorithm, signed, body.signature);
  return { group, publicKey: body.params.public };
}

/** The first of our credentials whose key can make a signature that the server takes. */
function* chooseCredentials(
  hs: ClientHandshake,
  { supportedSignatureAlgorithms: schemes, certificateAuthorities, certificateTypes }: CertificateRequestTls12,
): Handshake<{ credentials: Credentials; scheme: SignatureSchemeName } | undefined> {
  const candidates = yield* clientCredentials(hs.settings, {
    version: 'TLSv1.2',
    signatureSchemes: schemes,
    certificateAuthorities,
    certificateTypes,
  });
  for (const credentials of candidates) {
    // RFC 8422 5.5: Ed25519 goes with ecdsa_sign.
    const authentication = authenticationOf(credentials.signer.publicKey);
    if (authentication === undefined || !certificateTypes.includes(`${authentication}_sign`)) continue;
    const scheme = chooseScheme(credentials, schemes, { version: 'TLSv1.2', signer: 'client' });
    if (scheme !== undefined) return { credentials, scheme };
  }
  refuseUnfitChoice(hs.settings, candidates);
  return undefined;
}

/** RFC 8422 5.7, then RFC 5246 8.1 or RFC 7627 4. */
function* sendClientKeyExchange(
  hs: ClientHandshake,
  answer: ServerHelloAnswer,
  group: EcdheGroup,
  peerShare: Uint8Array,
): Handshake<void> {
  const keyShare = yield* generateKeyShare(hs, group);
  const premasterSecret = yield* agree(hs, group, keyShare, peerShare);
  hs.send({ type: 'client_key_exchange', body: { public: keyShare.publicKey } });
  hs.tls12.enterPremasterSecret(premasterSecret, answer.extendedMasterSecret);
}

/** From Certificate to the client's CertificateVerify, and into the keys. Answers the client's chain; empty if it has none. */
export function* serverCertificateKeyExchange(
  hs: ServerHandshake,
  group: EcdheGroup,
  extendedMasterSecret: boolean,
  certificate: NegotiatedCertificate,
  { ocspResponse }: Staples = {},
): Handshake<readonly Uint8Array[]> {
  hs.send({ type: 'certificate', body: { certificateList: certificate.credentials.certificates } });
  if (ocspResponse !== undefined)
    hs.send({ type: 'certificate_status', body: { statusType: 'ocsp', response: ocspResponse } });
  const keyShare = yield* sendServerKeyExchange(hs, group, certificate);
  const asked = hs.settings.clientAuthentication !== 'none';
  if (asked) sendCertificateRequest(hs);
  else hs.transcript.release();
  hs.send({ type: 'server_hello_done', body: {} });

  const peerCertificates = asked ? yield* receiveClientCertificate(hs) : [];
  const publicKey = peerCertificates.length === 0 ? undefined : yield* verifyClientChain(hs, peerCertificates);
  const exchange = yield* receive('client_key_exchange');
  hs.transcript.add(exchange.bytes);
  const premasterSecret = yield* agree(hs, group, keyShare, exchange.body.public);
  hs.tls12.enterPremasterSecret(premasterSecret, extendedMasterSecret);
  if (publicKey !== undefined) yield* receiveCertificateVerify(hs, publicKey);
  hs.transcript.release();
  return peerCertificates;
}

/** RFC 8422 5.4. */
function* sendServerKeyExchange(
  hs: ServerHandshake,
  group: EcdheGroup,
  { credentials, scheme }: NegotiatedCertificate,
): Handshake<KeyShare> {
  const keyShare = yield* generateKeyShare(hs, group);
  const params = { curveType: 'named_curve', namedCurve: group, public: keyShare.publicKey } as const;
  const signed = concat(hs.clientRandom, hs.serverRandom, serverEcdhParams.encode(params));
  const signature = yield* sign(credentials, scheme, signed);
  hs.send({ type: 'server_key_exchange', body: { params, algorithm: scheme, signature } });
  return keyShare;
}

/** RFC 5246 7.4.4. */
function sendCertificateRequest(hs: ServerHandshake): void {
  hs.send({
    type: 'certificate_request',
    body: {
      certificateTypes: ['ecdsa_sign', 'rsa_sign'],
      supportedSignatureAlgorithms: hs.settings.signatureSchemes,
      certificateAuthorities: hs.settings.certificateAuthorities,
    },
  });
}

/** RFC 5246 7.4.6: an empty chain says that the client has none; handshake_failure if one is required. */
function* receiveClientCertificate(hs: ServerHandshake): Handshake<readonly Uint8Array[]> {
  const certificate = yield* receive('certificate');
  hs.transcript.add(certificate.bytes);
  const { certificateList } = certificate.body;
  if (certificateList.length === 0 && hs.settings.clientAuthentication === 'require')
    throw new AlertError('handshake_failure', 'got no client certificate');
  return certificateList;
}

function verifyClientChain(hs: ServerHandshake, certificates: readonly Uint8Array[]): Handshake<PublicKey> {
  return verifyCertificate(hs.settings.verifyCertificate, {
    certificates,
    role: 'client',
    serverName: undefined,
    resumed: false,
  });
}

/** RFC 5246 7.4.8: over all messages so far, as they stood on the wire. */
function* receiveCertificateVerify(hs: ServerHandshake, publicKey: PublicKey): Handshake<void> {
  const { body, bytes } = yield* receive('certificate_verify');
  yield* verifySignature(hs, publicKey, body.algorithm, hs.transcript.messages(), body.signature);
  hs.transcript.add(bytes);
}
