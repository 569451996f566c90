import fc from 'fast-check';
import { expect, it } from 'vitest';
import { base64url } from '../../src/presentation/base64.js';

it('RFC 4648 5 without padding, as Node.js writes it, of every length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url');
      expect(base64url.encode(bytes)).toBe(text);
      expect(base64url.decode(text)).toEqual(bytes);
    }),
  );
});

it('one byte string has one text', () => {
  for (const text of ['A', 'AAAAA', 'AB', 'AAB', 'AA==', 'AA AA', 'A+/A', 'ÀAAA', 'AAA\n', '\u{1f600}'])
    expect(base64url.decode(text)).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), (text) => {
      const bytes = base64url.decode(text);
      if (bytes !== undefined) expect(base64url.encode(bytes)).toBe(text);
    }),
  );
});
