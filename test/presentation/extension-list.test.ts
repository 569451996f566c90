import { describe, expect, it } from 'vitest';
import { emptyStruct, enumeration, opaque, uint16, vector } from '../../src/presentation/codec.js';
import { extensionVector } from '../../src/presentation/extension-list.js';
import { alertOf } from '../support/alerts.js';
import { hex, misuse, refusal } from '../support/decoding.js';

const types = enumeration(2, { limit: 1, names: 2, flag: 3, other: 4 });
const list = extensionVector(
  types,
  { limit: uint16, names: vector(opaque(1, 9), 1, 255), flag: emptyStruct },
  0,
  2 ** 16 - 1,
);

describe('a list of extensions', () => {
  it('is decoded where the message knows the type, raw elsewhere, in the order of the wire', () => {
    const text = '0020  0a0a 0000  0002 0003 02 0161  0004 0002 0102  0001 0002 0200  0003 0000  fafa 0001 00';
    const value = list.decode(hex(text));
    expect(value).toEqual([
      { type: 0x0a0a, data: hex('') },
      { type: 'names', data: [hex('61')] },
      { type: 'other', data: hex('0102') },
      { type: 'limit', data: 0x200 },
      { type: 'flag', data: {} },
      { type: 0xfafa, data: hex('00') },
    ]);
    expect(list.encode(value)).toEqual(hex(text));
  });

  it.each([
    ['a type that stands twice', '000c 0001 0002 0000 0001 0002 0000', 'duplicate_extension [1].limit @8'],
    ['a named type without a codec twice', '0008 0004 0000 0004 0000', 'duplicate_extension [1].other @6'],
    ['GREASE twice', '000e 0a0a 0000 0001 0002 0000 0a0a 0000', 'duplicate_extension [2].2570 @12'],
    ['data that goes on after its codec', '0007 0001 0003 000000', 'trailing_bytes [0].limit @8'],
    ['data that ends before its codec', '0005 0001 0001 00', 'truncated [0].limit @6'],
    ['empty data with something in it', '0005 0003 0001 00', 'trailing_bytes [0].flag @6'],
    ['data longer than the list', '0004 0001 0002', 'truncated [0].limit @6'],
    ['half a type', '0005 0003 0000 00', 'truncated [1] @6'],
    ['half a length', '0003 0003 00', 'truncated [0].flag @4'],
    ['an error inside of data', '000a 0003 0000 0002 0002 01 00', 'length_out_of_range [1].names[0] @11'],
    ['a list longer than the input', '0005 0003 0000', 'truncated  @2'],
  ])('refuses %s', (_, text, expected) => {
    expect(refusal(list, text)).toBe(expected);
  });

  it('names the alert of a second extension by its message: decode_error unless told', () => {
    const twice = hex('0008 0004 0000 0004 0000');
    const codecs = { limit: uint16 };
    expect(alertOf(() => extensionVector(types, codecs, 0, 2 ** 16 - 1).decode(twice))).toBe('decode_error');
    expect(alertOf(() => extensionVector(types, codecs, 0, 2 ** 16 - 1, 'illegal_parameter').decode(twice))).toBe(
      'illegal_parameter',
    );
  });

  it('finds the second of many unknown types in time that grows with the list', () => {
    const count = 16_000;
    const bytes = new Uint8Array(2 + 4 * count);
    bytes.set(hex('fa00'));
    for (let i = 0; i < count; i++) bytes.set([(0x1000 + i) >> 8, i & 0xff], 2 + 4 * i);
    expect(list.decode(bytes)).toHaveLength(count);
    bytes.set(bytes.subarray(2, 4), 2 + 4 * (count - 1));
    expect(() => list.decode(bytes)).toThrow(/^\[15999\]\.4096: got a second 4096/);
  });

  it('encodes raw data under the number of a known type, and no bytes that are none', () => {
    expect(list.encode([{ type: 1, data: hex('ff') }])).toEqual(hex('0005 0001 0001 ff'));
    expect(misuse(() => list.encode([{ type: 2 ** 16, data: hex('') }]))).toBe('value_not_encodable');
    expect(misuse(() => list.encode([{ type: 'other', data: 7 } as never]))).toBe('value_not_encodable');
  });

  it('finds a second of each type also where more types are known than a mask has bits', () => {
    const table = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`type${i}`, i]));
    const codecs = Object.fromEntries(Object.keys(table).map((name) => [name, emptyStruct]));
    const many = extensionVector(enumeration(2, table), codecs, 0, 2 ** 16 - 1);
    const each = Array.from({ length: 40 }, (_, i) => ({ type: `type${i}`, data: {} }));
    expect(many.decode(many.encode(each))).toEqual(each);
    for (const again of each)
      expect(() => many.decode(many.encode([...each, again]))).toThrow(`[40].${again.type}: got a second`);
  });
});
