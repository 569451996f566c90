import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import { hashLength } from '../../src/crypto/backend.js';
import { hkdfExpand, hkdfExtract } from '../../src/crypto/hkdf.js';
import { backends, refusal } from './backends.js';

describe.each(backends)('HKDF on $name', ({ crypto }) => {
  it.each(['sha256', 'sha384'] as const)('RFC 5869 2.3: shorter outputs are prefixes of longer ones (%s)', (hash) => {
    const key = crypto.hmac(hash, hkdfExtract(crypto, hash, ascii('salt'), ascii('input')));
    const longest = toHex(hkdfExpand(key, ascii('info'), 255 * hashLength[hash]));
    for (const blocks of [0, 1, 2, 3, 254]) {
      for (const length of [blocks * hashLength[hash], blocks * hashLength[hash] + 1]) {
        expect(toHex(hkdfExpand(key, ascii('info'), length))).toBe(longest.slice(0, 2 * length));
      }
    }
  });

  it('RFC 5869 2.3: refuses more than 255 blocks', () => {
    const key = crypto.hmac('sha256', new Uint8Array(32));
    expect(() => hkdfExpand(key, ascii('info'), 255 * 32 + 1)).toThrow(refusal('invalid_option'));
  });

  it('RFC 5869 2.2: an empty salt is a string of zeros as long as the hash', () => {
    expect(hkdfExtract(crypto, 'sha384', new Uint8Array(0), ascii('input'))).toEqual(
      hkdfExtract(crypto, 'sha384', new Uint8Array(48), ascii('input')),
    );
  });
});
