/**
 * Which requirements the tests name. requirements.json holds every requirement on resumption that the RFCs put on an endpoint, one
 * row each; a test names in its title the ids of those that it proves.
 *
 * Titles may be put together from tables, so every string of a test file counts. Comments do not, and neither does what stands
 * in tests that never run (`skip`, `todo`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface Requirement {
  /** `R8446-4.2.11-3`: the RFC, its section, a running number. `P-time-2`: a rule of this project. */
  readonly id: string;
  readonly side: 'client' | 'server' | 'both';
  readonly level: string;
  readonly requirement: string;
}

/** What is wrong with the coverage: all three are empty when nothing is. */
export interface Gaps {
  readonly untested: readonly Requirement[];
  /** Named by a test, and no requirement: `id (file)`. */
  readonly unknown: readonly string[];
  /** Out of scope, and yet tested, or no requirement at all. */
  readonly wronglyOutOfScope: readonly string[];
}

export interface Coverage {
  readonly requirements: readonly Requirement[];
  /** The reason by the id. */
  readonly outOfScope: Readonly<Record<string, string>>;
  /** The ids by the file whose tests name them. */
  readonly named: ReadonlyMap<string, ReadonlySet<string>>;
}

export function gaps({ requirements, outOfScope, named }: Coverage): Gaps {
  const ids = new Set(requirements.map(({ id }) => id));
  const tested = new Set([...named.values()].flatMap((inFile) => [...inFile]));
  return {
    untested: requirements.filter(({ id }) => !tested.has(id) && !Object.hasOwn(outOfScope, id)),
    unknown: [...named].flatMap(([file, inFile]) =>
      [...inFile].filter((id) => !ids.has(id)).map((id) => `${id} (${file})`),
    ),
    wronglyOutOfScope: Object.keys(outOfScope).filter((id) => tested.has(id) || !ids.has(id)),
  };
}

/** Of this repository. */
export function readCoverage(): Coverage {
  const requirementsFolder = dirname(fileURLToPath(import.meta.url));
  const testFolder = dirname(requirementsFolder);
  const files = readdirSync(testFolder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('requirements/'))
    .sort();
  const read = (file: string): unknown => JSON.parse(readFileSync(join(requirementsFolder, file), 'utf8'));
  return {
    requirements: read('requirements.json') as Requirement[],
    outOfScope: read('out-of-scope.json') as Record<string, string>,
    named: new Map(files.map((file) => [file, idsNamedIn(readFileSync(join(testFolder, file), 'utf8'))])),
  };
}

/** The ids in the strings of a test file. */
export function idsNamedIn(source: string): Set<string> {
  const ids = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isNeverRun(node.expression)) return;
    if (ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node)) {
      for (const [id] of node.text.matchAll(requirementId)) ids.add(id);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('test.ts', source, ts.ScriptTarget.Latest));
  return ids;
}

const requirementId = /\b(?:R\d{4}-[A-Z\d][.\d]*|P-[a-z]+)-\d+\b/g;

/** `it.skip`, `describe.todo`, `it.skip.each(table)`: what is called, up to the first dot that says so. */
function isNeverRun(callee: ts.Expression): boolean {
  if (ts.isCallExpression(callee)) return isNeverRun(callee.expression);
  if (!ts.isPropertyAccessExpression(callee)) return false;
  return ['skip', 'todo'].includes(callee.name.text) || isNeverRun(callee.expression);
}
