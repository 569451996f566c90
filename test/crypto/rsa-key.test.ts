import { generatePrimeSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/bytes.js';
import type { PublicKey } from '../../src/crypto/backend.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import {
  maximumRsaExponentBits,
  maximumRsaModulusBits,
  minimumRsaModulusBits,
  minimumRsaSigningModulusBits,
  rsaPublicNumbers,
  toBigInt,
} from '../../src/crypto/rsa-key.js';
import { backends, bytes, generateRsaKey, refusal } from './backends.js';
import type { RsaPrivateKey } from './backends.js';

/** An odd number of that many bits. */
function odd(bits: number): Uint8Array {
  const value = new Uint8Array(Math.ceil(bits / 8));
  value[0] = 1 << ((bits - 1) % 8);
  value[value.length - 1]! |= 1;
  return value;
}

describe('limits of RSA keys', () => {
  const e = Uint8Array.of(1, 0, 1);

  it('are those of the named constants', () => {
    expect([minimumRsaModulusBits, minimumRsaSigningModulusBits, maximumRsaModulusBits]).toEqual([1024, 2048, 16384]);
    expect(rsaPublicNumbers({ modulus: odd(1024), exponent: e })).toEqual({ n: 2n ** 1023n + 1n, e: 65537n });
    expect(rsaPublicNumbers({ modulus: odd(16384), exponent: e })).toEqual({ n: 2n ** 16383n + 1n, e: 65537n });
    expect(rsaPublicNumbers({ modulus: odd(1023), exponent: e })).toBeUndefined();
    expect(rsaPublicNumbers({ modulus: odd(16385), exponent: e })).toBeUndefined();
    const longest = odd(maximumRsaExponentBits);
    expect(rsaPublicNumbers({ modulus: odd(2048), exponent: longest })?.e).toBe(2n ** 32n + 1n);
    expect(rsaPublicNumbers({ modulus: odd(2048), exponent: odd(maximumRsaExponentBits + 1) })).toBeUndefined();
  });

  it('leave out even moduli and exponents that are even or one', () => {
    const even = odd(2048);
    even[255] = 2;
    expect(rsaPublicNumbers({ modulus: even, exponent: e })).toBeUndefined();
    for (const exponent of [[], [0], [1], [2], [1, 0, 0]]) {
      expect(rsaPublicNumbers({ modulus: odd(2048), exponent: Uint8Array.from(exponent) })).toBeUndefined();
    }
  });
});

describe.each(backends)('RSA of $name', ({ crypto }) => {
  it('SP 800-131A: a key of 1024 bits verifies and does not sign', async () => {
    const key = generateRsaKey(1024);
    expect(() => crypto.signer(key)).toThrow(refusal('invalid_key'));
    const signature = pkcs1Signature(key, bytes(3));
    const publicKey: PublicKey = { kind: 'rsa', modulus: key.modulus, exponent: key.exponent };
    expect(await crypto.verify({ kind: 'rsa_pkcs1', hash: 'sha256' }, publicKey, bytes(3), signature)).toBe(true);
    expect(await crypto.verify({ kind: 'rsa_pkcs1', hash: 'sha384' }, publicKey, bytes(3), signature)).toBe(false);
    // 64 bytes of hash and 64 of salt do not fit into 128 (RFC 8017 9.1.2, step 3).
    expect(await crypto.verify({ kind: 'rsa_pss', hash: 'sha512' }, publicKey, bytes(3), signature)).toBe(false);
  });

  it('a modulus of 8k + 2 bits has signatures as long as the modulus', async () => {
    const key = generateRsaKey(2050);
    const signer = crypto.signer(key);
    for (const kind of ['rsa_pss', 'rsa_pkcs1'] as const) {
      const signature = await signer.sign({ kind, hash: 'sha256' }, bytes(3));
      expect(signature).toHaveLength(257);
      for (const other of backends) {
        expect(await other.crypto.verify({ kind, hash: 'sha256' }, signer.publicKey, bytes(3), signature)).toBe(true);
      }
    }
  });
});

describe('a modulus of 8k + 1 bits, whose encoded messages are a byte shorter than it', () => {
  const key = keyOfBits(2049);
  const pss = { kind: 'rsa_pss', hash: 'sha256' } as const;

  it('signs on node and verifies on both', async () => {
    const signer = nodeCrypto.signer(key);
    const signature = await signer.sign(pss, bytes(3));
    expect(signature).toHaveLength(257);
    for (const { crypto } of backends) {
      expect(await crypto.verify(pss, signer.publicKey, bytes(3), signature)).toBe(true);
      expect(await crypto.verify(pss, signer.publicKey, bytes(4), signature)).toBe(false);
      // As an integer nearly the modulus: too large for an encoded message.
      expect(await crypto.verify(pss, signer.publicKey, bytes(3), bytes(257, 0xff))).toBe(false);
    }
  });

  it('does not sign on noble, where the library writes PSS signatures too short', () => {
    expect(() => nobleCryptoWithRsa.signer(key)).toThrow(refusal('invalid_key'));
  });
});

/** OpenSSL's generator rounds such lengths down. */
function keyOfBits(bits: number): RsaPrivateKey {
  const e = 65537n;
  for (;;) {
    const p = generatePrimeSync((bits + 1) >> 1, { bigint: true });
    const q = generatePrimeSync(bits >> 1, { bigint: true });
    if ((p * q).toString(2).length !== bits || p % e === 1n || q % e === 1n) continue;
    const d = inverse(e, (p - 1n) * (q - 1n));
    const [modulus, exponent, privateExponent] = [fromBigInt(p * q), fromBigInt(e), fromBigInt(d)];
    const [prime1, prime2, coefficient] = [fromBigInt(p), fromBigInt(q), fromBigInt(inverse(q, p))];
    const [exponent1, exponent2] = [fromBigInt(d % (p - 1n)), fromBigInt(d % (q - 1n))];
    return { kind: 'rsa', modulus, exponent, privateExponent, prime1, prime2, exponent1, exponent2, coefficient };
  }
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a !== 0n) [a, b, x, y] = [b % a, a, y - (b / a) * x, x];
  return ((y % modulus) + modulus) % modulus;
}

function fromBigInt(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
}

/** RSASSA-PKCS1-v1_5 by hand: 00 01 ff.. 00 DigestInfo, raised to d. */
function pkcs1Signature(key: RsaPrivateKey, data: Uint8Array): Uint8Array {
  const digestInfo = `3031300d060960864801650304020105000420${toHex(nodeCrypto.hash('sha256', data))}`;
  const length = key.modulus.length;
  const n = toBigInt(key.modulus);
  let base = toBigInt(fromHex(`0001${'ff'.repeat(length - 3 - digestInfo.length / 2)}00${digestInfo}`));
  let result = 1n;
  for (let d = toBigInt(key.privateExponent); d > 0n; d >>= 1n) {
    if (d & 1n) result = (result * base) % n;
    base = (base * base) % n;
  }
  return fromHex(result.toString(16).padStart(2 * length, '0'));
}
