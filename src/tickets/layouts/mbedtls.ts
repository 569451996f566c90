/**
 * `mbedtlsLayout`: the tickets of mbed TLS (`mbedtls_ssl_ticket_rotate`, or keys of its own).
 *
 *     opaque key_name[4];
 *     opaque iv[12];
 *     opaque encrypted_state<0..2^16-1>;   // AES-GCM; 256 bits unless set up otherwise
 *     opaque tag[16];                      // also of all before the encrypted state
 *
 * The secret is the AES key, of 16 or 32 bytes. The surprising thing: with names of 4 bytes, tickets of other servers are taken for ones
 * of a known key once in four thousand million; the tag tells.
 */
import { aeadLayout, withFixedKey } from './aead.js';
import { readLength, writeLength } from './length-field.js';

export const mbedtlsLayout = /* @__PURE__ */ aeadLayout({
  name: 'mbedtls',
  keyName: { offset: 0, length: 4 },
  keyLengths: { name: 4, secret: [16, 32] },
  headerLength: 18,
  writeHeader: (header, crypto, name, length) => {
    header.set(name);
    header.set(crypto.randomBytes(12), 4);
    writeLength(header, 16, length);
  },
  isWellFormed: (header, state) => readLength(header, 16) === state.length,
  aead: (crypto, secret) =>
    withFixedKey(crypto.aead(secret.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', secret), [4, 16], [0, 18]),
});
