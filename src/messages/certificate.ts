/** Certificate: RFC 8446 4.4.2 with extensions for each certificate, RFC 5246 7.4.2 with bare certificates. */
import { type Infer, opaque, struct, vector } from '../presentation/codec.js';
import { extensionList } from './extensions/index.js';

/** An X.509 certificate in DER, or a raw public key (RFC 7250). */
const certData = opaque(1, 2 ** 24 - 1);

export const certificateEntry = struct({
  certData,
  extensions: extensionList('certificate', 0, 2 ** 16 - 1),
});
export interface CertificateEntry extends Infer<typeof certificateEntry> {}

export const certificate = struct({
  certificateRequestContext: opaque(0, 2 ** 8 - 1),
  certificateList: vector(certificateEntry, 0, 2 ** 24 - 1),
});
export interface Certificate extends Infer<typeof certificate> {}

export const certificateTls12 = struct({
  certificateList: vector(certData, 0, 2 ** 24 - 1),
});
export interface CertificateTls12 extends Infer<typeof certificateTls12> {}
