import { expect, it } from 'vitest';
import { compressedCertificate } from '../../src/messages/compressed-certificate.js';
import { decodeHandshake, encodeHandshake } from '../../src/messages/handshake.js';
import { alertOf } from '../support/alerts.js';
import { hex, refusal } from '../support/decoding.js';

it('CompressedCertificate reads as RFC 8879 4 writes it', () => {
  const bytes = hex('19 000009 0001 000123 000001 aa');
  const body = { algorithm: 'zlib', uncompressedLength: 0x123, compressedCertificateMessage: hex('aa') } as const;
  expect(decodeHandshake('TLSv1.3', bytes)).toEqual({ type: 'compressed_certificate', body });
  expect(encodeHandshake('TLSv1.3', { type: 'compressed_certificate', body })).toEqual(bytes);
  expect(alertOf(() => decodeHandshake('TLSv1.2', bytes))).toBe('unexpected_message');
});

it.each([
  ['zlib', '0001'],
  ['brotli', '0002'],
  ['zstd', '0003'],
  [0x4000, '4000'],
])('the algorithm is its name, or its number: %s', (algorithm, code) => {
  expect(compressedCertificate.decode(hex(`${code} 000001 000001 aa`))).toMatchObject({ algorithm });
});

it.each([
  ['nothing compressed', '0001 000001 000000', 'length_out_of_range compressedCertificateMessage @5'],
  ['no length', '0001 0000', 'truncated uncompressedLength @2'],
  ['bytes left over', '0001 000001 000001 aabb', 'trailing_bytes  @9'],
])('is refused with %s', (_, text, expected) => {
  expect(refusal(compressedCertificate, text)).toBe(expected);
});
