import { describe, expect, it } from 'vitest';
import { keyShareEntryList } from '../../src/messages/extensions/key-share.js';
import { handshakeMessages } from '../../src/messages/handshake.js';
import { optional, struct, uint16, uint64, uint8 } from '../../src/presentation/codec.js';
import { explain, explainText } from '../../src/presentation/explain.js';
import { hex } from '../support/decoding.js';

const newSessionTicket = handshakeMessages['TLSv1.3'];
const bytes = hex('04 00001c  00001c20 01020304 01 09  0002 6869  000c 002a 0004 00004000 0a0a 0000');

describe('explain', () => {
  it('says of each field where it is, what it is, and by which path an error would name it', () => {
    const { fields, error } = explain(newSessionTicket, bytes);
    expect(error).toBeUndefined();
    expect(fields.map(({ offset, length, path, value }) => [offset, length, path, value])).toEqual([
      [0, 32, 'new_session_ticket', undefined],
      [0, 1, 'new_session_ticket.type', 'new_session_ticket'],
      [1, 3, 'new_session_ticket.length', 28],
      [4, 28, 'new_session_ticket', undefined],
      [4, 4, 'new_session_ticket.ticketLifetime', 7200],
      [8, 4, 'new_session_ticket.ticketAgeAdd', 0x01020304],
      [12, 1, 'new_session_ticket.ticketNonce', 1],
      [13, 1, 'new_session_ticket.ticketNonce', hex('09')],
      [14, 2, 'new_session_ticket.ticket', 2],
      [16, 2, 'new_session_ticket.ticket', hex('6869')],
      [18, 14, 'new_session_ticket.extensions', undefined],
      [18, 2, 'new_session_ticket.extensions.length', 12],
      [20, 8, 'new_session_ticket.extensions[0].early_data', undefined],
      [20, 2, 'new_session_ticket.extensions[0].early_data.type', 'early_data'],
      [22, 2, 'new_session_ticket.extensions[0].early_data.length', 4],
      [24, 4, 'new_session_ticket.extensions[0].early_data', 16384],
      [28, 4, 'new_session_ticket.extensions[1].2570', undefined],
      [28, 2, 'new_session_ticket.extensions[1].2570.type', 2570],
      [30, 2, 'new_session_ticket.extensions[1].2570.length', 0],
      [32, 0, 'new_session_ticket.extensions[1].2570', new Uint8Array(0)],
    ]);
  });

  it('explains missing optional fields and numbers of 8 bytes', () => {
    const codec = struct({ when: uint64, last: optional(uint16) });
    expect(explain(codec, hex('0000000000000102')).fields.map(({ value }) => value)).toEqual([undefined, 0x102n]);
  });

  it('goes as far as malformed bytes make sense, and says why they are malformed', () => {
    const { fields, error } = explain(keyShareEntryList, hex('0006 001d 0004 aabb'));
    expect(fields.map(({ name, value }) => [name, value])).toEqual([
      ['', undefined],
      ['length', 6],
      ['[0]', undefined],
      ['group', 'x25519'],
      ['keyExchange length', 4],
      ['keyExchange', hex('aabb')],
    ]);
    expect(error).toMatchObject({ code: 'truncated', path: '[0].keyExchange', offset: 6 });
  });

  it('shows what is left over', () => {
    const { fields, error } = explain(uint8, hex('010203'));
    expect(fields.map(({ name, value }) => [name, value])).toEqual([
      ['', 1],
      ['trailing bytes', hex('0203')],
    ]);
    expect(error?.code).toBe('trailing_bytes');
  });

  it('explains a message of unknown type as bytes', () => {
    const { fields, error } = explain(newSessionTicket, hex('63 000002 0102'));
    expect(fields.map(({ name, value }) => [name, value])).toEqual([
      ['message', undefined],
      ['type', 99],
      ['length', 2],
      ['body', hex('0102')],
    ]);
    expect(error?.code).toBe('unexpected_message');
  });
});

it('explainText sets offset, bytes and meaning side by side', () => {
  expect(explainText(keyShareEntryList, hex('0018 001d 0014 000102030405060708090a0b0c0d0e0f10111213'))).toBe(
    '     0  00 18                                              length = 24\n' +
      '                                                           [0]\n' +
      '     2  00 1d                                                group = x25519\n' +
      '     4  00 14                                                keyExchange length = 20\n' +
      '     6  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f      keyExchange = 20 bytes\n' +
      '    22  10 11 12 13\n',
  );
  expect(explainText(uint8, hex('0102'))).toBe(
    '     0  01                                               value = 1\n' +
      '     1  02                                               trailing bytes = 1 bytes\n' +
      'decode_error: got 1 bytes more, expected the end (at byte 1)\n',
  );
});
