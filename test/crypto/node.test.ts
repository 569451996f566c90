import { createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import type { SignatureAlgorithm } from '../../src/crypto/backend.js';
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nodeCrypto, nodeSigner, publicKeyOf } from '../../src/crypto/node.js';
import { bytes, generateRsaKey, refusal } from './backends.js';

const pairs = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'secp521r1' }),
  Ed25519: generateKeyPairSync('ed25519'),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'RSA with exponent 3': generateKeyPairSync('rsa', { modulusLength: 2056, publicExponent: 3 }),
  'RSA-PSS': generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  'RSA-PSS with parameters': generateKeyPairSync('rsa-pss', {
    modulusLength: 2048,
    hashAlgorithm: 'sha256',
    mgf1HashAlgorithm: 'sha256',
  }),
};
const algorithms: Record<keyof typeof pairs, SignatureAlgorithm> = {
  'P-256': { kind: 'ecdsa', hash: 'sha256' },
  'P-384': { kind: 'ecdsa', hash: 'sha384' },
  'P-521': { kind: 'ecdsa', hash: 'sha512' },
  Ed25519: { kind: 'ed25519' },
  RSA: { kind: 'rsa_pkcs1', hash: 'sha256' },
  'RSA with exponent 3': { kind: 'rsa_pss', hash: 'sha384' },
  'RSA-PSS': { kind: 'rsa_pss', hash: 'sha512' },
  'RSA-PSS with parameters': { kind: 'rsa_pss', hash: 'sha256' },
};
const names = Object.keys(pairs) as (keyof typeof pairs)[];

describe('nodeSigner and publicKeyOf', () => {
  it.each(names)('%s: noble verifies what the key object signs, under the raw public key', async (name) => {
    const signer = nodeSigner(pairs[name].privateKey);
    const publicKey = publicKeyOf(pairs[name].publicKey)!;
    expect(signer.publicKey).toEqual(publicKey);
    const signature = await signer.sign(algorithms[name], ascii('data'));
    for (const crypto of [nodeCrypto, nobleCryptoWithRsa]) {
      expect(await crypto.verify(algorithms[name], publicKey, ascii('data'), signature)).toBe(true);
      expect(await crypto.verify(algorithms[name], publicKey, ascii('date'), signature)).toBe(false);
    }
  });

  it.each(names.filter((name) => !name.startsWith('RSA-PSS')))('%s: the raw parts are those of the JWK', (name) => {
    // By way of DER: a generated key is not exported as JWK (src/crypto/node-key-share.ts).
    const der = pairs[name].publicKey.export({ format: 'der', type: 'spki' });
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    const jwk = key.export({ format: 'jwk' });
    const part = (text: string | undefined) => Buffer.from(text ?? '', 'base64url').toString('hex');
    const raw = publicKeyOf(key)!;
    if (raw.kind === 'ecdsa') expect(toHex(raw.point)).toBe(`04${part(jwk.x)}${part(jwk.y)}`);
    else if (raw.kind === 'ed25519') expect(toHex(raw.key)).toBe(part(jwk.x));
    else if (raw.kind === 'rsa') expect([toHex(raw.modulus), toHex(raw.exponent)]).toEqual([part(jwk.n), part(jwk.e)]);
    else throw new Error(`no such key is here: ${raw.kind}`);
  });

  it('only id-RSASSA-PSS keys are restricted to PSS', () => {
    const restrictions = names.map((name) => {
      const key = publicKeyOf(pairs[name].publicKey);
      return key?.kind === 'rsa' ? (key.restriction ?? 'none') : undefined;
    });
    expect(restrictions).toEqual([undefined, undefined, undefined, undefined, 'none', 'none', 'pss', 'pss']);
  });

  it('other kinds have no raw parts and do not sign', () => {
    for (const { publicKey, privateKey } of [
      generateKeyPairSync('ed448'),
      generateKeyPairSync('x25519'),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
    ]) {
      expect(publicKeyOf(publicKey)).toBeUndefined();
      expect(() => nodeSigner(privateKey)).toThrow(refusal('invalid_key'));
    }
  });

  it('public keys, secret keys and short RSA keys do not sign', () => {
    expect(() => nodeSigner(pairs.RSA.publicKey)).toThrow(refusal('invalid_key'));
    expect(() => nodeSigner(createSecretKey(bytes(32)))).toThrow(refusal('invalid_key'));
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(() => nodeSigner(short.privateKey)).toThrow(refusal('invalid_key'));
  });
});

it('a public key is imported once, and a broken one never', async () => {
  const { modulus, exponent, ...rest } = generateRsaKey(2048);
  const key = { kind: 'rsa', modulus: modulus.slice(), exponent } as const;
  const signer = nodeCrypto.signer({ modulus, exponent, ...rest });
  const algorithm = { kind: 'rsa_pss', hash: 'sha256' } as const;
  const signature = await signer.sign(algorithm, bytes(1));
  expect(await nodeCrypto.verify(algorithm, key, bytes(1), signature)).toBe(true);
  key.modulus.fill(0);
  expect(await nodeCrypto.verify(algorithm, key, bytes(1), signature)).toBe(true);
  expect(await nodeCrypto.verify(algorithm, { ...key }, bytes(1), signature)).toBe(false);
});
