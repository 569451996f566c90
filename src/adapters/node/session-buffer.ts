/**
 * Sessions as the Buffers that `node:tls` hands out. They hold a secret, and whoever prints one sees its length; what serialises a
 * Buffer (`toString`, `toJSON`) works on it as on any other, for that is how sessions are kept.
 */
import { inspect } from 'node:util';

/** The same memory. */
export function sessionBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  const session = Buffer.from(buffer, byteOffset, byteLength);
  return Object.defineProperty(session, inspect.custom, { value: () => `<Buffer of a session, ${byteLength} bytes>` });
}
