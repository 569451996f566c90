/**
 * A growing buffer that writes the numbers and byte strings of the presentation language (RFC 8446 3.3, 3.4).
 *
 * A block is opened before its length is known, and its length prefix is filled in when it is closed. One buffer is
 * lent from writer to writer and wiped each time: what is encoded may be a master secret on its way into a ticket.
 */
import { UsageError } from '../errors.js';

/** What is kept for the next writer: larger than any handshake message without a long certificate chain. */
const keptCapacity = 4096;
let kept: Uint8Array | undefined;

export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor() {
    this.#bytes = kept ?? new Uint8Array(keptCapacity);
    kept = undefined;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  uint8(value: number): void {
    if ((value & 0xff) !== value) throw notUnsigned(value, 1);
    this.#put(this.#reserve(1), value, 1);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw notUnsigned(value, 2);
    this.#put(this.#reserve(2), value, 2);
  }

  uint24(value: number): void {
    if ((value & 0xff_ffff) !== value) throw notUnsigned(value, 3);
    this.#put(this.#reserve(3), value, 3);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw notUnsigned(value, 4);
    this.#put(this.#reserve(4), value, 4);
  }

  uint64(value: bigint): void {
    if (value < 0n || value >> 64n !== 0n) throw notUnsigned(value, 8);
    this.uint32(Number(value >> 32n));
    this.uint32(Number(value & 0xffff_ffffn));
  }

  /** An unsigned number of 1 to 4 bytes. */
  uint(value: number, width: 1 | 2 | 3 | 4): void {
    if (width === 1) this.uint8(value);
    else if (width === 2) this.uint16(value);
    else if (width === 3) this.uint24(value);
    else this.uint32(value);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** Leaves room for a length of `width` bytes; the answer goes to {@link close}. */
  open(width: number): number {
    this.#reserve(width);
    return this.#length;
  }

  /** Ends the block that began at `start`: its length must lie in `min..max` and is written in front of it. */
  close(start: number, width: number, min: number, max: number): void {
    const length = this.#length - start;
    if (length < min || length > max) throw notEncodable(`got ${length} bytes, expected ${min} to ${max}`);
    this.#put(start - width, length, width);
  }

  /**
   * Ends a block that began at `start` with the length that DER puts in front (X.690 8.1.3, 10.1). `open(1)` left room for the short
   * form; what is 128 bytes or longer moves to make room for the long one.
   */
  closeDer(start: number): void {
    const length = this.#length - start;
    if (length < 0x80) {
      this.#put(start - 1, length, 1);
      return;
    }
    const width = prefixWidth(length);
    this.#reserve(width);
    this.#bytes.copyWithin(start + width, start, start + length);
    this.#put(start - 1, 0x80 | width, 1);
    this.#put(start, length, width);
  }

  /** What was written, in an array of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Wipes what was written. The writer must not be used afterwards. */
  release(): void {
    this.#bytes.fill(0, 0, this.#length);
    if (this.#bytes.length === keptCapacity) kept = this.#bytes;
  }

  #reserve(count: number): number {
    const at = this.#length;
    const length = at + count;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes.fill(0, 0, at);
      this.#bytes = grown;
    }
    this.#length = length;
    return at;
  }

  #put(at: number, value: number, width: number): void {
    for (let i = at + width - 1, left = value; i >= at; i--, left >>>= 8) this.#bytes[i] = left;
  }
}

function notUnsigned(value: number | bigint, width: number): UsageError {
  return notEncodable(`got ${value}, expected an unsigned number of ${width} bytes`);
}

export function notEncodable(reason: string): UsageError {
  return new UsageError('value_not_encodable', reason);
}

/** RFC 8446 3.4: a length takes as many bytes as the ceiling needs. */
export function prefixWidth(max: number): 1 | 2 | 3 | 4 {
  return max < 2 ** 8 ? 1 : max < 2 ** 16 ? 2 : max < 2 ** 24 ? 3 : 4;
}
