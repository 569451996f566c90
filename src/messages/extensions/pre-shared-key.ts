/**
 * pre_shared_key: RFC 8446 4.2.11.
 *
 * A binder covers the ClientHello up to the list of binders (4.2.11.2). The extension is the last one and the list its
 * last field, so the truncated ClientHello is a view on the message, and binders are written into a finished message.
 */
import { UsageError } from '../../errors.js';
import { type Infer, opaque, struct, uint32, vector } from '../../presentation/codec.js';

export const pskIdentity = struct({
  identity: opaque(1, 2 ** 16 - 1),
  obfuscatedTicketAge: uint32,
});
export interface PskIdentity extends Infer<typeof pskIdentity> {}

/**
 * RFC 8446 has `opaque PskBinderEntry<32..255>`. A shorter one is decoded here all the same: it is no binder of any hash, and is
 * answered like every other that does not verify, if its PSK is looked at.
 */
const pskBinderEntries = vector(opaque(0, 2 ** 8 - 1), 1, 2 ** 16 - 1);

export const offeredPsks = struct({
  identities: vector(pskIdentity, 7, 2 ** 16 - 1),
  binders: pskBinderEntries,
});
export interface OfferedPsks extends Infer<typeof offeredPsks> {}

/**
 * RFC 8446 4.2.11.2 `Truncate(ClientHello)`: a view on `message`, the encoded ClientHello with its header, that ends
 * before the list of binders. Its last extension must be the pre_shared_key whose `binders` these are.
 */
export function truncateClientHello(message: Uint8Array, binders: readonly Uint8Array[]): Uint8Array {
  return message.subarray(0, message.length - bindersLength(binders));
}

/**
 * Writes `binders` over those of an encoded ClientHello whose last extension is pre_shared_key. They must be as long as
 * the ones that stand there, for which zeros do.
 */
export function writeBinders(message: Uint8Array, binders: readonly Uint8Array[]): void {
  const list = pskBinderEntries.encode(binders);
  const at = message.length - list.length;
  if (at < 0 || message[at] !== list[0] || message[at + 1] !== list[1])
    throw new UsageError('value_not_encodable', 'the ClientHello has no room for these binders at its end');
  message.set(list, at);
}

function bindersLength(binders: readonly Uint8Array[]): number {
  return binders.reduce((length, binder) => length + 1 + binder.length, 2);
}
