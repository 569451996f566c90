import { describe, expect, it } from 'vitest';
import { Writer } from '../../src/presentation/writer.js';
import { hex, misuse } from '../support/decoding.js';

describe('Writer', () => {
  it('writes big-endian numbers of 1 to 8 bytes', () => {
    const writer = new Writer();
    writer.uint8(0xff);
    writer.uint16(0xfffe);
    writer.uint24(0xfffefd);
    writer.uint32(0xfffefdfc);
    writer.uint64(0xfffefdfcfbfaf9f8n);
    expect(writer.length).toBe(18);
    expect(writer.finish()).toEqual(hex('ff fffe fffefd fffefdfc fffefdfcfbfaf9f8'));
  });

  it.each([
    ['uint8', 256],
    ['uint8', -1],
    ['uint8', 1.5],
    ['uint8', NaN],
    ['uint16', 2 ** 16],
    ['uint24', 2 ** 24],
    ['uint32', 2 ** 32],
    ['uint32', -1],
  ] as const)('%s does not take %d', (method, value) => {
    expect(misuse(() => new Writer()[method](value))).toBe('value_not_encodable');
  });

  it.each([2n ** 64n, -1n])('uint64 does not take %d', (value) => {
    expect(misuse(() => new Writer().uint64(value))).toBe('value_not_encodable');
  });

  it('fills in the lengths of nested blocks', () => {
    const writer = new Writer();
    const outer = writer.open(2);
    writer.uint8(0xaa);
    const inner = writer.open(3);
    writer.bytes(hex('bbcc'));
    writer.close(inner, 3, 0, 10);
    writer.close(outer, 2, 0, 10);
    expect(writer.finish()).toEqual(hex('0006 aa 000002 bbcc'));
  });

  it('does not close a block outside its bounds', () => {
    const writer = new Writer();
    const start = writer.open(1);
    writer.bytes(hex('0102'));
    expect(misuse(() => writer.close(start, 1, 3, 9))).toBe('value_not_encodable');
    expect(misuse(() => writer.close(start, 1, 0, 1))).toBe('value_not_encodable');
  });

  it('grows, and keeps what it has', () => {
    const writer = new Writer();
    writer.uint8(7);
    const long = new Uint8Array(20_000).map((_, i) => i);
    writer.bytes(long);
    writer.uint8(9);
    const bytes = writer.finish();
    expect(bytes.length).toBe(20_002);
    expect(bytes[0]).toBe(7);
    expect(bytes.subarray(1, -1)).toEqual(long);
    expect(bytes.at(-1)).toBe(9);
  });

  it('hands out arrays of their own, also while another writer is at work', () => {
    const first = new Writer();
    first.bytes(hex('0102'));
    const second = new Writer();
    second.bytes(hex('0304'));
    expect(first.finish()).toEqual(hex('0102'));
    first.release();
    const third = new Writer();
    third.bytes(hex('05'));
    expect(second.finish()).toEqual(hex('0304'));
    const bytes = third.finish();
    expect(bytes).toEqual(hex('05'));
    expect(bytes.buffer.byteLength).toBe(1);
  });

  it('leaves nothing of a secret in the buffer that it lends on', () => {
    const writer = new Writer();
    writer.bytes(new Uint8Array(48).fill(0xee));
    writer.release();
    const next = new Writer();
    const start = next.open(4); // not yet written: shows what the buffer holds
    next.bytes(new Uint8Array(0));
    const bytes = next.finish();
    expect(start).toBe(4);
    expect(bytes).toEqual(new Uint8Array(4));
  });
});
