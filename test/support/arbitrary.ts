/**
 * Generators of test values from the tables that decode them: whatever a codec can hold, unknown enumerated values, GREASE
 * and extensions that nobody knows among it.
 */
import fc from 'fast-check';
import type { Codec } from '../../src/presentation/codec.js';
import type { EnumerationNames } from '../../src/presentation/enumeration-names.js';
import type { Shape } from '../../src/presentation/shape.js';
import { prefixWidth } from '../../src/presentation/writer.js';

/** Values of a codec. Byte strings and lists are as short as their shape lets them be, and a little longer. */
export function arbitraryOf<T>(codec: Codec<T>): fc.Arbitrary<T> {
  return arbitrary(codec.shape) as fc.Arbitrary<T>;
}

/** Whether an encoding may go on after it could have ended: then a prefix may be an encoding as well. */
export function isOpenEnded(shape: Shape): boolean {
  switch (shape.kind) {
    case 'rest':
    case 'optional':
      return true;
    case 'struct': {
      const last = shape.fields.at(-1);
      return last !== undefined && isOpenEnded(last.shape);
    }
    case 'select':
      return [...shape.cases.values(), ...(shape.otherwise === undefined ? [] : [shape.otherwise])].some(isOpenEnded);
    default:
      return false;
  }
}

function arbitrary(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'uint':
      return shape.width === 8 ? fc.bigInt(0n, 2n ** 64n - 1n) : fc.nat(2 ** (8 * shape.width) - 1);
    case 'enumeration':
      return enumerated(shape.names, shape.width);
    case 'fixed':
      return bytes(shape.length, shape.length);
    case 'opaque':
    case 'rest':
      return bytes(shape.min, shape.max);
    case 'constant':
      return fc.constant(shape.value);
    case 'optional':
      return fc.option(arbitrary(shape.item), { nil: undefined });
    case 'vector': {
      // The floor counts bytes: so many items reach it whatever they are. Ceilings are far above.
      const minLength = Math.ceil(shape.min / minimumSize(shape.item));
      return fc.array(arbitrary(shape.item), { minLength, maxLength: minLength + 4 });
    }
    case 'struct':
      return record(Object.fromEntries(shape.fields.map((field) => [field.name, arbitrary(field.shape)])));
    case 'select': {
      const { tag, body, cases, otherwise } = shape;
      const known = [...cases].map(([name, item]) => ({ [tag.name]: fc.constant(name), [body]: arbitrary(item) }));
      const others = arbitrary(tag.shape).filter((value) => !cases.has(value));
      const unknown = otherwise === undefined ? [] : [{ [tag.name]: others, [body]: arbitrary(otherwise) }];
      return fc.oneof(...[...known, ...unknown].map(record));
    }
    case 'extensions': {
      const known = [...shape.known].map(([type, data]) => record({ type: fc.constant(type), data: arbitrary(data) }));
      const others = enumerated(shape.types, 2).filter((type) => !shape.known.has(String(type)));
      const raw = record({ type: others, data: bytes(0, 2 ** 16 - 1) });
      const minLength = Math.ceil(shape.min / 4);
      return fc.uniqueArray(fc.oneof(...known, { arbitrary: raw, weight: Math.ceil((known.length + 1) / 2) }), {
        selector: ({ type }) => type,
        minLength,
        maxLength: minLength + 8,
      });
    }
    case 'message':
      return fc.oneof(
        ...[...shape.bodies].map(([type, body]) => record({ type: fc.constant(type), body: arbitrary(body) })),
      );
  }
}

/** As decoded values are: plain objects. */
function record(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(fields, { noNullPrototype: true });
}

function bytes(min: number, max: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: min, maxLength: Math.min(max, min + 40) });
}

/** Names, GREASE (RFC 8701) and other numbers without a name. */
function enumerated(names: EnumerationNames, width: 1 | 2): fc.Arbitrary<string | number> {
  const named = new Set(names.numbers.values());
  const number = fc.nat(2 ** (8 * width) - 1).filter((value) => !named.has(value));
  const grease = fc.nat(15).map((i) => (width === 2 ? 0x0a0a + 0x1010 * i : 0x0b + 0x1f * (i % 8)));
  return fc.oneof(
    fc.constantFrom(...names.numbers.keys()),
    grease.filter((value) => !named.has(value)),
    number,
  );
}

/** The fewest bytes that a value takes. */
function minimumSize(shape: Shape): number {
  switch (shape.kind) {
    case 'uint':
    case 'enumeration':
      return shape.width;
    case 'fixed':
      return shape.length;
    case 'constant':
      return shape.bytes.length;
    case 'rest':
      return shape.min;
    case 'opaque':
    case 'vector':
    case 'extensions':
      return prefixWidth(shape.max) + shape.min;
    case 'struct':
      return shape.fields.reduce((size, field) => size + minimumSize(field.shape), 0);
    case 'optional':
      return 0;
    case 'select':
      return minimumSize(shape.tag.shape);
    case 'message':
      return 4;
  }
}
