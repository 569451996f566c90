import { createCipheriv, createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import { CtrKey, hmacSha1, longNonceGcm, md5, sha1, sha3_512, sha512 } from '../../src/crypto/noble-foreign.js';

const anyBytes = fc.uint8Array({ maxLength: 300 });
const aesKey = fc.constantFrom(16, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
const iv = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('digests', () => {
  it('are those of node:crypto, and of the standards for "abc"', () => {
    expect(toHex(sha1(ascii('abc')))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
    expect(toHex(md5(ascii('abc')))).toBe('900150983cd24fb0d6963f7d28e17f72');
    const digests = { sha1, md5, sha512, 'sha3-512': sha3_512 };
    fc.assert(
      fc.property(anyBytes, (data) => {
        for (const [name, digest] of Object.entries(digests))
          expect(toHex(digest(data))).toBe(createHash(name).update(data).digest('hex'));
      }),
    );
  });
});

describe('HMAC-SHA-1', () => {
  it('RFC 2202 3: test cases 1, 2 and 6', () => {
    expect(toHex(hmacSha1(new Uint8Array(20).fill(0x0b)).compute(ascii('Hi There')))).toBe(
      'b617318655057264e28bc0b6fb378c8ef146be00',
    );
    expect(toHex(hmacSha1(ascii('Jefe')).compute(ascii('what do ya want '), ascii('for nothing?')))).toBe(
      'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
    );
    expect(
      toHex(
        hmacSha1(new Uint8Array(80).fill(0xaa)).compute(
          ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
        ),
      ),
    ).toBe('aa4ae5e15272d00e95705637ce8a3b55ed402112');
  });

  it('is that of node:crypto, key after key and part after part', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, anyBytes, (key, head, tail) => {
        const mac = hmacSha1(key);
        const expected = createHmac('sha1', key).update(head).update(tail).digest('hex');
        expect([toHex(mac.compute(head, tail)), toHex(mac.compute(head, tail))]).toEqual([expected, expected]);
        mac.destroy();
        expect(() => mac.compute(head)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
      }),
    );
  });
});

describe('AES-CTR', () => {
  it('SP 800-38A F.5.1: the four blocks of AES-128', () => {
    const key = new CtrKey(fromHex('2b7e151628aed2a6abf7158809cf4f3c'));
    const plaintext = fromHex(
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
    );
    expect(toHex(key.encrypt(fromHex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), plaintext))).toBe(
      '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee',
    );
  });

  it('is that of node:crypto at every address, also where the counter runs over, and leaves its arguments alone', () => {
    fc.assert(
      fc.property(aesKey, iv, anyBytes, fc.nat(3), fc.boolean(), (key, start, data, offset, overflows) => {
        if (overflows) start.fill(0xff);
        const before = start.slice();
        const input = new Uint8Array(data.length + offset);
        input.set(data, offset);
        const ctr = new CtrKey(key);
        const sealed = ctr.encrypt(start, input.subarray(offset));
        const cipher = createCipheriv(`aes-${String(key.length * 8)}-ctr`, key, start);
        expect(toHex(sealed)).toBe(cipher.update(data).toString('hex'));
        expect([start, input.subarray(offset)]).toEqual([before, data]);
        expect(ctr.decrypt(start, sealed)).toEqual(data);
        ctr.destroy();
        expect(() => ctr.encrypt(start, data)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
      }),
    );
  });
});

describe('AES-GCM with nonces of 16 bytes', () => {
  it('is that of node:crypto, and opens nothing else', () => {
    fc.assert(
      fc.property(aesKey, iv, anyBytes, anyBytes, fc.nat(), (key, nonce, aad, plaintext, at) => {
        const gcm = longNonceGcm(key);
        const sealed = new Uint8Array(plaintext.length + 16);
        gcm.seal(nonce, aad, plaintext, sealed);
        const cipher = createCipheriv(key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', key, nonce).setAAD(aad);
        const expected = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
        expect(toHex(sealed)).toBe(expected.toString('hex'));
        expect(gcm.open(nonce, aad, sealed)).toEqual(plaintext);
        sealed[at % sealed.length]! ^= 1;
        expect(gcm.open(nonce, aad, sealed)).toBeUndefined();
        gcm.destroy();
        expect(() => gcm.open(nonce, aad, sealed)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
      }),
    );
  });

  it('answers less than a tag with nothing', () => {
    const gcm = longNonceGcm(new Uint8Array(32));
    for (let length = 0; length < 16; length++)
      expect(gcm.open(new Uint8Array(16), new Uint8Array(0), new Uint8Array(length))).toBeUndefined();
  });
});
