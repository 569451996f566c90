/**
 * RSA keys as numbers, with the limits and checks that every backend applies alike (RFC 8017 3).
 *
 * The one surprising thing: a private key is checked part by part. A CRT signature under one wrong part is a signature
 * that gives away a prime (Boneh, DeMillo, Lipton 1997).
 */
import { toHex } from '../bytes.js';
import { refusePrivateKey } from './refusals.js';
import type { PrivateKey, PublicKey, SignatureAlgorithm } from './backend.js';

/** Verifying accepts the short keys of old roots; more bits than this are a peer's way to make us work. */
export const minimumRsaModulusBits = 1024;
export const maximumRsaModulusBits = 16384;
/** SP 800-131A: keys below 2048 bits may still verify old signatures but make no new ones. */
export const minimumRsaSigningModulusBits = 2048;
/** Verifying takes time in proportion to this; 65537 is what certificates have. */
export const maximumRsaExponentBits = 33;

export type RsaPublicKey = Extract<PublicKey, { kind: 'rsa' }>;
export type RsaAlgorithm = Extract<SignatureAlgorithm, { kind: 'rsa_pss' | 'rsa_pkcs1' }>;

export interface RsaPublicNumbers {
  readonly n: bigint;
  readonly e: bigint;
}

export interface RsaPrivateNumbers extends RsaPublicNumbers {
  readonly d: bigint;
  /** Euler's phi of the modulus. */
  readonly phi: bigint;
}

/** The numbers of a public key, or `undefined` where it is outside the limits. */
export function rsaPublicNumbers(key: Pick<RsaPublicKey, 'modulus' | 'exponent'>): RsaPublicNumbers | undefined {
  if (key.modulus.length > maximumRsaModulusBits / 8 || key.exponent.length > 8) return undefined;
  const n = toBigInt(key.modulus);
  const e = toBigInt(key.exponent);
  if (n % 2n === 0n || bitLength(n) < minimumRsaModulusBits) return undefined;
  if (e % 2n === 0n || e < 3n || bitLength(e) > maximumRsaExponentBits) return undefined;
  return { n, e };
}

/** The public numbers of a key that may sign; throws `UsageError` for one that is too short or outside the limits. */
export function requireRsaSigningKey(key: Pick<RsaPublicKey, 'modulus' | 'exponent'>): RsaPublicNumbers {
  const numbers = rsaPublicNumbers(key) ?? refusePrivateKey('RSA modulus or exponent outside the limits');
  const bits = bitLength(numbers.n);
  if (bits < minimumRsaSigningModulusBits) {
    refusePrivateKey(`got an RSA modulus of ${bits} bits, expected at least ${minimumRsaSigningModulusBits}`);
  }
  return numbers;
}

/** The numbers of a private key whose parts fit each other; throws `UsageError` otherwise. */
export function rsaPrivateNumbers(key: Extract<PrivateKey, { kind: 'rsa' }>): RsaPrivateNumbers {
  const numbers = requireRsaSigningKey(key);
  const { n, e } = numbers;
  const d = toBigInt(key.privateExponent);
  const p = toBigInt(key.prime1);
  const q = toBigInt(key.prime2);
  const fits =
    p > 1n &&
    q > 1n &&
    p * q === n &&
    (e * d) % (p - 1n) === 1n &&
    (e * d) % (q - 1n) === 1n &&
    toBigInt(key.exponent1) === d % (p - 1n) &&
    toBigInt(key.exponent2) === d % (q - 1n) &&
    (toBigInt(key.coefficient) * q) % p === 1n;
  if (!fits) refusePrivateKey('the parts of the RSA key do not fit each other');
  return { ...numbers, d, phi: (p - 1n) * (q - 1n) };
}

/** The public key inside a private one. */
export function rsaPublicHalf({ modulus, exponent, restriction }: Extract<PrivateKey, { kind: 'rsa' }>): RsaPublicKey {
  return { kind: 'rsa', modulus, exponent, ...(restriction && { restriction }) };
}

/** A key restricted to PSS (RFC 4055 1.2) makes and verifies nothing else. */
export function rsaKeyFits(
  key: { readonly restriction?: 'pss' },
  algorithm: SignatureAlgorithm,
): algorithm is RsaAlgorithm {
  return algorithm.kind === 'rsa_pss' || (algorithm.kind === 'rsa_pkcs1' && key.restriction === undefined);
}

export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** Big-endian bytes as an unsigned integer; none at all are zero. */
export function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}
