/**
 * What walks a handshake: starts the generator, hands it messages, and answers its questions. The two drivers differ only in
 * what they do with an answer that is a promise.
 */
import { AlertError, UsageError } from '../errors.js';
import type { Answers, Handshake, Incoming, Need, Needs, Wait } from '../handshake/needs.js';

/** Called by the asynchronous driver when an answer that it had to wait for has moved the handshake on, or broken it. */
export interface DriverOwner {
  progressed(): void;
  failed(error: unknown): void;
}

export abstract class Driver<Result> {
  /** What the handshake waits for. */
  waiting: 'message' | 'answer' | 'nothing' = 'nothing';
  /** Set when the handshake is complete. */
  result: Result | undefined;
  readonly #handshake: Handshake<Result>;
  readonly #answers: Answers;

  constructor(handshake: Handshake<Result>, answers: Answers) {
    this.#handshake = handshake;
    this.#answers = answers;
  }

  /** What to do with an answer that is not there yet. */
  protected abstract wait(need: Need, answer: Promise<unknown>): void;

  start(): void {
    this.advance(undefined);
  }

  /** Hands over the message that the handshake waits for. Throws what the handshake throws. */
  deliver(incoming: Incoming): void {
    this.advance(incoming);
  }

  /** Ends the handshake where it stands, so that its `finally` blocks run. Late answers are dropped. */
  close(): void {
    this.waiting = 'nothing';
    // The result of `return` is the caller's to invent; this one is never read.
    this.#handshake.return(undefined as never);
  }

  protected advance(value: unknown): void {
    this.waiting = 'nothing';
    let step: IteratorResult<Wait, Result> = this.#handshake.next(value);
    while (step.done !== true) {
      if (step.value.wait === 'receive') {
        this.waiting = 'message';
        return;
      }
      const { kind, question } = step.value;
      const answer = this.#ask(kind, question);
      if (isPromise(answer)) {
        this.waiting = 'answer';
        this.wait(kind, answer);
        return;
      }
      step = this.#handshake.next(answer);
    }
    this.result = step.value;
  }

  #ask<K extends Need>(kind: K, question: Needs[Need]['question']): unknown {
    try {
      // The generator pairs kind and question by construction, see `ask`.
      return this.#answers[kind](question as Needs[K]['question']);
    } catch (error) {
      throw answerFailed(kind, error);
    }
  }
}

/** P-state-8: whatever a callback throws is an internal error here, unless it names its alert itself. */
export function answerFailed(need: Need, error: unknown): Error {
  if (error instanceof AlertError || error instanceof UsageError) return error;
  return new AlertError('internal_error', `the answer to ${need} failed`, { cause: error });
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
