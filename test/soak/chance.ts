/** Choices that a seed repeats. */
export interface Chance {
  /** 0 to below `count`. */
  below(count: number): number;
  one<T>(...values: readonly [T, ...T[]]): T;
  /** True once in `times`. */
  oneIn(times: number): boolean;
  bytes(length: number): Uint8Array;
}

/** Mulberry32. */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(next() * count);
  return {
    below,
    one: (...values) => values[below(values.length)] ?? values[0],
    oneIn: (times) => below(times) === 0,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}
