/** Files that options name: read whole, or opened to be written. Every failure is a `UsageError` that names the file. */
import { fchmodSync, fstatSync, openSync, closeSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { UsageError } from '../errors.js';
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

/** A ticket key as nginx keeps it: the order of its parts turns with the length. */
export function ticketKey(path: string): TicketKey {
  const bytes = readFile(path);
  const name = bytes.subarray(0, 16);
  if (bytes.length === 48) return { name, aesKey: bytes.subarray(16, 32), hmacKey: bytes.subarray(32) };
  if (bytes.length === 80) return { name, hmacKey: bytes.subarray(16, 48), aesKey: bytes.subarray(48) };
  throw new UsageError('invalid_key', `${path}: ${bytes.length} bytes, a ticket key has 48 or 80`);
}
