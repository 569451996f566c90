/** The package as users get it: what `exports` names, and the packed tarball installed into an empty folder. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './peers.js';

export const repositoryFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

export const manifest = JSON.parse(readFileSync(join(repositoryFolder, 'package.json'), 'utf8')) as Manifest;

export interface EntryPoint {
  /** `.`, `./messages`, ... */
  readonly subpath: string;
  /** What an importer writes: `tls-resume/messages`. */
  readonly specifier: string;
  /** Its source, relative to the repository. */
  readonly source: string;
}

/** The code behind `exports`; `./package.json` is none. */
export const entryPoints: readonly EntryPoint[] = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === 'string'
    ? []
    : [
        {
          subpath,
          specifier: manifest.name + subpath.slice(1),
          source: target.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts'),
        },
      ],
);

export interface InstalledPackage {
  /** A folder outside the repository whose `node_modules` holds the package and what it depends on. */
  readonly folder: string;
  /** Paths in the tarball, sorted. */
  readonly files: readonly string[];
  remove(): void;
}

/**
 * Builds and packs a copy, so that the repository's own `dist` is neither needed nor touched. Declarations take ten times as long as
 * the code: who does not look at them is given none.
 */
export async function installPackedPackage({ declarations }: { declarations: boolean }): Promise<InstalledPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-package-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'source');
    for (const path of [
      'src',
      'package.json',
      'tsconfig.json',
      'tsup.config.ts',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'SECURITY.md',
      'THIRD-PARTY-NOTICES.md',
    ])
      cpSync(join(repositoryFolder, path), join(copy, path), { recursive: true });
    symlinkSync(join(repositoryFolder, 'node_modules'), join(copy, 'node_modules'));

    const only = declarations ? [] : ['--no-dts'];
    await succeed(join(copy, 'node_modules', '.bin', 'tsup'), ['--silent', ...only], copy);
    const [packed] = JSON.parse(await succeed('npm', ['pack', '--json', '--ignore-scripts'], copy)) as [Packed];

    const modules = join(folder, 'node_modules');
    const target = join(modules, manifest.name);
    mkdirSync(target, { recursive: true });
    await succeed('tar', ['-xzf', join(copy, packed.filename), '-C', target, '--strip-components=1'], folder);
    // What a registry would install beside it; @types/node is what users of `./node` have in TypeScript.
    for (const name of [
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependencies),
      '@types/node',
    ]) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(repositoryFolder, 'node_modules', name), join(modules, name));
    }
    rmSync(copy, { recursive: true });
    return { folder, files: packed.files.map(({ path }) => path).sort(), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Standard output of a program that must end well. */
export async function succeed(command: string, commandArguments: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await runProgram(command, commandArguments, { cwd, timeoutMilliseconds: 120_000 });
  if (status !== 0) throw new Error(`${command} ended with ${String(status)}:\n${stdout}\n${stderr}`);
  return stdout;
}
