import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/errors.js';
import { Reader } from '../../src/presentation/reader.js';
import { hex } from '../support/decoding.js';

describe('Reader', () => {
  it('reads big-endian numbers of 1 to 8 bytes', () => {
    const reader = new Reader(hex('ff fffe fffefd fffefdfc fffefdfcfbfaf9f8'));
    expect(reader.uint8()).toBe(0xff);
    expect(reader.uint16()).toBe(0xfffe);
    expect(reader.uint24()).toBe(0xfffefd);
    expect(reader.uint32()).toBe(0xfffefdfc);
    expect(reader.uint64()).toBe(0xfffefdfcfbfaf9f8n);
    expect(reader.offset).toBe(18);
  });

  it.each([
    [1, 0x01],
    [2, 0x0102],
    [3, 0x010203],
    [4, 0x01020304],
  ])('reads a number of %i bytes', (width, value) => {
    expect(new Reader(hex('01020304')).uint(width)).toBe(value);
  });

  it('gives views on its input, from wherever that begins', () => {
    const bytes = hex('00010203040506');
    const reader = new Reader(bytes.subarray(1));
    const view = reader.view(2);
    bytes[1] = 0xaa;
    expect(view).toEqual(hex('aa02'));
    expect(reader.view(4)).toEqual(hex('03040506'));
    expect(reader.view(0)).toEqual(new Uint8Array(0));
  });

  it('gives no Buffers for a Buffer', () => {
    const view = new Reader(Buffer.from([1, 2, 3])).view(2);
    expect(view.constructor).toBe(Uint8Array);
  });

  it('narrows to a block and puts the end back', () => {
    const reader = new Reader(hex('0002 0102 03'));
    const outer = reader.open(2, 0, 10);
    expect(reader.end).toBe(4);
    expect(reader.uint16()).toBe(0x0102);
    reader.close(outer);
    expect(reader.end).toBe(5);
    expect(reader.uint8()).toBe(3);
  });

  it('does not read over the end of a block', () => {
    const reader = new Reader(hex('01 0203'));
    reader.open(1, 0, 10);
    expect(thrown(() => reader.uint16())).toMatchObject({ code: 'truncated', offset: 1 });
  });

  it('refuses a length outside its bounds, and a block longer than the one around it', () => {
    expect(thrown(() => new Reader(hex('03 000000')).open(1, 4, 9))).toMatchObject({
      code: 'length_out_of_range',
      offset: 0,
      message: 'got a length of 3 bytes, expected 4 to 9 (at byte 0)',
    });
    expect(thrown(() => new Reader(hex('0a 00000000000000000000')).open(1, 4, 9)).code).toBe('length_out_of_range');
    expect(thrown(() => new Reader(hex('04 000000')).open(1, 4, 9))).toMatchObject({ code: 'truncated', offset: 1 });
  });

  it('refuses bytes left over', () => {
    const reader = new Reader(hex('02 0102'));
    const outer = reader.open(1, 0, 9);
    reader.uint8();
    expect(thrown(() => reader.close(outer))).toMatchObject({
      code: 'trailing_bytes',
      alert: 'decode_error',
      offset: 2,
    });
  });
});

function thrown(call: () => unknown): DecodeError {
  try {
    call();
  } catch (error) {
    if (error instanceof DecodeError) return error;
  }
  throw new Error('no DecodeError');
}
