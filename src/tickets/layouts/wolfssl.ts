/**
 * `wolfsslLayout` and `wolfsslAesGcmLayout`: the tickets of wolfSSL with its default callback, as it is built by default and with
 * `WOLFSSL_TICKET_ENC_AES128_GCM` or `..._AES256_GCM`. Applications may set a callback of their own, which no layout knows.
 *
 *     opaque key_name[16];                 // the last bit says which of two keys it is
 *     opaque iv[16];                       // of which 12 are the nonce
 *     opaque encrypted_state<0..2^16-1>;   // ChaCha20-Poly1305 or AES-GCM
 *     opaque mac[32];                      // a tag[16], also of all before the encrypted state, and 16 zeros
 *
 * The surprising thing: half of the field for the MAC is unused, and nothing protects it.
 */
import type { CryptoBackend } from '../../crypto/backend.js';
import { aeadLayout, withFixedKey, type AeadShape } from './aead.js';
import { readLength, writeLength } from './length-field.js';

const common: Omit<AeadShape, 'name' | 'keyLengths' | 'aead'> = {
  keyName: { offset: 0, length: 16 },
  headerLength: 34,
  trailerLength: 16,
  writeHeader: (header, crypto, name, length) => {
    header.set(name);
    header.set(crypto.randomBytes(16), 16);
    writeLength(header, 32, length);
  },
  isWellFormed: (header, state) => readLength(header, 32) === state.length,
};

export const wolfsslLayout = /* @__PURE__ */ aeadLayout({
  ...common,
  name: 'wolfssl',
  keyLengths: { name: 16, secret: [32] },
  aead: (crypto, secret) => aead(crypto, 'chacha20-poly1305', secret),
});

export const wolfsslAesGcmLayout = /* @__PURE__ */ aeadLayout({
  ...common,
  name: 'wolfssl-aes-gcm',
  keyLengths: { name: 16, secret: [16, 32] },
  aead: (crypto, secret) => aead(crypto, secret.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', secret),
});

function aead(crypto: CryptoBackend, ...of: Parameters<CryptoBackend['aead']>) {
  return withFixedKey(crypto.aead(...of), [16, 28], [0, 34]);
}
