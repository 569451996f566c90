/**
 * The elements of DER (X.690) by hand, under the codecs of `der.ts`: identifier, length and INTEGER.
 *
 * The surprising thing about lengths and INTEGERs is that each has one form only: longer ones that mean the same are refused.
 */
import { DecodeError } from '../errors.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/** The longest contents of an element here: a length of three bytes. */
export const longestContents = 2 ** 24 - 1;

/** Reads the header of an element and narrows `end` to its contents; answers the end around it. */
export function openElement(reader: Reader, tag: number): number {
  const at = reader.offset;
  const found = readTag(reader);
  if (found !== tag) throw unexpected(at, `the tag 0x${found.toString(16)}`, `0x${tag.toString(16)}`);
  const width = lengthWidth(reader);
  if (width === 0) return reader.open(1, 0, 0x7f);
  // X.690 10.1: as short as it can be.
  return reader.open(width, width === 1 ? 0x80 : 2 ** (8 * width - 8), longestContents);
}

/** How many bytes of length follow, once the byte that says it is read; 0 where that byte is the length itself, and still to be read. */
function lengthWidth(reader: Reader): number {
  const at = reader.offset;
  const first = reader.uint8();
  if (first < 0x80) {
    reader.offset = at;
    return 0;
  }
  if (first === 0x80 || first > 0x83) throw unexpected(at, `a length of form 0x${first.toString(16)}`, '1 to 3 bytes');
  return first - 0x80;
}

/** 0 at the end of the block. */
export function peekTag(reader: Reader): number {
  const { offset } = reader;
  if (offset === reader.end) return 0;
  const tag = readTag(reader);
  reader.offset = offset;
  return tag;
}

function readTag(reader: Reader): number {
  const first = reader.uint8();
  if ((first & 0x1f) !== 0x1f) return first;
  const at = reader.offset;
  const second = reader.uint8();
  if (second < 31 || second > 127) throw unexpected(at, `${second} in a tag`, '31 to 127');
  return (first << 8) | second;
}

/** X.690 8.3: two's complement, of which the first nine bits are not all the same. */
export function readInteger(reader: Reader): number {
  const at = reader.offset;
  const first = reader.uint8();
  const rest = reader.end - reader.offset;
  if (rest > 6) throw unexpected(at, `an INTEGER of ${rest + 1} bytes`, 'at most 7');
  let value = first < 0x80 ? first : first - 0x100;
  for (let i = 0; i < rest; i++) value = value * 0x100 + reader.uint8();
  if (value < Number.MIN_SAFE_INTEGER || value > Number.MAX_SAFE_INTEGER)
    throw unexpected(at, 'an INTEGER of more than 53 bits', 'a smaller one');
  if (rest > 0 && fits(value, rest)) throw unexpected(at, `an INTEGER of ${rest + 1} bytes`, `${rest}`);
  return value;
}

export function writeInteger(writer: Writer, value: number): void {
  let width = 1;
  while (!fits(value, width)) width++;
  for (let i = width - 1; i >= 0; i--) writer.uint8(Math.floor(value / 2 ** (8 * i)) & 0xff);
}

/** Whether it does with `width` bytes, 1 to 7. */
function fits(value: number, width: number): boolean {
  const limit = limits[width] ?? 0;
  return value >= -limit && value < limit;
}

const limits = [0, 2 ** 7, 2 ** 15, 2 ** 23, 2 ** 31, 2 ** 39, 2 ** 47, 2 ** 55];

export function unexpected(at: number, got: string, expected: string): DecodeError {
  return new DecodeError('value_out_of_range', at, `got ${got}, expected ${expected}`);
}
