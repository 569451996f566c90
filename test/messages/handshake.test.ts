import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.js';
import { handshakeTypes } from '../../src/parameters.js';
import {
  decodeHandshake,
  encodeHandshake,
  handshakeCodecs,
  handshakeMessages,
  type HandshakeMessage,
} from '../../src/messages/handshake.js';
import { helloRetryRequestRandom } from '../../src/messages/server-hello.js';
import { alertOf } from '../support/alerts.js';
import { hex, misuse, refusal } from '../support/decoding.js';

const tls12 = handshakeMessages['TLSv1.2'];
const tls13 = handshakeMessages['TLSv1.3'];

describe('a handshake message', () => {
  it('is a type, a length of three bytes and a body (RFC 8446 4)', () => {
    const message: HandshakeMessage<'TLSv1.3'> = { type: 'key_update', body: { requestUpdate: 'update_requested' } };
    expect(encodeHandshake('TLSv1.3', message)).toEqual(hex('18 000001 01'));
    expect(decodeHandshake('TLSv1.3', hex('18 000001 01'))).toEqual(message);
  });

  it('has the body of its version', () => {
    const ticket = hex('04 000007 00000e10 0001 aa');
    expect(decodeHandshake('TLSv1.2', ticket)).toEqual({
      type: 'new_session_ticket',
      body: { ticketLifetimeHint: 3600, ticket: hex('aa') },
    });
    expect(refusal(tls13, '04 000007 00000e10 0001 aa')).toBe('truncated new_session_ticket.ticketAgeAdd @8');
  });

  it('is an unexpected_message where its version does not have it', () => {
    const types = Object.values(handshakeTypes);
    const unexpected = (version: 'TLSv1.2' | 'TLSv1.3') =>
      Array.from({ length: 256 }, (_, type) => type).filter((type) => {
        const bytes = Uint8Array.of(type, 0, 0, 1); // too short for every body: decode_error where the type is known
        return alertOf(() => decodeHandshake(version, bytes)) === 'unexpected_message';
      });
    expect(types.filter((type) => unexpected('TLSv1.2').includes(type))).toEqual([5, 8, 24, 25, 254]);
    expect(types.filter((type) => unexpected('TLSv1.3').includes(type))).toEqual([0, 12, 14, 16, 22]);
    expect(unexpected('TLSv1.2')).toHaveLength(256 - Object.keys(handshakeCodecs.tls12).length);
    // A HelloRetryRequest shares its number with ServerHello.
    expect(unexpected('TLSv1.3')).toHaveLength(256 - (Object.keys(handshakeCodecs.tls13).length - 1));
  });

  it.each([
    ['no bytes', '', 'truncated  @0'],
    ['half a header', '18 0000', 'truncated key_update @1'],
    ['a body shorter than its length', '18 000001', 'truncated key_update @4'],
    ['a body that goes on', '18 000002 01 00', 'trailing_bytes key_update @5'],
    ['a second message', '18 000001 01 18', 'trailing_bytes  @5'],
  ])('is refused: %s', (_, text, expected) => {
    expect(refusal(tls13, text)).toBe(expected);
  });

  it.each([
    ['HelloRequest', tls12, '00 000000', '00 000001 00'],
    ['ServerHelloDone', tls12, '0e 000000', '0e 000001 00'],
    ['R8446-4.5-3 EndOfEarlyData', tls13, '05 000000', '05 000001 00'],
  ])('%s has no content', (_, codec, empty, filled) => {
    expect(codec.decode(hex(empty))).toMatchObject({ body: {} });
    expect(alertOf(() => codec.decode(hex(filled)))).toBe('decode_error');
  });

  it('R8446-4.1.3-5 is a HelloRetryRequest by its random, in TLS 1.3 alone', () => {
    const body = concat(hex('0303'), helloRetryRequestRandom, hex('00 1301 00 000c 002b 0002 0304 0033 0002 001d'));
    const message = concat(hex('02 000034'), body);
    expect(decodeHandshake('TLSv1.3', message)).toEqual({
      type: 'hello_retry_request',
      body: {
        legacyVersion: 'TLSv1.2',
        random: helloRetryRequestRandom,
        legacySessionIdEcho: hex(''),
        cipherSuite: 'TLS_AES_128_GCM_SHA256',
        legacyCompressionMethod: 0,
        extensions: [
          { type: 'supported_versions', data: 'TLSv1.3' },
          { type: 'key_share', data: 'x25519' },
        ],
      },
    });
    const changed = message.slice();
    changed[37] = 0;
    // As a ServerHello the same key_share is an entry that ends too soon.
    expect(alertOf(() => decodeHandshake('TLSv1.3', changed))).toBe('decode_error');
    expect(alertOf(() => decodeHandshake('TLSv1.2', message))).toBe('decode_error');
  });

  it('R8446-4.6.3-1 decodes a KeyUpdate of unknown value, which is an illegal_parameter and no decode_error', () => {
    expect(decodeHandshake('TLSv1.3', hex('18 000001 02'))).toEqual({ type: 'key_update', body: { requestUpdate: 2 } });
  });

  it.each([
    ['TLS 1.2', 12, 'TLSv1.2'],
    ['SHA-256', 32, 'TLSv1.3'],
    ['SHA-384', 48, 'TLSv1.3'],
  ] as const)('Finished is as long as %s makes it', (_, length, version) => {
    const bytes = concat(Uint8Array.of(20, 0, 0, length), new Uint8Array(length).fill(7));
    expect(decodeHandshake(version, bytes)).toEqual({
      type: 'finished',
      body: { verifyData: new Uint8Array(length).fill(7) },
    });
  });

  it('is not encoded in a version that does not have it', () => {
    const message = { type: 'server_hello_done', body: {} } as const;
    expect(misuse(() => tls13.encode(message as never))).toBe('value_not_encodable');
    expect(encodeHandshake('TLSv1.2', message)).toEqual(hex('0e 000000'));
  });
});
