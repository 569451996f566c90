import { describe, expect, it } from 'vitest';
import {
  CircuitBreaker,
  CircuitError,
  type CircuitBreakerOptions,
  type CircuitState,
} from '../../src/remote/circuit-breaker.js';
import { misuse } from '../support/decoding.js';

/** Timers that go when they are told to, and what the circuit said about itself. */
function world(options: CircuitBreakerOptions = {}) {
  let time = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  const breaker = new CircuitBreaker({
    after(milliseconds, callback) {
      const timer = { at: time + milliseconds, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    ...options,
  });
  const states: CircuitState[] = [];
  breaker.subscribe((state) => states.push(state));
  const pass = async (milliseconds: number) => {
    time += milliseconds;
    for (let due = true; due;) {
      due = false;
      for (const timer of timers) {
        if (timer.at > time) continue;
        timers.delete(timer);
        timer.callback();
        due = true;
      }
      await Promise.resolve();
    }
  };
  return { breaker, states, timers, pass };
}

/** An answer that comes when it is told to. */
function later<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { call: () => promise, resolve, reject };
}

const succeed = () => Promise.resolve('PONG');
const fail = () => Promise.reject(new Error('down'));
const hang = () => new Promise<never>(() => undefined);

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => value,
    (error: unknown) => (error instanceof CircuitError ? error.code : String(error)),
  );
}

describe('a closed circuit', () => {
  it('passes answers and failures on, and leaves no timer behind', async () => {
    const { breaker, timers, states } = world();
    expect(await codeOf(breaker.run(succeed))).toBe('PONG');
    expect(await codeOf(breaker.run(fail))).toBe('Error: down');
    expect(
      await codeOf(
        breaker.run(() => {
          throw new Error('thrown');
        }),
      ),
    ).toBe('Error: thrown');
    expect(timers.size).toBe(0);
    expect(states).toEqual([]);
    expect(breaker.statistics()).toEqual({
      state: 'closed',
      inFlight: 0,
      answered: 1,
      failed: 2,
      timedOut: 0,
      refused: 0,
    });
  });

  it('ends what takes longer than the limit, and ignores what comes later', async () => {
    const { breaker, pass } = world({ timeLimit: 100 });
    const late = later<string>();
    const call = codeOf(breaker.run(late.call));
    await pass(99);
    expect(breaker.statistics().inFlight).toBe(1);
    await pass(1);
    expect(await call).toBe('timed_out');
    late.resolve('late');
    await pass(0);
    expect(breaker.statistics()).toMatchObject({ inFlight: 0, timedOut: 1, answered: 0 });
  });

  it('bounds what is under way', async () => {
    const { breaker } = world({ maxCallsInFlight: 2 });
    const [first, second] = [later<string>(), later<string>()];
    const calls = [codeOf(breaker.run(first.call)), codeOf(breaker.run(second.call))];
    expect(await codeOf(breaker.run(succeed))).toBe('too_many_calls');
    first.resolve('first');
    second.resolve('second');
    expect(await Promise.all(calls)).toEqual(['first', 'second']);
    expect(await codeOf(breaker.run(succeed))).toBe('PONG');
    expect(breaker.statistics()).toMatchObject({ state: 'closed', refused: 1, inFlight: 0 });
  });

  it('opens after so many failures in a row, of whatever kind', async () => {
    const { breaker, states, pass } = world({ failuresToOpen: 3, timeLimit: 100 });
    for (const call of [fail, fail, succeed, fail, fail]) await codeOf(breaker.run(call));
    expect(states).toEqual([]);
    const hanging = codeOf(breaker.run(hang));
    await pass(100);
    expect(await hanging).toBe('timed_out');
    expect(states).toEqual(['open']);
  });
});

describe('an open circuit', () => {
  const open = async (options: CircuitBreakerOptions = {}) => {
    const all = world({ failuresToOpen: 1, timeLimit: 100, shortestPause: 500, longestPause: 1500, ...options });
    await codeOf(all.breaker.run(fail));
    expect(all.states.splice(0)).toEqual(['open']);
    return all;
  };

  it('makes no call until the pause is over, and then one', async () => {
    const { breaker, states, pass } = await open();
    let calls = 0;
    const counted = () => {
      calls++;
      return succeed();
    };
    await pass(499);
    expect(await codeOf(breaker.run(counted))).toBe('circuit_open');
    await pass(1);
    const [trial, other] = [breaker.run(counted), breaker.run(counted)].map(codeOf);
    expect(await trial).toBe('PONG');
    expect(await other).toBe('circuit_open');
    expect(calls).toBe(1);
    expect(states).toEqual(['half_open', 'closed']);
    expect(await codeOf(breaker.run(counted))).toBe('PONG');
    expect(breaker.statistics()).toMatchObject({ state: 'closed', answered: 2, failed: 1, refused: 2 });
  });

  it('waits twice as long after each call that fails, up to the bound, and begins anew once it was closed', async () => {
    const { breaker, states, pass } = await open();
    for (const pause of [500, 1000, 1500, 1500]) {
      await pass(pause - 1);
      expect(breaker.statistics().state).toBe('open');
      await pass(1);
      expect(breaker.statistics().state).toBe('half_open');
      await codeOf(breaker.run(fail));
    }
    await pass(1500);
    await breaker.run(succeed);
    expect(states.at(-1)).toBe('closed');
    await codeOf(breaker.run(fail));
    await pass(500);
    expect(states.slice(-3)).toEqual(['closed', 'open', 'half_open']);
  });

  it('is not closed by an answer to what was asked before it opened', async () => {
    const { breaker, states, pass } = world({ failuresToOpen: 1, timeLimit: 100 });
    const slow = later<string>();
    const call = codeOf(breaker.run(slow.call));
    await codeOf(breaker.run(fail));
    slow.resolve('slow');
    expect(await call).toBe('slow');
    await pass(0);
    expect(states).toEqual(['open']);
  });
});

it('listeners end when they like, and one that throws is nobody’s trouble', async () => {
  const { breaker } = world({ failuresToOpen: 1 });
  const heard: string[] = [];
  breaker.subscribe(() => {
    throw new Error('listener');
  });
  const end = breaker.subscribe((state) => heard.push(state));
  expect(await codeOf(breaker.run(fail))).toBe('Error: down');
  end();
  expect(heard).toEqual(['open']);
});

it('limits are positive, and no longer than timers are', () => {
  for (const option of ['timeLimit', 'failuresToOpen', 'shortestPause', 'longestPause', 'maxCallsInFlight'])
    for (const value of [0, -1, Number.NaN, Infinity, 2 ** 31])
      expect(misuse(() => new CircuitBreaker({ [option]: value }))).toBe('invalid_option');
});
