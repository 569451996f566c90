/** The packed tarball, used the way its users use it, but for its declarations: those are in package.slow.ts. */
import { build } from 'esbuild';
import { readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from './support/peers.js';
import { entryPoints, type InstalledPackage, installPackedPackage, manifest, succeed } from './support/package.js';
import { describeTarball } from './tarball.js';

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackedPackage({ declarations: false });
  return installed.remove;
}, 120_000);

describeTarball(() => installed);

it('every entry point resolves and has exports in plain Node', async () => {
  const specifiers = entryPoints.map(({ specifier }) => specifier);
  const script = `
    const modules = await Promise.all(${JSON.stringify(specifiers)}.map((specifier) => import(specifier)));
    console.log(JSON.stringify(modules.map((entry) => Object.keys(entry).length > 0)));`;
  const said = await succeed(process.execPath, ['--input-type=module', '--eval', script], installed.folder);
  expect(JSON.parse(said)).toEqual(specifiers.map(() => true));
});

describe('without an optional package', () => {
  it.each([
    ['micro-rsa-dsa-dh', 'tls-resume/crypto/noble-rsa'],
    ['@noble/post-quantum', 'tls-resume/crypto/noble-post-quantum'],
  ])('%s: importing %s says what to install', async (name, specifier) => {
    const place = join(installed.folder, 'node_modules', name);
    const aside = join(installed.folder, 'aside');
    renameSync(place, aside);
    try {
      const script = `import('${specifier}').catch(({ code, message }) => console.log(code, message))`;
      const said = await succeed(process.execPath, ['--input-type=module', '--eval', script], installed.folder);
      expect(said.trim()).toBe(`missing_dependency ${specifier} needs one package more: npm install ${name}`);
    } finally {
      renameSync(aside, place);
    }
  });
});

describe('the command', () => {
  const command = () => join(installed.folder, 'node_modules', manifest.name, 'dist/cli/main.js');

  // What it parses options and certificates with is in the package, not beside it.
  it('runs with nothing but the package and its dependencies', async () => {
    expect(await succeed(process.execPath, [command(), '--version'], installed.folder)).toBe(`${manifest.version}\n`);
    const run = await runProgram(process.execPath, [command(), 'connect', '127.0.0.1:1']);
    expect(run).toMatchObject({ status: 1, stderr: expect.stringContaining('(ECONNREFUSED)') as string });
  });

  it('may be executed', () => {
    expect(statSync(command()).mode & 0o111).toBe(0o111);
    expect(readFileSync(command(), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

describe('what a bundle of one entry point drags in', () => {
  it('./messages: no cryptography', async () => {
    expect(await bundle('tls-resume/messages')).toEqual({ packages: [], builtins: [] });
  });

  it('tls-resume: noble packages alone', async () => {
    expect((await bundle('tls-resume')).packages).toEqual(['@noble/ciphers', '@noble/curves', '@noble/hashes']);
  });

  it.each(['tls-resume/early-data', 'tls-resume/quic'])('%s: no package at all', async (specifier) => {
    expect((await bundle(specifier)).packages).toEqual([]);
  });

  it('./crypto/noble-post-quantum: no package but those of noble', async () => {
    const { packages } = await bundle('tls-resume/crypto/noble-post-quantum');
    expect(packages).toEqual(['@noble/curves', '@noble/hashes', '@noble/post-quantum']);
  });

  it('./tickets: no curves', async () => {
    expect((await bundle('tls-resume/tickets')).packages).not.toContain('@noble/curves');
  });

  it.each([
    'tls-resume',
    'tls-resume/messages',
    'tls-resume/tickets',
    'tls-resume/sessions',
    'tls-resume/early-data',
    'tls-resume/quic',
    'tls-resume/crypto/noble',
    'tls-resume/crypto/noble-post-quantum',
  ])('%s: no node:', async (specifier) => {
    expect((await bundle(specifier)).builtins).toEqual([]);
  });

  // The check itself: the two entry points that are known to have what the others must not.
  it('sees curves and node: where they are', async () => {
    expect((await bundle('tls-resume/crypto/noble')).packages).toContain('@noble/curves');
    expect((await bundle('tls-resume/crypto/node')).builtins).toContain('node:crypto');
  });

  /** Packages whose code is in the bundle, and built-in modules that it imports. */
  async function bundle(specifier: string): Promise<{ packages: string[]; builtins: string[] }> {
    const { metafile } = await build({
      stdin: { contents: `export * from '${specifier}';`, resolveDir: installed.folder },
      bundle: true,
      format: 'esm',
      external: ['node:*'],
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
    const inputs = Object.values(metafile.outputs).flatMap((output) =>
      Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
    );
    const packages = inputs.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
    const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
    return {
      packages: [...new Set(packages)].filter((name) => name !== manifest.name).sort(),
      builtins: [...new Set(imports)].filter((path) => path.startsWith('node:')).sort(),
    };
  }
});
