/**
 * The noble backend with RSASSA-PSS and RSASSA-PKCS1-v1_5 (RFC 8017 8) of micro-rsa-dsa-dh, an optional peer dependency:
 * without it, importing this module fails with a `UsageError` (`missing_dependency`) that says what to install.
 *
 * The one surprising thing: signing here is for tests and small clients. The library computes with bigint, without CRT
 * (a 2048-bit signature takes tens of milliseconds) and without hiding its timing; the private exponent is blinded
 * afresh for each signature, which is all that its interface allows. A server with an RSA key takes `nodeCrypto` or a
 * `Signer` of its own.
 */
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { UsageError } from '../errors.js';
import { orUndefined, refuseMismatch, refusePrivateKey } from './refusals.js';
import type { CryptoBackend, PrivateKey, SignatureAlgorithm, Signer } from './backend.js';
import { nobleCrypto } from './noble.js';
import { pooledRandomBytes } from './random-pool.js';
import { bitLength, rsaKeyFits, rsaPrivateNumbers, rsaPublicHalf, rsaPublicNumbers, toBigInt } from './rsa-key.js';
import type { RsaAlgorithm, RsaPublicKey } from './rsa-key.js';

const { PKCS1_SHA1, PKCS1_SHA256, PKCS1_SHA384, PKCS1_SHA512, PSS, mgf1 } =
  await import('micro-rsa-dsa-dh/rsa.js').catch((cause: unknown) => {
    const message = 'tls-resume/crypto/noble-rsa needs one package more: npm install micro-rsa-dsa-dh';
    throw new UsageError('missing_dependency', message, { cause });
  });

/** `CryptoBackend` on the noble libraries and micro-rsa-dsa-dh. */
export const nobleCryptoWithRsa: CryptoBackend = {
  ...nobleCrypto,
  name: 'noble-rsa',
  capabilities: { ...nobleCrypto.capabilities, signatures: ['ecdsa', 'ed25519', 'rsa_pss', 'rsa_pkcs1'] },
  signer: (key) => (key.kind === 'rsa' ? rsaSigner(key) : nobleCrypto.signer(key)),
  verify: (algorithm, key, data, signature) =>
    key.kind === 'rsa'
      ? rsaVerify(algorithm, key, data, signature)
      : nobleCrypto.verify(algorithm, key, data, signature),
};

const pss = {
  sha256: PSS(sha256, mgf1(sha256), 32),
  sha384: PSS(sha384, mgf1(sha384), 48),
  sha512: PSS(sha512, mgf1(sha512), 64),
} as const;
const pkcs1 = { sha1: PKCS1_SHA1, sha256: PKCS1_SHA256, sha384: PKCS1_SHA384, sha512: PKCS1_SHA512 } as const;

function schemeOf(algorithm: RsaAlgorithm) {
  return algorithm.kind === 'rsa_pss' ? pss[algorithm.hash] : pkcs1[algorithm.hash];
}

/** Bits of the random multiple of phi that hides the private exponent (Kocher 1996). */
const exponentBlindingBytes = 8;

function rsaSigner(key: Extract<PrivateKey, { kind: 'rsa' }>): Signer {
  const { n, d, phi } = rsaPrivateNumbers(key);
  // The library writes a PSS signature as long as the encoded message, which is a byte short for such a modulus.
  if (bitLength(n) % 8 === 1) refusePrivateKey('an RSA modulus of 8k + 1 bits is not supported');
  return {
    publicKey: rsaPublicHalf(key),
    sign: (algorithm, data) => {
      if (!rsaKeyFits(key, algorithm)) refuseMismatch('rsa', algorithm);
      const blinded = d + toBigInt(pooledRandomBytes(exponentBlindingBytes)) * phi;
      return schemeOf(algorithm).sign({ n, d: blinded }, data);
    },
  };
}

function rsaVerify(algorithm: SignatureAlgorithm, key: RsaPublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  const numbers = rsaPublicNumbers(key);
  if (numbers === undefined || !rsaKeyFits(key, algorithm)) return false;
  // Throws at a modulus too short for the hash, and at a representative longer than an encoded message.
  return orUndefined(() => schemeOf(algorithm).verify(numbers, data, signature)) ?? false;
}
