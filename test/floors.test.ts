/**
 * The architecture's floors, enforced: a file imports from its own folder and from lower floors only, nothing imports in a
 * circle, and the runtime (`node:`) and the packages stay where they belong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Floor of each folder of src; `''` is src itself, which holds floor 0. Subfolders belong to their top folder. */
const floors = new Map([
  ['', 0],
  ['presentation', 1],
  ['crypto', 1],
  ['remote', 1],
  ['messages', 2],
  ['key-schedule', 2],
  ['record', 2],
  ['tickets', 3],
  ['sessions', 3],
  ['early-data', 3],
  ['targets', 4],
  ['handshake', 4],
  ['connection', 5],
  ['index.ts', 6], // the flat public API: sees all of the core, is seen by the command line only
  ['adapters', 6],
  ['cli', 7],
]);

const sourceFolder = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

describe('the floors of src', () => {
  const sources = readSources();

  it('imports go down only, without circles, and node: and packages stay in their rooms', () => {
    expect(sources.size).toBeGreaterThan(0);
    expect(violations(sources)).toEqual([]);
  });
});

describe('the check itself', () => {
  const files = (entries: Record<string, string>) => new Map(Object.entries(entries));

  it.each([
    ['own folder', { 'record/a.ts': `import { b } from './b.js';`, 'record/b.ts': '' }],
    ['subfolder', { 'messages/a.ts': `export * from './extensions/b.js';`, 'messages/extensions/b.ts': '' }],
    ['lower floor', { 'tickets/a.ts': `import type { B } from '../record/b.js';`, 'record/b.ts': '' }],
    ['floor 0', { 'errors.ts': `import './alert.js';`, 'alert.ts': '' }],
    [
      'node: in its rooms',
      { 'crypto/node-rsa.ts': `import 'node:crypto';`, 'adapters/node/a.ts': `import 'node:net';` },
    ],
    ['data of the command line', { 'cli/a.ts': `import a from '../../vectors/a.json' with { type: 'json' };` }],
    ['packages in their rooms', { 'crypto/noble.ts': `import { sha256 } from '@noble/hashes/sha2.js';` }],
  ])('allows %s', (_, entries) => {
    expect(violations(files(entries))).toEqual([]);
  });

  it.each([
    [
      'higher floor',
      { 'record/a.ts': `import '../tickets/b.js';`, 'tickets/b.ts': '' },
      'record/a.ts (floor 2) imports tickets/b.ts (floor 3)',
    ],
    [
      'neighbour',
      { 'crypto/a.ts': `export { b } from '../presentation/b.js';`, 'presentation/b.ts': '' },
      'crypto/a.ts (floor 1) imports presentation/b.ts (floor 1)',
    ],
    [
      'type import',
      { 'bytes.ts': `import type { B } from './crypto/b.js';`, 'crypto/b.ts': '' },
      'bytes.ts (floor 0) imports crypto/b.ts (floor 1)',
    ],
    [
      'dynamic import',
      { 'bytes.ts': `const b = await import('./crypto/b.js');`, 'crypto/b.ts': '' },
      'bytes.ts (floor 0) imports crypto/b.ts (floor 1)',
    ],
    [
      'public API from inside',
      { 'adapters/node/a.ts': `import '../../index.js';`, 'index.ts': '' },
      'adapters/node/a.ts (floor 6) imports index.ts (floor 6)',
    ],
    ['folder without a floor', { 'utils/a.ts': '' }, 'utils/a.ts stands on no floor'],
    [
      'data elsewhere',
      { 'tickets/a.ts': `import a from '../../v.json';` },
      'tickets/a.ts imports ../../v.json, which does not exist',
    ],
    ['missing file', { 'bytes.ts': `import './gone.js';` }, 'bytes.ts imports ./gone.js, which does not exist'],
    [
      'node: below the adapters',
      { 'crypto/noble.ts': `import { createHash } from 'node:crypto';` },
      'crypto/noble.ts imports node:crypto below the adapters',
    ],
    [
      'package outside crypto',
      { 'tickets/a.ts': `import { hmac } from '@noble/hashes/hmac.js';` },
      'tickets/a.ts imports @noble/hashes/hmac.js: below the adapters, packages are called from crypto/ only',
    ],
    [
      'circle',
      { 'record/a.ts': `import './b.js';`, 'record/b.ts': `import './c.js';`, 'record/c.ts': `import './a.js';` },
      'circle: record/a.ts -> record/b.ts -> record/c.ts -> record/a.ts',
    ],
  ])('refuses %s', (_, entries, message) => {
    expect(violations(files(entries))).toEqual([message]);
  });
});

/** What the sources break, in words; paths are relative to src, with `/`. */
function violations(sources: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, source] of sources) {
    const floor = floors.get(room(path));
    if (floor === undefined) {
      found.push(`${path} stands on no floor`);
      continue;
    }
    const targets: string[] = [];
    graph.set(path, targets);
    for (const { fileName: specifier } of ts.preProcessFile(source, true, true).importedFiles) {
      if (!specifier.startsWith('.')) {
        const why = refusePackage(path, floor, specifier);
        if (why !== undefined) found.push(`${path} imports ${specifier}${why}`);
        continue;
      }
      if (specifier.endsWith('.json') && room(path) === 'cli') continue; // data of the demonstration, no code
      const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
      const targetFloor = floors.get(room(target));
      if (!sources.has(target)) found.push(`${path} imports ${specifier}, which does not exist`);
      else if (room(target) !== room(path) && (targetFloor ?? Infinity) >= floor)
        found.push(`${path} (floor ${String(floor)}) imports ${target} (floor ${String(targetFloor)})`);
      else targets.push(target);
    }
  }
  return [...found, ...circles(graph)];
}

function refusePackage(path: string, floor: number, specifier: string): string | undefined {
  if (floor >= 6) return undefined;
  if (specifier.startsWith('node:'))
    return /^crypto\/node(-[^/]*)?\.ts$/.test(path) ? undefined : ' below the adapters';
  return room(path) === 'crypto' ? undefined : ': below the adapters, packages are called from crypto/ only';
}

/** The key in `floors`: the top folder, `''` for a file of src itself. */
function room(path: string): string {
  if (path === 'index.ts') return path;
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
}

/** Each circle once, found by a depth-first walk. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const walk = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`circle: ${[...trail.slice(start), path].join(' -> ')}`);
    if (start >= 0 || finished.has(path)) return;
    for (const target of graph.get(path) ?? []) walk(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return found;
}

function readSources(): Map<string, string> {
  const paths = readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'));
  return new Map(paths.map((path) => [path, readFileSync(join(sourceFolder, path), 'utf8')]));
}
