/**
 * What every decoder of stored sessions shares: bytes that do not fit are no error but no session.
 */
import { DecodeError } from '../errors.js';
import type { Codec } from '../presentation/codec.js';

/** The value of all `bytes`, or `undefined` where they do not follow the codec. */
export function decodeOrUndefined<T>(codec: Codec<T>, bytes: Uint8Array): T | undefined {
  try {
    return codec.decode(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** P-state-2: all zeros are what a failed derivation or a wiped session leaves behind. */
export function isAllZero(secret: Uint8Array): boolean {
  return secret.every((byte) => byte === 0);
}
