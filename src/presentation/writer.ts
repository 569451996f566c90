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
    this.uint(value, 1);
  }

  uint16(value: number): void {
    this.uint(value, 2);
  }

  uint24(value: number): void {
    this.uint(value, 3);
  }

  uint32(value: number): void {
    this.uint(value, 4);
  }

  uint64(value: bigint): void {
    if (value < 0n || value >> 64n !== 0n) throw notEncodable(`got ${value}, expected an unsigned number of 8 bytes`);
    this.uint(Number(value >> 32n), 4);
    this.uint(Number(value & 0xffff_ffffn), 4);
  }

  /** An unsigned number of 1 to 4 bytes. */
  uint(value: number, width: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width))
      throw notEncodable(`got ${value}, expected an unsigned number of ${width} bytes`);
    this.#put(this.#reserve(width), value, width);
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

  /** What was written, in an array of its own. The writer must not be used afterwards. */
  finish(): Uint8Array {
    const result = this.#bytes.slice(0, this.#length);
    this.#bytes.fill(0, 0, this.#length);
    if (this.#bytes.length === keptCapacity) kept = this.#bytes;
    return result;
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
    for (let i = width - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 0x100))
      this.#bytes[at + i] = rest & 0xff;
  }
}

export function notEncodable(reason: string): UsageError {
  return new UsageError('value_not_encodable', reason);
}
