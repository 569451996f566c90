/**
 * X25519 (RFC 7748), ECDH and ECDSA on P-256, P-384 and P-521 (FIPS 186-5), Ed25519 (RFC 8032) on @noble/curves.
 *
 * ECDSA signs deterministically (RFC 6979) under the hash that the algorithm names. The one surprising thing: noble
 * accepts compressed points and prefers low S, as blockchains do; TLS sends uncompressed points only (RFC 8446 4.2.8.2)
 * and any S, so points are checked for their form here and the low-S rule is off.
 */
import { ecdsa } from '@noble/curves/abstract/weierstrass.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { equal, wipe } from '../bytes.js';
import { isUncompressedPoint, orUndefined, refuseDestroyed, refuseMismatch, refusePrivateKey } from './refusals.js';
import type {
  EcdheGroup,
  EcdsaCurve,
  KeyShare,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
  SignatureHash,
  Signer,
} from './backend.js';

const nistCurves = { secp256r1: p256, secp384r1: p384, secp521r1: p521 } as const;

/** A fresh key pair, or the pair of a given `secretKey`: 32 bytes for x25519, else a scalar as long as the field; it is taken over. */
export function nobleKeyShare(group: EcdheGroup, secretKey?: Uint8Array): KeyShare {
  return group === 'x25519' ? x25519Share(secretKey) : nistShare(group, secretKey);
}

function x25519Share(secretKey: Uint8Array = x25519.utils.randomSecretKey()): KeyShare {
  const publicKey =
    orUndefined(() => x25519.getPublicKey(secretKey)) ?? refusePrivateKey('an x25519 secret has 32 bytes');
  return keyShareOf(secretKey, publicKey, (peer) => x25519.getSharedSecret(secretKey, peer));
}

function nistShare(group: EcdsaCurve, secretKey: Uint8Array = nistCurves[group].utils.randomSecretKey()): KeyShare {
  const curve = nistCurves[group];
  const publicKey =
    orUndefined(() => curve.getPublicKey(secretKey, false)) ?? refusePrivateKey(`not a scalar of ${group}`);
  return keyShareOf(secretKey, publicKey, (peer) =>
    // A compressed point is a sign byte and the X coordinate.
    isUncompressedPoint(group, peer) ? curve.getSharedSecret(secretKey, peer, true).slice(1) : undefined,
  );
}

function keyShareOf(
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  agree: (peer: Uint8Array) => Uint8Array | undefined,
): KeyShare {
  let destroyed = false;
  return {
    publicKey,
    agree: (peer) => (destroyed ? refuseDestroyed() : orUndefined(() => agree(peer))),
    destroy: () => {
      destroyed = true;
      wipe(secretKey);
    },
  };
}

export function nobleCurveSigner(key: Extract<PrivateKey, { kind: 'ecdsa' | 'ed25519' }>): Signer {
  return key.kind === 'ecdsa' ? ecdsaSigner(key) : ed25519Signer(key);
}

function ecdsaSigner(key: Extract<PrivateKey, { kind: 'ecdsa' }>): Signer {
  const { curve, scalar, point } = key;
  if (!equal(point, nistShare(curve, scalar).publicKey))
    refusePrivateKey('the public point does not belong to the scalar');
  return {
    publicKey: { kind: 'ecdsa', curve, point },
    sign: (algorithm, data) => {
      if (algorithm.kind !== 'ecdsa') refuseMismatch('ecdsa', algorithm);
      return ecdsaOver(curve, algorithm.hash).sign(data, scalar, { format: 'der' });
    },
  };
}

function ed25519Signer({ seed, key }: Extract<PrivateKey, { kind: 'ed25519' }>): Signer {
  if (seed.length !== 32) refusePrivateKey('an ed25519 seed has 32 bytes');
  if (!equal(key, ed25519.getPublicKey(seed))) refusePrivateKey('the public key does not belong to the seed');
  return {
    publicKey: { kind: 'ed25519', key },
    sign: (algorithm, data) => {
      if (algorithm.kind !== 'ed25519') refuseMismatch('ed25519', algorithm);
      return ed25519.sign(data, seed);
    },
  };
}

export function nobleCurveVerify(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (algorithm.kind === 'ecdsa' && key.kind === 'ecdsa') {
    if (!isUncompressedPoint(key.curve, key.point)) return false;
    const { verify } = ecdsaOver(key.curve, algorithm.hash);
    return orUndefined(() => verify(signature, data, key.point, { format: 'der' })) ?? false;
  }
  if (algorithm.kind === 'ed25519' && key.kind === 'ed25519') {
    // zip215 would accept points that RFC 8032 5.1.3 does not decode.
    return orUndefined(() => ed25519.verify(signature, data, key.key, { zip215: false })) ?? false;
  }
  return false;
}

const signatureHashes = { sha1, sha256, sha384, sha512 } as const;
const made = new Map<string, ReturnType<typeof ecdsa>>();

/** RFC 6979 draws k with the hash of the message: TLS 1.2 may pair any hash with any curve. */
function ecdsaOver(curve: EcdsaCurve, hash: SignatureHash): ReturnType<typeof ecdsa> {
  const name = `${curve} ${hash}`;
  const scheme = made.get(name) ?? ecdsa(nistCurves[curve].Point, signatureHashes[hash], { lowS: false });
  made.set(name, scheme);
  return scheme;
}
