/**
 * The one engine of all layouts that encrypt with AES and authenticate with HMAC, as RFC 5077 4 recommends:
 *
 *     key_name, iv[16], [length,] encrypted_state, mac
 *
 * Servers differ in data alone: which cipher, padding and hash, whether there is a name, and what became of the length, which RFC 5077
 * has and hardly anybody sends. The surprising thing: one server authenticates a length that it does not send.
 */
import { copy, equalConstantTime, wipe } from '../../bytes.js';
import type { CryptoBackend, HmacKey } from '../../crypto/backend.js';
import { longestTicket, type LayoutKey, type TicketLayout } from '../layout.js';
import { requireAesHmacKey, type AesHmacLengths } from './key-lengths.js';
import { lengthFieldLength, readLength, writeLength } from './length-field.js';
import { TicketSpace } from './ticket-space.js';

/** How a layout differs from its kin. */
export interface CipherAndMac {
  readonly name: string;
  readonly keyNameLength: 16 | 0;
  readonly keyLengths: AesHmacLengths;
  /** The bytes of the length: sent, authenticated as if it had been sent, or nowhere. */
  readonly length: 'sent' | 'authenticated' | 'absent';
  readonly padding: Padding;
  cipher(crypto: CryptoBackend, key: Uint8Array): TicketCipher;
  readonly macLength: number;
  mac(crypto: CryptoBackend, key: Uint8Array): HmacKey;
}

/** Of the backends, AES-CBC; a stream cipher does the same in both directions. Results are new arrays. */
export interface TicketCipher {
  encrypt(iv: Uint8Array, bytes: Uint8Array): Uint8Array;
  decrypt(iv: Uint8Array, bytes: Uint8Array): Uint8Array;
  destroy(): void;
}

/** What is added to the state before it is encrypted. */
export interface Padding {
  /** Ciphertexts are multiples of it. */
  readonly blockLength: number;
  /** Bytes that a state has at least. */
  readonly shortest: number;
  /** The longest state in `room` bytes of ciphertext. */
  longestState(room: number): number;
  /** How many bytes are added to a state of this length. */
  count(stateLength: number): number;
  /** Their value. */
  value(count: number): number;
  /** How long the state is that was padded so; `undefined` where nothing was. */
  stateLength(padded: Uint8Array): number | undefined;
}

const ivLength = 16;

/** Layouts are made under the mark `@__PURE__`, so that bundlers leave out those that nobody imports. */
export function cipherAndMacLayout(shape: CipherAndMac): TicketLayout {
  const overhead = shape.keyNameLength + ivLength + (shape.length === 'sent' ? lengthFieldLength : 0) + shape.macLength;
  return {
    name: shape.name,
    ...(shape.keyNameLength === 0 ? {} : { keyName: { offset: 0, length: shape.keyNameLength } }),
    shortestTicket: overhead + shape.padding.shortest,
    longestState: shape.padding.longestState(longestTicket - overhead),
    prepare: (crypto, key) => {
      const { aesKey, hmacKey } = requireAesHmacKey(shape.name, shape.keyLengths, key);
      return new CipherAndMacKey(
        shape,
        crypto,
        copy(key.name.subarray(0, shape.keyNameLength)),
        shape.cipher(crypto, aesKey),
        shape.mac(crypto, hmacKey),
      );
    },
  };
}

class CipherAndMacKey implements LayoutKey {
  readonly #crypto: CryptoBackend;
  readonly #name: Uint8Array;
  readonly #cipher: TicketCipher;
  readonly #mac: HmacKey;
  readonly #padding: Padding;
  readonly #length: CipherAndMac['length'];
  readonly #macLength: number;
  readonly #ivOffset: number;
  readonly #lengthOffset: number;
  readonly #ciphertextOffset: number;
  readonly #space = new TicketSpace();

  constructor(shape: CipherAndMac, crypto: CryptoBackend, name: Uint8Array, cipher: TicketCipher, mac: HmacKey) {
    this.#crypto = crypto;
    this.#name = name;
    this.#cipher = cipher;
    this.#mac = mac;
    this.#padding = shape.padding;
    this.#length = shape.length;
    this.#macLength = shape.macLength;
    this.#ivOffset = shape.keyNameLength;
    this.#lengthOffset = this.#ivOffset + ivLength;
    this.#ciphertextOffset = this.#lengthOffset + (shape.length === 'sent' ? lengthFieldLength : 0);
  }

  seal(state: Uint8Array): Uint8Array {
    const padding = this.#padding.count(state.length);
    const ciphertextLength = state.length + padding;
    const macOffset = this.#ciphertextOffset + ciphertextLength;
    const ticket = this.#space.allocate(macOffset + this.#macLength);
    ticket.set(this.#name);
    ticket.set(this.#crypto.randomBytes(ivLength), this.#ivOffset);
    if (this.#length === 'sent') writeLength(ticket, this.#lengthOffset, ciphertextLength);
    // The plaintext stands for a moment where the ciphertext will: no second array with secrets in it.
    ticket.set(state, this.#ciphertextOffset);
    ticket.fill(this.#padding.value(padding), this.#ciphertextOffset + state.length, macOffset);
    const plaintext = ticket.subarray(this.#ciphertextOffset, macOffset);
    ticket.set(
      this.#cipher.encrypt(ticket.subarray(this.#ivOffset, this.#lengthOffset), plaintext),
      this.#ciphertextOffset,
    );
    ticket.set(this.#macOf(ticket, macOffset), macOffset);
    return ticket;
  }

  open(ticket: Uint8Array): Uint8Array | 'malformed' | 'bad_mac' {
    const macOffset = ticket.length - this.#macLength;
    if (macOffset < this.#ciphertextOffset) return 'malformed';
    if (!equalConstantTime(this.#macOf(ticket, macOffset), ticket.subarray(macOffset))) return 'bad_mac';

    // From here on the bytes are those that a holder of the key made.
    const ciphertext = ticket.subarray(this.#ciphertextOffset, macOffset);
    if (this.#length === 'sent' && readLength(ticket, this.#lengthOffset) !== ciphertext.length) return 'malformed';
    if (ciphertext.length < this.#padding.shortest || ciphertext.length % this.#padding.blockLength !== 0) {
      return 'malformed';
    }
    const padded = this.#cipher.decrypt(ticket.subarray(this.#ivOffset, this.#lengthOffset), ciphertext);
    const stateLength = this.#padding.stateLength(padded);
    if (stateLength !== undefined) return padded.subarray(0, stateLength);
    wipe(padded);
    return 'malformed';
  }

  destroy(): void {
    this.#cipher.destroy();
    this.#mac.destroy();
  }

  #macOf(ticket: Uint8Array, macOffset: number): Uint8Array {
    if (this.#length !== 'authenticated') return this.#mac.compute(ticket.subarray(0, macOffset));
    const length = new Uint8Array(lengthFieldLength);
    writeLength(length, 0, macOffset - this.#ciphertextOffset);
    return this.#mac.compute(
      ticket.subarray(0, this.#lengthOffset),
      length,
      ticket.subarray(this.#ciphertextOffset, macOffset),
    );
  }
}
