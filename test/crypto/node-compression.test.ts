import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat, empty, fromHex, toHex } from '../../src/bytes.js';
import { largestCompressionCache, nodeCertificateCompression, remembering } from '../../src/crypto/node-compression.js';
import { certificate } from '../../src/messages/certificate.js';
import { readVectors } from '../support/vectors.js';
import { bytes } from './backends.js';

const algorithms = nodeCertificateCompression();

/** As other programs wrote it: Python's zlib, the example of the brotli sources, and the zstd command. */
const written = {
  zlib: ['789ccb48cdc9c957c8402701680308b1', 'hello hello hello hello'],
  brotli: ['0b00805803', 'X'],
  zstd: ['28b52ffd04586500003068656c6c6f200100994b11175eae0d', 'hello hello hello hello'],
} as const;

it('brotli comes first, and zlib last', () => {
  expect(algorithms.map(({ algorithm }) => algorithm).filter((name) => name !== 'zstd')).toEqual(['brotli', 'zlib']);
});

it('zstd takes frames with a window of 8 MB and not of more', ({ skip }) => {
  const zstd = algorithms.find(({ algorithm }) => algorithm === 'zstd');
  if (zstd === undefined) {
    const reason = `${process.version} has no zstd in node:zlib: 22.15 and later have`;
    process.stderr.write(`skipped: ${reason}\n`);
    return skip(reason);
  }
  // RFC 8878 3.1.1: a frame of unknown size with a window of 2^(10 + exponent) bytes, and one block: "X", uncompressed.
  const frame = (exponent: number) => concat(fromHex('28b52ffd00'), bytes(1, exponent << 3), fromHex('09000058'));
  expect(zstd.decompress(frame(13), 1)).toEqual(ascii('X'));
  expect(zstd.decompress(frame(14), 1)).toBeUndefined();
});

describe.each(algorithms)('$algorithm', ({ algorithm, compress, decompress }) => {
  it('decompresses what it compressed, to an array of its own size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), (data) => {
        const compressed = compress(data);
        const result = decompress(compressed, data.length)!;
        expect(toHex(result)).toBe(toHex(data));
        for (const array of [compressed, result]) {
          expect(Object.getPrototypeOf(array)).toBe(Uint8Array.prototype);
          expect(array.buffer.byteLength).toBe(array.length);
        }
      }),
    );
  });

  it('decompresses what other programs compressed', () => {
    const [compressed, data] = written[algorithm];
    expect(decompress(fromHex(compressed), data.length)).toEqual(ascii(data));
  });

  it('makes a chain of certificates smaller', () => {
    const pem = readVectors('captures/certificates.json') as Record<'ca' | 'rsa', { certificatePem: string }>;
    const certificateList = [pem.rsa, pem.ca].map(({ certificatePem }) => ({
      certData: new Uint8Array(Buffer.from(certificatePem.replace(/-----.*-----|\n/g, ''), 'base64')),
      extensions: [],
    }));
    const message = certificate.encode({ certificateRequestContext: empty, certificateList });
    const compressed = compress(message);
    expect(compressed.length).toBeLessThan(0.9 * message.length);
    expect(decompress(compressed, message.length)).toEqual(message);
  });

  it('answers nothing for another length', () => {
    const compressed = compress(bytes(1000));
    for (const length of [0, 1, 999, 1001, 2 ** 24 - 1]) expect(decompress(compressed, length)).toBeUndefined();
  });

  it('answers nothing for bytes that are cut off, go on or are none', () => {
    const compressed = compress(ascii('a certificate, and another certificate'));
    for (let length = 0; length < compressed.length; length++)
      expect(decompress(compressed.subarray(0, length), 38)).toBeUndefined();
    expect(decompress(concat(compressed, bytes(1)), 38)).toBeUndefined();
    expect(decompress(concat(compressed, compressed), 38)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
        const length = 1 + noise.length * 40;
        expect([undefined, length]).toContain(decompress(noise, length)?.length);
      }),
    );
  });

  it('a bomb costs no more than the length that was announced (RFC 8879 5)', () => {
    const bomb = compress(new Uint8Array(2 ** 23));
    expect(bomb.length).toBeLessThan(2 ** 14);
    const before = process.memoryUsage().arrayBuffers;
    expect(decompress(bomb, 1000)).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});

describe('the cache of compressed messages', () => {
  let asked = 0;
  const compress = remembering((data) => concat(bytes(1, asked++), data));

  it('asks once for the same bytes, and hands out arrays of their own', () => {
    const message = ascii('chain');
    const first = compress(message);
    message.fill(0);
    first.fill(0);
    const second = compress(ascii('chain'));
    expect(second).toEqual(concat(bytes(1, 0), ascii('chain')));
    second.fill(0);
    expect(compress(ascii('chain'))).toEqual(concat(bytes(1, 0), ascii('chain')));
    expect(compress(ascii('other'))).toEqual(concat(bytes(1, 1), ascii('other')));
    expect(asked).toBe(2);
  });

  it('forgets the oldest of 64', () => {
    for (let i = 2; i <= largestCompressionCache; i++) compress(bytes(5, i));
    expect(asked).toBe(65);
    compress(ascii('other'));
    expect(asked).toBe(65);
    compress(ascii('chain'));
    expect(asked).toBe(66);
  });
});
