import { expect, it } from 'vitest';
import { newSessionTicket, newSessionTicketTls12 } from '../../src/messages/new-session-ticket.js';
import { hex, misuse, refusal } from '../support/decoding.js';

it('NewSessionTicket of TLS 1.3 reads as RFC 8446 4.6.1 writes it', () => {
  const text = '00001c20 fffffffe 01 09 0002 aabb 0008 002a 0004 00004000';
  const ticket = newSessionTicket.decode(hex(text));
  expect(ticket).toEqual({
    ticketLifetime: 7200,
    ticketAgeAdd: 0xfffffffe,
    ticketNonce: hex('09'),
    ticket: hex('aabb'),
    extensions: [{ type: 'early_data', data: 16384 }],
  });
  expect(newSessionTicket.encode(ticket)).toEqual(hex(text));
});

it('R8446-4.6.1-12 the ticket is 1 to 65535 bytes, and nothing is left over', () => {
  expect(refusal(newSessionTicket, '00001c20 00000000 00 0000 0000')).toBe('length_out_of_range ticket @9');
  expect(refusal(newSessionTicket, '00001c20 00000000 00 0001 aa 0000 00')).toBe('trailing_bytes  @14');
  expect(refusal(newSessionTicket, '00001c20 00000000 00 0001 aa')).toBe('truncated extensions @12');
  const ticket = newSessionTicket.decode(hex('00001c20 00000000 00 0001 aa 0000'));
  const longest = newSessionTicket.encode({ ...ticket, ticket: new Uint8Array(65535) });
  expect(newSessionTicket.decode(longest).ticket).toHaveLength(65535);
  expect(misuse(() => newSessionTicket.encode({ ...ticket, ticket: new Uint8Array(65536) }))).toBe(
    'value_not_encodable',
  );
  expect(misuse(() => newSessionTicket.encode({ ...ticket, ticket: hex('') }))).toBe('value_not_encodable');
});

it('NewSessionTicket of TLS 1.2 reads as RFC 5077 3.3 writes it', () => {
  expect(newSessionTicketTls12.decode(hex('00000e10 0002 aabb'))).toEqual({
    ticketLifetimeHint: 3600,
    ticket: hex('aabb'),
  });
  expect(refusal(newSessionTicketTls12, '00000e10 0002 aabb 00')).toBe('trailing_bytes  @8');
});

it('R5077-3.3-5 a ticket of TLS 1.2 may have no bytes', () => {
  const none = { ticketLifetimeHint: 0, ticket: hex('') };
  expect(newSessionTicketTls12.decode(hex('00000000 0000'))).toEqual(none);
  expect(newSessionTicketTls12.encode(none)).toEqual(hex('00000000 0000'));
});
