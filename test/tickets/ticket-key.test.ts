import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { generateTicketKey, requireStrongTicketKey, type TicketKey } from '../../src/tickets/ticket-key.js';
import { backends } from './backends.js';

const strong: TicketKey = {
  name: fromHex('00000000000000000000000000000000'),
  aesKey: fromHex('2b7e151628aed2a6abf7158809cf4f3c'),
  hmacKey: fromHex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4'),
};

const weak: Record<string, Partial<Record<keyof TicketKey, unknown>>> = {
  'a missing name': { name: undefined },
  'a missing AES key': { aesKey: undefined },
  'a missing HMAC key': { hmacKey: null },
  'a key that is text': { aesKey: '0123456789abcdef' },
  'a short name': { name: strong.name.subarray(1) },
  'a long name': { name: new Uint8Array(17) },
  'a short AES key': { aesKey: strong.aesKey.subarray(1) },
  'an AES-192 key': { aesKey: strong.hmacKey.subarray(0, 24) },
  'an empty HMAC key': { hmacKey: new Uint8Array(0) },
  'a short HMAC key': { hmacKey: strong.hmacKey.subarray(0, 15) },
  'a long HMAC key': { hmacKey: new Uint8Array(65).map((_, i) => i * i) },
  'an all-zero AES key': { aesKey: new Uint8Array(16) },
  'an all-zero AES-256 key': { aesKey: new Uint8Array(32) },
  'an all-zero HMAC key': { hmacKey: new Uint8Array(32) },
  'a key of one byte repeated': { aesKey: new Uint8Array(16).fill(0x31) },
  'a key of four bytes repeated': { aesKey: fromHex('deadbeefdeadbeefdeadbeefdeadbeef') },
  'a key of three bytes repeated': { aesKey: fromHex('0102040102040102040102040102040 1'.replace(' ', '')) },
  'an HMAC key that is its first half twice': { hmacKey: fromHex('2b7e151628aed2a6abf7158809cf4f3d'.repeat(2)) },
  'a counting key': { aesKey: fromHex('000102030405060708090a0b0c0d0e0f') },
  'a key counting in threes, over the end of a byte': { aesKey: new Uint8Array(16).map((_, i) => 240 + 3 * i) },
  'equal AES and HMAC keys': { hmacKey: strong.aesKey },
  'an HMAC key that begins with the AES key': {
    aesKey: strong.hmacKey.subarray(0, 16),
  },
  'times in the wrong order': { sealsFrom: 2, sealsUntil: 1 },
  'an end of opening before the end of sealing': { sealsUntil: 2, opensUntil: 1 },
  'an end of opening before the start of sealing': { sealsFrom: 2, opensUntil: 1 },
  'a time that is no number': { sealsUntil: Number.NaN },
};

describe('requireStrongTicketKey', () => {
  it.each(Object.entries(weak))('P-key-1 refuses %s', (_, part) => {
    const key = { ...strong, ...part } as TicketKey;
    expect(() => requireStrongTicketKey(key)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
  });

  it.each([
    ['AES-128 and HMAC of 32 bytes', {}],
    ['AES-256', { aesKey: fromHex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff5').reverse() }],
    ['HMAC of 16 bytes', { hmacKey: strong.hmacKey.subarray(0, 16) }],
    ['all times', { sealsFrom: 1, sealsUntil: 2, opensUntil: 3 }],
    ['an end without an end of sealing', { sealsFrom: 1, opensUntil: 3 }],
  ])('takes %s', (_, part) => {
    expect(() => requireStrongTicketKey({ ...strong, ...part })).not.toThrow();
  });

  it('looks at the first 1024 bytes of a secret, however long a file makes it', () => {
    const random = nobleCrypto.randomBytes(1000);
    const { name } = strong;
    expect(() => requireStrongTicketKey({ name, secret: concat(new Uint8Array(1024), random) })).toThrow(
      expect.objectContaining({ code: 'invalid_key' }),
    );
    requireStrongTicketKey({ name, secret: concat(random, random) });
  });

  it('says nothing of the key bytes', () => {
    expect(() => requireStrongTicketKey({ ...strong, aesKey: fromHex('deadbeef'.repeat(4)) })).toThrow(
      'aesKey repeats itself every 4 bytes: not a random key',
    );
  });
});

describe.each(backends)('generateTicketKey ($name)', (crypto) => {
  it('R5077-5.5-1 takes every byte from the random source', () => {
    const keys = Array.from({ length: 50 }, () => generateTicketKey(crypto));
    for (const key of keys) requireStrongTicketKey(key);
    for (const part of ['name', 'aesKey', 'hmacKey'] as const) {
      expect(new Set(keys.map((key) => toHex(key[part]))).size).toBe(50);
    }
  });

  it('R9325-3.4-2 makes AES-256 keys unless told otherwise', () => {
    const { name, aesKey, hmacKey, ...times } = generateTicketKey(crypto);
    expect([name.length, aesKey.length, hmacKey.length]).toEqual([16, 32, 32]);
    expect(times).toEqual({});
    expect(generateTicketKey(crypto, { aesKeyLength: 16 }).aesKey.length).toBe(16);
    expect(generateTicketKey(crypto, { sealsFrom: 1, sealsUntil: 2, opensUntil: 3 })).toMatchObject({
      sealsFrom: 1,
      sealsUntil: 2,
      opensUntil: 3,
    });
  });
});
