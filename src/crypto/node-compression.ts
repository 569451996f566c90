/**
 * Certificate compression (RFC 8879) by node:zlib: brotli, zlib, and zstd where Node.js has it (22.15 and later).
 *
 * The one surprising thing: node:zlib lets bytes after the end of a stream pass, so what was read is compared with what
 * there was.
 */
import * as zlib from 'node:zlib';
import { equal } from '../bytes.js';
import type { CertificateCompression } from './certificate-compression.js';
import { orUndefined } from './refusals.js';

/**
 * The algorithms that this runtime has, most preferred first: brotli makes the smallest chains. Each remembers what it
 * compressed last, so one list should serve all connections.
 */
export function nodeCertificateCompression(): readonly CertificateCompression[] {
  const brotli = compression('brotli', zlib.brotliCompressSync, zlib.brotliDecompressSync);
  const deflate = compression('zlib', zlib.deflateSync, zlib.inflateSync);
  if (!hasZstd(zlib)) return [brotli, deflate];
  const { zstdCompressSync, zstdDecompressSync } = zlib;
  const params = { [zstdWindowLogMax]: largestZstdWindowLog };
  const zstd = compression('zstd', zstdCompressSync, (data, options) =>
    zstdDecompressSync(data, { ...options, params }),
  );
  return [brotli, zstd, deflate];
}

/** `ZSTD_d_windowLogMax`. A decoder allocates the window that a frame asks for: 8 MB is what RFC 8878 3.1.1.1.2 advises. */
const zstdWindowLogMax = 100;
const largestZstdWindowLog = 23;

interface DecompressOptions {
  /** Asks for {@link Decompressed} in place of a Buffer. */
  readonly info: true;
  readonly maxOutputLength: number;
}

/** What the declared types know nothing of. */
interface Decompressed {
  readonly buffer: Uint8Array;
  readonly engine: { /** Bytes read of the compressed data. */ readonly bytesWritten: number };
}

interface ZstdFunctions {
  readonly zstdCompressSync: (data: Uint8Array) => Uint8Array;
  readonly zstdDecompressSync: (
    data: Uint8Array,
    options: DecompressOptions & { readonly params: Readonly<Record<number, number>> },
  ) => unknown;
}

function hasZstd(module: object): module is ZstdFunctions {
  return 'zstdCompressSync' in module && 'zstdDecompressSync' in module;
}

function compression(
  algorithm: CertificateCompression['algorithm'],
  compress: (data: Uint8Array) => Uint8Array,
  decompress: (data: Uint8Array, options: DecompressOptions) => unknown,
): CertificateCompression {
  return {
    algorithm,
    compress: remembering(compress),
    decompress: (data, length) => {
      // node:zlib refuses a maximum of 0.
      const maxOutputLength = Math.max(1, length);
      const result = orUndefined(() => decompress(data, { info: true, maxOutputLength }));
      if (!isDecompressed(result)) return undefined;
      const { buffer, engine } = result;
      return buffer.length === length && engine.bytesWritten === data.length ? new Uint8Array(buffer) : undefined;
    },
  };
}

/** Compressed messages kept for each algorithm: brotli takes 2 ms for a chain, and a server sends few of them over and over. */
export const largestCompressionCache = 64;

/** The same function with a cache of what it was asked last. */
export function remembering(compress: (data: Uint8Array) => Uint8Array): (data: Uint8Array) => Uint8Array {
  const cache: { readonly data: Uint8Array; readonly compressed: Uint8Array }[] = [];
  return (data) => {
    const known = cache.find((entry) => equal(entry.data, data));
    if (known !== undefined) return known.compressed.slice();
    // A copy, also to give back the rest of the chunk that node:zlib writes to.
    const compressed = new Uint8Array(compress(data));
    if (cache.length === largestCompressionCache) cache.shift();
    cache.push({ data: data.slice(), compressed });
    return compressed.slice();
  };
}

function isDecompressed(result: unknown): result is Decompressed {
  return typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result;
}
