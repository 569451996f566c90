/**
 * Bytes that wait for the rest of their record or message.
 *
 * A lone chunk is held as it is; only when another one joins an unfinished rest is anything copied, into a buffer that
 * doubles, so that a peer that sends single bytes costs linear work. Views that were handed out are never overwritten.
 */
import { empty } from '../bytes.js';

export class ByteQueue {
  #bytes = empty;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /**
   * Appends a chunk and keeps it: it must not change until it is taken. `wanted` is how many bytes are waited for, if that is known:
   * no more room is made than that.
   */
  push(chunk: Uint8Array, wanted = Infinity): void {
    const waiting = this.length;
    if (waiting === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    // Behind a lone chunk there is no room, so what is written into is always ours.
    if (this.#bytes.length - this.#end < chunk.length) {
      const length = waiting + chunk.length;
      const grown = new Uint8Array(Math.max(length, Math.min(2 * length, wanted)));
      grown.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = grown;
      this.#start = 0;
      this.#end = waiting;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** A view on the first `length` bytes, or `undefined` while there are fewer. */
  peek(length: number): Uint8Array | undefined {
    return this.length < length ? undefined : this.#bytes.subarray(this.#start, this.#start + length);
  }

  /** Lets go of the first `length` bytes. */
  skip(length: number): void {
    this.#start += length;
    if (this.#start >= this.#end) this.clear();
  }

  clear(): void {
    this.#bytes = empty;
    this.#start = this.#end = 0;
  }
}
