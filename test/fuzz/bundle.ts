/** Bundles the fuzzer and its targets, with counters in every file of src. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { countersName } from './fuzzer.js';
import { instrument } from './instrument.js';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** Nothing here outlives `npm ci`. */
export const cacheFolder = join(repository, 'node_modules', '.cache', 'tls-resume', 'fuzz');
/** A power of two above the number of counters; the bundle says how many there are. */
const room = 2 ** 16;

export interface Bundle {
  readonly path: string;
  readonly counters: number;
}

export async function bundleFuzzer(): Promise<Bundle> {
  const path = join(cacheFolder, 'run.js');
  let counters = 0;
  const counting: Plugin = {
    name: 'counting',
    setup({ onLoad }) {
      onLoad({ filter: /[/\\](?:src|test)[/\\].*\.ts$/ }, async (file) => {
        // A bundled file reads its vectors from where the source stands.
        const url = JSON.stringify(pathToFileURL(file.path).href);
        const source = (await readFile(file.path, 'utf8')).replaceAll('import.meta.url', url);
        if (!file.path.startsWith(join(repository, 'src'))) return { contents: source, loader: 'ts' };
        const instrumented = instrument(file.path, source, counters);
        counters = instrumented.next;
        if (counters > room) throw new Error(`${String(counters)} counters, and room for ${String(room)}`);
        return { contents: instrumented.source, loader: 'ts' };
      });
    },
  };
  await build({
    entryPoints: [fileURLToPath(new URL('./run.ts', import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
    banner: { js: `const ${countersName} = (globalThis.${countersName} = new Uint8Array(${String(room)}));` },
    logLevel: 'warning',
    plugins: [counting],
  });
  return { path, counters };
}
