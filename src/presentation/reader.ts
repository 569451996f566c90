/**
 * A cursor over bytes that reads the numbers and byte strings of the presentation language (RFC 8446 3.3, 3.4).
 *
 * A length-prefixed block is read by narrowing `end` in place and putting it back, so that no reader is ever allocated
 * for a part. Byte strings come out as views: whoever decodes gives the bytes away.
 */
import { empty } from '../bytes.js';
import { DecodeError } from '../errors.js';

export class Reader {
  readonly bytes: Uint8Array;
  /** The next byte to read. */
  offset: number;
  /** Where the innermost open block ends. */
  end: number;

  /** Views are made from the buffer: that is faster than `subarray`, and a view of a Buffer is no Buffer. */
  readonly #buffer: ArrayBufferLike;
  readonly #base: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.offset = 0;
    this.end = bytes.length;
    this.#buffer = bytes.buffer;
    this.#base = bytes.byteOffset;
  }

  uint8(): number {
    return this.#byteAt(this.#advance(1));
  }

  uint16(): number {
    const at = this.#advance(2);
    return (this.#byteAt(at) << 8) | this.#byteAt(at + 1);
  }

  uint24(): number {
    const at = this.#advance(3);
    return (this.#byteAt(at) << 16) | (this.#byteAt(at + 1) << 8) | this.#byteAt(at + 2);
  }

  uint32(): number {
    const at = this.#advance(4);
    return (
      ((this.#byteAt(at) << 24) | (this.#byteAt(at + 1) << 16) | (this.#byteAt(at + 2) << 8) | this.#byteAt(at + 3)) >>>
      0
    );
  }

  uint64(): bigint {
    if (this.end - this.offset < 8) this.#truncated(8);
    return (BigInt(this.uint32()) << 32n) | BigInt(this.uint32());
  }

  /** An unsigned number of 1 to 4 bytes. */
  uint(width: number): number {
    return width === 1 ? this.uint8() : width === 2 ? this.uint16() : width === 3 ? this.uint24() : this.uint32();
  }

  /** The next `length` bytes, as a view. */
  view(length: number): Uint8Array {
    const at = this.#advance(length);
    return length === 0 ? empty : new Uint8Array(this.#buffer, this.#base + at, length);
  }

  /**
   * Reads a length of `width` bytes that must lie in `min..max`, and narrows `end` to that block. Answers the end of the
   * block around it, to be given to {@link close}.
   */
  open(width: number, min: number, max: number): number {
    const at = this.offset;
    const length = this.uint(width);
    if (length < min || length > max)
      throw new DecodeError('length_out_of_range', at, `got a length of ${length} bytes, expected ${min} to ${max}`);
    const outer = this.end;
    if (length > outer - this.offset) this.#truncated(length);
    this.end = this.offset + length;
    return outer;
  }

  /** Ends the block that {@link open} began; bytes left over in it are an error. */
  close(outer: number): void {
    this.finish();
    this.end = outer;
  }

  /** Bytes left over in the innermost block are an error. */
  finish(): void {
    const left = this.end - this.offset;
    if (left > 0) throw new DecodeError('trailing_bytes', this.offset, `got ${left} bytes more, expected the end`);
  }

  #advance(length: number): number {
    const at = this.offset;
    if (length > this.end - at) this.#truncated(length);
    this.offset = at + length;
    return at;
  }

  /** The fallback is never taken: `#advance` has checked the bounds. */
  #byteAt(at: number): number {
    return this.bytes[at] ?? 0;
  }

  #truncated(wanted: number): never {
    const left = this.end - this.offset;
    throw new DecodeError('truncated', this.offset, `got ${left} bytes, expected ${wanted}`);
  }
}
