/**
 * The one engine of all layouts that protect the state with an AEAD:
 *
 *     header, encrypted_state, tag[16], zeros
 *
 * A header is a key name, random bytes, perhaps a length; layouts differ in what stands where and what of it is authenticated. The
 * surprising thing: in several servers not all of it is. Bytes that an attacker may change are held against what the server itself
 * writes there, after the tag was found right.
 */
import { copy, wipe } from '../../bytes.js';
import { aeadTagLength, type AeadKey, type CryptoBackend } from '../../crypto/backend.js';
import { longestTicket, type LayoutKey, type TicketLayout } from '../layout.js';
import { requireSecretKey, type SecretLengths } from './key-lengths.js';
import { isZero } from './padding.js';
import { TicketSpace } from './ticket-space.js';

/** How a layout differs from the others. */
export interface AeadShape {
  readonly name: string;
  readonly keyName?: { readonly offset: number; readonly length: number };
  readonly keyLengths: SecretLengths;
  readonly headerLength: number;
  /** Zeros behind the tag. */
  readonly trailerLength?: number;
  /** The header of a new ticket, into zeros; `ciphertextLength` is without the tag. */
  writeHeader(header: Uint8Array, crypto: CryptoBackend, name: Uint8Array, ciphertextLength: number): void;
  /** Whether an authentic ticket is of the layout's shape where that is not authenticated. Left out: it always is. */
  isWellFormed?(header: Uint8Array, state: Uint8Array): boolean;
  aead(crypto: CryptoBackend, secret: Uint8Array, name: Uint8Array): TicketAead;
}

/** An AEAD that takes its key, nonce and additional data from a header. */
export interface TicketAead {
  /** Writes ciphertext and tag to the start of `output`. */
  seal(header: Uint8Array, state: Uint8Array, output: Uint8Array): void;
  /** The state in an array of its own, or `undefined` if the tag is wrong. */
  open(header: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  destroy(): void;
}

/** To be marked `@__PURE__`, as those of `cipherAndMacLayout`. */
export function aeadLayout(shape: AeadShape): TicketLayout {
  const overhead = shape.headerLength + aeadTagLength + (shape.trailerLength ?? 0);
  return {
    name: shape.name,
    ...(shape.keyName === undefined ? {} : { keyName: shape.keyName }),
    shortestTicket: overhead,
    longestState: longestTicket - overhead,
    prepare: (crypto, key) => {
      const { name, secret } = requireSecretKey(shape.name, shape.keyLengths, key);
      return new AeadLayoutKey(shape, crypto, copy(name), shape.aead(crypto, secret, name));
    },
  };
}

class AeadLayoutKey implements LayoutKey {
  readonly #shape: AeadShape;
  readonly #crypto: CryptoBackend;
  readonly #name: Uint8Array;
  readonly #aead: TicketAead;
  readonly #trailerLength: number;
  readonly #space = new TicketSpace();

  constructor(shape: AeadShape, crypto: CryptoBackend, name: Uint8Array, aead: TicketAead) {
    this.#shape = shape;
    this.#crypto = crypto;
    this.#name = name;
    this.#aead = aead;
    this.#trailerLength = shape.trailerLength ?? 0;
  }

  seal(state: Uint8Array): Uint8Array {
    const { headerLength } = this.#shape;
    const ticket = this.#space.allocate(headerLength + state.length + aeadTagLength + this.#trailerLength);
    const header = ticket.subarray(0, headerLength);
    this.#shape.writeHeader(header, this.#crypto, this.#name, state.length);
    this.#aead.seal(header, state, ticket.subarray(headerLength));
    return ticket;
  }

  open(ticket: Uint8Array): Uint8Array | 'malformed' | 'bad_mac' {
    const { headerLength } = this.#shape;
    const end = ticket.length - this.#trailerLength;
    if (end < headerLength + aeadTagLength) return 'malformed';
    const header = ticket.subarray(0, headerLength);
    const state = this.#aead.open(header, ticket.subarray(headerLength, end));
    if (state === undefined) return 'bad_mac';
    if ((this.#shape.isWellFormed?.(header, state) ?? true) && isZero(ticket.subarray(end))) return state;
    wipe(state);
    return 'malformed';
  }

  destroy(): void {
    this.#aead.destroy();
  }
}

/** Where a part of a header stands: from one offset to before another. */
export type Span = readonly [from: number, to: number];

/** One key for all tickets; nonce and additional data are parts of the header. */
export function withFixedKey(key: AeadKey, nonce: Span, additionalData: Span): TicketAead {
  return {
    seal: (header, state, output) => {
      key.seal(header.subarray(...nonce), header.subarray(...additionalData), state, output);
    },
    open: (header, sealed) => key.open(header.subarray(...nonce), header.subarray(...additionalData), sealed),
    destroy: () => {
      key.destroy();
    },
  };
}
