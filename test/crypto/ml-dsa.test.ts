/** ML-DSA on every backend that can have it, against the vectors of Wycheproof, and keys that it must refuse. */
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../src/bytes.js';
import type { CryptoBackend, MlDsaParameterSet, PrivateKey, PublicKey } from '../../src/crypto/backend.js';
import { mlDsaPrivateKeyInfo, mlDsaSubjectPublicKeyInfo } from '../../src/crypto/ml-dsa.js';
import { withPostQuantum } from '../../src/crypto/noble-post-quantum.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeHasMlDsa } from '../../src/crypto/node-signature.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { readVectors } from '../support/vectors.js';
import { bytes, now, refusal } from './backends.js';

interface Case {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid';
  readonly msg: string;
  readonly sig: string;
  /** A context string, which TLS leaves empty. */
  readonly ctx?: string;
}
interface Group {
  readonly publicKey: string | null;
  readonly privateSeed: string;
  readonly privateKey: string;
  readonly privateKeyPkcs8: string;
  readonly tests: readonly Case[];
}

const sets = [
  { parameterSet: 'ML-DSA-44', verified: 29, seeds: 9, expanded: 5 },
  { parameterSet: 'ML-DSA-65', verified: 29, seeds: 5, expanded: 5 },
  { parameterSet: 'ML-DSA-87', verified: 18, seeds: 5, expanded: 5 },
] as const;
const groupsOf = (parameterSet: MlDsaParameterSet, file: string): readonly Group[] =>
  (readVectors(`wycheproof/mldsa_${parameterSet.slice(-2)}_${file}.json`) as { groups: Group[] }).groups;
const casesOf = (parameterSet: MlDsaParameterSet, file: string) =>
  groupsOf(parameterSet, file).flatMap((group) => group.tests.map((test) => ({ ...test, group })));

/** Signs as FIPS 204 5.2 does in its deterministic variant: what hedges a signature is zero. */
const noble = withPostQuantum({ ...nobleCrypto, randomBytes: (length) => new Uint8Array(length) });
const backends: { name: string; crypto: CryptoBackend }[] = [
  { name: 'noble with @noble/post-quantum', crypto: noble },
  ...(nodeHasMlDsa ? [{ name: 'node', crypto: nodeCrypto }] : []),
];

it('the node backend claims ML-DSA only where the runtime has it, and refuses it elsewhere', () => {
  expect(nodeCrypto.capabilities.signatures.includes('mldsa')).toBe(nodeHasMlDsa);
  const key = { kind: 'mldsa', parameterSet: 'ML-DSA-44', key: bytes(1312) } as const;
  const lacking = nodeHasMlDsa ? [nobleCrypto] : [nobleCrypto, nodeCrypto];
  for (const crypto of lacking) {
    expect(() => crypto.signer({ ...key, secretKey: bytes(32) })).toThrow(refusal('unsupported_by_backend'));
    const verify = () => crypto.verify({ kind: 'mldsa', parameterSet: 'ML-DSA-44' }, key, bytes(1), bytes(2420));
    expect(verify).toThrow(refusal('unsupported_by_backend'));
  }
});

describe.each(backends)('ML-DSA on $name', ({ crypto }) => {
  describe.each(sets)('$parameterSet of Wycheproof', ({ parameterSet, ...counts }) => {
    const algorithm = { kind: 'mldsa', parameterSet } as const;
    const publicKey = (key: string | null): PublicKey => ({ kind: 'mldsa', parameterSet, key: fromHex(key ?? '') });

    it('verifies what the file says, and nothing signed under a context string', () => {
      const cases = casesOf(parameterSet, 'verify');
      const wrong = cases.filter(({ group, msg, sig, ctx, result }) => {
        const valid = now(crypto.verify(algorithm, publicKey(group.publicKey), fromHex(msg), fromHex(sig)));
        return valid !== (result === 'valid' && (ctx ?? '') === '');
      });
      expect([cases.length, wrong.map(({ tcId }) => tcId)]).toEqual([counts.verified, []]);
    });

    it.each([
      ['sign_seed', counts.seeds],
      ['sign_noseed', counts.expanded],
    ] as const)('%s: signs, and refuses keys that are none', (file, count) => {
      const cases = casesOf(parameterSet, file);
      const wrong = cases.filter(({ group, msg, sig, result }) => {
        const secret = file === 'sign_seed' ? group.privateSeed : group.privateKey;
        const key = fromHex(group.publicKey ?? '');
        const signer = () => crypto.signer({ kind: 'mldsa', parameterSet, secretKey: fromHex(secret), key });
        if (result === 'invalid') {
          expect(signer).toThrow(refusal('invalid_key'));
          return false;
        }
        const signature = now(signer().sign(algorithm, fromHex(msg)));
        // node:crypto signs with randomness of its own.
        return crypto === noble
          ? toHex(signature) !== sig
          : !now(crypto.verify(algorithm, publicKey(group.publicKey), fromHex(msg), signature));
      });
      expect([cases.length, wrong.map(({ tcId }) => tcId)]).toEqual([count, []]);
    });
  });

  const [{ privateSeed, publicKey } = { privateSeed: '', publicKey: '' }] = groupsOf('ML-DSA-44', 'sign_seed');
  const [{ privateKey } = { privateKey: '' }] = groupsOf('ML-DSA-44', 'sign_noseed');
  const seeded = {
    kind: 'mldsa',
    parameterSet: 'ML-DSA-44',
    secretKey: fromHex(privateSeed),
    key: fromHex(publicKey ?? ''),
  } as const satisfies PrivateKey;
  const expanded = { ...seeded, secretKey: fromHex(privateKey) };
  const algorithm = { kind: 'mldsa', parameterSet: 'ML-DSA-44' } as const;

  it('a seed and what it expands to are one key; a change anywhere does not verify', () => {
    const data = ascii('data to sign');
    for (const key of [seeded, expanded]) {
      const signer = crypto.signer(key);
      const signature = now(signer.sign(algorithm, data));
      expect(signer.publicKey).toEqual({ kind: 'mldsa', parameterSet: 'ML-DSA-44', key: seeded.key });
      expect([signature.length, Object.getPrototypeOf(signature) === Uint8Array.prototype]).toEqual([2420, true]);
      expect(now(crypto.verify(algorithm, signer.publicKey, data, signature))).toBe(true);
      expect(now(crypto.verify(algorithm, signer.publicKey, ascii('data to sigh'), signature))).toBe(false);
      for (const at of [0, 40, 1200, 2419])
        expect(now(crypto.verify(algorithm, signer.publicKey, data, changed(signature, at)))).toBe(false);
      for (const wrong of [bytes(0), signature.subarray(1), concat(signature, bytes(1, 0))])
        expect(now(crypto.verify(algorithm, signer.publicKey, data, wrong))).toBe(false);
      const short: PublicKey = { ...signer.publicKey, key: seeded.key.subarray(1) } as PublicKey;
      expect(now(crypto.verify(algorithm, short, data, signature))).toBe(false);
    }
  });

  it('another parameter set or kind verifies nothing and signs nothing', () => {
    const signer = crypto.signer(seeded);
    for (const foreign of [{ kind: 'mldsa', parameterSet: 'ML-DSA-65' }, { kind: 'ed25519' }] as const) {
      expect(() => signer.sign(foreign, bytes(1))).toThrow(refusal('invalid_key'));
      expect(now(crypto.verify(foreign, signer.publicKey, bytes(1), bytes(2420)))).toBe(false);
    }
    const ed25519: PublicKey = { kind: 'ed25519', key: bytes(32) };
    expect(now(crypto.verify(algorithm, ed25519, bytes(1), bytes(64)))).toBe(false);
  });

  it('an expanded key is refused if it does not fit the public key, or signs what does not verify', () => {
    // rho 32, K 32, tr 64, s1 4 * 96, s2 4 * 96, t0 4 * 416; what is off by little in s2 and t0 alone still signs.
    const { secretKey } = expanded;
    const wrong = [0, 64, 130].map((at) => changed(secretKey, at));
    for (const part of [...wrong, secretKey.slice().fill(0, 896), bytes(2560, 255)])
      expect(() => crypto.signer({ ...expanded, secretKey: part })).toThrow(refusal('invalid_key'));
    for (const key of [
      { ...seeded, key: changed(seeded.key, 40) },
      { ...seeded, secretKey: changed(seeded.secretKey, 0) },
    ])
      expect(() => crypto.signer(key)).toThrow(refusal('invalid_key'));
  });
});

function changed(of: Uint8Array, at: number): Uint8Array {
  const copy = of.slice();
  copy[at]! ^= 1;
  return copy;
}

describe('DER of ML-DSA keys (RFC 9881)', () => {
  it.each(sets)('$parameterSet: PrivateKeyInfo of a seed is that of the file', ({ parameterSet }) => {
    const [group] = groupsOf(parameterSet, 'sign_seed');
    const key = { kind: 'mldsa', parameterSet, secretKey: fromHex(group!.privateSeed), key: bytes(0) } as const;
    expect(toHex(mlDsaPrivateKeyInfo(key))).toBe(group!.privateKeyPkcs8);
  });

  it.each([
    ['ML-DSA-44', 1312, '30820532300b06096086480165030403110382052100'],
    ['ML-DSA-65', 1952, '308207b2300b0609608648016503040312038207a100'],
    ['ML-DSA-87', 2592, '30820a32300b060960864801650304031303820a2100'],
  ] as const)('%s: SubjectPublicKeyInfo begins as OpenSSL writes it', (parameterSet, length, prefix) => {
    const spki = mlDsaSubjectPublicKeyInfo({ kind: 'mldsa', parameterSet, key: bytes(length, 9) });
    expect(toHex(spki)).toBe(prefix + '09'.repeat(length));
  });
});
