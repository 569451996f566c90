/**
 * The nonce of the next record (RFC 8446 5.3, RFC 7905 2): the IV XOR the sequence number.
 *
 * The surprising thing is that there is one array for all connections, since sealing and opening are one synchronous step each, and
 * that an IV is three numbers: a connection at rest holds no array that it can do without.
 */
import { aeadNonceLength } from '../crypto/backend.js';

/** Valid until the next call of {@link NonceSource.next}. */
export const nonce = new Uint8Array(aeadNonceLength);
const words = new DataView(nonce.buffer);

export class NonceSource {
  #first: number;
  #second: number;
  #third: number;

  /** An IV shorter than 12 bytes has zeros behind it. */
  constructor(iv: Uint8Array) {
    nonce.fill(0);
    nonce.set(iv);
    this.#first = words.getInt32(0);
    this.#second = words.getInt32(4);
    this.#third = words.getInt32(8);
  }

  /** Writes {@link nonce}. 2^53 records are out of reach of any connection. */
  next(sequence: number): void {
    words.setInt32(0, this.#first);
    words.setInt32(4, this.#second ^ Math.floor(sequence / 2 ** 32));
    words.setInt32(8, this.#third ^ sequence);
  }

  destroy(): void {
    this.#first = this.#second = this.#third = 0;
    nonce.fill(0);
  }
}
