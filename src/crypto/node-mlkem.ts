/**
 * ML-KEM-768 (FIPS 203) of node:crypto, where the runtime has it: Node.js 24.7 and later on OpenSSL 3.5.
 *
 * The one surprising thing: the functions alone say nothing, since Node.js may be linked to an OpenSSL without ML-KEM; a
 * key pair made when this module is loaded (1 ms) says it for certain.
 */
import { Buffer } from 'node:buffer';
import * as nodeModule from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { fromHex } from '../bytes.js';
import { plain } from './node-buffer.js';
import { orUndefined } from './refusals.js';
import type { MlKem768 } from './x25519-mlkem768.js';

/** What stands before the key in a SubjectPublicKeyInfo of id-alg-ml-kem-768. */
const spkiPrefix = fromHex('308204b2300b0609608648016503040402038204a100');

/** What the declared types of older versions know nothing of. */
interface KemFunctions {
  encapsulate(key: KeyObject): { sharedKey: Buffer; ciphertext: Buffer };
  decapsulate(key: KeyObject, ciphertext: Uint8Array): Buffer;
  generateKeyPairSync(
    type: 'ml-kem-768',
    options: { publicKeyEncoding: { format: 'der'; type: 'spki' } },
  ): { publicKey: Buffer; privateKey: KeyObject };
}

function hasKemFunctions(module: object): module is KemFunctions {
  return ['encapsulate', 'decapsulate'].every((name) => typeof Reflect.get(module, name) === 'function');
}

/** `undefined` where this runtime has no ML-KEM. */
export const nodeMlKem768: MlKem768 | undefined = detect();

function detect(): MlKem768 | undefined {
  if (!hasKemFunctions(nodeModule)) return undefined;
  const mlKem = mlKemOf(nodeModule);
  return orUndefined(() => mlKem.generateKeyPair()) && mlKem;
}

function mlKemOf(module: KemFunctions): MlKem768 {
  return {
    generateKeyPair: () => {
      const publicKeyEncoding = { format: 'der', type: 'spki' } as const;
      const { publicKey, privateKey } = module.generateKeyPairSync('ml-kem-768', { publicKeyEncoding });
      return {
        encapsulationKey: plain(publicKey).subarray(spkiPrefix.length),
        decapsulate: (ciphertext) => plain(module.decapsulate(privateKey, ciphertext)),
      };
    },
    encapsulate: (encapsulationKey) =>
      orUndefined(() => {
        const der = Buffer.concat([spkiPrefix, encapsulationKey]);
        // Importing the key checks its coefficients.
        const key = nodeModule.createPublicKey({ key: der, format: 'der', type: 'spki' });
        const { sharedKey, ciphertext } = module.encapsulate(key);
        return { ciphertext: plain(ciphertext), sharedSecret: plain(sharedKey) };
      }),
  };
}
