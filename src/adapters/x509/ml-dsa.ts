/**
 * ML-DSA keys in certificates and in PEM (RFC 9881), read without OpenSSL, which knows them from 3.5 on.
 *
 * The surprising thing: a file may hold the seed, what it expands to, or both. The seed is what counts then, and the other must
 * be a key of the same certificate.
 */
import type { X509Certificate } from 'node:crypto';
import { BitString, ObjectIdentifier } from 'asn1js';
import { copy } from '../../bytes.js';
import { concealed } from '../../concealed.js';
import type { MlDsaParameterSet } from '../../crypto/backend.js';
import { orUndefined } from '../../crypto/refusals.js';
import { mlDsaParameterSets, mlDsaSeedLength, type MlDsaPublicKey } from '../../crypto/ml-dsa.js';
import { content, contextTag, fail, items, octets, parse, type Asn1 } from './asn1.js';

/** The secrets of one private key: a seed, an expanded key, or the one after the other. */
export interface MlDsaSecrets {
  readonly parameterSet: MlDsaParameterSet;
  readonly secretKeys: readonly Uint8Array[];
}

/** The key of a certificate; `undefined` for keys of other kinds, and for one that does not follow RFC 9881 4. */
export function mlDsaCertificateKey({ raw }: X509Certificate): MlDsaPublicKey | undefined {
  return orUndefined(() => {
    const [tbs] = items(parse(raw));
    const [, , , , , spki] = items(tbs).filter((field) => contextTag(field) !== 0);
    const [algorithm, bits] = items(spki);
    const parameterSet = parameterSetOf(algorithm);
    if (parameterSet === undefined || !(bits instanceof BitString)) return undefined;
    const key = bits.valueBlock.valueHexView.slice();
    const whole = bits.valueBlock.unusedBits === 0 && key.length === mlDsaParameterSets[parameterSet].publicKeyLength;
    return whole ? { kind: 'mldsa', parameterSet, key } : undefined;
  });
}

/** The secrets in a PrivateKeyInfo (RFC 5958 2); `undefined` for keys of other kinds. Throws for one that does not follow RFC 9881 6. */
export function mlDsaSecrets(privateKeyInfo: Uint8Array): MlDsaSecrets | undefined {
  const [, algorithm, privateKey] = orUndefined(() => items(parse(privateKeyInfo))) ?? [];
  const parameterSet = orUndefined(() => parameterSetOf(algorithm));
  if (parameterSet === undefined) return undefined;
  const choice = parse(octets(privateKey));
  if (contextTag(choice) === 0) return { parameterSet, secretKeys: [ofLength(mlDsaSeedLength, content(choice))] };
  const { expandedKeyLength } = mlDsaParameterSets[parameterSet];
  if (choice.idBlock.tagNumber === octetString)
    return { parameterSet, secretKeys: [ofLength(expandedKeyLength, octets(choice))] };
  const [seed, expandedKey] = items(choice);
  return {
    parameterSet,
    secretKeys: [ofLength(mlDsaSeedLength, octets(seed)), ofLength(expandedKeyLength, octets(expandedKey))],
  };
}

const octetString = 4;

function ofLength(expected: number, bytes: Uint8Array): Uint8Array {
  return bytes.length === expected ? concealed(copy(bytes)) : fail(`a secret of ${bytes.length} bytes`);
}

/** Parameters are left out (RFC 9881 2). */
function parameterSetOf(algorithm: Asn1 | undefined): MlDsaParameterSet | undefined {
  const [oid, parameters] = items(algorithm);
  if (!(oid instanceof ObjectIdentifier) || parameters !== undefined) return undefined;
  return parameterSetOfIdentifier.get(oid.getValue());
}

/** RFC 9881 2. */
const parameterSetOfIdentifier: ReadonlyMap<string, MlDsaParameterSet> = new Map([
  ['2.16.840.1.101.3.4.3.17', 'ML-DSA-44'],
  ['2.16.840.1.101.3.4.3.18', 'ML-DSA-65'],
  ['2.16.840.1.101.3.4.3.19', 'ML-DSA-87'],
]);
