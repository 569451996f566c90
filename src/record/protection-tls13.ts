/**
 * AEAD protection of TLS 1.3 records (RFC 8446 5.2 to 5.4): content, its real type, and zeros for padding inside, and
 * `application_data` outside.
 *
 * The surprising thing are buffers that all connections share: the type byte has to stand right behind the content, and
 * what is sealed in one synchronous step needs no buffer of its own. A connection at rest holds its keys and nothing else.
 */
import { aeadTagLength, type AeadAlgorithm, type AeadKey, type CryptoBackend } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { contentTypes } from '../parameters.js';
import { maxPlaintextLength } from './deframer.js';
import { nonce, NonceSource } from './nonce.js';
import type { ProtectionKeys, RecordProtection, Unprotected } from './protection.js';

/** RFC 8446 5.2: content, type and padding together. */
export const maxInnerPlaintextLength = maxPlaintextLength + 1;
/** RFC 8446 5.2: type and tag, which every record without padding has beside its content. */
export const tls13Overhead = 1 + aeadTagLength;
/** RFC 8446 5.2: what a TLS 1.3 record may be longer than its content. */
export const maxTls13CiphertextLength = maxPlaintextLength + 256;

/**
 * Protection of one direction under the keys of one traffic secret, sequence number 0. Content and type are padded to a
 * multiple of `paddingBlock` bytes (RFC 8446 5.4), as far as they fit `limit` (RFC 8449 4); 1 is no padding.
 */
export function tls13Protection(
  crypto: CryptoBackend,
  aead: AeadAlgorithm,
  keys: ProtectionKeys,
  paddingBlock = 1,
  limit = maxInnerPlaintextLength,
): RecordProtection {
  return new Tls13Protection(crypto.aead(aead, keys.key), keys.iv, paddingBlock, limit);
}

let scratch = new Uint8Array(0);
/** RFC 8446 5.2: the header of the record. */
const additionalData = Uint8Array.of(contentTypes.application_data, 3, 3, 0, 0);

class Tls13Protection implements RecordProtection {
  records = 0;
  readonly typeLength = 1;
  readonly #key: AeadKey;
  readonly #nonces: NonceSource;
  readonly #paddingBlock: number;
  readonly #limit: number;

  constructor(key: AeadKey, iv: Uint8Array, paddingBlock: number, limit: number) {
    this.#key = key;
    this.#limit = limit;
    this.#nonces = new NonceSource(iv);
    this.#paddingBlock = paddingBlock;
  }

  sealedLength(plaintextLength: number): number {
    return this.#innerLength(plaintextLength) + aeadTagLength;
  }

  limitedLength(fragmentLength: number): number {
    return fragmentLength - aeadTagLength;
  }

  seal(contentType: number, plaintext: Uint8Array, output: Uint8Array): void {
    const length = this.#innerLength(plaintext.length);
    if (scratch.length < length) scratch = new Uint8Array(length <= 512 ? 512 : maxInnerPlaintextLength);
    const inner = scratch.subarray(0, length);
    inner.set(plaintext);
    inner[plaintext.length] = contentType;
    if (length > plaintext.length + 1) inner.fill(0, plaintext.length + 1);
    this.#next(length + aeadTagLength);
    this.#key.seal(nonce, additionalData, inner, output);
    inner.fill(0);
  }

  open(contentType: number, fragment: Uint8Array): Unprotected {
    // RFC 8446 5.2: whatever its type says, it is not what it has to be.
    if (contentType !== contentTypes.application_data)
      throw new AlertError('bad_record_mac', `got an unprotected record of type ${contentType}`);
    if (fragment.length > maxTls13CiphertextLength)
      throw new AlertError('record_overflow', `got a record of ${fragment.length} bytes`);
    if (fragment.length < aeadTagLength) throw new AlertError('bad_record_mac', 'got a record shorter than its tag');
    this.#next(fragment.length);
    const inner = this.#key.open(nonce, additionalData, fragment);
    if (inner === undefined) {
      this.records--;
      throw new AlertError('bad_record_mac', 'got a record that does not verify');
    }
    if (inner.length > maxInnerPlaintextLength)
      throw new AlertError('record_overflow', `got ${inner.length} bytes of plaintext in a record`);
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    if (end === 0) throw new AlertError('unexpected_message', 'got a record without a content type');
    return { contentType: inner[end - 1] ?? 0, payload: inner.subarray(0, end - 1) };
  }

  destroy(): void {
    this.#key.destroy();
    this.#nonces.destroy();
  }

  /** RFC 8446 5.4: the padded length, never above what a record may hold. */
  #innerLength(plaintextLength: number): number {
    const length = plaintextLength + 1;
    const padded = Math.ceil(length / this.#paddingBlock) * this.#paddingBlock;
    return Math.max(length, Math.min(padded, this.#limit));
  }

  #next(length: number): void {
    additionalData[3] = length >> 8;
    additionalData[4] = length;
    this.#nonces.next(this.records++);
  }
}
