/** Walks a handshake and sleeps while an answer is on its way. An answer that is a value costs no microtask. */
import { wipe } from '../bytes.js';
import type { KeyShare } from '../crypto/backend.js';
import type { Answers, Handshake, Need } from '../handshake/needs.js';
import { answerFailed, Driver, type DriverOwner } from './driver.js';

export class AsyncDriver<Result> extends Driver<Result> {
  readonly #owner: DriverOwner;

  constructor(handshake: Handshake<Result>, answers: Answers, owner: DriverOwner) {
    super(handshake, answers);
    this.#owner = owner;
  }

  protected override wait(need: Need, answer: Promise<unknown>, late: ((answer: unknown) => void) | undefined): void {
    answer.then(
      (value) => {
        if (this.waiting === 'answer') this.#owner.resume(() => this.advance(value));
        else if (late === undefined) forget(need, value);
        else late(value);
      },
      (error: unknown) => {
        if (this.waiting !== 'answer') return;
        this.#owner.resume(() => {
          throw answerFailed(need, error);
        });
      },
    );
  }
}

/** An answer that comes after the end is dropped, and what is secret in it wiped. */
function forget(need: Need, answer: unknown): void {
  if (need === 'agree') wipeBytes(answer);
  else if (typeof answer !== 'object' || answer === null) return;
  else if ('sharedSecret' in answer) wipeBytes(answer.sharedSecret);
  else if ('state' in answer) wipeBytes(answer.state);
  else if (isKeyShare(answer)) answer.destroy();
}

function isKeyShare(answer: object): answer is Required<KeyShare> {
  return 'agree' in answer && 'destroy' in answer && typeof answer.destroy === 'function';
}

function wipeBytes(secret: unknown): void {
  if (secret instanceof Uint8Array) wipe(secret);
}
