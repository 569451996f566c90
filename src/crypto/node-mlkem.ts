/**
 * ML-KEM (FIPS 203) of node:crypto, where the runtime has it: Node.js 24.7 and later on OpenSSL 3.5.
 *
 * The one surprising thing: the functions alone say nothing, since Node.js may be linked to a library without ML-KEM, or with
 * some of its parameter sets; key pairs made when this module is loaded (1 ms) say it for certain.
 */
import { Buffer } from 'node:buffer';
import * as nodeModule from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { fromHex } from '../bytes.js';
import type { MlKem, MlKemParameterSet } from './ml-kem-groups.js';
import { plain } from './node-buffer.js';
import { orUndefined } from './refusals.js';

/** Node's names, and what stands before the key in a SubjectPublicKeyInfo (RFC 9935 4). */
const parameterSets = {
  'ML-KEM-512': { type: 'ml-kem-512', spkiPrefix: fromHex('30820332300b06096086480165030404010382032100') },
  'ML-KEM-768': { type: 'ml-kem-768', spkiPrefix: fromHex('308204b2300b0609608648016503040402038204a100') },
  'ML-KEM-1024': { type: 'ml-kem-1024', spkiPrefix: fromHex('30820632300b06096086480165030404030382062100') },
} as const satisfies Record<MlKemParameterSet, object>;

/** What the declared types of older versions know nothing of. */
interface KemFunctions {
  encapsulate(key: KeyObject): { sharedKey: Buffer; ciphertext: Buffer };
  decapsulate(key: KeyObject, ciphertext: Uint8Array): Buffer;
  generateKeyPairSync(
    type: (typeof parameterSets)[MlKemParameterSet]['type'],
    options: { publicKeyEncoding: { format: 'der'; type: 'spki' } },
  ): { publicKey: Buffer; privateKey: KeyObject };
}

function hasKemFunctions(module: object): module is KemFunctions {
  return ['encapsulate', 'decapsulate'].every((name) => typeof Reflect.get(module, name) === 'function');
}

/** Empty where this runtime has no ML-KEM. */
export const nodeMlKem: Readonly<Partial<Record<MlKemParameterSet, MlKem>>> = {
  ...detected('ML-KEM-512'),
  ...detected('ML-KEM-768'),
  ...detected('ML-KEM-1024'),
};

function detected(parameterSet: MlKemParameterSet): Partial<Record<MlKemParameterSet, MlKem>> {
  if (!hasKemFunctions(nodeModule)) return {};
  const mlKem = mlKemOf(nodeModule, parameterSet);
  return orUndefined(() => mlKem.generateKeyPair()) === undefined ? {} : { [parameterSet]: mlKem };
}

function mlKemOf(module: KemFunctions, parameterSet: MlKemParameterSet): MlKem {
  const { type, spkiPrefix } = parameterSets[parameterSet];
  return {
    generateKeyPair: () => {
      const publicKeyEncoding = { format: 'der', type: 'spki' } as const;
      const { publicKey, privateKey } = module.generateKeyPairSync(type, { publicKeyEncoding });
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
