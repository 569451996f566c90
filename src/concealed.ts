/**
 * Secrets that can be used and not be printed: a Uint8Array for every computation, and "[48 secret bytes]" for whoever logs it.
 *
 * Sessions, ticket keys and PSKs are plain data which people print while they look for something else. The surprising thing:
 * `constructor` says Uint8Array, so that `slice` and `subarray` answer plain arrays, which is the way to see the bytes.
 */

/** What `console.log` and `util.inspect` ask an object for, in Node.js, Deno and Bun. */
const inspect = Symbol.for('nodejs.util.inspect.custom');

class Concealed extends Uint8Array<ArrayBufferLike> {
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

/** The same memory, which printing does not show. */
export function concealed(secret: Uint8Array): Uint8Array {
  return new Concealed(secret.buffer, secret.byteOffset, secret.length);
}
