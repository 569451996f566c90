/**
 * `paddedLayout` and `compactPaddedLayout`: this library's own, for servers that share tickets with no other kind of server.
 *
 *     opaque key_name[16];
 *     opaque salt[32];
 *     opaque encrypted[];   // ChaCha20-Poly1305 of: opaque state<0..2^16-1>; opaque zeros[];
 *     opaque tag[16];       // also of the format and of key_name
 *
 *     key = HKDF-Expand(HKDF-Extract(format, secret), key_name || salt, 32)      format = "tls-resume ticket 1"
 *
 * Each ticket has a key of its own, so that random salts are safe for more tickets than will ever be sealed, and the nonce is zeros.
 *
 * The surprising thing: a ticket crosses the network in the clear, and its length alone tells who logs in with a certificate and who
 * does not. Here it tells the number of {@link paddedTicketLength} that the state needs, which is one for every state with up to 3 KiB
 * of certificates.
 *
 * On key commitment: ChaCha20-Poly1305 does not commit to its key. What holds here is that a ticket opens under one key of a ring, the
 * one it names, and that the key of the ticket is a hash of secret, name and salt. So nobody learns which keys a server has by tickets
 * that open under several (partitioning oracles), unless he holds two of its secrets.
 */
import { ascii, concat, wipe } from '../../bytes.js';
import { aeadTagLength } from '../../crypto/backend.js';
import { hkdfExpand } from '../../crypto/hkdf.js';
import { longestTicket, type LayoutKey, type TicketLayout } from '../layout.js';
import { aeadLayout } from './aead.js';
import { expandingKey, withDerivedKeys } from './derived-keys.js';
import { lengthFieldLength, readLength, writeLength } from './length-field.js';
import { isZero } from './padding.js';

/** Tickets of {@link paddedLayout} are multiples of so many bytes: 3 KiB of certificates and 446 of the rest. Fewer than these are wasted. */
export const paddedTicketLength = 3584;

/** Those of {@link compactPaddedLayout}: names, suites and protocols do not show, certificates do. */
export const compactPaddedTicketLength = 256;

const format = /* @__PURE__ */ ascii('tls-resume ticket 1');
const nameLength = 16;
const saltLength = 32;
const zeroNonce = /* @__PURE__ */ new Uint8Array(12);

const unpaddedLayout = /* @__PURE__ */ aeadLayout({
  name: 'padded',
  keyName: { offset: 0, length: nameLength },
  keyLengths: { name: nameLength, secret: [32] },
  headerLength: nameLength + saltLength,
  writeHeader: (header, crypto, name) => {
    header.set(name);
    header.set(crypto.randomBytes(saltLength), nameLength);
  },
  aead: (crypto, secret, name) => {
    const expanding = expandingKey(crypto, secret, format);
    return withDerivedKeys(crypto, 'chacha20-poly1305', {
      derive: (header) => ({ key: hkdfExpand(expanding, header, 32), nonce: zeroNonce }),
      additionalData: concat(format, name),
      destroy: () => {
        expanding.destroy();
      },
    });
  },
});

const overhead = nameLength + saltLength + aeadTagLength + lengthFieldLength;

/** The layout to take: whether and with what a client has proved itself does not show. */
export const paddedLayout = /* @__PURE__ */ paddedTo('padded', paddedTicketLength);

/** For servers that ask clients for no certificate. Opens tickets of {@link paddedLayout} too, and the other way round. */
export const compactPaddedLayout = /* @__PURE__ */ paddedTo('padded-compact', compactPaddedTicketLength);

function paddedTo(name: string, multiple: number): TicketLayout {
  return {
    ...unpaddedLayout,
    name,
    shortestTicket: compactPaddedTicketLength,
    longestState: longestTicket - (longestTicket % multiple) - overhead,
    prepare: (crypto, key) => new PaddedKey(unpaddedLayout.prepare(crypto, key), multiple),
  };
}

class PaddedKey implements LayoutKey {
  readonly #key: LayoutKey;
  readonly #multiple: number;

  constructor(key: LayoutKey, multiple: number) {
    this.#key = key;
    this.#multiple = multiple;
  }

  seal(state: Uint8Array): Uint8Array {
    const ticketLength = Math.ceil((overhead + state.length) / this.#multiple) * this.#multiple;
    const padded = new Uint8Array(ticketLength - overhead + lengthFieldLength);
    writeLength(padded, 0, state.length);
    padded.set(state, lengthFieldLength);
    const ticket = this.#key.seal(padded);
    wipe(padded);
    return ticket;
  }

  open(ticket: Uint8Array): Uint8Array | 'malformed' | 'bad_mac' {
    const padded = this.#key.open(ticket);
    if (typeof padded === 'string') return padded;
    const end = lengthFieldLength + readLength(padded, 0);
    if (end <= padded.length && isZero(padded.subarray(end))) {
      return padded.subarray(lengthFieldLength, end);
    }
    wipe(padded);
    return 'malformed';
  }

  destroy(): void {
    this.#key.destroy();
  }
}
