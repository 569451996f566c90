import { describe, expect, it } from 'vitest';
import {
  helloRetryRequest,
  helloRetryRequestRandom,
  isHelloRetryRequest,
  serverHello,
} from '../../src/messages/server-hello.js';
import { createHash } from 'node:crypto';
import { toHex } from '../../src/bytes.js';
import { hex, misuse, refusal } from '../support/decoding.js';

const random = 'cd'.repeat(32);
const retryRandom = toHex(helloRetryRequestRandom);
const start = `0303 ${random} 02 0102 c02b 00`;

describe('ServerHello', () => {
  it('reads as RFC 5246 7.4.1.3 writes it, with answers of TLS 1.2', () => {
    const text = `${start} 000d 0017 0000 0023 0000 ff01 0001 00`;
    const hello = serverHello.decode(hex(text));
    expect(hello).toEqual({
      legacyVersion: 'TLSv1.2',
      random: hex(random),
      legacySessionIdEcho: hex('0102'),
      cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      legacyCompressionMethod: 0,
      extensions: [
        { type: 'extended_master_secret', data: {} },
        { type: 'session_ticket', data: {} },
        { type: 'renegotiation_info', data: hex('') },
      ],
    });
    expect(serverHello.encode(hello)).toEqual(hex(text));
  });

  it('ends after the compression method or after one block of extensions', () => {
    expect(serverHello.decode(hex(start)).extensions).toBeUndefined();
    expect(serverHello.decode(hex(`${start} 0000`)).extensions).toEqual([]);
    expect(serverHello.encode(serverHello.decode(hex(start)))).toEqual(hex(start));
    expect(refusal(serverHello, `${start} 00`)).toBe('truncated extensions @40');
    expect(refusal(serverHello, `${start} 0000 00`)).toBe('trailing_bytes  @42');
  });

  it('R5246-7.4.1.3-6 has a session ID of 32 bytes at most', () => {
    expect(refusal(serverHello, `0303 ${random} 21 ${'5a'.repeat(33)} c02b 00`)).toBe(
      'length_out_of_range legacySessionIdEcho @34',
    );
  });
});

describe('HelloRetryRequest', () => {
  it('has SHA-256 of its name as random (RFC 8446 4.1.3)', () => {
    expect(helloRetryRequestRandom).toEqual(new Uint8Array(createHash('sha256').update('HelloRetryRequest').digest()));
  });

  it('has no other random', () => {
    const after = '00 1301 00 0006 002b 0002 0304';
    const text = `0303 ${retryRandom} ${after}`;
    expect(helloRetryRequest.encode(helloRetryRequest.decode(hex(text)))).toEqual(hex(text));
    expect(refusal(helloRetryRequest, `0303 ${random} ${after}`)).toBe('value_out_of_range random @2');
  });

  it('has extensions', () => {
    expect(refusal(helloRetryRequest, `0303 ${retryRandom} 00 1301 00`)).toBe('truncated extensions @38');
    expect(refusal(helloRetryRequest, `0303 ${retryRandom} 00 1301 00 0000`)).toBe(
      'length_out_of_range extensions @38',
    );
    const hello = helloRetryRequest.decode(hex(`0303 ${retryRandom} 00 1301 00 0006 002b 0002 0304`));
    expect(misuse(() => helloRetryRequest.encode({ ...hello, extensions: [] }))).toBe('value_not_encodable');
  });

  it('is told from a ServerHello by the whole random, of which a short message has not enough', () => {
    expect(isHelloRetryRequest(hex(`0303 ${retryRandom}`))).toBe(true);
    expect(isHelloRetryRequest(hex(`0303 ${retryRandom.slice(0, -2)}00`))).toBe(false);
    expect(isHelloRetryRequest(hex(`0303 ${retryRandom.slice(0, -2)}`))).toBe(false);
    expect(isHelloRetryRequest(hex(''))).toBe(false);
  });
});
