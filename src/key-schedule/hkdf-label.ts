/**
 * HKDF-Expand-Label (RFC 8446 7.1). The HkdfLabel is written by hand: a full handshake asks for some thirty of them. The
 * one surprising thing: labels come as bytes and without their "tls13 ", which goes in front here.
 */
import { ascii } from '../bytes.js';
import type { HmacKey } from '../crypto/backend.js';
import { hkdfExpand } from '../crypto/hkdf.js';
import { UsageError } from '../errors.js';

const prefix = ascii('tls13 ');
const largestVector = 255;

/** The longest label without its prefix, in bytes. */
export const largestLabel = largestVector - prefix.length;

/**
 * RFC 8446 7.1: `length` bytes under the HMAC key of a secret, in an array of their own. `label` has at most 249
 * bytes, and of an exporter may have none, though RFC 8446 writes `<7..255>`; `context` has at most 255. Throws `UsageError` otherwise,
 * and above 255 hashes of output.
 */
export function hkdfExpandLabel(key: HmacKey, label: Uint8Array, context: Uint8Array, length: number): Uint8Array {
  if (label.length > largestLabel || context.length > largestVector) {
    throw new UsageError(
      'invalid_option',
      `HKDF-Expand-Label: got a label of ${label.length} bytes and a context of ${context.length}, expected at most ${largestLabel} and at most ${largestVector}`,
    );
  }
  // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel
  const contextAt = 3 + prefix.length + label.length;
  const info = new Uint8Array(contextAt + 1 + context.length);
  info[0] = length >> 8;
  info[1] = length;
  info[2] = prefix.length + label.length;
  info.set(prefix, 3);
  info.set(label, 3 + prefix.length);
  info[contextAt] = context.length;
  info.set(context, contextAt + 1);
  return hkdfExpand(key, info, length);
}
