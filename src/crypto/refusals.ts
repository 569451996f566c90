/**
 * Refusals that every backend makes alike. A wrong length is the caller's mistake and throws a `UsageError` before any
 * library sees it. What comes from a peer (public keys, signatures) never throws: the libraries do, and `orUndefined`
 * turns that into an answer.
 */
import { UsageError } from '../errors.js';
import { aeadKeyLength, aeadNonceLength, aeadTagLength } from './backend.js';
import type {
  AeadAlgorithm,
  EcdheGroup,
  EcdsaCurve,
  KeyExchangeGroup,
  MlKemGroup,
  PrivateKey,
  SignatureAlgorithm,
} from './backend.js';

export const aesBlockLength = 16;

export function requireAeadKey(algorithm: AeadAlgorithm, key: Uint8Array): void {
  const expected = aeadKeyLength[algorithm];
  if (key.length !== expected) {
    throw new UsageError('invalid_key', `${algorithm}: got a key of ${key.length} bytes, expected ${expected}`);
  }
}

export function requireNonce(nonce: Uint8Array, length = aeadNonceLength): void {
  if (nonce.length !== length) {
    throw new UsageError('invalid_option', `AEAD: got a nonce of ${nonce.length} bytes, expected ${length}`);
  }
}

/** The first `plaintext.length + 16` bytes of `output`. */
export function requireSealSpace(plaintext: Uint8Array, output: Uint8Array): Uint8Array {
  const length = plaintext.length + aeadTagLength;
  if (output.length < length) {
    throw new UsageError('invalid_option', `AEAD: got room for ${output.length} bytes, expected ${length}`);
  }
  return output.subarray(0, length);
}

/** AES-128 and AES-256: TLS has no AES-192. */
export function requireCbcKey(key: Uint8Array): void {
  if (key.length !== 16 && key.length !== 32) {
    throw new UsageError('invalid_key', `AES-CBC: got a key of ${key.length} bytes, expected 16 or 32`);
  }
}

export function requireCbcInput(iv: Uint8Array, blocks: Uint8Array): void {
  if (iv.length !== aesBlockLength) {
    throw new UsageError('invalid_option', `AES-CBC: got an IV of ${iv.length} bytes, expected ${aesBlockLength}`);
  }
  if (blocks.length === 0 || blocks.length % aesBlockLength !== 0) {
    throw new UsageError('invalid_option', `AES-CBC: got ${blocks.length} bytes, expected whole blocks of 16`);
  }
}

/** A destroyed key holds zeros, and work done under zeros would look like success. */
export function refuseDestroyed(): never {
  throw new UsageError('invalid_key', 'this key was destroyed');
}

export function refuseMismatch(key: PrivateKey['kind'], algorithm: SignatureAlgorithm): never {
  throw new UsageError('invalid_key', `got an ${key} key, expected one that signs ${algorithm.kind}`);
}

export function refusePrivateKey(reason: string): never {
  throw new UsageError('invalid_key', `private key: ${reason}`);
}

/** The groups that every backend has. */
export function requireEcdhe(group: KeyExchangeGroup): EcdheGroup {
  if (!isMlKemGroup(group)) return group;
  throw new UsageError(
    'unsupported_by_backend',
    `this backend has no ${group}: see tls-resume/crypto/noble-post-quantum`,
  );
}

/** Groups with ML-KEM are told by their names, and the side that answers them has no key pair. */
export function isMlKemGroup(group: KeyExchangeGroup): group is MlKemGroup {
  return group.includes('MLKEM');
}

export function refuseMlDsa(): never {
  throw new UsageError(
    'unsupported_by_backend',
    'this backend has no ML-DSA: see tls-resume/crypto/noble-post-quantum',
  );
}

export const fieldLength = { secp256r1: 32, secp384r1: 48, secp521r1: 66 } as const satisfies Record<
  EcdsaCurve,
  number
>;

/** The only form that TLS has (RFC 8446 4.2.8.2); both libraries would take others. Says nothing of X and Y. */
export function isUncompressedPoint(curve: EcdsaCurve, point: Uint8Array): boolean {
  return point.length === 1 + 2 * fieldLength[curve] && point[0] === 4;
}

/** For work on a peer's bytes: what a library throws at malformed keys, foreign points or wrong signatures is no error. */
export function orUndefined<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}
