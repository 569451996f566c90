/** Walks a handshake to the end of what has arrived, in one go: every answer must be a value. */
import { UsageError } from '../errors.js';
import type { Need } from '../handshake/needs.js';
import { Driver } from './driver.js';

export class SyncDriver<Result> extends Driver<Result> {
  protected override wait(need: Need, answer: Promise<unknown>): never {
    // Nobody will look at it any more: its rejection must not take the process down.
    answer.then(undefined, () => undefined);
    throw new UsageError(
      'asynchronous_answer',
      `the answer to ${need} is a promise, which the sync driver cannot wait for`,
    );
  }
}
