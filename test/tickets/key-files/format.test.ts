import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromAscii, fromHex, toHex } from '../../../src/bytes.js';
import { nobleCrypto } from '../../../src/crypto/noble.js';
import { formatTicketKeys } from '../../../src/tickets/key-files/format.js';
import { keyFileLayout, type KeyFileLayoutName } from '../../../src/tickets/key-files/layouts.js';
import { parseTicketKeys } from '../../../src/tickets/key-files/parse.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import {
  generateSecretTicketKey,
  generateTicketKey,
  type AesHmacTicketKey,
  type TicketKey,
} from '../../../src/tickets/ticket-key.js';
import { keysOf, longLayouts, plain, shortLayouts, writableLayouts } from './arbitrary-keys.js';

/** As many keys as a layout takes: one that seals, one to come, one that only opens. */
function forLayout(layout: KeyFileLayoutName, [sealing, next, previous]: readonly AesHmacTicketKey[]): TicketKey[] {
  if (keyFileLayout(layout).keyCount[1] === 1) return [sealing!];
  return [sealing!, { ...next!, sealsFrom: Infinity }, previous!];
}

function lengthsOf(layout: KeyFileLayoutName): readonly (16 | 32)[] {
  return [
    ...(shortLayouts.includes(layout) ? [16 as const] : []),
    ...(longLayouts.includes(layout) ? [32 as const] : []),
  ];
}

/** Of two servers, one knows a key that is to come, and the other only keys that open. */
function saysWhoIsNext(layout: KeyFileLayoutName): boolean {
  return ['haproxy48', 'haproxy80', 'h2o', 'json'].includes(layout);
}

/** The key that seals first, and the others in any order. */
function namesIn(layout: KeyFileLayoutName, files: readonly Uint8Array[]): string[] {
  const keys = parseTicketKeys(layout, files);
  const active = keys
    .filter(({ sealsFrom = 0 }) => sealsFrom <= 2000)
    .sort((a, b) => (b.sealsFrom ?? 0) - (a.sealsFrom ?? 0));
  const sealing = toHex(active[0]!.name);
  return [
    sealing,
    ...keys
      .map(({ name }) => toHex(name))
      .filter((name) => name !== sealing)
      .sort(),
  ];
}

describe('formatTicketKeys', () => {
  describe.each(writableLayouts)('%s', (layout) => {
    const lengths = lengthsOf(layout).length === 0 ? ([16, 32] as const) : lengthsOf(layout);

    it('what is written is read again, and the same key seals', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...lengths).chain((length) => keysOf(length, 3)),
          (keys) => {
            const given = forLayout(layout, keys);
            const files = formatTicketKeys(layout, given);
            const read = parseTicketKeys(layout, files);
            expect(new Set(read.map(plain).map(String))).toEqual(new Set(given.map(plain).map(String)));

            const ring = new KeyRing({ crypto: nobleCrypto, now: () => 2000 });
            ring.replace(read);
            const sealing = ring.status().filter(({ seals }) => seals);
            expect(sealing.map(({ name }) => toHex(name))).toEqual([toHex(given[0]!.name)]);
            expect(formatTicketKeys(layout, ring.exportKeys(), { now: 2000 })).toEqual(files);
          },
        ),
        { numRuns: 20 },
      );
    });

    it('is turned into every other layout that has room for it', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...lengths).chain((length) => keysOf(length, 3)),
          (keys) => {
            for (const other of writableLayouts) {
              const length = keys[0]!.aesKey.length === 16 ? 16 : 32;
              if (lengthsOf(other).length > 0 && !lengthsOf(other).includes(length)) continue;
              if (keyFileLayout(other).keyCount[0] === 3 && !saysWhoIsNext(layout)) continue;
              const single = [layout, other].find((name) => keyFileLayout(name).keyCount[1] === 1);
              // A server of one key and one that has to have three have no set of keys in common.
              if (single !== undefined && [layout, other].some((name) => keyFileLayout(name).keyCount[0] === 3))
                continue;
              const given = forLayout(single ?? layout, keys);
              const files = formatTicketKeys(layout, given);

              const converted = formatTicketKeys(other, parseTicketKeys(layout, files), { now: 2000 });
              expect(namesIn(other, converted)).toEqual(namesIn(layout, files));
              if (!saysWhoIsNext(other)) continue;
              const back = formatTicketKeys(layout, parseTicketKeys(other, converted), { now: 2000 });
              expect(parseTicketKeys(layout, back).map(plain).sort()).toEqual(
                parseTicketKeys(layout, files).map(plain).sort(),
              );
              if (layout !== 'json' && saysWhoIsNext(layout)) expect(back.map(toHex)).toEqual(files.map(toHex));
            }
          },
        ),
        { numRuns: 5 },
      );
    });
  });

  const key = (times: Partial<TicketKey> = {}, length: 16 | 32 = 32) =>
    generateTicketKey(nobleCrypto, { aesKeyLength: length, hmacKeyLength: length, ...times });

  describe('bytes of each layout', () => {
    const part = (byte: number, length: number) => new Uint8Array(length).fill(byte);
    const of = (length: number) => ({ name: part(1, 16), aesKey: part(2, length), hmacKey: part(3, length) });
    const [name, aes16, hmac16, aes32, hmac32] = [
      '01'.repeat(16),
      '02'.repeat(16),
      '03'.repeat(16),
      '02'.repeat(32),
      '03'.repeat(32),
    ];

    it.each([
      ['nginx48', 16, name + aes16 + hmac16],
      ['nginx80', 32, name + hmac32 + aes32],
      ['apache48', 16, name + hmac16 + aes16],
      ['node48', 16, name + hmac16 + aes16],
      ['luaSsl48', 16, name + aes16 + hmac16],
      ['luaSsl80', 32, name + aes32 + hmac32],
      ['openssl48', 16, name + hmac16 + aes16],
      ['openssl80', 32, name + hmac32 + aes32],
      ['envoy80', 32, name + hmac32 + aes32],
    ] as const)('%s', (layout, length, hex) => {
      expect(formatTicketKeys(layout, [of(length)]).map(toHex)).toEqual([hex]);
    });

    it.each([
      ['haproxy48', 16, name + aes16 + hmac16],
      ['haproxy80', 32, name + aes32 + hmac32],
    ] as const)('%s: previous, sealing, next', (layout, length, hex) => {
      const others = [key({ sealsFrom: Infinity }, length), key({}, length)];
      const [file] = formatTicketKeys(layout, [of(length), ...others]);
      const lines = fromAscii(file!).split('\n');
      expect(lines[1]).toBe(Buffer.from(hex, 'hex').toString('base64'));
      expect(lines).toHaveLength(4);
      expect(lines[3]).toBe('');
    });

    it('envoyJson', () => {
      const [file] = formatTicketKeys('envoyJson', [of(32)]);
      const bytes = Buffer.from(name + hmac32 + aes32, 'hex').toString('base64');
      expect(JSON.parse(fromAscii(file!))).toEqual({ keys: [{ inline_bytes: bytes }] });
    });

    it('json, with times', () => {
      const { hmacKey, ...rest } = of(16);
      const secret = { name: rest.name, secret: hmacKey, sealsFrom: 1, sealsUntil: 2.5e12, opensUntil: Infinity };
      const [file] = formatTicketKeys('json', [secret, { ...rest, hmacKey, sealsUntil: -Infinity }]);
      expect(JSON.parse(fromAscii(file!))).toEqual([
        {
          name,
          secret: hmac16,
          sealsFrom: '1970-01-01T00:00:00.001Z',
          sealsUntil: '2049-03-22T04:26:40.000Z',
          opensUntil: 'never',
        },
        { name, aesKey: aes16, hmacKey: hmac16, sealsUntil: '1970-01-01T00:00:00.000Z' },
      ]);
      expect(parseTicketKeys('json', file!)[0]).toMatchObject({
        sealsFrom: 1,
        sealsUntil: 2.5e12,
        opensUntil: Infinity,
      });
    });
  });

  it('times say who seals at which moment', () => {
    const [old, middle, young] = [
      key({ sealsUntil: 100, opensUntil: 300 }),
      key({ sealsFrom: 100, sealsUntil: 200, opensUntil: 400 }),
      key({ sealsFrom: 200 }),
    ] as const;
    const orderAt = (now: number) =>
      formatTicketKeys('nginx80', [old, middle, young], { now }).map((file) =>
        [old, middle, young].findIndex(({ name }) => toHex(name) === toHex(file.subarray(0, 16))),
      );
    expect([0, 99, 100, 199, 200, 299, 300, 400].map(orderAt)).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [1, 2, 0],
      [1, 2, 0],
      [2, 0, 1],
      [2, 0, 1],
      [2, 1],
      [2],
    ]);
  });

  it('a ring that rotates is written as its hosts use it', () => {
    let now = 1000;
    const ring = new KeyRing({ crypto: nobleCrypto, now: () => now });
    const [first, second] = [key(), key()];
    ring.add(first);
    now = 2000;
    ring.rotate(second);
    const names = formatTicketKeys('nginx80', ring.exportKeys(), { now }).map((file) => toHex(file.subarray(0, 16)));
    expect(names).toEqual([second, first].map(({ name }) => toHex(name)));
  });

  describe('refuses', () => {
    const code = (layout: KeyFileLayoutName, keys: readonly TicketKey[], now?: number) => {
      try {
        formatTicketKeys(layout, keys, now === undefined ? {} : { now });
        return undefined;
      } catch (error) {
        return [(error as { code: string }).code, (error as Error).message];
      }
    };

    it.each([
      [
        'times without now',
        'nginx80',
        [key({ sealsFrom: 5 })],
        ['invalid_option', 'nginx80: the keys carry times: say `now`, for which the files are'],
      ],
      ['no key', 'nginx80', [], ['no_sealing_key', 'nginx80: none of the keys seals at that time']],
      [
        'none that seals',
        'nginx80',
        [key({ sealsFrom: Infinity })],
        ['no_sealing_key', 'nginx80: none of the keys seals at that time'],
      ],
      ['a short AES key', 'nginx80', [key({}, 16)], ['invalid_key', 'nginx80: got hmacKey of 16 bytes, expected 32']],
      ['a long AES key', 'nginx48', [key()], ['invalid_key', 'nginx48: got aesKey of 32 bytes, expected 16']],
      [
        'a key of one secret',
        'h2o',
        [generateSecretTicketKey(nobleCrypto)],
        ['invalid_key', 'h2o: got a key of one secret, expected aesKey and hmacKey'],
      ],
      [
        'two keys for one place',
        'node48',
        [key({}, 16), key({}, 16)],
        ['invalid_key', 'node48: got 1 key that seals, 0 to come and 1 before it, expected 1 in all'],
      ],
      [
        'no key to come',
        'haproxy80',
        [key(), key(), key()],
        [
          'invalid_key',
          'haproxy80: got 1 key that seals, 0 to come and 2 before it, expected 1 of each: HAProxy keeps three',
        ],
      ],
      [
        'derived keys',
        'go32',
        [key({}, 16)],
        ['invalid_key', 'go32: keys cannot be turned back into what they were made of'],
      ],
      [
        'a master',
        'gnutls64',
        [key()],
        ['invalid_key', 'gnutls64: keys cannot be turned back into what they were made of'],
      ],
      [
        'the variant that is for reading',
        'apache48-ossl3',
        [key({}, 16)],
        ['invalid_key', 'apache48-ossl3: keys cannot be turned back into what they were made of'],
      ],
    ] as const)('%s', (_, layout, keys, expected) => {
      expect(code(layout, keys)).toEqual(expected);
    });

    it('keys that have all expired', () => {
      expect(code('json', [key({ opensUntil: 5 })], 5)).toBeUndefined();
      expect(code('nginx80', [key({ opensUntil: 5 })], 5)?.[0]).toBe('no_sealing_key');
    });
  });

  it('an HMAC key that h2o fills up with zeros is the short one (RFC 2104 2)', () => {
    const given = key();
    const [yaml] = formatTicketKeys('h2o', [given]);
    const long = fromHex(/key: (\w+)/.exec(fromAscii(yaml!))![1]!.slice(64));
    expect(long).toHaveLength(64);
    const mac = (hmacKey: Uint8Array) => toHex(nobleCrypto.hmac('sha256', hmacKey).compute(given.name));
    expect(mac(long)).toBe(mac(given.hmacKey));
    expect(toHex(parseTicketKeys('h2o', yaml!)[0]!.hmacKey!)).toBe(toHex(given.hmacKey));
  });
});
