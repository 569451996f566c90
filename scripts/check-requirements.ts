/**
 * Which requirements no test names, and which ids of tests are no requirements: `npm run check:requirements`. Ends with status 1
 * unless every requirement is named by a test or out of scope for a reason (test/requirements/out-of-scope.json).
 */
import { gaps, readCoverage } from '../test/requirements/coverage.js';

const coverage = readCoverage();
const { untested, unknown, wronglyOutOfScope } = gaps(coverage);

list(
  'No test names',
  untested.map(({ id, level, side, requirement }) => `${id}  ${level} (${side})  ${requirement}`),
);
list('No requirement', unknown);
list('Out of scope, and yet tested or no requirement', wronglyOutOfScope);

const outside = Object.keys(coverage.outOfScope).length;
const tested = coverage.requirements.length - outside - untested.length;
console.log(`${tested} requirements tested, ${untested.length} not, ${outside} out of scope.`);

function list(heading: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  process.exitCode = 1;
  console.log(`${heading}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`);
}
