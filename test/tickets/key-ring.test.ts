import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/bytes.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { defaultOpeningPeriod, defaultSealingPeriod, type KeyRingOptions } from '../../src/tickets/key-ring-options.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import type { TicketKeyState } from '../../src/tickets/ring-key.js';
import { rfc5077Layout } from '../../src/tickets/layouts/rfc5077.js';
import type { TicketLayout } from '../../src/tickets/layout.js';
import { generateTicketKey, type TicketKey } from '../../src/tickets/ticket-key.js';
import { backends } from './backends.js';

/** Seals by a MAC without anything random, to see which key it is. */
const probe: TicketLayout = {
  name: 'probe',
  shortestTicket: 0,
  longestState: 100,
  prepare: (crypto, key) => {
    const mac = crypto.hmac('sha256', key.hmacKey ?? key.secret);
    return { seal: (state) => mac.compute(state), open: () => 'bad_mac', destroy: () => mac.destroy() };
  },
};

const day = 24 * 60 * 60 * 1000;

describe.each(backends)('KeyRing ($name)', (crypto) => {
  function ringAt(time: number, options: Partial<KeyRingOptions> = {}) {
    const clock = { time };
    return { clock, ring: new KeyRing({ crypto, now: () => clock.time, ...options }) };
  }
  const keyFor = (times: Pick<TicketKey, 'sealsFrom' | 'sealsUntil' | 'opensUntil'> = {}) =>
    generateTicketKey(crypto, times);
  const states = (ring: KeyRing): TicketKeyState[] => ring.status().map((key) => key.state);
  const sealingName = (ring: KeyRing) => toHex(ring.sealingKey().name);
  const openingResult = (ring: KeyRing, key: TicketKey) => {
    const found = ring.openingKey(key.name);
    return typeof found === 'string' ? found : 'opens';
  };

  it('P-key-1 without a key, sealing throws no_sealing_key', () => {
    const { ring } = ringAt(0);
    expect(() => ring.sealingKey()).toThrow(expect.objectContaining({ code: 'no_sealing_key' }));
    expect(ring.status()).toEqual([]);
  });

  it('P-key-1 refuses weak keys, and keys whose name or bytes another one has', () => {
    const key = keyFor();
    const { ring } = ringAt(0, { keys: [key] });
    const other = keyFor();
    for (const refused of [
      key,
      { ...other, name: key.name },
      { ...other, aesKey: key.aesKey },
      { ...other, hmacKey: key.hmacKey },
      { ...other, aesKey: new Uint8Array(32) },
    ]) {
      expect(() => ring.add(refused)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
      expect(() => ring.rotate(refused)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
    }
    expect(ring.status().map((status) => toHex(status.name))).toEqual([toHex(key.name)]);
    expect(sealingName(ring)).toBe(toHex(key.name));
  });

  it('a key goes future, active, retired, expired by its own times, to the millisecond', () => {
    const key = keyFor({ sealsFrom: 100, sealsUntil: 200, opensUntil: 300 });
    const { clock, ring } = ringAt(0, { keys: [key] });
    const seen = [0, 99, 100, 199, 200, 299, 300, 400].map((time) => {
      clock.time = time;
      return [time, ...states(ring), openingResult(ring, key)];
    });
    expect(seen).toEqual([
      [0, 'future', 'opens'],
      [99, 'future', 'opens'],
      [100, 'active', 'opens'],
      [199, 'active', 'opens'],
      [200, 'retired', 'opens'],
      [299, 'retired', 'opens'],
      [300, 'expired', 'expired'],
      [400, 'expired', 'expired'],
    ]);
  });

  it('P-key-6 only an active key seals', () => {
    const { clock, ring } = ringAt(99, { keys: [keyFor({ sealsFrom: 100, sealsUntil: 200, opensUntil: 300 })] });
    const seals = [99, 100, 199, 200, 300].map((time) => {
      clock.time = time;
      try {
        ring.sealingKey();
        return true;
      } catch {
        return false;
      }
    });
    expect(seals).toEqual([false, true, true, false, false]);
  });

  it('P-key-6 a key without an end opens for one period after another took its place', () => {
    const first = keyFor();
    const second = keyFor();
    const { clock, ring } = ringAt(1000, { keys: [first] });
    clock.time = 2000;
    ring.rotate(second);
    expect(sealingName(ring)).toBe(toHex(second.name));
    expect(states(ring)).toEqual(['retired', 'active']);
    expect(ring.status()[0]).toMatchObject({ sealsUntil: 2000, opensUntil: 2000 + defaultOpeningPeriod });
    clock.time = 2000 + defaultOpeningPeriod - 1;
    expect(openingResult(ring, first)).toBe('opens');
    clock.time++;
    expect(openingResult(ring, first)).toBe('expired');
    expect(openingResult(ring, second)).toBe('opens');
  });

  it('rotation keeps the end of opening that a key carries', () => {
    const first = keyFor({ opensUntil: 3 * day });
    const { ring } = ringAt(0, { keys: [first] });
    ring.rotate(keyFor());
    expect(ring.status()[0]).toMatchObject({ state: 'retired', opensUntil: 3 * day });
  });

  it('of several active keys the latest sealsFrom seals, among equal ones the first', () => {
    const [a, b, c] = [keyFor(), keyFor(), keyFor({ sealsFrom: 50 })];
    const { clock, ring } = ringAt(0, { keys: [a, b, c] });
    expect(sealingName(ring)).toBe(toHex(a.name));
    clock.time = 50;
    expect(sealingName(ring)).toBe(toHex(c.name));
  });

  it('P-key-6 wipes the bytes of an expired key, destroys its states, and leaves the array of the caller alone', () => {
    const held: Uint8Array[] = [];
    let destroyed = 0;
    const spy: CryptoBackend = {
      ...crypto,
      cbc: (key) => {
        held.push(key);
        const { encrypt, decrypt } = crypto.cbc(key);
        return { encrypt, decrypt, destroy: () => destroyed++ };
      },
      hmac: (algorithm, key) => {
        held.push(key);
        const { outputLength, compute } = crypto.hmac(algorithm, key);
        return { outputLength, compute, destroy: () => destroyed++ };
      },
    };
    const key = keyFor({ opensUntil: 100 });
    const before = toHex(key.aesKey) + toHex(key.hmacKey);
    const clock = { time: 99 };
    const ring = new KeyRing({ crypto: spy, now: () => clock.time, keys: [key] });
    ring.use(rfc5077Layout);
    expect(held.map(toHex)).toEqual([toHex(key.aesKey), toHex(key.hmacKey)]);
    clock.time = 100;
    expect(ring.openingKey(key.name)).toBe('expired');
    expect(held).toEqual([new Uint8Array(32), new Uint8Array(32)]);
    expect(destroyed).toBe(2);
    expect(toHex(key.aesKey) + toHex(key.hmacKey)).toBe(before);
  });

  it('destroy expires all keys', () => {
    const key = keyFor();
    const { ring } = ringAt(0, { keys: [key] });
    ring.destroy();
    expect(openingResult(ring, key)).toBe('expired');
    expect(() => ring.sealingKey()).toThrow(expect.objectContaining({ code: 'no_sealing_key' }));
    const automatic = ringAt(0, { automaticRotation: true }).ring;
    automatic.sealingKey();
    automatic.destroy();
    expect(() => automatic.sealingKey()).toThrow(expect.objectContaining({ code: 'no_sealing_key' }));
  });

  it('P-time-2 a key made while the clock was ahead is replaced when the clock goes back, and opens for one period', () => {
    const { clock, ring } = ringAt(3650 * day, { automaticRotation: true });
    const first = { ...keyFor(), name: ring.sealingKey().name };
    clock.time += day;
    const second = { ...keyFor(), name: ring.sealingKey().name };
    clock.time = 1000;
    expect(sealingName(ring)).not.toBe(toHex(second.name));
    expect(ring.status()).toMatchObject([
      { state: 'retired', opensUntil: 1000 + day },
      { state: 'retired', opensUntil: 1000 + day },
      { state: 'active', sealsFrom: 1000, sealsUntil: 1000 + day },
    ]);
    clock.time = 1000 + day;
    expect([first, second].map((key) => openingResult(ring, key))).toEqual(['expired', 'expired']);
  });

  it('P-time-2 a clock that jumps backwards makes no retired key seal and no expired key open', () => {
    const short = keyFor({ sealsUntil: 100, opensUntil: 200 });
    const long = keyFor({ sealsUntil: 100, opensUntil: 1000 });
    const { clock, ring } = ringAt(0, { keys: [short, long] });
    clock.time = 300;
    expect(ring.openingKey(new Uint8Array(16))).toBe('unknown_key_name');
    clock.time = 0;
    expect(states(ring)).toEqual(['expired', 'retired']);
    expect(openingResult(ring, short)).toBe('expired');
    expect(() => ring.sealingKey()).toThrow(expect.objectContaining({ code: 'no_sealing_key' }));
  });

  it('P-key-2 a key stops sealing at the seal limit and goes on opening', () => {
    const key = keyFor();
    const { ring } = ringAt(0, { keys: [key], sealLimit: 3 });
    for (let i = 0; i < 3; i++) expect(sealingName(ring)).toBe(toHex(key.name));
    expect(() => ring.sealingKey()).toThrow(expect.objectContaining({ code: 'no_sealing_key' }));
    expect(ring.status()).toMatchObject([{ state: 'retired', seals: false, sealed: 3 }]);
    expect(openingResult(ring, key)).toBe('opens');
  });

  it('R9325-3.4-3 rotates by itself where asked: at first, after the sealing period, and at the seal limit', () => {
    const { clock, ring } = ringAt(0, { automaticRotation: true, sealLimit: 2 });
    const names = [0, day - 1, day - 1, 2 * day - 2, 2 * day - 1].map((time) => {
      clock.time = time;
      return sealingName(ring);
    });
    expect(defaultSealingPeriod).toBe(day);
    expect(new Set(names).size).toBe(3);
    expect(names[0]).toBe(names[1]);
    expect(names[2]).toBe(names[3]);
    // R9325-3.4-4: the first key, retired at day - 1, has had its opening period.
    expect(states(ring)).toEqual(['expired', 'retired', 'active']);
  });

  it('counts what each key sealed, opened and had renewed; only a newer key renews', () => {
    const [old, current, next] = [keyFor(), keyFor(), keyFor({ sealsFrom: 1000 })];
    const { ring } = ringAt(0, { keys: [old] });
    ring.sealingKey();
    ring.rotate(current);
    ring.add(next);
    ring.sealingKey();
    const renewals = [old, old, current, next].map(({ name }) => {
      const key = ring.openingKey(name);
      return typeof key === 'string' ? key : ring.countOpened(key);
    });
    expect(renewals).toEqual([true, true, false, false]);
    expect(ring.status().map(({ sealed, opened, renewed, seals }) => ({ sealed, opened, renewed, seals }))).toEqual([
      { sealed: 1, opened: 2, renewed: 2, seals: false },
      { sealed: 1, opened: 1, renewed: 0, seals: true },
      { sealed: 0, opened: 1, renewed: 0, seals: false },
    ]);
  });

  it('asks for no renewal while nothing seals', () => {
    const key = keyFor({ sealsUntil: 10 });
    const { clock, ring } = ringAt(0, { keys: [key] });
    clock.time = 20;
    const found = ring.openingKey(key.name);
    expect(typeof found === 'string' ? found : ring.countOpened(found)).toBe(false);
  });

  it('a full ring lets go of expired names, then of the oldest retired key, and refuses while all are in use', () => {
    const keys = [keyFor({ opensUntil: 10 }), keyFor({ sealsUntil: 5, opensUntil: 1000 }), keyFor()];
    const { clock, ring } = ringAt(0, { keys, maxKeys: 3 });
    expect(() => ring.add(keyFor())).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    clock.time = 20;
    const added = [keyFor(), keyFor()];
    for (const key of added) ring.add(key);
    expect([...keys, ...added].map((key) => openingResult(ring, key))).toEqual([
      'unknown_key_name',
      'unknown_key_name',
      'opens',
      'opens',
      'opens',
    ]);
    expect(() => ring.add(keyFor())).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });

  it('does not take an expired name back while it remembers it', () => {
    const key = keyFor({ opensUntil: 10 });
    const { clock, ring } = ringAt(0, { keys: [key] });
    clock.time = 10;
    expect(() => ring.add({ ...keyFor(), name: key.name })).toThrow(expect.objectContaining({ code: 'invalid_key' }));
  });

  it('P-key-4 works on copies: what the caller does to the arrays afterwards changes nothing', () => {
    const key = keyFor();
    const name = key.name.slice();
    const { ring } = ringAt(0, { keys: [key] });
    ring.use(probe);
    const before = ring.sealingKey().for(probe)?.seal(fromHex('00'));
    key.name.fill(0);
    key.hmacKey.fill(0);
    ring.status()[0]?.name.fill(0);
    expect(sealingName(ring)).toBe(toHex(name));
    expect(ring.sealingKey().for(probe)?.seal(fromHex('00'))).toEqual(before);
  });

  it.each([{ maxKeys: 0 }, { sealLimit: -1 }, { sealingPeriod: Number.NaN }, { openingPeriod: 0 }])(
    'refuses the option %o',
    (options) => {
      expect(() => ringAt(0, options)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    },
  );
});
