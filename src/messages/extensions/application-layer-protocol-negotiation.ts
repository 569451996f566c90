/** application_layer_protocol_negotiation: RFC 7301 3.1. An answer is the same list with one name, which its reader checks. */
import { type Infer, opaque, vector } from '../../presentation/codec.js';

export const protocolNameList = vector(opaque(1, 2 ** 8 - 1), 2, 2 ** 16 - 1);
export type ProtocolNameList = Infer<typeof protocolNameList>;
