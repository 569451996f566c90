/**
 * `Rfc5077Sealer`: tickets in the layout that RFC 5077 section 4 recommends, length field included.
 *
 *     struct {
 *         opaque key_name[16];
 *         opaque iv[16];
 *         opaque encrypted_state<0..2^16-1>;   // AES-CBC, PKCS #7 padding
 *         opaque mac[32];                      // HMAC-SHA-256 of everything before it
 *     } ticket;
 *
 * The surprising thing: `open` looks at the length field and at the padding only after the MAC was found right. Forged bytes
 * under a known name thus cost one HMAC and one comparison whatever is wrong with them, and there is no padding oracle.
 */
import { equalConstantTime } from '../bytes.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import type { KeyRing } from './key-ring.js';
import type { OpenedTicket, TicketRefusal, TicketSealer } from './sealer.js';

const blockLength = 16;
const ivOffset = 16;
const lengthOffset = 32;
const ciphertextOffset = 34;
const macLength = 32;
const overhead = ciphertextOffset + macLength;
/** RFC 5077 3.3: `opaque ticket<0..2^16-1>`. */
const longestTicket = 2 ** 16 - 1;
const longestCiphertext = Math.floor((longestTicket - overhead) / blockLength) * blockLength;

/** The longest state that fits into a ticket: padding takes one byte at least. */
export const maxTicketStateLength = longestCiphertext - 1;

export interface Rfc5077SealerOptions {
  readonly crypto: Pick<CryptoBackend, 'randomBytes'>;
  readonly keys: KeyRing;
}

/** Tickets of usual size are cut from slabs of this many bytes: an array of its own costs ten times a view. */
const slabLength = 4096;

/** Synchronous. Counters and renewal are the key ring's. */
export class Rfc5077Sealer implements TicketSealer {
  readonly #crypto: Pick<CryptoBackend, 'randomBytes'>;
  readonly #keys: KeyRing;
  #slab = new Uint8Array(0);

  constructor(options: Rfc5077SealerOptions) {
    this.#crypto = options.crypto;
    this.#keys = options.keys;
  }

  seal(state: Uint8Array): Uint8Array {
    if (state.length > maxTicketStateLength) {
      throw new UsageError(
        'value_not_encodable',
        `ticket state of ${String(state.length)} bytes, at most ${String(maxTicketStateLength)} fit`,
      );
    }
    const key = this.#keys.sealingKey();
    const padding = blockLength - (state.length % blockLength);
    const ciphertextLength = state.length + padding;
    const ticket = this.#allocate(overhead + ciphertextLength);
    const macOffset = ciphertextOffset + ciphertextLength;
    ticket.set(key.name);
    ticket.set(this.#crypto.randomBytes(blockLength), ivOffset);
    ticket[lengthOffset] = ciphertextLength >> 8;
    ticket[lengthOffset + 1] = ciphertextLength;
    // The plaintext stands for a moment where the ciphertext will: no second array with secrets in it.
    ticket.set(state, ciphertextOffset);
    ticket.fill(padding, ciphertextOffset + state.length, macOffset);
    const blocks = ticket.subarray(ciphertextOffset, macOffset);
    ticket.set(key.cbc.encrypt(ticket.subarray(ivOffset, lengthOffset), blocks), ciphertextOffset);
    ticket.set(key.hmac.compute(ticket.subarray(0, macOffset)), macOffset);
    return ticket;
  }

  open(ticket: Uint8Array): OpenedTicket {
    if (ticket.length < overhead + blockLength || ticket.length > longestTicket) return refusals.malformed;
    const key = this.#keys.openingKey(ticket);
    if (typeof key === 'string') return refusals[key];
    const macOffset = ticket.length - macLength;
    const mac = key.hmac.compute(ticket.subarray(0, macOffset));
    if (!equalConstantTime(mac, ticket.subarray(macOffset))) return refusals.bad_mac;

    // From here on the bytes are those that a holder of the key made.
    const ciphertext = ticket.subarray(ciphertextOffset, macOffset);
    const length = ((ticket[lengthOffset] ?? 0) << 8) | (ticket[lengthOffset + 1] ?? 0);
    if (length !== ciphertext.length || length % blockLength !== 0) return refusals.malformed;
    const padded = key.cbc.decrypt(ticket.subarray(ivOffset, lengthOffset), ciphertext);
    const padding = padded[padded.length - 1] ?? 0;
    if (padding === 0 || padding > blockLength) return refusals.malformed;
    const stateLength = padded.length - padding;
    for (let i = stateLength; i < padded.length; i++) if (padded[i] !== padding) return refusals.malformed;
    return { state: padded.subarray(0, stateLength), renew: this.#keys.countOpened(key) };
  }

  #allocate(length: number): Uint8Array {
    if (length > slabLength / 4) return new Uint8Array(length);
    if (length > this.#slab.length) this.#slab = new Uint8Array(slabLength);
    const bytes = this.#slab.subarray(0, length);
    this.#slab = this.#slab.subarray(length);
    return bytes;
  }
}

const refusals: { readonly [reason in TicketRefusal]: { readonly reason: reason } } = {
  malformed: { reason: 'malformed' },
  unknown_key_name: { reason: 'unknown_key_name' },
  expired: { reason: 'expired' },
  bad_mac: { reason: 'bad_mac' },
};
