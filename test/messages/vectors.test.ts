import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { decodeHandshake, encodeHandshake } from '../../src/messages/handshake.js';
import { type CapturedMessage, plaintextMessages, rfc8448Messages } from '../support/capture.js';

/** How many messages of each type came back as the same bytes. */
function roundTrips(messages: readonly CapturedMessage[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { origin, version, bytes } of messages) {
    const message = decodeHandshake(version, bytes);
    expect(toHex(encodeHandshake(version, message)), origin).toBe(toHex(bytes));
    const key = `${version} ${message.type}`;
    count[key] = (count[key] ?? 0) + 1;
  }
  return count;
}

describe('decode -> encode gives the same bytes', () => {
  it('on every handshake message of RFC 8448', () => {
    expect(roundTrips(rfc8448Messages())).toEqual({
      'TLSv1.3 client_hello': 6,
      'TLSv1.3 server_hello': 5,
      'TLSv1.3 hello_retry_request': 1,
      'TLSv1.3 encrypted_extensions': 5,
      'TLSv1.3 certificate': 5,
      'TLSv1.3 certificate_request': 1,
      'TLSv1.3 certificate_verify': 5,
      'TLSv1.3 finished': 10,
      'TLSv1.3 end_of_early_data': 1,
      'TLSv1.3 new_session_ticket': 1,
    });
  });

  it('on every plaintext handshake message of the captures', () => {
    expect(roundTrips(plaintextMessages())).toEqual({
      'TLSv1.2 client_hello': 54,
      'TLSv1.2 server_hello': 54,
      'TLSv1.2 certificate': 33,
      'TLSv1.2 server_key_exchange': 29,
      'TLSv1.2 certificate_request': 4,
      'TLSv1.2 server_hello_done': 29,
      'TLSv1.2 client_key_exchange': 29,
      'TLSv1.2 certificate_verify': 2,
      'TLSv1.2 new_session_ticket': 19,
      'TLSv1.3 client_hello': 70,
      'TLSv1.3 hello_retry_request': 4,
      'TLSv1.3 server_hello': 66,
    });
  });
});
