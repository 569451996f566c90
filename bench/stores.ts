/**
 * Session stores with sessions of 200 bytes under IDs of 32: ours beside what one would take from the shelf, which wants strings for
 * keys. All keep a copy of what they are given; ours alone also hands out a copy, which is the contract of a `SessionStore`.
 */
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

export type StoreKind = keyof typeof storeKinds;
export type StoreOperation = (typeof storeOperations)[number];
export const storeOperations = ['put', 'put and evict', 'get', 'miss'] as const;

function name(key: Buffer): string {
  return key.toString('latin1');
}

/** One operation on stores of so many sessions each. */
export function storeContenders(kinds: readonly StoreKind[], operation: StoreOperation, size: number): Contender[] {
  return kinds.map((kind) => ({ name: kind, ...contender(storeKinds[kind], operation, size) }));
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

/**
 * CPU time in microseconds of the longest of so many puts into an empty store; what else runs on the machine is not in it, and
 * neither are the compilers, which have come to rest before.
 */
export function longestPut(kind: StoreKind, size: number): number {
  const warm = storeKinds[kind](1000);
  for (let i = 0; i < 200_000; i++) warm.put(keyOf(i));
  const store = storeKinds[kind](size);
  let longest = 0;
  for (let i = 0; i < size; i++) {
    const id = keyOf(i);
    const before = process.cpuUsage();
    store.put(id);
    const { user, system } = process.cpuUsage(before);
    longest = Math.max(longest, user + system);
  }
  return longest;
}
