/**
 * `fizzLayout`: the tickets of fizz without a PSK context. The secret is a ticket secret of the server, of 32 bytes at least.
 *
 *     opaque salt[32];
 *     uint32 sequence_number = 0;
 *     opaque encrypted_state[];   // AES-128-GCM, no additional data
 *     opaque tag[16];
 *
 * HKDF-SHA-256 makes key and IV of the secret and the salt. The surprising thing: nothing names the key, and a server tries every one.
 */
import { ascii, empty } from '../../bytes.js';
import { hkdfExpand } from '../../crypto/hkdf.js';
import { aeadLayout } from './aead.js';
import { expandingKey, withDerivedKeys } from './derived-keys.js';

const label = /* @__PURE__ */ ascii('Fizz Ticket Codec v2');
const saltLength = 32;
const keyLength = 16;
const nonceLength = 12;

export const fizzLayout = /* @__PURE__ */ aeadLayout({
  name: 'fizz',
  keyLengths: { name: 16, secret: { shortest: 32 } },
  headerLength: 36,
  writeHeader: (header, crypto) => {
    header.set(crypto.randomBytes(saltLength));
  },
  aead: (crypto, secret) => {
    const expanding = expandingKey(crypto, secret, label);
    return withDerivedKeys(crypto, 'aes-128-gcm', {
      derive: (header) => {
        const keys = hkdfExpand(expanding, header.subarray(0, saltLength), keyLength + nonceLength);
        const nonce = keys.subarray(keyLength);
        // As in records (RFC 8446 5.3). fizz writes no other number than 0, and reads any.
        for (let i = 0; i < 4; i++) {
          const at = nonceLength - 4 + i;
          nonce[at] = (nonce[at] ?? 0) ^ (header[saltLength + i] ?? 0);
        }
        return { key: keys.subarray(0, keyLength), nonce };
      },
      additionalData: empty,
      destroy: () => {
        expanding.destroy();
      },
    });
  },
});
