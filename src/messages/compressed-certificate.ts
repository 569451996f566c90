/**
 * CompressedCertificate (RFC 8879 4): a Certificate message without its header, compressed.
 *
 * Decompression is not done here. The one surprising thing: `uncompressedLength` is only what the peer says, a bound for
 * the decompressor and never a size to allocate unseen.
 */
import { certificateCompressionAlgorithms } from '../parameters.js';
import { enumeration, type Infer, opaque, struct, uint24 } from '../presentation/codec.js';

export const compressedCertificate = struct({
  algorithm: enumeration(2, certificateCompressionAlgorithms),
  uncompressedLength: uint24,
  compressedCertificateMessage: opaque(1, 2 ** 24 - 1),
});
export interface CompressedCertificate extends Infer<typeof compressedCertificate> {}
