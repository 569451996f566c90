import { hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { derivedKeySource, type DerivedKeySourceOptions } from '../../src/tickets/derived-key-source.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { paddedLayout } from '../../src/tickets/layouts/padded.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { backends } from './backends.js';

const day = 24 * 60 * 60 * 1000;
const master = new Uint8Array(randomBytes(32));
const state = new Uint8Array(110);

describe.each(backends)('derivedKeySource ($name)', (crypto) => {
  const keysAt = (now: number, options: Partial<DerivedKeySourceOptions> = {}) =>
    derivedKeySource(master, { crypto, ...options }).keysAt(now);

  function hostAt(time: number, options: Partial<DerivedKeySourceOptions> = {}) {
    const clock = { time };
    const source = derivedKeySource(master, { crypto, ...options });
    const ring = new KeyRing({ crypto, now: () => clock.time, source });
    const layout = options.kind === 'secret' ? { layout: paddedLayout } : {};
    return { clock, ring, sealer: new RingSealer({ keys: ring, ...layout }) };
  }

  it('is HKDF of the master, the number of the period and its length', () => {
    const { keys, until } = keysAt(20_000 * day + 7);
    const info = Buffer.alloc(16);
    info.writeBigUInt64BE(20_000n);
    info.writeBigUInt64BE(BigInt(day), 8);
    const expected = Buffer.from(hkdfSync('sha256', master, 'tls-resume ticket keys 1', info, 80));
    const [{ name, aesKey, hmacKey } = keys[0]!] = keys;
    expect(toHex(name) + toHex(aesKey!) + toHex(hmacKey!)).toBe(expected.toString('hex'));
    expect(until).toBe(20_001 * day);
  });

  it('has the key of the period, the next one, and those before whose tickets may live', () => {
    const times = (openingPeriod: number) =>
      keysAt(100 * day, { openingPeriod }).keys.map((key) => [
        key.sealsFrom! / day,
        key.sealsUntil! / day,
        key.opensUntil! / day,
      ]);
    expect(times(day)).toEqual([
      [100, 101, 102],
      [101, 102, 103],
      [99, 100, 101],
    ]);
    expect(times(2.5 * day).map(([from]) => from)).toEqual([100, 101, 99, 98, 97]);
    expect(keysAt(5).keys).toHaveLength(2);
  });

  it('keys of other periods, of other lengths of a period and of another master have nothing in common', () => {
    const parts = [
      ...keysAt(100 * day).keys,
      ...keysAt(100 * day, { sealingPeriod: day / 2 }).keys,
      ...derivedKeySource(new Uint8Array(randomBytes(32)), { crypto }).keysAt(100 * day).keys,
    ].flatMap((key) => [key.name, key.aesKey!, key.hmacKey!].map(toHex));
    expect(new Set(parts).size).toBe(parts.length);
  });

  it.each(['aes_hmac', 'secret'] as const)(
    'hosts with %s keys whose clocks differ open each other, over the turn of a period',
    (kind) => {
      const [one, other] = [hostAt(100 * day + 1000, { kind }), hostAt(100 * day - 1000, { kind })];
      expect(one.sealer.open(other.sealer.seal(state))).toEqual({ state, renew: true });
      expect(other.sealer.open(one.sealer.seal(state))).toEqual({ state, renew: false });
    },
  );

  it('R9325-3.4-4 a ticket opens for the opening period after its key stopped sealing, and then no more', () => {
    const { sealer, clock } = hostAt(100 * day, { openingPeriod: day / 2 });
    const ticket = sealer.seal(state);
    clock.time = 101 * day + day / 2 - 1;
    expect(sealer.open(ticket)).toEqual({ state, renew: true });
    clock.time += 1;
    expect(sealer.open(ticket).reason).toMatch(/expired|unknown_key_name/);
  });

  it('works on a copy of the master', () => {
    const given = master.slice();
    const source = derivedKeySource(given, { crypto });
    given.fill(0);
    expect(toHex(source.keysAt(day).keys[0]!.name)).toBe(toHex(keysAt(day).keys[0]!.name));
  });

  it.each<[string, Uint8Array, Partial<DerivedKeySourceOptions>, string]>([
    ['a short master', master.subarray(1), {}, 'invalid_key'],
    ['a master of zeros', new Uint8Array(32), {}, 'invalid_key'],
    ['no sealing period', master, { sealingPeriod: 0 }, 'invalid_option'],
    ['half a millisecond', master, { sealingPeriod: 1000.5 }, 'invalid_option'],
    ['a negative opening period', master, { openingPeriod: -1 }, 'invalid_option'],
    ['more keys than would be of use', master, { sealingPeriod: 1000 }, 'invalid_option'],
  ])('P-key-1 %s is refused', (_, secret, options, code) => {
    expect(() => derivedKeySource(secret, { crypto, ...options })).toThrow(expect.objectContaining({ code }) as Error);
  });
});
