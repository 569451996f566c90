/** signed_certificate_timestamp: RFC 6962 3.3. Requests are empty. */
import { type Infer, opaque, vector } from '../../presentation/codec.js';

export const signedCertificateTimestampList = vector(opaque(1, 2 ** 16 - 1), 1, 2 ** 16 - 1);
export type SignedCertificateTimestampList = Infer<typeof signedCertificateTimestampList>;
