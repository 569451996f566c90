import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, join, toHex } from '../../src/bytes.js';
import { Deframer, maxCiphertextLength, type RawRecord } from '../../src/record/deframer.js';
import { alertOf } from '../support/alerts.js';
import { anySplit, singleBytes } from './splits.js';

/** A record as it stands on the wire. */
function wire(contentType: number, fragment: Uint8Array, version = 0x0303): Uint8Array {
  const header = [contentType, version >> 8, version & 0xff, fragment.length >> 8, fragment.length & 0xff];
  return concat(Uint8Array.from(header), fragment);
}

/** All records that come out, with their fragments as views: whoever holds one must find it unchanged later. */
function deframe(pieces: readonly Uint8Array[]): RawRecord[] {
  const deframer = new Deframer();
  const records: RawRecord[] = [];
  for (const piece of pieces) {
    deframer.push(piece);
    for (let record = deframer.next(); record !== undefined; record = deframer.next()) records.push(record);
  }
  expect(deframer.buffered).toBe(0);
  return records;
}

function readable(records: readonly RawRecord[]): string[] {
  return records.map(({ contentType, fragment }) => `${String(contentType)} ${toHex(fragment)}`);
}

const anyRecord = fc.record({
  contentType: fc.constantFrom(20, 21, 22, 23),
  fragment: fc.uint8Array({ maxLength: 120 }),
});

describe('Deframer', () => {
  it('gives the same records for any split and coalescing of the stream', () => {
    const anyStream = fc
      .array(anyRecord, { maxLength: 12 })
      .chain((records) =>
        fc.tuple(
          fc.constant(records),
          anySplit(join(records.map(({ contentType, fragment }) => wire(contentType, fragment)))),
        ),
      );
    fc.assert(
      fc.property(anyStream, ([records, pieces]) => {
        expect(readable(deframe(pieces))).toEqual(readable(records));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same records byte by byte, and all at once', () => {
    const records = [0, 1, 300, 0, 2 ** 14].map((length, i) => ({
      contentType: 20 + (i % 4),
      fragment: new Uint8Array(length).fill(i),
    }));
    const stream = join(records.map(({ contentType, fragment }) => wire(contentType, fragment)));
    expect(readable(deframe(singleBytes(stream)))).toEqual(readable(records));
    expect(readable(deframe([stream]))).toEqual(readable(records));
  });

  it('gives the same records for any split where nobody takes any before the end', () => {
    const sent = [wire(22, fromHex('0102')), wire(23, fromHex('030405')), wire(21, fromHex('0600'))];
    const stream = join(sent);
    for (let first = 1; first < stream.length - 1; first++)
      for (let second = first + 1; second < stream.length; second++) {
        const deframer = new Deframer();
        for (const [start, end] of [
          [0, first],
          [first, second],
          [second, stream.length],
        ] as const)
          deframer.push(stream.slice(start, end));
        const records = Array.from(sent, () => deframer.next());
        expect(
          records.map((record) => record && toHex(record.fragment)),
          `${first}, ${second}`,
        ).toEqual(['0102', '030405', '0600']);
        expect(deframer.buffered).toBe(0);
      }
  });

  it('whole records are views on the chunk that brought them', () => {
    const chunk = concat(wire(22, fromHex('0102')), wire(23, fromHex('0304')));
    expect(deframe([chunk]).map(({ fragment }) => fragment.buffer)).toEqual([chunk.buffer, chunk.buffer]);
  });

  it('of a record in two chunks a copy is made, of its own length, and none of what follows it', () => {
    const [first, second] = [wire(23, new Uint8Array(1_000).fill(1)), wire(23, new Uint8Array(2_000).fill(2))];
    const stream = join([first, second]);
    const [head, tail] = [stream.slice(0, 3), stream.slice(3)];
    const deframer = new Deframer();
    deframer.push(head);
    expect(deframer.next()).toBeUndefined();
    deframer.push(tail);
    expect(deframer.buffered).toBe(stream.length);
    const [copied, viewed] = [deframer.next(), deframer.next()];
    expect(copied?.fragment.buffer.byteLength).toBe(first.length);
    expect(copied?.fragment).toEqual(new Uint8Array(1_000).fill(1));
    expect(viewed?.fragment.buffer).toBe(tail.buffer);
    expect(viewed?.fragment).toEqual(new Uint8Array(2_000).fill(2));
    expect(deframer.buffered).toBe(0);
  });

  it('a chunk that comes while whole records wait, because nobody has taken them yet, is joined to what they leave', () => {
    const stream = join([1, 2, 3].map((byte) => wire(23, new Uint8Array(100).fill(byte))));
    const deframer = new Deframer();
    deframer.push(stream.slice(0, 150));
    deframer.push(stream.slice(150));
    const taken = [deframer.next(), deframer.next(), deframer.next(), deframer.next()];
    expect(taken.map((record) => record?.fragment[0])).toEqual([1, 2, 3, undefined]);
    deframer.push(stream.slice(0, 150));
    expect(deframer.next()?.fragment[0]).toBe(1);
    deframer.push(stream.slice(150));
    expect([deframer.next(), deframer.next()].map((record) => record?.fragment[0])).toEqual([2, 3]);
  });

  it('RFC 5246 6.2.3: takes 2^14 + 2048 bytes and refuses one more when its header is there', () => {
    const largest = new Uint8Array(maxCiphertextLength).fill(7);
    expect(maxCiphertextLength).toBe(2 ** 14 + 2048);
    expect(deframe([wire(23, largest)])[0]?.fragment).toEqual(largest);

    const deframer = new Deframer();
    deframer.push(fromHex('1703034801').subarray(0, 4));
    expect(deframer.next()).toBeUndefined();
    deframer.push(fromHex('01'));
    expect(alertOf(() => deframer.next())).toBe('record_overflow');
  });

  it('refuses every content type but 20 to 23, at the fifth byte', () => {
    const refused = Array.from({ length: 256 }, (_, contentType) => {
      const deframer = new Deframer();
      deframer.push(Uint8Array.of(contentType, 3, 3, 0));
      expect(deframer.next()).toBeUndefined();
      deframer.push(Uint8Array.of(1));
      return [20, 21, 22, 23].includes(contentType) ? deframer.next() : alertOf(() => deframer.next());
    });
    expect(refused.filter((alert) => alert === 'unexpected_message').length).toBe(252);
    expect(refused.filter((alert) => alert === undefined).length).toBe(4);
  });

  it('RFC 5246 E.1: refuses every major version but 3, takes every minor one', () => {
    for (const version of [0x0000, 0x0002, 0x0203, 0x0403, 0xfeff])
      expect(
        alertOf(() => deframe([wire(22, fromHex('00'), version)])),
        String(version),
      ).toBe('protocol_version');
    for (const version of [0x0300, 0x0301, 0x0303, 0x0304, 0x03ff])
      expect(readable(deframe([wire(22, fromHex('00'), version)]))).toEqual(['22 00']);
  });

  it('tells a peer that speaks another protocol at its fifth byte', () => {
    for (const greeting of [
      ascii('GET / HTTP/1.1\r\n'),
      ascii('SSH-2.0-x\r\n'),
      ascii('EHLO x\r\n'),
      fromHex('802b0100020012'),
    ])
      expect(alertOf(() => deframe([greeting.subarray(0, 5)]))).toBe('unexpected_message');
  });

  it('goes on refusing: nothing behind a bad header is read', () => {
    const deframer = new Deframer();
    deframer.push(concat(fromHex('ff03030000'), wire(22, fromHex('00'))));
    expect([alertOf(() => deframer.next()), alertOf(() => deframer.next())]).toEqual([
      'unexpected_message',
      'unexpected_message',
    ]);
  });

  it('knows what it holds, and forgets it on clear', () => {
    const deframer = new Deframer();
    deframer.push(wire(22, fromHex('01020304')).subarray(0, 7));
    expect(deframer.next()).toBeUndefined();
    expect(deframer.buffered).toBe(7);
    deframer.clear();
    expect(deframer.buffered).toBe(0);
    deframer.push(wire(23, fromHex('05')));
    expect(deframer.next()).toEqual({ contentType: 23, fragment: fromHex('05') });
  });
});
