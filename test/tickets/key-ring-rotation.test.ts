import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import { nobleCrypto as crypto } from '../../src/crypto/noble.js';
import type { KeyRingEvent, KeyRingOptions } from '../../src/tickets/key-ring-options.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import type { TicketKeySource } from '../../src/tickets/key-source.js';
import { opensslLayout } from '../../src/tickets/layouts/openssl.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { generateSecretTicketKey, generateTicketKey, type TicketKey } from '../../src/tickets/ticket-key.js';

const hour = 60 * 60 * 1000;
const invalidKey = expect.objectContaining({ code: 'invalid_key' }) as Error;
const invalidOption = expect.objectContaining({ code: 'invalid_option' }) as Error;

function named(name: string, times: Partial<TicketKey> = {}): TicketKey {
  return { ...generateTicketKey(crypto), name: ascii(name.padEnd(16)), ...times } as TicketKey;
}

function rigOf(options: Partial<KeyRingOptions> = {}) {
  const clock = { time: 0 };
  const ring = new KeyRing({ crypto, now: () => clock.time, ...options });
  const events: string[] = [];
  ring.subscribe(({ type, key }) => events.push(`${nameOf(key)} ${type}`));
  return { clock, ring, events, sealer: new RingSealer({ keys: ring, layout: opensslLayout }) };
}

const nameOf = ({ name }: { readonly name: Uint8Array }) => String.fromCharCode(...name).trim();
/** `+` seals, the first letter of the state otherwise. */
const picture = (ring: KeyRing) =>
  ring
    .status()
    .map((key) => `${nameOf(key)}${key.seals ? '+' : `:${key.state.slice(0, 1)}`}`)
    .join(' ');
const state = new Uint8Array(110);

describe('replace', () => {
  it('takes the new keys and wipes what is not among them, the first that may seal seals', () => {
    const { ring, sealer, events } = rigOf({ keys: [named('old')] });
    const ticket = sealer.seal(state);
    ring.replace([named('a'), named('b')]);
    expect(picture(ring)).toBe('a+ b:a');
    expect(sealer.open(ticket)).toEqual({ reason: 'unknown_key_name' });
    expect(events).toEqual(['a added', 'b added', 'old removed', 'a active', 'b active', 'a seals']);
  });

  it('a key that stays keeps its counters, and takes the times that it comes with', () => {
    const [a, b] = [named('a'), named('b')];
    const { ring, sealer } = rigOf({ keys: [a] });
    const ticket = sealer.seal(state);
    ring.replace([b, { ...a, sealsUntil: -Infinity, opensUntil: Infinity }]);
    expect(picture(ring)).toBe('b+ a:r');
    expect(sealer.open(ticket)).toEqual({ state, renew: true });
    expect(ring.status()[1]).toMatchObject({ sealed: 1, opened: 1, renewed: 1 });
    ring.replace([a, b]);
    expect(picture(ring)).toBe('a+ b:a');
    expect(ring.status()[0]).toMatchObject({ sealed: 1, opened: 1, renewed: 1 });
  });

  it('P-key-2 a key at the seal limit seals no more, however often its file is read', () => {
    const [a, b] = [named('a'), named('b')];
    const { ring, sealer } = rigOf({ keys: [a], sealLimit: 2 });
    const ticket = sealer.seal(state);
    sealer.seal(state);
    ring.replace([a]);
    expect(() => sealer.seal(state)).toThrow(expect.objectContaining({ code: 'no_sealing_key' }) as Error);
    ring.replace([a, b]);
    expect(picture(ring)).toBe('a:r b+');
    expect(sealer.open(ticket)).toEqual({ state, renew: true });
  });

  it('other bytes under a name that was there take its place', () => {
    const { ring, sealer } = rigOf({ keys: [named('a')] });
    const ticket = sealer.seal(state);
    ring.replace([named('a')]);
    expect(picture(ring)).toBe('a+');
    expect(sealer.open(ticket)).toEqual({ reason: 'bad_mac' });
  });

  it.each<[string, (good: TicketKey) => TicketKey[]]>([
    ['a weak key', (good) => [good, named('weak', { aesKey: new Uint8Array(32) })]],
    ['a name twice', (good) => [good, named('good')]],
    ['the same bytes under two names', (good) => [good, { ...good, name: ascii('another name 123') }]],
    ['a key that the layout has no use for', (good) => [good, generateSecretTicketKey(crypto)]],
  ])('P-key-1 %s: all or nothing', (_, keys) => {
    const { ring, sealer, events } = rigOf({ keys: [named('old')] });
    const ticket = sealer.seal(state);
    expect(() => ring.replace(keys(named('good')))).toThrow(invalidKey);
    expect(picture(ring)).toBe('old+');
    expect(sealer.open(ticket)).toEqual({ state, renew: false });
    expect(events).toEqual([]);
  });

  it('refuses more keys than fit, and none at all leaves a ring that seals nothing and says so', () => {
    const { ring, sealer } = rigOf({ maxKeys: 2, keys: [named('old')] });
    expect(() => ring.replace([named('a'), named('b'), named('c')])).toThrow(invalidOption);
    expect(picture(ring)).toBe('old+');
    ring.replace([]);
    expect(() => sealer.seal(state)).toThrow(expect.objectContaining({ code: 'no_sealing_key' }) as Error);
  });
});

describe('as lua-ssl-nginx-module does', () => {
  it('updateTicketEncryptionKey puts a key in front, of which no more than nkeys stay', () => {
    const { ring, sealer } = rigOf();
    const [a, b, c, d] = [named('a'), named('b'), named('c'), named('d')];
    ring.updateTicketEncryptionKey(a, 3);
    const ticket = sealer.seal(state);
    ring.updateTicketEncryptionKey(b, 3);
    ring.updateTicketEncryptionKey(c, 3);
    expect(picture(ring)).toBe('c+ b:r a:r');
    expect(sealer.open(ticket)).toEqual({ state, renew: true });
    ring.updateTicketEncryptionKey(d, 3);
    expect(picture(ring)).toBe('d+ c:r b:r');
    expect(sealer.open(ticket)).toEqual({ reason: 'unknown_key_name' });
    expect(() => ring.updateTicketEncryptionKey(named('e'), 0)).toThrow(invalidOption);
  });

  it('retired keys open for as long as they are among the nkeys, whatever the clock says', () => {
    const { ring, sealer, clock } = rigOf({ openingPeriod: hour });
    ring.updateTicketEncryptionKey(named('a'), 2);
    const ticket = sealer.seal(state);
    ring.updateTicketEncryptionKey(named('b'), 2);
    clock.time = 1000 * hour;
    expect(sealer.open(ticket)).toEqual({ state, renew: true });
  });

  it('the key that seals already is no news', () => {
    const { ring, events } = rigOf();
    const a = named('a');
    ring.updateTicketEncryptionKey(a, 3);
    ring.updateTicketEncryptionKey({ ...a }, 3);
    expect(picture(ring)).toBe('a+');
    expect(events).toEqual(['a added', 'a active', 'a seals']);
  });

  it('updateLastTicketDecryptionKey replaces the last, never the one that seals alone; and it comes to seal in its turn', () => {
    const { ring } = rigOf();
    const [a, b, c, d] = [named('a'), named('b'), named('c'), named('d')];
    ring.updateTicketEncryptionKey(a, 3);
    ring.updateLastTicketDecryptionKey(b);
    expect(picture(ring)).toBe('a+ b:f');
    ring.updateLastTicketDecryptionKey(b);
    expect(picture(ring)).toBe('a+ b:f');
    ring.updateTicketEncryptionKey(b, 3);
    expect(picture(ring)).toBe('b+ a:r');
    ring.updateLastTicketDecryptionKey(c);
    expect(picture(ring)).toBe('b+ c:f');
    ring.updateTicketEncryptionKey(d, 3);
    expect(picture(ring)).toBe('d+ b:r c:f');
  });

  it('a host that is a key ahead and one that is behind open what the other seals', () => {
    const [ahead, behind] = [rigOf(), rigOf()];
    const [a, b] = [named('a'), named('b')];
    for (const { ring } of [ahead, behind]) {
      ring.updateTicketEncryptionKey(a, 3);
      ring.updateLastTicketDecryptionKey(b);
    }
    ahead.ring.updateTicketEncryptionKey(b, 3);
    // Its ticket is the newer one: not renewed under the older key.
    expect(behind.sealer.open(ahead.sealer.seal(state))).toEqual({ state, renew: false });
    expect(ahead.sealer.open(behind.sealer.seal(state))).toEqual({ state, renew: true });
  });
});

describe('a source', () => {
  const period = 6 * hour;
  const keys = Array.from({ length: 8 }, (_, i) => named(`k${i}`));
  /** A key for each period, with the one before and the one after. */
  const source: TicketKeySource = {
    keysAt: (now) => {
      const current = Math.floor(now / period);
      return {
        keys: [current - 1, current, current + 1]
          .filter((i) => i >= 0)
          .map((i) => ({
            ...keys[i]!,
            sealsFrom: i * period,
            sealsUntil: (i + 1) * period,
            opensUntil: (i + 2) * period,
          })),
        until: (current + 1) * period,
      };
    },
  };

  it('fills the ring by the clock: previous, current and next key', () => {
    const { ring, clock, sealer } = rigOf({ source });
    expect(picture(ring)).toBe('k0+ k1:f');
    const ticket = sealer.seal(state);
    clock.time = period;
    expect(picture(ring)).toBe('k0:r k1+ k2:f');
    expect(sealer.open(ticket)).toEqual({ state, renew: true });
    expect(ring.status()[0]).toMatchObject({ sealed: 1, opened: 1, renewed: 1 });
    clock.time = 2 * period;
    expect(sealer.open(ticket)).toEqual({ reason: 'unknown_key_name' });
    expect(picture(ring)).toBe('k1:r k2+ k3:f');
  });

  it('P-time-2 hosts whose clocks differ by less than a period open each other: also after the clock went back', () => {
    const [one, other] = [rigOf({ source }), rigOf({ source })];
    one.clock.time = 2 * period + 1000;
    other.clock.time = 2 * period - 1000;
    expect(other.sealer.open(one.sealer.seal(state))).toEqual({ state, renew: false });
    expect(one.sealer.open(other.sealer.seal(state))).toEqual({ state, renew: true });
    one.clock.time = period;
    expect(picture(one.ring)).toBe('k0:r k1+ k2:f');
  });

  it('brings none to a ring that was destroyed, not even when the clock goes back', () => {
    const { ring, clock } = rigOf({ source });
    ring.destroy();
    clock.time = -1;
    expect(picture(ring)).toBe('k0:e k1:e');
  });

  it('brings all keys: nobody else adds any', () => {
    const { ring } = rigOf({ source });
    for (const change of [
      () => ring.add(named('x')),
      () => ring.rotate(named('x')),
      () => ring.replace([named('x')]),
      () => ring.updateTicketEncryptionKey(named('x'), 2),
      () => ring.updateLastTicketDecryptionKey(named('x')),
    ])
      expect(change).toThrow(invalidOption);
    expect(() => rigOf({ source, automaticRotation: true })).toThrow(invalidOption);
    expect(() => rigOf({ source, keys: [named('x')] })).toThrow(invalidOption);
  });
});

describe('listeners', () => {
  it('hear of every step of a key, with its counters', () => {
    const { ring, sealer, clock, events } = rigOf({
      automaticRotation: true,
      sealingPeriod: hour,
      openingPeriod: hour,
    });
    const heard: KeyRingEvent[] = [];
    const end = ring.subscribe((event) => void heard.push(event));
    sealer.seal(state);
    const [first] = ring.status();
    clock.time = hour;
    sealer.seal(state);
    clock.time = 2 * hour;
    ring.status();
    const name = nameOf(first!);
    expect(events.filter((event) => event.startsWith(name)).map((event) => event.slice(name.length + 1))).toEqual([
      'added',
      'active',
      'seals',
      'retired',
      'expired',
    ]);
    expect(heard.find(({ type }) => type === 'expired')?.key).toMatchObject({ sealed: 1, opened: 0, state: 'expired' });
    const count = heard.length;
    end();
    clock.time = 3 * hour;
    sealer.seal(state);
    expect(heard.length).toBe(count);
  });

  it('hear of a key that is retired by another one, and of all when the ring is destroyed', () => {
    const { ring, events } = rigOf({ keys: [named('a')] });
    ring.rotate(named('b'));
    expect(events.splice(0)).toEqual(['b added', 'b active', 'b seals', 'a retired']);
    ring.destroy();
    expect(events).toEqual(['a expired', 'b expired']);
  });

  it('hear nothing of keys that stay what they were', () => {
    const keys = [named('a'), named('b', { sealsUntil: -Infinity, opensUntil: Infinity })];
    const { ring, events } = rigOf({ keys });
    ring.replace(keys);
    expect(events).toEqual([]);
    expect(picture(ring)).toBe('a+ b:r');
    ring.replace([{ ...keys[0]!, sealsFrom: 10 }, keys[1]!]);
    ring.replace(keys);
    expect(events).toEqual(['a active', 'a seals']);
  });

  it('one that throws keeps nobody from sealing', () => {
    const { ring, sealer, events } = rigOf();
    ring.subscribe(() => {
      throw new Error('a listener');
    });
    ring.replace([named('a')]);
    expect(sealer.seal(state).length).toBeGreaterThan(110);
    expect(events).toContain('a seals');
  });
});

describe('what leaves the ring', () => {
  it('exportKeys gives copies with the times, which make the same ring again', () => {
    const { ring, clock, sealer } = rigOf({ keys: [named('a'), named('b', { sealsFrom: 10 })] });
    clock.time = 10;
    const ticket = sealer.seal(state);
    const exported = ring.exportKeys();
    const again = rigOf({ keys: exported });
    again.clock.time = 10;
    expect(picture(again.ring)).toBe(picture(ring));
    expect(again.sealer.open(ticket)).toEqual({ state, renew: false });
    for (const { aesKey } of exported) aesKey?.fill(0);
    expect(sealer.open(ticket)).toEqual({ state, renew: false });
    expect(toHex(ring.exportKeys()[0]!.aesKey!)).not.toMatch(/^0+$/);
  });

  it('no expired key is exported', () => {
    const { ring, clock } = rigOf({ keys: [named('a', { opensUntil: 10 }), named('b')] });
    clock.time = 10;
    expect(ring.exportKeys().map(nameOf)).toEqual(['b']);
  });
});

describe('longestTicketLife', () => {
  it.each<[string, Partial<KeyRingOptions>, number]>([
    ['without times: an opening period', { keys: [named('a')] }, 24 * hour],
    ['of a shorter opening period', { keys: [named('a')], openingPeriod: hour }, hour],
    [
      'what a key leaves to its last ticket',
      { keys: [named('a', { sealsUntil: 5 * hour, opensUntil: 8 * hour })] },
      3 * hour,
    ],
    [
      'of a key without an end of sealing: what is left of it now',
      { keys: [named('a', { opensUntil: 2 * hour })] },
      2 * hour,
    ],
    [
      'the shortest of keys to come as well',
      { keys: [named('a'), named('b', { sealsFrom: hour, sealsUntil: 2 * hour, opensUntil: 2 * hour + 1 })] },
      1,
    ],
    [
      'keys that wait for a word do not count',
      { keys: [named('a'), named('b', { sealsFrom: Infinity, opensUntil: Infinity })] },
      24 * hour,
    ],
    ['retired keys do not count', { keys: [named('a'), named('b', { sealsUntil: 0, opensUntil: 1 })] }, 24 * hour],
  ])('%s', (_, options, life) => {
    expect(rigOf(options).ring.longestTicketLife()).toBe(life);
  });
});
