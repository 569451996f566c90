/** Walks a handshake and sleeps while an answer is on its way. An answer that is a value costs no microtask. */
import type { Answers, Handshake, Need } from '../handshake/needs.js';
import { answerFailed, Driver, type DriverOwner } from './driver.js';

export class AsyncDriver<Result> extends Driver<Result> {
  readonly #owner: DriverOwner;

  constructor(handshake: Handshake<Result>, answers: Answers, owner: DriverOwner) {
    super(handshake, answers);
    this.#owner = owner;
  }

  protected override wait(need: Need, answer: Promise<unknown>): void {
    answer.then(
      (value) => {
        this.#resume(() => {
          this.advance(value);
        });
      },
      (error: unknown) => {
        this.#resume(() => {
          throw answerFailed(need, error);
        });
      },
    );
  }

  /** An answer that comes after the end is dropped. */
  #resume(step: () => void): void {
    if (this.waiting === 'answer') this.#owner.resume(step);
  }
}
