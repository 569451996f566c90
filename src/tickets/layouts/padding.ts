/**
 * How servers pad the state in a ticket. The surprising thing: zeros cannot be told from a state that ends with them, so that a layout
 * which pads with them answers them as part of the state.
 */
import { aesBlockLength } from '../../crypto/refusals.js';
import type { Padding } from './cipher-and-mac.js';

/** RFC 5652 6.3: from 1 to 16 bytes, each of which says how many they are. */
export const pkcs7Padding: Padding = {
  blockLength: aesBlockLength,
  shortest: aesBlockLength,
  longestState: (room) => room - (room % aesBlockLength) - 1,
  count: (stateLength) => aesBlockLength - (stateLength % aesBlockLength),
  value: (count) => count,
  stateLength: (padded) => {
    const count = padded[padded.length - 1] ?? 0;
    if (count === 0 || count > aesBlockLength) return undefined;
    const stateLength = padded.length - count;
    for (let i = stateLength; i < padded.length; i++) if (padded[i] !== count) return undefined;
    return stateLength;
  },
};

/** Zeros up to a whole block, if there is not one already; an empty state takes one block. */
export const zeroPadding: Padding = {
  blockLength: aesBlockLength,
  shortest: aesBlockLength,
  longestState: (room) => room - (room % aesBlockLength),
  count: (stateLength) => (stateLength === 0 ? aesBlockLength : -stateLength & (aesBlockLength - 1)),
  value: () => 0,
  stateLength: (padded) => padded.length,
};

/** For stream ciphers. */
export const noPadding: Padding = {
  blockLength: 1,
  shortest: 0,
  longestState: (room) => room,
  count: () => 0,
  value: () => 0,
  stateLength: (padded) => padded.length,
};

/** A loop, because `every` costs more than the cryptography on what is padded with thousands. */
export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
