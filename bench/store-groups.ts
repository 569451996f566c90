/** Groups of `npm run bench` on session stores: time at three sizes, memory and the longest put at one. */
import { goals } from './goals.js';
import type { CpuRow, Group } from './groups.js';
import { measure } from './measure.js';
import {
  floor,
  longestPuts,
  storeContenders,
  storeFootprint,
  storeKinds,
  storeOperations,
  type StoreKind,
  type StoreOperation,
} from './stores.js';

const kinds = Object.keys(storeKinds) as StoreKind[];
const ours: StoreKind = 'MemoryStore';
const peer: StoreKind = 'lru-cache';

export const storeGroups: Readonly<Record<string, Group>> = Object.fromEntries([
  ...[1000, 200_000, 1_000_000].flatMap((size) =>
    storeOperations.map((operation) => [`stores ${operation} ${String(size)}`, times(operation, size)]),
  ),
  ...kinds.map((kind) => [`stores memory ${kind}`, memory(kind, 200_000)]),
  ...kinds.map((kind) => [`stores longest put ${kind}`, longest(kind, 1_000_000)]),
]) as Record<string, Group>;

/** All in one process, and one operation: what is alive in memory, the collector walks through on behalf of all. */
function times(operation: StoreOperation, size: number): Group {
  return async (options) => {
    const micros = await measure(storeContenders(kinds, operation, size), options);
    const suite = `store of ${size.toLocaleString('en')} sessions`;
    const rows = kinds.map((kind) => {
      const goal = kind === ours ? goals['-']?.[`store ${operation}`] : undefined;
      return row(suite, operation, kind, micros.get(kind), kind === ours ? micros.get(peer) : undefined, goal);
    });
    return micros.has(floor) ? [...rows, row(suite, operation, floor, micros.get(floor))] : rows;
  };
}

function memory(kind: StoreKind, size: number): Group {
  return async () => {
    const { heapBytes, residentBytes } = storeFootprint(kind, size);
    const suite = `store of ${size.toLocaleString('en')} sessions, each of 32 + 200 bytes`;
    const goal = (kind === ours ? goals['-']?.['store memory'] : undefined) ?? null;
    return [
      { suite, case: `heap and arrays: ${inMebibyte(heapBytes)}`, backend: kind, bytes: heapBytes, goal },
      { suite, case: `resident size: ${inMebibyte(residentBytes)}`, backend: kind, bytes: residentBytes, goal },
    ];
  };
}

function inMebibyte(bytes: number): string {
  return `${Math.floor(2 ** 20 / bytes).toLocaleString('en')} in a MiB`;
}

function longest(kind: StoreKind, size: number): Group {
  return async () => {
    const { longest, withoutCollector } = await longestPuts(kind, size);
    const suite = `longest of ${size.toLocaleString('en')} puts`;
    return [
      row(suite, 'put', kind, longest),
      row(suite, 'put, no garbage collected meanwhile', kind, withoutCollector),
    ];
  };
}

function row(
  suite: string,
  name: string,
  kind: StoreKind | typeof floor,
  cpuMicros = NaN,
  peerCpuMicros: number | null = null,
  goal: CpuRow['goal'] = null,
): CpuRow {
  const common = { suite, case: name, backend: kind, cpuMicros, megabytesPerSecond: null, goal };
  if (peerCpuMicros === null) return { ...common, peer: null, peerCpuMicros, speedup: null };
  return { ...common, peer, peerCpuMicros, speedup: peerCpuMicros / cpuMicros };
}
