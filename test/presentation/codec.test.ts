import { describe, expect, it } from 'vitest';
import {
  type Codec,
  constant,
  emptyStruct,
  enumeration,
  fixed,
  opaque,
  optional,
  rest,
  select,
  struct,
  uint16,
  uint24,
  uint32,
  uint64,
  uint8,
  vector,
} from '../../src/presentation/codec.js';
import { prefixWidth, Writer } from '../../src/presentation/writer.js';
import { hex, misuse, refusal } from '../support/decoding.js';

const color = enumeration(1, { red: 1, green: 2 });
const pair = struct({ color, weight: uint16 });

describe('values and their encodings', () => {
  it.each<[string, Codec<unknown>, unknown, string]>([
    ['uint8', uint8, 0xfe, 'fe'],
    ['uint16', uint16, 0xfedc, 'fedc'],
    ['uint24', uint24, 0xfedcba, 'fedcba'],
    ['uint32', uint32, 0xfedcba98, 'fedcba98'],
    ['uint64', uint64, 0xfedcba9876543210n, 'fedcba9876543210'],
    ['fixed', fixed(3), hex('010203'), '010203'],
    ['opaque with one byte of length', opaque(0, 255), hex('0102'), '02 0102'],
    ['opaque with two', opaque(0, 256), hex('0102'), '0002 0102'],
    ['opaque with three', opaque(0, 2 ** 16), hex('0102'), '000002 0102'],
    ['opaque with four', opaque(0, 2 ** 24), hex('0102'), '00000002 0102'],
    ['rest', rest(), hex('0102'), '0102'],
    ['a name', color, 'green', '02'],
    ['a number without a name', color, 7, '07'],
    ['constant', constant(color, 'green'), 'green', '02'],
    ['vector of numbers', vector(uint16, 0, 255), [1, 2], '04 0001 0002'],
    ['empty vector', vector(uint16, 0, 255), [], '00'],
    ['vector of 16-bit names', vector(enumeration(2, { one: 1 }), 0, 255), ['one', 2], '04 0001 0002'],
    ['struct', pair, { color: 'red', weight: 5 }, '01 0005'],
    ['empty struct', emptyStruct, {}, ''],
    ['optional that is there', optional(uint8), 5, '05'],
    ['optional that is not', optional(uint8), undefined, ''],
  ])('%s', (_, codec, value, text) => {
    expect(codec.encode(value)).toEqual(hex(text));
    expect(codec.decode(hex(text))).toEqual(value);
  });

  it('struct keeps the order of its fields', () => {
    expect(Object.keys(pair.decode(hex('01 0005')))).toEqual(['color', 'weight']);
  });

  it('struct with a literal decodes as its table does', () => {
    const fields = { color, weight: uint16, name: opaque(0, 9) };
    const literal = struct(fields, (from, reader) => ({
      color: from.color.read(reader),
      weight: from.weight.read(reader),
      name: from.name.read(reader),
    }));
    for (const text of [
      '01 0005 02 6162',
      '07 ffff 00',
      '',
      '01',
      '01 00',
      '01 0005',
      '01 0005 02 61',
      '01 0005 0a',
      '01 0005 00 00',
    ])
      expect(outcome(literal, text)).toEqual(outcome(struct(fields), text));
  });

  it('the width of a length follows from the ceiling (RFC 8446 3.4)', () => {
    const ceilings = [0, 255, 256, 65535, 65536, 2 ** 24 - 1, 2 ** 24];
    expect(ceilings.map((max) => prefixWidth(max))).toEqual([1, 1, 2, 2, 3, 3, 4]);
  });
});

describe('select', () => {
  const open = select('kind', color, 'body', { red: uint8, green: pair }, rest());
  const closed = select('kind', color, 'body', { red: uint8 });

  it('takes the body that the tag asks for', () => {
    expect(open.decode(hex('01 09'))).toEqual({ kind: 'red', body: 9 });
    expect(open.decode(hex('02 01 0005'))).toEqual({ kind: 'green', body: { color: 'red', weight: 5 } });
    expect(open.encode({ kind: 'green', body: { color: 'red', weight: 5 } })).toEqual(hex('02 01 0005'));
  });

  it('takes other tags only where it says how they go on', () => {
    expect(open.decode(hex('07 0102'))).toEqual({ kind: 7, body: hex('0102') });
    expect(open.encode({ kind: 7, body: hex('0102') })).toEqual(hex('07 0102'));
    expect(refusal(closed, '02 00')).toBe('value_out_of_range kind @0');
  });

  it('names the body in the path', () => {
    expect(refusal(open, '02 01 00')).toBe('truncated body.weight @2');
    expect(refusal(closed, '01')).toBe('truncated body @1');
  });
});

describe('decoding refuses', () => {
  const nested = struct({ pairs: vector(pair, 3, 30), names: vector(opaque(1, 5), 0, 300) });

  it.each<[string, Codec<unknown>, string, string]>([
    ['a number that ends too soon', uint32, '010203', 'truncated  @0'],
    ['a number of 8 bytes that ends too soon', uint64, '01020304050607', 'truncated  @0'],
    ['bytes after the value', uint8, '0102', 'trailing_bytes  @1'],
    ['a length below the floor', opaque(2, 9), '01 00', 'length_out_of_range  @0'],
    ['a length above the ceiling', opaque(2, 9), '0a 00000000000000000000', 'length_out_of_range  @0'],
    ['a rest below the floor', rest(2, 4), '01', 'length_out_of_range  @0'],
    ['a rest above the ceiling', rest(2, 4), '0102030405', 'length_out_of_range  @0'],
    ['a length that goes beyond the input', opaque(0, 9), '03 0102', 'truncated  @1'],
    ['another constant', constant(color, 'green'), '01', 'value_out_of_range  @0'],
    ['half an item of a vector', vector(uint16, 0, 9), '03 000102', 'truncated [1] @3'],
    ['half an enumerated item', vector(enumeration(2, {}), 0, 9), '03 000102', 'truncated [1] @3'],
    ['a field of an item', nested, '05 01 0005 01 00  0000', 'truncated pairs[1].weight @5'],
    ['an item of an item', nested, '03 01 0005  0003 0161 00', 'length_out_of_range names[1] @8'],
    ['an item that goes beyond its vector', nested, '03 01 0005  0002 0261 00', 'truncated names[0] @7'],
    ['bytes after an optional value', struct({ last: optional(uint8) }), '0102', 'trailing_bytes  @1'],
  ])('%s', (_, codec, text, expected) => {
    expect(refusal(codec, text)).toBe(expected);
  });

  it('says got X, expected Y, where', () => {
    expect(() => nested.decode(hex('03 01 0005  0003 0161 00'))).toThrow(
      'names[1]: got a length of 0 bytes, expected 1 to 5 (at byte 8)',
    );
  });
});

describe('encoding refuses', () => {
  it.each<[string, () => unknown]>([
    ['numbers out of range', () => uint8.encode(256)],
    ['negative numbers', () => uint64.encode(-1n)],
    ['byte strings of another length', () => fixed(3).encode(hex('01'))],
    ['byte strings below the floor', () => opaque(1, 9).encode(hex(''))],
    ['byte strings above the ceiling', () => opaque(1, 2).encode(hex('010203'))],
    ['a rest out of range', () => rest(2, 4).encode(hex('01'))],
    ['vectors below the floor', () => vector(uint16, 2, 8).encode([])],
    ['vectors above the ceiling', () => vector(uint16, 2, 8).encode([1, 2, 3, 4, 5])],
    ['numbers of an enumeration out of range', () => color.encode(256)],
  ])('%s', (_, call) => {
    expect(misuse(call)).toBe('value_not_encodable');
  });
});

function outcome(codec: Codec<unknown>, text: string): unknown {
  const refused = refusal(codec, text);
  return refused === 'decoded' ? codec.decode(hex(text)) : refused;
}

it('a value that cannot be encoded leaves nothing of itself behind', () => {
  const secret = struct({ masterSecret: opaque(48, 48), last: uint8 });
  expect(misuse(() => secret.encode({ masterSecret: new Uint8Array(48).fill(0xee), last: 256 }))).toBe(
    'value_not_encodable',
  );
  const writer = new Writer();
  writer.open(4); // not yet written: shows what the buffer holds
  expect(writer.finish()).toEqual(new Uint8Array(4));
  writer.release();
});
