/** supported_groups: RFC 8446 4.2.7; ec_point_formats: RFC 8422 5.1.2, of no meaning in TLS 1.3. */
import { ecPointFormats, namedGroups } from '../../parameters.js';
import { enumeration, type Infer, vector } from '../../presentation/codec.js';

export const namedGroup = enumeration(2, namedGroups);

export const namedGroupList = vector(namedGroup, 2, 2 ** 16 - 1);
export type NamedGroupList = Infer<typeof namedGroupList>;

export const ecPointFormatList = vector(enumeration(1, ecPointFormats), 1, 2 ** 8 - 1);
export type EcPointFormatList = Infer<typeof ecPointFormatList>;
