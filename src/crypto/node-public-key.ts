/**
 * Key shares, signers and verification of the node backend: RFC 7748, FIPS 186-5, RFC 8032 and RFC 8017 by OpenSSL.
 *
 * The one surprising thing: a key of `generateKeyPairSync` is never exported as a JWK. On Node 20 that export holds the
 * key's mutex while it allocates; a garbage collection in there may finalise the job that generated the key, which wants
 * the same mutex, and the process hangs for good. X25519 shares ask for the JWK at generation instead, and keys that
 * come from outside are exported as DER, which takes no mutex.
 */
import { Buffer } from 'node:buffer';
import {
  constants,
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { equal, fromHex } from '../bytes.js';
import { UsageError } from '../errors.js';
import { refuseMismatch, refusePrivateKey } from './arguments.js';
import type {
  EcdsaCurve,
  KeyExchangeGroup,
  KeyShare,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
  Signer,
} from './backend.js';
import { rsaPrivateNumbers, rsaPublicNumbers } from './rsa-key.js';

/** Names of a curve: OpenSSL's, JWK's, and how long a coordinate is. */
const nistCurves = {
  secp256r1: { openssl: 'prime256v1', jwk: 'P-256', fieldLength: 32 },
  secp384r1: { openssl: 'secp384r1', jwk: 'P-384', fieldLength: 48 },
} as const;

/** A fresh key pair, or the pair of a given `secretKey`: 32 bytes for x25519, else a scalar as long as the field. */
export function nodeKeyShare(group: KeyExchangeGroup, secretKey?: Uint8Array): KeyShare {
  if (group !== 'x25519') return nistShare(group, secretKey);
  return secretKey === undefined ? freshX25519Share() : x25519Share(okpPrivateKey('X25519', secretKey));
}

function freshX25519Share(): KeyShare {
  // The declared types know no JWK; the option is documented and `publicKey` is a plain object then.
  const options = { publicKeyEncoding: { format: 'jwk' } };
  const pair: { publicKey: unknown; privateKey: KeyObject } = generateKeyPairSync('x25519', options);
  const { publicKey, privateKey } = pair;
  if (typeof publicKey !== 'object' || publicKey === null || !('x' in publicKey) || typeof publicKey.x !== 'string') {
    throw new UsageError('unsupported_by_backend', 'this runtime makes no JWK of an X25519 key');
  }
  return x25519Share(privateKey, fromBase64Url(publicKey.x));
}

function x25519Share(privateKey: KeyObject, publicKey = rawPublicKey(privateKey, 32)): KeyShare {
  return {
    publicKey,
    agree: (peer) => {
      if (peer.length !== 32) return undefined;
      // OpenSSL refuses the all-zero output (RFC 7748 6.1).
      return orUndefined(() =>
        plain(diffieHellman({ privateKey, publicKey: fromJwk({ kty: 'OKP', crv: 'X25519', x: toBase64Url(peer) }) })),
      );
    },
  };
}

/** The `ECDH` class: half the price of key objects on Node 20. */
function nistShare(group: EcdsaCurve, secretKey?: Uint8Array): KeyShare {
  const ecdh = createECDH(nistCurves[group].openssl);
  if (secretKey === undefined) ecdh.generateKeys();
  else if (secretKey.length === nistCurves[group].fieldLength) ecdh.setPrivateKey(secretKey);
  else refusePrivateKey(`got ${secretKey.length} bytes, expected a scalar of ${group}`);
  return {
    publicKey: plain(ecdh.getPublicKey()),
    agree: (peer) =>
      isUncompressedPoint(group, peer) ? orUndefined(() => plain(ecdh.computeSecret(peer))) : undefined,
  };
}

/** OpenSSL throws at keys that are malformed, off the curve, or lead to zero; a peer may send all of them. */
function orUndefined<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}

/** OpenSSL would take compressed and hybrid points, which TLS does not (RFC 8446 4.2.8.2). */
function isUncompressedPoint(curve: EcdsaCurve, point: Uint8Array): boolean {
  return point.length === 1 + 2 * nistCurves[curve].fieldLength && point[0] === 4;
}

/** A `Signer` for a private key in raw parts; throws `UsageError` if the parts do not fit each other. */
export function nodeKeySigner(key: PrivateKey): Signer {
  switch (key.kind) {
    case 'ecdsa': {
      const { curve, scalar, point } = key;
      const share = orUndefined(() => nistShare(curve, scalar)) ?? refusePrivateKey(`not a scalar of ${curve}`);
      if (!equal(point, share.publicKey)) refusePrivateKey('the public point does not belong to the scalar');
      const d = toBase64Url(scalar);
      const privateKey = createPrivateKey({ key: { ...ecJwk(curve, point), d }, format: 'jwk' });
      return signer(privateKey, { kind: 'ecdsa', curve, point });
    }
    case 'ed25519': {
      if (key.seed.length !== 32) refusePrivateKey('an ed25519 seed has 32 bytes');
      const privateKey = okpPrivateKey('Ed25519', key.seed);
      if (!equal(key.key, rawPublicKey(privateKey, 32))) refusePrivateKey('the public key does not belong to the seed');
      return signer(privateKey, { kind: 'ed25519', key: key.key });
    }
    case 'rsa': {
      rsaPrivateNumbers(key);
      const { modulus, exponent, restriction } = key;
      const jwk = {
        ...rsaJwk(modulus, exponent),
        d: toBase64Url(key.privateExponent),
        p: toBase64Url(key.prime1),
        q: toBase64Url(key.prime2),
        dp: toBase64Url(key.exponent1),
        dq: toBase64Url(key.exponent2),
        qi: toBase64Url(key.coefficient),
      };
      const publicKey: PublicKey = { kind: 'rsa', modulus, exponent, ...(restriction && { restriction }) };
      return signer(createPrivateKey({ key: jwk, format: 'jwk' }), publicKey);
    }
  }
}

/**
 * A `Signer` for a key object, as `createPrivateKey` makes it from PEM or DER.
 * Throws `UsageError` for a public or secret key and for kinds that TLS here has no use for.
 */
export function nodeSigner(key: KeyObject): Signer {
  if (key.type !== 'private') throw new UsageError('invalid_key', `got a ${key.type} key, expected a private key`);
  const publicKey = publicKeyOf(key);
  if (publicKey === undefined) {
    throw new UsageError(
      'invalid_key',
      `got a key of kind ${String(key.asymmetricKeyType)}, expected ec, ed25519 or rsa`,
    );
  }
  return signer(key, publicKey);
}

function signer(privateKey: KeyObject, publicKey: PublicKey): Signer {
  return {
    publicKey,
    sign: (algorithm, data) => {
      if (!fits(publicKey, algorithm)) refuseMismatch(publicKey.kind, algorithm);
      const { hash, padding } = scheme(algorithm);
      return plain(sign(hash, data, { key: privateKey, ...padding }));
    },
  };
}

/**
 * The raw parts of a public key, or of the public half of a private key; `undefined` for kinds that `PublicKey` does not
 * have (a peer's certificate may hold any).
 */
export function publicKeyOf(key: KeyObject): PublicKey | undefined {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  if (kind === 'ed25519') return { kind: 'ed25519', key: rawPublicKey(key, 32) };
  if (kind === 'ec') {
    for (const curve of ['secp256r1', 'secp384r1'] as const) {
      if (details?.namedCurve !== nistCurves[curve].openssl) continue;
      const point = rawPublicKey(key, 1 + 2 * nistCurves[curve].fieldLength);
      return isUncompressedPoint(curve, point) ? { kind: 'ecdsa', curve, point } : undefined;
    }
  }
  if ((kind === 'rsa' || kind === 'rsa-pss') && details?.modulusLength && details.publicExponent) {
    const hex = details.publicExponent.toString(16);
    const exponent = fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
    // RSAPublicKey (RFC 8017 A.1.1) ends with INTEGER modulus, INTEGER exponent; a set top bit costs a zero byte.
    const exponentTlvLength = 2 + exponent.length + ((exponent[0] ?? 0) >> 7);
    const modulusLength = Math.ceil(details.modulusLength / 8);
    const modulus = rawPublicKey(key, modulusLength + exponentTlvLength).slice(0, modulusLength);
    return { kind: 'rsa', modulus, exponent, ...(kind === 'rsa-pss' && { restriction: 'pss' }) };
  }
  return undefined;
}

/** The last bytes of a SubjectPublicKeyInfo, which are the raw key for everything but RSA. */
function rawPublicKey(key: KeyObject, length: number): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return new Uint8Array(spki.subarray(-length));
}

export function nodeVerify(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!fits(key, algorithm)) return false;
  const imported = imports.get(key) ?? importPublicKey(key);
  if (imported === undefined) return false;
  imports.set(key, imported);
  const { hash, padding } = scheme(algorithm);
  return orUndefined(() => verify(hash, data, { key: imported, ...padding }, signature)) ?? false;
}

/** Importing costs more than verifying, and certificates of authorities verify again and again. */
const imports = new WeakMap<PublicKey, KeyObject>();

function importPublicKey(key: PublicKey): KeyObject | undefined {
  switch (key.kind) {
    case 'ecdsa':
      if (!isUncompressedPoint(key.curve, key.point)) return undefined;
      return orUndefined(() => fromJwk(ecJwk(key.curve, key.point)));
    case 'ed25519':
      return orUndefined(() => fromJwk({ kty: 'OKP', crv: 'Ed25519', x: toBase64Url(key.key) }));
    case 'rsa':
      if (rsaPublicNumbers(key) === undefined) return undefined;
      return orUndefined(() => fromJwk(rsaJwk(key.modulus, key.exponent)));
  }
}

/** A key restricted to PSS (RFC 4055 1.2) makes and verifies nothing else. */
function fits(key: PublicKey, algorithm: SignatureAlgorithm): boolean {
  if (key.kind !== 'rsa') return key.kind === algorithm.kind;
  return algorithm.kind === 'rsa_pss' || (algorithm.kind === 'rsa_pkcs1' && key.restriction === undefined);
}

/** How node:crypto says it. OpenSSL's MGF1 hash is the signature's unless told otherwise. */
function scheme(algorithm: SignatureAlgorithm): {
  hash: string | null;
  padding?: { padding: number; saltLength?: number };
} {
  switch (algorithm.kind) {
    case 'ed25519':
      return { hash: null };
    case 'ecdsa':
      return { hash: algorithm.hash };
    case 'rsa_pkcs1':
      return { hash: algorithm.hash, padding: { padding: constants.RSA_PKCS1_PADDING } };
    case 'rsa_pss':
      return {
        hash: algorithm.hash,
        padding: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
      };
  }
}

function okpPrivateKey(crv: 'X25519' | 'Ed25519', secret: Uint8Array): KeyObject {
  // Node wants an x and does not look at it: OpenSSL derives the public key from d.
  return createPrivateKey({ key: { kty: 'OKP', crv, d: toBase64Url(secret), x: '' }, format: 'jwk' });
}

function ecJwk(curve: EcdsaCurve, point: Uint8Array): JsonWebKey {
  const { jwk, fieldLength } = nistCurves[curve];
  const x = toBase64Url(point.subarray(1, 1 + fieldLength));
  return { kty: 'EC', crv: jwk, x, y: toBase64Url(point.subarray(1 + fieldLength)) };
}

function rsaJwk(modulus: Uint8Array, exponent: Uint8Array): JsonWebKey {
  return { kty: 'RSA', n: toBase64Url(modulus), e: toBase64Url(exponent) };
}

/** JWK and not DER: importing a raw key this way takes 6 us instead of 72. */
function fromJwk(key: JsonWebKey): KeyObject {
  return createPublicKey({ key, format: 'jwk' });
}

function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

function fromBase64Url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}

/** The same bytes without Buffer's methods: a Buffer's `slice` shares memory where a Uint8Array's copies. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
