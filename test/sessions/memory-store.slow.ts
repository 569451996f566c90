/** A million sessions: all are there, nothing takes long, and the memory is what was promised and is given back. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/sessions/memory-store.js';

const million = 1_000_000;
const key = new Uint8Array(32);
const view = new DataView(key.buffer);

function keyOf(i: number): Uint8Array {
  view.setUint32(0, i);
  return key;
}

function valueOf(i: number): Uint8Array {
  return new Uint8Array(200).fill(i % 251);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of all arrays that are in use. */
function arrays(): number {
  for (let i = 0; i < 2; i++) collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe('MemoryStore', () => {
  it('P-state-7 holds a million sessions of 200 bytes in 250 MiB, and lets go of them as they expire', () => {
    let time = 0;
    const store = new MemoryStore({ now: () => time, maxEntries: million, maxBytes: Infinity });
    const before = arrays();
    for (let i = 0; i < million; i++) store.set(keyOf(i), valueOf(i), 1000 + (i % 1000));
    expect(store.statistics()).toMatchObject({ entries: million, bytes: million * 232, evicted: 0 });
    expect((arrays() - before) / million).toBeLessThan(262);
    let wrong = 0;
    for (let i = 0; i < million; i++) {
      const value = store.get(keyOf(i));
      if (value?.length !== 200 || value[0] !== i % 251 || value[199] !== i % 251) wrong++;
    }
    expect(wrong).toBe(0);
    // Everything was used once: the oldest of all leave nevertheless, after sixteen second chances each time.
    for (let i = million; i < million + 1000; i++) store.set(keyOf(i), valueOf(i), 5000);
    expect(store.statistics()).toMatchObject({ entries: million, evicted: 1000 });
    time = 3000;
    for (let i = 0; i < million; i++) store.set(keyOf(million + (i % 1000)), valueOf(i), 5000);
    expect(store.statistics()).toMatchObject({ entries: 1000, expired: million - 1000, bytes: 232_000 });
    // One slab, one that is kept, and the table.
    expect(arrays() - before).toBeLessThan(2.1 * 2 ** 20);
  });
});
