/**
 * Every backend under test, with what the interface leaves out because only vectors need it: key shares whose secret key
 * is given.
 */
import { generateKeyPairSync, createPrivateKey } from 'node:crypto';
import { expect } from 'vitest';
import type { UsageErrorCode } from '../../src/errors.js';
import type { CryptoBackend, EcdheGroup, KeyShare, PrivateKey } from '../../src/crypto/backend.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nodeKeyShare } from '../../src/crypto/node-key-share.js';
import { nodeCrypto } from '../../src/crypto/node.js';

/** Every group, in the order of capabilities. */
export const mlKemGroups = [
  'X25519MLKEM768',
  'SecP256r1MLKEM768',
  'SecP384r1MLKEM1024',
  'MLKEM512',
  'MLKEM768',
  'MLKEM1024',
] as const;
export const curves = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'] as const;

export interface BackendUnderTest {
  readonly name: string;
  readonly crypto: CryptoBackend;
  readonly keyShare: (group: EcdheGroup, secretKey: Uint8Array) => KeyShare;
}

/** `nobleCryptoWithRsa` is `nobleCrypto` and RSA, function by function: it stands for both. */
export const noble: BackendUnderTest = { name: 'noble', crypto: nobleCryptoWithRsa, keyShare: nobleKeyShare };
export const node: BackendUnderTest = { name: 'node', crypto: nodeCrypto, keyShare: nodeKeyShare };
export const backends = [noble, node];

export type RsaPrivateKey = Extract<PrivateKey, { kind: 'rsa' }>;

/** A fresh RSA key in raw parts. Exporting it as JWK is safe: the key object comes from PEM, not from the generator. */
export function generateRsaKey(modulusLength: number): RsaPrivateKey {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { format: 'pem', type: 'spki' },
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  });
  const jwk = createPrivateKey(privateKey).export({ format: 'jwk' });
  const part = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  return {
    kind: 'rsa',
    modulus: part(jwk.n),
    exponent: part(jwk.e),
    privateExponent: part(jwk.d),
    prime1: part(jwk.p),
    prime2: part(jwk.q),
    exponent1: part(jwk.dp),
    exponent2: part(jwk.dq),
    coefficient: part(jwk.qi),
  };
}

export const bytes = (length: number, value = 1): Uint8Array => new Uint8Array(length).fill(value);

/** For `toThrow`: the package's own refusal and no other error. */
export const refusal = (code: UsageErrorCode): Error => expect.objectContaining({ name: 'UsageError', code }) as Error;

/** The value of a backend that answers at once. */
export function now<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('these backends answer at once');
  return value;
}
