import { readFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';

/** The exports and commands of package.json are the one list of entry points: `./dist/x.js` is built from `src/x.ts`. */
const { exports, bin } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  exports: Record<string, string | { default: string }>;
  bin: Record<string, string>;
};
const imported = Object.values(exports).flatMap((target) => (typeof target === 'string' ? [] : [target.default]));
const nameOf = (file: string) => file.replace(/^\.\/dist\/(.*)\.js$/, '$1');
const [names, commands] = [imported.map(nameOf), Object.values(bin).map(nameOf)];

function entryOf(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(list.map((name) => [name, `src/${name}.ts`]));
}

/** commander is CommonJS, and `require` of a built-in module does not exist in what is built here. */
const commonJsWithBuiltins: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'commonjs-with-builtins',
  setup(build) {
    build.onLoad({ filter: /[\\/]commander[\\/]lib[\\/]\w+\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        /\brequire\('node:/g,
        `globalThis.process.getBuiltinModule('node:`,
      ),
    }));
  },
};

export default defineConfig({
  entry: entryOf([...names, ...commands]),
  format: 'esm',
  target: ['es2022', 'node20.19'],
  platform: 'node', // leaves node: imports alone; which entries may have them is the package test's business
  removeNodeProtocol: false,
  // What `tls-resume/node` reads certificates with is carried along: `npm install tls-resume` is all that it takes.
  noExternal: ['asn1js', '@peculiar/utils', 'commander'],
  esbuildPlugins: [commonJsWithBuiltins],
  splitting: true, // an error class must be the same one whichever subpath it came through
  treeshake: true,
  dts: { entry: entryOf(names) },
  sourcemap: false, // they would carry paths of the machine that built them
  clean: true,
  esbuildOptions(options) {
    options.preserveSymlinks = true; // or the comments that name carried files would have paths of the machine that built them
  },
});
