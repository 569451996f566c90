/**
 * `opensslLayout`: the tickets of OpenSSL and of all that is built on it: nginx, Apache, HAProxy, Node.js, h2o, BoringSSL.
 *
 *     opaque key_name[16];
 *     opaque iv[16];
 *     opaque encrypted_state[];   // AES-CBC, PKCS #7 padding
 *     opaque mac[32];             // HMAC-SHA-256 of everything before it
 *
 * RFC 5077 section 4 without the length. AES-128 or AES-256 by the length of the key. The surprising thing: the length of the HMAC key,
 * from 16 bytes to the 64 of h2o, shows in no ticket, and two keys that differ in zeros at the end alone are the same (RFC 2104 2).
 */
import { cipherAndMacLayout, type CipherAndMac } from './cipher-and-mac.js';
import { pkcs7Padding } from './padding.js';

/** What the layouts of RFC 5077's family have in common. */
export const cbcWithHmacSha256: CipherAndMac = {
  name: 'openssl',
  keyNameLength: 16,
  keyLengths: { aes: [16, 32], hmac: [16, 64] },
  length: 'absent',
  padding: pkcs7Padding,
  cipher: (crypto, key) => crypto.cbc(key),
  macLength: 32,
  mac: (crypto, key) => crypto.hmac('sha256', key),
};

export const opensslLayout = /* @__PURE__ */ cipherAndMacLayout(cbcWithHmacSha256);
