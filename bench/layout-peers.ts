/** Tickets as one writes them straight on node:crypto: with the names and lengths of {@link measuredLayouts}, and the same checks. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
  type CipherGCMTypes,
} from 'node:crypto';

export interface TicketPeer {
  seal(state: Uint8Array): Uint8Array;
  open(ticket: Uint8Array): Uint8Array | string;
}

interface AesHmacKey {
  readonly name: Uint8Array;
  readonly aesKey: Uint8Array;
  readonly hmacKey: Uint8Array;
}

interface CipherAndMac {
  readonly cipher?: 'cbc' | 'ctr';
  readonly length?: boolean;
  readonly lengthInMac?: boolean;
  readonly zeroPadded?: boolean;
  readonly hash?: 'sha256' | 'sha1';
}

export function cipherAndMacPeer(key: AesHmacKey, of: CipherAndMac): TicketPeer {
  const { cipher = 'cbc', length = false, lengthInMac = false, zeroPadded = false, hash = 'sha256' } = of;
  const algorithm = `aes-${String(key.aesKey.length * 8)}-${cipher}`;
  const macLength = hash === 'sha1' ? 20 : 32;
  const ciphertextOffset = length ? 34 : 32;
  const macOf = (head: Uint8Array, ciphertext: Uint8Array) => {
    const mac = createHmac(hash, key.hmacKey).update(head);
    if (lengthInMac) mac.update(sixteen(ciphertext.length));
    return mac.update(ciphertext).digest();
  };
  return {
    seal: (state) => {
      const iv = randomBytes(16);
      const encryption = createCipheriv(algorithm, key.aesKey, iv).setAutoPadding(!zeroPadded);
      const plaintext = zeroPadded ? Buffer.concat([state], Math.ceil(state.length / 16) * 16) : state;
      const ciphertext = Buffer.concat([encryption.update(plaintext), encryption.final()]);
      const head = Buffer.concat(length ? [key.name, iv, sixteen(ciphertext.length)] : [key.name, iv]);
      return Buffer.concat([head, ciphertext, macOf(head, ciphertext)]);
    },
    open: (ticket) => {
      const head = ticket.subarray(0, ciphertextOffset);
      const ciphertext = ticket.subarray(ciphertextOffset, -macLength);
      if (!timingSafeEqual(macOf(head, ciphertext), ticket.subarray(-macLength))) return 'bad_mac';
      const decryption = createDecipheriv(algorithm, key.aesKey, ticket.subarray(16, 32)).setAutoPadding(!zeroPadded);
      return Buffer.concat([decryption.update(ciphertext), decryption.final()]);
    },
  };
}

type Span = readonly [from: number, to: number];

interface Aead {
  readonly algorithm: CipherGCMTypes | 'chacha20-poly1305';
  readonly nonce: Span;
  readonly aad: Span;
  readonly header: number;
  /** Where the length of the ciphertext stands. */
  readonly length?: number;
  /** Of what in the header HKDF makes the key of the ticket. */
  readonly derived?: Span;
}

/** Headers are of random bytes altogether: names cost nothing. */
export function aeadPeer(secret: Uint8Array, { algorithm, nonce, aad, header, length, derived }: Aead): TicketPeer {
  const keyLength = algorithm === 'aes-128-gcm' ? 16 : 32;
  const keyOf = (head: Uint8Array) =>
    derived === undefined
      ? secret
      : new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), head.subarray(...derived), keyLength));
  return {
    seal: (state) => {
      const head = randomBytes(header);
      if (length !== undefined) head.writeUInt16BE(state.length, length);
      const cipher = createCipheriv(algorithm as CipherGCMTypes, keyOf(head), head.subarray(...nonce), tagLength);
      cipher.setAAD(head.subarray(...aad), { plaintextLength: state.length });
      return Buffer.concat([head, cipher.update(state), cipher.final(), cipher.getAuthTag()]);
    },
    open: (ticket) => {
      const head = ticket.subarray(0, header);
      const decipher = createDecipheriv(algorithm as CipherGCMTypes, keyOf(head), head.subarray(...nonce), tagLength);
      decipher.setAAD(head.subarray(...aad), { plaintextLength: ticket.length - header - 16 });
      decipher.setAuthTag(ticket.subarray(-16));
      const state = decipher.update(ticket.subarray(header, -16));
      try {
        return Buffer.concat([state, decipher.final()]);
      } catch {
        return 'bad_mac';
      }
    },
  };
}

const tagLength = { authTagLength: 16 };

/** Tickets of a multiple of so many bytes, each under a key of its own. */
export function paddedPeer(secret: Uint8Array, multiple: number): TicketPeer {
  const inner = aeadPeer(secret, {
    algorithm: 'chacha20-poly1305',
    nonce: [0, 12],
    aad: [0, 16],
    header: 48,
    derived: [0, 48],
  });
  return {
    seal: (state) => {
      const ticketLength = Math.ceil((state.length + 66) / multiple) * multiple;
      return inner.seal(Buffer.concat([sixteen(state.length), state], ticketLength - 64));
    },
    open: (ticket) => {
      const padded = inner.open(ticket);
      return typeof padded === 'string' ? padded : padded.subarray(2, 2 + (padded[0]! << 8) + padded[1]!);
    },
  };
}

function sixteen(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(number);
  return bytes;
}
