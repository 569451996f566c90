/** What holds of the tarball with declarations and without them. */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manifest, repositoryFolder, type InstalledPackage } from './support/package.js';

export function describeTarball(installedPackage: () => InstalledPackage): void {
  describe('the tarball', () => {
    it('holds code, types and the documents, nothing else', () => {
      const { files } = installedPackage();
      const documents = [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'SECURITY.md',
        'THIRD-PARTY-NOTICES.md',
        'package.json',
      ];
      expect(files.filter((path) => !path.startsWith('dist/'))).toEqual(documents);
      expect(files.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts)$/.test(path))).toEqual([]);
    });

    it('has no empty files and no paths of the machine that built it', () => {
      const { files, folder } = installedPackage();
      for (const path of files) {
        const file = join(folder, 'node_modules', manifest.name, path);
        expect([path, statSync(file).size > 1]).toEqual([path, true]);
        const text = readFileSync(file, 'utf8');
        for (const machinePath of [repositoryFolder, folder, homedir() + '/', 'sourceMappingURL='])
          expect([path, machinePath, text.includes(machinePath)]).toEqual([path, machinePath, false]);
      }
    });
  });
}
