/**
 * A key of its own for every ticket, by HKDF from one secret and random bytes that stand in the ticket. The surprising thing: this is
 * what makes random nonces safe. Under one AES-GCM or ChaCha20-Poly1305 key they are good for 2^32 tickets (SP 800-38D 8.3), and a
 * fleet that shares keys seals so many.
 */
import { empty, wipe } from '../../bytes.js';
import type { AeadAlgorithm, AeadKey, CryptoBackend, HmacKey } from '../../crypto/backend.js';
import { hkdfExtract } from '../../crypto/hkdf.js';
import { UsageError } from '../../errors.js';
import type { TicketAead } from './aead.js';

/** How a layout derives the key of one ticket. */
export interface TicketKeyDerivation {
  /** The key is an array of its own, and wiped after its one use. */
  readonly derive: (header: Uint8Array) => { readonly key: Uint8Array; readonly nonce: Uint8Array };
  readonly additionalData: Uint8Array;
  readonly destroy: () => void;
}

/** A key of its own for every ticket. Throws `UsageError('unsupported_by_backend')`. */
export function withDerivedKeys(
  crypto: CryptoBackend,
  algorithm: AeadAlgorithm,
  { derive, additionalData, destroy }: TicketKeyDerivation,
): TicketAead {
  // Now, and not with the first ticket.
  if (!crypto.capabilities.aeads.includes(algorithm)) {
    throw new UsageError('unsupported_by_backend', `the ${crypto.name} backend has no ${algorithm}`);
  }
  const withKeyOf = <T>(header: Uint8Array, use: (aead: AeadKey, nonce: Uint8Array) => T): T => {
    const { key, nonce } = derive(header);
    const aead = crypto.aead(algorithm, key);
    try {
      return use(aead, nonce);
    } finally {
      aead.destroy();
      wipe(key);
    }
  };
  return {
    seal: (header, state, output) => {
      withKeyOf(header, (aead, nonce) => {
        aead.seal(nonce, additionalData, state, output);
      });
    },
    open: (header, sealed) => withKeyOf(header, (aead, nonce) => aead.open(nonce, additionalData, sealed)),
    destroy,
  };
}

/** The HMAC-SHA-256 key that expands `secret` (RFC 5869 2.3). No `salt` stands for an empty one. */
export function expandingKey(crypto: CryptoBackend, secret: Uint8Array, salt: Uint8Array = empty): HmacKey {
  const pseudorandomKey = hkdfExtract(crypto, 'sha256', salt, secret);
  const key = crypto.hmac('sha256', pseudorandomKey);
  wipe(pseudorandomKey);
  return key;
}
