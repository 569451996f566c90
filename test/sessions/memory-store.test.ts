import { describe, expect, it, vi } from 'vitest';
import { ascii, fromAscii, fromHex } from '../../src/bytes.js';
import { UsageError } from '../../src/errors.js';
import { defaultMaxLifetime, MemoryStore, type MemoryStoreOptions } from '../../src/sessions/memory-store.js';
import { SecretSearch } from '../hygiene/secret-search.js';

const never = Number.MAX_SAFE_INTEGER;

function storeAt(time: number, options: Omit<MemoryStoreOptions, 'now'> = {}) {
  const clock = { time };
  return { clock, store: new MemoryStore({ now: () => clock.time, ...options }) };
}

describe('MemoryStore', () => {
  it('keeps bytes under byte keys, also where they are not text', () => {
    const { store } = storeAt(0);
    store.set(fromHex('00ff80'), fromHex('0102'), 1000);
    store.set(fromHex('00ff'), fromHex('03'), 1000);
    store.set(fromHex(''), fromHex(''), 1000);
    expect(store.get(fromHex('00ff80'))).toEqual(fromHex('0102'));
    expect(store.get(fromHex('00ff'))).toEqual(fromHex('03'));
    expect(store.get(fromHex(''))).toEqual(fromHex(''));
    expect(store.get(fromHex('00'))).toBeUndefined();
    expect(store.statistics()).toEqual({ hits: 3, misses: 1, expired: 0, evicted: 0, entries: 3, bytes: 8 });
  });

  it('keeps copies and hands out copies', () => {
    const { store } = storeAt(0);
    const key = fromHex('01');
    const value = fromHex('aabb');
    store.set(key, value, 1000);
    key.fill(9);
    value.fill(9);
    store.get(fromHex('01'))?.fill(7);
    expect(store.get(fromHex('01'))).toEqual(fromHex('aabb'));
  });

  it('replaces and deletes', () => {
    const { store } = storeAt(0);
    store.set(ascii('a'), fromHex('01'), 1000);
    store.set(ascii('a'), fromHex('0203'), 1000);
    expect(store.get(ascii('a'))).toEqual(fromHex('0203'));
    expect(store.statistics()).toMatchObject({ entries: 1, bytes: 3, evicted: 0 });
    store.delete(ascii('a'));
    store.delete(ascii('b'));
    expect(store.get(ascii('a'))).toBeUndefined();
    expect(store.statistics()).toMatchObject({ entries: 0, bytes: 0, evicted: 0 });
  });

  it('R8446-8.1-1 take: one caller gets the value, and nobody after', () => {
    const { clock, store } = storeAt(0);
    store.set(ascii('a'), fromHex('0102'), 1000);
    expect(store.take(ascii('a'))).toEqual(fromHex('0102'));
    expect(store.take(ascii('a'))).toBeUndefined();
    expect(store.get(ascii('a'))).toBeUndefined();
    expect(store.statistics()).toEqual({ hits: 1, misses: 2, expired: 0, evicted: 0, entries: 0, bytes: 0 });
    store.set(ascii('a'), fromHex('03'), 1000);
    clock.time = 1000;
    expect(store.take(ascii('a'))).toBeUndefined();
    expect(store.statistics()).toMatchObject({ hits: 1, misses: 3, expired: 1, entries: 0 });
  });

  it('P-state-7 holds at most maxEntries after 10,000 puts, the youngest ones', () => {
    const { store } = storeAt(0, { maxEntries: 100 });
    for (let i = 0; i < 10_000; i++) store.set(ascii(String(i)), new Uint8Array(200), never);
    expect(store.statistics()).toMatchObject({ entries: 100, evicted: 9900, bytes: 100 * 204 });
    expect(store.get(ascii('9899'))).toBeUndefined();
    expect(store.get(ascii('9900'))).toEqual(new Uint8Array(200));
    expect(store.get(ascii('9999'))).toEqual(new Uint8Array(200));
  });

  it('P-state-7 holds at most maxBytes, and nothing that is larger than itself', () => {
    const { store } = storeAt(0, { maxBytes: 100 });
    store.set(ascii('a'), new Uint8Array(49), never);
    store.set(ascii('b'), new Uint8Array(49), never);
    expect(store.statistics()).toMatchObject({ entries: 2, bytes: 100, evicted: 0 });
    store.set(ascii('c'), new Uint8Array(50), never);
    expect(store.statistics()).toMatchObject({ entries: 1, bytes: 51, evicted: 2 });
    store.set(ascii('c'), new Uint8Array(100), never);
    expect(store.statistics()).toMatchObject({ entries: 0, bytes: 0, evicted: 2 });
  });

  const remaining = (store: MemoryStore, keys: string) =>
    keys
      .split('')
      .filter((key) => store.take(ascii(key)) !== undefined)
      .join('');

  it('P-state-7 evicts in the order of setting; setting anew makes an entry the youngest', () => {
    const { store } = storeAt(0, { maxEntries: 3 });
    for (const key of 'abcad') store.set(ascii(key), ascii(key), never);
    expect(remaining(store, 'abcd')).toBe('acd');
  });

  it('P-state-7 who was asked for gets a second chance, and one only', () => {
    const { store } = storeAt(0, { maxEntries: 3 });
    for (const key of 'abc') store.set(ascii(key), ascii(key), never);
    store.get(ascii('a'));
    store.get(ascii('a'));
    store.set(ascii('d'), ascii('d'), never);
    store.set(ascii('e'), ascii('e'), never);
    expect(remaining(store, 'abcde')).toBe('ade');
    for (const key of 'abcdef') store.set(ascii(key), ascii(key), never);
    expect(remaining(store, 'abcdef')).toBe('def');
  });

  it('P-state-7 in a store where everything is in use the oldest leaves after so many second chances', () => {
    const { store } = storeAt(0, { maxEntries: 100 });
    const keys = Array.from({ length: 101 }, (_, i) => Uint8Array.of(i));
    for (const key of keys.slice(0, 100)) {
      store.set(key, key, never);
      store.get(key);
    }
    store.set(Uint8Array.of(100), ascii(''), never);
    expect(keys.filter((key) => store.take(key) === undefined)).toEqual([Uint8Array.of(16)]);
  });

  it('forgets at expiresAt, to the millisecond', () => {
    const { clock, store } = storeAt(0);
    store.set(ascii('a'), ascii('1'), 1000);
    clock.time = 999;
    expect(store.get(ascii('a'))).toEqual(ascii('1'));
    clock.time = 1000;
    expect(store.get(ascii('a'))).toBeUndefined();
    expect(store.statistics()).toMatchObject({ hits: 1, misses: 1, expired: 1, evicted: 0, entries: 0, bytes: 0 });
  });

  it('R5246-F.1.4-2 keeps nothing longer than 24 hours unless told to', () => {
    const { clock, store } = storeAt(5);
    store.set(ascii('a'), ascii('1'), never);
    clock.time = 5 + 24 * 3600 * 1000 - 1;
    expect(store.get(ascii('a'))).toEqual(ascii('1'));
    clock.time = 5 + 24 * 3600 * 1000;
    expect(store.get(ascii('a'))).toBeUndefined();
  });

  it.each([0, -1, 500, Number.NaN])('does not keep what expires at %d, at 500', (expiresAt) => {
    const { store } = storeAt(500);
    store.set(ascii('a'), ascii('1'), never);
    store.set(ascii('a'), ascii('2'), expiresAt);
    expect(store.get(ascii('a'))).toBeUndefined();
    expect(store.statistics()).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('makes room with expired entries before it evicts', () => {
    const { clock, store } = storeAt(0, { maxEntries: 2 });
    store.set(ascii('a'), ascii('1'), 10);
    store.set(ascii('b'), ascii('2'), 1000);
    clock.time = 20;
    store.set(ascii('c'), ascii('3'), 1000);
    expect(store.statistics()).toMatchObject({ entries: 2, expired: 1, evicted: 0 });
    expect(store.get(ascii('b'))).toEqual(ascii('2'));
  });

  it('P-time-2 a clock that jumps backwards revives nothing, whoever saw the time', () => {
    const { clock, store } = storeAt(0);
    store.set(ascii('a'), ascii('1'), 1000);
    store.set(ascii('b'), ascii('2'), 3000);
    clock.time = 2000;
    expect(store.get(ascii('another'))).toBeUndefined();
    clock.time = 500;
    expect(store.get(ascii('a'))).toBeUndefined();
    expect(store.get(ascii('b'))).toEqual(ascii('2'));
  });

  it('P-time-2 an entry set while the clock was ahead does not outlive its lifetime', () => {
    const year = 365 * 24 * 3600 * 1000;
    const { clock, store } = storeAt(year);
    store.set(ascii('a'), ascii('1'), never);
    clock.time = 0;
    expect(store.get(ascii('a'))).toEqual(ascii('1'));
    clock.time = defaultMaxLifetime;
    expect(store.get(ascii('a'))).toBeUndefined();
  });

  it('is in use again right after a jump of the clock', () => {
    const { clock, store } = storeAt(1_000_000);
    expect(store.get(ascii('a'))).toBeUndefined();
    clock.time = 0;
    store.set(ascii('a'), ascii('1'), 1000);
    expect(store.get(ascii('a'))).toEqual(ascii('1'));
  });

  it('wipes values when their entries leave, and what they were moved from', () => {
    const made: Uint8Array[] = [];
    class Recorded extends Uint8Array {
      constructor(source: ArrayBuffer, offset?: number, length?: number) {
        super(source, offset, length);
        if (typeof source === 'number') made.push(this);
      }
    }
    vi.stubGlobal('Uint8Array', Recorded);
    const { clock, store } = storeAt(0, { maxEntries: 60 });
    const value = (key: string) => ascii(`<secret ${key}>`);
    const found = () => {
      const secrets = made.flatMap((slab) => fromAscii(slab).match(/<secret [^>]*>/g) ?? []);
      return secrets.map((secret) => secret.slice(8, -1)).sort();
    };
    const set = (key: string, expiresAt = never) => {
      const secret = value(key);
      store.set(ascii(key), secret, expiresAt);
      made.splice(made.indexOf(secret), 1);
    };
    const all = Array.from({ length: 60 }, (_, i) => String(100 + i));
    for (const key of all) set(key, key === '130' ? 10 : never);
    expect(found()).toEqual(all);
    const gone = (key: string) => all.splice(all.indexOf(key), 1);

    store.delete(ascii('110'));
    expect(found()).toEqual((gone('110'), all));
    store.take(ascii('120'))?.fill(0);
    expect(found()).toEqual((gone('120'), all));
    clock.time = 20;
    store.get(ascii('130'));
    expect(found()).toEqual((gone('130'), all));
    store.set(ascii('140'), ascii('short'), never);
    expect(found()).toEqual((gone('140'), all));
    for (const key of ['a', 'b', 'c', 'd']) store.set(ascii(key), ascii('x'.repeat(2000)), never);
    expect(store.statistics().evicted).toBe(1);
    expect(found()).toEqual((gone('100'), all));
    store.clear();
    vi.unstubAllGlobals();
    expect(found()).toEqual([]);
  });

  it('clear forgets everything', () => {
    const { store } = storeAt(0);
    store.set(ascii('a'), ascii('1'), 1000);
    store.clear();
    expect(store.get(ascii('a'))).toBeUndefined();
    expect(store.statistics()).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('prints nothing of what it keeps', () => {
    const { store } = storeAt(0);
    const secret = Uint8Array.from({ length: 200 }, (_, i) => (i * 89 + 7) % 256);
    const search = new SecretSearch();
    search.add('the session', secret);
    store.set(ascii('a'), secret, never);
    expect(search.findPrinted([store, { store }, store.statistics()])).toBe(undefined);
    expect(search.findPrinted([store.get(ascii('a'))])).not.toBe(undefined);
  });

  it('has keys of 255 bytes and no longer ones', () => {
    const { store } = storeAt(0);
    const [longest, longer] = [new Uint8Array(255), new Uint8Array(256)];
    store.set(longest, ascii('1'), never);
    expect(store.get(longest)).toEqual(ascii('1'));
    expect(() => store.set(longer, ascii('1'), never)).toThrow(
      expect.objectContaining({ name: 'UsageError', code: 'value_not_encodable' }),
    );
    expect([store.get(longer), store.take(longer)]).toEqual([undefined, undefined]);
    store.delete(longer);
    expect(store.statistics()).toMatchObject({ hits: 1, misses: 2, entries: 1 });
  });

  it('P-state-7 what has expired leaves as others come, wherever it stands', () => {
    const { clock, store } = storeAt(0);
    store.set(ascii('long'), ascii('1'), never);
    for (let i = 0; i < 1000; i++) store.set(Uint8Array.of(i >> 8, i), new Uint8Array(i), 10 + (i % 2));
    clock.time = 20;
    for (let i = 0; i < 600; i++) store.set(ascii('other'), ascii('2'), never);
    expect(store.statistics()).toMatchObject({ entries: 2, expired: 1000, evicted: 0, bytes: 4 + 1 + 5 + 1 });
  });

  it.each([{ maxEntries: 0 }, { maxBytes: -1 }, { maxLifetime: Number.NaN }])('refuses the option %o', (options) => {
    expect(() => storeAt(0, options)).toThrow(UsageError);
    expect(() => storeAt(0, options)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });
});
