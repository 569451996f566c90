import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileStore, nodeCrypto, type FileStoreOptions } from '../../../src/adapters/node/index.js';
import { ascii } from '../../../src/bytes.js';
import { closeAll, startClient, startServer } from './rig.js';

let parent = '';
let folder = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'file-store-'));
  folder = join(parent, 'sessions');
});
afterEach(() => {
  rmSync(parent, { recursive: true });
});

const start = Date.UTC(2026, 10, 21);
const hour = 60 * 60 * 1000;
const [key, other, value] = [ascii('a peer'), ascii('another peer'), ascii('a session')];

function storeAt(options: Partial<FileStoreOptions> = {}) {
  const clock = { time: start };
  return { clock, store: new FileStore({ folder, now: () => clock.time, ...options }) };
}

const files = () => readdirSync(folder).map((name) => join(folder, name));
const onlyFile = () => files()[0] ?? '';

describe('entries', () => {
  it('survive a restart, in a copy of their own', async () => {
    await storeAt().store.set(key, value, start + hour);
    const { store } = storeAt();
    expect(await store.get(key)).toEqual(value);
    (await store.get(key))?.fill(0);
    expect(await store.get(key)).toEqual(value);
    expect(await store.get(other)).toBe(undefined);
  });

  it('are replaced and deleted', async () => {
    const { store } = storeAt();
    await store.set(key, ascii('older'), start + hour);
    await store.set(key, value, start + hour);
    expect(await store.get(key)).toEqual(value);
    await store.delete(key);
    await store.delete(key);
    expect(await store.get(key)).toBe(undefined);
    expect(files()).toEqual([]);
  });

  it('P-time-2 end at their time, or at the longest life, and an end that was seen is one for good', async () => {
    const { store, clock } = storeAt({ maxLifetime: 2 * hour });
    await store.set(key, value, start + hour);
    await store.set(other, value, Infinity);
    clock.time = start + hour;
    expect(await store.get(key)).toBe(undefined);
    clock.time = start;
    expect(await store.get(key)).toBe(undefined);
    clock.time = start + 2 * hour - 1;
    expect(await store.get(other)).toEqual(value);
    clock.time = start + 2 * hour;
    expect(await store.get(other)).toBe(undefined);
    await store.set(key, value, start);
    expect(files()).toEqual([]);
  });

  it('R8446-C.4-1 fifty that take one at the same time, in two stores: one gets it', async () => {
    const stores = [storeAt().store, storeAt().store];
    await stores[0]!.set(key, value, start + hour);
    const taken = await Promise.all(Array.from({ length: 50 }, (_, i) => stores[i % 2]!.take(key)));
    expect(taken.filter((each) => each !== undefined)).toEqual([value]);
    expect(files()).toEqual([]);
  });

  it('fifty that set at the same time: one of the values whole', async () => {
    const { store } = storeAt();
    const values = Array.from({ length: 50 }, (_, i) => new Uint8Array(1000 + i).fill(i + 1));
    await Promise.all(values.map((each) => store.set(key, each, start + hour)));
    expect(values).toContainEqual(await store.get(key));
    expect(files()).toHaveLength(1);
  });
});

describe('the folder', () => {
  it('R5246-F.1.4-3 and its files are their owner’s alone, and no name of a peer shows', async () => {
    await storeAt().store.set(key, value, start + hour);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
    expect(readFileSync(onlyFile()).includes('a peer')).toBe(false);
    expect(onlyFile()).toMatch(/[0-9a-f]{64}\.session$/);
  });

  it('R5246-F.1.4-3 that others may enter keeps nothing', async () => {
    await storeAt().store.get(key);
    chmodSync(folder, 0o755);
    const { store } = storeAt();
    for (const refused of [store.set(key, value, start + hour), store.get(key), store.take(key)])
      await expect(refused).rejects.toMatchObject({ code: 'invalid_option' });
    expect(files()).toEqual([]);
    chmodSync(folder, 0o700);
    await store.set(key, value, start + hour);
    expect(await store.get(key)).toEqual(value);
  });

  it('that cannot be made rejects, and is made as soon as it can be', async () => {
    const { store } = storeAt({ folder: join(parent, 'a', 'b') });
    await expect(store.get(key)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('damage', () => {
  const good = async () => {
    const { store } = storeAt();
    await store.set(key, value, start + hour);
    await store.set(other, value, start + hour);
    const path = files().find((file) => readFileSync(file).length > 0)!;
    return { store, path, whole: readFileSync(path) };
  };

  it('of any byte, or a cut anywhere, is no entry, and costs no other', async () => {
    const { store, path, whole } = await good();
    const damaged = [
      ...Array.from(whole.keys(), (at) => Buffer.from(whole.map((byte, i) => (i === at ? byte ^ 0x10 : byte)))),
      ...Array.from(whole.keys(), (length) => whole.subarray(0, length)),
      Buffer.concat([whole, Buffer.of(0)]),
    ];
    for (const content of damaged) {
      writeFileSync(path, content, { mode: 0o600 });
      const found = await Promise.all([store.get(key), store.get(other)]);
      expect(found.filter((each) => each !== undefined)).toEqual([value]);
      expect(existsSync(path)).toBe(false);
    }
  });

  it('one entry under the name of another is none', async () => {
    const { store } = storeAt();
    await store.set(key, value, start + hour);
    const first = onlyFile();
    await store.set(other, ascii('of another peer'), start + hour);
    const second = files().find((file) => file !== first)!;
    writeFileSync(first, readFileSync(second));
    expect(await store.get(key)).toBe(undefined);
    expect(await store.get(other)).toEqual(ascii('of another peer'));
  });

  it('a file that is larger than all together may be is not read', async () => {
    const { path } = await good();
    writeFileSync(path, new Uint8Array(2000));
    const { store } = storeAt({ maxBytes: 1000 });
    expect((await Promise.all([store.get(key), store.get(other)])).filter((each) => each !== undefined)).toHaveLength(
      1,
    );
  });
});

describe('limits', () => {
  const keys = Array.from({ length: 40 }, (_, i) => ascii(`peer ${String(i)}`));

  it.each<[string, Partial<FileStoreOptions>, number]>([
    ['entries', { maxEntries: 10 }, 10],
    ['bytes', { maxBytes: 10 * (61 + value.length) }, 10],
  ])('P-state-7 of %s hold, and those that expire soonest go first', async (_, options, left) => {
    const { store } = storeAt(options);
    for (const [i, each] of keys.entries()) await store.set(each, value, start + (i + 1) * hour);
    await store.sweep();
    const found = await Promise.all(keys.map((each) => store.get(each)));
    expect(found.map((each) => each !== undefined)).toEqual(keys.map((__, i) => i >= keys.length - left));
  });

  it('a sweep removes what has expired and what nobody will finish, and nothing of others', async () => {
    const { store, clock } = storeAt();
    clock.time = Date.now(); // that of the files which are not the store's
    await store.set(key, value, clock.time + hour);
    await store.set(other, value, clock.time + 3 * hour);
    for (const name of ['begun.tmp', 'notes.txt']) writeFileSync(join(folder, name), '');
    utimesSync(join(folder, 'notes.txt'), 1, 1);
    const names = () =>
      readdirSync(folder)
        .map((name) => name.replace(/^[0-9a-f]{64}/, '*'))
        .sort();
    await Promise.all([store.sweep(), store.sweep()]);
    expect(names()).toEqual(['*.session', '*.session', 'begun.tmp', 'notes.txt']);
    clock.time += 2 * hour;
    await store.sweep();
    expect(names()).toEqual(['*.session', 'notes.txt']);
    expect(await store.get(other)).toEqual(value);
  });

  it.each([{ maxEntries: 0 }, { maxBytes: -1 }, { maxLifetime: Number.NaN }])('refuses %o', (options) => {
    expect(() => storeAt(options)).toThrow(expect.objectContaining({ code: 'invalid_option' }) as Error);
  });

  it('a value that is larger than all may be takes the older one with it', async () => {
    const { store } = storeAt({ maxBytes: 500 });
    await store.set(key, value, start + hour);
    await store.set(key, nodeCrypto.randomBytes(600), start + hour);
    expect(await store.get(key)).toBe(undefined);
  });
});

describe('connect', () => {
  afterEach(closeAll);

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s resumes after a restart, and without the folder makes full handshakes',
    async (version) => {
      const server = await startServer({ minVersion: version, maxVersion: version }, (socket) => socket.end('done'));
      const visit = async () => {
        const sessionCache = new FileStore({ folder });
        const socket = startClient(server, { minVersion: version, maxVersion: version, sessionCache });
        socket.resume();
        await once(socket, 'close');
        return socket.handshake?.resumed;
      };
      expect(await visit()).toBe(false);
      expect(await visit()).toBe(true);
      chmodSync(folder, 0o777);
      expect(await visit()).toBe(false);
      chmodSync(folder, 0o700);
      expect(await visit()).toBe(true);
    },
  );
});
