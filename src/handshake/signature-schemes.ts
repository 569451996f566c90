/**
 * Which signature schemes there are here and which keys they fit (RFC 8446 4.2.3, RFC 8422 5.10).
 *
 * In TLS 1.2 an ECDSA scheme fixes the hash but not the curve, so any ECDSA key fits any ECDSA scheme.
 */
import type { PublicKey, SignatureAlgorithm } from '../crypto/backend.js';

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

/** RFC 8446 4.2.3: TLS 1.3 ties ECDSA schemes to their curve, and RSASSA-PKCS1-v1_5 signs certificates alone. */
export function schemeFitsTls13(scheme: SignatureSchemeName, key: PublicKey): boolean {
  if (scheme.startsWith('rsa_pkcs1')) return false;
  return schemeFits(scheme, key) && (key.kind !== 'ecdsa' || scheme.includes(key.curve));
}

/** The first scheme of the peer's list that our key can do. */
export function chooseScheme(
  key: PublicKey,
  offered: readonly (string | number)[],
  fits = schemeFits,
): SignatureSchemeName | undefined {
  return offered.filter(isSignatureScheme).find((scheme) => fits(scheme, key));
}
