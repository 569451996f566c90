/**
 * Which signature schemes there are here, which keys they fit, and where they may sign (RFC 8446 4.2.3, RFC 8422 5.10).
 *
 * In TLS 1.2 an ECDSA scheme fixes the hash but not the curve, so any ECDSA key fits any ECDSA scheme.
 */
import type { PublicKey, SignatureAlgorithm, Signer } from '../crypto/backend.js';
import type { HandshakeVersion } from '../messages/handshake.js';

/** What is accepted from the peer unless the caller chooses, by IANA name, most preferred first. */
const usualAlgorithms = {
  ecdsa_secp256r1_sha256: { kind: 'ecdsa', hash: 'sha256' },
  ed25519: { kind: 'ed25519' },
  ecdsa_secp384r1_sha384: { kind: 'ecdsa', hash: 'sha384' },
  rsa_pss_rsae_sha256: { kind: 'rsa_pss', hash: 'sha256' },
  rsa_pss_pss_sha256: { kind: 'rsa_pss', hash: 'sha256' },
  rsa_pkcs1_sha256: { kind: 'rsa_pkcs1', hash: 'sha256' },
  rsa_pss_rsae_sha384: { kind: 'rsa_pss', hash: 'sha384' },
  rsa_pss_pss_sha384: { kind: 'rsa_pss', hash: 'sha384' },
  rsa_pkcs1_sha384: { kind: 'rsa_pkcs1', hash: 'sha384' },
  ecdsa_secp521r1_sha512: { kind: 'ecdsa', hash: 'sha512' },
  rsa_pss_rsae_sha512: { kind: 'rsa_pss', hash: 'sha512' },
  rsa_pss_pss_sha512: { kind: 'rsa_pss', hash: 'sha512' },
  rsa_pkcs1_sha512: { kind: 'rsa_pkcs1', hash: 'sha512' },
} as const satisfies Record<string, SignatureAlgorithm>;

/** Never signed with either, unless somebody names them (RFC 9155; draft-ietf-tls-tls13-pkcs1 3). */
const legacyAlgorithms = {
  rsa_pkcs1_sha256_legacy: { kind: 'rsa_pkcs1', hash: 'sha256' },
  rsa_pkcs1_sha384_legacy: { kind: 'rsa_pkcs1', hash: 'sha384' },
  rsa_pkcs1_sha512_legacy: { kind: 'rsa_pkcs1', hash: 'sha512' },
  rsa_pkcs1_sha1: { kind: 'rsa_pkcs1', hash: 'sha1' },
  ecdsa_sha1: { kind: 'ecdsa', hash: 'sha1' },
} as const satisfies Record<string, SignatureAlgorithm>;

/** Every scheme that this library verifies and signs with. */
export const signatureAlgorithms = {
  ...usualAlgorithms,
  mldsa44: { kind: 'mldsa', parameterSet: 'ML-DSA-44' },
  mldsa65: { kind: 'mldsa', parameterSet: 'ML-DSA-65' },
  mldsa87: { kind: 'mldsa', parameterSet: 'ML-DSA-87' },
  ...legacyAlgorithms,
} as const satisfies Record<string, SignatureAlgorithm>;

export type SignatureSchemeName = keyof typeof signatureAlgorithms;

export const allSignatureSchemes: readonly SignatureSchemeName[] =
  Object.keys(signatureAlgorithms).filter(isSignatureScheme);
export const usualSignatureSchemes: readonly SignatureSchemeName[] =
  Object.keys(usualAlgorithms).filter(isSignatureScheme);

export function isSignatureScheme(scheme: string | number): scheme is SignatureSchemeName {
  return typeof scheme === 'string' && Object.hasOwn(signatureAlgorithms, scheme);
}

/** Where a signature stands. */
export interface SignaturePlace {
  readonly version: HandshakeVersion;
  readonly signer: 'client' | 'server';
}

/** Whether a key can make signatures of this scheme, there. */
export function schemeFits(scheme: SignatureSchemeName, key: PublicKey, place: SignaturePlace): boolean {
  return schemeHasPlace(scheme, place) && keyFits(scheme, key, place.version);
}

/**
 * RFC 8446 4.2.3: in TLS 1.3 RSASSA-PKCS1-v1_5 and SHA-1 sign certificates alone, but for the clients of
 * draft-ietf-tls-tls13-pkcs1. draft-ietf-tls-mldsa 3: ML-DSA is of TLS 1.3.
 */
function schemeHasPlace(scheme: SignatureSchemeName, { version, signer }: SignaturePlace): boolean {
  if (scheme.endsWith('_legacy')) return version === 'TLSv1.3' && signer === 'client';
  if (version === 'TLSv1.2') return !scheme.startsWith('mldsa');
  return !scheme.startsWith('rsa_pkcs1') && scheme !== 'ecdsa_sha1';
}

function keyFits(scheme: SignatureSchemeName, key: PublicKey, version: HandshakeVersion): boolean {
  const algorithm: SignatureAlgorithm = signatureAlgorithms[scheme];
  switch (key.kind) {
    case 'rsa':
      if (scheme.startsWith('rsa_pss_pss')) return key.restriction === 'pss';
      return key.restriction === undefined && (algorithm.kind === 'rsa_pss' || algorithm.kind === 'rsa_pkcs1');
    case 'ecdsa':
      return algorithm.kind === 'ecdsa' && (version === 'TLSv1.2' || scheme.includes(key.curve));
    case 'mldsa':
      return algorithm.kind === 'mldsa' && algorithm.parameterSet === key.parameterSet;
    case 'ed25519':
      return algorithm.kind === 'ed25519';
  }
}

/** Whether a key can make signatures of this scheme anywhere. */
export function schemeIsOf(scheme: SignatureSchemeName, key: PublicKey): boolean {
  return places.some((place) => schemeFits(scheme, key, place));
}

const places: readonly SignaturePlace[] = [
  { version: 'TLSv1.2', signer: 'client' },
  { version: 'TLSv1.3', signer: 'client' },
];

/**
 * What may be told to a peer that has not signed yet: those that speak of certificates as well stay where they do not sign
 * (RFC 8446 4.2.3), the others go where they have no place.
 */
export function schemesToOffer(
  schemes: readonly SignatureSchemeName[],
  versions: readonly HandshakeVersion[],
  signer: SignaturePlace['signer'],
): readonly SignatureSchemeName[] {
  const ofTls13Alone = (scheme: string) => scheme.endsWith('_legacy') || scheme.startsWith('mldsa');
  const hasPlace = (scheme: SignatureSchemeName) =>
    versions.some((version) => schemeHasPlace(scheme, { version, signer }));
  return schemes.filter((scheme) => !ofTls13Alone(scheme) || hasPlace(scheme));
}

/** A key, and what it signs with. */
export interface SigningKey {
  readonly signer: Signer;
  /** Most preferred first. */
  readonly signatureSchemes?: readonly SignatureSchemeName[];
}

/** Our preference among the peer's schemes where there is one; else the first of the peer's that our key can do. */
export function chooseScheme(
  { signer, signatureSchemes: preference }: SigningKey,
  offered: readonly (string | number)[],
  place: SignaturePlace,
): SignatureSchemeName | undefined {
  const fits = (scheme: SignatureSchemeName) => schemeFits(scheme, signer.publicKey, place);
  if (preference !== undefined) return preference.find((scheme) => offered.includes(scheme) && fits(scheme));
  return offered.filter(isSignatureScheme).find((scheme) => !Object.hasOwn(legacyAlgorithms, scheme) && fits(scheme));
}
