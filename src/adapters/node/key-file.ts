/**
 * `watchKeyFiles`: a key ring that has what the key files of a fleet have, from the moment they change.
 *
 * Files are replaced by renaming, written in place, swapped by a symbolic link above them, or gone for a moment in between; and with a key in
 * each of several files there is a time when they do not belong together. So files that cannot be used are looked at once more a little later,
 * and whatever is wrong with them then, the ring goes on with the keys that it has.
 */
import { watch, type FSWatcher } from 'node:fs';
import { constants, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { wipe } from '../../bytes.js';
import { UsageError } from '../../errors.js';
import { longestKeyFiles } from '../../tickets/key-files/key-entry.js';
import type { KeyFileLayoutName } from '../../tickets/key-files/layouts.js';
import { lintTicketKeys, type KeyFileFinding } from '../../tickets/key-files/lint.js';
import { parseTicketKeys } from '../../tickets/key-files/parse.js';
import type { KeyRing } from '../../tickets/key-ring.js';
import { secretParts } from '../../tickets/ticket-key.js';

/** How often files are looked at besides being watched: not every file system tells of changes. */
export const defaultKeyFileInterval = 1000;
/** How long files are left alone after something happened to them, and how long after they could not be used. Milliseconds. */
const settlingTime = 50;

export interface WatchKeyFilesOptions {
  /** Several only where the layout has one key in each; in the order in which the server has them. */
  readonly paths: string | readonly string[];
  readonly layout: KeyFileLayoutName;
  /** Gets the keys by {@link KeyRing.replace}: all of them or, from files that cannot be used, none. */
  readonly ring: KeyRing;
  /** The ring has the keys of the files; also the first time. What it throws is ignored. */
  readonly onReload?: (reload: KeyFileReload) => void;
  /** The files cannot be used; told again when something else is wrong with them. Default: a warning of the process. What it throws is ignored. */
  readonly onError?: (error: Error) => void;
  /** Milliseconds; see {@link defaultKeyFileInterval}. */
  readonly intervalMilliseconds?: number;
}

export interface KeyFileReload {
  /** How many keys there are. */
  readonly keyCount: number;
  /** Warnings; with errors there is no reload. */
  readonly findings: readonly KeyFileFinding[];
}

export interface KeyFileWatcher {
  /** Reads the files now. Rejects with what is wrong with them; the ring keeps its keys then. */
  reload(): Promise<void>;
  /** Ends it for good; the ring keeps its keys. */
  close(): void;
}

/**
 * Keeps `ring` up to date with files of a server's layout, beginning at once; `await watcher.reload()` waits for the first keys. Files are
 * refused where {@link lintTicketKeys} finds errors. Does not keep the process running. Throws `UsageError('invalid_option')`.
 *
 * ```ts
 * const watcher = watchKeyFiles({ paths: ['/run/keys/1.key', '/run/keys/2.key'], layout: 'nginx80', ring });
 * ```
 */
export function watchKeyFiles(options: WatchKeyFilesOptions): KeyFileWatcher {
  return new Watcher(options);
}

class Watcher implements KeyFileWatcher {
  readonly #options: WatchKeyFilesOptions;
  readonly #paths: readonly string[];
  readonly #watchers: FSWatcher[];
  readonly #interval: NodeJS.Timeout;
  #settling: NodeJS.Timeout | undefined;
  #closed = false;
  /** One look at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #looking = false;
  /** What the files were when they were looked at last. */
  #seen: string | undefined;
  #reported: string | undefined;

  constructor(options: WatchKeyFilesOptions) {
    const { paths, intervalMilliseconds = defaultKeyFileInterval } = options;
    this.#options = options;
    this.#paths = typeof paths === 'string' ? [paths] : [...paths];
    if (this.#paths.length === 0) throw new UsageError('invalid_option', '`paths` is empty');
    if (!(intervalMilliseconds > 0 && intervalMilliseconds <= longestInterval))
      throw new UsageError(
        'invalid_option',
        `intervalMilliseconds is ${String(intervalMilliseconds)}, expected 1 to ${String(longestInterval)}`,
      );
    const folders = new Set(this.#paths.map((path) => dirname(path)));
    this.#watchers = [...folders].flatMap((folder) => this.#watch(folder));
    this.#interval = setInterval(() => this.#look(), intervalMilliseconds).unref();
    this.#look();
  }

  async reload(): Promise<void> {
    await this.#inTurn(() => this.#load(true));
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#interval);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  /** Folders and not files, because a file that is replaced is another file. */
  #watch(folder: string): FSWatcher[] {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#settle());
      // The interval remains.
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      return [];
    }
  }

  #settle(): void {
    if (this.#closed || this.#settling !== undefined) return;
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#look();
    }, settlingTime).unref();
  }

  /** Loads the files if they are others than before. */
  #look(): void {
    if (this.#looking || this.#closed) return;
    this.#looking = true;
    void this.#inTurn(async () => {
      this.#looking = false;
      if (this.#closed || (await signatureOf(this.#paths)) === this.#seen) return;
      await this.#load(false).catch((error: unknown) => this.#report(error));
    });
  }

  async #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => undefined);
    await turn;
  }

  /** Tries twice. `ref`: somebody waits for it. */
  async #load(ref: boolean): Promise<void> {
    try {
      await this.#loadOnce();
    } catch (error) {
      if (this.#closed) throw error;
      await delay(settlingTime, undefined, { ref });
      await this.#loadOnce();
    }
  }

  async #loadOnce(): Promise<void> {
    this.#requireOpen();
    // From before they are read: what changes meanwhile is another look.
    this.#seen = await signatureOf(this.#paths);
    const files: KeyFile[] = [];
    try {
      for (const path of this.#paths) files.push(await readKeyFile(path));
      this.#requireOpen();
      this.#replace(files);
    } finally {
      wipe(...files.map(({ bytes }) => bytes));
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new UsageError('invalid_option', 'the watcher of key files is closed');
  }

  #replace(files: readonly KeyFile[]): void {
    const { layout, ring, onReload } = this.#options;
    const contents = files.map(({ bytes }) => bytes);
    const findings = [...lintTicketKeys(layout, contents), ...files.flatMap(({ mode }, i) => findingsInMode(mode, i))];
    const error = findings.find(({ severity }) => severity === 'error');
    if (error !== undefined)
      throw new UsageError(
        'invalid_key',
        `${this.#paths.join(', ')}: ${error.message} (${error.code}): ${error.effect}`,
      );
    const keys = parseTicketKeys(layout, contents);
    try {
      ring.replace(keys);
    } finally {
      wipe(...keys.flatMap((key) => secretParts(key)));
    }
    this.#reported = undefined;
    ignoringErrors(() => onReload?.({ keyCount: keys.length, findings }));
  }

  #report(reason: unknown): void {
    // What the system refused once it may grant the next time, without a change of the files.
    if (!(reason instanceof UsageError)) this.#seen = undefined;
    const error = reason instanceof Error ? reason : new Error(String(reason));
    if (this.#closed || error.message === this.#reported) return;
    this.#reported = error.message;
    const { onError = (problem: Error) => process.emitWarning(problem) } = this.#options;
    ignoringErrors(() => onError(error));
  }
}

/** `setInterval` takes what is longer for 1. */
const longestInterval = 2 ** 31 - 1;

interface KeyFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/** Throws the error of the system, or `UsageError('invalid_key')` for what is no file. At most one byte more than key files may have. */
async function readKeyFile(path: string): Promise<KeyFile> {
  // To open a named pipe without O_NONBLOCK waits for somebody who writes.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) throw new UsageError('invalid_key', `${path} is not a file`);
    const bytes = new Uint8Array(Math.min(Number(before.size), longestKeyFiles) + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const after = await file.stat({ bigint: true });
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) {
      wipe(bytes);
      throw new UsageError('invalid_key', `${path} changed while it was read`);
    }
    return { bytes: bytes.subarray(0, length), mode: Number(before.mode) };
  } finally {
    await file.close();
  }
}

/** Tells whether the files behind the paths are the same and unchanged; symbolic links are followed. */
async function signatureOf(paths: readonly string[]): Promise<string> {
  const files = paths.map(async (path) => {
    try {
      const { dev, ino, size, mode, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [dev, ino, size, mode, mtimeNs, ctimeNs].join(' ');
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    }
  });
  return (await Promise.all(files)).join('\n');
}

const otherUsers = 0o066;

/** Where there are modes. */
function findingsInMode(mode: number, index: number): readonly KeyFileFinding[] {
  if (process.platform === 'win32' || (mode & otherUsers) === 0) return [];
  return [
    {
      code: 'readable_by_others',
      severity: 'warning',
      index,
      message: `file ${String(index + 1)} has mode ${(mode & 0o777).toString(8)}, expected 600`,
      effect: 'other users of the machine may read or change the key',
    },
  ];
}

function ignoringErrors(callback: () => void): void {
  try {
    callback();
  } catch {
    // Whoever listens must not keep keys from being replaced.
  }
}
