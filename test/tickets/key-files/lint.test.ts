import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex } from '../../../src/bytes.js';
import { nobleCrypto } from '../../../src/crypto/noble.js';
import { formatTicketKeys } from '../../../src/tickets/key-files/format.js';
import { keyFileLayout, keyLength, type KeyFileLayoutName } from '../../../src/tickets/key-files/layouts.js';
import { lintTicketKeys } from '../../../src/tickets/key-files/lint.js';
import { generateTicketKey } from '../../../src/tickets/ticket-key.js';
import { ticketSamples } from '../../support/ticket-samples.js';
import { base64Lines, layoutNames, randomBytes } from './arbitrary-keys.js';

const random = (length: number) => nobleCrypto.randomBytes(length);
const codes = (layout: KeyFileLayoutName, files: Uint8Array | readonly Uint8Array[]) =>
  lintTicketKeys(layout, files).map(({ code }) => code);

describe('lintTicketKeys', () => {
  describe('has nothing to say of random keys', () => {
    it.each([
      ['nginx48', () => [random(48), random(48)]],
      ['nginx80', () => [random(80), random(80), random(80)]],
      ['luaSsl48', () => [random(48), random(48)]],
      ['luaSsl80', () => [random(80), random(80)]],
      ['envoy80', () => [random(80), random(80)]],
      ['haproxy48', () => [base64Lines(random(48), random(48), random(48))]],
      ['haproxy80', () => [base64Lines(random(80), random(80), random(80))]],
      ['go32', () => [random(32), random(32)]],
      ['gnutls64', () => [random(64)]],
      ['h2o', () => formatTicketKeys('h2o', [generateTicketKey(nobleCrypto), generateTicketKey(nobleCrypto)])],
      [
        'envoyJson',
        () => formatTicketKeys('envoyJson', [generateTicketKey(nobleCrypto), generateTicketKey(nobleCrypto)]),
      ],
      ['json', () => formatTicketKeys('json', [generateTicketKey(nobleCrypto), generateTicketKey(nobleCrypto)])],
    ] as const)('%s', (layout, files) => {
      for (let i = 0; i < 50; i++) expect(lintTicketKeys(layout, files())).toEqual([]);
    });

    it.each(['node48', 'apache48', 'openssl48', 'openssl80'] as const)('%s, but that there is one key', (layout) => {
      expect(lintTicketKeys(layout, random(keyLength(keyFileLayout(layout))))).toMatchObject([
        { code: 'single_key', severity: 'warning', effect: expect.stringContaining('takes no other') as string },
      ]);
    });
  });

  describe('P-key-2 finds the weak keys that servers were seen with', () => {
    const weak = ticketSamples().filter(([name]) => name.startsWith('weak-') && name.endsWith('tls13'));
    const expected: Readonly<Record<string, readonly string[]>> = {
      'weak-nginx-zero48-tls13': ['zero', 'zero', 'equal_parts', 'single_key'],
      'weak-nginx-zero80-tls13': ['zero', 'zero', 'equal_parts', 'single_key'],
      'weak-nginx-half31-tls13': ['few_values', 'few_values', 'equal_parts', 'single_key'],
      'weak-nginx-counting-tls13': ['counting', 'counting', 'single_key'],
      'weak-nginx-hextext-tls13': ['text', 'single_key'],
    };

    it('there are five', () => expect(weak.map(([name]) => name).sort()).toEqual(Object.keys(expected).sort()));

    it.each(weak)('%s', (name, { keyFileHex = '', keyFileLayout: layout }) => {
      expect(codes(layout as KeyFileLayoutName, fromHex(keyFileHex))).toEqual(expected[name]);
    });

    const published = ticketSamples().filter(
      ([name, { keyFileHex, sessionTicketKeyHex }]) =>
        !name.startsWith('weak-') && (keyFileHex ?? sessionTicketKeyHex) !== undefined,
    );

    it.each(published)(
      'the published key of %s',
      (_, { keyFileHex, keyFileLayout: layout, sessionTicketKeyHex = '' }) => {
        const file = fromHex(keyFileHex ?? sessionTicketKeyHex);
        const found = layout?.startsWith('haproxy')
          ? codes(layout as KeyFileLayoutName, base64Lines(random(file.length), file, random(file.length)))
          : codes(layout === undefined ? 'go32' : layout === 'h2o YAML' ? 'h2o' : (layout as KeyFileLayoutName), file);
        expect(found).toContain(layout === undefined ? 'counting' : 'known_public');
      },
    );
  });

  const part = (hex: string, length = 16) => fromHex(hex.repeat(length)).subarray(0, length);
  const name = random(16);
  const good = random(32);

  it.each<[string, KeyFileLayoutName, () => Uint8Array | readonly Uint8Array[], unknown]>([
    [
      'zeros in one part',
      'nginx48',
      () => concat(name, part('00'), good.subarray(16)),
      { code: 'zero', message: 'file 1: aesKey is all zeros' },
    ],
    [
      'one byte over and over',
      'node48',
      () => concat(name, part('31'), good.subarray(16)),
      { code: 'constant', message: 'file 1: hmacKey is one byte over and over' },
    ],
    [
      'a period',
      'nginx48',
      () => concat(name, part('deadbeef'), good.subarray(16)),
      { code: 'repeating', message: 'file 1: aesKey repeats itself every 4 bytes' },
    ],
    [
      'steps',
      'nginx48',
      () =>
        concat(
          name,
          good.subarray(16),
          Uint8Array.from({ length: 16 }, (_, i) => 250 + 3 * i),
        ),
      { code: 'counting', message: 'file 1: hmacKey counts in equal steps' },
    ],
    ['few values', 'nginx48', () => concat(name, part('0102040301010203'), good.subarray(16)), { code: 'repeating' }],
    [
      'few values without a period',
      'nginx48',
      () => concat(name, fromHex('01020403010102030402020104030102'), good.subarray(16)),
      { code: 'few_values', message: 'file 1: aesKey is made of 4 different bytes' },
    ],
    [
      'a password',
      'go32',
      () => ascii('correct horse battery staple, ok'),
      {
        code: 'text',
        message: 'file 1: text where raw bytes belong',
        effect: '32 bytes of key are worth three quarters of them at the most',
      },
    ],
    [
      'hexadecimal digits',
      'go32',
      () => ascii('5ae5b1c4f1d9037e2b6c8d70a3f4e912'),
      {
        code: 'text',
        message: 'file 1: hexadecimal digits where raw bytes belong',
        effect: '32 bytes of key are as good as 16',
      },
    ],
    [
      'base64 of 48 bytes cut to 48',
      'nginx48',
      () => ascii(Buffer.from(random(48)).toString('base64').slice(0, 48)),
      { code: 'text' },
    ],
    [
      'AES-128 of the standard',
      'nginx48',
      () => concat(name, fromHex('2b7e151628aed2a6abf7158809cf4f3c'), good.subarray(16)),
      {
        code: 'known_public',
        message: 'file 1: aesKey is published: NIST SP 800-38A',
        effect: 'everybody has the key',
      },
    ],
    [
      'the key of a manual',
      'luaSsl48',
      () => fromHex('08a0d852ef494143af613ef32d3c39314758885f7108e9ab021d55f422a454f7c9cd5a53978f48fa1063eadcdc06878f'),
      { code: 'known_public', message: expect.stringContaining('the manual of BFE') as string },
    ],
    [
      'equal parts',
      'nginx48',
      () => concat(name, good.subarray(16), good.subarray(16)),
      { code: 'equal_parts', message: 'file 1: aesKey and hmacKey start with the same bytes' },
    ],
    [
      'one key twice',
      'nginx48',
      () => [concat(name, good), concat(name, good)],
      { code: 'equal_keys', index: 1, message: 'file 2: has secret bytes of file 1' },
    ],
    [
      'one key under two names',
      'nginx48',
      () => [concat(name, good), concat(random(16), good)],
      { code: 'equal_keys', index: 1 },
    ],
    [
      'two keys of one name',
      'nginx48',
      () => [concat(name, good), concat(name, random(32))],
      { code: 'equal_names', index: 1, message: 'file 2: has the name of file 1' },
    ],
    [
      'a wrong size',
      'nginx48',
      () => [random(48), random(47)],
      {
        code: 'wrong_size',
        index: 1,
        message: 'nginx48: got 47 bytes in file 2, expected 48',
        effect: 'nginx takes 48 bytes as nginx48 and 80 as nginx80; with any other size it does not start or reload',
      },
    ],
    [
      'a new line at the end',
      'node48',
      () => concat(random(48), ascii('\n')),
      { code: 'wrong_size', effect: 'Node.js throws: session ticket keys are a buffer of 48 bytes' },
    ],
    [
      'two lines',
      'haproxy48',
      () => base64Lines(random(48), random(48)),
      {
        code: 'too_few_keys',
        index: 2,
        effect: 'HAProxy does not start: it takes at least 3 lines, all of 48 or all of 80 bytes',
      },
    ],
    [
      'a fourth line',
      'haproxy48',
      () => base64Lines(random(48), random(48), random(48), random(48)),
      {
        code: 'unused_keys',
        severity: 'warning',
        message: 'haproxy48: the first 1 of 4 keys are not used',
        effect: 'HAProxy keeps the last three',
      },
    ],
    ['a second key', 'openssl80', () => [random(80), random(80)], { code: 'too_many_keys', index: 1 }],
    [
      'a long file',
      'apache48',
      () => random(80),
      {
        code: 'unread_bytes',
        severity: 'warning',
        message: 'apache48: got 32 bytes after the first 48',
        effect: 'Apache reads 48 bytes and leaves the rest unread',
      },
    ],
    ['a megabyte', 'nginx48', () => new Uint8Array(2 ** 20), { code: 'too_large' }],
    ['what is no YAML of h2o', 'h2o', () => ascii('{}'), { code: 'unreadable', severity: 'error' }],
    [
      'one key',
      'nginx48',
      () => random(48),
      {
        code: 'single_key',
        severity: 'warning',
        effect: 'when it is replaced all tickets end, unless it stays as one that opens',
      },
    ],
    ['a master of zeros', 'gnutls64', () => new Uint8Array(64), { code: 'zero', message: 'file 1: seed is all zeros' }],
  ])('finds %s', (_, layout, files, finding) => {
    expect(lintTicketKeys(layout, files())).toEqual(expect.arrayContaining([expect.objectContaining(finding)]));
  });

  it('sees everything at once', () => {
    const files = [concat(name, part('00'), good.subarray(16)), random(47), concat(name, random(16), part('31'))];
    expect(lintTicketKeys('nginx48', files).map(({ code, index }) => [code, index])).toEqual([
      ['wrong_size', 1],
      ['zero', 0],
      ['constant', 2],
      ['equal_names', 2],
    ]);
  });

  it('never throws and never quotes', () => {
    const files = fc.array(fc.oneof(fc.uint8Array({ maxLength: 100 }), randomBytes(48), fc.string().map(ascii)), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.constantFrom(...layoutNames), files, (layout, list) => {
        for (const { code, severity, message, effect } of lintTicketKeys(layout, list)) {
          expect(code).toMatch(/^[a-z_]+$/);
          expect(['error', 'warning']).toContain(severity);
          expect(effect.length).toBeGreaterThan(0);
          for (const file of list.filter(({ length }) => length > 3))
            expect(message).not.toContain(String.fromCharCode(...file));
        }
      }),
      { numRuns: 500 },
    );
  });
});
