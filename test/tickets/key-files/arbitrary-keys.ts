/** Keys for properties: random bytes, each name and part its own. */
import fc from 'fast-check';
import { toBase64 } from '../../../src/presentation/base64.js';
import { ascii, join } from '../../../src/bytes.js';
import { keyFileLayouts, type KeyFileLayoutName } from '../../../src/tickets/key-files/layouts.js';
import type { AesHmacTicketKey } from '../../../src/tickets/ticket-key.js';

export const layoutNames = Object.keys(keyFileLayouts) as KeyFileLayoutName[];
/** The ones that keys can be written in. */
export const writableLayouts = layoutNames.filter((name) => !['apache48-ossl3', 'go32', 'gnutls64'].includes(name));
export const shortLayouts = writableLayouts.filter((name) => name.endsWith('48'));
export const longLayouts = writableLayouts.filter((name) => name.endsWith('80') || name === 'envoyJson');

/** Bytes that no lint objects to. */
export function randomBytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc
    .uint8Array({ minLength: length, maxLength: length })
    .filter((bytes) => new Set(bytes).size > length / 2 && bytes.some((byte) => byte > 0x7e));
}

/** `count` keys whose AES and HMAC parts have this length. */
export function keysOf(length: 16 | 32, count: number): fc.Arbitrary<AesHmacTicketKey[]> {
  const key = fc.record({ name: randomBytes(16), aesKey: randomBytes(length), hmacKey: randomBytes(length) });
  return fc.uniqueArray(key, {
    minLength: count,
    maxLength: count,
    comparator: (a, b) =>
      String(a.name) === String(b.name) ||
      String(a.aesKey) === String(b.aesKey) ||
      String(a.hmacKey) === String(b.hmacKey),
  });
}

/** A key as comparable data. */
export function plain(key: {
  readonly name: Uint8Array;
  readonly aesKey?: Uint8Array;
  readonly hmacKey?: Uint8Array;
}): string[] {
  return [key.name, key.aesKey, key.hmacKey].map((part) => Buffer.from(part ?? []).toString('hex'));
}

/** A file of HAProxy. */
export function base64Lines(...keys: readonly Uint8Array[]): Uint8Array {
  return join(keys.map((key) => ascii(`${toBase64(key)}\n`)));
}
