/**
 * Signatures of the node backend: ECDSA (FIPS 186-5), Ed25519 (RFC 8032), RSA (RFC 8017) and, where the runtime has it, ML-DSA
 * (FIPS 204) by OpenSSL.
 *
 * The one surprising thing: ECDSA signatures differ each time, where noble's are deterministic.
 */
import { constants, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { equal } from '../bytes.js';
import { UsageError } from '../errors.js';
import type { PrivateKey, PublicKey, SignatureAlgorithm, Signer } from './backend.js';
import { isMlDsaSeed, mlDsaSeedLength, type MlDsaPrivateKey } from './ml-dsa.js';
import { plain } from './node-buffer.js';
import {
  importEcPrivateKey,
  importMlDsaPrivateKey,
  importOkpPrivateKey,
  importPublicKey,
  importRsaPrivateKey,
  okpPublicKey,
  publicKeyOf,
} from './node-key-object.js';
import { nodeKeyShare } from './node-key-share.js';
import { orUndefined, refuseMismatch, refuseMlDsa, refusePrivateKey } from './refusals.js';
import { requireRsaSigningKey, rsaKeyFits, rsaPrivateNumbers, rsaPublicHalf } from './rsa-key.js';

/** A `Signer` for a private key in raw parts; throws `UsageError` if the parts do not fit each other. */
export function nodeKeySigner(key: PrivateKey): Signer {
  switch (key.kind) {
    case 'ecdsa': {
      const { curve, scalar, point } = key;
      if (!equal(point, nodeKeyShare(curve, scalar).publicKey))
        refusePrivateKey('the public point does not belong to the scalar');
      return signer(importEcPrivateKey(key), { kind: 'ecdsa', curve, point });
    }
    case 'ed25519': {
      const privateKey = importOkpPrivateKey('Ed25519', key.seed);
      if (!equal(key.key, okpPublicKey(privateKey))) refusePrivateKey('the public key does not belong to the seed');
      return signer(privateKey, { kind: 'ed25519', key: key.key });
    }
    case 'rsa':
      rsaPrivateNumbers(key);
      return signer(importRsaPrivateKey(key), rsaPublicHalf(key));
    case 'mldsa':
      return mlDsaSigner(key);
  }
}

function mlDsaSigner(key: MlDsaPrivateKey): Signer {
  if (!nodeHasMlDsa) refuseMlDsa();
  isMlDsaSeed(key); // refuses by name what OpenSSL refuses without a word
  const privateKey =
    orUndefined(() => importMlDsaPrivateKey(key)) ?? refusePrivateKey(`it is no ${key.parameterSet} key`);
  const publicKey = publicKeyOf(privateKey);
  if (publicKey?.kind !== 'mldsa' || !equal(key.key, publicKey.key))
    refusePrivateKey(`the public key does not belong to the ${key.parameterSet} key`);
  return signer(privateKey, publicKey);
}

/** Node.js 24.6 and later on OpenSSL 3.5. A signature made when this module is loaded (1 ms) says it for certain. */
export const nodeHasMlDsa: boolean = detectMlDsa();

function detectMlDsa(): boolean {
  const detected = orUndefined(() => {
    const seed = new Uint8Array(mlDsaSeedLength);
    const key = importMlDsaPrivateKey({ kind: 'mldsa', parameterSet: 'ML-DSA-44', secretKey: seed, key: seed });
    return publicKeyOf(key)?.kind === 'mldsa' && verify(null, seed, createPublicKey(key), sign(null, seed, key));
  });
  return detected ?? false;
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
      `got a key of kind ${String(key.asymmetricKeyType)}, expected ec, ed25519, rsa or ml-dsa`,
    );
  }
  if (publicKey.kind === 'rsa') requireRsaSigningKey(publicKey);
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

export function nodeVerify(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.kind === 'mldsa' && !nodeHasMlDsa) refuseMlDsa();
  if (!fits(key, algorithm)) return false;
  let imported = imports.get(key);
  if (imported === undefined) {
    imported = importPublicKey(key);
    if (imported === undefined) return false;
    imports.set(key, imported);
  }
  const { hash, padding } = scheme(algorithm);
  return orUndefined(() => verify(hash, data, { key: imported, ...padding }, signature)) ?? false;
}

/** Importing costs more than verifying, and certificates of authorities verify again and again. */
const imports = new WeakMap<PublicKey, KeyObject>();

function fits(key: PublicKey, algorithm: SignatureAlgorithm): boolean {
  if (key.kind === 'rsa') return rsaKeyFits(key, algorithm);
  if (key.kind === 'mldsa') return algorithm.kind === 'mldsa' && algorithm.parameterSet === key.parameterSet;
  return key.kind === algorithm.kind;
}

/** How node:crypto says it. OpenSSL's MGF1 hash is the signature's unless told otherwise. */
function scheme(algorithm: SignatureAlgorithm): {
  hash: string | null;
  padding?: { padding: number; saltLength?: number };
} {
  switch (algorithm.kind) {
    case 'ed25519':
    case 'mldsa':
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
