/**
 * `FileStore`: a {@link SessionStore} in a folder, for clients whose sessions are to survive a restart, and for processes that share them.
 *
 * One file for each entry, named by a digest of its key, so that no name of a host shows: mode 0600 in a folder of mode 0700, written
 * beside and renamed into place. The surprising thing is its clock: a file's time of modification is the time when its entry expires, so
 * that what has to go is found without reading it.
 *
 * RFC 5246 F.1.4: sessions are secrets, and a disk remembers what was deleted. In a folder that others may enter nothing is kept.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { copy, equal, wipe } from '../../bytes.js';
import { UsageError } from '../../errors.js';
import { positive } from '../../limits.js';
import type { SessionStore } from '../../sessions/store.js';

export const defaultMaxFiles = 1000;
/** Of all files together. */
export const defaultMaxFileBytes = 16 * 1024 * 1024;
/** Milliseconds: RFC 8446 4.6.1, no ticket lives longer than 7 days. */
export const defaultMaxFileLifetime = 7 * 24 * 60 * 60 * 1000;

export interface FileStoreOptions {
  /** A folder of its own, which is made if it is not there (not the folders above it). */
  readonly folder: string;
  /** The clock, in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** See {@link defaultMaxFiles}. */
  readonly maxEntries?: number;
  /** See {@link defaultMaxFileBytes}. */
  readonly maxBytes?: number;
  /** See {@link defaultMaxFileLifetime}. */
  readonly maxLifetime?: number;
}

/**
 * All methods answer promises; they reject where the folder cannot be used, which costs a full handshake. What a file holds that is none of
 * ours, of another version or damaged is as if it were not there, and is removed; other entries are untouched.
 *
 * ```ts
 * connect({ host, port, sessionCache: new FileStore({ folder: join(homedir(), '.cache', 'my-client', 'tls') }) });
 * ```
 */
export class FileStore implements SessionStore {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #maxLifetime: number;
  #ready: Promise<void> | undefined;
  #sweeping: Promise<void> | undefined;
  #setsUntilSweep = 0;

  /** Throws `UsageError('invalid_option')`. */
  constructor(options: FileStoreOptions) {
    this.#folder = options.folder;
    this.#now = options.now ?? Date.now;
    this.#maxEntries = positive('maxEntries', options.maxEntries ?? defaultMaxFiles);
    this.#maxBytes = positive('maxBytes', options.maxBytes ?? defaultMaxFileBytes);
    this.#maxLifetime = positive('maxLifetime', options.maxLifetime ?? defaultMaxFileLifetime);
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    await this.#prepare();
    return this.#read(this.#pathOf(key), key);
  }

  async set(key: Uint8Array, value: Uint8Array, expiresAt: number): Promise<void> {
    const now = this.#now();
    const until = Math.min(expiresAt, now + this.#maxLifetime);
    const entry = encode(key, value, until);
    try {
      if (until <= now || entry.length > this.#maxBytes) {
        await this.delete(key);
        return;
      }
      await this.#prepare();
      await this.#write(this.#pathOf(key), entry, until);
    } finally {
      wipe(entry);
    }
    if (--this.#setsUntilSweep < 0) await this.sweep();
  }

  async delete(key: Uint8Array): Promise<void> {
    await this.#prepare();
    await orAbsent(unlink(this.#pathOf(key)));
  }

  /** Of several callers, in several processes, one gets it: who renames it. */
  async take(key: Uint8Array): Promise<Uint8Array | undefined> {
    await this.#prepare();
    const taken = this.#besides();
    if ((await orAbsent(rename(this.#pathOf(key), taken).then(() => true))) === undefined) return undefined;
    try {
      return await this.#read(taken, key);
    } finally {
      await orAbsent(unlink(taken));
    }
  }

  /**
   * Removes what has expired and what is above the limits, those that expire soonest first, and what a process that ended has left
   * half-written. Done by itself now and then; a call waits for one that is under way.
   */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  #pathOf(key: Uint8Array): string {
    return join(this.#folder, digest(key).toString('hex') + extension);
  }

  #besides(): string {
    return join(this.#folder, randomBytes(16).toString('hex') + unfinishedExtension);
  }

  #prepare(): Promise<void> {
    this.#ready ??= this.#prepareFolder().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #prepareFolder(): Promise<void> {
    await mkdir(this.#folder, { mode: ownerOnlyFolder }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
    const { mode, uid } = await stat(this.#folder);
    // On Windows modes say nothing, and there is no getuid.
    if (process.getuid === undefined) return;
    if (uid !== process.getuid() || (mode & othersBits) !== 0)
      throw new UsageError(
        'invalid_option',
        `${this.#folder}: a folder for sessions has to be its owner's alone (mode 700)`,
      );
  }

  async #write(path: string, entry: Uint8Array, expiresAt: number): Promise<void> {
    const unfinished = this.#besides();
    try {
      const file = await open(unfinished, 'wx', ownerOnlyFile);
      try {
        await file.writeFile(entry);
        await file.utimes(expiresAt / 1000, expiresAt / 1000);
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await orAbsent(unlink(unfinished));
      throw error;
    }
  }

  async #read(path: string, key: Uint8Array): Promise<Uint8Array | undefined> {
    const file = await orAbsent(open(path, 'r'));
    if (file === undefined) return undefined;
    let bytes: Uint8Array | undefined;
    try {
      bytes = await readAtMost(file, this.#maxBytes);
    } finally {
      await file.close();
    }
    const value = bytes && decode(bytes, key, this.#now());
    wipe(bytes);
    if (value === undefined) await orAbsent(unlink(path));
    return value;
  }

  async #sweep(): Promise<void> {
    this.#setsUntilSweep = Math.ceil(this.#maxEntries / 10);
    await this.#prepare();
    const now = this.#now();
    const kept: { readonly path: string; readonly size: number; readonly expiresAt: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      if (!name.endsWith(extension) && !name.endsWith(unfinishedExtension)) continue;
      const path = join(this.#folder, name);
      const facts = await orAbsent(stat(path));
      if (facts === undefined) continue;
      const isUnfinished = name.endsWith(unfinishedExtension);
      if (isUnfinished ? now - facts.ctimeMs > longestWrite : facts.mtimeMs <= now) await orAbsent(unlink(path));
      else if (!isUnfinished) kept.push({ path, size: facts.size, expiresAt: facts.mtimeMs });
    }
    kept.sort((one, other) => other.expiresAt - one.expiresAt);
    let bytes = 0;
    for (const [index, { path, size }] of kept.entries()) {
      bytes += size;
      if (index >= this.#maxEntries || bytes > this.#maxBytes) await orAbsent(unlink(path));
    }
  }
}

const extension = '.session';
const unfinishedExtension = '.tmp';
/** Milliseconds: what was begun before that was never finished. */
const longestWrite = 60_000;
const ownerOnlyFile = 0o600;
const ownerOnlyFolder = 0o700;
const othersBits = 0o077;

/** What a file begins with: who wrote it, and in which version. */
const magic = Buffer.from('tls-resume session 1\n');
const timeLength = 8;
const digestLength = 32;
const overhead = magic.length + timeLength + digestLength;

/** magic, expiresAt in milliseconds, value, SHA-256 of the key and all of it: a file under another's name is damage, too. */
function encode(key: Uint8Array, value: Uint8Array, expiresAt: number): Uint8Array {
  const entry = new Uint8Array(overhead + value.length);
  entry.set(magic);
  new DataView(entry.buffer).setBigUint64(magic.length, BigInt(Math.floor(expiresAt)));
  entry.set(value, magic.length + timeLength);
  entry.set(digest(key, entry.subarray(0, -digestLength)), entry.length - digestLength);
  return entry;
}

function decode(entry: Uint8Array, key: Uint8Array, now: number): Uint8Array | undefined {
  if (entry.length < overhead || !equal(entry.subarray(0, magic.length), magic)) return undefined;
  const content = entry.subarray(0, -digestLength);
  if (!equal(digest(key, content), entry.subarray(-digestLength))) return undefined;
  const expiresAt = new DataView(entry.buffer, entry.byteOffset).getBigUint64(magic.length);
  return Number(expiresAt) > now ? copy(content.subarray(magic.length + timeLength)) : undefined;
}

function digest(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** `undefined` for a file that is larger than anything that was written. */
async function readAtMost(file: FileHandle, most: number): Promise<Uint8Array | undefined> {
  const { size } = await file.stat();
  return size > most ? undefined : file.readFile();
}

/** `undefined` where there is no such file. */
function orAbsent<T>(task: Promise<T>): Promise<T | undefined> {
  return task.catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
