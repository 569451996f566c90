/**
 * Both directions of an IANA table: the value of a number is its name, or itself where it has none (RFC 8446 3.5; GREASE,
 * RFC 8701). Hot: a ClientHello is mostly lists of such values.
 */
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
