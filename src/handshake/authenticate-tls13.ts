/**
 * Authentication by certificate in TLS 1.3, the same three messages in both directions (RFC 8446 4.4): Certificate,
 * CertificateVerify and the request that asks a client for them.
 */
import { ascii, concat, empty } from '../bytes.js';
import type { PublicKey } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import {
  certificate as certificateCodec,
  findExtension,
  type Certificate,
  type CertificateRequest,
  type ExtensionType,
} from '../messages/index.js';
import type { Staples } from '../sessions/session.js';
import { clientCredentials, refuseUnfitChoice, sign, verifyCertificate, verifySignature } from './authenticate.js';
import { greaseValue } from './grease.js';
import type { HandshakeBase } from './handshake-base.js';
import type { ClientHandshake, ServerHandshake } from './handshake-state.js';
import { receiveTls13, type Handshake, type ReceivedTls13 } from './needs.js';
import type { ClientSettings, Credentials, ServerSettings } from './settings.js';
import { leafExtensions, readStaples } from './staples.js';
import { chooseScheme, type SignatureSchemeName } from './signature-schemes.js';

type AnyHandshake = HandshakeBase<ClientSettings | ServerSettings>;

/** A CertificateRequest that is to be answered. */
export type CertificateRequestReceived = CertificateRequest;

/** What a client knows of its server. */
export interface ServerAuthenticated {
  readonly peerCertificates: readonly Uint8Array[];
  readonly staples: Staples;
  readonly request: CertificateRequestReceived | undefined;
}

/** RFC 8446 4.3.2, 4.4.2, 4.4.3: the server's chain, proven; and what it wants of us. */
export function* authenticateServer(
  hs: ClientHandshake,
  offered: ReadonlySet<ExtensionType>,
): Handshake<ServerAuthenticated> {
  const { settings, transcript } = hs;
  let next = yield* receiveTls13('certificate_request', ...certificateMessages(settings));
  let request: CertificateRequest | undefined;
  if (next.type === 'certificate_request') {
    request = next.body;
    checkCertificateRequest(request);
    transcript.add(next.bytes);
    next = yield* receiveTls13(...certificateMessages(settings));
  }
  const { peerCertificates, staples } = readCertificate(hs, next, offered);
  if (peerCertificates.length === 0) throw new AlertError('decode_error', 'got a Certificate without a certificate');
  const publicKey = yield* verifyCertificate(settings.verifyCertificate, {
    ...staples,
    certificates: peerCertificates,
    role: 'server',
    serverName: settings.serverName,
    resumed: false,
  });
  yield* receiveCertificateVerify(hs, publicKey, 'server');
  return { peerCertificates, staples, request };
}

function checkCertificateRequest({ certificateRequestContext, extensions }: CertificateRequest): void {
  if (certificateRequestContext.length > 0)
    throw new AlertError('illegal_parameter', 'got a certificate_request_context in the handshake');
  if (findExtension(extensions, 'signature_algorithms') === undefined)
    throw new AlertError('missing_extension', 'got a CertificateRequest without signature_algorithms');
}

/** RFC 8446 4.4.2: the client's chain, proven; empty if it has none and none is required. */
export function* authenticateClient(hs: ServerHandshake): Handshake<readonly Uint8Array[]> {
  const { settings } = hs;
  const message = yield* receiveTls13(...certificateMessages(settings));
  const { peerCertificates } = readCertificate(hs, message, new Set());
  if (peerCertificates.length === 0) {
    if (settings.clientAuthentication !== 'require') return peerCertificates;
    throw new AlertError('certificate_required', 'got no client certificate');
  }
  const publicKey = yield* verifyCertificate(settings.verifyCertificate, {
    certificates: peerCertificates,
    role: 'client',
    serverName: undefined,
    resumed: false,
  });
  yield* receiveCertificateVerify(hs, publicKey, 'client');
  return peerCertificates;
}

/** RFC 8446 4.3.2. */
export function sendCertificateRequest(hs: ServerHandshake): void {
  const { signatureSchemes, certificateAuthorities, certificateCompression, grease, crypto } = hs.settings;
  const extensions: CertificateRequest['extensions'][number][] = [
    { type: 'signature_algorithms', data: grease ? [greaseValue(crypto), ...signatureSchemes] : signatureSchemes },
  ];
  if (certificateAuthorities.length > 0)
    extensions.push({ type: 'certificate_authorities', data: certificateAuthorities });
  if (certificateCompression.length > 0)
    extensions.push({ type: 'compress_certificate', data: certificateCompression.map(({ algorithm }) => algorithm) });
  if (grease) extensions.push({ type: greaseValue(crypto), data: empty });
  hs.sendTls13({ type: 'certificate_request', body: { certificateRequestContext: empty, extensions } });
}

/** RFC 8446 4.4.2: the first of our chains that the server can verify, or an empty one. */
export function* sendClientAuthentication(hs: ClientHandshake, { extensions }: CertificateRequest): Handshake<void> {
  const schemes = findExtension(extensions, 'signature_algorithms') ?? [];
  const compression = findExtension(extensions, 'compress_certificate') ?? [];
  const candidates = yield* clientCredentials(hs.settings, {
    version: 'TLSv1.3',
    signatureSchemes: schemes,
    certificateAuthorities: findExtension(extensions, 'certificate_authorities') ?? [],
    certificateTypes: undefined,
  });
  for (const credentials of candidates) {
    const scheme = chooseScheme(credentials, schemes, { version: 'TLSv1.3', signer: 'client' });
    if (scheme === undefined) continue;
    sendCertificate(hs, credentials.certificates, compression);
    return yield* sendCertificateVerify(hs, credentials, scheme);
  }
  refuseUnfitChoice(hs.settings, candidates);
  sendCertificate(hs, [], []);
}

/** RFC 8446 4.4.2, or RFC 8879 4 where both sides know an algorithm. */
export function sendCertificate(
  hs: AnyHandshake,
  certificates: readonly Uint8Array[],
  peerAlgorithms: readonly (string | number)[],
  staples: Staples = {},
): void {
  const ofLeaf = leafExtensions(staples);
  const body: Certificate = {
    certificateRequestContext: empty,
    certificateList: certificates.map((certData, index) => ({ certData, extensions: index === 0 ? ofLeaf : [] })),
  };
  const compression = hs.settings.certificateCompression.find(({ algorithm }) => peerAlgorithms.includes(algorithm));
  if (compression === undefined || certificates.length === 0) {
    hs.sendTls13({ type: 'certificate', body });
    return;
  }
  const plain = certificateCodec.encode(body);
  hs.sendTls13({
    type: 'compressed_certificate',
    body: {
      algorithm: compression.algorithm,
      uncompressedLength: plain.length,
      compressedCertificateMessage: compression.compress(plain),
    },
  });
}

/** RFC 8446 4.4.3. */
export function* sendCertificateVerify(
  hs: AnyHandshake,
  credentials: Credentials,
  scheme: SignatureSchemeName,
): Handshake<void> {
  const signature = yield* sign(credentials, scheme, signedContent(hs.role, hs.transcript.digest()));
  hs.sendTls13({ type: 'certificate_verify', body: { algorithm: scheme, signature } });
}

function* receiveCertificateVerify(hs: AnyHandshake, publicKey: PublicKey, peer: 'client' | 'server'): Handshake<void> {
  const { body, bytes } = yield* receiveTls13('certificate_verify');
  const content = signedContent(peer, hs.transcript.digest());
  yield* verifySignature(hs, publicKey, body.algorithm, content, body.signature);
  hs.transcript.add(bytes);
}

const contexts = {
  client: ascii(`${' '.repeat(64)}TLS 1.3, client CertificateVerify\0`),
  server: ascii(`${' '.repeat(64)}TLS 1.3, server CertificateVerify\0`),
};

/** RFC 8446 4.4.3: what a CertificateVerify signs. */
function signedContent(signer: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
  return concat(contexts[signer], transcriptHash);
}

/** RFC 8879 4: there is a CompressedCertificate where compression was offered. */
function certificateMessages({ certificateCompression }: ClientSettings | ServerSettings) {
  return certificateCompression.length > 0
    ? (['certificate', 'compressed_certificate'] as const)
    : (['certificate'] as const);
}

/** RFC 8446 4.4.2, RFC 8879 4: the chain and what is stapled to it, and its message in the transcript as it stood on the wire. */
function readCertificate(
  hs: AnyHandshake,
  message: ReceivedTls13<'certificate'> | ReceivedTls13<'compressed_certificate'>,
  offered: ReadonlySet<ExtensionType>,
): { readonly peerCertificates: readonly Uint8Array[]; readonly staples: Staples } {
  const body = message.type === 'certificate' ? message.body : decompress(hs, message);
  hs.transcript.add(message.bytes);
  if (body.certificateRequestContext.length > 0)
    throw new AlertError('illegal_parameter', 'got a certificate_request_context in the handshake');
  const staples = readStaples(body, offered);
  // Out of the message, which would be kept for as long as they are.
  return { peerCertificates: body.certificateList.map(({ certData }) => certData.slice()), staples };
}

/** RFC 8879 4: bounded by what its length says, which is bounded by what a message may be. */
function decompress(hs: AnyHandshake, { body }: ReceivedTls13<'compressed_certificate'>): Certificate {
  const { algorithm, uncompressedLength, compressedCertificateMessage } = body;
  const compression = hs.settings.certificateCompression.find((candidate) => candidate.algorithm === algorithm);
  if (compression === undefined)
    throw new AlertError(
      'illegal_parameter',
      `got certificate compression ${String(algorithm)}, which was not offered`,
    );
  if (uncompressedLength > maxCertificateLength)
    throw new AlertError('bad_certificate', `got a compressed Certificate of ${uncompressedLength} bytes`);
  const plain = compression.decompress(compressedCertificateMessage, uncompressedLength);
  if (plain === undefined) throw new AlertError('bad_certificate', 'got a compressed Certificate that does not open');
  return certificateCodec.decode(plain);
}

/** What a compressed chain may unpack to, bytes. */
export const maxCertificateLength = 128 * 1024;
