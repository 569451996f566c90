import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes.js';
import { readH2oYaml, writeH2oYaml } from '../../../src/tickets/key-files/h2o-yaml.js';

const name = '68326f2d7469636b65742d6e616d6521';
const key128 = '0123456789abcdef'.repeat(10);
const key256 = '0123456789abcdef'.repeat(12);
const lines = {
  name: `- name: ${name}`,
  cipher: '  cipher: AES-128-CBC',
  hash: '  hash: SHA256',
  key: `  key: ${key128}`,
  not_before: '  not_before: 10',
  not_after: '  not_after: 20',
};

function file(changes: Partial<Record<keyof typeof lines, string>> = {}): string {
  return `${Object.values({ ...lines, ...changes }).join('\n')}\n`;
}

describe('readH2oYaml', () => {
  it.each([
    ['as h2o writes it', file()],
    ['without the end of the last line', file().trimEnd()],
    ['with the lines of Windows', file().replaceAll('\n', '\r\n')],
    ['with comments and empty lines', `# keys\n---\n\n${file({ hash: '  hash: SHA256   # SHA-2' })}\n# end\n`],
    ['in quotes', file({ name: `- name: "${name}"`, key: `  key: '${key128}'` })],
    ['in another order', file({ name: '- not_after: 20', not_after: `  name: ${name}` })],
    ['with small letters', file({ cipher: '  cipher: aes-128-cbc', hash: '  hash: sha256' })],
    ['with large digits', file({ name: `- name: ${name.toUpperCase()}`, key: `  key: ${key128.toUpperCase()}` })],
  ])('reads a key %s', (_, text) => {
    const entries = readH2oYaml(text);
    if (typeof entries === 'string') throw new Error(entries);
    expect(entries).toHaveLength(1);
    const { parts, times } = entries[0]!;
    expect(times).toEqual({ sealsFrom: 10_000, opensUntil: 21_000 });
    expect([parts.name, parts.aesKey, parts.hmacKey].map((part) => toHex(part!))).toEqual([
      name,
      key128.slice(0, 32),
      key128.slice(32),
    ]);
  });

  it('reads AES-256, and a not_after that never comes', () => {
    const entries = readH2oYaml(
      file({
        cipher: '  cipher: AES-256-CBC',
        key: `  key: ${key256}`,
        not_after: '  not_after: 18446744073709551615',
      }),
    );
    expect(entries).toMatchObject([
      { parts: { aesKey: { length: 32 }, hmacKey: { length: 64 } }, times: { opensUntil: Infinity } },
    ]);
  });

  const shape =
    'is not what is read of YAML: "- attribute: value" or "  attribute: value", of name, cipher, hash, key, not_before, not_after';

  it.each([
    ['an anchor', { name: `- name: &a ${name}` }, `line 1 ${shape}`],
    ['an alias', { key: '  key: *a' }, `line 4 ${shape}`],
    ['a tag', { name: `- name: !!str ${name}` }, `line 1 ${shape}`],
    ['a block scalar', { key: `  key: |\n    ${key128}` }, `line 4 ${shape}`],
    ['a flow map', { name: `- {name: ${name}}` }, `line 1 ${shape}`],
    ['a value in the next line', { key: `  key:\n    ${key128}` }, `line 4 ${shape}`],
    ['other indentation', { cipher: '    cipher: AES-128-CBC' }, `line 2 ${shape}`],
    ['a tab', { cipher: '\tcipher: AES-128-CBC' }, `line 2 ${shape}`],
    ['no space after the colon', { hash: '  hash:SHA256' }, `line 3 ${shape}`],
    ['an escape', { hash: '  hash: "SHA\\x32"' }, `line 3 ${shape}`],
    ['an unknown attribute', { hash: '  digest: SHA256' }, `line 3 ${shape}`],
    ['a second document', { not_after: '  not_after: 20\n---' }, `line 7 ${shape}`],
    ['an attribute twice', { hash: '  hash: SHA256\n  hash: SHA256' }, 'line 4: hash stands there twice'],
    ['no dash', { name: `  name: ${name}` }, 'line 1: got an attribute before the first "- "'],
    ['no hash', { hash: '' }, 'key 1 has no hash'],
    ['a short name', { name: '- name: 00' }, 'key 1: got a name that is not 16 bytes in hexadecimal'],
    [
      'a name of letters',
      { name: `- name: ${'g'.repeat(32)}` },
      'key 1: got a name that is not 16 bytes in hexadecimal',
    ],
    ['another cipher', { cipher: '  cipher: AES-128-GCM' }, 'key 1: expected cipher AES-128-CBC or AES-256-CBC'],
    ['another hash', { hash: '  hash: SHA384' }, 'key 1: expected hash SHA256'],
    [
      'a key of the other cipher',
      { key: `  key: ${key256}` },
      'key 1: got a key of 192 characters, expected 80 bytes in hexadecimal',
    ],
    ['a time in words', { not_before: '  not_before: now' }, 'key 1: expected not_before in seconds'],
    ['a time before 1970', { not_after: '  not_after: -1' }, 'key 1: expected not_after in seconds'],
    ['an end before the start', { not_before: '  not_before: 22' }, 'key 1: got not_after before not_before'],
  ])('refuses %s', (_, changes, reason) => {
    expect(readH2oYaml(file(changes))).toBe(reason);
  });
});

describe('writeH2oYaml', () => {
  it('writes what h2o reads, a short HMAC key filled up with zeros (RFC 2104 2)', () => {
    const key = {
      name: new Uint8Array(16).fill(1),
      aesKey: new Uint8Array(32).fill(2),
      hmacKey: new Uint8Array(32).fill(3),
    };
    expect(
      writeH2oYaml([
        { ...key, times: { sealsFrom: 1001, opensUntil: 10_999 } },
        { ...key, times: { sealsFrom: Infinity, opensUntil: Infinity } },
      ]),
    ).toBe(
      `- name: ${'01'.repeat(16)}
  cipher: AES-256-CBC
  hash: SHA256
  key: ${'02'.repeat(32)}${'03'.repeat(32)}${'00'.repeat(32)}
  not_before: 2
  not_after: 9
- name: ${'01'.repeat(16)}
  cipher: AES-256-CBC
  hash: SHA256
  key: ${'02'.repeat(32)}${'03'.repeat(32)}${'00'.repeat(32)}
  not_before: 18446744073709551615
  not_after: 18446744073709551615
`,
    );
  });
});
