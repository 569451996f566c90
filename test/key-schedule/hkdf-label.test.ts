import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat, empty, fromHex, toHex } from '../../src/bytes.js';
import { hkdfExpand } from '../../src/crypto/hkdf.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { hkdfExpandLabel, largestLabel } from '../../src/key-schedule/hkdf-label.js';
import { opaque, struct, uint16 } from '../../src/presentation/codec.js';
import { misuse } from '../support/decoding.js';
import { readVectors } from '../support/vectors.js';
import { backends } from '../tickets/backends.js';

interface Traces {
  readonly sections: readonly { readonly section: number; readonly steps: readonly DeriveSecret[] }[];
}
interface DeriveSecret {
  readonly op: string;
  readonly label: string;
  /** Not where a step is the peer's over again. */
  readonly PRK?: string;
  readonly hash: string;
  readonly expanded: string;
}

/** RFC 8446 7.1, as it stands there. */
const hkdfLabel = struct({ length: uint16, label: opaque(7, 2 ** 8 - 1), context: opaque(0, 2 ** 8 - 1) });

describe.each(backends)('HKDF-Expand-Label with backend $name', (crypto) => {
  it('gives every Derive-Secret of RFC 8448', () => {
    const { sections } = readVectors('rfc8448/rfc8448.json') as Traces;
    const steps = sections.flatMap(({ steps }) =>
      steps.filter(({ op, PRK }) => op === 'derive-secret' && PRK !== undefined),
    );
    expect(steps.length).toBeGreaterThan(40);
    for (const { label, PRK, hash, expanded } of steps) {
      const key = crypto.hmac('sha256', fromHex(PRK ?? ''));
      const bare = ascii(label.replace(/^tls13 /, ''));
      expect(toHex(hkdfExpandLabel(key, bare, fromHex(hash), expanded.length / 2))).toBe(expanded);
    }
  });
});

describe('HkdfLabel', () => {
  const key = nobleCrypto.hmac('sha256', ascii('secret'));

  it('R8446-7.1-1 written by hand equals its table', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: largestLabel });
    fc.assert(
      fc.property(
        label,
        fc.uint8Array({ maxLength: 255 }),
        fc.integer({ min: 1, max: 600 }),
        (label, context, length) => {
          const info = hkdfLabel.encode({ length, label: concat(ascii('tls13 '), label), context });
          expect(toHex(hkdfExpandLabel(key, label, context, length))).toBe(toHex(hkdfExpand(key, info, length)));
        },
      ),
    );
  });

  it('takes a label of no bytes: an exporter may ask for it', () => {
    // uint16 32, "tls13 " and nothing, nothing.
    const info = fromHex('0020' + '06746c733133' + '20' + '00');
    expect(toHex(hkdfExpandLabel(key, empty, empty, 32))).toBe(toHex(hkdfExpand(key, info, 32)));
  });

  it.each([
    ['a label of 250 bytes', 250, 0, 32],
    ['a context of 256 bytes', 1, 256, 32],
    ['more than 255 hashes', 1, 0, 255 * 32 + 1],
  ])('refuses %s', (_, label, context, length) => {
    const expand = () => hkdfExpandLabel(key, new Uint8Array(label), new Uint8Array(context), length);
    expect(misuse(expand)).toBe('invalid_option');
  });
});
