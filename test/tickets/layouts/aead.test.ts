import { createCipheriv, hkdfSync, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../../src/bytes.js';
import type { AeadAlgorithm, CryptoBackend } from '../../../src/crypto/backend.js';
import { fizzLayout } from '../../../src/tickets/layouts/fizz.js';
import { mbedtlsLayout } from '../../../src/tickets/layouts/mbedtls.js';
import { paddedLayout } from '../../../src/tickets/layouts/padded.js';
import { rustlsRingLayout } from '../../../src/tickets/layouts/rustls.js';
import { s2nLayout } from '../../../src/tickets/layouts/s2n.js';
import { wolfsslAesGcmLayout, wolfsslLayout } from '../../../src/tickets/layouts/wolfssl.js';
import { backends } from '../backends.js';
import { bytes } from './every-layout.js';

const name = bytes(16, 1);
const none = new Uint8Array(0);

/** Ciphertext and tag, by node:crypto. */
function sealByHand(
  algorithm: AeadAlgorithm,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
) {
  const cipher =
    algorithm === 'chacha20-poly1305'
      ? createCipheriv(algorithm, key, nonce, { authTagLength: 16 })
      : createCipheriv(algorithm, key, nonce, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

const sixteen = (number: number) => Uint8Array.of(number >> 8, number);

describe.each(backends)('layouts with an AEAD ($name)', (crypto) => {
  /** Draws counting bytes, the same for every ticket. */
  const drawing: CryptoBackend = { ...crypto, randomBytes: (length) => bytes(length, 50) };
  const states = [0, 1, 15, 16, 17, 110, 700].map((length) => bytes(length, length));

  it('rustls with ring: ChaCha20-Poly1305, and the name is authenticated', () => {
    const secret = bytes(32, 2);
    const nonce = bytes(12, 50);
    const prepared = rustlsRingLayout.prepare(drawing, { name, secret });
    for (const state of states) {
      const expected = concat(name, nonce, sealByHand('chacha20-poly1305', secret, nonce, name, state));
      expect(toHex(prepared.seal(state))).toBe(toHex(expected));
      expect(prepared.open(expected)).toEqual(state);
    }
  });

  it.each([
    { layout: wolfsslLayout, algorithm: 'chacha20-poly1305', length: 32 },
    { layout: wolfsslAesGcmLayout, algorithm: 'aes-128-gcm', length: 16 },
    { layout: wolfsslAesGcmLayout, algorithm: 'aes-256-gcm', length: 32 },
  ] as const)('$layout.name: $algorithm, 12 bytes of the IV, a tag and 16 zeros', ({ layout, algorithm, length }) => {
    const secret = bytes(length, 2);
    const iv = bytes(16, 50);
    const prepared = layout.prepare(drawing, { name, secret });
    for (const state of states) {
      const head = concat(name, iv, sixteen(state.length));
      const expected = concat(head, sealByHand(algorithm, secret, iv.subarray(0, 12), head, state), new Uint8Array(16));
      expect(toHex(prepared.seal(state))).toBe(toHex(expected));
      expect(prepared.open(expected)).toEqual(state);
      // Nothing protects the unused half of the MAC's field: it has to be what wolfSSL leaves there.
      expected[expected.length - 1] = 1;
      expect(prepared.open(expected)).toBe('malformed');
    }
  });

  it('wolfSSL and mbed TLS: an authentic length that is not the length is malformed', () => {
    const secret = bytes(32, 2);
    const head = concat(name, bytes(16, 50), sixteen(100));
    const sealed = sealByHand('chacha20-poly1305', secret, head.subarray(16, 28), head, bytes(99, 1));
    expect(wolfsslLayout.prepare(crypto, { name, secret }).open(concat(head, sealed, new Uint8Array(16)))).toBe(
      'malformed',
    );

    const shortName = name.subarray(0, 4);
    const shortHead = concat(shortName, bytes(12, 50), sixteen(100));
    const shortSealed = sealByHand('aes-256-gcm', secret, shortHead.subarray(4, 16), shortHead, bytes(99, 1));
    expect(mbedtlsLayout.prepare(crypto, { name: shortName, secret }).open(concat(shortHead, shortSealed))).toBe(
      'malformed',
    );
  });

  it('fizz: AES-128-GCM under a key and an IV of the salt, and any sequence number', () => {
    const secret = bytes(40, 2);
    const salt = bytes(32, 50);
    const extracted = createHmac('sha256', 'Fizz Ticket Codec v2').update(secret).digest();
    const keys = expandByHand(extracted, salt, 28);
    const prepared = fizzLayout.prepare(drawing, { name, secret });
    for (const state of states) {
      const expected = concat(
        salt,
        new Uint8Array(4),
        sealByHand('aes-128-gcm', keys.subarray(0, 16), keys.subarray(16), none, state),
      );
      expect(toHex(prepared.seal(state))).toBe(toHex(expected));
      expect(prepared.open(expected)).toEqual(state);
    }
    const sequence = Uint8Array.of(1, 2, 3, 4);
    const nonce = keys.slice(16).map((byte, i) => byte ^ (sequence[i - 8] ?? 0));
    const later = concat(salt, sequence, sealByHand('aes-128-gcm', keys.subarray(0, 16), nonce, none, bytes(80, 1)));
    expect(prepared.open(later)).toEqual(bytes(80, 1));
  });

  it('s2n: the key of a ticket is HKDF of what is HKDF of the secret', () => {
    const secret = bytes(21, 2);
    const keys = new Uint8Array(hkdfSync('sha256', secret, none, none, 44));
    const [info, iv] = [bytes(32, 50), bytes(12, 50)];
    const ticketKey = new Uint8Array(hkdfSync('sha256', keys.subarray(0, 32), none, info, 32));
    const prepared = s2nLayout.prepare(drawing, { name, secret });
    for (const state of states) {
      const sealed = sealByHand('aes-256-gcm', ticketKey, iv, concat(keys.subarray(32), name), state);
      const expected = concat(Uint8Array.of(1), name, info, iv, sealed);
      expect(toHex(prepared.seal(state))).toBe(toHex(expected));
      expect(prepared.open(expected)).toEqual(state);
    }
  });

  it('a backend without the AEAD is told so when the key is set up', () => {
    const poor: CryptoBackend = { ...crypto, capabilities: { ...crypto.capabilities, aeads: [] } };
    for (const layout of [paddedLayout, s2nLayout, fizzLayout])
      expect(() => layout.prepare(poor, { name, secret: bytes(32, 2) })).toThrow(
        expect.objectContaining({ code: 'unsupported_by_backend' }),
      );
  });
});

/** RFC 5869 2.3. */
function expandByHand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const block = createHmac('sha256', key).update(info).update(Uint8Array.of(1)).digest();
  return new Uint8Array(block.subarray(0, length));
}
