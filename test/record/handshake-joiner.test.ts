import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, join, toHex } from '../../src/bytes.js';
import { HandshakeJoiner } from '../../src/record/handshake-joiner.js';
import { alertOf } from '../support/alerts.js';
import { anySplit, singleBytes } from './splits.js';

function message(type: number, body: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff), body);
}

function joinMessages(payloads: readonly Uint8Array[], owned = false): { type: number; bytes: string }[] {
  const joiner = new HandshakeJoiner(2 ** 17);
  const messages: { type: number; bytes: Uint8Array }[] = [];
  for (const payload of payloads) {
    joiner.push(payload, owned);
    // Whose bytes are not owned may be written over as soon as they are handed over.
    if (!owned) payload.fill(0xee);
    for (let raw = joiner.next(); raw !== undefined; raw = joiner.next()) messages.push(raw);
  }
  expect(joiner.pending).toBe(false);
  return messages.map(({ type, bytes }) => ({ type, bytes: toHex(bytes) }));
}

describe('HandshakeJoiner', () => {
  const anyMessages = fc.array(fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 80 })), { maxLength: 10 });

  it('a message may span records and a record hold several messages, however they are cut', () => {
    const anyPayloads = anyMessages.chain((messages) => {
      const stream = join(messages.map(([type, body]) => message(type, body)));
      return fc.tuple(fc.constant(messages), anySplit(stream), fc.boolean());
    });
    fc.assert(
      fc.property(anyPayloads, ([messages, payloads, owned]) => {
        const expected = messages.map(([type, body]) => ({ type, bytes: toHex(message(type, body)) }));
        expect(joinMessages(payloads, owned)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('a message of more than 2^16 bytes, byte by byte', () => {
    const long = message(11, new Uint8Array(70_000).fill(3));
    expect(joinMessages(singleBytes(long))).toEqual([{ type: 11, bytes: toHex(long) }]);
  });

  it('P-state-4 knows whether part of a message waits, or a whole one', () => {
    const joiner = new HandshakeJoiner(100);
    expect(joiner.pending).toBe(false);
    joiner.push(fromHex('0e'), false);
    expect(joiner.pending).toBe(true);
    expect(joiner.next()).toBeUndefined();
    joiner.push(fromHex('000000'), false);
    expect(joiner.pending).toBe(true);
    expect(joiner.next()).toEqual({ type: 14, bytes: fromHex('0e000000') });
    expect(joiner.pending).toBe(false);
  });

  it('refuses a message above its limit when the header is there, and takes one at the limit', () => {
    const joiner = new HandshakeJoiner(104);
    joiner.push(fromHex('0b000064'), false);
    expect(joiner.next()).toBeUndefined();
    const tooLong = new HandshakeJoiner(104);
    tooLong.push(fromHex('0b000065'), false);
    expect(alertOf(() => tooLong.next())).toBe('illegal_parameter');
    const longest = new HandshakeJoiner(104);
    longest.push(fromHex('0bffffff'), false);
    expect(alertOf(() => longest.next())).toBe('illegal_parameter');
  });

  it('keeps an owned payload without a copy, and copies any other', () => {
    const own = (owned: boolean) => {
      const joiner = new HandshakeJoiner(100);
      const payload = message(20, new Uint8Array(12));
      joiner.push(payload, owned);
      return joiner.next()?.bytes.buffer === payload.buffer;
    };
    expect([own(true), own(false)]).toEqual([true, false]);
  });

  it('forgets on clear', () => {
    const joiner = new HandshakeJoiner(100);
    joiner.push(fromHex('0e00'), false);
    joiner.clear();
    expect(joiner.pending).toBe(false);
    joiner.push(fromHex('0e000000'), false);
    expect(joiner.next()).toEqual({ type: 14, bytes: fromHex('0e000000') });
  });
});
