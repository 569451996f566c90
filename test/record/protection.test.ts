import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import { aeadKeyLength, type AeadAlgorithm, type CryptoBackend } from '../../src/crypto/backend.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { keySizes, tls12Protection } from '../../src/record/protection.js';
import { alertOf } from '../support/alerts.js';
import { backends } from '../tickets/backends.js';

const aeads = ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'] as const;
const explicitLength = { 'aes-128-gcm': 8, 'aes-256-gcm': 8, 'chacha20-poly1305': 0 } as const;

function directionKeys(aead: AeadAlgorithm) {
  const sizes = keySizes(aead);
  return { key: new Uint8Array(sizes.key).fill(0x4b), iv: fromHex('a0a1a2a3a4a5a6a7a8a9aaab').subarray(0, sizes.iv) };
}

function protect(crypto: CryptoBackend, aead: AeadAlgorithm) {
  return tls12Protection(crypto, aead, directionKeys(aead));
}

/** Seals into an array of exactly the right size. */
function seal(writer: ReturnType<typeof protect>, contentType: number, plaintext: Uint8Array): Uint8Array {
  const fragment = new Uint8Array(plaintext.length + writer.sealedLength(0));
  writer.seal(contentType, plaintext, fragment);
  return fragment;
}

describe.each(backends)('TLS 1.2 record protection ($name)', (crypto) => {
  it('takes from the key block what RFC 5288 3 and RFC 7905 2 say', () => {
    expect(aeads.map(keySizes)).toEqual([
      { key: 16, iv: 4 },
      { key: 32, iv: 4 },
      { key: 32, iv: 12 },
    ]);
  });

  it.each(['aes-128-gcm', 'aes-256-gcm'] as const)('%s opens whatever explicit nonce the peer chose', (aead) => {
    const { key, iv } = directionKeys(aead);
    const nonce = fromHex('f00df00df00df00d');
    const sealed = new Uint8Array(1 + 16);
    const additionalData = fromHex('00000000000000001703030001');
    crypto.aead(aead, key).seal(concat(iv, nonce), additionalData, fromHex('2a'), sealed);
    expect(protect(crypto, aead).open(0x17, concat(nonce, sealed)).payload).toEqual(fromHex('2a'));
  });

  describe.each(aeads)('%s', (aead) => {
    const explicit = explicitLength[aead];

    it('RFC 5246 6.2.3.3: nonce and additional data, computed apart, over four sequence numbers', () => {
      const writer = protect(crypto, aead);
      const { key, iv } = directionKeys(aead);
      const plaintext = fromHex('c0ffee');
      for (let sequence = 0; sequence < 4; sequence++) {
        const sequenceBytes = fromHex(sequence.toString(16).padStart(16, '0'));
        const nonce =
          explicit === 8
            ? concat(iv, sequenceBytes)
            : iv.map((byte, i) => byte ^ (i < 4 ? 0 : (sequenceBytes[i - 4] ?? 0)));
        const additionalData = concat(sequenceBytes, fromHex('17'), fromHex('0303'), fromHex('0003'));
        const sealed = new Uint8Array(3 + 16);
        crypto.aead(aead, key).seal(nonce, additionalData, plaintext, sealed);
        const expected = concat(sequenceBytes.subarray(0, explicit), sealed);
        expect(toHex(seal(writer, 0x17, plaintext)), `sequence ${String(sequence)}`).toBe(toHex(expected));
      }
    });

    it('what one side seals the other opens, in order, at any size', () => {
      const [writer, reader] = [protect(crypto, aead), protect(crypto, aead)];
      fc.assert(
        fc.property(fc.constantFrom(20, 21, 22, 23), fc.uint8Array({ maxLength: 300 }), (contentType, plaintext) => {
          const fragment = seal(writer, contentType, plaintext);
          expect(fragment.length).toBe(plaintext.length + explicit + 16);
          expect(toHex(reader.open(contentType, fragment).payload)).toBe(toHex(plaintext));
        }),
      );
      const largest = new Uint8Array(2 ** 14).fill(9);
      expect(reader.open(23, seal(writer, 23, largest)).payload).toEqual(largest);
    });

    it('any flipped bit, other content type, or cut is bad_record_mac', () => {
      const fragment = seal(protect(crypto, aead), 23, fromHex('68656c6c6f'));
      for (let bit = 0; bit < fragment.length * 8; bit++) {
        const forged = fragment.slice();
        forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(
          alertOf(() => protect(crypto, aead).open(23, forged)),
          `bit ${String(bit)}`,
        ).toBe('bad_record_mac');
      }
      for (const contentType of [20, 21, 22])
        expect(alertOf(() => protect(crypto, aead).open(contentType, fragment))).toBe('bad_record_mac');
      for (let length = 0; length < fragment.length; length++)
        expect(alertOf(() => protect(crypto, aead).open(23, fragment.subarray(0, length)))).toBe('bad_record_mac');
    });

    it('replayed, dropped and reordered records are bad_record_mac', () => {
      const writer = protect(crypto, aead);
      const [first, second] = [seal(writer, 23, fromHex('01')), seal(writer, 23, fromHex('02'))];
      const replayed = protect(crypto, aead);
      replayed.open(23, first);
      expect(alertOf(() => replayed.open(23, first))).toBe('bad_record_mac');
      expect(alertOf(() => protect(crypto, aead).open(23, second))).toBe('bad_record_mac');
    });

    it('the plaintext has an array of its own, and the input stays as it is', () => {
      const fragment = seal(protect(crypto, aead), 23, fromHex('68656c6c6f'));
      const before = toHex(fragment);
      const { payload: plaintext } = protect(crypto, aead).open(23, fragment);
      expect(plaintext.buffer).not.toBe(fragment.buffer);
      plaintext.fill(0);
      expect(toHex(fragment)).toBe(before);
    });

    it('works on copies: the key block may be wiped at once', () => {
      const keys = directionKeys(aead);
      const { key, iv } = { key: keys.key.slice(), iv: keys.iv.slice() };
      const wiped = tls12Protection(crypto, aead, { key, iv });
      key.fill(0);
      iv.fill(0);
      expect(key.length).toBe(aeadKeyLength[aead]);
      const plaintext = fromHex('abcd');
      expect(toHex(seal(wiped, 22, plaintext))).toBe(toHex(seal(protect(crypto, aead), 22, plaintext)));
    });
  });
});

describe.each(aeads)('sequence numbers, %s', (aead) => {
  it('carry into every byte: the nonces of records 255, 256, 65535 and 65536', () => {
    const seen = new Map<number, { nonce: string; sequence: string }>();
    let sealed = 0;
    const { key, iv } = directionKeys(aead);
    const recording: CryptoBackend = {
      ...nobleCrypto,
      aead: () => ({
        seal: (nonce, additionalData) => {
          if (expected.has(sealed))
            seen.set(sealed, { nonce: toHex(nonce), sequence: toHex(additionalData.subarray(0, 8)) });
          sealed++;
        },
        open: () => undefined,
        destroy: () => undefined,
      }),
    };
    const expected = new Map(
      [0, 255, 256, 65_535, 65_536].map((record) => {
        const sequence = record.toString(16).padStart(16, '0');
        const padded = concat(iv, new Uint8Array(12 - iv.length));
        const nonce = toHex(padded.map((byte, i) => byte ^ (i < 4 ? 0 : (fromHex(sequence)[i - 4] ?? 0))));
        return [record, { nonce, sequence }];
      }),
    );
    const writer = tls12Protection(recording, aead, { key, iv });
    const output = new Uint8Array(writer.sealedLength(0));
    for (let record = 0; record <= 65_536; record++) writer.seal(0x17, new Uint8Array(0), output);
    expect(seen).toEqual(expected);
  });
});
