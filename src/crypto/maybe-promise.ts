import type { MaybePromise } from './backend.js';

/** Goes on with a value, at once if it is there: a promise costs a turn of the event loop. */
export function goOn<T, R>(value: MaybePromise<T>, then: (value: T) => R): MaybePromise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}
