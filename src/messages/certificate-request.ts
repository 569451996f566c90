/** CertificateRequest: RFC 8446 4.3.2 and RFC 5246 7.4.4. */
import { clientCertificateTypes } from '../parameters.js';
import { enumeration, type Infer, opaque, struct, vector } from '../presentation/codec.js';
import { distinguishedNameListTls12 } from './extensions/certificate-authorities.js';
import { extensionList } from './extensions/index.js';
import { signatureSchemeList } from './extensions/signature-algorithms.js';

export const certificateRequest = struct({
  certificateRequestContext: opaque(0, 2 ** 8 - 1),
  extensions: extensionList('certificate_request', 0, 2 ** 16 - 1), // RFC 9846 4.4.2
});
export interface CertificateRequest extends Infer<typeof certificateRequest> {}

export const certificateRequestTls12 = struct({
  certificateTypes: vector(enumeration(1, clientCertificateTypes), 1, 2 ** 8 - 1),
  supportedSignatureAlgorithms: signatureSchemeList,
  certificateAuthorities: distinguishedNameListTls12,
});
export interface CertificateRequestTls12 extends Infer<typeof certificateRequestTls12> {}
