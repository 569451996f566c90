/**
 * AEAD protection of TLS 1.2 records (RFC 5246 6.2.3.3) in its two nonce layouts:
 *
 * - AES-GCM (RFC 5288 3): 4 implicit bytes from the key block and 8 explicit bytes in front of the ciphertext;
 * - ChaCha20-Poly1305 (RFC 7905 2): 12 bytes from the key block XOR the sequence number, nothing on the wire.
 *
 * The explicit part is the sequence number, so no nonce ever repeats under a key. What protects TLS 1.3 is in
 * `protection-tls13.ts`.
 */
import {
  aeadKeyLength,
  aeadNonceLength,
  aeadTagLength,
  type AeadAlgorithm,
  type AeadKey,
  type CryptoBackend,
} from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { nonce, NonceSource } from './nonce.js';

const explicitNonceLength = 8;

/** What protects one direction: the AEAD key and the fixed part of the nonce. */
export interface ProtectionKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** One direction of a protected connection; counts its own sequence number. */
export interface RecordProtection {
  /** Sealed or opened under this key so far. */
  readonly records: number;
  /** RFC 8446 5.2: 1 where the real content type is the last byte of the plaintext and the header says application_data. */
  readonly typeLength: 0 | 1;
  /** How long the protected fragment of so much plaintext is. */
  sealedLength(plaintextLength: number): number;
  /** What a record size limit counts of a fragment (RFC 8449 4): in TLS 1.3 with type and padding. */
  limitedLength(fragmentLength: number): number;
  /** Protects `plaintext` into `output`, `sealedLength` bytes. */
  seal(contentType: number, plaintext: Uint8Array, output: Uint8Array): void;
  /** The plaintext in an array of its own. `contentType` is the header's. A fragment that does not verify is bad_record_mac. */
  open(contentType: number, fragment: Uint8Array): Unprotected;
  destroy(): void;
}

/** What stood in a protected record. */
export interface Unprotected {
  readonly contentType: number;
  readonly payload: Uint8Array;
}

/** Key and nonce sizes that the key block has to give for one direction. */
export function keySizes(aead: AeadAlgorithm): { readonly key: number; readonly iv: number } {
  return {
    key: aeadKeyLength[aead],
    iv: hasExplicitNonce(aead) ? aeadNonceLength - explicitNonceLength : aeadNonceLength,
  };
}

function hasExplicitNonce(aead: AeadAlgorithm): boolean {
  return aead !== 'chacha20-poly1305';
}

/** Protection of one direction under the keys of a key block, sequence number 0. */
export function tls12Protection(crypto: CryptoBackend, aead: AeadAlgorithm, keys: ProtectionKeys): RecordProtection {
  return new Tls12Protection(crypto.aead(aead, keys.key), keys.iv, hasExplicitNonce(aead) ? explicitNonceLength : 0);
}

/** RFC 5246 6.2.3.3: seq_num, type, version, length. */
const additionalData = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0);
const header = new DataView(additionalData.buffer);

class Tls12Protection implements RecordProtection {
  records = 0;
  readonly typeLength = 0;
  readonly #overhead: number;
  readonly #key: AeadKey;
  readonly #explicit: number;
  /** With zeros behind the four implicit bytes of AES-GCM, so that both layouts are this XOR the sequence number. */
  readonly #nonces: NonceSource;

  constructor(key: AeadKey, iv: Uint8Array, explicit: number) {
    this.#key = key;
    this.#explicit = explicit;
    this.#overhead = explicit + aeadTagLength;
    this.#nonces = new NonceSource(iv);
  }

  sealedLength(plaintextLength: number): number {
    return plaintextLength + this.#overhead;
  }

  limitedLength(fragmentLength: number): number {
    return fragmentLength - this.#overhead;
  }

  seal(contentType: number, plaintext: Uint8Array, output: Uint8Array): void {
    this.#next(contentType, plaintext.length);
    for (let i = 0; i < this.#explicit; i++) output[i] = additionalData[i] ?? 0;
    this.#key.seal(nonce, additionalData, plaintext, output.subarray(this.#explicit));
  }

  open(contentType: number, fragment: Uint8Array): Unprotected {
    if (fragment.length < this.#overhead) throw new AlertError('bad_record_mac', 'got a record shorter than its tag');
    this.#next(contentType, fragment.length - this.#overhead);
    const sealed = this.#explicit > 0 ? fragment.subarray(this.#explicit) : fragment;
    // The peer may count otherwise, or draw this part at random (RFC 5288 3).
    for (let i = 0; i < this.#explicit; i++) nonce[aeadNonceLength - explicitNonceLength + i] = fragment[i] ?? 0;
    const plaintext = this.#key.open(nonce, additionalData, sealed);
    if (plaintext === undefined) throw new AlertError('bad_record_mac', 'got a record that does not verify');
    return { contentType, payload: plaintext };
  }

  destroy(): void {
    this.#key.destroy();
    this.#nonces.destroy();
  }

  /** Additional data and nonce of the next record. 2^53 records are out of reach of any connection. */
  #next(contentType: number, length: number): void {
    additionalData[8] = contentType;
    additionalData[11] = length >> 8;
    additionalData[12] = length;
    const sequence = this.records++;
    this.#nonces.next(sequence);
    header.setUint32(0, Math.floor(sequence / 2 ** 32));
    header.setUint32(4, sequence);
  }
}
