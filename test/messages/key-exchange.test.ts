import { describe, expect, it } from 'vitest';
import { decodeHandshake } from '../../src/messages/handshake.js';
import {
  clientKeyExchange,
  pskClientKeyExchange,
  pskServerKeyExchange,
  serverEcdhParams,
  serverKeyExchange,
} from '../../src/messages/key-exchange.js';
import { plaintextMessages } from '../support/capture.js';
import { hex, refusal } from '../support/decoding.js';

const point = '11'.repeat(32);

describe('ServerKeyExchange of ECDHE', () => {
  it('reads as RFC 8422 5.4 writes it', () => {
    expect(serverKeyExchange.decode(hex(`03 001d 20 ${point} 0403 0002 aabb`))).toEqual({
      params: { curveType: 'named_curve', namedCurve: 'x25519', public: hex(point) },
      algorithm: 'ecdsa_secp256r1_sha256',
      signature: hex('aabb'),
    });
  });

  it('encodes its parameters as the bytes that were signed, in every capture', () => {
    let count = 0;
    for (const { version, bytes } of plaintextMessages()) {
      const message = decodeHandshake(version, bytes);
      if (message.type !== 'server_key_exchange') continue;
      const params = serverEcdhParams.encode(message.body.params);
      expect(params).toEqual(bytes.subarray(4, 4 + params.length));
      count++;
    }
    expect(count).toBe(29);
  });

  it.each([
    ['an explicit curve', `01 001d 20 ${point} 0403 0000`, 'value_out_of_range params.curveType @0'],
    ['an empty point', '03 001d 00 0403 0000', 'length_out_of_range params.public @3'],
    ['no signature', `03 001d 20 ${point}`, 'truncated algorithm @36'],
  ])('is refused with %s', (_, text, expected) => {
    expect(refusal(serverKeyExchange, text)).toBe(expected);
  });
});

it('ClientKeyExchange of ECDHE is a point (RFC 8422 5.7)', () => {
  expect(clientKeyExchange.decode(hex(`20 ${point}`))).toEqual({ public: hex(point) });
  expect(refusal(clientKeyExchange, '00')).toBe('length_out_of_range public @0');
});

describe('with ECDHE_PSK (RFC 5489 2)', () => {
  it('the server has a hint, which may be empty, and no signature', () => {
    const params = { curveType: 'named_curve', namedCurve: 'x25519', public: hex(point) };
    expect(pskServerKeyExchange.decode(hex(`0002 6869 03 001d 20 ${point}`))).toEqual({
      pskIdentityHint: hex('6869'),
      params,
    });
    expect(pskServerKeyExchange.decode(hex(`0000 03 001d 20 ${point}`))).toEqual({
      pskIdentityHint: hex(''),
      params,
    });
    expect(refusal(pskServerKeyExchange, `0000 03 001d 20 ${point} 00`)).toBe('trailing_bytes  @38');
  });

  it('the client has an identity before its point', () => {
    expect(pskClientKeyExchange.decode(hex(`0002 6964 20 ${point}`))).toEqual({
      pskIdentity: hex('6964'),
      public: hex(point),
    });
    expect(refusal(pskClientKeyExchange, `20 ${point}`)).toBe('truncated pskIdentity @2');
    expect(refusal(pskClientKeyExchange, '0000 00')).toBe('length_out_of_range public @2');
  });
});
