/** X25519MLKEM768 on every backend that can have it, and ML-KEM-768 against the vectors of NIST and Wycheproof. */
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import type { CryptoBackend, KeyShare, KeyShareAnswer } from '../../src/crypto/backend.js';
import { withPostQuantum } from '../../src/crypto/noble-post-quantum.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeMlKem768 } from '../../src/crypto/node-mlkem.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { withMlKem768 } from '../../src/crypto/x25519-mlkem768.js';
import { readVectors } from '../support/vectors.js';
import { bytes, now, refusal } from './backends.js';

const group = 'X25519MLKEM768';

/** Of the node backend, X25519 alone: what it is on Node.js before 24.7. */
const nodeX25519: CryptoBackend = {
  ...nodeCrypto,
  capabilities: { ...nodeCrypto.capabilities, groups: ['x25519', 'secp256r1', 'secp384r1'] },
};
const hybrids = [
  { name: 'noble with @noble/post-quantum', crypto: withPostQuantum(nobleCrypto) },
  { name: 'node with @noble/post-quantum', crypto: withPostQuantum(nodeX25519) },
  ...(nodeMlKem768 === undefined ? [] : [{ name: 'node', crypto: nodeCrypto }]),
];
const pairs = hybrids.flatMap((client) => hybrids.map((server) => ({ client, server })));

it('the node backend claims the group only where the runtime has ML-KEM', () => {
  const groups = ['x25519', 'secp256r1', 'secp384r1'];
  expect(nodeCrypto.capabilities.groups).toEqual(nodeMlKem768 === undefined ? groups : [group, ...groups]);
  expect(withPostQuantum(nodeCrypto) === nodeCrypto).toBe(nodeMlKem768 !== undefined);
});

describe.each(pairs)('a client on $client.name and a server on $server.name', ({ client, server }) => {
  const share = (): KeyShare => now(client.crypto.generateKeyShare(group));
  const answer = (peer: Uint8Array): KeyShareAnswer | undefined => now(server.crypto.answerKeyShare(group, peer));

  it('agree: 1216 bytes there, 1120 back, a secret of 64', () => {
    const mine = share();
    const theirs = answer(mine.publicKey)!;
    expect([mine.publicKey.length, theirs.publicKey.length]).toEqual([1216, 1120]);
    expect(theirs.sharedSecret).toHaveLength(64);
    expect(toHex(now(mine.agree(theirs.publicKey))!)).toBe(toHex(theirs.sharedSecret));
    for (const result of [mine.publicKey, theirs.publicKey, theirs.sharedSecret])
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
  });

  it('a share or an answer of another length is of no use', () => {
    const mine = share();
    const theirs = answer(mine.publicKey)!;
    for (const length of [0, 32, 1184, 1215]) expect(answer(mine.publicKey.subarray(0, length))).toBeUndefined();
    expect(answer(concat(mine.publicKey, bytes(1)))).toBeUndefined();
    for (const length of [0, 32, 1088, 1119]) expect(mine.agree(theirs.publicKey.subarray(0, length))).toBeUndefined();
    expect(mine.agree(concat(theirs.publicKey, bytes(1)))).toBeUndefined();
  });

  it('X25519 of small order is refused on both sides', () => {
    const mine = share();
    expect(answer(concat(mine.publicKey.subarray(0, 1184), bytes(32, 0)))).toBeUndefined();
    const theirs = answer(mine.publicKey)!;
    expect(mine.agree(concat(theirs.publicKey.subarray(0, 1088), bytes(32, 0)))).toBeUndefined();
  });

  it('an encapsulation key with a coefficient of the modulus or more is refused (FIPS 203 7.2)', () => {
    const { publicKey } = share();
    for (const at of [0, 3, 1149]) {
      const unreduced = publicKey.slice();
      unreduced.set([0x01, 0x0d | (publicKey[at + 1]! & 0xf0)], at); // 3329 in the low 12 bits
      expect(answer(unreduced)).toBeUndefined();
    }
  });

  it('a changed ciphertext gives a secret that the server does not have, in its ML-KEM half alone', () => {
    const mine = share();
    const theirs = answer(mine.publicKey)!;
    theirs.publicKey[500]! ^= 1;
    const secret = toHex(now(mine.agree(theirs.publicKey))!);
    expect(secret.slice(0, 64)).not.toBe(toHex(theirs.sharedSecret.subarray(0, 32)));
    expect(secret.slice(64)).toBe(toHex(theirs.sharedSecret.subarray(32)));
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

/** The hybrid group with the randomness of a vector, for the half that is ML-KEM. */
const drawing = (randomness: string) => withPostQuantum({ ...nobleCrypto, randomBytes: () => fromHex(randomness) });
const x25519 = now(nobleCrypto.generateKeyShare('x25519')).publicKey;

describe('ML-KEM-768 of NIST ACVP', () => {
  const { keyGen, encapsulation } = readVectors('acvp/ml-kem-768.json') as {
    readonly keyGen: readonly Record<'d' | 'z' | 'ek', string>[];
    readonly encapsulation: readonly Record<'ek' | 'm' | 'c' | 'k', string>[];
  };

  it('makes the encapsulation keys of the file', () => {
    const keys = keyGen.map(({ d, z }) => now(drawing(d + z).generateKeyShare(group)).publicKey.subarray(0, 1184));
    expect(keys.map(toHex)).toEqual(keyGen.map(({ ek }) => ek));
    expect(keys).toHaveLength(8);
  });

  it('encapsulates to the ciphertexts and secrets of the file', () => {
    const answers = encapsulation.map(({ ek, m }) => {
      const answer = now(drawing(m).answerKeyShare(group, concat(fromHex(ek), x25519)))!;
      return { c: toHex(answer.publicKey.subarray(0, 1088)), k: toHex(answer.sharedSecret.subarray(0, 32)) };
    });
    expect(answers).toEqual(encapsulation.map(({ c, k }) => ({ c, k })));
    expect(answers).toHaveLength(8);
  });
});

describe('ML-KEM-768 of Wycheproof', () => {
  const encapsulations = (readVectors('wycheproof/mlkem_768_encaps.json') as File<{ m: string }>).groups;
  const decapsulations = (readVectors('wycheproof/mlkem_768.json') as File<{ seed: string }>).groups;
  it('encapsulates to the ciphertexts and secrets of the file, and refuses keys out of range', () => {
    const tests = encapsulations.flatMap((group) => group.tests);
    const wrong = tests.filter(({ ek, m, c, K, result }) => {
      const answer = now(drawing(m).answerKeyShare(group, concat(fromHex(ek), x25519)));
      if (result === 'invalid') return answer !== undefined;
      return toHex(answer!.publicKey.subarray(0, 1088)) !== c || toHex(answer!.sharedSecret.subarray(0, 32)) !== K;
    });
    expect([tests.length, wrong.map(({ tcId }) => tcId)]).toEqual([33, []]);
    expect(tests.filter(({ result }) => result === 'invalid')).toHaveLength(21);
  });

  it('makes the keys of the file and decapsulates, also what was not encapsulated', () => {
    const tests = decapsulations.flatMap((group) => group.tests);
    const wrong = tests.filter(({ seed, ek, c, K, result }) => {
      const share = now(drawing(seed).generateKeyShare(group));
      if (toHex(share.publicKey.subarray(0, 1184)) !== ek) return true;
      const secret = now(share.agree(concat(fromHex(c), x25519)));
      return result === 'invalid' ? secret !== undefined : toHex(secret!.subarray(0, 32)) !== K;
    });
    expect([tests.length, wrong.map(({ tcId }) => tcId)]).toEqual([21, []]);
  });

  it('node:crypto refuses the same keys', ({ skip }) => {
    if (nodeMlKem768 === undefined) {
      const reason = `${process.version} has no ML-KEM in node:crypto: 24.7 and later have`;
      process.stderr.write(`skipped: ${reason}\n`);
      return skip(reason);
    }
    const tests = encapsulations.flatMap((group) => group.tests);
    const wrong = tests.filter(({ ek, result }) => {
      const answer = now(nodeCrypto.answerKeyShare(group, concat(fromHex(ek), x25519)));
      return (answer !== undefined) !== (result === 'valid');
    });
    expect(wrong.map(({ tcId }) => tcId)).toEqual([]);
  });
});

describe('withPostQuantum', () => {
  it('puts the group first, and leaves the rest of the backend as it is', () => {
    const crypto = withPostQuantum(nobleCrypto);
    const { capabilities, generateKeyShare, answerKeyShare, ...rest } = crypto;
    expect(capabilities).toEqual({
      ...nobleCrypto.capabilities,
      groups: [group, 'x25519', 'secp256r1', 'secp384r1'],
    });
    expect(nobleCrypto).toMatchObject(rest);
    const share = now(generateKeyShare('secp256r1'));
    const answer = now(answerKeyShare('secp256r1', share.publicKey))!;
    expect(toHex(now(share.agree(answer.publicKey))!)).toBe(toHex(answer.sharedSecret));
    expect(withPostQuantum(crypto)).toBe(crypto);
  });

  it('needs a backend with X25519', () => {
    const capabilities = { ...nobleCrypto.capabilities, groups: ['secp256r1'] as const };
    expect(() => withPostQuantum({ ...nobleCrypto, capabilities })).toThrow(refusal('unsupported_by_backend'));
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
    const share = await waiting.generateKeyShare(group);
    const answer = (await waiting.answerKeyShare(group, share.publicKey))!;
    expect(toHex((await share.agree(answer.publicKey))!)).toBe(toHex(answer.sharedSecret));
    expect(
      await waiting.answerKeyShare(group, concat(share.publicKey.subarray(0, 1184), bytes(32, 0))),
    ).toBeUndefined();
  });
});

describe('withMlKem768', () => {
  it('forgets both secrets with the share, and the halves when they are joined', () => {
    const halves: Uint8Array[] = [];
    const forgotten: string[] = [];
    const kept = (half: Uint8Array) => (halves.push(half), half);
    const crypto = withMlKem768(
      {
        ...nobleCrypto,
        generateKeyShare: () => ({
          publicKey: bytes(32),
          agree: () => kept(bytes(32, 1)),
          destroy: () => forgotten.push('x25519'),
        }),
        answerKeyShare: () => ({ publicKey: bytes(32), sharedSecret: kept(bytes(32, 2)) }),
      },
      {
        generateKeyPair: () => ({
          encapsulationKey: bytes(1184),
          decapsulate: () => kept(bytes(32, 3)),
          destroy: () => forgotten.push('ML-KEM'),
        }),
        encapsulate: (key) =>
          key[0] === 0 ? undefined : { ciphertext: bytes(1088), sharedSecret: kept(bytes(32, 4)) },
      },
    );
    const share = now(crypto.generateKeyShare(group));
    expect(share.agree(bytes(1120))).toEqual(concat(bytes(32, 3), bytes(32, 1)));
    expect(now(crypto.answerKeyShare(group, bytes(1216)))?.sharedSecret).toEqual(concat(bytes(32, 4), bytes(32, 2)));
    expect(crypto.answerKeyShare(group, bytes(1216, 0))).toBeUndefined();
    expect(halves).toEqual(Array.from({ length: 5 }, () => bytes(32, 0)));
    share.destroy?.();
    expect(forgotten.sort()).toEqual(['ML-KEM', 'x25519']);
  });
});
