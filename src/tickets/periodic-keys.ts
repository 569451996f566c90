/** Keys that are numbered by the periods of the clock, one that seals in each. */
import { UsageError } from '../errors.js';
import type { TicketKeySource } from './key-source.js';
import type { TicketKey } from './ticket-key.js';

export interface PeriodicKeys {
  /** Milliseconds that a key seals. */
  readonly sealingPeriod: number;
  /** Milliseconds that it opens afterwards. */
  readonly openingPeriod: number;
  /** The key of a period, which is 0 in 1970. Its times are not asked for. */
  readonly keyOf: (period: number) => TicketKey;
}

/** More would be derived and held for nothing: a key for each of so many periods opens at a time. */
const mostOpeningPeriods = 60;

/** The key of the period first, then the next one, then those before that still open. Throws `UsageError('invalid_option')`. */
export function periodicKeySource({ sealingPeriod, openingPeriod, keyOf }: PeriodicKeys): TicketKeySource {
  const before = Math.ceil(openingPeriod / sealingPeriod);
  if (!(Number.isSafeInteger(sealingPeriod) && sealingPeriod > 0 && openingPeriod > 0 && before <= mostOpeningPeriods))
    throw new UsageError(
      'invalid_option',
      `a sealing period of ${String(sealingPeriod)} ms and an opening period of ${String(openingPeriod)} ms, expected whole and positive ones, and the second ${String(mostOpeningPeriods)} times the first at the most`,
    );
  const timed = (period: number): TicketKey => ({
    ...keyOf(period),
    sealsFrom: period * sealingPeriod,
    sealsUntil: (period + 1) * sealingPeriod,
    opensUntil: (period + 1) * sealingPeriod + openingPeriod,
  });
  return {
    keysAt: (now) => {
      const period = Math.max(Math.floor(now / sealingPeriod), 0);
      const older = Array.from({ length: Math.min(before, period) }, (_, i) => period - 1 - i);
      return { keys: [period, period + 1, ...older].map(timed), until: (period + 1) * sealingPeriod };
    },
  };
}
