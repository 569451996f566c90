/** The packed tarball with its declarations, as users compile against them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  entryPoints,
  type InstalledPackage,
  installPackedPackage,
  repositoryFolder,
  succeed,
} from './support/package.js';
import { describeTarball } from './tarball.js';

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackedPackage({ declarations: true });
  return installed.remove;
});

describeTarball(() => installed);

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
