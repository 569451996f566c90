/** Programs of this repository that tests start again and again: tsx reads all sources anew, for more than a second each time. */
import { build, type Plugin } from 'esbuild';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryFolder } from './package.js';

export interface BundledProgram {
  /** In the repository, where packages are found; for whatever a test writes as well. */
  readonly folder: string;
  /** What Node runs. */
  readonly path: string;
  remove(): void;
}

/** Bundles as the package is: without other packages, and with chunks that are loaded when they are needed. */
export async function bundleProgram(source: string): Promise<BundledProgram> {
  const name = basename(source, '.ts');
  const cache = join(repositoryFolder, 'node_modules', '.cache', 'tls-resume');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, `${name}-`));
  await build({
    entryPoints: [join(repositoryFolder, source)],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'silent',
    plugins: [besideItsSource],
  });
  return {
    folder,
    path: join(folder, `${name}.mjs`),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A file of the tests reads its vectors from where its source stands. */
const besideItsSource: Plugin = {
  name: 'beside-its-source',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]test[/\\].*\.ts$/ }, async ({ path }) => {
      const url = JSON.stringify(pathToFileURL(path).href);
      return { contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};
