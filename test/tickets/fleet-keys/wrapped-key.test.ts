import { createDecipheriv, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/bytes.js';
import type { CryptoBackend } from '../../../src/crypto/backend.js';
import { nobleCrypto } from '../../../src/crypto/noble.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { KeyWrapping, type FleetKeyKind } from '../../../src/tickets/fleet-keys/wrapped-key.js';
import { generateSecretTicketKey, generateTicketKey } from '../../../src/tickets/ticket-key.js';

const secret = fromHex('8a1f3c5b7d2e4f6091a3b5c7d9ebfd0f123456789abcdef0fedcba9876543210');
const place = '{x}:7:0';
const publishedAt = 1_800_000_000_123;
const wrapping = (crypto: CryptoBackend, kind: FleetKeyKind = 'aes_hmac', context = '1', of = secret) =>
  new KeyWrapping(crypto, of, kind, context);

describe('KeyWrapping', () => {
  it.each([
    ['aes_hmac', generateTicketKey(nodeCrypto), 183],
    ['secret', generateSecretTicketKey(nodeCrypto), 140],
  ] as const)('takes %s keys from one backend to the other', (kind, key, length) => {
    for (const [from, to] of [
      [nodeCrypto, nobleCrypto],
      [nobleCrypto, nodeCrypto],
    ] as const) {
      const text = wrapping(from, kind).wrap({ key, publishedAt }, place);
      expect(text).toHaveLength(length);
      expect(wrapping(to, kind).unwrap(text, place)).toEqual({ key, publishedAt });
      expect(wrapping(from, kind).wrap({ key, publishedAt }, place)).not.toBe(text);
    }
  });

  it('is what its definition says, by the HKDF and AES-GCM of node:crypto', () => {
    const key = generateTicketKey(nodeCrypto);
    const text = wrapping(nobleCrypto, 'aes_hmac', '60\u000060\u000030').wrap({ key, publishedAt }, place);
    const entry = Buffer.from(text, 'base64url');
    expect([entry[0], entry.readBigUInt64BE(1)]).toEqual([1, BigInt(publishedAt)]);
    const prk = createHmac('sha256', 'tls-resume fleet keys 1').update(secret).digest();
    const info = Buffer.concat([entry.subarray(9, 41), Buffer.of(1)]);
    const wrappingKey = createHmac('sha256', prk).update(info).digest();
    const decipher = createDecipheriv('aes-256-gcm', wrappingKey, Buffer.alloc(12));
    decipher.setAAD(Buffer.from(`1\0aes_hmac\u000060\u000060\u000030\0${publishedAt}\0${place}`));
    decipher.setAuthTag(entry.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(entry.subarray(41, -16)), decipher.final()]);
    expect(toHex(plaintext)).toBe([key.name, key.aesKey, key.hmacKey].map(toHex).join(''));
  });

  it('opens nothing that was changed in any byte', () => {
    const one = wrapping(nodeCrypto);
    const entry = Buffer.from(one.wrap({ key: generateTicketKey(nodeCrypto), publishedAt }, place), 'base64url');
    const opened = [...entry].filter((_, i) => {
      const changed = Buffer.from(entry);
      changed.writeUInt8(changed.readUInt8(i) ^ 1, i);
      return one.unwrap(changed.toString('base64url'), place) !== undefined;
    });
    expect(opened).toEqual([]);
    expect(one.unwrap(entry.toString('base64url'), place)?.publishedAt).toBe(publishedAt);
  });

  it('opens nothing at another place, under another secret, for other settings or another kind of key', () => {
    const text = wrapping(nodeCrypto).wrap({ key: generateTicketKey(nodeCrypto), publishedAt }, place);
    const otherSecret = secret.slice().reverse();
    expect([
      wrapping(nodeCrypto).unwrap(text, '{x}:8:0'),
      wrapping(nodeCrypto).unwrap(text, '{x}:7:1'),
      wrapping(nodeCrypto).unwrap(text, '{y}:7:0'),
      wrapping(nodeCrypto, 'aes_hmac', '2').unwrap(text, place),
      wrapping(nodeCrypto, 'aes_hmac', '1', otherSecret).unwrap(text, place),
      wrapping(nodeCrypto, 'secret').unwrap(text, place),
    ]).toEqual(Array<undefined>(6).fill(undefined));
    expect(wrapping(nodeCrypto).unwrap(text, place)?.publishedAt).toBe(publishedAt);
  });
});
