/**
 * What every backend knows of ML-DSA (FIPS 204) keys: their lengths, and how they stand in DER (RFC 9881).
 *
 * The one surprising thing: a private key is a seed of 32 bytes, or what the seed expands to, which cannot be turned back.
 */
import { concat, fromHex } from '../bytes.js';
import type { MlDsaParameterSet, PrivateKey, PublicKey } from './backend.js';
import { refusePrivateKey } from './refusals.js';

export type MlDsaPublicKey = Extract<PublicKey, { kind: 'mldsa' }>;
export type MlDsaPrivateKey = Extract<PrivateKey, { kind: 'mldsa' }>;

export const mlDsaSeedLength = 32;

/** FIPS 204 table 2, in bytes; and the last number of the object identifier 2.16.840.1.101.3.4.3 (RFC 9881 2). */
export const mlDsaParameterSets = {
  'ML-DSA-44': { publicKeyLength: 1312, expandedKeyLength: 2560, identifier: 17 },
  'ML-DSA-65': { publicKeyLength: 1952, expandedKeyLength: 4032, identifier: 18 },
  'ML-DSA-87': { publicKeyLength: 2592, expandedKeyLength: 4896, identifier: 19 },
} as const satisfies Record<MlDsaParameterSet, object>;

/** Throws `UsageError` for a secret that is neither seed nor expanded key. */
export function isMlDsaSeed({ parameterSet, secretKey }: MlDsaPrivateKey): boolean {
  const { expandedKeyLength } = mlDsaParameterSets[parameterSet];
  if (secretKey.length === mlDsaSeedLength) return true;
  if (secretKey.length === expandedKeyLength) return false;
  return refusePrivateKey(`an ${parameterSet} key is a seed of 32 bytes, or expanded ${expandedKeyLength}`);
}

/** SubjectPublicKeyInfo (RFC 9881 4). */
export function mlDsaSubjectPublicKeyInfo({ parameterSet, key }: MlDsaPublicKey): Uint8Array {
  return der(0x30, algorithmIdentifier(parameterSet), der(0x03, Uint8Array.of(0), key));
}

/** PrivateKeyInfo (RFC 9881 6) with the seed alone, or the expanded key alone. Holds the secret. */
export function mlDsaPrivateKeyInfo(key: MlDsaPrivateKey): Uint8Array {
  const choice = der(isMlDsaSeed(key) ? 0x80 : 0x04, key.secretKey);
  return der(0x30, fromHex('020100'), algorithmIdentifier(key.parameterSet), der(0x04, choice));
}

function algorithmIdentifier(parameterSet: MlDsaParameterSet): Uint8Array {
  const { identifier } = mlDsaParameterSets[parameterSet];
  return der(0x30, der(0x06, fromHex('608648016503040300').fill(identifier, -1)));
}

/** One value of fewer than 65536 bytes (X.690 8.1). */
function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const more = length < 0x80 ? [] : length < 0x100 ? [0x81] : [0x82, length >> 8];
  return concat(Uint8Array.of(tag, ...more, length & 0xff), ...content);
}
