/**
 * The hybrid group X25519MLKEM768 for any backend, with the ML-KEM-768 of @noble/post-quantum, an optional peer
 * dependency: without it, importing this module fails with a `UsageError` (`missing_dependency`) that says what to install.
 *
 * The one surprising thing: `nodeCrypto` needs none of this where Node.js has ML-KEM itself (24.7 and later), and is
 * answered unchanged then.
 */
import { wipe } from '../bytes.js';
import { UsageError } from '../errors.js';
import type { CryptoBackend } from './backend.js';
import { orUndefined } from './refusals.js';
import { withMlKem768, type MlKem768 } from './x25519-mlkem768.js';

const { ml_kem768: mlKem768 } = await import('@noble/post-quantum/ml-kem.js').catch((cause: unknown) => {
  const message = 'tls-resume/crypto/noble-post-quantum needs one package more: npm install @noble/post-quantum';
  throw new UsageError('missing_dependency', message, { cause });
});

/**
 * The backend with X25519MLKEM768 first among its groups; X25519 and all randomness stay the backend's own. Throws
 * `UsageError` if it has no X25519.
 *
 * @example
 * const crypto = withPostQuantum(nobleCrypto);
 */
export function withPostQuantum(backend: CryptoBackend): CryptoBackend {
  if (backend.capabilities.groups.includes('X25519MLKEM768')) return backend;
  return withMlKem768(
    backend,
    nobleMlKem768((length) => backend.randomBytes(length)),
  );
}

/** FIPS 203 7.1 and 7.2: what a key pair and an encapsulation draw. */
const seedLength = 64;
const messageLength = 32;

/** ML-KEM-768 whose randomness is given: 64 bytes (d and z) for a key pair, 32 (m) for an encapsulation. */
function nobleMlKem768(randomBytes: (length: number) => Uint8Array): MlKem768 {
  return {
    generateKeyPair: () => {
      const seed = randomBytes(seedLength);
      const { publicKey, secretKey } = mlKem768.keygen(seed);
      wipe(seed);
      return {
        encapsulationKey: publicKey,
        decapsulate: (ciphertext) => mlKem768.decapsulate(ciphertext, secretKey),
        destroy: () => wipe(secretKey),
      };
    },
    encapsulate: (encapsulationKey) => {
      const message = randomBytes(messageLength);
      const encapsulation = orUndefined(() => mlKem768.encapsulate(encapsulationKey, message));
      wipe(message);
      return encapsulation && { ciphertext: encapsulation.cipherText, sharedSecret: encapsulation.sharedSecret };
    },
  };
}
