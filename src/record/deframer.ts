/**
 * Cuts a byte stream into records (RFC 5246 6.2.1, RFC 8446 5.1), whatever way the transport split or joined it.
 *
 * Whole records are views on the chunk that brought them; only the unfinished tail of a chunk is copied.
 */
import { AlertError } from '../errors.js';
import { contentTypes } from '../parameters.js';
import { ByteQueue } from './byte-queue.js';

export const recordHeaderLength = 5;
/** RFC 5246 6.2.1: the most plaintext that one record holds. */
export const maxPlaintextLength = 2 ** 14;
/** RFC 5246 6.2.3: ciphertext may be 2048 bytes longer. */
export const maxCiphertextLength = maxPlaintextLength + 2048;

/** A record as it stood on the wire. */
export interface RawRecord {
  /** The byte of the header; one of {@link contentTypes}. */
  readonly contentType: number;
  /** The payload, still protected if the connection is. A view: copy it to keep it. */
  readonly fragment: Uint8Array;
}

const knownContentTypes: ReadonlySet<number> = new Set<number>([
  contentTypes.change_cipher_spec,
  contentTypes.alert,
  contentTypes.handshake,
  contentTypes.application_data,
]);

export class Deframer {
  readonly #queue = new ByteQueue();

  /** Bytes that arrived and are not yet taken as records. */
  get buffered(): number {
    return this.#queue.length;
  }

  /** Takes over a chunk of the stream; it must not change until its records are taken. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#queue.push(chunk);
  }

  /**
   * The next whole record, or `undefined` until more bytes come. Throws as soon as a header is impossible: a peer that
   * speaks another protocol is told so at its fifth byte.
   */
  next(): RawRecord | undefined {
    const header = this.#queue.peek(recordHeaderLength);
    if (header === undefined) return undefined;
    const [contentType = 0, major = 0, , high = 0, low = 0] = header;
    const length = high * 0x100 + low;
    if (!knownContentTypes.has(contentType))
      throw new AlertError('unexpected_message', `got record content type ${String(contentType)}`);
    if (major !== 3) throw new AlertError('protocol_version', `got record version ${String(major)}.x, expected 3.x`);
    if (length > maxCiphertextLength) {
      const limit = String(maxCiphertextLength);
      throw new AlertError('record_overflow', `got a record of ${String(length)} bytes, expected at most ${limit}`);
    }
    const record = this.#queue.peek(recordHeaderLength + length);
    if (record === undefined) return undefined;
    this.#queue.skip(record.length);
    return { contentType, fragment: record.subarray(recordHeaderLength) };
  }

  /** Forgets what has not been taken. */
  clear(): void {
    this.#queue.clear();
  }
}
