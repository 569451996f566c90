/**
 * `rfc5077Layout`: the layout that RFC 5077 section 4 recommends, length field included.
 *
 *     struct {
 *         opaque key_name[16];
 *         opaque iv[16];
 *         opaque encrypted_state<0..2^16-1>;   // AES-CBC, PKCS #7 padding
 *         opaque mac[32];                      // HMAC-SHA-256 of everything before it
 *     } ticket;
 *
 * The surprising thing: hardly any server follows it. Those that are thought to do so send no length, see {@link opensslLayout}.
 */
import { cipherAndMacLayout } from './cipher-and-mac.js';
import { cbcWithHmacSha256 } from './openssl.js';

export const rfc5077Layout = /* @__PURE__ */ cipherAndMacLayout({
  ...cbcWithHmacSha256,
  name: 'rfc5077',
  length: 'sent',
});
