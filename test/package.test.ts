/** The packed tarball, used the way its users use it. */
import { build } from 'esbuild';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from './support/peers.js';
import {
  entryPoints,
  type InstalledPackage,
  installPackedPackage,
  manifest,
  repositoryFolder,
  succeed,
} from './support/package.js';

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackedPackage();
  return installed.remove;
}, 120_000);

describe('the tarball', () => {
  it('holds code, types and the documents, nothing else', () => {
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
    expect(installed.files.filter((path) => !path.startsWith('dist/'))).toEqual(documents);
    expect(installed.files.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts)$/.test(path))).toEqual([]);
  });

  it('has no empty files and no paths of the machine that built it', () => {
    for (const path of installed.files) {
      const file = join(installed.folder, 'node_modules', manifest.name, path);
      expect([path, statSync(file).size > 1]).toEqual([path, true]);
      const text = readFileSync(file, 'utf8');
      for (const machinePath of [repositoryFolder, installed.folder, homedir() + '/', 'sourceMappingURL='])
        expect([path, machinePath, text.includes(machinePath)]).toEqual([path, machinePath, false]);
    }
  });
});

describe.each(entryPoints)('$specifier', ({ specifier }) => {
  it('resolves and has exports in plain Node', async () => {
    const script = `import * as entry from '${specifier}'; console.log(Object.keys(entry).length)`;
    const count = await succeed(process.execPath, ['--input-type=module', '--eval', script], installed.folder);
    expect(Number(count)).toBeGreaterThan(0);
  });
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

describe('types', () => {
  // skipLibCheck is off: the declarations are checked themselves, as strictly as ours are.
  it.each([
    { module: 'NodeNext', moduleResolution: 'NodeNext' },
    { module: 'ESNext', moduleResolution: 'bundler' },
  ])(
    'resolve under moduleResolution $moduleResolution',
    async (options) => {
      const imports = entryPoints.map(({ specifier }, i) => `import * as e${String(i)} from '${specifier}';\n`);
      const uses = entryPoints.map((_, i) => `e${String(i)}`).join(', ');
      writeFileSync(join(installed.folder, 'consumer.mts'), `${imports.join('')}export const all = [${uses}];\n`);
      writeFileSync(
        join(installed.folder, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            ...options,
            target: 'ES2022',
            lib: ['ES2022'],
            types: ['node'],
            strict: true,
            exactOptionalPropertyTypes: true,
            noEmit: true,
          },
          files: ['consumer.mts'],
        }),
      );
      const compiler = join(repositoryFolder, 'node_modules', 'typescript', 'bin', 'tsc');
      expect(await succeed(process.execPath, [compiler, '-p', '.', '--pretty', 'false'], installed.folder)).toBe('');
    },
    60_000,
  );
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
