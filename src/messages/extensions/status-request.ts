/**
 * status_request: RFC 6066 8 in the ClientHello, and the CertificateStatus that answers it - as a message of its own in
 * TLS 1.2, as an extension of a certificate entry in TLS 1.3 (RFC 8446 4.4.2.1).
 */
import { certificateStatusTypes } from '../../parameters.js';
import { enumeration, type Infer, opaque, rest, select, struct, vector } from '../../presentation/codec.js';

const certificateStatusType = enumeration(1, certificateStatusTypes);

export const ocspStatusRequest = struct({
  responderIdList: vector(opaque(1, 2 ** 16 - 1), 0, 2 ** 16 - 1),
  requestExtensions: opaque(0, 2 ** 16 - 1),
});
export interface OcspStatusRequest extends Infer<typeof ocspStatusRequest> {}

export const certificateStatusRequest = select(
  'statusType',
  certificateStatusType,
  'request',
  { ocsp: ocspStatusRequest },
  rest(),
);
export type CertificateStatusRequest = Infer<typeof certificateStatusRequest>;

export const certificateStatus = select(
  'statusType',
  certificateStatusType,
  'response',
  { ocsp: opaque(1, 2 ** 24 - 1) },
  rest(),
);
export type CertificateStatus = Infer<typeof certificateStatus>;
