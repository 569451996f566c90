/**
 * Session stores with sessions of 200 bytes under IDs of 32: ours beside what one would take from the shelf, which wants strings for
 * keys. All keep a copy of what they are given; ours alone also hands out a copy, which is the contract of a `SessionStore`.
 */
import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LRUCache } from 'lru-cache';
import { lru } from 'tiny-lru';
import { MemoryStore } from '../src/sessions/memory-store.js';
import type { Contender } from './measure.js';

interface Store {
  put(key: Buffer): void;
  get(key: Buffer): Uint8Array | undefined;
}

const session = new Uint8Array(200).map((_, i) => i);
const lifetime = 24 * 3600 * 1000;

export const storeKinds = {
  MemoryStore: (maxEntries: number): Store => {
    const store = new MemoryStore({ now: Date.now, maxEntries, maxBytes: Infinity });
    return { put: (key) => store.set(key, session, Date.now() + lifetime), get: (key) => store.get(key) };
  },
  Map: (maxEntries: number): Store => {
    const store = new Map<string, { value: Uint8Array; expiresAt: number }>();
    return {
      put: (key) => {
        if (store.size >= maxEntries) for (const oldest of store.keys()) if (store.delete(oldest)) break;
        store.set(name(key), { value: session.slice(), expiresAt: Date.now() + lifetime });
      },
      get: (key) => {
        const entry = store.get(name(key));
        return entry !== undefined && entry.expiresAt > Date.now() ? entry.value : undefined;
      },
    };
  },
  'lru-cache': (max: number): Store => {
    const store = new LRUCache<string, Uint8Array>({ max, ttl: lifetime });
    return { put: (key) => void store.set(name(key), session.slice()), get: (key) => store.get(name(key)) };
  },
  'tiny-lru': (max: number): Store => {
    const store = lru<Uint8Array>(max, lifetime);
    return { put: (key) => void store.set(name(key), session.slice()), get: (key) => store.get(name(key)) };
  },
} satisfies Readonly<Record<string, (maxEntries: number) => Store>>;

/**
 * The floor under `get`: who knows where everything is looks into a table, at the session, and copies it. Memory that is in no cache
 * is waited for twice, one after the other; no keys are hashed, no time is told, and nothing can be replaced.
 */
export const floor = 'bare arrays';

function bareArrays(maxEntries: number): Store {
  const recordLength = 256;
  const slabBits = 12;
  const perSlab = 2 ** slabBits;
  const slabs = Array.from({ length: Math.ceil(maxEntries / perSlab) }, () => new Uint8Array(perSlab * recordLength));
  const table = new Int32Array(maxEntries);
  let pool = new Uint8Array(0);
  let added = 0;
  // Sessions stand in the order in which they came; the table is in another one.
  const tableAt = (key: Buffer) => ((numberOf(key) % maxEntries) * 1009) % maxEntries;
  return {
    put: (key) => {
      table[tableAt(key)] = added;
      slabs[added >>> slabBits]!.set(session, (added & (perSlab - 1)) * recordLength);
      added++;
    },
    get: (key) => {
      const place = table[tableAt(key)]!;
      const at = (place & (perSlab - 1)) * recordLength;
      if (pool.length < session.length) pool = new Uint8Array(8192);
      const copy = pool.subarray(0, session.length);
      pool = pool.subarray(session.length);
      copy.set(slabs[place >>> slabBits]!.subarray(at, at + session.length));
      return copy;
    },
  };
}

export type StoreKind = keyof typeof storeKinds;
export type StoreOperation = (typeof storeOperations)[number];
export const storeOperations = ['put', 'put and evict', 'get', 'miss'] as const;

function name(key: Buffer): string {
  return key.toString('latin1');
}

/** One operation on stores of so many sessions each. */
export function storeContenders(kinds: readonly StoreKind[], operation: StoreOperation, size: number): Contender[] {
  const contenders = kinds.map((kind) => ({ name: kind, ...contender(storeKinds[kind], operation, size) }));
  return operation === 'get' ? [...contenders, { name: floor, ...contender(bareArrays, operation, size) }] : contenders;
}

function contender(make: (maxEntries: number) => Store, operation: StoreOperation, size: number) {
  let store = make(size);
  if (operation === 'put') {
    let added = 0;
    const prepare = () => void ([store, added] = [make(size), 0]);
    return { run: () => store.put(keyOf(added++)), prepare, maximumRuns: size };
  }
  for (let i = 0; i < size; i++) store.put(keyOf(i));
  let next = size;
  if (operation === 'put and evict') return { run: () => store.put(keyOf(next++)) };
  if (operation === 'miss') return { run: () => void store.get(keyOf(next++)) };
  const run = () => {
    next = (next + 0x9e3779b1) >>> 0; // anywhere
    if (store.get(keyOf(next % size)) === undefined) throw new Error('a session is missing');
  };
  return { run };
}

const key = Buffer.alloc(32, 0xa5);

/** The same array again and again: that of a session ID has just been read from the wire, and is in the cache of the processor. */
function keyOf(number: number): Buffer {
  key.writeInt32LE(Math.imul(number, 0x2c1b3c6d), 8);
  return key;
}

function numberOf(key: Buffer): number {
  return Math.imul(key.readInt32LE(8), 0x64ea2d65) >>> 0;
}

export interface StoreFootprint {
  /** Of each session. */
  readonly heapBytes: number;
  readonly residentBytes: number;
}

export function storeFootprint(kind: StoreKind, size: number): StoreFootprint {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const settled = () => {
    for (let i = 0; i < 3; i++) collectGarbage();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { heap: heapUsed + external, rss };
  };
  const warm = storeKinds[kind](1000);
  for (let i = 0; i < 10_000; i++) warm.put(keyOf(i));
  const before = settled();
  const store = storeKinds[kind](size);
  for (let i = 0; i < size; i++) store.put(keyOf(i));
  const after = settled();
  if (store.get(keyOf(0)) === undefined) throw new Error('a session is missing');
  return { heapBytes: (after.heap - before.heap) / size, residentBytes: (after.rss - before.rss) / size };
}

export interface LongestPuts {
  /** Microseconds. */
  readonly longest: number;
  /** Of those in which no garbage was collected. */
  readonly withoutCollector: number;
}

/**
 * The longest of so many puts into an empty store. A put takes what passed or what the process worked meanwhile, whichever is
 * less: other programs on the machine are not in the one, other threads not in the other. The compilers have come to rest before.
 */
export async function longestPuts(kind: StoreKind, size: number): Promise<LongestPuts> {
  const collections: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  const warm = storeKinds[kind](100_000);
  for (let i = 0; i < 200_000; i++) warm.put(keyOf(i));
  const store = storeKinds[kind](size);
  const long: { start: number; end: number; micros: number }[] = [];
  for (let i = 0; i < size; i++) {
    const id = keyOf(i);
    const before = process.cpuUsage();
    const start = performance.now();
    store.put(id);
    const end = performance.now();
    const { user, system } = process.cpuUsage(before);
    const micros = Math.min(1000 * (end - start), user + system);
    if (micros > 100) long.push({ start, end, micros });
  }
  await setTimeout(100);
  observer.disconnect();
  const withoutCollector = long.filter(
    ({ start, end }) => !collections.some((gc) => gc.startTime < end && gc.startTime + gc.duration > start),
  );
  const longest = (puts: typeof long) => puts.reduce((most, { micros }) => Math.max(most, micros), 0);
  return { longest: longest(long), withoutCollector: longest(withoutCollector) };
}
