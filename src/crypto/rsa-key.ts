/**
 * RSA keys as numbers, with the limits and checks that every backend applies alike (RFC 8017 3).
 *
 * The one surprising thing: a private key is checked part by part. A CRT signature under one wrong part is a signature
 * that gives away a prime (Boneh, DeMillo, Lipton 1997).
 */
import { toHex } from '../bytes.js';
import { refusePrivateKey } from './arguments.js';
import type { PrivateKey, PublicKey } from './backend.js';

/** Verifying accepts the short keys of old roots; more bits than this are a peer's way to make us work. */
export const minimumRsaModulusBits = 1024;
export const maximumRsaModulusBits = 16384;
/** SP 800-131A: keys below 2048 bits may still verify old signatures but make no new ones. */
export const minimumRsaSigningModulusBits = 2048;
/** Verifying takes time in proportion to this; 65537 is what certificates have. */
export const maximumRsaExponentBits = 33;

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
export function rsaPublicNumbers(key: Extract<PublicKey, { kind: 'rsa' }>): RsaPublicNumbers | undefined {
  if (key.modulus.length > maximumRsaModulusBits / 8 || key.exponent.length > 8) return undefined;
  const n = toBigInt(key.modulus);
  const e = toBigInt(key.exponent);
  if (n % 2n === 0n || bitLength(n) < minimumRsaModulusBits) return undefined;
  if (e % 2n === 0n || e < 3n || bitLength(e) > maximumRsaExponentBits) return undefined;
  return { n, e };
}

/** The numbers of a private key whose parts fit each other; throws `UsageError` otherwise. */
export function rsaPrivateNumbers(key: Extract<PrivateKey, { kind: 'rsa' }>): RsaPrivateNumbers {
  const numbers = rsaPublicNumbers(key) ?? refusePrivateKey('RSA modulus or exponent outside the limits');
  const { n, e } = numbers;
  if (bitLength(n) < minimumRsaSigningModulusBits) {
    refusePrivateKey(`got an RSA modulus of ${bitLength(n)} bits, expected at least ${minimumRsaSigningModulusBits}`);
  }
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

export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** Big-endian bytes as an unsigned integer; none at all are zero. */
export function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}
