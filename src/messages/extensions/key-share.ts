/** key_share: RFC 8446 4.2.8. A HelloRetryRequest names a group only. */
import { type Infer, opaque, struct, vector } from '../../presentation/codec.js';
import { namedGroup } from './supported-groups.js';

export const keyShareEntry = struct(
  {
    group: namedGroup,
    keyExchange: opaque(1, 2 ** 16 - 1),
  },
  (fields, reader) => ({ group: fields.group.read(reader), keyExchange: fields.keyExchange.read(reader) }),
);
export interface KeyShareEntry extends Infer<typeof keyShareEntry> {}

export const keyShareEntryList = vector(keyShareEntry, 0, 2 ** 16 - 1);
export type KeyShareEntryList = Infer<typeof keyShareEntryList>;
