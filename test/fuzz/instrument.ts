/**
 * Coverage by counters in the source text: every block, branch and right side of `&&`, `||` and `??` counts how often it runs.
 *
 * V8 could tell the same (`Profiler.takePreciseCoverage`), but asking takes longer than most inputs need to run: 0.6 ms for the
 * codecs alone, against 10 microseconds.
 */
import ts from 'typescript';
import { countersName } from './fuzzer.js';

export interface Instrumented {
  /** The same lines as before. */
  readonly source: string;
  /** The first number that is free. */
  readonly next: number;
}

/** Adds counters, numbered from `first`. */
export function instrument(path: string, source: string, first: number): Instrumented {
  const insertions: { at: number; text: string }[] = [];
  let next = first;
  const count = () => `${countersName}[${next++}]++`;
  const insert = (at: number, text: string) => insertions.push({ at, text });
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true);

  const wrapExpression = (node: ts.Expression) => {
    insert(node.getStart(), `(${count()},`);
    visit(node);
    insert(node.end, ')');
  };
  const wrapStatement = (node: ts.Statement | undefined) => {
    if (node === undefined) return;
    if (ts.isBlock(node)) {
      visit(node);
      return;
    }
    insert(node.getStart(), `{${count()};`);
    visit(node);
    insert(node.end, '}');
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return;
    if (ts.isBlock(node)) insert(node.getStart() + 1, `${count()};`);
    if (ts.isCaseOrDefaultClause(node) && node.statements.length > 0) {
      if (ts.isCaseClause(node)) visit(node.expression);
      insert(node.statements.pos, `${count()};`);
      node.statements.forEach(visit);
    } else if (ts.isIfStatement(node)) {
      visit(node.expression);
      wrapStatement(node.thenStatement);
      wrapStatement(node.elseStatement);
    } else if (ts.isIterationStatement(node, false)) {
      node.forEachChild((child) => {
        if (child === node.statement) wrapStatement(node.statement);
        else visit(child);
      });
    } else if (ts.isConditionalExpression(node)) {
      visit(node.condition);
      wrapExpression(node.whenTrue);
      wrapExpression(node.whenFalse);
    } else if (ts.isBinaryExpression(node) && shortCircuits.has(node.operatorToken.kind)) {
      visit(node.left);
      wrapExpression(node.right);
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      node.parameters.forEach(visit);
      wrapExpression(node.body);
    } else node.forEachChild(visit);
  };
  visit(file);

  const parts: string[] = [];
  let from = 0;
  for (const { at, text } of insertions) {
    parts.push(source.slice(from, at), text);
    from = at;
  }
  return { source: parts.join('') + source.slice(from), next };
}

const shortCircuits: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);
