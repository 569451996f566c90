/**
 * Secrets that can be used and not be printed: a Uint8Array for every computation, and "[48 secret bytes]" for whoever logs it.
 *
 * Sessions, ticket keys and PSKs are plain data which people print while they look for something else. The surprising thing:
 * `constructor` says Uint8Array, so that `slice` and `subarray` answer plain arrays, which is the way to see the bytes.
 */
import { wipe } from './bytes.js';

/** What `console.log` and `util.inspect` ask an object for, in Node.js, Deno and Bun. */
const inspect = Symbol.for('nodejs.util.inspect.custom');

class Concealed extends Uint8Array {
  override get ['constructor']() {
    return Uint8Array;
  }

  override toString(): string {
    return `[${this.length} secret bytes]`;
  }

  override toLocaleString(): string {
    return this.toString();
  }

  /** `JSON.stringify` of the bytes would be an object that nothing reads back. */
  toJSON(): string {
    return this.toString();
  }

  [inspect](): string {
    return this.toString();
  }
}

/** Moves a secret into an array that printing does not show; the array that it was in is wiped. */
export function concealed(secret: Uint8Array): Uint8Array {
  // Not a view: for a small array that is dearer than a copy, since it has no buffer until one is asked for.
  const moved = new Concealed(secret);
  wipe(secret);
  return moved;
}
