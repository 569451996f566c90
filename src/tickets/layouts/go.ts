/**
 * `go120Layout` and `go121Layout`: the tickets of Go's crypto/tls.
 *
 *     opaque key_name[16];        // up to Go 1.20
 *     opaque iv[16];
 *     opaque encrypted_state[];   // AES-128-CTR, no padding
 *     opaque mac[32];             // HMAC-SHA-256 of everything before it
 *
 * Names and keys are parts of SHA-512 of what `SetSessionTicketKeys` takes. The surprising thing: from Go 1.21 on no name is sent, and
 * a server tries every key it has.
 */
import { CtrKey } from '../../crypto/noble-foreign.js';
import { cipherAndMacLayout, type CipherAndMac } from './cipher-and-mac.js';
import { cbcWithHmacSha256 } from './openssl.js';
import { noPadding } from './padding.js';

const ctrWithHmacSha256: CipherAndMac = {
  ...cbcWithHmacSha256,
  name: 'go120',
  keyLengths: { aes: [16], hmac: [16, 16] },
  padding: noPadding,
  cipher: (_, key) => new CtrKey(key),
};

export const go120Layout = /* @__PURE__ */ cipherAndMacLayout(ctrWithHmacSha256);

/** The name of a key stays in the ring: tickets do without it. */
export const go121Layout = /* @__PURE__ */ cipherAndMacLayout({
  ...ctrWithHmacSha256,
  name: 'go121',
  keyNameLength: 0,
});
