/**
 * The flows of one connection, one after another: the handshake first, and then whatever tickets take.
 */
import type { Answers, Handshake, Incoming } from '../handshake/needs.js';
import { AsyncDriver } from './async-driver.js';
import type { Driver } from './driver.js';
import { SyncDriver } from './sync-driver.js';

/** A flow that is under way, and what becomes of its result. */
interface Task {
  readonly driver: Driver<unknown>;
  readonly finish: () => void;
}

export class Tasks {
  readonly #kind: 'sync' | 'async';
  readonly #answers: Answers;
  readonly #resume: (step: () => void) => void;
  #task: Task | undefined;
  #queue: (() => void)[] = [];

  /** `resume` runs a step that an answer has made possible. */
  constructor(kind: 'sync' | 'async', answers: Answers, resume: (step: () => void) => void) {
    this.#kind = kind;
    this.#answers = answers;
    this.#resume = resume;
  }

  /** What the flow that is under way waits for. */
  get waiting(): 'message' | 'answer' | 'nothing' {
    return this.#task?.driver.waiting ?? 'nothing';
  }

  /** Nothing goes on, and nothing waits for it. */
  get idle(): boolean {
    return this.#task === undefined && this.#queue.length === 0;
  }

  /** Begins a flow; throws what the flow throws. `then` is called by `settle`. */
  start<Result>(flow: Handshake<Result>, then: (result: Result | undefined) => void): void {
    const driver =
      this.#kind === 'sync'
        ? new SyncDriver(flow, this.#answers)
        : new AsyncDriver(flow, this.#answers, { resume: this.#resume });
    this.#task = { driver, finish: () => then(driver.result) };
    driver.start();
  }

  /** Begins a flow when the one that is under way is through. */
  startAfter<Result>(begin: () => Handshake<Result>, then: (result: Result | undefined) => void): void {
    const start = () => this.start(begin(), then);
    if (this.#task === undefined) start();
    else this.#queue.push(start);
  }

  /** Hands over a message that the flow waits for. */
  deliver(incoming: Incoming): void {
    this.#task?.driver.deliver(incoming);
  }

  /** Takes the results of what is through, with all that its steps held, and begins what waited for that. */
  settle(): void {
    for (let task = this.#task; task?.driver.done === true; task = this.#task) {
      this.#task = undefined;
      task.finish();
      this.#startNext();
    }
  }

  close(): void {
    this.#task?.driver.close();
    this.#task = undefined;
    this.#queue = [];
  }

  /** The result that was just taken may have begun a flow of its own. */
  #startNext(): void {
    if (this.#task === undefined) this.#queue.shift()?.();
  }
}
