import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { SessionStore } from '../../src/sessions/store.js';
import { TwoLevelStore } from '../../src/sessions/two-level-store.js';
import { misuse } from '../support/decoding.js';
import { epoch, hour } from '../support/connections.js';
import { RecordingStore } from '../support/recording-store.js';

const key = ascii('key');
const value = ascii('value');
const minute = 60_000;

/** As one far away: it answers later, keeps a record, and can be taken from. */
class FarStore implements Required<SessionStore> {
  readonly record = new RecordingStore();
  down = false;

  get(name: Uint8Array) {
    return this.#answer(this.record.get(name));
  }

  async set(name: Uint8Array, bytes: Uint8Array, expiresAt: number) {
    this.record.set(name, bytes, expiresAt);
    await this.#answer(undefined);
  }

  async delete(name: Uint8Array) {
    this.record.delete(name);
    await this.#answer(undefined);
  }

  take(name: Uint8Array) {
    const found = this.record.get(name);
    this.record.delete(name);
    return this.#answer(found);
  }

  async #answer<T>(result: T): Promise<T> {
    await Promise.resolve();
    if (this.down) throw new Error('down');
    return result;
  }
}

function processes() {
  const clock = { time: epoch };
  const now = () => clock.time;
  const far = new FarStore();
  const process = () => {
    const near = new MemoryStore({ now });
    return { near, store: new TwoLevelStore({ near, far, now }) };
  };
  return { clock, far, here: process(), there: process() };
}

describe('TwoLevelStore', () => {
  it('answers from nearby, at once, what was set or found here', async () => {
    const { far, here, there } = processes();
    await here.store.set(key, value, epoch + hour);
    expect(far.record.expiries).toEqual([epoch + hour]);
    expect(here.store.get(key)).toEqual(value);
    expect(await there.store.get(key)).toEqual(value);
    expect(there.store.get(key)).toEqual(value);
    expect(far.record.calls).toEqual(['set', 'get']);
    expect(await here.store.get(ascii('other'))).toBeUndefined();
  });

  it('keeps copies nearby for a minute, and no longer than the entry', async () => {
    const { clock, far, here } = processes();
    await here.store.set(key, value, epoch + 1000);
    clock.time += 1000;
    expect(here.near.get(key)).toBeUndefined();
    await here.store.set(key, value, clock.time + hour);
    clock.time += minute - 1;
    expect(here.near.get(key)).toEqual(value);
    clock.time += 1;
    expect(here.near.get(key)).toBeUndefined();
    expect(await here.store.get(key)).toEqual(value);
    expect(far.record.calls.filter((call) => call === 'get')).toHaveLength(1);
  });

  it('R8446-8.1-1 one process takes, whoever has copies', async () => {
    const { far, here, there } = processes();
    await here.store.set(key, value, epoch + hour);
    expect(await there.store.get(key)).toEqual(value);
    const taken = await Promise.all([here, there, here].map(async ({ store }) => store.take?.(key)));
    expect(taken.filter((found) => found !== undefined)).toEqual([value]);
    expect(here.near.get(key)).toBeUndefined();
    expect(far.record.calls).toEqual(['set', 'get', ...['get', 'delete'], ...['get', 'delete'], ...['get', 'delete']]);
  });

  it('a copy is not taken while the far store is away', async () => {
    const { far, here } = processes();
    await here.store.set(key, value, epoch + hour);
    far.down = true;
    expect(here.store.get(key)).toEqual(value);
    await expect(here.store.take?.(key)).rejects.toThrow('down');
    await expect(here.store.get(key)).rejects.toThrow('down');
  });

  it('cannot take where the far store cannot', () => {
    const now = () => epoch;
    const near = new MemoryStore({ now });
    expect(new TwoLevelStore({ near, far: new RecordingStore(), now }).take).toBeUndefined();
  });

  it('deletes both', async () => {
    const { far, here } = processes();
    await here.store.set(key, value, epoch + hour);
    await here.store.delete(key);
    expect(here.near.get(key)).toBeUndefined();
    expect(far.record.entries.size).toBe(0);
  });

  it('has a lifetime for copies that is one', () => {
    const { here, far } = processes();
    for (const nearLifetime of [0, -1, NaN])
      expect(misuse(() => new TwoLevelStore({ near: here.near, far, now: () => epoch, nearLifetime }))).toBe(
        'invalid_option',
      );
  });
});
