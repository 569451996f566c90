/** The questions of authentication: which chain to show, sign, verify a signature, judge a chain (RFC 5246 7.4.2, 7.4.8). */
import type { PublicKey } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { taken, type HandshakeBase } from './handshake-base.js';
import { fitting, isBytes } from './hooks.js';
import { ask, type Handshake } from './needs.js';
import type {
  CertificateQuestion,
  CertificateRequestInfo,
  CertificateVerdict,
  CertificateVerifier,
  ClientSettings,
  Credentials,
  ServerSettings,
} from './settings.js';
import { isSignatureScheme, schemeFits, signatureAlgorithms, type SignatureSchemeName } from './signature-schemes.js';

/** What a client may show to a server that asks: its list, or the choice of the outside. `null` is nothing here as well. */
export function* clientCredentials(
  { chooseCredentials: choose, credentials }: ClientSettings,
  request: CertificateRequestInfo,
): Handshake<readonly Credentials[]> {
  if (choose === undefined) return credentials;
  const chosen = yield* ask('choose_credentials', { choose, request });
  return fitting('chooseCredentials', chosen ?? [], Array.isArray);
}

/** RFC 5246 7.4.6, RFC 8446 4.4.2: nothing that fits is an empty Certificate; but who chose knew what was asked for. */
export function refuseUnfitChoice({ chooseCredentials }: ClientSettings, candidates: readonly Credentials[]): void {
  if (chooseCredentials !== undefined && candidates.length > 0)
    throw new AlertError('handshake_failure', 'the credentials that were chosen do not fit what the server asks for');
}

/** Signs with the key of `credentials`, whose scheme was chosen before. */
export function* sign(credentials: Credentials, scheme: SignatureSchemeName, data: Uint8Array): Handshake<Uint8Array> {
  const { signer } = credentials;
  const signature = yield* ask('sign', { signer, algorithm: signatureAlgorithms[scheme], data });
  return fitting('signer', signature, isBytes);
}

/** Verifies the peer's signature, whose scheme must be one that we told the peer. The handshake remembers the scheme. */
export function* verifySignature(
  hs: HandshakeBase<ClientSettings | ServerSettings>,
  publicKey: PublicKey,
  scheme: string | number,
  data: Uint8Array,
  signature: Uint8Array,
): Handshake<void> {
  const { crypto, signatureSchemes: accepted } = hs.settings;
  if (!isSignatureScheme(scheme) || !accepted.includes(scheme))
    throw new AlertError('illegal_parameter', `got signature scheme ${String(scheme)}, which was not offered`);
  const place = { version: taken(hs.version), signer: hs.role === 'client' ? 'server' : 'client' } as const;
  if (!schemeFits(scheme, publicKey, place))
    throw new AlertError('illegal_parameter', `got signature scheme ${scheme} from a key of kind ${publicKey.kind}`);
  const algorithm = signatureAlgorithms[scheme];
  // A backend in JavaScript may answer anything: only `true` is a yes.
  const valid: unknown = yield* ask('verify_signature', { crypto, algorithm, publicKey, data, signature });
  if (valid !== true) throw new AlertError('decrypt_error', `got a ${scheme} signature that does not verify`);
  hs.peerSignatureScheme = scheme;
}

/** Asks the outside about a chain; its public key comes back only if the chain is accepted. */
export function* verifyCertificate(
  verifier: CertificateVerifier | undefined,
  peer: CertificateQuestion,
): Handshake<PublicKey> {
  if (verifier === undefined) throw new AlertError('internal_error', 'no certificate verifier is configured');
  const verdict = yield* askVerdict(verifier, peer);
  if (!verdict.accepted) throw new AlertError(verdict.alert, `certificate refused: ${verdict.reason}`);
  return verdict.publicKey;
}

/** The outside's verdict. A verifier in JavaScript may answer anything, a promise in `accepted` among it: that is no yes. */
export function* askVerdict(verifier: CertificateVerifier, peer: CertificateQuestion): Handshake<CertificateVerdict> {
  const verdict = yield* ask('verify_certificate', { verifier, peer });
  const accepted: unknown = verdict.accepted;
  if (typeof accepted !== 'boolean') throw new AlertError('internal_error', 'the verifier says neither yes nor no');
  return verdict;
}
