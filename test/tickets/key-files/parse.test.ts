import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../../src/bytes.js';
import { nobleCrypto } from '../../../src/crypto/noble.js';
import { UsageError } from '../../../src/errors.js';
import { longestKeyFiles, mostKeysInFiles } from '../../../src/tickets/key-files/key-entry.js';
import { keyFileLayout, keyLength, type KeyFileLayoutName } from '../../../src/tickets/key-files/layouts.js';
import { parseTicketKeys } from '../../../src/tickets/key-files/parse.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { ticketSamples, type TicketSample } from '../../support/ticket-samples.js';
import { base64Lines, layoutNames, plain } from './arbitrary-keys.js';

const samples = ticketSamples();

/** The file that the server of a sample had, whole: HAProxy's has three lines. */
function fileOf(sample: TicketSample): readonly [layout: KeyFileLayoutName, file: Uint8Array] {
  const bytes = fromHex(sample.keyFileHex ?? sample.sessionTicketKeyHex ?? '');
  if (sample.sessionTicketKeyHex !== undefined) return ['go32', bytes];
  if (sample.keyFileLayout === 'h2o YAML') return ['h2o', bytes];
  const layout = sample.keyFileLayout as KeyFileLayoutName;
  if (keyFileLayout(layout).encoding !== 'base64_lines') return [layout, bytes];
  return [
    layout,
    base64Lines(
      bytes.map((byte) => byte ^ 1),
      bytes,
      bytes.map((byte) => byte ^ 2),
    ),
  ];
}

function refusalOf(layout: KeyFileLayoutName, files: Uint8Array | readonly Uint8Array[]): UsageError {
  try {
    parseTicketKeys(layout, files);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`${layout} was read`);
}

describe('parseTicketKeys', () => {
  describe('reads what real servers had', () => {
    const withFiles = samples.filter(
      ([, sample]) => sample.keyFileHex !== undefined || sample.sessionTicketKeyHex !== undefined,
    );

    it('there are samples of nine servers', () => {
      expect(new Set(withFiles.map(([, { server }]) => server)).size).toBeGreaterThanOrEqual(8);
    });

    it.each(withFiles.filter(([name]) => !name.startsWith('apache')))('%s', (_, sample) => {
      const [layout, file] = fileOf(sample);
      expect(plain(parseTicketKeys(layout, file)[0]!)).toEqual([
        sample.keyNameHex,
        sample.aesKeyHex,
        sample.hmacKeyHex,
      ]);
    });

    it.each(withFiles.filter(([name]) => name.startsWith('apache')))(
      '%s, in its variant and as documented',
      (_, sample) => {
        const file = fromHex(sample.keyFileHex ?? '');
        expect(plain(parseTicketKeys('apache48-ossl3', file)[0]!)).toEqual([
          sample.keyNameHex,
          sample.aesKeyHex,
          sample.hmacKeyHex,
        ]);
        const documented = toHex(file.subarray(16, 32));
        expect(plain(parseTicketKeys('apache48', file)[0]!)).toEqual([sample.keyNameHex, sample.aesKeyHex, documented]);
      },
    );
  });

  describe('which key seals', () => {
    const key = (seed: number, length = 48) => Uint8Array.from({ length }, (_, i) => (seed * 31 + i * i * 7) & 0xff);
    const first = (file: Uint8Array) => toHex(file.subarray(0, 16));

    it('nginx: that of the first file, and all open', () => {
      const files = [key(1), key(2), key(3)];
      const keys = parseTicketKeys('nginx48', files);
      expect(keys.map(({ name }) => toHex(name))).toEqual(files.map(first));
      expect(keys.map(({ sealsFrom }) => sealsFrom)).toEqual([undefined, undefined, undefined]);
    });

    it('HAProxy: that of the last but one line; the last one waits, and of those before one is kept', () => {
      const lines = [key(1), key(2), key(3), key(4)];
      const keys = parseTicketKeys('haproxy48', base64Lines(...lines));
      expect(keys.map(({ name }) => toHex(name))).toEqual([lines[2]!, lines[3]!, lines[1]!].map(first));
      expect(keys.map(({ sealsFrom }) => sealsFrom)).toEqual([undefined, Infinity, undefined]);
    });

    it('HAProxy: lines may end as Windows ends them, and the last need not end', () => {
      const text = Buffer.from(base64Lines(key(1), key(2), key(3)))
        .toString()
        .trimEnd()
        .replaceAll('\n', '\r\n');
      expect(parseTicketKeys('haproxy48', ascii(text))).toHaveLength(3);
    });

    it('h2o: the one whose not_before came last, of equal ones the smaller name', () => {
      const entry = (name: string, notBefore: number) =>
        `- name: ${name.repeat(16)}\n  cipher: AES-128-CBC\n  hash: SHA256\n  key: ${toHex(key(notBefore, 80))}\n  not_before: ${String(notBefore)}\n  not_after: 99\n`;
      const keys = parseTicketKeys('h2o', ascii(entry('0b', 5) + entry('0a', 5) + entry('0c', 7)));
      expect(keys.map(({ name }) => name[0])).toEqual([12, 10, 11]);
      expect(keys.map(({ sealsFrom, opensUntil }) => [sealsFrom, opensUntil])).toEqual([
        [7000, 100_000],
        [5000, 100_000],
        [5000, 100_000],
      ]);
    });

    it.each<[KeyFileLayoutName, Uint8Array[]]>([
      ['nginx48', [key(1), key(2)]],
      ['nginx80', [key(1, 80), key(2, 80)]],
      ['haproxy80', [base64Lines(key(1, 80), key(2, 80), key(3, 80))]],
      ['go32', [key(1, 32), key(2, 32)]],
    ])('a ring takes the keys of %s, and the first one seals', (layout, files) => {
      const ring = new KeyRing({ crypto: nobleCrypto, now: () => 0 });
      const keys = parseTicketKeys(layout, files);
      ring.replace(keys);
      expect(ring.status().map(({ seals }) => seals)).toEqual(keys.map((_, i) => i === 0));
    });
  });

  it.each([
    ['Uint8Array', (bytes: number[]) => Uint8Array.from(bytes)],
    ['Buffer, whose slices are views', (bytes: number[]) => Buffer.from(bytes)],
  ])('works on copies of a %s, which do not print', (_, arrayOf) => {
    const bytes = Array.from({ length: 48 }, (_, i) => (i * i) & 0xff);
    const file = arrayOf(bytes);
    const [key] = parseTicketKeys('nginx48', file);
    const before = plain(key!);
    expect([...file]).toEqual(bytes);
    file.fill(0);
    expect(plain(key!)).toEqual(before);
    expect(String(key!.aesKey)).toBe('[16 secret bytes]');
  });

  describe('refuses, with a reason that holds no byte of the file', () => {
    it.each(layoutNames.filter((name) => keyFileLayout(name).encoding === 'raw' && name !== 'gnutls64'))(
      '%s of every other size',
      (layout) => {
        const expected = keyLength(keyFileLayout(layout));
        const most = layout.startsWith('apache') ? expected : 100;
        for (let length = 0; length < most; length++) {
          if (length === expected) continue;
          const { code, message } = refusalOf(layout, new Uint8Array(length).fill(7));
          expect([code, message]).toEqual([
            'invalid_key',
            `${layout}: got ${String(length)} bytes in file 1, expected ${String(expected)}`,
          ]);
        }
      },
    );

    it('text in place of raw bytes is called by its name', () => {
      expect(refusalOf('nginx48', ascii('ab'.repeat(48))).message).toBe(
        'nginx48: got 96 bytes in file 1, expected 48 of raw bytes, and it is text',
      );
    });

    it('Apache takes the first 48 bytes of more, as httpd does', () => {
      const file = Uint8Array.from({ length: 80 }, (_, i) => i * i);
      expect(parseTicketKeys('apache48', file)).toEqual(parseTicketKeys('apache48', file.subarray(0, 48)));
    });

    it.each<[string, KeyFileLayoutName, string | readonly Uint8Array[], string]>([
      ['no file', 'nginx48', [], 'nginx48: got 0 keys, expected at least 1'],
      [
        'two files for one key',
        'node48',
        [new Uint8Array(48), new Uint8Array(48)],
        'node48: got 2 keys, expected at most 1',
      ],
      ['two files of lines', 'haproxy48', [new Uint8Array(0), new Uint8Array(0)], 'haproxy48: got 2 files, expected 1'],
      ['two lines', 'haproxy48', `${'A'.repeat(64)}\n`.repeat(2), 'haproxy48: got 2 keys, expected at least 3'],
      [
        'an empty line',
        'haproxy48',
        `${'A'.repeat(64)}\n\n${`${'A'.repeat(64)}\n`.repeat(2)}`,
        'haproxy48: got 0 bytes in line 2, expected 48',
      ],
      [
        'lines of two sizes',
        'haproxy48',
        `${'A'.repeat(64)}\n${'A'.repeat(64)}\n${'A'.repeat(107)}=\n`,
        'haproxy48: got 80 bytes in line 3, expected 48',
      ],
      [
        'a line that is cut',
        'haproxy48',
        `${`${'A'.repeat(64)}\n`.repeat(2)}${'A'.repeat(63)}`,
        'haproxy48: line 3 is not base64',
      ],
      ['bytes that are no text', 'haproxy48', [new Uint8Array(48).fill(200)], 'haproxy48: got bytes that are no text'],
      [
        'a master of GnuTLS',
        'gnutls64',
        [new Uint8Array(64)],
        'gnutls64: got a master, whose keys follow from the clock: see gnutlsKeySource',
      ],
      ['JSON that is cut', 'json', '[{"name":"00', 'json: expected a list of keys in JSON'],
      ['an object', 'json', '{}', 'json: expected a list of keys in JSON'],
      ['an empty list', 'json', '[]', 'json: got 0 keys, expected at least 1'],
      ['a list of numbers', 'json', '[1]', 'json: key 1 is not an object'],
      [
        'an unknown property',
        'json',
        '[{"sealFrom":1}]',
        'json: key 1: expected none but name, aesKey, hmacKey, secret, sealsFrom, sealsUntil, opensUntil',
      ],
      [
        'half a key',
        'json',
        '[{"name":"00","aesKey":"00"}]',
        'json: key 1: expected name, aesKey and hmacKey, or name and secret',
      ],
      [
        'both kinds',
        'json',
        '[{"name":"00","aesKey":"00","hmacKey":"00","secret":"00"}]',
        'json: key 1: expected name, aesKey and hmacKey, or name and secret',
      ],
      ['an odd digit', 'json', '[{"name":"00","secret":"000"}]', 'json: key 1: secret is not hexadecimal'],
      [
        'a time in words',
        'json',
        '[{"name":"00","secret":"00","sealsFrom":"tomorrow"}]',
        'json: key 1: expected sealsFrom as 2026-11-22T00:00:00Z or "never"',
      ],
      [
        'a day that is none',
        'json',
        '[{"name":"00","secret":"00","sealsFrom":"2026-13-22T00:00:00Z"}]',
        'json: key 1: expected sealsFrom as 2026-11-22T00:00:00Z or "never"',
      ],
      [
        'no Envoy message',
        'envoyJson',
        '[]',
        'envoyJson: expected JSON {"keys": [...]}, or {"resources": [{"session_ticket_keys": {"keys": [...]}}]} with one resource',
      ],
      [
        'two resources',
        'envoyJson',
        '{"resources":[{},{}]}',
        'envoyJson: expected JSON {"keys": [...]}, or {"resources": [{"session_ticket_keys": {"keys": [...]}}]} with one resource',
      ],
      [
        'a file that is named',
        'envoyJson',
        '{"keys":[{"filename":"/a"}]}',
        'envoyJson: key 1 has no inline_bytes: a file or another source is not followed',
      ],
      [
        'inline bytes that are none',
        'envoyJson',
        '{"keys":[{"inline_bytes":"*"}]}',
        'envoyJson: key 1: inline_bytes is not base64',
      ],
      [
        'short inline bytes',
        'envoyJson',
        '{"keys":[{"inline_bytes":"AAAA"}]}',
        'envoyJson: got 3 bytes in key 1, expected 80',
      ],
    ])('%s', (_, layout, content, message) => {
      const files = typeof content === 'string' ? [ascii(content)] : content;
      expect(refusalOf(layout, files)).toMatchObject({ code: 'invalid_key', message });
    });

    it('P-state-7 more than 64 KiB, before anything else is looked at', () => {
      for (const layout of layoutNames.filter((name) => name !== 'gnutls64')) {
        expect(refusalOf(layout, new Uint8Array(2 ** 20)).message).toBe(
          `${layout}: got 1048576 bytes in 1 file, expected at most ${String(longestKeyFiles)} in ${String(mostKeysInFiles)}`,
        );
      }
    });

    it('P-state-7 more keys than a ring holds', () => {
      const files = Array.from({ length: mostKeysInFiles + 1 }, () => new Uint8Array(48));
      expect(refusalOf('nginx48', files).message).toContain('65 files');
      expect(refusalOf('haproxy48', base64Lines(...files)).message).toBe('haproxy48: got 65 keys, expected at most 64');
      expect(refusalOf('h2o', concat(...files.map(() => h2oKey()))).message).toBe(
        'h2o: got 65 keys, expected at most 64',
      );
    });

    it('any bytes are read or refused, and nothing of them is told', () => {
      const secret = fc.constantFrom('5ecre7c0ffee', 'c2VjcmV0a2V5');
      const garbage = fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc
          .string({
            unit: fc.constantFrom(
              '[',
              ']',
              '{',
              '}',
              '"',
              ':',
              ',',
              '- ',
              '\n',
              '#',
              'a',
              '0',
              '=',
              'name',
              'key',
              ' 5ecre7c0ffee',
            ),
            maxLength: 60,
          })
          .map(ascii),
      );
      fc.assert(
        fc.property(fc.constantFrom(...layoutNames), secret, garbage, (layout, marker, bytes) => {
          const file = concat(bytes, ascii(marker));
          try {
            expect(parseTicketKeys(layout, file).length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toMatchObject({ name: 'UsageError', code: 'invalid_key' });
            expect(error).not.toHaveProperty('cause');
            expect((error as Error).message).not.toContain('5ecre7');
            expect((error as Error).message).not.toContain(marker);
          }
        }),
        { numRuns: 3000 },
      );
    });
  });
});

function h2oKey(): Uint8Array {
  return ascii(
    `- name: ${'00'.repeat(16)}\n  cipher: AES-128-CBC\n  hash: SHA256\n  key: ${'00'.repeat(80)}\n  not_before: 0\n  not_after: 1\n`,
  );
}
