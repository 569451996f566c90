/**
 * The part of a binder that registers keep: its first 16 bytes (RFC 8446 8.2 lets the key be "derived" from the binder).
 *
 * Less than the whole can never make a replay look new, for a replay has the same bytes. It could make a new hello look like a replay,
 * and then 0-RTT is rejected: by chance once in 2^128, and whoever looks for such a hello has only taken away a round trip from himself.
 */
import { UsageError } from '../errors.js';

export const registerKeyLength = 16;

/** A view. Throws `UsageError` for what is too short to be a binder. */
export function registerKey(binder: Uint8Array): Uint8Array {
  if (binder.length < registerKeyLength)
    throw new UsageError('invalid_key', `a binder has ${binder.length} bytes, expected at least ${registerKeyLength}`);
  return binder.subarray(0, registerKeyLength);
}
