/** The table of the fleet test: what happened in the first line of each row, who noticed anything below it. */
import type { Figures, KindFigures } from './figures.js';

export interface Row {
  readonly name: string;
  readonly seconds: number;
  readonly figures: Figures;
}

const nameWidth = 48;

export function linesOf({ name, seconds, figures }: Row): string[] {
  const {
    visits,
    failures,
    cut,
    cutThenSucceeded,
    longestHandshake,
    longestStall,
    replays,
    acceptedTwice,
    acceptedBefore,
  } = figures;
  const facts = [
    `${seconds.toFixed(0)} s`,
    ...(visits > 0
      ? [
          `${visits} visits, ${failures} failed, longest handshake ${longestHandshake.toFixed(0)} ms (longest stall ${longestStall.toFixed(0)} ms)`,
        ]
      : []),
    ...(cut > 0 ? [`${cut} cut, of which ${cutThenSucceeded} succeeded when they came again`] : []),
    ...(replays > 0 ? [`${replays} replays, ${acceptedTwice} accepted twice`] : []),
    ...(acceptedBefore > 0 ? [`${acceptedBefore} flights accepted before`] : []),
  ];
  return [
    `${figures.faults.length === 0 ? 'PASS' : 'FAIL'}  ${name.padEnd(nameWidth)}  ${facts.join('; ')}`,
    ...Object.entries(figures.kinds).map(([kind, of]) => `        ${kind.padEnd(nameWidth - 2)}  ${kindFacts(of)}`),
    ...figures.notes.map((note) => `        ${note}`),
    ...Object.entries(figures.failed).map(([what, times]) => `        failed, ${times} times: ${what}`),
    ...figures.faults.map((fault) => `        FAULT: ${fault}`),
  ];
}

function kindFacts({ held, resumed, full, earlySent, earlyAccepted, earlyRejected }: KindFigures): string {
  const facts = [`resumed ${share(resumed, held)}${reasons(full)}`];
  if (earlySent > 0) facts.push(`0-RTT accepted ${share(earlyAccepted, earlySent)}${reasons(earlyRejected)}`);
  return facts.join('; ');
}

/** 99.96 % is not 100. */
function share(part: number, all: number): string {
  return all === 0 ? '-' : `${((Math.floor((part / all) * 10_000) / 10_000) * 100).toFixed(2)} % of ${all}`;
}

function reasons(counts: Readonly<Record<string, number>>): string {
  const text = Object.entries(counts)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, times]) => `${reason} ${times}`)
    .join(', ');
  return text === '' ? '' : ` (${text})`;
}
