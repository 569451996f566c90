/** Changes of inputs, drawn from a seed: the same seed gives the same inputs again. */

import { concat } from '../../src/bytes.js';

/** Numbers that are not random at all but hard to foresee (mulberry32). */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }
}

/** Inputs are cut here. */
export const longestInput = 8192;

/** An input with 1 to 8 changes; `other` is what parts are taken from. */
export function mutate(input: Uint8Array, other: Uint8Array, draw: Draw): Uint8Array {
  let bytes = input;
  for (let left = 2 ** draw.below(4); left > 0; left--) bytes = draw.pick(mutations)(bytes, draw, other);
  return bytes.subarray(0, longestInput);
}

type Mutation = (bytes: Uint8Array, draw: Draw, other: Uint8Array) => Uint8Array;

const interesting = [0, 1, 2, 3, 4, 0x10, 0x14, 0x15, 0x16, 0x17, 0x20, 0x40, 0x7f, 0x80, 0xfe, 0xff];

const mutations: readonly Mutation[] = [
  (bytes, draw) => changed(bytes, draw, (byte) => byte ^ (1 << draw.below(8))),
  (bytes, draw) => changed(bytes, draw, () => draw.below(256)),
  (bytes, draw) => changed(bytes, draw, () => draw.pick(interesting)),
  (bytes, draw) => changed(bytes, draw, (byte) => byte + draw.below(33) - 16),
  (bytes, draw) => {
    const number = draw.pick(interesting) * draw.pick([1, 0x100]);
    const at = draw.below(bytes.length + 1);
    return spliced(bytes, at, 2, Uint8Array.of(number >> 8, number & 0xff));
  },
  (bytes, draw) => spliced(bytes, draw.below(bytes.length + 1), 1 + draw.below(draw.pick([2, 8, 64])), none),
  (bytes, draw) => {
    const inserted = Uint8Array.from({ length: 1 + draw.below(draw.pick([2, 8, 64])) }, () => draw.below(256));
    return spliced(bytes, draw.below(bytes.length + 1), 0, inserted);
  },
  (bytes, draw) => spliced(bytes, draw.below(bytes.length + 1), 0, part(bytes, draw)),
  (bytes, draw) => {
    const copied = part(bytes, draw);
    return spliced(bytes, draw.below(bytes.length + 1), copied.length, copied);
  },
  (bytes, draw, other) => spliced(bytes, draw.below(bytes.length + 1), 0, part(other, draw)),
  (bytes, draw, other) => {
    const taken = part(other, draw);
    return spliced(bytes, draw.below(bytes.length + 1), taken.length, taken);
  },
  (bytes, draw) => bytes.subarray(0, draw.below(bytes.length + 1)),
];

const none = new Uint8Array(0);

function changed(bytes: Uint8Array, draw: Draw, change: (byte: number) => number): Uint8Array {
  if (bytes.length === 0) return bytes;
  const copy = bytes.slice();
  const at = draw.below(copy.length);
  copy[at] = change(copy[at] ?? 0);
  return copy;
}

function part(bytes: Uint8Array, draw: Draw): Uint8Array {
  const from = draw.below(bytes.length + 1);
  return bytes.subarray(from, from + 1 + draw.below(draw.pick([4, 32, 256])));
}

/** The bytes with others in place of some; beyond the end is at the end. */
export function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  return concat(bytes.subarray(0, at), added, bytes.subarray(Math.min(at, bytes.length) + removed));
}
