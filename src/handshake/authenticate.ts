/**
 * Signatures of a handshake: which schemes fit which key (RFC 8446 4.2.3, RFC 8422 5.10), signing, verifying.
 *
 * In TLS 1.2 an ECDSA scheme fixes the hash but not the curve (RFC 8446 4.2.3), so any ECDSA key fits any ECDSA scheme.
 */
import type { PublicKey, SignatureAlgorithm } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { ask, type CertificateQuestion, type Handshake } from './needs.js';
import type { CertificateVerifier, ClientSettings, Credentials } from './settings.js';

/** Schemes that this library verifies and signs with, by IANA name, most preferred first. */
export const signatureAlgorithms = {
  ecdsa_secp256r1_sha256: { kind: 'ecdsa', hash: 'sha256' },
  ed25519: { kind: 'ed25519' },
  ecdsa_secp384r1_sha384: { kind: 'ecdsa', hash: 'sha384' },
  rsa_pss_rsae_sha256: { kind: 'rsa_pss', hash: 'sha256' },
  rsa_pss_pss_sha256: { kind: 'rsa_pss', hash: 'sha256' },
  rsa_pkcs1_sha256: { kind: 'rsa_pkcs1', hash: 'sha256' },
  rsa_pss_rsae_sha384: { kind: 'rsa_pss', hash: 'sha384' },
  rsa_pss_pss_sha384: { kind: 'rsa_pss', hash: 'sha384' },
  rsa_pkcs1_sha384: { kind: 'rsa_pkcs1', hash: 'sha384' },
  rsa_pss_rsae_sha512: { kind: 'rsa_pss', hash: 'sha512' },
  rsa_pss_pss_sha512: { kind: 'rsa_pss', hash: 'sha512' },
  rsa_pkcs1_sha512: { kind: 'rsa_pkcs1', hash: 'sha512' },
} as const satisfies Record<string, SignatureAlgorithm>;

export type SignatureSchemeName = keyof typeof signatureAlgorithms;

export function isSignatureScheme(scheme: string | number): scheme is SignatureSchemeName {
  return typeof scheme === 'string' && Object.hasOwn(signatureAlgorithms, scheme);
}

/** Whether a key can make signatures of this scheme. */
export function schemeFits(scheme: SignatureSchemeName, key: PublicKey): boolean {
  const { kind } = signatureAlgorithms[scheme];
  if (key.kind !== 'rsa') return kind === key.kind;
  if (scheme.startsWith('rsa_pss_pss')) return key.restriction === 'pss';
  return key.restriction === undefined && (kind === 'rsa_pss' || kind === 'rsa_pkcs1');
}

/** The first scheme of the peer's list that our key can do. */
export function chooseScheme(key: PublicKey, offered: readonly (string | number)[]): SignatureSchemeName | undefined {
  return offered.filter(isSignatureScheme).find((scheme) => schemeFits(scheme, key));
}

/** Signs with the key of `credentials`, whose scheme was chosen before. */
export function* sign(credentials: Credentials, scheme: SignatureSchemeName, data: Uint8Array): Handshake<Uint8Array> {
  return yield* ask('sign', { signer: credentials.signer, algorithm: signatureAlgorithms[scheme], data });
}

/** Verifies the peer's signature, whose scheme must be one that we told the peer. */
export function* verifySignature(
  { crypto, signatureSchemes: accepted }: Pick<ClientSettings, 'crypto' | 'signatureSchemes'>,
  publicKey: PublicKey,
  scheme: string | number,
  data: Uint8Array,
  signature: Uint8Array,
): Handshake<void> {
  if (!isSignatureScheme(scheme) || !accepted.includes(scheme))
    throw new AlertError('illegal_parameter', `got signature scheme ${String(scheme)}, which was not offered`);
  if (!schemeFits(scheme, publicKey))
    throw new AlertError('illegal_parameter', `got signature scheme ${scheme} from a key of kind ${publicKey.kind}`);
  const algorithm = signatureAlgorithms[scheme];
  if (!(yield* ask('verify_signature', { crypto, algorithm, publicKey, data, signature })))
    throw new AlertError('decrypt_error', `got a ${scheme} signature that does not verify`);
}

/** Asks the outside about a chain; its public key comes back only if the chain is accepted. */
export function* verifyCertificate(
  verifier: CertificateVerifier | undefined,
  peer: CertificateQuestion,
): Handshake<PublicKey> {
  if (verifier === undefined) throw new AlertError('internal_error', 'no certificate verifier is configured');
  const verdict = yield* ask('verify_certificate', { verifier, peer });
  if (!verdict.accepted) throw new AlertError(verdict.alert, `certificate refused: ${verdict.reason}`);
  return verdict.publicKey;
}
