/**
 * Joins the payloads of handshake records into messages (RFC 5246 7.4, RFC 8446 4): a message may span records and a
 * record may hold several messages. This is where a message comes to own its bytes.
 */
import { AlertError } from '../errors.js';
import { ByteQueue } from './byte-queue.js';

export const handshakeHeaderLength = 4;

/** A handshake message that is complete but not decoded. */
export interface RawHandshake {
  /** The type byte. */
  readonly type: number;
  /** Header and body: what the transcript takes. */
  readonly bytes: Uint8Array;
}

export class HandshakeJoiner {
  readonly #maxMessageLength: number;
  readonly #queue = new ByteQueue();

  /** `maxMessageLength` bounds one message, header included; a longer one is refused when its header is read. */
  constructor(maxMessageLength: number) {
    this.#maxMessageLength = maxMessageLength;
  }

  /** Whether part of a message, or a whole one, waits. Keys must not change then (RFC 8446 5.1). */
  get pending(): boolean {
    return this.#queue.length > 0;
  }

  /** Bytes that wait. */
  get buffered(): number {
    return this.#queue.length;
  }

  /** Adds a record's payload; copies it unless `owned` says that nobody else holds it. */
  push(payload: Uint8Array, owned: boolean): void {
    this.#queue.push(owned ? payload : payload.slice());
  }

  /** The next whole message, or `undefined` until more bytes come. */
  next(): RawHandshake | undefined {
    const header = this.#queue.peek(handshakeHeaderLength);
    if (header === undefined) return undefined;
    const [type = 0, high = 0, middle = 0, low = 0] = header;
    const length = handshakeHeaderLength + high * 0x10000 + middle * 0x100 + low;
    if (length > this.#maxMessageLength) {
      const limit = String(this.#maxMessageLength);
      throw new AlertError('illegal_parameter', `got a message of ${String(length)} bytes, expected at most ${limit}`);
    }
    const bytes = this.#queue.peek(length);
    if (bytes === undefined) return undefined;
    this.#queue.skip(length);
    return { type, bytes };
  }

  /** Forgets what has not been taken. */
  clear(): void {
    this.#queue.clear();
  }
}
