/** The groups with ML-KEM on every backend that can have them, and ML-KEM against the vectors of NIST and Wycheproof. */
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../src/bytes.js';
import type { CryptoBackend, KeyShare, KeyShareAnswer, MlKemGroup } from '../../src/crypto/backend.js';
import { withMlKem, type MlKem } from '../../src/crypto/ml-kem-groups.js';
import { withPostQuantum } from '../../src/crypto/noble-post-quantum.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeMlKem } from '../../src/crypto/node-mlkem.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { readVectors } from '../support/vectors.js';
import { bytes, curves, mlKemGroups, now, refusal } from './backends.js';

const nodeHasMlKem = nodeMlKem['ML-KEM-768'] !== undefined;

/** Of the node backend, elliptic curves alone: what it is on Node.js before 24.7. */
const nodeCurves: CryptoBackend = { ...nodeCrypto, capabilities: { ...nodeCrypto.capabilities, groups: curves } };
const withGroups = [
  { name: 'noble with @noble/post-quantum', crypto: withPostQuantum(nobleCrypto) },
  { name: 'node with @noble/post-quantum', crypto: withPostQuantum(nodeCurves) },
  ...(nodeHasMlKem ? [{ name: 'node', crypto: nodeCrypto }] : []),
];
const pairs = withGroups.flatMap((client) => withGroups.map((server) => ({ client, server })));

/**
 * draft-ietf-tls-ecdhe-mlkem 4.1 to 4.3, draft-ietf-tls-mlkem 4.2, in bytes: shares of client and server, secret, and where
 * ML-KEM begins in each of the three.
 */
const shapes: Record<MlKemGroup, { client: number; server: number; secret: number; at: [number, number, number] }> = {
  X25519MLKEM768: { client: 1216, server: 1120, secret: 64, at: [0, 0, 0] },
  SecP256r1MLKEM768: { client: 1249, server: 1153, secret: 64, at: [65, 65, 32] },
  SecP384r1MLKEM1024: { client: 1665, server: 1665, secret: 80, at: [97, 97, 48] },
  MLKEM512: { client: 800, server: 768, secret: 32, at: [0, 0, 0] },
  MLKEM768: { client: 1184, server: 1088, secret: 32, at: [0, 0, 0] },
  MLKEM1024: { client: 1568, server: 1568, secret: 32, at: [0, 0, 0] },
};

it('the node backend claims the groups only where the runtime has ML-KEM', () => {
  expect(nodeCrypto.capabilities.groups).toEqual(nodeHasMlKem ? [...mlKemGroups, ...curves] : curves);
  expect(withPostQuantum(nodeCrypto) === nodeCrypto).toBe(nodeHasMlKem);
});

describe.each(pairs)('a client on $client.name and a server on $server.name', ({ client, server }) => {
  const share = (group: MlKemGroup): KeyShare => now(client.crypto.generateKeyShare(group));
  const answer = (group: MlKemGroup, peer: Uint8Array): KeyShareAnswer | undefined =>
    now(server.crypto.answerKeyShare(group, peer));

  it.each(mlKemGroups)('%s: agree, in the lengths of the drafts', (group) => {
    const mine = share(group);
    const theirs = answer(group, mine.publicKey)!;
    const { client: there, server: back, secret } = shapes[group];
    expect([mine.publicKey.length, theirs.publicKey.length, theirs.sharedSecret.length]).toEqual([there, back, secret]);
    expect(toHex(now(mine.agree(theirs.publicKey))!)).toBe(toHex(theirs.sharedSecret));
    for (const result of [mine.publicKey, theirs.publicKey, theirs.sharedSecret])
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
  });

  it.each(mlKemGroups)('%s: a share or an answer of another length is of no use', (group) => {
    const mine = share(group);
    const theirs = answer(group, mine.publicKey)!;
    const { client: there, server: back } = shapes[group];
    for (const length of [0, 32, 65, there - 33, there - 1])
      expect(answer(group, mine.publicKey.subarray(0, length))).toBeUndefined();
    expect(answer(group, concat(mine.publicKey, bytes(1)))).toBeUndefined();
    for (const length of [0, 32, 65, back - 33, back - 1])
      expect(mine.agree(theirs.publicKey.subarray(0, length))).toBeUndefined();
    expect(mine.agree(concat(theirs.publicKey, bytes(1)))).toBeUndefined();
  });

  it.each([
    ['X25519MLKEM768', bytes(32, 0)],
    ['SecP256r1MLKEM768', concat(Uint8Array.of(4), bytes(64, 7))],
    ['SecP384r1MLKEM1024', concat(Uint8Array.of(4), bytes(96, 7))],
  ] as const)('%s: a point of small order, or off the curve, is refused on both sides', (group, point) => {
    const mine = share(group);
    const theirs = answer(group, mine.publicKey)!;
    const put = (into: Uint8Array) => {
      const changed = into.slice();
      changed.set(point, group === 'X25519MLKEM768' ? into.length - 32 : 0);
      return changed;
    };
    expect(answer(group, put(mine.publicKey))).toBeUndefined();
    expect(mine.agree(put(theirs.publicKey))).toBeUndefined();
  });

  it.each(mlKemGroups)(
    '%s: an encapsulation key with a coefficient of the modulus is refused (FIPS 203 7.2)',
    (group) => {
      const { publicKey } = share(group);
      const [at] = shapes[group].at;
      const keyLength = publicKey.length - (group === 'X25519MLKEM768' ? 32 : at);
      // The last 32 bytes of the key are rho; coefficients before them are two in three bytes.
      for (const offset of [0, 3, keyLength - 35]) {
        const unreduced = publicKey.slice();
        unreduced.set([0x01, 0x0d | (publicKey[at + offset + 1]! & 0xf0)], at + offset); // 3329 in the low 12 bits
        expect(answer(group, unreduced)).toBeUndefined();
      }
    },
  );

  it.each(mlKemGroups)('%s: a changed ciphertext changes the ML-KEM half of the secret, and no other', (group) => {
    const mine = share(group);
    const theirs = answer(group, mine.publicKey)!;
    const [, ciphertextAt, secretAt] = shapes[group].at;
    theirs.publicKey[ciphertextAt + 500]! ^= 1;
    const secret = now(mine.agree(theirs.publicKey))!;
    const isMlKem = (i: number) => i >= secretAt && i < secretAt + 32;
    const half = (of: Uint8Array, mlKem: boolean) => toHex(of.filter((_, i) => isMlKem(i) === mlKem));
    expect(half(secret, true)).not.toBe(half(theirs.sharedSecret, true));
    expect(half(secret, false)).toBe(half(theirs.sharedSecret, false));
  });
});

interface File<Test> {
  readonly groups: readonly { readonly tests: readonly (Test & Case)[] }[];
}
interface Case {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid';
  readonly ek: string;
  readonly c: string;
  readonly K: string;
}

/** ML-KEM with the randomness of a vector. */
const drawing = (randomness: string) => withPostQuantum({ ...nobleCrypto, randomBytes: () => fromHex(randomness) });

describe('ML-KEM-768 of NIST ACVP', () => {
  const { keyGen, encapsulation } = readVectors('acvp/ml-kem-768.json') as {
    readonly keyGen: readonly Record<'d' | 'z' | 'ek', string>[];
    readonly encapsulation: readonly Record<'ek' | 'm' | 'c' | 'k', string>[];
  };

  it('makes the encapsulation keys of the file', () => {
    const keys = keyGen.map(({ d, z }) => now(drawing(d + z).generateKeyShare('MLKEM768')).publicKey);
    expect(keys.map(toHex)).toEqual(keyGen.map(({ ek }) => ek));
    expect(keys).toHaveLength(8);
  });

  it('encapsulates to the ciphertexts and secrets of the file', () => {
    const answers = encapsulation.map(({ ek, m }) => {
      const answer = now(drawing(m).answerKeyShare('MLKEM768', fromHex(ek)))!;
      return { c: toHex(answer.publicKey), k: toHex(answer.sharedSecret) };
    });
    expect(answers).toEqual(encapsulation.map(({ c, k }) => ({ c, k })));
    expect(answers).toHaveLength(8);
  });
});

describe.each([
  { size: 512, decapsulations: 9, encapsulations: 12, refused: 8 },
  { size: 768, decapsulations: 21, encapsulations: 33, refused: 21 },
  { size: 1024, decapsulations: 13, encapsulations: 18, refused: 12 },
] as const)('ML-KEM-$size of Wycheproof', ({ size, ...counts }) => {
  const group = `MLKEM${size}` as const;
  const testsOf = <Test>(file: string) =>
    (readVectors(`wycheproof/${file}.json`) as File<Test>).groups.flatMap(({ tests }) => tests);
  const encapsulations = testsOf<{ m: string }>(`mlkem_${size}_encaps`);
  const decapsulations = testsOf<{ seed: string }>(`mlkem_${size}`);

  it('encapsulates to the ciphertexts and secrets of the file, and refuses keys out of range', () => {
    const wrong = encapsulations.filter(({ ek, m, c, K, result }) => {
      const answer = now(drawing(m).answerKeyShare(group, fromHex(ek)));
      if (result === 'invalid') return answer !== undefined;
      return toHex(answer!.publicKey) !== c || toHex(answer!.sharedSecret) !== K;
    });
    expect([encapsulations.length, wrong.map(({ tcId }) => tcId)]).toEqual([counts.encapsulations, []]);
    expect(encapsulations.filter(({ result }) => result === 'invalid')).toHaveLength(counts.refused);
  });

  it('makes the keys of the file and decapsulates, also what was not encapsulated', () => {
    const wrong = decapsulations.filter(({ seed, ek, c, K, result }) => {
      // The caller's mistake, in the file: here no seed has another length.
      if (seed.length !== 128) return result !== 'invalid';
      const share = now(drawing(seed).generateKeyShare(group));
      if (toHex(share.publicKey) !== ek) return true;
      const secret = now(share.agree(fromHex(c)));
      return result === 'invalid' ? secret !== undefined : toHex(secret!) !== K;
    });
    expect([decapsulations.length, wrong.map(({ tcId }) => tcId)]).toEqual([counts.decapsulations, []]);
  });

  it('node:crypto refuses the same keys', ({ skip }) => {
    if (!nodeHasMlKem) {
      const reason = `${process.version} has no ML-KEM in node:crypto: 24.7 and later have`;
      process.stderr.write(`skipped: ${reason}\n`);
      return skip(reason);
    }
    const wrong = encapsulations.filter(({ ek, result }) => {
      const answer = now(nodeCrypto.answerKeyShare(group, fromHex(ek)));
      return (answer !== undefined) !== (result === 'valid');
    });
    expect(wrong.map(({ tcId }) => tcId)).toEqual([]);
  });
});

describe('withPostQuantum', () => {
  it('puts the groups first, ML-DSA last, and leaves the rest of the backend as it is', () => {
    const crypto = withPostQuantum(nobleCrypto);
    const { capabilities, generateKeyShare, answerKeyShare, signer, verify, ...rest } = crypto;
    expect(capabilities).toEqual({
      ...nobleCrypto.capabilities,
      groups: [...mlKemGroups, ...curves],
      signatures: ['ecdsa', 'ed25519', 'mldsa'],
    });
    expect(nobleCrypto).toMatchObject(rest);
    expect([signer, verify]).not.toContain(nobleCrypto.signer);
    const share = now(generateKeyShare('secp256r1'));
    const answer = now(answerKeyShare('secp256r1', share.publicKey))!;
    expect(toHex(now(share.agree(answer.publicKey))!)).toBe(toHex(answer.sharedSecret));
    expect(withPostQuantum(crypto)).toBe(crypto);
  });

  it('needs a backend with X25519, and makes no hybrid of a curve that is not there', () => {
    const lacking = (groups: readonly (typeof curves)[number][]) =>
      withPostQuantum({ ...nobleCrypto, capabilities: { ...nobleCrypto.capabilities, groups } });
    expect(() => lacking(['secp256r1'])).toThrow(refusal('unsupported_by_backend'));
    expect(lacking(['x25519']).capabilities.groups).toEqual([
      'X25519MLKEM768',
      'MLKEM512',
      'MLKEM768',
      'MLKEM1024',
      'x25519',
    ]);
  });

  it('keeps the groups that the backend has itself', () => {
    const own: CryptoBackend = {
      ...nobleCrypto,
      capabilities: { ...nobleCrypto.capabilities, groups: ['X25519MLKEM768', 'x25519'] },
      generateKeyShare: (group) => ({ publicKey: ascii(group), agree: () => undefined }),
    };
    const crypto = withPostQuantum(own);
    expect(crypto.capabilities.groups).toEqual(['MLKEM512', 'MLKEM768', 'MLKEM1024', 'X25519MLKEM768', 'x25519']);
    expect(now(crypto.generateKeyShare('X25519MLKEM768')).publicKey).toEqual(ascii('X25519MLKEM768'));
  });

  it('waits for a backend that waits', async () => {
    const waiting = withPostQuantum({
      ...nobleCrypto,
      generateKeyShare: async (asked) => {
        const { publicKey, agree } = await nobleCrypto.generateKeyShare(asked);
        return { publicKey, agree: async (peer) => agree(peer) };
      },
      answerKeyShare: async (asked, peer) => nobleCrypto.answerKeyShare(asked, peer),
    });
    const share = await waiting.generateKeyShare('X25519MLKEM768');
    const answer = (await waiting.answerKeyShare('X25519MLKEM768', share.publicKey))!;
    expect(toHex((await share.agree(answer.publicKey))!)).toBe(toHex(answer.sharedSecret));
    expect(
      await waiting.answerKeyShare('X25519MLKEM768', concat(share.publicKey.subarray(0, 1184), bytes(32, 0))),
    ).toBeUndefined();
  });
});

describe('withMlKem', () => {
  const halves: Uint8Array[] = [];
  const forgotten: string[] = [];
  const kept = (half: Uint8Array) => (halves.push(half), half);
  const mlKem: MlKem = {
    generateKeyPair: () => ({
      encapsulationKey: bytes(1184, 5),
      decapsulate: () => kept(bytes(32, 3)),
      destroy: () => forgotten.push('ML-KEM'),
    }),
    encapsulate: (key) => (key[0] === 0 ? undefined : { ciphertext: bytes(1088, 6), sharedSecret: kept(bytes(32, 4)) }),
  };
  const crypto = withMlKem(
    {
      ...nobleCrypto,
      generateKeyShare: (group) => ({
        publicKey: bytes(group === 'x25519' ? 32 : 65),
        agree: () => kept(bytes(32, 1)),
        destroy: () => forgotten.push('elliptic curve'),
      }),
      answerKeyShare: (group) => ({
        publicKey: bytes(group === 'x25519' ? 32 : 65),
        sharedSecret: kept(bytes(32, 2)),
      }),
    },
    { 'ML-KEM-768': mlKem },
  );

  it.each(['X25519MLKEM768', 'SecP256r1MLKEM768'] as const)(
    '%s: one half first, on the wire and in the secret',
    (group) => {
      halves.splice(0);
      forgotten.splice(0);
      const ordered = (ecdhe: Uint8Array, kem: Uint8Array) =>
        group === 'X25519MLKEM768' ? concat(kem, ecdhe) : concat(ecdhe, kem);
      const point = bytes(group === 'X25519MLKEM768' ? 32 : 65);
      const share = now(crypto.generateKeyShare(group));
      expect(share.publicKey).toEqual(ordered(point, bytes(1184, 5)));
      expect(share.agree(ordered(point, bytes(1088)))).toEqual(ordered(bytes(32, 1), bytes(32, 3)));
      const answer = now(crypto.answerKeyShare(group, ordered(point, bytes(1184))))!;
      expect(answer.publicKey).toEqual(ordered(point, bytes(1088, 6)));
      expect(answer.sharedSecret).toEqual(ordered(bytes(32, 2), bytes(32, 4)));
      expect(crypto.answerKeyShare(group, ordered(point, bytes(1184, 0)))).toBeUndefined();
      // Both secrets are forgotten with the share, and the halves when they are joined.
      expect(halves).toEqual(Array.from({ length: 5 }, () => bytes(32, 0)));
      share.destroy?.();
      expect(forgotten.sort()).toEqual(['ML-KEM', 'elliptic curve']);
    },
  );

  it('MLKEM768 is ML-KEM and nothing else', () => {
    forgotten.splice(0);
    const share = now(crypto.generateKeyShare('MLKEM768'));
    expect([share.publicKey, share.agree(bytes(1088))]).toEqual([bytes(1184, 5), bytes(32, 3)]);
    expect(crypto.answerKeyShare('MLKEM768', bytes(1184))).toEqual({
      publicKey: bytes(1088, 6),
      sharedSecret: bytes(32, 4),
    });
    expect(crypto.answerKeyShare('MLKEM768', bytes(1184, 0))).toBeUndefined();
    share.destroy?.();
    expect(forgotten).toEqual(['ML-KEM']);
  });
});
