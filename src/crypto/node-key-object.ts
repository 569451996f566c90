/**
 * Keys in raw parts to and from KeyObject.
 *
 * The one surprising thing: nothing here exports a JWK or reads `asymmetricKeyDetails`. Both hold the key's mutex while
 * they allocate, which can hang Node 20 if the key was generated in this process (see node-key-share.ts); DER does not.
 */
import { Buffer } from 'node:buffer';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { equal, fromHex } from '../bytes.js';
import type { EcdsaCurve, MlDsaParameterSet, PrivateKey, PublicKey } from './backend.js';
import { mlDsaParameterSets, mlDsaPrivateKeyInfo, mlDsaSubjectPublicKeyInfo, type MlDsaPrivateKey } from './ml-dsa.js';
import { plain, toBase64Url } from './node-buffer.js';
import { fieldLength, isUncompressedPoint, orUndefined, refusePrivateKey } from './refusals.js';
import { rsaPublicNumbers } from './rsa-key.js';

export const openSslCurves = { secp256r1: 'prime256v1', secp384r1: 'secp384r1', secp521r1: 'secp521r1' } as const;
const jwkCurves = { secp256r1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' } as const;

/**
 * The raw parts of a public key, or of the public half of a private key; `undefined` for kinds that `PublicKey` does not
 * have (a peer's certificate may hold any).
 */
export function publicKeyOf(key: KeyObject): PublicKey | undefined {
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const spki = subjectPublicKeyInfo(key);
      for (const curve of ['secp256r1', 'secp384r1', 'secp521r1'] as const) {
        const prefix = spkiOfPoint[curve];
        const point = spki.subarray(prefix.length);
        if (!equal(spki.subarray(0, prefix.length), prefix) || !isUncompressedPoint(curve, point)) continue;
        return { kind: 'ecdsa', curve, point };
      }
      return undefined;
    }
    case 'ed25519':
      return { kind: 'ed25519', key: okpPublicKey(key) };
    case 'rsa':
      return { kind: 'rsa', ...rsaPublicKey(subjectPublicKeyInfo(key)) };
    case 'rsa-pss':
      return { kind: 'rsa', ...rsaPublicKey(subjectPublicKeyInfo(key)), restriction: 'pss' };
    default:
      return mlDsaPublicKeyOf(key);
  }
}

/** The declared types of older versions know no such keys. An ML-DSA key is the last bytes of a SubjectPublicKeyInfo (RFC 9881 4). */
function mlDsaPublicKeyOf(key: KeyObject): PublicKey | undefined {
  const parameterSet = mlDsaKeyTypes.get(String(key.asymmetricKeyType));
  if (parameterSet === undefined) return undefined;
  const { publicKeyLength } = mlDsaParameterSets[parameterSet];
  return { kind: 'mldsa', parameterSet, key: subjectPublicKeyInfo(key).slice(-publicKeyLength) };
}

const mlDsaKeyTypes: ReadonlyMap<string, MlDsaParameterSet> = new Map([
  ['ml-dsa-44', 'ML-DSA-44'],
  ['ml-dsa-65', 'ML-DSA-65'],
  ['ml-dsa-87', 'ML-DSA-87'],
]);

/** What stands before the point in a SubjectPublicKeyInfo (RFC 5480 2). */
const spkiOfPoint = {
  secp256r1: fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200'),
  secp384r1: fromHex('3076301006072a8648ce3d020106052b81040022036200'),
  secp521r1: fromHex('30819b301006072a8648ce3d020106052b8104002303818600'),
} as const;

/** X25519 and Ed25519 keys are the last bytes of a SubjectPublicKeyInfo (RFC 8410 4). */
export function okpPublicKey(key: KeyObject): Uint8Array {
  return subjectPublicKeyInfo(key).slice(-32);
}

function subjectPublicKeyInfo(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return plain(publicKey.export({ format: 'der', type: 'spki' }));
}

/** SubjectPublicKeyInfo of RFC 5280 4.1.2.7 around RSAPublicKey of RFC 8017 A.1.1, as OpenSSL writes it. */
function rsaPublicKey(spki: Uint8Array): { modulus: Uint8Array; exponent: Uint8Array } {
  const algorithm = derValue(spki, derValue(spki, 0).start);
  const bitString = derValue(spki, algorithm.end);
  const modulus = derValue(spki, derValue(spki, bitString.start + 1).start);
  const exponent = derValue(spki, modulus.end);
  return { modulus: unsigned(spki, modulus), exponent: unsigned(spki, exponent) };
}

/** Where the value of the DER element at `at` stands. */
function derValue(der: Uint8Array, at: number): { start: number; end: number } {
  let start = at + 2;
  let length = der[at + 1] ?? 0;
  if (length >= 0x80) {
    const lengthEnd = start + (length & 0x7f);
    for (length = 0; start < lengthEnd; start++) length = length * 256 + (der[start] ?? 0);
  }
  return { start, end: start + length };
}

/** An INTEGER without the zero that keeps it positive. */
function unsigned(der: Uint8Array, { start, end }: { start: number; end: number }): Uint8Array {
  return der.slice(der[start] === 0 ? start + 1 : start, end);
}

/** `undefined` for a malformed key. */
export function importPublicKey(key: PublicKey): KeyObject | undefined {
  switch (key.kind) {
    case 'ecdsa':
      if (!isUncompressedPoint(key.curve, key.point)) return undefined;
      return orUndefined(() => fromJwk(ecJwk(key.curve, key.point)));
    case 'ed25519':
      return orUndefined(() => importOkpPublicKey('Ed25519', key.key));
    case 'rsa':
      if (rsaPublicNumbers(key) === undefined) return undefined;
      return orUndefined(() => fromJwk(rsaJwk(key.modulus, key.exponent)));
    case 'mldsa':
      return orUndefined(() =>
        createPublicKey({ key: Buffer.from(mlDsaSubjectPublicKeyInfo(key)), format: 'der', type: 'spki' }),
      );
  }
}

/** What stands before the secret in a PrivateKeyInfo (RFC 8410 7). */
const pkcs8OfSecret = {
  X25519: fromHex('302e020100300506032b656e04220420'),
  Ed25519: fromHex('302e020100300506032b657004220420'),
} as const;

export function importOkpPrivateKey(crv: 'X25519' | 'Ed25519', secret: Uint8Array): KeyObject {
  if (secret.length !== 32) refusePrivateKey(`an ${crv} secret has 32 bytes`);
  const der = Buffer.concat([pkcs8OfSecret[crv], secret]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

export function importEcPrivateKey({ curve, scalar, point }: Extract<PrivateKey, { kind: 'ecdsa' }>): KeyObject {
  return createPrivateKey({ key: { ...ecJwk(curve, point), d: toBase64Url(scalar) }, format: 'jwk' });
}

/** Throws whatever OpenSSL says of a key that it cannot use. */
export function importMlDsaPrivateKey(key: MlDsaPrivateKey): KeyObject {
  return createPrivateKey({ key: Buffer.from(mlDsaPrivateKeyInfo(key)), format: 'der', type: 'pkcs8' });
}

export function importRsaPrivateKey(key: Extract<PrivateKey, { kind: 'rsa' }>): KeyObject {
  const jwk = {
    ...rsaJwk(key.modulus, key.exponent),
    d: toBase64Url(key.privateExponent),
    p: toBase64Url(key.prime1),
    q: toBase64Url(key.prime2),
    dp: toBase64Url(key.exponent1),
    dq: toBase64Url(key.exponent2),
    qi: toBase64Url(key.coefficient),
  };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}

export function importOkpPublicKey(crv: 'X25519' | 'Ed25519', key: Uint8Array): KeyObject {
  return fromJwk({ kty: 'OKP', crv, x: toBase64Url(key) });
}

function ecJwk(curve: EcdsaCurve, point: Uint8Array): JsonWebKey {
  const half = 1 + fieldLength[curve];
  const [x, y] = [point.subarray(1, half), point.subarray(half)];
  return { kty: 'EC', crv: jwkCurves[curve], x: toBase64Url(x), y: toBase64Url(y) };
}

function rsaJwk(modulus: Uint8Array, exponent: Uint8Array): JsonWebKey {
  return { kty: 'RSA', n: toBase64Url(modulus), e: toBase64Url(exponent) };
}

/** JWK and not DER: importing a raw key this way takes 6 us instead of 72. */
function fromJwk(key: JsonWebKey): KeyObject {
  return createPublicKey({ key, format: 'jwk' });
}
