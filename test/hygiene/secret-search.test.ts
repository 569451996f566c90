/** The search finds what is planted: a test that finds nothing has looked. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { concealed } from '../../src/concealed.js';
import { seededCrypto } from '../support/seeded.js';
import { SecretSearch } from './secret-search.js';

const { randomBytes } = seededCrypto('node', 'planted');
const secret = randomBytes(32);
const buffer = Buffer.from(secret);
const search = new SecretSearch();
search.add('the secret', secret);

class Holder {
  readonly #hidden = secret;
  constructor(readonly shown?: unknown) {}
  reveal() {
    return this.#hidden;
  }
}

const hidden = Object.defineProperty({}, 'secret', { value: secret, enumerable: false });

describe('SecretSearch', () => {
  it.each<readonly [string, unknown]>([
    ['an array', { psk: secret }],
    ['a Buffer', [new Map([['key', buffer]])]],
    ['a list of numbers', [[...secret]]],
    ['hexadecimal in an error', new Error(`key ${toHex(secret)} is wrong`)],
    ['hexadecimal at an odd place', `a${toHex(secret).toUpperCase()}`],
    ['hexadecimal in pairs', toHex(secret).replace(/../g, '$& ')],
    ['base64', `PSK:${buffer.toString('base64')}`],
    ['base64url in a cause', new Error('outer', { cause: new Error(buffer.toString('base64url')) })],
    ['base64 of more than the secret', Buffer.concat([Buffer.of(1), buffer]).toString('base64')],
    ['latin1', { key: buffer.toString('latin1') }],
    ['latin1 in JSON', JSON.stringify({ key: buffer.toString('latin1') })],
    ['part of it', secret.subarray(20, 28)],
    ['a field', new Holder(secret)],
    ['a property that is not enumerable', hidden],
    ['a promise', Promise.resolve(secret)],
    ['an object of bytes', Object.assign({}, [...secret])],
    ['text', inspect(secret)],
  ])('finds %s', (_, planted) => {
    expect(search.findPrinted({ in: [planted] })).toMatch(/^the secret /);
    expect(search.findPrinted(planted)).toMatch(/^the secret /);
  });

  it.each<readonly [string, unknown]>([
    ['a private field', new Holder()],
    ['concealed bytes', { psk: concealed(secret.slice()), all: [concealed(secret.slice())] }],
    ['a function that knows it', () => secret],
    ['other bytes', randomBytes(32)],
    ['too little of it', secret.subarray(0, 7)],
  ])('finds nothing in %s', (_, value) => {
    expect(search.findPrinted(value)).toBe(undefined);
    expect(search.findPrinted([value])).toBe(undefined);
  });
});

describe('concealed', () => {
  it('works as the bytes do, and slices are plain', () => {
    const before = secret.slice();
    const bytes = concealed(before);
    expect(toHex(before)).toBe('00'.repeat(32));
    expect([bytes.length, bytes instanceof Uint8Array]).toEqual([32, true]);
    expect(bytes).toEqual(secret);
    expect([...bytes.slice(), ...bytes.subarray(3)]).toEqual([...secret, ...secret.subarray(3)]);
    expect(structuredClone({ psk: bytes })).toEqual({ psk: secret });
    expect({ ...{ psk: bytes } }.psk).toBe(bytes);
    const shown = '[32 secret bytes]';
    expect([String(bytes), inspect(bytes), JSON.stringify(bytes), bytes.toLocaleString()]).toEqual([
      shown,
      shown,
      JSON.stringify(shown),
      shown,
    ]);
    expect(inspect(bytes.slice())).toContain(String(secret[0]));
  });
});
