/**
 * `CircuitBreaker`: calls of a server that may be slow, dead or paused, none of which takes longer than a time limit. After several
 * failures in a row nobody asks any more; after a pause one call tries again, and the pause doubles while it fails.
 *
 *     closed --(failures in a row)--> open --(pause is over)--> half_open --(one call succeeds)--> closed
 *                                       ^----------(it fails: twice the pause)-------|
 *
 * The surprising thing: the limit is no sooner over than the event loop has looked for answers once more. A process that was busy for
 * longer than the limit finds answers waiting for it, and a server that was quick is not to blame for that.
 */
import { UsageError } from '../errors.js';

/** Milliseconds. What a handshake waits for a store at the longest. */
export const defaultTimeLimit = 250;
/** Failures in a row, time limits passed among them: of a server that hangs, what is under way fails at about the same time. */
export const defaultFailuresToOpen = 3;
/** Milliseconds. */
export const defaultShortestPause = 500;
/** Milliseconds. */
export const defaultLongestPause = 10_000;
export const defaultMaxCallsInFlight = 1000;

export interface CircuitBreakerOptions {
  /** Milliseconds for one call; see {@link defaultTimeLimit}. */
  readonly timeLimit?: number;
  /** See {@link defaultFailuresToOpen}. */
  readonly failuresToOpen?: number;
  /** Milliseconds until the first call after the circuit opened; doubled with each call that fails; see {@link defaultShortestPause}. */
  readonly shortestPause?: number;
  /** Milliseconds; see {@link defaultLongestPause}. */
  readonly longestPause?: number;
  /** Calls beyond are refused; see {@link defaultMaxCallsInFlight}. */
  readonly maxCallsInFlight?: number;
  /** Timers. Default: those of the runtime, which do not keep a process of Node.js alive. */
  readonly after?: After;
}

/** Calls back once, `milliseconds` from now; answers how to call that off. */
export type After = (milliseconds: number, callback: () => void) => () => void;

/** `half_open`: one call is let through, and what becomes of it decides. */
export type CircuitState = 'closed' | 'open' | 'half_open';

export interface CircuitBreakerStatistics {
  readonly state: CircuitState;
  /** Calls under way that somebody waits for. */
  readonly inFlight: number;
  /** Calls that were answered in time; that failed, at once or later; that the time limit ended. */
  readonly answered: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Calls that were not made, because the circuit was open or too many were under way. */
  readonly refused: number;
}

export type CircuitErrorCode = 'timed_out' | 'circuit_open' | 'too_many_calls';

/** Why there is no answer, where the client did not say so itself. */
export class CircuitError extends Error {
  override readonly name = 'CircuitError';
  readonly code: CircuitErrorCode;

  constructor(code: CircuitErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** One for each server, shared by all that ask it: session store, replay guard, key distribution. */
export class CircuitBreaker {
  readonly #timeLimit: number;
  readonly #failuresToOpen: number;
  readonly #shortestPause: number;
  readonly #longestPause: number;
  readonly #maxCallsInFlight: number;
  readonly #after: After;
  readonly #listeners = new Set<(state: CircuitState) => void>();
  #state: CircuitState = 'closed';
  /** Whether the one call of `half_open` is under way. */
  #trying = false;
  #failuresInRow = 0;
  #pause: number;
  #inFlight = 0;
  #answered = 0;
  #failed = 0;
  #timedOut = 0;
  #refused = 0;

  /** Throws `UsageError` (`invalid_option`) for a limit that is not positive, or above 2147483647. */
  constructor(options: CircuitBreakerOptions = {}) {
    this.#timeLimit = limit('timeLimit', options.timeLimit ?? defaultTimeLimit);
    this.#failuresToOpen = limit('failuresToOpen', options.failuresToOpen ?? defaultFailuresToOpen);
    this.#shortestPause = limit('shortestPause', options.shortestPause ?? defaultShortestPause);
    this.#longestPause = limit('longestPause', options.longestPause ?? defaultLongestPause);
    this.#maxCallsInFlight = limit('maxCallsInFlight', options.maxCallsInFlight ?? defaultMaxCallsInFlight);
    this.#after = options.after ?? afterInRuntime;
    this.#pause = this.#shortestPause;
  }

  /**
   * What `call` answers, or rejects with; rejects with a {@link CircuitError} where it takes too long or was not made. A call that was
   * given up goes on in its client, where nobody waits for it.
   */
  run<T>(call: () => Promise<T>): Promise<T> {
    const trial = this.#state === 'half_open';
    if (this.#state === 'open' || (trial && this.#trying)) return this.#refuse('circuit_open', 'got no answer lately');
    if (this.#inFlight >= this.#maxCallsInFlight)
      return this.#refuse('too_many_calls', `${this.#inFlight} calls are under way`);
    if (trial) this.#trying = true;
    this.#inFlight++;
    return new Promise((resolve, reject) => {
      let ended = false;
      /** `false`: whoever called has been told otherwise. */
      const end = (succeeded: boolean) => {
        if (ended) return false;
        ended = true;
        cancel();
        this.#inFlight--;
        this.#judge(succeeded, trial);
        return true;
      };
      const giveUp = () => {
        if (!end(false)) return;
        this.#timedOut++;
        reject(new CircuitError('timed_out', `got no answer within ${this.#timeLimit} ms`));
      };
      const fail = (error: Error) => {
        if (!end(false)) return;
        this.#failed++;
        reject(error);
      };
      let cancel = this.#after(this.#timeLimit, () => (cancel = this.#after(0, giveUp)));
      begin(call).then((answer) => {
        if (!end(true)) return;
        this.#answered++;
        resolve(answer);
      }, fail);
    });
  }

  /** Calls `listener` with each new state. What it throws is ignored. Answers how to end this. */
  subscribe(listener: (state: CircuitState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  statistics(): CircuitBreakerStatistics {
    return {
      state: this.#state,
      inFlight: this.#inFlight,
      answered: this.#answered,
      failed: this.#failed,
      timedOut: this.#timedOut,
      refused: this.#refused,
    };
  }

  #refuse(code: CircuitErrorCode, message: string): Promise<never> {
    this.#refused++;
    return Promise.reject(new CircuitError(code, message));
  }

  /** What was begun before the circuit opened has no say in when it closes. */
  #judge(succeeded: boolean, trial: boolean): void {
    if (trial) {
      this.#trying = false;
      if (succeeded) this.#close();
      else this.#open(Math.min(2 * this.#pause, this.#longestPause));
    } else if (this.#state === 'closed') {
      this.#failuresInRow = succeeded ? 0 : this.#failuresInRow + 1;
      if (this.#failuresInRow >= this.#failuresToOpen) this.#open(this.#shortestPause);
    }
  }

  #close(): void {
    this.#failuresInRow = 0;
    this.#enter('closed');
  }

  #open(pause: number): void {
    this.#pause = pause;
    this.#enter('open');
    this.#after(pause, () => this.#enter('half_open'));
  }

  #enter(state: CircuitState): void {
    this.#state = state;
    for (const listener of this.#listeners) {
      try {
        listener(state);
      } catch {
        // A listener that fails must not cost anybody an answer.
      }
    }
  }
}

/** A client that throws where it should reject. */
async function begin<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

/** Timers of the runtime. In Node.js they do not keep the process alive. */
export function afterInRuntime(milliseconds: number, callback: () => void): () => void {
  const timer = globalThis.setTimeout(callback, milliseconds);
  const inNode: { unref?(): unknown } = timer; // in browsers it is a number
  inNode.unref?.();
  return () => globalThis.clearTimeout(timer);
}

/** Timers that are longer than this fire at once. */
const longestTimer = 2 ** 31 - 1;

function limit(option: string, value: number): number {
  if (value > 0 && value <= longestTimer) return value;
  throw new UsageError(
    'invalid_option',
    `${option} is ${value}, expected a positive number, ${longestTimer} at the most`,
  );
}
