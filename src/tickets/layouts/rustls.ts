/**
 * `rustlsAwsLcLayout` and `rustlsRingLayout`: the tickets of rustls, which differ with its cryptography.
 *
 *     with aws-lc-rs                                with ring
 *     opaque key_name[16];                          opaque key_name[16];
 *     opaque iv[16];                                opaque nonce[12];
 *     opaque encrypted_state[];  // AES-256-CBC     opaque encrypted_state[];  // ChaCha20-Poly1305
 *     opaque mac[32];            // HMAC-SHA-256    opaque tag[16];            // also of key_name
 *
 * The surprising thing: the MAC of the first is computed as if the two bytes of RFC 5077's length stood before the encrypted state.
 * rustls makes its keys itself, and opens no ticket longer than the longest it has sealed under a key.
 */
import { aeadLayout, withFixedKey } from './aead.js';
import { cipherAndMacLayout } from './cipher-and-mac.js';
import { cbcWithHmacSha256 } from './openssl.js';

export const rustlsAwsLcLayout = /* @__PURE__ */ cipherAndMacLayout({
  ...cbcWithHmacSha256,
  name: 'rustls-aws-lc',
  keyLengths: { aes: [32], hmac: [32, 32] },
  length: 'authenticated',
});

export const rustlsRingLayout = /* @__PURE__ */ aeadLayout({
  name: 'rustls-ring',
  keyName: { offset: 0, length: 16 },
  keyLengths: { name: 16, secret: [32] },
  headerLength: 28,
  writeHeader: (header, crypto, name) => {
    header.set(name);
    header.set(crypto.randomBytes(12), 16);
  },
  aead: (crypto, secret) => withFixedKey(crypto.aead('chacha20-poly1305', secret), [16, 28], [0, 16]),
});
