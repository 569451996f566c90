import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import { keyLog, readFile, ticketKey, writeSecretFile } from '../../src/cli/files.js';
import { UsageError } from '../../src/errors.js';
import { readVectors } from '../support/vectors.js';

let folder: string;
const file = (name: string) => join(folder, name);
const mode = (name: string) => statSync(file(name)).mode & 0o777;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-files-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a file that cannot be used is named, with the reason', () => {
  it.each([
    ['absent', () => readFile(file('absent')), 'no such file'],
    ['a folder', () => readFile(folder), 'is a directory'],
    ['a folder to write', () => writeSecretFile(folder, ''), 'is a directory'],
    ['a folder as key log', () => keyLog(folder), 'is a directory'],
  ])('%s', (_, use, reason) => {
    expect(use).toThrow(UsageError);
    expect(use).toThrow(reason);
  });
});

describe('files with secrets', () => {
  it("are their owner's alone, also where others could read them before", () => {
    writeFileSync(file('before'), 'a longer text', { mode: 0o644 });
    writeSecretFile(file('before'), 'text');
    writeSecretFile(file('new'), 'text');
    expect([mode('before'), mode('new')]).toEqual([0o600, 0o600]);
    expect(readFileSync(file('before'), 'utf8')).toBe('text');
  });

  it('a key log goes on where it was', () => {
    keyLog(file('keys')).keyLog?.('one');
    keyLog(file('keys')).keyLog?.('two');
    expect(readFileSync(file('keys'), 'utf8')).toBe('one\ntwo\n');
    expect(mode('keys')).toBe(0o600);
    expect(keyLog(undefined)).toEqual({});
  });
});

describe('a ticket key file', () => {
  it.each([
    ['nginx-tls12-ticket-48.json', [0, 16, 32], [32, 48]],
    ['nginx-tls12-ticket-80.json', [0, 48, 80], [16, 48]],
  ] as const)('%s: parts in the order of nginx', (vectors, [nameStart, aesStart, aesEnd], [hmacStart, hmacEnd]) => {
    const { ticketKeyHex } = readVectors(`captures/${vectors}`) as { ticketKeyHex: string };
    const bytes = fromHex(ticketKeyHex);
    writeFileSync(file('key'), bytes);
    expect(ticketKey(file('key'))).toEqual({
      name: bytes.slice(nameStart, 16),
      aesKey: bytes.slice(aesStart, aesEnd),
      hmacKey: bytes.slice(hmacStart, hmacEnd),
    });
  });

  it.each([0, 47, 49, 64, 81])('of %s bytes is refused', (length) => {
    writeFileSync(file('key'), new Uint8Array(length));
    expect(() => ticketKey(file('key'))).toThrow(`${file('key')}: ${length} bytes, a ticket key has 48 or 80`);
  });
});
