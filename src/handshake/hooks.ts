/**
 * Callbacks that have to answer at once, and what a program without types may answer all the same (P-state-8).
 */
import { UsageError } from '../errors.js';

/** The answer of a callback, if it fits. Anything else is a mistake of the caller, a promise among it. */
export function fitting<T>(callback: string, answer: T, fits: (answer: unknown) => boolean): T {
  if (fits(answer)) return answer;
  // Nobody will look at it any more: its rejection must not take the process down.
  if (answer instanceof Promise) answer.catch(() => undefined);
  throw new UsageError('invalid_option', `\`${callback}\` has answered what is no answer to it`);
}

export function isBytes(answer: unknown): boolean {
  return answer instanceof Uint8Array;
}
