/**
 * HKDF (RFC 5869) over the HMAC of any backend. Extract and expand are apart because TLS 1.3 uses them apart
 * (RFC 8446 7.1). The one surprising thing: an absent salt needs no case of its own, since HMAC pads an empty key with
 * the same zeros that RFC 5869 2.2 asks for.
 */
import { UsageError } from '../errors.js';
import { wipe } from '../bytes.js';
import type { CryptoBackend, HashAlgorithm, HmacKey } from './backend.js';

/** RFC 5869 2.2: the pseudorandom key, as long as the hash. An empty `salt` stands for "not provided". */
export function hkdfExtract(crypto: CryptoBackend, hash: HashAlgorithm, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  const key = crypto.hmac(hash, salt);
  try {
    return key.compute(ikm);
  } finally {
    key.destroy();
  }
}

const firstCounter = Uint8Array.of(1);

/**
 * RFC 5869 2.3: `length` bytes of output under the HMAC key of a pseudorandom key.
 * Throws `UsageError` above 255 times the hash length.
 */
export function hkdfExpand(key: HmacKey, info: Uint8Array, length: number): Uint8Array {
  if (length > 255 * key.outputLength) {
    throw new UsageError(
      'invalid_option',
      `HKDF-Expand: got ${length} bytes, expected at most ${255 * key.outputLength}`,
    );
  }
  let block = key.compute(info, firstCounter);
  // Nearly every TLS secret is one whole block.
  if (length === block.length) return block;

  const output = new Uint8Array(length);
  const counter = Uint8Array.of(1);
  for (let offset = 0; ;) {
    output.set(block.subarray(0, length - offset), offset);
    offset += block.length;
    if (offset >= length) break;
    counter[0] = offset / block.length + 1;
    const next = key.compute(block, info, counter);
    wipe(block);
    block = next;
  }
  wipe(block);
  return output;
}
