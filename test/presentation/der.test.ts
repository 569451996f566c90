import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../src/bytes.js';
import { DecodeError } from '../../src/errors.js';
import { uint32 } from '../../src/presentation/codec.js';
import {
  anySequence,
  boolean,
  explicit,
  implicitSequenceOf,
  integer,
  namedInteger,
  octetsOf,
  octetString,
  octetText,
  sequence,
} from '../../src/presentation/der.js';
import { Reader } from '../../src/presentation/reader.js';
import { hex, misuse, refusal } from '../support/decoding.js';

describe('INTEGER', () => {
  it.each([
    [0, '020100'],
    [1, '020101'],
    [127, '02017f'],
    [128, '02020080'],
    [255, '020200ff'],
    [256, '02020100'],
    [0x7fffffff, '02047fffffff'],
    [0x80000000, '02050080000000'],
    [0xffffffff, '020500ffffffff'],
    [-1, '0201ff'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [Number.MAX_SAFE_INTEGER, '02071fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, '0207e0000000000001'],
  ])('%d is %s', (value, bytes) => {
    expect(toHex(integer().encode(value))).toBe(bytes);
    expect(integer().decode(hex(bytes))).toBe(value);
  });

  it.each([
    ['no contents', '0200', 'truncated  @2'],
    ['a zero byte too many', '02020001', 'value_out_of_range  @2'],
    ['a byte of ones too many', '0202ff80', 'value_out_of_range  @2'],
    ['2^53', '020720000000000000', 'value_out_of_range  @2'],
    ['eight bytes', '02080100000000000000', 'value_out_of_range  @2'],
    ['another tag', '040101', 'value_out_of_range  @0'],
    ['fewer bytes than it says', '020201', 'truncated  @2'],
    ['a byte after it', '02010100', 'trailing_bytes  @3'],
    ['nothing', '', 'truncated  @0'],
  ])('refuses %s', (_, bytes, expected) => {
    expect(refusal(integer(), bytes)).toBe(expected);
  });

  it('keeps to its range in both directions', () => {
    expect(refusal(integer(0, 5), '020106')).toBe('value_out_of_range  @2');
    expect(refusal(integer(0, 5), '0201ff')).toBe('value_out_of_range  @2');
    for (const value of [6, -1, 1.5, NaN])
      expect(misuse(() => integer(0, 5).encode(value))).toBe('value_not_encodable');
    expect(misuse(() => integer().encode(2 ** 53))).toBe('value_not_encodable');
  });

  it('of a table is a name, or the number where it has none', () => {
    const codec = namedInteger({ one: 1, three_hundred: 300 }, 0xffff);
    expect(codec.decode(hex('0202012c'))).toBe('three_hundred');
    expect(codec.decode(hex('020102'))).toBe(2);
    expect(toHex(codec.encode('one'))).toBe('020101');
    expect(toHex(codec.encode(2))).toBe('020102');
    expect(refusal(codec, '0203010000')).toBe('value_out_of_range  @2');
  });
});

describe('lengths', () => {
  it.each([
    [0x7f, '047f'],
    [0x80, '048180'],
    [0xff, '0481ff'],
    [0x100, '04820100'],
    [0xffff, '0482ffff'],
    [0x10000, '0483010000'],
  ])('of %d bytes are as short as can be', (length, header) => {
    const value = new Uint8Array(length).fill(7);
    const bytes = concat(hex(header), value);
    expect(octetString().encode(value)).toEqual(bytes);
    expect(octetString().decode(bytes)).toEqual(value);
  });

  it.each([
    ['indefinite', '0480 00 0000'],
    ['of 4 bytes', '0484 00000001 00'],
    ['reserved', '04ff 00'],
    ['long where short would do', `04817f ${'00'.repeat(127)}`],
    ['of two bytes where one would do', `048200ff ${'00'.repeat(255)}`],
    ['of three bytes where two would do', `048300ffff ${'00'.repeat(0xffff)}`],
  ])('that are %s are refused', (_, bytes) => {
    expect(refusal(octetString(), bytes)).toMatch(/^(value|length)_out_of_range/);
  });

  it('grow the blocks around them', () => {
    const nested = explicit(1, explicit(2, octetString()));
    for (let length = 120; length < 270; length++) {
      const value = new Uint8Array(length);
      const bytes = nested.encode(value);
      expect(nested.decode(bytes)).toEqual(value);
    }
    expect(toHex(nested.encode(new Uint8Array(125)).subarray(0, 9))).toBe('a18181a27f047d0000');
  });
});

describe('other types', () => {
  it('BOOLEAN is 00 or ff', () => {
    expect([boolean.decode(hex('0101ff')), boolean.decode(hex('010100'))]).toEqual([true, false]);
    expect([toHex(boolean.encode(true)), toHex(boolean.encode(false))]).toEqual(['0101ff', '010100']);
    expect(refusal(boolean, '010101')).toBe('value_out_of_range  @2');
    expect(refusal(boolean, '01020000')).toBe('trailing_bytes  @3');
    expect(refusal(boolean, '0100')).toBe('truncated  @2');
  });

  it('OCTET STRING keeps to its lengths, and takes another tag where it is IMPLICIT', () => {
    expect(refusal(octetString(1, 2), '0400')).toBe('length_out_of_range  @2');
    expect(refusal(octetString(1, 2), '0403000000')).toBe('length_out_of_range  @2');
    expect(misuse(() => octetString(1, 2).encode(new Uint8Array(3)))).toBe('value_not_encodable');
    expect(toHex(octetString(0, 2, 0x80).encode(hex('0102')))).toBe('80020102');
  });

  it('text has one character per byte, and no other', () => {
    expect(octetText().decode(hex('0403 61e900'))).toBe('a\u00e9\0');
    expect(toHex(octetText().encode('a\u00e9\0'))).toBe('040361e900');
    expect(misuse(() => octetText().encode('\u0161'))).toBe('value_not_encodable');
  });

  it('what stands in an OCTET STRING takes all of it', () => {
    expect(octetsOf(uint32).decode(hex('0404 00000007'))).toBe(7);
    expect(toHex(octetsOf(uint32).encode(7))).toBe('040400000007');
    expect(refusal(octetsOf(uint32), '0403 000000')).toBe('truncated  @2');
    expect(refusal(octetsOf(uint32), '0405 0000000000')).toBe('trailing_bytes  @6');
  });

  it('any SEQUENCE comes with its header, and is not looked into', () => {
    expect(toHex(anySequence.decode(hex('3002ffff')))).toBe('3002ffff');
    expect(toHex(anySequence.encode(hex('3002ffff')))).toBe('3002ffff');
    expect(refusal(anySequence, '0402ffff')).toBe('value_out_of_range  @0');
    expect(refusal(anySequence, '3003ffff')).toBe('truncated  @2');
    for (const no of ['', '3003ffff', '3001ffff', '0400'])
      expect(misuse(() => anySequence.encode(hex(no)))).toBe('value_not_encodable');
  });

  it('SEQUENCE OF has at least one element', () => {
    const list = implicitSequenceOf(19, anySequence);
    expect(list.decode(hex('b304 3000 3000'))).toEqual([hex('3000'), hex('3000')]);
    expect(toHex(list.encode([hex('3000')]))).toBe('b3023000');
    expect(refusal(list, 'b300')).toBe('truncated  @2');
    expect(misuse(() => list.encode([]))).toBe('value_not_encodable');
  });

  it.each([
    [0, 'a0'],
    [30, 'be'],
    [31, 'bf1f'],
    [127, 'bf7f'],
  ])('the tag [%d] is %s', (number, tag) => {
    const codec = explicit(number, boolean);
    expect(toHex(codec.encode(true))).toBe(`${tag}030101ff`);
    expect(codec.decode(hex(`${tag}030101ff`))).toBe(true);
  });

  it.each(['bf1e 03 0101ff', 'bf80 03 0101ff', 'bf811f 03 0101ff', 'bf'])('refuses the tag of %s', (bytes) => {
    expect(refusal(explicit(31, boolean), bytes)).toMatch(/^(value_out_of_range|truncated)/);
  });
});

describe('SEQUENCE', () => {
  const codec = sequence(
    { first: integer(), second: octetString() },
    { one: explicit(1, integer()), three: explicit(3, octetString()), far: explicit(40, boolean) },
  );
  const whole = '3018 020105 0402abcd a103020100 a304040200ff bf28030101ff';

  it('has its fields in order, and says which is wrong', () => {
    const value = { first: 5, second: hex('abcd'), one: 0, three: hex('00ff'), far: true };
    expect(toHex(codec.encode(value))).toBe(whole.replaceAll(' ', ''));
    expect(codec.decode(hex(whole))).toEqual(value);
    expect(codec.decode(hex('3007 020105 0402abcd'))).toEqual({ first: 5, second: hex('abcd') });
    expect(toHex(codec.encode({ first: 5, second: hex('abcd') }))).toBe('30070201050402abcd');
    expect(refusal(codec, '3003 020105')).toBe('truncated second @5');
    expect(refusal(codec, '300c 020105 0402abcd a10302020f')).toBe('truncated one @13');
    expect(refusal(codec, '300c 020105 0402abcd a103040100')).toBe('value_out_of_range one @11');
  });

  it.each([
    ['unknown', '300c 020105 0402abcd a203020100', 9],
    ['out of order', '3012 020105 0402abcd a304040200ff a103020100', 15],
    ['there twice', '3011 020105 0402abcd a103020100 a103020100', 14],
    ['primitive and should be constructed', '300a 020105 0402abcd 810100', 9],
    ['of no context', '3009 020105 0402abcd 0500', 9],
  ])('refuses a field that is %s', (_, bytes, at) => {
    expect(refusal(codec, bytes)).toBe(`trailing_bytes  @${at}`);
  });

  it('refuses a byte more in the explicit tag, in the sequence and after it', () => {
    expect(refusal(codec, '300d 020105 0402abcd a10402010000')).toBe('trailing_bytes one @14');
    expect(refusal(codec, '3008 020105 0402abcd 00')).toBe('trailing_bytes  @9');
    expect(refusal(codec, '3007 020105 0402abcd 00')).toBe('trailing_bytes  @9');
  });

  it('any bytes: a value that is encoded to the same bytes, or a DecodeError', () => {
    const base = hex(whole);
    let decoded = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 3 }),
        fc.nat(base.length),
        (changes, length) => {
          const bytes = length === 0 ? base.slice() : base.slice(0, length);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          try {
            expect(codec.encode(codec.decode(bytes.slice()))).toEqual(bytes);
            decoded++;
          } catch (error) {
            if (!(error instanceof DecodeError)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(decoded).toBeGreaterThan(10);
  });

  it('leaves the reader behind what it has read', () => {
    const reader = new Reader(concat(hex(whole), hex('ff')));
    codec.read(reader);
    expect([reader.offset, reader.end]).toEqual([26, 27]);
  });
});
