import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import { KeyedHash } from '../../src/sessions/keyed-hash.js';
import vectors from '../../vectors/halfsiphash/halfsiphash-1-3.json' with { type: 'json' };

const input = Uint8Array.from({ length: 80 }, (_, i) => (i < 8 ? 0xee : i - 8));

describe('KeyedHash', () => {
  const key = fromHex(vectors.keyHex);
  const keyed = new KeyedHash(key, 80);

  it.each(vectors.hashes.map((hash, length) => [length, hash] as const))(
    'of %d bytes in the middle of others, after longer ones, as in Linux',
    (length, hash) => {
      keyed.hash(input);
      const ours = keyed.hash(input.subarray(8, 8 + length)) >>> 0;
      expect(ours.toString(16).padStart(8, '0')).toBe(hash);
    },
  );

  it('has the words of what it hashed', () => {
    keyed.hash(input);
    keyed.hash(fromHex('0102030405f6'));
    expect(keyed.length).toBe(6);
    expect([...keyed.words.subarray(0, 2)]).toEqual([0x04030201, 0x0600f605]);
  });

  it('another key makes another hash', () => {
    const others = [1, 0x80].flatMap((bit) =>
      Array.from({ length: 8 }, (_, i) => {
        const changed = Uint8Array.from(key);
        changed[i]! ^= bit;
        return new KeyedHash(changed, 80).hash(input);
      }),
    );
    expect(new Set([keyed.hash(input), ...others]).size).toBe(17);
  });
});
