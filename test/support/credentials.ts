/**
 * Keys and stand-ins for certificates. The core never looks into a certificate: here one is a text that names its public
 * key, and one verifier for all tests knows what key each stands for. The curve keys are constants and sign the same bytes
 * the same way each time, on whatever backend a connection runs, so that transcripts are the same in every run.
 */
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import type { EcdsaCurve, MaybePromise, MlDsaParameterSet, PublicKey, Signer } from '../../src/crypto/backend.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { withPostQuantum } from '../../src/crypto/noble-post-quantum.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeSigner } from '../../src/crypto/node.js';
import type { CertificateQuestion, CertificateVerdict } from '../../src/handshake/settings.js';
import type { Credentials } from '../../src/handshake/settings.js';
import { remembered } from './seeded.js';

const publicKeys = new Map<string, PublicKey>();

export const ecdsaP256 = ecdsaCredentials('server', 'secp256r1');
export const ecdsaP384 = ecdsaCredentials('server', 'secp384r1');
export const ecdsaP521 = ecdsaCredentials('server', 'secp521r1');
export const ed25519Credentials = makeEd25519();
export const clientCredentials = ecdsaCredentials('client', 'secp256r1');

let rsaMade: Credentials | undefined;
let rsaPssMade: Credentials | undefined;

/** Made once in a process: making an RSA key takes a while. */
export function rsaCredentials(): Credentials {
  return (rsaMade ??= makeRsa('rsa'));
}

/** A key whose certificate would say id-RSASSA-PSS. */
export function rsaPssCredentials(): Credentials {
  return (rsaPssMade ??= makeRsa('rsa-pss'));
}

/** Signed with by a backend that has ML-DSA, whatever backend a connection runs on. */
export function mlDsaCredentials(parameterSet: MlDsaParameterSet): Credentials {
  const mlDsa = { 'ML-DSA-44': ml_dsa44, 'ML-DSA-65': ml_dsa65, 'ML-DSA-87': ml_dsa87 }[parameterSet];
  const secretKey = secret(`server ${parameterSet}`, 32);
  const key = mlDsa.keygen(secretKey).publicKey;
  return credentialsOf(
    `server ${parameterSet}`,
    withPostQuantum(nobleCrypto).signer({ kind: 'mldsa', parameterSet, secretKey, key }),
  );
}

/** Accepts the stand-ins of this module and nothing else. */
export function trustingVerifier({
  certificates: [leaf],
}: Pick<CertificateQuestion, 'certificates'>): CertificateVerdict {
  const publicKey = leaf && publicKeys.get(toHex(leaf));
  return publicKey === undefined
    ? { accepted: false, alert: 'unknown_ca', reason: 'not made by these tests' }
    : { accepted: true, publicKey };
}

function ecdsaCredentials(owner: 'server' | 'client', curve: EcdsaCurve): Credentials {
  const scalar = secret(`${owner} ${curve}`, { secp256r1: 32, secp384r1: 48, secp521r1: 66 }[curve]);
  const point = nobleKeyShare(curve, scalar).publicKey;
  return credentialsOf(`${owner} ${curve}`, nobleCrypto.signer({ kind: 'ecdsa', curve, scalar, point }));
}

function makeEd25519(): Credentials {
  const seed = secret('server ed25519', 32);
  return credentialsOf(
    'server ed25519',
    nobleCrypto.signer({ kind: 'ed25519', seed, key: ed25519.getPublicKey(seed) }),
  );
}

function makeRsa(type: 'rsa' | 'rsa-pss'): Credentials {
  const options = {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  } as const;
  // The overloads take one literal each.
  const { privateKey } = type === 'rsa' ? generateKeyPairSync('rsa', options) : generateKeyPairSync('rsa-pss', options);
  return credentialsOf(
    `server ${type}`,
    nodeSigner(createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })),
  );
}

/** A chain of the leaf and an issuer that nobody looks at. */
function credentialsOf(name: string, signer: Signer): Credentials {
  const leaf = ascii(name);
  publicKeys.set(toHex(leaf), signer.publicKey);
  return { certificates: [leaf, fromHex('30030201ff')], signer: remembering(signer) };
}

/** A recorded flow has the same bytes signed hundreds of times. */
function remembering({ publicKey, sign }: Signer): Signer {
  const signatures = new Map<string, MaybePromise<Uint8Array>>();
  return {
    publicKey,
    sign: (algorithm, data) => remembered(signatures, [JSON.stringify(algorithm), data], () => sign(algorithm, data)),
  };
}

/** A private key that everybody may know. Its first byte keeps it below the order of any curve. */
function secret(name: string, length: number): Uint8Array {
  return new Uint8Array(createHash('shake256', { outputLength: length }).update(name).digest()).fill(1, 0, 1);
}
