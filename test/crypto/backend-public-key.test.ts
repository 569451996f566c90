/** What src/crypto/backend.ts promises of key agreement and signatures, on every backend and between them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat, equal, fromHex, toHex } from '../../src/bytes.js';
import type { EcdheGroup, EcdsaCurve, PrivateKey, PublicKey, SignatureAlgorithm } from '../../src/crypto/backend.js';
import { backends, bytes, curves as groups, generateRsaKey, noble, node, now, refusal } from './backends.js';

const secretLength = { x25519: 32, secp256r1: 32, secp384r1: 48, secp521r1: 66 } as const;
/** A secret key of any group; the first byte keeps it below the order of the curve. */
const secretKey = (group: EcdheGroup, value: number) => bytes(secretLength[group], value).fill(0, 0, 1);
const rsa = generateRsaKey(2048);
const ecdsa = (curve: EcdsaCurve): Extract<PrivateKey, { kind: 'ecdsa' }> => {
  const scalar = secretKey(curve, 7);
  return { kind: 'ecdsa', curve, scalar, point: node.keyShare(curve, scalar).publicKey };
};
/** RFC 8032 7.1, test 1. */
const ed25519: PrivateKey = {
  kind: 'ed25519',
  seed: fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
  key: fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
};
/** Every algorithm with a key that fits it. */
const signing: [string, PrivateKey, SignatureAlgorithm][] = (['sha256', 'sha384', 'sha512'] as const).flatMap(
  (hash) => [
    [`ecdsa secp256r1 ${hash}`, ecdsa('secp256r1'), { kind: 'ecdsa', hash }],
    [`ecdsa secp384r1 ${hash}`, ecdsa('secp384r1'), { kind: 'ecdsa', hash }],
    [`ecdsa secp521r1 ${hash}`, ecdsa('secp521r1'), { kind: 'ecdsa', hash }],
    [`rsa_pss ${hash}`, rsa, { kind: 'rsa_pss', hash }],
    [`rsa_pss ${hash}, key restricted to PSS`, { ...rsa, restriction: 'pss' }, { kind: 'rsa_pss', hash }],
    [`rsa_pkcs1 ${hash}`, rsa, { kind: 'rsa_pkcs1', hash }],
  ],
);
signing.push(
  ['ed25519', ed25519, { kind: 'ed25519' }],
  ['ecdsa secp256r1 sha1', ecdsa('secp256r1'), { kind: 'ecdsa', hash: 'sha1' }],
  ['rsa_pkcs1 sha1', rsa, { kind: 'rsa_pkcs1', hash: 'sha1' }],
);

describe.each(backends)('public keys of backend $name', ({ crypto, keyShare }) => {
  it.each(groups)('%s: both ends agree, and fresh pairs differ', async (group) => {
    const [a, b] = [await crypto.generateKeyShare(group), await crypto.generateKeyShare(group)];
    const length = { x25519: 32, secp256r1: 65, secp384r1: 97, secp521r1: 133 }[group];
    expect(a.publicKey).toHaveLength(length);
    expect(toHex(a.publicKey)).not.toBe(toHex(b.publicKey));
    const secret = (await a.agree(b.publicKey))!;
    for (const result of [a.publicKey, secret]) expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
    expect(secret).toHaveLength(secretLength[group]);
    expect(toHex((await b.agree(a.publicKey))!)).toBe(toHex(secret));
  });

  it.each(groups)('%s: the answer to a share agrees with it, and at once', async (group) => {
    const share = await crypto.generateKeyShare(group);
    const [answer, other] = [1, 2].map(() => now(crypto.answerKeyShare(group, share.publicKey))!);
    expect(toHex(answer!.publicKey)).not.toBe(toHex(other!.publicKey));
    expect(toHex((await share.agree(answer!.publicKey))!)).toBe(toHex(answer!.sharedSecret));
    expect(await crypto.answerKeyShare(group, share.publicKey.subarray(1))).toBeUndefined();
  });

  it('X25519 of small order is not answered, and a hybrid group that the backend lacks is refused', async () => {
    expect(await crypto.answerKeyShare('x25519', bytes(32, 0))).toBeUndefined();
    if (crypto.capabilities.groups.includes('X25519MLKEM768')) return;
    expect(() => crypto.generateKeyShare('X25519MLKEM768')).toThrow(refusal('unsupported_by_backend'));
    expect(() => crypto.answerKeyShare('X25519MLKEM768', bytes(1216))).toThrow(refusal('unsupported_by_backend'));
  });

  it.each(groups)('%s: malformed public keys agree on nothing', async (group) => {
    const share = await crypto.generateKeyShare(group);
    const good = share.publicKey;
    const anyLength = fc.uint8Array({ maxLength: 140 }).filter((key) => group !== 'x25519' || key.length !== 32);
    await fc.assert(
      fc.asyncProperty(anyLength, async (key) => {
        expect(await share.agree(key)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
    expect(await share.agree(concat(good, bytes(1)))).toBeUndefined();
    expect(await share.agree(good.subarray(1))).toBeUndefined();
    if (group === 'x25519') return;

    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: good.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const offCurve = good.slice();
          offCurve[at]! ^= mask;
          expect(await share.agree(offCurve)).toBeUndefined();
        },
      ),
      { numRuns: 50 },
    );
    const half = (good.length + 1) / 2;
    const compressed = concat(Uint8Array.of(2 + (good.at(-1)! & 1)), good.subarray(1, half));
    const hybrid = concat(Uint8Array.of(6 + (good.at(-1)! & 1)), good.subarray(1));
    const infinity = Uint8Array.of(0);
    for (const form of [compressed, hybrid, infinity, concat(Uint8Array.of(4), bytes(good.length - 1, 0))]) {
      expect(await share.agree(form)).toBeUndefined();
    }
  });

  it('RFC 7748 6.1: the small-order points of X25519 agree on nothing', async () => {
    const share = await crypto.generateKeyShare('x25519');
    const one = bytes(32, 0);
    one[0] = 1;
    const p = bytes(32, 255);
    p[0] = 0xed;
    p[31] = 0x7f;
    for (const point of [bytes(32, 0), one, p]) expect(await share.agree(point)).toBeUndefined();
  });

  it('secret keys that are none are refused', () => {
    for (const group of groups) expect(() => keyShare(group, bytes(31))).toThrow(refusal('invalid_key'));
    for (const value of [0, 255]) expect(() => keyShare('secp256r1', bytes(32, value))).toThrow(refusal('invalid_key'));
  });

  it.each(signing)('%s: signs and verifies, and changes do not verify', async (_, key, algorithm) => {
    const signer = crypto.signer(key);
    const data = ascii('data to sign');
    const signature = await signer.sign(algorithm, data);
    expect(Object.getPrototypeOf(signature)).toBe(Uint8Array.prototype);
    expect(await crypto.verify(algorithm, signer.publicKey, data, signature)).toBe(true);
    expect(await crypto.verify(algorithm, signer.publicKey, ascii('data to sigh'), signature)).toBe(false);
    for (const at of [0, 1, 5, signature.length - 1]) {
      const changed = signature.slice();
      changed[at]! ^= 0x10;
      expect(await crypto.verify(algorithm, signer.publicKey, data, changed)).toBe(false);
    }
    for (const wrong of [new Uint8Array(0), signature.subarray(1), concat(signature, bytes(1, 0))]) {
      expect(await crypto.verify(algorithm, signer.publicKey, data, wrong)).toBe(false);
    }
  });

  it('a key of another kind verifies nothing and signs nothing', async () => {
    for (const [, key, algorithm] of signing) {
      const { publicKey } = crypto.signer(key);
      for (const [, other, foreign] of signing) {
        if (algorithm.kind === foreign.kind || (key.kind === 'rsa' && other.kind === 'rsa')) continue;
        expect(await crypto.verify(foreign, publicKey, bytes(1), bytes(64))).toBe(false);
        expect(() => crypto.signer(key).sign(foreign, bytes(1))).toThrow(refusal('invalid_key'));
      }
    }
  });

  it('RFC 4055 1.2: a key restricted to PSS does nothing else', async () => {
    const restricted = crypto.signer({ ...rsa, restriction: 'pss' });
    const pkcs1 = { kind: 'rsa_pkcs1', hash: 'sha256' } as const;
    expect(restricted.publicKey).toEqual({
      kind: 'rsa',
      modulus: rsa.modulus,
      exponent: rsa.exponent,
      restriction: 'pss',
    });
    expect(() => restricted.sign(pkcs1, bytes(1))).toThrow(refusal('invalid_key'));
    const signature = await crypto.signer(rsa).sign(pkcs1, bytes(1));
    expect(await crypto.verify(pkcs1, restricted.publicKey, bytes(1), signature)).toBe(false);
  });

  it('malformed public keys and signatures are false, never an exception', async () => {
    const anyBytes = fc.uint8Array({ maxLength: 140 });
    const anyKey: fc.Arbitrary<PublicKey> = fc.oneof(
      fc.record({
        kind: fc.constant('ecdsa' as const),
        curve: fc.constantFrom('secp256r1', 'secp384r1', 'secp521r1'),
        point: anyBytes,
      }),
      fc.record({
        kind: fc.constant('ecdsa' as const),
        curve: fc.constant('secp256r1' as const),
        point: fc.uint8Array({ minLength: 64, maxLength: 64 }).map((xy) => concat(Uint8Array.of(4), xy)),
      }),
      fc.record({ kind: fc.constant('ed25519' as const), key: anyBytes }),
      fc.record({ kind: fc.constant('ed25519' as const), key: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
      fc.record({
        kind: fc.constant('rsa' as const),
        modulus: fc.oneof(anyBytes, fc.uint8Array({ minLength: 256, maxLength: 256 })),
        exponent: fc.uint8Array({ maxLength: 9 }),
      }),
    );
    const algorithms = signing.map(([, , algorithm]) => algorithm);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...algorithms), anyKey, anyBytes, async (algorithm, key, signature) => {
        expect(await crypto.verify(algorithm, key, ascii('data'), signature)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('private keys whose parts do not fit each other are refused', () => {
    const p256 = ecdsa('secp256r1');
    const other = noble.keyShare('secp256r1', bytes(32, 8)).publicKey;
    const wrong: PrivateKey[] = [
      { ...p256, point: other },
      { ...p256, scalar: bytes(31, 7) },
      { ...p256, scalar: bytes(32, 0) },
      { ...ed25519, key: bytes(32) },
      { ...ed25519, seed: bytes(33) },
    ];
    for (const part of ['privateExponent', 'prime1', 'prime2', 'exponent1', 'exponent2', 'coefficient'] as const) {
      wrong.push({ ...rsa, [part]: Uint8Array.from(rsa[part], (byte, i) => (i === 60 ? byte ^ 2 : byte)) });
      wrong.push({ ...rsa, [part]: new Uint8Array(0) });
    }
    for (const key of wrong) expect(() => crypto.signer(key)).toThrow(refusal('invalid_key'));
  });
});

describe('noble and node', () => {
  it.each(groups)('%s: the same secret keys give the same shares and secrets', async (group) => {
    for (const [mine, theirs] of [
      [3, 5],
      [17, 99],
    ] as const) {
      const [a, b] = [noble.keyShare(group, secretKey(group, mine)), node.keyShare(group, secretKey(group, mine))];
      const peer = node.keyShare(group, secretKey(group, theirs)).publicKey;
      expect(toHex(a.publicKey)).toBe(toHex(b.publicKey));
      expect(toHex((await a.agree(peer))!)).toBe(toHex((await b.agree(peer))!));
      const [fresh, foreign] = [await noble.crypto.generateKeyShare(group), await node.crypto.generateKeyShare(group)];
      expect(toHex((await fresh.agree(foreign.publicKey))!)).toBe(toHex((await foreign.agree(fresh.publicKey))!));
    }
  });

  it.each(signing)('%s: each verifies what the other signs', async (_, key, algorithm) => {
    const data = ascii('data to sign');
    const [a, b] = [noble.crypto.signer(key), node.crypto.signer(key)];
    expect(a.publicKey).toEqual(b.publicKey);
    const [byNoble, byNode] = [await a.sign(algorithm, data), await b.sign(algorithm, data)];
    expect(await node.crypto.verify(algorithm, a.publicKey, data, byNoble)).toBe(true);
    expect(await noble.crypto.verify(algorithm, a.publicKey, data, byNode)).toBe(true);
    const deterministic = algorithm.kind === 'ed25519' || algorithm.kind === 'rsa_pkcs1';
    expect(equal(byNoble, byNode)).toBe(deterministic);
  });
});
