/** What src/crypto/backend.ts promises of hashes, MACs and ciphers, on every backend and between them. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ascii, concat, equal, toHex } from '../../src/bytes.js';
import { aeadKeyLength } from '../../src/crypto/backend.js';
import type { AeadAlgorithm } from '../../src/crypto/backend.js';
import { backends, bytes, noble, node, refusal } from './backends.js';

const hashes = ['sha256', 'sha384'] as const;
const aeads = Object.keys(aeadKeyLength) as AeadAlgorithm[];
const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });

describe.each(backends)('symmetric keys of backend $name', ({ crypto }) => {
  it.each(hashes)('runningHash snapshots are the hash of all data so far (%s)', (hash) => {
    fc.assert(
      fc.property(chunks, (parts) => {
        const running = crypto.runningHash(hash);
        parts.forEach((part, i) => {
          running.update(part);
          expect(toHex(running.snapshot())).toBe(toHex(crypto.hash(hash, concat(...parts.slice(0, i + 1)))));
        });
        expect(toHex(running.snapshot())).toBe(toHex(crypto.hash(hash, concat(...parts))));
      }),
      { numRuns: 50 },
    );
  });

  it.each(hashes)(
    'runningHash is right on either side of 1024 bytes, where a backend may change its ways (%s)',
    (hash) => {
      for (const lengths of [
        [1023, 1],
        [1024, 1],
        [1023, 2],
        [1000, 24, 0, 1000],
        [1025, 1],
      ]) {
        const running = crypto.runningHash(hash);
        const data = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
        data.forEach((part, i) => {
          running.update(part);
          expect(toHex(running.snapshot())).toBe(toHex(crypto.hash(hash, concat(...data.slice(0, i + 1)))));
        });
      }
    },
  );

  it('two running hashes and an HMAC in between do not disturb each other', () => {
    const [a, b] = [crypto.runningHash('sha256'), crypto.runningHash('sha256')];
    const key = crypto.hmac('sha256', ascii('key'));
    const alone = toHex(key.compute(ascii('data')));
    a.update(ascii('a'));
    b.update(ascii('b'));
    expect(toHex(key.compute(ascii('data')))).toBe(alone);
    expect(a.snapshot()).toEqual(crypto.hash('sha256', ascii('a')));
    expect(b.snapshot()).toEqual(crypto.hash('sha256', ascii('b')));
  });

  it.each(hashes)('HMAC over parts is the HMAC over their concatenation (%s)', (hash) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), chunks, (secret, parts) => {
        const key = crypto.hmac(hash, secret);
        const expected = toHex(crypto.hmac(hash, secret).compute(concat(...parts)));
        expect(toHex(key.compute(...parts))).toBe(expected);
        expect(toHex(key.compute(...parts))).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('results are Uint8Arrays, whose slice copies', () => {
    const aead = crypto.aead('aes-128-gcm', bytes(16));
    const sealed = bytes(56);
    aead.seal(bytes(12), bytes(0), bytes(40), sealed);
    const running = crypto.runningHash('sha384');
    const results = [
      crypto.randomBytes(32),
      crypto.hash('sha256', bytes(3)),
      running.snapshot(),
      crypto.hmac('sha256', bytes(3)).compute(bytes(500)),
      crypto.hmac('sha256', bytes(3)).compute(bytes(5)),
      aead.open(bytes(12), bytes(0), sealed)!,
      crypto.cbc(bytes(16)).decrypt(bytes(16), bytes(512)),
      crypto.cbc(bytes(16)).encrypt(bytes(16), bytes(32)),
    ];
    for (const result of results) {
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
      expect(result.length).toBeGreaterThan(0);
    }
  });

  it.each(aeads)('%s: every flipped bit, every cut and foreign data fail to open', (algorithm) => {
    const aead = crypto.aead(algorithm, bytes(aeadKeyLength[algorithm]));
    const sealed = new Uint8Array(5 + 16);
    aead.seal(bytes(12), ascii('aad'), ascii('hello'), sealed);
    expect(aead.open(bytes(12), ascii('aad'), sealed)).toEqual(ascii('hello'));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = sealed.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(aead.open(bytes(12), ascii('aad'), flipped)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(aead.open(bytes(12), ascii('aad'), sealed.subarray(0, length))).toBeUndefined();
    }
    expect(aead.open(bytes(12, 2), ascii('aad'), sealed)).toBeUndefined();
    expect(aead.open(bytes(12), ascii('other'), sealed)).toBeUndefined();
  });

  it.each(aeads)('%s: seals into the start of a longer, unaligned output and leaves the rest', (algorithm) => {
    const aead = crypto.aead(algorithm, bytes(aeadKeyLength[algorithm]));
    const wire = bytes(64, 9);
    aead.seal(bytes(12), ascii('aad'), ascii('hello'), wire.subarray(5));
    expect(wire.subarray(0, 5)).toEqual(bytes(5, 9));
    expect(wire.subarray(26)).toEqual(bytes(38, 9));
    expect(aead.open(bytes(12), ascii('aad'), wire.subarray(5, 26))).toEqual(ascii('hello'));
  });

  it('refuses wrong lengths with UsageError', () => {
    for (const algorithm of aeads) {
      for (const length of [0, 15, 24, 33])
        expect(() => crypto.aead(algorithm, bytes(length))).toThrow(refusal('invalid_key'));
    }
    const aead = crypto.aead('aes-128-gcm', bytes(16));
    expect(() => aead.seal(bytes(11), bytes(0), bytes(1), bytes(17))).toThrow(refusal('invalid_option'));
    expect(() => aead.open(bytes(13), bytes(0), bytes(17))).toThrow(refusal('invalid_option'));
    expect(() => aead.seal(bytes(12), bytes(0), bytes(1), bytes(16))).toThrow(refusal('invalid_option'));

    for (const length of [0, 15, 24, 33]) expect(() => crypto.cbc(bytes(length))).toThrow(refusal('invalid_key'));
    const cbc = crypto.cbc(bytes(16));
    for (const length of [0, 15, 17, 1000]) {
      expect(() => cbc.encrypt(bytes(16), bytes(length))).toThrow(refusal('invalid_option'));
      expect(() => cbc.decrypt(bytes(16), bytes(length))).toThrow(refusal('invalid_option'));
    }
    expect(() => cbc.encrypt(bytes(15), bytes(16))).toThrow(refusal('invalid_option'));
    expect(() => cbc.decrypt(bytes(17), bytes(1024))).toThrow(refusal('invalid_option'));
  });

  it('destroy() wipes the key where the backend holds it, and what was destroyed refuses to work', () => {
    const secret = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
    const aead = crypto.aead('aes-128-gcm', secret);
    const cbc = crypto.cbc(secret);
    const hmac = crypto.hmac('sha384', secret);
    const bystander = crypto.hmac('sha384', ascii('other'));
    const before = toHex(bystander.compute(ascii('data')));

    const held = heldWhileWiping(() => aead.destroy());
    expect(held.some((wiped) => equal(wiped, secret))).toBe(true);
    // A schedule of AES-128 starts with the key, in the words' own order; an HMAC key holds its bytes or two hash states.
    expect(heldWhileWiping(() => cbc.destroy()).some((wiped) => equal(wiped.subarray(0, 16), secret))).toBe(true);
    expect(heldWhileWiping(() => hmac.destroy()).length).toBeGreaterThan(0);

    for (const used of [
      () => hmac.compute(ascii('data')),
      () => hmac.compute(bytes(1000)),
      () => aead.seal(bytes(12), bytes(0), bytes(1), bytes(17)),
      () => aead.open(bytes(12), bytes(0), bytes(17)),
      () => cbc.encrypt(bytes(16), bytes(16)),
      () => cbc.decrypt(bytes(16), bytes(1024)),
    ]) {
      expect(used).toThrow(refusal('invalid_key'));
    }
    hmac.destroy();
    aead.destroy();
    cbc.destroy();
    expect(secret[1]).toBe(0xa1);
    expect(toHex(bystander.compute(ascii('data')))).toBe(before);
  });

  it('a key made after another was destroyed has nothing of it', () => {
    const expected = toHex(crypto.hmac('sha256', ascii('second')).compute(ascii('data')));
    for (let i = 0; i < 200; i++) {
      const first = crypto.hmac('sha256', ascii('first'));
      first.compute(bytes(i));
      first.destroy();
      const second = crypto.hmac('sha256', ascii('second'));
      expect(toHex(second.compute(ascii('data')))).toBe(expected);
      expect(() => first.compute(ascii('data'))).toThrow(refusal('invalid_key'));
      if (i % 2 === 0) second.destroy();
    }
  });
});

describe('noble and node', () => {
  const pairs = fc.record({ secret: fc.uint8Array({ maxLength: 200 }), data: fc.uint8Array({ maxLength: 2000 }) });

  it('hash and authenticate alike', () => {
    fc.assert(
      fc.property(pairs, fc.constantFrom(...hashes), ({ secret, data }, hash) => {
        expect(toHex(noble.crypto.hash(hash, data))).toBe(toHex(node.crypto.hash(hash, data)));
        expect(toHex(noble.crypto.hmac(hash, secret).compute(data))).toBe(
          toHex(node.crypto.hmac(hash, secret).compute(data)),
        );
      }),
    );
  });

  it('encrypt alike', () => {
    const key = fc.constantFrom(16, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const blocks = fc.integer({ min: 1, max: 70 }).chain((count) => fixed(16 * count));
    fc.assert(
      fc.property(key, fixed(16), blocks, (secret, iv, data) => {
        const [a, b] = [noble.crypto.cbc(secret), node.crypto.cbc(secret)];
        // Each call starts anew at its own IV, whatever came before under the key.
        for (const start of [iv, iv, data.subarray(-16)]) {
          expect(toHex(a.encrypt(start, data))).toBe(toHex(b.encrypt(start, data)));
          expect(toHex(a.decrypt(start, data))).toBe(toHex(b.decrypt(start, data)));
          expect(a.decrypt(start, b.encrypt(start, data))).toEqual(data);
        }
      }),
    );
    const aead = fc
      .constantFrom(...aeads)
      .chain((algorithm) => fc.tuple(fc.constant(algorithm), fixed(aeadKeyLength[algorithm])));
    fc.assert(
      fc.property(
        aead,
        fixed(12),
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 300 }),
        ([algorithm, secret], nonce, aad, data) => {
          const [a, b] = [new Uint8Array(data.length + 16), new Uint8Array(data.length + 16)];
          noble.crypto.aead(algorithm, secret).seal(nonce, aad, data, a);
          node.crypto.aead(algorithm, secret).seal(nonce, aad, data, b);
          expect(toHex(a)).toBe(toHex(b));
          expect(noble.crypto.aead(algorithm, secret).open(nonce, aad, b)).toEqual(data);
          expect(node.crypto.aead(algorithm, secret).open(nonce, aad, a)).toEqual(data);
        },
      ),
    );
  });
});

/** Contents of the arrays that `call` fills with zeros, as they were before. */
function heldWhileWiping(call: () => void): Uint8Array[] {
  const held: Uint8Array[] = [];
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
  const fill = vi.spyOn(typedArray, 'fill').mockImplementation(function (this: Uint8Array, value) {
    if (value === 0) held.push(new Uint8Array(this.buffer.slice(this.byteOffset, this.byteOffset + this.byteLength)));
    for (let i = 0; i < this.length; i++) this[i] = value;
    return this;
  });
  call();
  fill.mockRestore();
  return held;
}
