/**
 * What a fuzz target is, and how it reads its bytes: `run` returns for whatever input, and throws where its oracle sees a rule
 * broken. An input that throws is a crash.
 */
import { join } from '../../src/bytes.js';

export interface FuzzTarget {
  readonly name: string;
  /** What the corpus begins with, from the vectors of this repository. */
  readonly seeds: () => readonly Uint8Array[];
  readonly run: (data: Uint8Array) => void | Promise<void>;
}

/** A rule that an input has broken. */
export class OracleError extends Error {
  override readonly name = 'OracleError';
}

/** Throws an {@link OracleError} unless the rule holds. */
export function rule(holds: boolean, broken: string): asserts holds {
  if (!holds) throw new OracleError(broken);
}

/** The input as a list of decisions. Where it ends, every decision is 0. */
export class Decisions {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** 0 to 65535. */
  number(): number {
    return this.byte() * 0x100 + this.byte();
  }

  /** 0 to `count` - 1, and 0 where there is nothing to choose from. */
  below(count: number): number {
    if (count <= 1) return 0;
    return (count > 0x100 ? this.number() : this.byte()) % count;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }

  /** As many bytes as the next byte says; fewer where the input ends. */
  bytes(): Uint8Array {
    const length = this.byte();
    const bytes = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  /** Everything that is left. */
  rest(): Uint8Array {
    const bytes = this.#bytes.slice(this.#at);
    this.#at = this.#bytes.length;
    return bytes;
  }
}

/** A seed: what stands in front chooses, the rest is data. */
export function seed(choices: readonly number[], data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return join([Uint8Array.from(choices), data]);
}

/** Made when it is first asked for: whoever runs one target needs no other's vectors. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
