import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** The exports of package.json are the one list of entry points: `./dist/x.js` is built from `src/x.ts`. */
const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};
const names = Object.values(exports)
  .filter((target) => typeof target !== 'string')
  .map(({ default: file }) => file.replace(/^\.\/dist\/(.*)\.js$/, '$1'));

export default defineConfig({
  entry: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
  format: 'esm',
  target: ['es2022', 'node20.19'],
  platform: 'node', // leaves node: imports alone; which entries may have them is the package test's business
  removeNodeProtocol: false,
  // What `tls-resume/node` reads certificates with is carried along: `npm install tls-resume` is all that it takes.
  noExternal: ['asn1js', '@peculiar/utils'],
  splitting: true, // an error class must be the same one whichever subpath it came through
  treeshake: true,
  dts: true,
  sourcemap: false, // they would carry paths of the machine that built them
  clean: true,
  esbuildOptions(options) {
    options.preserveSymlinks = true; // or the comments that name carried files would have paths of the machine that built them
  },
});
