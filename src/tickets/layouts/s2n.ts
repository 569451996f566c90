/**
 * `s2nLayout`: the tickets of s2n-tls. The secret is what its `s2n_config_add_ticket_crypto_key` takes, of any length from 16 bytes on;
 * the name is padded with zeros to 16 bytes.
 *
 *     uint8 version = 1;
 *     opaque key_name[16];
 *     opaque info[32];
 *     opaque iv[12];
 *     opaque encrypted_state[];   // AES-256-GCM
 *     opaque tag[16];
 *
 * HKDF-SHA-256 makes an AES key and 12 bytes of additional data of the secret, and the key of one ticket of that AES key and `info`. The
 * surprising thing: the additional data are a secret and the name, and neither version nor anything else of the ticket.
 */
import { concat, empty, wipe } from '../../bytes.js';
import { hkdfExpand } from '../../crypto/hkdf.js';
import { aeadLayout } from './aead.js';
import { expandingKey, withDerivedKeys } from './derived-keys.js';

const version = 1;
const infoOffset = 17;
const ivOffset = 49;

export const s2nLayout = /* @__PURE__ */ aeadLayout({
  name: 's2n',
  keyName: { offset: 1, length: 16 },
  keyLengths: { name: 16, secret: { shortest: 16 } },
  headerLength: 61,
  writeHeader: (header, crypto, name) => {
    header[0] = version;
    header.set(name, 1);
    header.set(crypto.randomBytes(32), infoOffset);
    header.set(crypto.randomBytes(12), ivOffset);
  },
  isWellFormed: (header) => header[0] === version,
  aead: (crypto, secret, name) => {
    const expanding = expandingKey(crypto, secret);
    const keys = hkdfExpand(expanding, empty, 32 + 12);
    expanding.destroy();
    const ticketKeys = expandingKey(crypto, keys.subarray(0, 32));
    const additionalData = concat(keys.subarray(32), name);
    wipe(keys);
    return withDerivedKeys(crypto, 'aes-256-gcm', {
      derive: (header) => ({
        key: hkdfExpand(ticketKeys, header.subarray(infoOffset, ivOffset), 32),
        nonce: header.subarray(ivOffset),
      }),
      additionalData,
      destroy: () => {
        ticketKeys.destroy();
        wipe(additionalData);
      },
    });
  },
});
