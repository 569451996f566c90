/**
 * Reading key files: from the bytes of the files to the parts of keys, by the layout that was said and no other.
 */
import { fromAscii, wipe } from '../../bytes.js';
import { fromBase64 } from '../../presentation/base64.js';
import { readEnvoyJson } from './envoy-json.js';
import { readH2oYaml } from './h2o-yaml.js';
import { readKeysJson } from './keys-json.js';
import {
  longestKeyFiles,
  mostKeysInFiles,
  type KeyEntry,
  type KeyFileContents,
  type KeyFileProblem,
} from './key-entry.js';
import { keyFileLayout, keyLength, type KeyFileLayout, type KeyFileLayoutName } from './layouts.js';

/** Never throws. A file of which nothing is understood has a problem and no entries. */
export function readKeyFiles(name: KeyFileLayoutName, files: readonly Uint8Array[]): KeyFileContents {
  const layout = keyFileLayout(name);
  const size = files.reduce((sum, file) => sum + file.length, 0);
  if (size > longestKeyFiles || files.length > mostKeysInFiles) {
    const message = `${name}: got ${String(size)} bytes in ${counted(files.length, 'file')}, expected at most ${String(longestKeyFiles)} in ${String(mostKeysInFiles)}`;
    return { entries: [], problems: [{ code: 'too_large', index: 0, message }], unreadBytes: 0 };
  }
  const reader = new KeyFileReader(name, layout);
  if (layout.encoding === 'raw') files.forEach((file, i) => reader.readRaw(file, i));
  else reader.readText(files);
  return reader.finish();
}

/** Wipes what was decoded. Parts of raw files are views on them, and those are not ours. */
export function forgetKeys(name: KeyFileLayoutName, entries: readonly KeyEntry[]): void {
  if (keyFileLayout(name).encoding === 'raw') return;
  for (const { parts } of entries) wipe(...Object.values(parts));
}

class KeyFileReader {
  readonly #name: KeyFileLayoutName;
  readonly #layout: KeyFileLayout;
  readonly #entries: KeyEntry[] = [];
  readonly #problems: KeyFileProblem[] = [];
  #unreadBytes = 0;

  constructor(name: KeyFileLayoutName, layout: KeyFileLayout) {
    this.#name = name;
    this.#layout = layout;
  }

  readRaw(file: Uint8Array, index: number): void {
    const expected = keyLength(this.#layout);
    const place = `file ${String(index + 1)}`;
    const readsIt = file.length === expected || (this.#layout.ignoresRest === true && file.length > expected);
    if (!readsIt) {
      this.#refuse(
        'wrong_size',
        index,
        `got ${String(file.length)} bytes in ${place}, expected ${String(expected)}${asText(file)}`,
      );
      return;
    }
    this.#unreadBytes += file.length - expected;
    this.#entries.push({ index, place, parts: this.#partsOf(file), times: {} });
  }

  readText([file, ...others]: readonly Uint8Array[]): void {
    if (others.length > 0) this.#refuse('too_many_files', 1, `got ${counted(1 + others.length, 'file')}, expected 1`);
    if (file === undefined) return;
    if (file.some((byte) => byte > 0x7e)) {
      this.#refuse('unreadable', 0, 'got bytes that are no text');
      return;
    }
    const entries = this.#readEntries(fromAscii(file));
    if (typeof entries === 'string') this.#refuse('unreadable', 0, entries);
    else this.#entries.push(...entries);
  }

  finish(): KeyFileContents {
    const [fewest, most] = this.#layout.keyCount;
    const { length } = this.#entries;
    // Where one was not understood, nobody knows how many there are.
    if (this.#problems.length === 0 && length < fewest)
      this.#refuse('too_few_keys', length, `got ${counted(length, 'key')}, expected at least ${String(fewest)}`);
    const limit = Math.min(most, mostKeysInFiles);
    if (length > limit)
      this.#refuse('too_many_keys', limit, `got ${counted(length, 'key')}, expected at most ${String(limit)}`);
    return { entries: this.#entries.slice(0, limit), problems: this.#problems, unreadBytes: this.#unreadBytes };
  }

  #readEntries(text: string): readonly KeyEntry[] | string {
    switch (this.#layout.encoding) {
      case 'raw':
      case 'base64_lines':
        return this.#readLines(text);
      case 'envoy_json':
        return readEnvoyJson(text);
      case 'h2o_yaml':
        return readH2oYaml(text);
      case 'json':
        return readKeysJson(text);
    }
  }

  #readLines(text: string): readonly KeyEntry[] {
    const entries: KeyEntry[] = [];
    const lines = text.split('\n');
    // A file ends with the end of a line, which begins no other.
    if (lines.at(-1) === '') lines.pop();
    const expected = keyLength(this.#layout);
    lines.forEach((line, i) => {
      const place = `line ${String(i + 1)}`;
      const key = fromBase64(line.replace(/\r$/, ''));
      if (key === undefined) this.#refuse('unreadable', i, `${place} is not base64`);
      else if (key.length === expected) entries.push({ index: i, place, parts: this.#partsOf(key), times: {} });
      else {
        this.#refuse('wrong_size', i, `got ${String(key.length)} bytes in ${place}, expected ${String(expected)}`);
        wipe(key);
      }
    });
    return entries;
  }

  #partsOf(key: Uint8Array): KeyEntry['parts'] {
    let offset = 0;
    const parts = this.#layout.parts.map(([part, length]) => [part, key.subarray(offset, (offset += length))] as const);
    return Object.fromEntries(parts);
  }

  #refuse(code: KeyFileProblem['code'], index: number, message: string): void {
    this.#problems.push({ code, index, message: `${this.#name}: ${message}` });
  }
}

/** What people do instead of `openssl rand`, told by the size that it has then. */
function asText(file: Uint8Array): string {
  if (file.length === 0 || file.some((byte) => byte > 0x7e || (byte < 0x20 && byte !== 0x0a && byte !== 0x0d)))
    return '';
  return ' of raw bytes, and it is text';
}

function counted(count: number, thing: string): string {
  return `${String(count)} ${thing}${count === 1 ? '' : 's'}`;
}
