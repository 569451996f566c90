import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import { hashKey, keyedHash } from '../../src/sessions/keyed-hash.js';
import vectors from '../../vectors/halfsiphash/halfsiphash-1-3.json' with { type: 'json' };

const input = Uint8Array.from({ length: 80 }, (_, i) => (i < 8 ? 0xee : i - 8));

describe('keyedHash', () => {
  const key = hashKey(fromHex(vectors.keyHex));

  it.each(vectors.hashes.map((hash, length) => [length, hash] as const))(
    'of %d bytes in the middle of others, as in Linux',
    (length, hash) => {
      const ours = keyedHash(key, input, 8, 8 + length) >>> 0;
      expect(ours.toString(16).padStart(8, '0')).toBe(hash);
    },
  );

  it('another key makes another hash', () => {
    const others = [1, 0x80].flatMap((bit) =>
      Array.from({ length: 8 }, (_, i) => {
        const changed = fromHex(vectors.keyHex);
        changed[i]! ^= bit;
        return keyedHash(hashKey(changed), input, 8, 40);
      }),
    );
    expect(new Set([keyedHash(key, input, 8, 40), ...others]).size).toBe(17);
  });
});
