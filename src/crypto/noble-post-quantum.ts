/**
 * ML-KEM (FIPS 203) and ML-DSA (FIPS 204) for any backend, of @noble/post-quantum, an optional peer dependency: without it,
 * importing this module fails with a `UsageError` (`missing_dependency`) that says what to install.
 *
 * The one surprising thing: `nodeCrypto` needs none of this where Node.js has both itself (24.7 and later), and is answered
 * unchanged then.
 */
import { equal, wipe } from '../bytes.js';
import { UsageError } from '../errors.js';
import type { CryptoBackend, MlDsaParameterSet, SignatureAlgorithm, Signer } from './backend.js';
import { isMlDsaSeed, type MlDsaPrivateKey, type MlDsaPublicKey } from './ml-dsa.js';
import { withMlKem, type MlKem, type MlKemParameterSet } from './ml-kem-groups.js';
import { orUndefined, refuseMismatch, refusePrivateKey } from './refusals.js';

const [{ ml_kem512, ml_kem768, ml_kem1024 }, { ml_dsa44, ml_dsa65, ml_dsa87 }] = await Promise.all([
  import('@noble/post-quantum/ml-kem.js'),
  import('@noble/post-quantum/ml-dsa.js'),
]).catch((cause: unknown) => {
  const message = 'tls-resume/crypto/noble-post-quantum needs one package more: npm install @noble/post-quantum';
  throw new UsageError('missing_dependency', message, { cause });
});

const mlKems = { 'ML-KEM-512': ml_kem512, 'ML-KEM-768': ml_kem768, 'ML-KEM-1024': ml_kem1024 } as const;
const mlDsas = { 'ML-DSA-44': ml_dsa44, 'ML-DSA-65': ml_dsa65, 'ML-DSA-87': ml_dsa87 } as const;

type RandomBytes = CryptoBackend['randomBytes'];

/**
 * The backend with the groups that have ML-KEM, X25519MLKEM768 first, and with ML-DSA signatures, as far as it lacks them.
 * Elliptic curves and all randomness stay the backend's own. Throws `UsageError` if it has no X25519.
 *
 * @example
 * const crypto = withPostQuantum(nobleCrypto);
 */
export function withPostQuantum(backend: CryptoBackend): CryptoBackend {
  const randomBytes: RandomBytes = (length) => backend.randomBytes(length);
  return withMlDsa(
    withMlKem(backend, {
      'ML-KEM-512': nobleMlKem('ML-KEM-512', randomBytes),
      'ML-KEM-768': nobleMlKem('ML-KEM-768', randomBytes),
      'ML-KEM-1024': nobleMlKem('ML-KEM-1024', randomBytes),
    }),
    randomBytes,
  );
}

/** FIPS 203 7.1 and 7.2: what a key pair (d and z) and an encapsulation (m) draw, in bytes. */
const seedLength = 64;
const messageLength = 32;

function nobleMlKem(parameterSet: MlKemParameterSet, randomBytes: RandomBytes): MlKem {
  const mlKem = mlKems[parameterSet];
  return {
    generateKeyPair: () => {
      const seed = randomBytes(seedLength);
      const { publicKey, secretKey } = mlKem.keygen(seed);
      wipe(seed);
      return {
        encapsulationKey: publicKey,
        decapsulate: (ciphertext) => mlKem.decapsulate(ciphertext, secretKey),
        destroy: () => wipe(secretKey),
      };
    },
    encapsulate: (encapsulationKey) => {
      const message = randomBytes(messageLength);
      const encapsulation = orUndefined(() => mlKem.encapsulate(encapsulationKey, message));
      wipe(message);
      return encapsulation && { ciphertext: encapsulation.cipherText, sharedSecret: encapsulation.sharedSecret };
    },
  };
}

function withMlDsa(backend: CryptoBackend, randomBytes: RandomBytes): CryptoBackend {
  const { capabilities } = backend;
  if (capabilities.signatures.includes('mldsa')) return backend;
  return {
    ...backend,
    capabilities: { ...capabilities, signatures: [...capabilities.signatures, 'mldsa'] },
    signer: (key) => (key.kind === 'mldsa' ? mlDsaSigner(key, randomBytes) : backend.signer(key)),
    verify: (algorithm, key, data, signature) =>
      key.kind === 'mldsa'
        ? mlDsaVerify(algorithm, key, data, signature)
        : backend.verify(algorithm, key, data, signature),
  };
}

/** FIPS 204 5.2: rnd, which hedges a signature against faults and side channels. */
const signatureRandomLength = 32;

function mlDsaSigner(privateKey: MlDsaPrivateKey, randomBytes: RandomBytes): Signer {
  const { parameterSet, key } = privateKey;
  const mlDsa = mlDsas[parameterSet];
  const seeded = isMlDsaSeed(privateKey);
  const secretKey = seeded ? mlDsa.keygen(privateKey.secretKey).secretKey : privateKey.secretKey;
  const publicKey: MlDsaPublicKey = { kind: 'mldsa', parameterSet, key };
  const sign = (data: Uint8Array) => mlDsa.sign(data, secretKey, { extraEntropy: randomBytes(signatureRandomLength) });
  const fits = orUndefined(() => equal(key, mlDsa.getPublicKey(secretKey)));
  if (fits !== true) refusePrivateKey(`the public key does not belong to the ${parameterSet} key`);
  // Parts of an expanded key that the public key does not depend on: one of them wrong, no signature is right.
  if (!seeded && orUndefined(() => mlDsa.verify(sign(key), key, key)) !== true)
    refusePrivateKey(`the parts of the ${parameterSet} key do not fit each other`);
  return {
    publicKey,
    sign: (algorithm, data) => {
      if (!mlDsaFits(algorithm, parameterSet)) refuseMismatch('mldsa', algorithm);
      return sign(data);
    },
  };
}

function mlDsaVerify(
  algorithm: SignatureAlgorithm,
  { parameterSet, key }: MlDsaPublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!mlDsaFits(algorithm, parameterSet)) return false;
  // Throws at a key or a signature of another length.
  return orUndefined(() => mlDsas[parameterSet].verify(signature, data, key)) ?? false;
}

function mlDsaFits(algorithm: SignatureAlgorithm, parameterSet: MlDsaParameterSet): boolean {
  return algorithm.kind === 'mldsa' && algorithm.parameterSet === parameterSet;
}
