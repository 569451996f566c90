/**
 * Both directions of an IANA table: the value of a number is its name, or itself where it has none (RFC 8446 3.5; GREASE,
 * RFC 8701). Hot: a ClientHello is mostly lists of such values.
 */
import { DecodeError } from '../errors.js';
import type { Reader } from './reader.js';
import { notEncodable } from './writer.js';

export interface EnumerationNames {
  readonly numbers: ReadonlyMap<string, number>;
  readonly values: Pages<string | number>;
}

export function enumerationNames(table: Readonly<Record<string, number>>): EnumerationNames {
  const numbers = new Map(Object.entries(table));
  return { numbers, values: pages<string | number>(numbers, (number) => number) };
}

/** The value of a number. */
export function nameOf({ values }: EnumerationNames, number: number): string | number {
  return lookUp(values, number) ?? number;
}

/** The values of the 16-bit numbers up to the end of the block. */
export function readNames({ values }: EnumerationNames, reader: Reader): (string | number)[] {
  const { bytes, offset, end } = reader;
  const names = new Array<string | number>((end - offset) >> 1);
  let at = offset;
  for (let i = 0, count = names.length; i < count; i++, at += 2) {
    const high = bytes[at] ?? 0;
    const low = bytes[at + 1] ?? 0;
    const page = values[high];
    names[i] = page === undefined ? (high << 8) | low : (page[low] ?? 0);
  }
  reader.offset = at;
  if (at < end) throw new DecodeError('truncated', at, 'got 1 bytes, expected 2').within(names.length);
  return names;
}

/** The number of a value. Throws `UsageError` (`value_not_encodable`). */
export function numberOf(names: EnumerationNames, value: string | number): number {
  if (typeof value === 'number') return value;
  const number = names.numbers.get(value);
  if (number === undefined) throw notEncodable(`got the unknown name ${value}`);
  return number;
}

/** What belongs to each number of 16 bits, in pages of 256: most pages of a registry are empty. */
export type Pages<T> = readonly (readonly T[] | undefined)[];

/** `others` is what belongs to a number without an entry on a page that has one. */
export function pages<T>(entries: Iterable<readonly [T, number]>, others: (number: number) => T): Pages<T> {
  const all = Array.from({ length: 256 }, (): T[] | undefined => undefined);
  for (const [value, number] of entries) {
    const first = number & 0xff00;
    const page = (all[number >> 8] ??= Array.from({ length: 256 }, (_, i) => others(first + i)));
    page[number & 0xff] = value;
  }
  return all;
}

export function lookUp<T>(table: Pages<T>, number: number): T | undefined {
  return table[number >> 8]?.[number & 0xff];
}
