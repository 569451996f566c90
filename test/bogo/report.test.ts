import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compare, readExpectations, table, totalsOf, writeExpectations, type Outcome } from './report.js';

const text =
  '# test\tside\tabout resumption\toutcome\nEarlyData-TLS13\tclient\tresumes,early-data\tpass\nKeyUpdate\tserver\t\tskip\nNew\tserver\t\tpass\n';
const outcomes = (entries: Record<string, Outcome>) => new Map(Object.entries(entries));

describe('results of the runner', () => {
  const expected = readExpectations(text);

  it('are worse where what passed does not pass, unknown tests included, and better where what did not does', () => {
    expect(
      compare(outcomes({ 'EarlyData-TLS13': 'skip', KeyUpdate: 'pass', New: 'pass', Unheard: 'fail' }), expected),
    ).toEqual({ worse: ['EarlyData-TLS13', 'Unheard'], better: ['KeyUpdate'] });
  });

  it('are counted in each group that they belong to', () => {
    const totals = totalsOf(outcomes({ 'EarlyData-TLS13': 'pass', KeyUpdate: 'fail', New: 'skip' }), expected);
    const none = { pass: 0, fail: 0, skip: 0 };
    expect(totals).toEqual({
      all: { pass: 1, fail: 1, skip: 1 },
      Resumption: { ...none, pass: 1 },
      Resume: { ...none, pass: 1 },
      EarlyData: { ...none, pass: 1 },
      KeyUpdate: { ...none, fail: 1 },
      'TLS 1.3': { ...none, pass: 1 },
      client: { ...none, pass: 1 },
      server: { ...none, fail: 1, skip: 1 },
    });
    expect(table(totals).split('\n')[1]).toBe('all                         1                1                1');
  });

  it('are written as they are read', () => {
    expect(writeExpectations(expected)).toBe(text);
    const committed = readFileSync(new URL('./expected.tsv', import.meta.url), 'utf8');
    expect(writeExpectations(readExpectations(committed))).toBe(committed);
  });
});
