import { describe, expect, it } from 'vitest';
import { gaps, idsNamedIn, readCoverage, type Requirement } from './coverage.js';

const row = (id: string): Requirement => ({ id, side: 'both', level: 'MUST', requirement: 'holds' });

describe('the tests of this repository', () => {
  const coverage = readCoverage();
  const found = gaps(coverage);

  it('name requirements that exist', () => {
    expect(coverage.requirements).toHaveLength(343);
    expect(found.unknown).toEqual([]);
  });

  it('name none that is out of scope, and what is out of scope exists', () => {
    expect(found.wronglyOutOfScope).toEqual([]);
  });
});

describe('gaps', () => {
  const coverage = {
    requirements: [row('R8446-4.2.11-3'), row('R8446-E.5-4'), row('P-time-2')],
    outOfScope: { 'R8446-E.5-4': 'binds the application' },
    named: new Map([
      ['a.test.ts', new Set(['R8446-4.2.11-3'])],
      ['b.test.ts', new Set(['P-time-2', 'R8446-4.2.11-3'])],
    ]),
  };

  it('there are none where every id is named or out of scope', () => {
    expect(gaps(coverage)).toEqual({ untested: [], unknown: [], wronglyOutOfScope: [] });
  });

  it('an id that no test names', () => {
    const named = new Map([['a.test.ts', new Set(['R8446-4.2.11-3'])]]);
    expect(gaps({ ...coverage, named }).untested).toEqual([row('P-time-2')]);
  });

  it('an id that is no requirement, and where it is named', () => {
    const named = new Map([...coverage.named, ['c.test.ts', new Set(['P-time-9'])]]);
    expect(gaps({ ...coverage, named }).unknown).toEqual(['P-time-9 (c.test.ts)']);
  });

  it('an id that is out of scope and tested, or out of scope and no requirement', () => {
    const named = new Map([...coverage.named, ['c.test.ts', new Set(['R8446-E.5-4'])]]);
    const outOfScope = { ...coverage.outOfScope, 'R1-1-1': 'nothing' };
    expect(gaps({ ...coverage, named, outOfScope }).wronglyOutOfScope).toEqual(['R8446-E.5-4', 'R1-1-1']);
  });
});

describe('idsNamedIn', () => {
  it.each<[string, string, string[]]>([
    ['a title', `it('R8446-4.2.11-3 is refused', () => {});`, ['R8446-4.2.11-3']],
    ['several of one title', `it('R8446-E.5-4 P-time-2: both', f);`, ['R8446-E.5-4', 'P-time-2']],
    ['describe', `describe("R5077-4-3", () => {});`, ['R5077-4-3']],
    ['a table', `it.each([['R8446-8-1 once', 1]])('%s', f);`, ['R8446-8-1']],
    ['a table of another name', `const cases = { name: 'R8446-8-2' };`, ['R8446-8-2']],
    [
      'a template',
      'it(`R8446-8.2-1 ${kind} P-early-1`, f); it(`P-early-2`, f);',
      ['R8446-8.2-1', 'P-early-1', 'P-early-2'],
    ],
    ['a comment', `// R8446-8-1\n/* P-time-2 */ it('works', f);`, []],
    ['a skipped test', `it.skip('R8446-8-1', f); it.todo('P-time-2');`, []],
    [
      'a skipped table and group',
      `it.skip.each(['R8446-8-1'])('%s', f); describe.skip('', () => it('P-time-2', f));`,
      [],
    ],
    ['what only looks like one', `it('R844-8-1 R8446-8 XR8446-8-1 P-2 TLS-1.3-1', f);`, []],
  ])('%s', (_, source, ids) => {
    expect([...idsNamedIn(source)]).toEqual(ids);
  });
});
