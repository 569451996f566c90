/** What the runner's results mean: totals by what a test is about, and what has become worse than was expected. */

/** One test as it is expected to end. */
export interface Expected {
  /** What the shim plays. */
  readonly side: string;
  /** What of resumption it is about. */
  readonly about: readonly string[];
  readonly outcome: Outcome;
}

/** `skip`: the shim said that it does not implement something. */
export type Outcome = 'pass' | 'fail' | 'skip';

/** `name<TAB>side<TAB>about,...<TAB>outcome` lines; those with `#` are remarks. */
export function readExpectations(text: string): Map<string, Expected> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [name = '', side = '', about = '', outcome = ''] = line.split('\t');
      return [name, { side, about: about === '' ? [] : about.split(','), outcome: outcomeOf(outcome) }];
    }),
  );
}

export function writeExpectations(expected: ReadonlyMap<string, Expected>): string {
  const lines = [...expected]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { side, about, outcome }]) => [name, side, about.join(','), outcome].join('\t'));
  return `# test\tside\tabout resumption\toutcome\n${lines.join('\n')}\n`;
}

/** The runner's own words, and those of the file above. */
export function outcomeOf(word: string): Outcome {
  const lower = word.toLowerCase();
  return lower === 'pass' || lower === 'skip' ? lower : 'fail';
}

type Belongs = (name: string, expected: Expected) => boolean;

/** What a test belongs to, by what is known of it or else by its name. */
const groups: Readonly<Record<string, Belongs>> = {
  Resumption: (_name, { about }) => about.length > 0,
  Resume: (name, { about }) => about.some((what) => what.startsWith('resume')) || name.includes('Resum'),
  Ticket: (name, { about }) => about.includes('ticket') || name.includes('Ticket'),
  'Session ID': (_name, { about }) => about.includes('session-id'),
  PSK: (name, { about }) => about.includes('psk') || name.includes('PSK'),
  EarlyData: (name, { about }) => about.includes('early-data') || name.includes('EarlyData'),
  HRR: (name, { about }) => about.includes('hrr') || /HRR|HelloRetryRequest/.test(name),
  KeyUpdate: (name) => name.includes('KeyUpdate'),
  'TLS 1.2': (name) => name.includes('TLS12'),
  'TLS 1.3': (name) => name.includes('TLS13'),
  client: (_name, { side }) => side === 'client',
  server: (_name, { side }) => side === 'server',
  'fuzz-like': (name) =>
    /Trailing|WrongMessage|Garbage|Bad|Invalid|Corrupt|Truncate|Pad|Split|Partial|Fragment|Duplicate|Extra|Stray|Unexpected|TooMany|TooLong|Large|Empty|Skip/.test(
      name,
    ),
};

export type Totals = Record<string, Record<Outcome, number>>;

/** Counts of each group; the first is everything. */
export function totalsOf(outcomes: ReadonlyMap<string, Outcome>, expected: ReadonlyMap<string, Expected>): Totals {
  const everything = Object.entries<Belongs>({ all: () => true, ...groups });
  const counted = everything.map(([group, belongs]): [string, Record<Outcome, number>] => {
    const counts = { pass: 0, fail: 0, skip: 0 };
    for (const [name, outcome] of outcomes) if (belongs(name, expected.get(name) ?? unknown)) counts[outcome]++;
    return [group, counts];
  });
  return Object.fromEntries(counted.filter(([, { pass, fail, skip }]) => pass + fail + skip > 0));
}

/** A test that the file does not know. */
export const unknown: Expected = { side: '?', about: [], outcome: 'pass' };

export interface Comparison {
  /** Expected to pass, and did not. */
  readonly worse: readonly string[];
  /** Not expected to pass, and did: the file is to be renewed. */
  readonly better: readonly string[];
}

export function compare(outcomes: ReadonlyMap<string, Outcome>, expected: ReadonlyMap<string, Expected>): Comparison {
  const worse: string[] = [];
  const better: string[] = [];
  for (const [name, outcome] of outcomes) {
    const wanted = (expected.get(name) ?? unknown).outcome;
    if (wanted === 'pass' && outcome !== 'pass') worse.push(name);
    if (wanted !== 'pass' && outcome === 'pass') better.push(name);
  }
  return { worse, better };
}

/** One line for each group. */
export function table(totals: Totals): string {
  const rows = Object.entries(totals).map(([group, { pass, fail, skip }]) => [group, pass, fail, skip].map(String));
  return [['', 'passed', 'failed', 'not implemented'], ...rows]
    .map(([group = '', ...numbers]) => group.padEnd(12) + numbers.map((number) => number.padStart(17)).join(''))
    .join('\n');
}
