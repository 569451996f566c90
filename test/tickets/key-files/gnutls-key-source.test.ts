import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/bytes.js';
import { nobleCrypto } from '../../../src/crypto/noble.js';
import { gnutlsKeySource, gnutlsTicketKey } from '../../../src/tickets/key-files/gnutls-key-source.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { ticketSamples } from '../../support/ticket-samples.js';
import { plain } from './arbitrary-keys.js';

const master = fromHex(toHex(nobleCrypto.randomBytes(64)));
const hour = 3_600_000;

describe('gnutlsTicketKey', () => {
  const samples = ticketSamples().filter(([, { initialKeyHex }]) => initialKeyHex !== undefined);

  it.each(samples)('makes the key of %s', (_, sample) => {
    const key = gnutlsTicketKey(fromHex(sample.initialKeyHex ?? ''), sample.totpStep ?? Number.NaN);
    expect(plain(key)).toEqual([sample.keyNameHex, sample.aesKeyHex, sample.hmacKeyHex]);
    expect(sample.ticketHex.startsWith(toHex(key.name))).toBe(true);
  });

  it('the period of a sample is that of the day it was made: every 18 hours one', () => {
    const [, sample] = samples[0]!;
    const made = (sample.totpStep ?? 0) * 18 * hour;
    expect(new Date(made).toISOString().slice(0, 4)).toBe('2026');
  });
});

describe('gnutlsKeySource', () => {
  it('has the key of the period, the next and the one before, each for its time', () => {
    const { keys, until } = gnutlsKeySource(master).keysAt(100 * 18 * hour + 5);
    expect(keys.map(plain)).toEqual([100, 101, 99].map((period) => plain(gnutlsTicketKey(master, period))));
    expect(keys.map(({ sealsFrom, sealsUntil, opensUntil }) => [sealsFrom, sealsUntil, opensUntil])).toEqual(
      [100, 101, 99].map((period) => [period, period + 1, period + 2].map((step) => step * 18 * hour)),
    );
    expect(until).toBe(101 * 18 * hour);
  });

  it('a period is three times as long as sessions live', () => {
    const { keys, until } = gnutlsKeySource(master, { expirationSeconds: 100 }).keysAt(900_000);
    expect([keys[0]!.sealsFrom, until]).toEqual([900_000, 1_200_000]);
  });

  it('before the first period there is none', () => {
    expect(gnutlsKeySource(master).keysAt(5).keys).toHaveLength(2);
    expect(gnutlsKeySource(master).keysAt(-5).keys).toHaveLength(2);
  });

  it('fills a ring: one key seals, and turns over with the period', () => {
    let now = 100 * 18 * hour;
    const ring = new KeyRing({ crypto: nobleCrypto, now: () => now, source: gnutlsKeySource(master) });
    const states = () => ring.status().map(({ state, seals }) => (seals ? 'seals' : state));
    const name = () => toHex(ring.sealingKey().name);
    expect(states()).toEqual(['seals', 'future', 'retired']);
    const first = name();
    now += 18 * hour - 1;
    expect(name()).toBe(first);
    now += 1;
    expect(states()).toEqual(['seals', 'future', 'retired']);
    expect(name()).toBe(toHex(gnutlsTicketKey(master, 101).name));
  });

  it('works on a copy', () => {
    const given = master.slice();
    const source = gnutlsKeySource(given);
    given.fill(0);
    expect(plain(source.keysAt(0).keys[0]!)).toEqual(plain(gnutlsTicketKey(master, 0)));
  });

  it.each([
    [
      'P-key-1 a short master',
      () => gnutlsKeySource(master.subarray(1)),
      'invalid_key',
      'gnutls64: got 63 bytes, expected 64',
    ],
    [
      'P-key-1 a master of zeros',
      () => gnutlsKeySource(new Uint8Array(64)),
      'invalid_key',
      'gnutls64: the master repeats itself every 1 bytes: not a random key',
    ],
    [
      'no time',
      () => gnutlsKeySource(master, { expirationSeconds: 0 }),
      'invalid_option',
      'expirationSeconds is 0, expected a positive integer',
    ],
    [
      'part of a second',
      () => gnutlsKeySource(master, { expirationSeconds: 1.5 }),
      'invalid_option',
      'expirationSeconds is 1.5, expected a positive integer',
    ],
  ])('refuses %s', (_, make, code, message) => {
    expect(make).toThrow(expect.objectContaining({ code, message }));
  });
});
