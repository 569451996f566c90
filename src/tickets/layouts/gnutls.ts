/**
 * `gnutlsLayout`: the tickets of GnuTLS. `gnutls_session_ticket_key_generate` makes 64 bytes, from which SHA3-512 and the clock make
 * another name, AES key and HMAC key every 18 hours.
 *
 *     opaque key_name[16];
 *     opaque iv[16];
 *     opaque encrypted_state<0..2^16-1>;   // AES-256-CBC, zero padding
 *     opaque mac[20];                      // HMAC-SHA-1 of everything before it
 *
 * The surprising thing: zero padding cannot be told from a state that ends with zeros, as states of GnuTLS do. `open` answers the
 * state as it was encrypted, up to 15 zeros longer than it was: the state says itself where it ends.
 */
import { hmacSha1 } from '../../crypto/noble-foreign.js';
import { cipherAndMacLayout } from './cipher-and-mac.js';
import { cbcWithHmacSha256 } from './openssl.js';
import { zeroPadding } from './padding.js';

export const gnutlsLayout = /* @__PURE__ */ cipherAndMacLayout({
  ...cbcWithHmacSha256,
  name: 'gnutls',
  keyLengths: { aes: [32], hmac: [16, 16] },
  length: 'sent',
  padding: zeroPadding,
  macLength: 20,
  mac: (_, key) => hmacSha1(key),
});
