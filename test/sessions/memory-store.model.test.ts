/**
 * The memory store beside a model of a few lines: a Map in the order of setting. Keys are few and lengths are many, so that records
 * are replaced, moved and evicted all the time.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore, type MemoryStoreOptions, type MemoryStoreStatistics } from '../../src/sessions/memory-store.js';

interface Entry {
  readonly value: Uint8Array;
  expiresAt: number;
  used: boolean;
}

/** Knows nothing of who was swept: what has expired is still there, or not, as the store says. */
class Model {
  readonly entries = new Map<string, Entry>();
  time = 0;
  hits = 0;
  misses = 0;

  live(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && entry.expiresAt > this.time ? entry : undefined;
  }

  get(key: string): Uint8Array | undefined {
    const entry = this.live(key);
    if (entry === undefined) this.misses++;
    else {
      this.hits++;
      entry.used = true;
    }
    return entry?.value;
  }

  set(key: string, value: Uint8Array, expiresAt: number): void {
    this.entries.delete(key);
    if (expiresAt > this.time) this.entries.set(key, { value, expiresAt, used: false });
  }

  /** So many were evicted to make room for `latest`: those that have been there longest, after second chances. */
  evict(count: number, latest: string): void {
    const added = this.entries.get(latest);
    this.entries.delete(latest);
    let chances = 16;
    while (count > 0) {
      const [oldest] = this.entries;
      if (oldest === undefined) throw new Error('more was evicted than there was');
      const [key, entry] = oldest;
      this.entries.delete(key);
      if (entry.expiresAt <= this.time) continue;
      if (entry.used && chances-- > 0) this.entries.set(key, { ...entry, used: false });
      else count--;
    }
    if (added !== undefined) this.entries.set(latest, added);
  }
}

type Command =
  | { readonly type: 'get' | 'take' | 'delete'; readonly key: number }
  | { readonly type: 'set'; readonly key: number; readonly length: number; readonly lifetime: number }
  | { readonly type: 'clock'; readonly milliseconds: number }
  | { readonly type: 'clear' };

const key = fc.nat(40);
const length = fc.oneof(fc.nat(8), fc.nat(300), fc.nat(2000));

function commands(
  lifetimes: fc.Arbitrary<number>,
  reads: readonly ('get' | 'take' | 'delete')[],
): fc.Arbitrary<Command[]> {
  return fc.array(
    fc.oneof(
      { weight: 80, arbitrary: fc.record({ type: fc.constant('set' as const), key, length, lifetime: lifetimes }) },
      { weight: 60, arbitrary: fc.record({ type: fc.constantFrom(...reads), key }) },
      { weight: 20, arbitrary: fc.record({ type: fc.constant('clock' as const), milliseconds: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.constant({ type: 'clear' } as const) },
    ),
    { maxLength: 300, size: 'max' },
  );
}

/** The key of a number: lengths from 0 up, and the same bytes in several. */
const keyBytes = (number: number) => new Uint8Array(number).fill(number % 3);

function play(run: readonly Command[], options: Omit<MemoryStoreOptions, 'now'>): MemoryStoreStatistics {
  const model = new Model();
  const store = new MemoryStore({ now: () => model.time, ...options });
  let serial = 0;
  for (const command of run) {
    const before = store.statistics();
    if (command.type === 'clock') model.time += command.milliseconds;
    else if (command.type === 'clear') {
      store.clear();
      model.entries.clear();
    } else {
      const name = String(command.key);
      const bytes = keyBytes(command.key);
      if (command.type === 'set') {
        const value = new Uint8Array(command.length).fill(++serial);
        store.set(bytes, value, model.time + command.lifetime);
        model.set(name, value, model.time + command.lifetime);
        const evicted = store.statistics().evicted - before.evicted;
        if (evicted > 0) model.evict(evicted, name);
      } else if (command.type === 'get') expectSame(store.get(bytes), model.get(name));
      else {
        if (command.type === 'take') expectSame(store.take(bytes), model.get(name));
        else store.delete(bytes);
        model.entries.delete(name);
      }
    }
    check(store, model, options);
  }
  for (const name of Array.from({ length: 41 }, (_, i) => i))
    expectSame(store.get(keyBytes(name)), model.get(String(name)));
  return store.statistics();
}

/** `toEqual` looks at each byte by itself, which takes longer than all the rest. */
function expectSame(got: Uint8Array | undefined, expected: Uint8Array | undefined): void {
  expect(got && Buffer.from(got).equals(expected ?? Buffer.of())).toBe(expected && true);
}

function check(
  store: MemoryStore,
  model: Model,
  { maxEntries = Infinity, maxBytes = Infinity }: Partial<MemoryStoreOptions>,
) {
  const { entries, bytes, hits, misses } = store.statistics();
  const live = [...model.entries].filter(([, { expiresAt }]) => expiresAt > model.time);
  const liveBytes = live.reduce((sum, [name, { value }]) => sum + Number(name) + value.length, 0);
  expect([hits, misses]).toEqual([model.hits, model.misses]);
  expect(entries).toBeGreaterThanOrEqual(live.length);
  expect(bytes).toBeGreaterThanOrEqual(liveBytes);
  expect(entries).toBeLessThanOrEqual(maxEntries);
  expect(bytes).toBeLessThanOrEqual(maxBytes);
}

describe('MemoryStore beside its model', () => {
  const forever = fc.constant(1e9);
  const mixed = fc.oneof(fc.nat(50), fc.integer({ min: -5, max: 2000 }), forever);

  const all = ['get', 'get', 'take', 'delete'] as const;
  // Where something expires and something else is evicted, it is the store's affair whom it found first: nobody gets a second chance.
  const once = ['take', 'delete'] as const;

  it.each([
    ['with room for all', mixed, all, { maxBytes: 1e9 }],
    ['P-state-7 with room for 12 entries', forever, all, { maxEntries: 12 }],
    ['P-state-7 with room for 9,000 bytes', forever, all, { maxBytes: 9_000 }],
    ['P-state-7 with room for 12 entries that expire', mixed, once, { maxEntries: 12 }],
    ['P-state-7 with room for one', mixed, once, { maxEntries: 1 }],
    ['P-state-7 with room for 9,000 bytes that expire', mixed, once, { maxBytes: 9_000 }],
  ] as const)('%s', (_, lifetimes, reads, options) => {
    fc.assert(
      fc.property(commands(lifetimes, reads), (run) => void play(run, options)),
      { numRuns: 50 },
    );
  });

  it('P-state-7 what nothing has to make room for is not evicted', () => {
    const options = { maxEntries: 41, maxBytes: 41 * 2041 };
    fc.assert(
      fc.property(commands(mixed, all), (run) => play(run, options).evicted === 0),
      { numRuns: 30 },
    );
  });
});
