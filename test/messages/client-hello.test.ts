import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { type ClientHello, clientHello } from '../../src/messages/client-hello.js';
import { findExtension } from '../../src/messages/extensions/index.js';
import { plaintextMessages } from '../support/capture.js';
import { hex, misuse, refusal } from '../support/decoding.js';

const random = 'ab'.repeat(32);
const start = `0303 ${random}`;
const middle = '00 0002 1301 01 00';

describe('ClientHello', () => {
  it('reads as RFC 8446 4.1.2 writes it', () => {
    expect(clientHello.decode(hex(`${start} 02 0102 0004 1301 0a0a 02 0100 0006 fafa 0002 0304`))).toEqual({
      legacyVersion: 'TLSv1.2',
      random: hex(random),
      legacySessionId: hex('0102'),
      cipherSuites: ['TLS_AES_128_GCM_SHA256', 0x0a0a],
      legacyCompressionMethods: hex('0100'),
      extensions: [{ type: 0xfafa, data: hex('0304') }],
    });
  });

  it('R5246-7.4.1.2-4 R8446-4.1.2-9 ends after the compression methods or after one block of extensions', () => {
    const without = clientHello.decode(hex(`${start} ${middle}`));
    const withNone = clientHello.decode(hex(`${start} ${middle} 0000`));
    expect(without.extensions).toBeUndefined();
    expect(withNone.extensions).toEqual([]);
    expect(clientHello.encode(without)).toEqual(hex(`${start} ${middle}`));
    expect(clientHello.encode(withNone)).toEqual(hex(`${start} ${middle} 0000`));
    expect(refusal(clientHello, `${start} ${middle} 00`)).toBe('truncated extensions @41');
    expect(refusal(clientHello, `${start} ${middle} 0000 00`)).toBe('trailing_bytes  @43');
    expect(refusal(clientHello, `${start} ${middle} 0004 0017 0000 0000`)).toBe('trailing_bytes  @47');
    expect(refusal(clientHello, `${start} ${middle} 0004 0017 00`)).toBe('truncated extensions @43');
  });

  it('R5246-7.4.1.3-6 P-state-6 takes the length of the session ID from the message, 32 at most', () => {
    for (const length of [0, 1, 31, 32]) {
      const id = '5a'.repeat(length);
      const hello = clientHello.decode(hex(`${start} ${length.toString(16).padStart(2, '0')} ${id} 0002 1301 01 00`));
      expect(hello.legacySessionId).toEqual(hex(id));
    }
    expect(refusal(clientHello, `${start} 21 ${'5a'.repeat(33)} 0002 1301 01 00`)).toBe(
      'length_out_of_range legacySessionId @34',
    );
  });

  it.each([
    ['no cipher suite', `${start} 00 0000 01 00`, 'length_out_of_range cipherSuites @35'],
    ['half a cipher suite', `${start} 00 0003 130113 01 00`, 'truncated cipherSuites[1] @39'],
    ['no compression method', `${start} 00 0002 1301 00`, 'length_out_of_range legacyCompressionMethods @39'],
    ['half a random', '0303 abab', 'truncated random @2'],
  ])('is refused with %s', (_, text, expected) => {
    expect(refusal(clientHello, text)).toBe(expected);
  });

  it('R8446-4.1.2-8 R8701-3.2-1 keeps unknown suites and extensions, and GREASE', () => {
    const text = `${start} 00 0006 0a0a 1301 5600 01 00  0013 1a1a 0000 000a 0006 0004 2a2a 001d 4444 0001 ff`;
    const hello = clientHello.decode(hex(text));
    expect(hello.cipherSuites).toEqual([0x0a0a, 'TLS_AES_128_GCM_SHA256', 'TLS_FALLBACK_SCSV']);
    expect(hello.extensions).toEqual([
      { type: 0x1a1a, data: hex('') },
      { type: 'supported_groups', data: [0x2a2a, 'x25519'] },
      { type: 0x4444, data: hex('ff') },
    ]);
    expect(clientHello.encode(hello)).toEqual(hex(text));
  });

  it('R8446-4.2-3 has no extension twice', () => {
    expect(refusal(clientHello, `${start} ${middle} 000c 0017 0000 0023 0000 0017 0000`)).toBe(
      'duplicate_extension extensions[2].extended_master_secret @51',
    );
  });

  it('decodes into the fields of its table, in their order', () => {
    const { shape } = clientHello;
    const names = shape.kind === 'struct' ? shape.fields.map(({ name }) => name) : [];
    const hello = clientHello.decode(plaintextMessages()[0]!.bytes.subarray(4));
    expect(Object.keys(hello)).toEqual(names);
  });

  it('is not encoded out of bounds', () => {
    const hello: ClientHello = {
      legacyVersion: 'TLSv1.2',
      random: hex(random),
      legacySessionId: hex(''),
      cipherSuites: ['TLS_AES_128_GCM_SHA256'],
      legacyCompressionMethods: hex('00'),
      extensions: [{ type: 'server_name', data: [{ nameType: 'host_name', name: ascii('example.com') }] }],
    };
    expect(clientHello.encode(hello)).toEqual(
      hex(`${start} ${middle} 0014 0000 0010 000e 00 000b 6578616d706c652e636f6d`),
    );
    expect(misuse(() => clientHello.encode({ ...hello, random: hex('00') }))).toBe('value_not_encodable');
    expect(misuse(() => clientHello.encode({ ...hello, legacySessionId: new Uint8Array(33) }))).toBe(
      'value_not_encodable',
    );
    expect(misuse(() => clientHello.encode({ ...hello, cipherSuites: [] }))).toBe('value_not_encodable');
  });
});

describe('findExtension', () => {
  const hello = clientHello.decode(hex(`${start} ${middle} 000e 0023 0002 aabb 0017 0000 0a0a 0000`));

  it('answers data that is typed by the type', () => {
    const ticket: Uint8Array | undefined = findExtension(hello.extensions, 'session_ticket');
    expect(ticket).toEqual(hex('aabb'));
    expect(findExtension(hello.extensions, 'extended_master_secret')).toEqual({});
    expect(findExtension(hello.extensions, 0x0a0a)).toEqual(hex(''));
  });

  it('answers undefined for what is not there', () => {
    expect(findExtension(hello.extensions, 'key_share')).toBeUndefined();
    expect(findExtension(undefined, 'key_share')).toBeUndefined();
  });
});
