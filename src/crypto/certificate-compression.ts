/** What certificate compression (RFC 8879) asks of an algorithm. Those of node:zlib are in node-compression.ts. */

/** One algorithm, by the name of its registry. Both ways are synchronous: a certificate chain is a few kilobytes. */
export interface CertificateCompression {
  readonly algorithm: 'zlib' | 'brotli' | 'zstd';
  /** The compressed form, in an array of its own. */
  compress(data: Uint8Array): Uint8Array;
  /**
   * Exactly `length` bytes in an array of their own; `undefined` if `data` is malformed or holds fewer or more. Memory is
   * bounded by `length`, whatever `data` says (RFC 8879 5: decompression bombs).
   */
  decompress(data: Uint8Array, length: number): Uint8Array | undefined;
}
