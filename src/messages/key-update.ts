/** KeyUpdate: RFC 8446 4.6.3. A request of unknown value is an illegal_parameter, so it decodes. */
import { keyUpdateRequests } from '../parameters.js';
import { enumeration, type Infer, struct } from '../presentation/codec.js';

export const keyUpdate = struct({ requestUpdate: enumeration(1, keyUpdateRequests) });
export interface KeyUpdate extends Infer<typeof keyUpdate> {}
