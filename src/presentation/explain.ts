/**
 * Annotated dumps: every byte of an encoding with the name of its field and its meaning, from the tables that decode it.
 *
 * The dump goes as far as the bytes make sense, so that it shows where a malformed message breaks.
 */
import { fromAscii, toHex } from '../bytes.js';
import { AlertError } from '../errors.js';
import type { Codec } from './codec.js';
import { nameOf } from './enumeration-names.js';
import { Reader } from './reader.js';
import type { Shape } from './shape.js';
import { prefixWidth } from './writer.js';

/** A field, or the heading of a structure whose fields follow one level deeper. */
export interface ExplainedField {
  readonly offset: number;
  /** In bytes; a structure's are those of its fields. */
  readonly length: number;
  readonly depth: number;
  /** As in the path of a `DecodeError`: `extensions[3].key_share[0].group`. */
  readonly path: string;
  /** The last step of the path; empty for the whole. */
  readonly name: string;
  /** A name, a number or a byte string; `undefined` for a structure. */
  readonly value: string | number | bigint | Uint8Array | undefined;
}

export interface Explanation {
  /** In the order of the bytes, structures before their fields. Those with a value cover each byte once. */
  readonly fields: readonly ExplainedField[];
  /** Why the bytes are not an encoding, if they are not; `fields` end near there. */
  readonly error: AlertError | undefined;
}

/** What each byte means. Malformed bytes are explained as far as they go. */
export function explain(codec: Codec<unknown>, bytes: Uint8Array): Explanation {
  const error = decodingError(codec, bytes);
  const explainer = new Explainer(bytes);
  try {
    explainer.explain(codec.shape, whole);
    explainer.leftover(whole);
  } catch (stop) {
    if (error === undefined) throw stop;
  }
  return { fields: explainer.fields, error };
}

/** The explanation as text: offset, at most 16 bytes a line, and what they are. */
export function explainText(codec: Codec<unknown>, bytes: Uint8Array): string {
  const { fields, error } = explain(codec, bytes);
  const lines = fields.flatMap((field) => fieldLines(field, bytes));
  if (error !== undefined) lines.push(`${error.alert}: ${error.message}`);
  return lines.map((line) => `${line}\n`).join('');
}

function decodingError(codec: Codec<unknown>, bytes: Uint8Array): AlertError | undefined {
  try {
    codec.decode(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof AlertError) return error;
    throw error;
  }
}

const bytesPerLine = 16;

function fieldLines({ offset, length, depth, name, value }: ExplainedField, bytes: Uint8Array): string[] {
  const indent = '  '.repeat(depth);
  if (value === undefined && name === '') return [];
  if (value === undefined) return [`${' '.repeat(hexColumn)}${indent}${name}`];
  const lines: string[] = [];
  for (let at = 0; at === 0 || at < length; at += bytesPerLine) {
    const hex = toHex(bytes.subarray(offset + at, offset + Math.min(at + bytesPerLine, length)));
    const row = `${String(offset + at).padStart(6)}  ${hex.replace(/..(?=.)/g, '$& ')}`;
    lines.push(
      at === 0 ? `${row.padEnd(hexColumn)}${indent}${name === '' ? 'value' : name} = ${valueText(value)}` : row,
    );
  }
  return lines;
}
const hexColumn = 8 + 3 * bytesPerLine + 1;

function valueText(value: string | number | bigint | Uint8Array): string {
  if (!(value instanceof Uint8Array)) return String(value);
  const isText = value.length > 0 && value.every((byte) => byte >= 0x20 && byte < 0x7f);
  return `${value.length} bytes${isText ? ` "${fromAscii(value)}"` : ''}`;
}

/** Where a shape stands. */
interface Place {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
}

const whole: Place = { path: '', name: '', depth: 0 };

/** Walks over a shape and its bytes together. */
class Explainer {
  readonly fields: ExplainedField[] = [];
  readonly #reader: Reader;

  constructor(bytes: Uint8Array) {
    this.#reader = new Reader(bytes);
  }

  explain(shape: Shape, place: Place): void {
    const reader = this.#reader;
    switch (shape.kind) {
      case 'uint':
        this.#field(place, () => (shape.width === 8 ? reader.uint64() : reader.uint(shape.width)));
        return;
      case 'enumeration':
        this.#field(place, () => nameOf(shape.names, reader.uint(shape.width)));
        return;
      case 'fixed':
        this.#field(place, () => reader.view(shape.length));
        return;
      case 'rest':
        this.#field(place, () => reader.view(reader.end - reader.offset));
        return;
      case 'opaque':
        this.#block(prefixWidth(shape.max), { ...place, name: `${place.name} length` }, () => {
          this.#field(place, () => reader.view(reader.end - reader.offset));
        });
        return;
      case 'constant':
        this.explain(shape.item, place);
        return;
      case 'optional':
        if (reader.offset < reader.end) this.explain(shape.item, place);
        return;
      case 'vector':
        this.#structure(place, () => {
          this.#block(prefixWidth(shape.max), inside(place, 'length'), () => {
            for (let i = 0; reader.offset < reader.end; i++) this.explain(shape.item, inside(place, i));
          });
        });
        return;
      case 'struct':
        this.#structure(place, () => {
          for (const field of shape.fields) this.explain(field.shape, inside(place, field.name));
        });
        return;
      case 'select':
        this.#structure(place, () => {
          this.explain(shape.tag.shape, inside(place, shape.tag.name));
          const body = shape.cases.get(this.fields.at(-1)?.value) ?? shape.otherwise;
          if (body !== undefined) this.explain(body, inside(place, shape.body));
        });
        return;
      case 'extensions':
        this.#structure(place, () => {
          this.#block(prefixWidth(shape.max), inside(place, 'length'), () => {
            for (let i = 0; reader.offset < reader.end; i++) this.#extension(shape, inside(place, i));
          });
        });
        return;
      case 'message': {
        const type = shape.typeAt(reader.bytes, reader.offset);
        const message = { ...place, path: type ?? '', name: type ?? 'message' };
        const body = shape.bodies.get(type ?? '') ?? raw;
        this.#structure(message, () => {
          this.#field(inside(message, 'type'), () => {
            const number = reader.uint8();
            return type ?? number;
          });
          this.#block(3, inside(message, 'length'), () => this.explain(body, data(message, 'body')));
        });
        return;
      }
    }
  }

  /** What is left of the innermost block. */
  leftover(place: Place): void {
    const reader = this.#reader;
    if (reader.offset < reader.end)
      this.#field({ ...place, name: 'trailing bytes' }, () => reader.view(reader.end - reader.offset));
  }

  #extension(shape: Shape & { readonly kind: 'extensions' }, item: Place): void {
    const reader = this.#reader;
    const { bytes, offset } = reader;
    const type = nameOf(shape.types, ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0));
    const extension = { ...inside(item, String(type)), depth: item.depth };
    this.#structure(extension, () => {
      this.#field(inside(extension, 'type'), () => nameOf(shape.types, reader.uint16()));
      this.#block(2, inside(extension, 'length'), () => {
        this.explain(shape.known.get(String(type)) ?? raw, data(extension, 'data'));
      });
    });
  }

  #field(place: Place, read: () => ExplainedField['value']): void {
    const { offset } = this.#reader;
    const value = read();
    this.fields.push({ offset, length: this.#reader.offset - offset, ...place, value });
  }

  /** A length and what it counts. A block that the input cuts short is explained up to there. */
  #block(width: number, length: Place, content: () => void): void {
    const reader = this.#reader;
    const outer = reader.end;
    this.#field(length, () => {
      const count = reader.uint(width);
      reader.end = Math.min(outer, reader.offset + count);
      return count;
    });
    content();
    this.leftover(length);
    reader.end = outer;
  }

  #structure(place: Place, content: () => void): void {
    const { offset } = this.#reader;
    const at = this.fields.push({ offset, length: 0, ...place, value: undefined }) - 1;
    try {
      content();
    } finally {
      this.fields[at] = { offset, length: this.#reader.offset - offset, ...place, value: undefined };
    }
  }
}

const raw: Shape = { kind: 'rest', min: 0, max: Infinity };

/** One step deeper, with the path that a `DecodeError` would have. */
function inside({ path, depth }: Place, step: string | number): Place {
  const name = typeof step === 'number' ? `[${step}]` : step;
  return { path: path + (path === '' || typeof step === 'number' ? '' : '.') + name, name, depth: depth + 1 };
}

/** What a type and a length stand in front of; it adds no step to the path. */
function data({ path, depth }: Place, name: string): Place {
  return { path, name, depth: depth + 1 };
}
