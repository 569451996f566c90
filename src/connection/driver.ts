/**
 * What walks a handshake: starts the generator, hands it messages, and answers its questions. The two drivers differ only in
 * what they do with an answer that is a promise.
 */
import { AlertError, UsageError } from '../errors.js';
import type { Answers, Handshake, Incoming, Need, Wait } from '../handshake/needs.js';

/** Where the asynchronous driver goes on when an answer has come: whatever `step` throws ends the connection. */
export interface DriverOwner {
  resume(step: () => void): void;
}

export abstract class Driver<Result> {
  /** What the handshake waits for. */
  waiting: 'message' | 'answer' | 'nothing' = 'nothing';
  /** Set when the flow is through, together with its result. */
  done = false;
  result: Result | undefined;
  readonly #handshake: Handshake<Result | undefined>;
  readonly #answers: Answers;
  #running = false;
  #closed = false;

  constructor(handshake: Handshake<Result>, answers: Answers) {
    this.#handshake = handshake;
    this.#answers = answers;
  }

  /** What to do with an answer that is not there yet. `late` is for one that comes when the handshake is over. */
  protected abstract wait(need: Need, answer: Promise<unknown>, late: ((answer: unknown) => void) | undefined): void;

  start(): void {
    this.advance(undefined);
  }

  /** Hands over the message that the handshake waits for. Throws what the handshake throws. */
  deliver(incoming: Incoming): void {
    this.advance(incoming);
  }

  /**
   * Ends the handshake where it stands, so that its `finally` blocks run. Late answers are dropped. A generator cannot be ended
   * from within (a key log or a clock that closes the connection): that one ends at its next wait.
   */
  close(): void {
    this.waiting = 'nothing';
    this.#closed = true;
    if (!this.#running) this.#handshake.return(undefined);
  }

  protected advance(value: unknown): void {
    this.waiting = 'nothing';
    let step = this.#next(value);
    while (step.done !== true && !this.#closed) {
      if (step.value.wait === 'receive') {
        this.waiting = 'message';
        return;
      }
      const { need, put, late } = step.value;
      // Said beforehand, because the callback itself may close the connection: then nobody waits.
      this.waiting = 'answer';
      const answer = this.#ask(need, put);
      if (isPromise(answer)) {
        this.wait(need, Promise.resolve(answer), late && ((value) => late(value, this.#answers)));
        return;
      }
      this.waiting = 'nothing';
      step = this.#next(answer);
    }
    if (step.done !== true) {
      this.#handshake.return(undefined);
      return;
    }
    this.done = true;
    this.result = step.value;
  }

  #next(value: unknown): IteratorResult<Wait, Result | undefined> {
    this.#running = true;
    try {
      return this.#handshake.next(value);
    } finally {
      this.#running = false;
    }
  }

  #ask(need: Need, put: (answers: Answers) => unknown): unknown {
    try {
      return put(this.#answers);
    } catch (error) {
      throw answerFailed(need, error);
    }
  }
}

/** P-state-8: whatever a callback throws is an internal error here, unless it names its alert itself. */
export function answerFailed(need: Need, error: unknown): Error {
  if (error instanceof AlertError || error instanceof UsageError) return error;
  return new AlertError('internal_error', `the answer to ${need} failed`, { cause: error });
}

/** Promises of other libraries count as well. */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
