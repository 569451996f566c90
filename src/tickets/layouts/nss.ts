/**
 * `nssLayout`: the tickets of NSS, which are those of RFC 5077 section 4 to the letter, under AES-256 and an HMAC key of 32 bytes.
 *
 * Names start with `NSS!`. The surprising thing: the secret inside is encrypted once more, under a key that never leaves the process,
 * so that whoever opens a ticket still cannot resume with it.
 */
import { cipherAndMacLayout } from './cipher-and-mac.js';
import { cbcWithHmacSha256 } from './openssl.js';

export const nssLayout = /* @__PURE__ */ cipherAndMacLayout({
  ...cbcWithHmacSha256,
  name: 'nss',
  keyLengths: { aes: [32], hmac: [32, 32] },
  length: 'sent',
});
