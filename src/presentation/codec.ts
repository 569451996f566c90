/**
 * Codecs as tables that read like the presentation language of RFC 8446 3: one definition gives the type, the decoder,
 * the encoder, the annotated dump and the generator of test values.
 *
 * Enumerated values are their IANA name, or their number where they have none: unknown values are data. Decoded byte
 * strings are views on the input. Type assertions stand here and nowhere else: a struct's type is computed from its
 * fields, and no loop that fills an object in can be followed by the compiler.
 */
import { equal } from '../bytes.js';
import { DecodeError } from '../errors.js';
import { Reader } from './reader.js';
import { type EnumerationNames, enumerationNames, nameOf, numberOf, readNames } from './enumeration-names.js';
import type { Shape } from './shape.js';
import { notEncodable, prefixWidth, Writer } from './writer.js';

export interface Codec<T> {
  readonly shape: Shape;
  /** Reads one value where the reader stands. Throws `DecodeError`. */
  read(reader: Reader): T;
  /** Throws `UsageError` (`value_not_encodable`). */
  write(writer: Writer, value: T): void;
  /** The value that takes up all of `bytes`, which it then owns. Throws `DecodeError`, also for bytes left over. */
  decode(bytes: Uint8Array): T;
  /** The encoding, in an array of its own. Throws `UsageError` (`value_not_encodable`). */
  encode(value: T): Uint8Array;
}

/** The type of a codec's values. */
export type Infer<C> = C extends { read(reader: Reader): infer T } ? T : never;

/** A codec from its three parts. What `read` answers is held to be a `T`: the one place where a table becomes a type. */
export function defineCodec<T>(
  shape: Shape,
  read: (reader: Reader) => unknown,
  write: (writer: Writer, value: T) => void,
): Codec<T> {
  return new TableCodec(shape, read as (reader: Reader) => T, write);
}

class TableCodec<T> implements Codec<T> {
  readonly shape: Shape;
  readonly read: (reader: Reader) => T;
  readonly write: (writer: Writer, value: T) => void;

  constructor(shape: Shape, read: (reader: Reader) => T, write: (writer: Writer, value: T) => void) {
    this.shape = shape;
    this.read = read;
    this.write = write;
  }

  decode(bytes: Uint8Array): T {
    const reader = new Reader(bytes);
    const value = this.read(reader);
    reader.finish();
    return value;
  }

  encode(value: T): Uint8Array {
    const writer = new Writer();
    try {
      this.write(writer, value);
      return writer.finish();
    } finally {
      writer.release();
    }
  }
}

function number(width: 1 | 2 | 3 | 4): Codec<number> {
  return defineCodec(
    { kind: 'uint', width },
    (reader) => reader.uint(width),
    (writer, value) => writer.uint(value, width),
  );
}

export const uint8 = number(1);
export const uint16 = number(2);
export const uint24 = number(3);
export const uint32 = number(4);
export const uint64: Codec<bigint> = defineCodec(
  { kind: 'uint', width: 8 },
  (reader) => reader.uint64(),
  (writer, value) => writer.uint64(value),
);

/** `opaque name[length]`. */
export function fixed(length: number): Codec<Uint8Array> {
  return defineCodec(
    { kind: 'fixed', length },
    (reader) => reader.view(length),
    (writer, value) => {
      if (value.length !== length) throw notEncodable(`got ${value.length} bytes, expected ${length}`);
      writer.bytes(value);
    },
  );
}

/** `opaque name<min..max>`. */
export function opaque(min: number, max: number): Codec<Uint8Array> {
  const width = prefixWidth(max);
  return defineCodec(
    { kind: 'opaque', min, max },
    (reader) => {
      const outer = reader.open(width, min, max);
      const value = reader.view(reader.end - reader.offset);
      reader.end = outer;
      return value;
    },
    (writer, value) => {
      const start = writer.open(width);
      writer.bytes(value);
      writer.close(start, width, min, max);
    },
  );
}

/** Bytes up to the end of the block that encloses them, without a length of their own. */
export function rest(min = 0, max = 2 ** 24 - 1): Codec<Uint8Array> {
  return defineCodec(
    { kind: 'rest', min, max },
    (reader) => {
      const length = reader.end - reader.offset;
      if (length < min || length > max)
        throw new DecodeError('length_out_of_range', reader.offset, `got ${length} bytes, expected ${min} to ${max}`);
      return reader.view(length);
    },
    (writer, value) => {
      if (value.length < min || value.length > max)
        throw notEncodable(`got ${value.length} bytes, expected ${min} to ${max}`);
      writer.bytes(value);
    },
  );
}

/** `enum { ... }` of `width` bytes: the name where `table` has one, the number where not. */
export function enumeration<N extends string>(
  width: 1 | 2,
  table: Readonly<Record<N, number>>,
): Codec<N | number> & { readonly names: EnumerationNames } {
  const names = enumerationNames(table);
  const codec = defineCodec<N | number>(
    { kind: 'enumeration', width, names },
    (reader) => nameOf(names, reader.uint(width)),
    (writer, value) => writer.uint(numberOf(names, value), width),
  );
  return Object.assign(codec, { names });
}

/** A field that has one value only; others are refused with `value_out_of_range`. */
export function constant<T, const V extends T>(item: Codec<T>, value: V): Codec<V> {
  const bytes = item.encode(value);
  return defineCodec<V>(
    { kind: 'constant', item: item.shape, value, bytes },
    (reader) => {
      const at = reader.offset;
      if (!equal(reader.view(bytes.length), bytes))
        throw new DecodeError('value_out_of_range', at, `got another value, expected ${String(value)}`);
      return value;
    },
    (writer) => writer.bytes(bytes),
  );
}

/** `Item name<minBytes..maxBytes>`: items up to the length in bytes that stands in front. */
export function vector<T>(item: Codec<T>, minBytes: number, maxBytes: number): Codec<readonly T[]> {
  const width = prefixWidth(maxBytes);
  const { shape } = item;
  // Most of a ClientHello are lists of 16-bit enumerations: a loop of their own makes them several times as fast.
  const { names } = shape.kind === 'enumeration' && shape.width === 2 ? shape : { names: undefined };
  return defineCodec<readonly T[]>(
    { kind: 'vector', item: shape, min: minBytes, max: maxBytes },
    (reader) => {
      const outer = reader.open(width, minBytes, maxBytes);
      const values = names === undefined ? readItems(item, reader) : readNames(names, reader);
      reader.end = outer;
      return values;
    },
    (writer, values) => {
      const start = writer.open(width);
      for (const value of values) item.write(writer, value);
      writer.close(start, width, minBytes, maxBytes);
    },
  );
}

function readItems<T>(item: Codec<T>, reader: Reader): T[] {
  const values: T[] = [];
  try {
    while (reader.offset < reader.end) values.push(item.read(reader));
  } catch (error) {
    throw within(error, values.length);
  }
  return values;
}

type Fields = Readonly<Record<string, Codec<unknown>>>;
type StructOf<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> };

/**
 * `struct { ... }`: the fields in the order in which they are written here.
 *
 * `literal` may say for a hot struct what the table says already, as an object literal of `fields.name.read(reader)` in the
 * same order: engines make those several times as fast. Where it throws, the table is read again to say in which field.
 */
export function struct<F extends Fields>(
  fields: F,
  literal?: (fields: F, reader: Reader) => StructOf<F>,
): Codec<StructOf<F>> {
  const names = Object.keys(fields);
  const codecs = Object.values(fields);
  const interpret = (reader: Reader): unknown => {
    const value: Record<string, unknown> = {};
    let i = 0;
    try {
      for (; i < names.length; i++) value[names[i]!] = codecs[i]!.read(reader);
    } catch (error) {
      throw within(error, names[i]!);
    }
    return value;
  };
  return defineCodec<StructOf<F>>(
    { kind: 'struct', fields: names.map((name, i) => ({ name, shape: codecs[i]!.shape })) },
    literal === undefined
      ? interpret
      : (reader) => {
          const { offset, end } = reader;
          try {
            return literal(fields, reader);
          } catch {
            reader.offset = offset;
            reader.end = end;
            return interpret(reader);
          }
        },
    (writer, value: Readonly<Record<string, unknown>>) => {
      for (let i = 0; i < names.length; i++) codecs[i]!.write(writer, value[names[i]!]);
    },
  );
}

/** RFC 8446 4.2.10: `struct {} Empty`. What says all by being there. */
export type Empty = Readonly<Record<string, never>>;
export const emptyStruct: Codec<Empty> = struct({}, () => nothing);
const nothing: Empty = Object.freeze({});

/** A last field that may be missing with everything after it: `undefined` where the enclosing block ends before it. */
export function optional<T>(item: Codec<T>): Codec<T | undefined> {
  return defineCodec<T | undefined>(
    { kind: 'optional', item: item.shape },
    (reader) => (reader.offset === reader.end ? undefined : item.read(reader)),
    (writer, value) => {
      if (value !== undefined) item.write(writer, value);
    },
  );
}

type SelectOf<Tag extends string, T, Body extends string, C extends Fields, O> =
  | { readonly [K in keyof C]: Readonly<Record<Tag, K> & Record<Body, Infer<C[K]>>> }[keyof C]
  | ([O] extends [never] ? never : Readonly<Record<Tag, Exclude<T, keyof C>> & Record<Body, O>>);

/**
 * `struct { Tag tag; select (tag) { case ...: ... } body; }`: `cases` by the tag's name, `otherwise` for all other tags,
 * which are refused with `value_out_of_range` where it is missing.
 */
export function select<
  const Tag extends string,
  T extends string | number,
  const Body extends string,
  C extends Fields,
  O = never,
>(tagName: Tag, tag: Codec<T>, bodyName: Body, cases: C, otherwise?: Codec<O>): Codec<SelectOf<Tag, T, Body, C, O>> {
  const bodies = new Map<unknown, Codec<unknown>>(Object.entries(cases));
  const other: Codec<unknown> | undefined = otherwise;
  return defineCodec<SelectOf<Tag, T, Body, C, O>>(
    {
      kind: 'select',
      tag: { name: tagName, shape: tag.shape },
      body: bodyName,
      cases: new Map([...bodies].map(([name, body]) => [name, body.shape])),
      otherwise: other?.shape,
    },
    (reader) => {
      const at = reader.offset;
      let step: string = tagName;
      try {
        const value = tag.read(reader);
        const body = bodies.get(value) ?? other;
        if (body === undefined) throw new DecodeError('value_out_of_range', at, `got the unknown value ${value}`);
        step = bodyName;
        return { [tagName]: value, [bodyName]: body.read(reader) };
      } catch (error) {
        throw within(error, step);
      }
    },
    (writer, value: Readonly<Record<string, unknown>>) => {
      const tagValue = value[tagName] as T;
      const body = bodies.get(tagValue) ?? other;
      if (body === undefined) throw notEncodable(`got the unknown value ${tagValue}`);
      tag.write(writer, tagValue);
      body.write(writer, value[bodyName]);
    },
  );
}

/** Adds a step to the path of a `DecodeError` on its way out. */
export function within(error: unknown, step: string | number): unknown {
  return error instanceof DecodeError ? error.within(step) : error;
}
