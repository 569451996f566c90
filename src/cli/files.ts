/** Files that options name: read whole, or opened to be written. Every failure is a `UsageError` that names the file. */
import { fchmodSync, fstatSync, openSync, closeSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { wipe } from '../bytes.js';
import type { KeyFileLayoutName } from '../tickets/key-files/layouts.js';
import { lintTicketKeys } from '../tickets/key-files/lint.js';
import { parseTicketKeys } from '../tickets/key-files/parse.js';
import type { TicketKey } from '../tickets/ticket-key.js';
import { refuse } from './failure.js';

export function readFile(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path === '-' ? 0 : path));
  } catch (error) {
    refuse(path, error);
  }
}

/** For secrets: nobody else may read the file, also if it was there before. */
export function writeSecretFile(path: string, content: string): void {
  try {
    const file = openSync(path, 'w', ownerOnly);
    try {
      if (fstatSync(file).isFile()) fchmodSync(file, ownerOnly);
      writeFileSync(file, content);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    refuse(path, error);
  }
}

/** Appends lines as they come; `undefined` where there is no file to write. */
export function keyLog(path: string | undefined): { keyLog?: (line: string) => void } {
  if (path === undefined) return {};
  try {
    const file = openSync(path, 'a', ownerOnly);
    return { keyLog: (line) => void writeSync(file, `${line}\n`) };
  } catch (error) {
    refuse(path, error);
  }
}

const ownerOnly = 0o600;

/** The keys in files of ticket keys, in the order in which a server of that layout uses them; their bytes are theirs alone. */
export function ticketKeys(layout: KeyFileLayoutName, paths: readonly string[]): readonly TicketKey[] {
  const files = paths.map(readFile);
  const error = lintTicketKeys(layout, files).find(({ severity }) => severity === 'error');
  if (error !== undefined)
    throw new UsageError('invalid_key', `${paths.join(', ')}: ${error.message} (see --ticket-key-layout)`);
  const keys = parseTicketKeys(layout, files);
  wipe(...files);
  return keys;
}
