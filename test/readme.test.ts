/** Code blocks of the documents compile against the sources, so that no reader copies what does not exist. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { entryPoints, repositoryFolder } from './support/package.js';

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(repositoryFolder, 'docs')).map((file) => `docs/${file}`),
];

describe('code blocks of the documents', () => {
  it('type-check against the sources', () => {
    const blocks = documents.flatMap((name) => codeBlocks(name, readFileSync(join(repositoryFolder, name), 'utf8')));
    expect(blocks.length).toBeGreaterThan(0);
    expect(complaints(blocks)).toEqual([]);
  }, 60_000);

  it('would be reported, by the line of the document', () => {
    const [good, bad] = ['const a: number = 1;', 'const a: string = 1;'];
    const text = `# Title\n\n\`\`\`ts\n${good}\n\`\`\`\n\nwords\n\n\`\`\`ts\n\n${bad}\n\`\`\`\n\n\`\`\`sh\n${bad}\n\`\`\`\n`;
    expect(complaints(codeBlocks('EXAMPLE.md', text))).toEqual([
      `EXAMPLE.md:11 Type 'number' is not assignable to type 'string'.`,
    ]);
  });
});

interface CodeBlock {
  readonly document: string;
  /** The block, below as many empty lines as stand above it in the document: line numbers agree. */
  readonly code: string;
}

function codeBlocks(document: string, text: string): CodeBlock[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => {
    const linesAbove = text.slice(0, match.index).split('\n').length;
    return { document, code: '\n'.repeat(linesAbove) + (match[1] ?? '') };
  });
}

/** Of files on disk, by path: they are read once for all programs. */
const sources = new Map<string, ts.SourceFile | undefined>();

/** Every block is a module of its own. */
function complaints(blocks: readonly CodeBlock[]): string[] {
  const files = new Map(
    blocks.map(({ document, code }, i) => [join(repositoryFolder, `${document}.${String(i)}.ts`), { document, code }]),
  );
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
    paths: Object.fromEntries(
      entryPoints.map(({ specifier, source }) => [specifier, [join(repositoryFolder, source)]]),
    ),
  };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => files.has(path) || disk.fileExists(path),
    readFile: (path) => files.get(path)?.code ?? disk.readFile(path),
    getSourceFile(path, ...rest) {
      const code = files.get(path)?.code;
      if (code !== undefined) return ts.createSourceFile(path, code, rest[0]);
      if (!sources.has(path)) sources.set(path, disk.getSourceFile(path, ...rest));
      return sources.get(path);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([path, { document }]) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(path)).map(({ start, messageText }) => {
      const line =
        start === undefined ? 0 : (program.getSourceFile(path)?.getLineAndCharacterOfPosition(start).line ?? 0);
      return `${document}:${String(line + 1)} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    }),
  );
}
