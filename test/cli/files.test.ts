import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyLog, readFile, ticketKeys, writeSecretFile } from '../../src/cli/files.js';
import { UsageError } from '../../src/errors.js';

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

describe('ticket key files', () => {
  const samples = [48, 80].map((length) => new Uint8Array(randomBytes(length)));

  it.each([
    ['nginx48', samples[0], [16, 32], [32, 48]],
    ['nginx80', samples[1], [48, 80], [16, 48]],
    ['apache48', samples[0], [32, 48], [16, 32]],
  ] as const)('%s: parts in the order of the layout', (layout, bytes = new Uint8Array(0), aes, hmac) => {
    writeFileSync(file('key'), bytes);
    expect(ticketKeys(layout, [file('key')])).toMatchObject([
      { name: bytes.slice(0, 16), aesKey: bytes.slice(...aes), hmacKey: bytes.slice(...hmac) },
    ]);
  });

  it.each([0, 47, 48, 49, 81])('of %s bytes is none of 80, and refused by the name of the file', (length) => {
    writeFileSync(file('key'), new Uint8Array(length));
    expect(() => ticketKeys('nginx80', [file('key')])).toThrow(
      expect.objectContaining({
        code: 'invalid_key',
        message: expect.stringContaining(file('key')) as string,
      }) as Error,
    );
  });

  it('a weak key is refused', () => {
    writeFileSync(file('key'), new Uint8Array(80));
    expect(() => ticketKeys('nginx80', [file('key')])).toThrow(
      expect.objectContaining({ code: 'invalid_key' }) as Error,
    );
  });
});
