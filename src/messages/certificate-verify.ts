/** CertificateVerify: RFC 8446 4.4.3 and RFC 5246 7.4.8, the same bytes. */
import { type Infer, opaque, struct } from '../presentation/codec.js';
import { signatureScheme } from './extensions/signature-algorithms.js';

export const certificateVerify = struct({
  algorithm: signatureScheme,
  signature: opaque(0, 2 ** 16 - 1),
});
export interface CertificateVerify extends Infer<typeof certificateVerify> {}
