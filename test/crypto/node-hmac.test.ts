import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { NodeHmacKey } from '../../src/crypto/node-hmac.js';

const counting = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => i * 7 + 1);

describe.each(['sha256', 'sha384'] as const)('HMAC of the node backend (%s)', (hash) => {
  // On either side of a block of the hash, of the longest MAC on noble, and of the room that is kept.
  const lengths = [0, 1, 63, 64, 65, 118, 119, 120, 127, 128, 129, 511, 512, 513, 70_000];

  it.each([0, 1, 48, 63, 64, 65, 127, 128, 129, 300])(
    'a key of %i bytes: the MACs of createHmac, in any order',
    (n) => {
      const key = counting(n);
      const mac = new NodeHmacKey(hash, key);
      for (const length of [...lengths, ...[...lengths].reverse()]) {
        const data = counting(length);
        const cut = length >> 1;
        const expected = createHmac(hash, key).update(data).digest('hex');
        expect(toHex(mac.compute(data.subarray(0, cut), data.subarray(cut))), `${length} bytes`).toBe(expected);
      }
    },
  );

  it('what was answered stays as it is', () => {
    const mac = new NodeHmacKey(hash, counting(32));
    const first = mac.compute(counting(200));
    const copy = toHex(first);
    mac.compute(counting(201));
    mac.destroy();
    expect(toHex(first)).toBe(copy);
  });

  it('works on a copy of the key', () => {
    const key = counting(32);
    const mac = new NodeHmacKey(hash, key);
    const expected = createHmac(hash, key).update(counting(200)).digest('hex');
    key.fill(0);
    expect(toHex(mac.compute(counting(200)))).toBe(expected);
  });
});
