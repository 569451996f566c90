/** Limits and times that options set: every one has to be something, and where memory or time is reserved for it, not everything. */
import { UsageError } from './errors.js';

/** The value of an option that has to be positive; Infinity is. Throws `UsageError('invalid_option')`, also for NaN. */
export function positive(option: string, value: number): number {
  if (value > 0) return value;
  return refuse(option, value);
}

/** As {@link positive}, without Infinity. */
export function finite(option: string, value: number): number {
  if (value > 0 && value < Infinity) return value;
  return refuse(option, value);
}

function refuse(option: string, value: number): never {
  throw new UsageError('invalid_option', `${option} is ${String(value)}, expected a positive number`);
}
