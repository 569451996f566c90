import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  nodeCrypto,
  watchKeyFiles,
  type KeyFileReload,
  type WatchKeyFilesOptions,
} from '../../../src/adapters/node/index.js';
import { toHex } from '../../../src/bytes.js';
import { formatTicketKeys, generateTicketKey, KeyRing, type TicketKey } from '../../../src/tickets/index.js';

interface Watched {
  readonly ring: KeyRing;
  readonly reload: () => Promise<void>;
  readonly close: () => void;
  readonly reloads: KeyFileReload[];
  readonly errors: Error[];
  /** Names of the keys in the ring, the one that seals first. */
  readonly names: () => string[];
}

let folder = '';
const watchers: { close(): void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-file-'));
});

afterEach(() => {
  for (const watcher of watchers.splice(0)) watcher.close();
  rmSync(folder, { recursive: true });
});

function watched(paths: string | string[], options: Partial<WatchKeyFilesOptions> = {}): Watched {
  const ring = new KeyRing({ crypto: nodeCrypto, now: Date.now });
  const reloads: KeyFileReload[] = [];
  const errors: Error[] = [];
  const watcher = watchKeyFiles({
    paths,
    layout: 'nginx80',
    ring,
    onReload: (reload) => reloads.push(reload),
    onError: (error) => errors.push(error),
    ...options,
  });
  watchers.push(watcher);
  const names = () =>
    [...ring.status()].sort((a, b) => Number(b.seals) - Number(a.seals)).map(({ name }) => toHex(name));
  return { ring, reload: () => watcher.reload(), close: () => watcher.close(), reloads, errors, names };
}

/** A key and its file. */
function keyFile(): { readonly key: TicketKey; readonly name: string; readonly file: Uint8Array } {
  const key = generateTicketKey(nodeCrypto);
  return { key, name: toHex(key.name), file: formatTicketKeys('nginx80', [key])[0]! };
}

function write(path: string, bytes: Uint8Array): void {
  writeFileSync(path, bytes, { mode: 0o600 });
}

function replace(path: string, bytes: Uint8Array): void {
  write(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (isTrue()) return;
    await delay(10);
  }
  throw new Error(`waited 4 s in vain: ${what}`);
}

describe('watchKeyFiles', () => {
  const path = () => join(folder, 'ticket.key');

  it('has the first keys when reload() has come back', async () => {
    const { name, file } = keyFile();
    write(path(), file);
    const { reload, names, reloads, errors } = watched(path());
    await reload();
    expect(names()).toEqual([name]);
    expect(reloads.at(-1)).toMatchObject({ keyCount: 1, findings: [{ code: 'single_key', severity: 'warning' }] });
    expect(errors).toEqual([]);
  });

  it('has them without a call as well', async () => {
    const { name, file } = keyFile();
    write(path(), file);
    const { names } = watched(path());
    await until(() => names().join() === name, 'the first key');
  });

  it('several files are one set, the first of which seals', async () => {
    const keys = [keyFile(), keyFile(), keyFile()];
    const paths = keys.map((_, i) => join(folder, `${String(i)}.key`));
    keys.forEach(({ file }, i) => write(paths[i]!, file));
    const { reload, names } = watched(paths);
    await reload();
    expect(names()).toEqual(keys.map(({ name }) => name));
  });

  it.each([
    ['renamed over', replace],
    ['written in place', write],
    [
      'removed and written again',
      (file: string, bytes: Uint8Array) => {
        unlinkSync(file);
        write(file, bytes);
      },
    ],
    [
      'a hard link to another',
      (file: string, bytes: Uint8Array) => {
        write(`${file}.other`, bytes);
        unlinkSync(file);
        linkSync(`${file}.other`, file);
      },
    ],
  ])('a file that is %s', async (_, change) => {
    const [before, after] = [keyFile(), keyFile()];
    write(path(), before.file);
    const { reload, names, errors } = watched(path());
    await reload();
    change(path(), after.file);
    await until(() => names().join() === after.name, 'the new key');
    expect(errors).toEqual([]);
  });

  it('a symbolic link above that is swapped, as Kubernetes does with secrets', async () => {
    const [before, after] = [keyFile(), keyFile()];
    for (const [i, { file }] of [before, after].entries()) {
      mkdirSync(join(folder, `..${String(i)}`));
      write(join(folder, `..${String(i)}`, 'ticket.key'), file);
    }
    symlinkSync('..0', join(folder, '..data'));
    symlinkSync(join('..data', 'ticket.key'), path());
    const { reload, names, errors } = watched(path());
    await reload();
    expect(names()).toEqual([before.name]);
    symlinkSync('..1', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await until(() => names().join() === after.name, 'the new key');
    expect(errors).toEqual([]);
  });

  it('a link into a folder that nothing watches is seen by the interval', async () => {
    const [before, after] = [keyFile(), keyFile()];
    mkdirSync(join(folder, 'elsewhere'));
    write(join(folder, 'elsewhere', 'ticket.key'), before.file);
    symlinkSync(join('elsewhere', 'ticket.key'), path());
    const { reload, names } = watched(path(), { intervalMilliseconds: 20 });
    await reload();
    replace(join(folder, 'elsewhere', 'ticket.key'), after.file);
    await until(() => names().join() === after.name, 'the new key');
  });

  it('a folder that comes later', async () => {
    const { name, file } = keyFile();
    const later = join(folder, 'later', 'ticket.key');
    const { names, errors } = watched(later, { intervalMilliseconds: 20 });
    await until(() => errors.length > 0, 'the error');
    expect(errors).toMatchObject([{ code: 'ENOENT' }]);
    mkdirSync(join(folder, 'later'));
    write(later, file);
    await until(() => names().join() === name, 'the key');
  });

  describe('files that cannot be used leave the ring as it was, and are told once', () => {
    const whole = () => keyFile().file;

    it.each<[string, (file: string) => void, RegExp]>([
      [
        'half a file',
        (file) => replace(file, whole().subarray(0, 40)),
        /ticket\.key: nginx80: got 40 bytes in file 1, expected 80 \(wrong_size\): nginx takes/,
      ],
      ['an empty one', (file) => truncateSync(file), /got 0 bytes in file 1/],
      ['P-key-1 zeros', (file) => write(file, new Uint8Array(80)), /hmacKey is all zeros \(zero\): whoever guesses/],
      [
        'a megabyte',
        (file) => write(file, new Uint8Array(2 ** 20)),
        /got 65537 bytes in 1 file, expected at most 65536/,
      ],
      ['text', (file) => write(file, Buffer.from('ab'.repeat(80))), /expected 80 of raw bytes, and it is text/],
      ['none', (file) => unlinkSync(file), /ENOENT/],
      [
        'a folder',
        (file) => {
          unlinkSync(file);
          mkdirSync(file);
        },
        /ticket\.key is not a file|EISDIR/,
      ],
    ])('%s', async (_, breakIt, message) => {
      const first = keyFile();
      write(path(), first.file);
      const { reload, names, errors, reloads, ring } = watched(path(), { intervalMilliseconds: 20 });
      await reload();
      const sealed = ring.sealingKey();
      breakIt(path());
      await until(() => errors.length > 0, 'the error');
      expect(errors[0]!.message).toMatch(message);
      expect(names()).toEqual([first.name]);
      expect(ring.sealingKey()).toBe(sealed);
      await expect(reload()).rejects.toThrow(message);

      const count = reloads.length;
      await delay(90);
      expect(errors).toHaveLength(1);
      expect(reloads).toHaveLength(count);

      const second = keyFile();
      rmSync(path(), { recursive: true, force: true });
      write(path(), second.file);
      await until(() => names().join() === second.name, 'the way back');
      expect(errors.length).toBeLessThanOrEqual(2);
    });

    it('a named pipe does not hold it up', async () => {
      const { execFileSync } = await import('node:child_process');
      execFileSync('mkfifo', [path()]);
      await expect(watched(path()).reload()).rejects.toThrow(`${path()} is not a file`);
    });

    it('two files of one key: they belong to different times', async () => {
      const { file } = keyFile();
      const paths = [join(folder, '1.key'), join(folder, '2.key')];
      for (const each of paths) write(each, file);
      const { reload, names } = watched(paths);
      await expect(reload()).rejects.toMatchObject({
        code: 'invalid_key',
        message: expect.stringContaining('equal_keys') as string,
      });
      expect(names()).toEqual([]);
    });

    it('no error holds a byte of the file', async () => {
      const secret = 'deadbeefcafe';
      write(path(), Buffer.from(secret.repeat(5)));
      const { reload } = watched(path(), { layout: 'json' });
      const error = await reload().then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      expect(error).toMatchObject({ code: 'invalid_key' });
      expect(`${error!.message} ${String(error!.stack)}`).not.toContain('deadbeef');
    });
  });

  it('a file that is written slowly is not told of', async () => {
    const [before, after] = [keyFile(), keyFile()];
    write(path(), before.file);
    const { reload, names, errors } = watched(path(), { intervalMilliseconds: 10 });
    await reload();
    write(path(), after.file.subarray(0, 30));
    await delay(25);
    write(path(), after.file);
    await until(() => names().join() === after.name, 'the whole key');
    expect(errors).toEqual([]);
  });

  it('rotation by moving one file after the other ends with all of them', async () => {
    const paths = [1, 2, 3].map((i) => join(folder, `${String(i)}.key`));
    let keys = [keyFile(), keyFile(), keyFile()];
    keys.forEach(({ file }, i) => write(paths[i]!, file));
    const { reload, names } = watched(paths, { intervalMilliseconds: 10 });
    await reload();
    for (let round = 0; round < 5; round++) {
      keys = [keyFile(), keys[0]!, keys[1]!];
      renameSync(paths[1]!, paths[2]!);
      await delay(5);
      renameSync(paths[0]!, paths[1]!);
      await delay(5);
      replace(paths[0]!, keys[0]!.file);
      await until(() => names().join() === keys.map(({ name }) => name).join(), `round ${String(round)}`);
    }
  });

  it('many quick replacements end with the last one, and tear nothing', async () => {
    const path = join(folder, 'ticket.key');
    let last = keyFile();
    write(path, last.file);
    const { reload, names, errors } = watched(path, { intervalMilliseconds: 5 });
    await reload();
    const all = new Set([last.name]);
    for (let i = 0; i < 300; i++) {
      last = keyFile();
      all.add(last.name);
      replace(path, last.file);
      if (i % 10 === 0) await delay(1);
      expect(all.has(names()[0]!)).toBe(true);
    }
    await until(() => names().join() === last.name, 'the last key');
    expect(errors).toEqual([]);
  });

  it('counters of a key go on where a file comes again', async () => {
    const { file } = keyFile();
    write(path(), file);
    const { reload, ring } = watched(path());
    await reload();
    ring.sealingKey();
    replace(path(), file);
    await reload();
    expect(ring.status()).toMatchObject([{ sealed: 1, seals: true }]);
  });

  it('says that others may read the file', async () => {
    const { file } = keyFile();
    write(path(), file);
    chmodSync(path(), 0o640);
    const { reload, reloads } = watched(path());
    await reload();
    expect(reloads.at(-1)!.findings).toContainEqual({
      code: 'readable_by_others',
      severity: 'warning',
      index: 0,
      message: 'file 1 has mode 640, expected 600',
      effect: 'other users of the machine may read or change the key',
    });
  });

  it('times come with a file that has them', async () => {
    const keys = [
      generateTicketKey(nodeCrypto, { sealsFrom: 0 }),
      generateTicketKey(nodeCrypto, { sealsFrom: Date.now() + 3_600_000 }),
    ];
    write(path(), formatTicketKeys('h2o', keys, { now: Date.now() })[0]!);
    const { reload, ring } = watched(path(), { layout: 'h2o' });
    await reload();
    expect(ring.status().map(({ name, state }) => [toHex(name), state])).toEqual([
      [toHex(keys[1]!.name), 'future'],
      [toHex(keys[0]!.name), 'active'],
    ]);
  });

  it('close() ends it: no reload, no error, no handle', async () => {
    const handles = () =>
      process.getActiveResourcesInfo().filter((type) => /FSEvent|Timeout|FSReq|FileHandle/.test(type)).length;
    const before = handles();
    const { file, name } = keyFile();
    write(path(), file);
    const { reload, close, names, errors, reloads } = watched(path(), { intervalMilliseconds: 5 });
    await reload();
    const count = reloads.length;
    replace(path(), keyFile().file);
    close();
    await delay(120);
    expect(names()).toEqual([name]);
    expect([errors.length, reloads.length]).toEqual([0, count]);
    expect(handles()).toBeLessThanOrEqual(before);
    await expect(reload()).rejects.toMatchObject({ code: 'invalid_option' });
  });

  it('callbacks that throw are ignored', async () => {
    write(path(), keyFile().file);
    const fail = () => {
      throw new Error('listener');
    };
    const { reload, names } = watched(path(), { onReload: fail, onError: fail, intervalMilliseconds: 10 });
    await reload();
    truncateSync(path());
    await delay(90);
    const { name, file } = keyFile();
    replace(path(), file);
    await until(() => names().join() === name, 'the new key');
  });

  it('without onError the process is warned', async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on('warning', listener);
    try {
      write(path(), new Uint8Array(7));
      const ring = new KeyRing({ crypto: nodeCrypto, now: Date.now });
      watchers.push(watchKeyFiles({ paths: path(), layout: 'nginx80', ring }));
      await until(() => warnings.some(({ message }) => message.includes('got 7 bytes in file 1')), 'the warning');
    } finally {
      process.off('warning', listener);
    }
  });

  it.each([
    ['no path', { paths: [] }],
    ['no interval', { intervalMilliseconds: 0 }],
    ['an interval beyond the clock', { intervalMilliseconds: 2 ** 31 }],
    ['an interval that is no number', { intervalMilliseconds: Number.NaN }],
  ])('refuses %s', (_, options) => {
    expect(() => watched(path(), options)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });

  it('does not keep a process running', async () => {
    const { spawnSync } = await import('node:child_process');
    write(path(), keyFile().file);
    const script = join(folder, 'run.ts');
    const source = new URL('../../../src/', import.meta.url);
    writeFileSync(
      script,
      `import { watchKeyFiles, nodeCrypto } from '${new URL('adapters/node/index.ts', source).pathname}';
       import { KeyRing } from '${new URL('tickets/index.ts', source).pathname}';
       const ring = new KeyRing({ crypto: nodeCrypto, now: Date.now });
       const watcher = watchKeyFiles({ paths: ${JSON.stringify(path())}, layout: 'nginx80', ring });
       void watcher.reload().then(() => console.log(ring.status().length));`,
    );
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', script], {
      encoding: 'utf8',
      timeout: 20_000,
      cwd: new URL('../../../', import.meta.url),
    });
    expect([stdout, stderr, status]).toEqual(['1\n', '', 0]);
  });
});
