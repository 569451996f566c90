/**
 * server_name: RFC 6066 3. In answers the extension is empty.
 *
 * The RFC writes a select over the name type, but promises a 16-bit length in front of names of all types to come, so
 * that lists with unknown types can be read.
 */
import { enumeration, type Infer, opaque, struct, vector } from '../../presentation/codec.js';
import { serverNameTypes } from '../../parameters.js';

export const serverName = struct(
  {
    nameType: enumeration(1, serverNameTypes),
    /** For `host_name`: ASCII without a trailing dot. */
    name: opaque(1, 2 ** 16 - 1),
  },
  (fields, reader) => ({ nameType: fields.nameType.read(reader), name: fields.name.read(reader) }),
);
export interface ServerName extends Infer<typeof serverName> {}

export const serverNameList = vector(serverName, 1, 2 ** 16 - 1);
export type ServerNameList = Infer<typeof serverNameList>;

/** RFC 6066 3: ASCII, no trailing dot, no literal IP address; 255 bytes as in the DNS. */
export function isHostName(name: string): boolean {
  const isAddress = /^[0-9.]+$/.test(name) || name.includes(':');
  return /^[\x21-\x7e]{1,255}$/.test(name) && !name.endsWith('.') && !isAddress;
}
