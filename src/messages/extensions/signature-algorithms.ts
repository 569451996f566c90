/** signature_algorithms and signature_algorithms_cert: RFC 8446 4.2.3. TLS 1.2 has the same bytes (RFC 5246 7.4.1.4.1). */
import { signatureSchemes } from '../../parameters.js';
import { enumeration, type Infer, vector } from '../../presentation/codec.js';

export const signatureScheme = enumeration(2, signatureSchemes);

export const signatureSchemeList = vector(signatureScheme, 2, 2 ** 16 - 2);
export type SignatureSchemeList = Infer<typeof signatureSchemeList>;
