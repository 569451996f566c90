/**
 * DER (X.690) as tables beside those of the presentation language: SSL_SESSION of OpenSSL and of BoringSSL are ASN.1, and are read and
 * written once in a handshake. So these are codecs like all others, over the same readers and writers: an `SSL_SESSION` takes
 * about 1 microsecond to decode, and the tree that asn1js makes of it about 100 (`npm run bench -- --only states`).
 *
 * Strict, because DER is: lengths are definite and minimal, INTEGERs too, a BOOLEAN is 00 or ff, and the fields of a SEQUENCE come in
 * the order of their tags, each once. Whatever is accepted is therefore encoded to the same bytes. The one surprising thing: there are no
 * DEFAULTs here. A field that is written down with its default value is there, and one that is left out is not.
 */
import { ascii, fromAscii } from '../bytes.js';
import { defineCodec, rest, within, type Codec, type Infer } from './codec.js';
import { longestContents, openElement, peekTag, readInteger, unexpected, writeInteger } from './der-element.js';
import { enumerationNames, nameOf, numberOf } from './enumeration-names.js';
import type { Reader } from './reader.js';
import type { Shape } from './shape.js';
import { notEncodable, type Writer } from './writer.js';

/** One element: identifier, length, contents. */
export interface DerCodec<T> extends Codec<T> {
  /** The identifier octets as a number: one byte, or two for a tag number of 31 to 127. */
  readonly tag: number;
}

const tags = { boolean: 0x01, integer: 0x02, octetString: 0x04, sequence: 0x30 } as const;

/** What an element is in the presentation language: bytes. */
const inDer: Shape = { kind: 'rest', min: 0, max: longestContents };

/** INTEGER from `min` to `max`, of which a JavaScript number can tell all apart. */
export function integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): DerCodec<number> {
  return element<number>(
    tags.integer,
    (reader) => {
      const at = reader.offset;
      const value = readInteger(reader);
      if (value < min || value > max) throw unexpected(at, `the INTEGER ${value}`, `${min} to ${max}`);
      return value;
    },
    (writer, value) => {
      if (!Number.isInteger(value) || value < min || value > max)
        throw notEncodable(`got ${value}, expected an INTEGER from ${min} to ${max}`);
      writeInteger(writer, value);
    },
  );
}

/** INTEGER as its name in `table`, or as the number where it has none. */
export function namedInteger<N extends string>(table: Readonly<Record<N, number>>, max: number): DerCodec<N | number> {
  const names = enumerationNames(table);
  const number = integer(0, max);
  const codec = defineCodec<N | number>(
    inDer,
    (reader) => nameOf(names, number.read(reader)),
    (writer, value) => number.write(writer, numberOf(names, value)),
  );
  return Object.assign(codec, { tag: number.tag });
}

export const boolean: DerCodec<boolean> = element<boolean>(
  tags.boolean,
  (reader) => {
    const at = reader.offset;
    const value = reader.uint8();
    if (value !== 0 && value !== 0xff) throw unexpected(at, `the BOOLEAN ${value}`, '0 or 255');
    return value !== 0;
  },
  (writer, value) => writer.uint8(value ? 0xff : 0),
);

/** OCTET STRING of `min` to `max` bytes; with another `tag`, where it is IMPLICIT. */
export function octetString(min = 0, max = longestContents, tag: number = tags.octetString): DerCodec<Uint8Array> {
  const bytes = rest(min, max);
  return element<Uint8Array>(
    tag,
    (reader) => bytes.read(reader),
    (writer, value) => bytes.write(writer, value),
  );
}

/** OCTET STRING of text, one character per byte. */
export function octetText(max = longestContents): DerCodec<string> {
  const bytes = octetString(0, max);
  const codec = defineCodec<string>(
    inDer,
    (reader) => fromAscii(bytes.read(reader)),
    (writer, value) => {
      const written = ascii(value);
      // A name cut to bytes could come out as another name.
      if (fromAscii(written) !== value) throw notEncodable('got characters that are no bytes');
      bytes.write(writer, written);
    },
  );
  return Object.assign(codec, { tag: bytes.tag });
}

/** OCTET STRING around what is written in the presentation language. */
export function octetsOf<T>(item: Codec<T>): DerCodec<T> {
  return element<T>(
    tags.octetString,
    (reader) => item.read(reader),
    (writer, value) => item.write(writer, value),
  );
}

/** A SEQUENCE as it stands, header included; what is in it is not looked at. */
export const anySequence: DerCodec<Uint8Array> = Object.assign(
  defineCodec<Uint8Array>(
    { kind: 'rest', min: 2, max: longestContents },
    (reader) => {
      const start = reader.offset;
      const outer = openElement(reader, tags.sequence);
      const length = reader.end - start;
      reader.offset = start;
      const value = reader.view(length);
      reader.end = outer;
      return value;
    },
    (writer, value) => {
      if (!isSequence(value)) throw notEncodable('got no SEQUENCE');
      writer.bytes(value);
    },
  ),
  { tag: tags.sequence },
);

/** Whether the bytes are one SEQUENCE, header and length included, as {@link anySequence} takes it. */
export function isSequence(bytes: Uint8Array): boolean {
  try {
    anySequence.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** `[number] EXPLICIT`. */
export function explicit<T>(number: number, item: DerCodec<T>): DerCodec<T> {
  return element<T>(
    contextTag(number),
    (reader) => item.read(reader),
    (writer, value) => item.write(writer, value),
  );
}

/** `[number] IMPLICIT SEQUENCE OF`, of which there is at least one. */
export function implicitSequenceOf<T>(number: number, item: DerCodec<T>): DerCodec<readonly T[]> {
  return element<readonly T[]>(
    contextTag(number),
    (reader) => {
      const values: T[] = [];
      do values.push(item.read(reader));
      while (reader.offset < reader.end);
      return values;
    },
    (writer, values) => {
      if (values.length === 0) throw notEncodable('got an empty list');
      for (const value of values) item.write(writer, value);
    },
  );
}

type Fields = Readonly<Record<string, Codec<unknown>>>;
type TaggedFields = Readonly<Record<string, DerCodec<unknown>>>;
type SequenceOf<F extends Fields, O extends TaggedFields> = { readonly [K in keyof F]: Infer<F[K]> } & {
  readonly [K in keyof O]?: Infer<O[K]> | undefined;
};

/**
 * SEQUENCE of `fields`, which are always there, and after them `tagged`, which may be missing, in the order of their tags. One that is
 * missing is no property of what is read; of what is written it may be `undefined`.
 */
export function sequence<F extends Fields, O extends TaggedFields>(fields: F, tagged: O): DerCodec<SequenceOf<F, O>> {
  const required = Object.entries<Codec<unknown>>(fields);
  const optional = Object.entries<DerCodec<unknown>>(tagged);
  return element<SequenceOf<F, O>>(
    tags.sequence,
    (reader) => {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of required) value[name] = readField(reader, name, codec);
      // Forward only: what is unknown, out of order or there twice is not read, and is then too much at the end.
      let tag = peekTag(reader);
      for (const [name, codec] of optional) {
        if (codec.tag !== tag) continue;
        value[name] = readField(reader, name, codec);
        tag = peekTag(reader);
      }
      return value;
    },
    (writer, value: Readonly<Record<string, unknown>>) => {
      for (const [name, codec] of required) codec.write(writer, value[name]);
      for (const [name, codec] of optional) if (value[name] !== undefined) codec.write(writer, value[name]);
    },
  );
}

function readField<T>(reader: Reader, name: string, codec: Codec<T>): T {
  try {
    return codec.read(reader);
  } catch (error) {
    throw within(error, name);
  }
}

/** `read` finds the contents between `offset` and `end`, and has to take all of them. */
function element<T>(
  tag: number,
  read: (reader: Reader) => unknown,
  write: (writer: Writer, value: T) => void,
): DerCodec<T> {
  const codec = defineCodec<T>(
    inDer,
    (reader) => {
      const outer = openElement(reader, tag);
      const value = read(reader);
      reader.close(outer);
      return value;
    },
    (writer, value) => {
      if (tag > 0xff) writer.uint16(tag);
      else writer.uint8(tag);
      const start = writer.open(1);
      write(writer, value);
      writer.closeDer(start);
    },
  );
  return Object.assign(codec, { tag });
}

/** X.690 8.1.2: context-specific and constructed. */
function contextTag(number: number): number {
  return number < 31 ? 0xa0 | number : 0xbf00 | number;
}
