/** certificate_authorities: RFC 8446 4.2.4, also a field of the TLS 1.2 CertificateRequest; oid_filters: RFC 8446 4.2.5. */
import { type Infer, opaque, struct, vector } from '../../presentation/codec.js';

/** An X.501 Name in DER. */
const distinguishedName = opaque(1, 2 ** 16 - 1);

export const distinguishedNameList = vector(distinguishedName, 3, 2 ** 16 - 1);
export type DistinguishedNameList = Infer<typeof distinguishedNameList>;

/** RFC 5246 7.4.4: TLS 1.2 lets the list be empty. */
export const distinguishedNameListTls12 = vector(distinguishedName, 0, 2 ** 16 - 1);

export const oidFilter = struct({
  certificateExtensionOid: opaque(1, 2 ** 8 - 1),
  certificateExtensionValues: opaque(0, 2 ** 16 - 1),
});
export interface OidFilter extends Infer<typeof oidFilter> {}

export const oidFilterList = vector(oidFilter, 0, 2 ** 16 - 1);
export type OidFilterList = Infer<typeof oidFilterList>;
