/** What a call answers a peer with. */
import { AlertError } from '../../src/errors.js';

/** The alert that `call` throws; fails where it throws nothing, or something else. */
export function alertOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof AlertError) return error.alert;
    throw error;
  }
  throw new Error('nothing was thrown');
}
