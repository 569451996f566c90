/** compress_certificate: RFC 8879 3. */
import { certificateCompressionAlgorithms } from '../../parameters.js';
import { enumeration, type Infer, vector } from '../../presentation/codec.js';

export const certificateCompressionAlgorithmList = vector(
  enumeration(2, certificateCompressionAlgorithms),
  2,
  2 ** 8 - 2,
);
export type CertificateCompressionAlgorithmList = Infer<typeof certificateCompressionAlgorithmList>;
