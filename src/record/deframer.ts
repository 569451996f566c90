/**
 * Cuts a byte stream into records (RFC 5246 6.2.1, RFC 8446 5.1), whatever way the transport split or joined it.
 *
 * Whole records are views on the chunk that brought them; only a record that came in several chunks is copied.
 */
import { empty } from '../bytes.js';
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
  /** Arrived last, and not looked at but for what the record in the queue lacked. */
  #rest = empty;

  /** Bytes that arrived and are not yet taken as records. */
  get buffered(): number {
    return this.#queue.length + this.#rest.length;
  }

  /** Takes over a chunk of the stream; it must not change until its records are taken. */
  push(chunk: Uint8Array): void {
    if (this.#rest.length === 0) this.#rest = this.#complete(chunk);
    else {
      this.#queue.push(this.#rest);
      this.#queue.push(chunk);
      this.#rest = empty;
    }
  }

  /** Gives the unfinished record in the queue what it lacks, and answers what is left of the chunk. */
  #complete(chunk: Uint8Array): Uint8Array {
    let rest = chunk;
    while (this.#queue.length > 0 && rest.length > 0) {
      const wanted = this.#wanted();
      const missing = wanted - this.#queue.length;
      if (missing <= 0) break;
      this.#queue.push(rest.subarray(0, missing), wanted);
      rest = rest.subarray(missing);
    }
    return rest;
  }

  /** How long the record at the head of the queue is, as far as that is known. */
  #wanted(): number {
    const header = this.#queue.peek(recordHeaderLength);
    return header === undefined ? recordHeaderLength : recordHeaderLength + lengthOf(header);
  }

  /**
   * The next whole record, or `undefined` until more bytes come. Throws as soon as a header is impossible: a peer that
   * speaks another protocol is told so at its fifth byte.
   */
  next(): RawRecord | undefined {
    if (this.#queue.length > 0) this.#rest = this.#complete(this.#rest);
    else if (this.#rest.length > 0) {
      this.#queue.push(this.#rest);
      this.#rest = empty;
    }
    const header = this.#queue.peek(recordHeaderLength);
    if (header === undefined) return undefined;
    const [contentType = 0, major = 0] = header;
    const length = lengthOf(header);
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
    this.#rest = empty;
  }
}

function lengthOf([, , , high = 0, low = 0]: Uint8Array): number {
  return high * 0x100 + low;
}
