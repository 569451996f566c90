/** supported_versions: RFC 8446 4.2.1. */
import { protocolVersions } from '../../parameters.js';
import { enumeration, type Infer, vector } from '../../presentation/codec.js';

export const protocolVersion = enumeration(2, protocolVersions);

export const protocolVersionList = vector(protocolVersion, 2, 2 ** 8 - 2);
export type ProtocolVersionList = Infer<typeof protocolVersionList>;
