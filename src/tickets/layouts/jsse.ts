/**
 * `jsse17Layout` and `jsse25Layout`: the tickets of SunJSSE, the TLS of OpenJDK, up to Java 17 and of Java 25.
 *
 *     Java 17                                       Java 25
 *     opaque key_id[4];                             opaque key_id[4];
 *     opaque iv[16];                                opaque iv[16];
 *     opaque encrypted_state[];  // AES-256-GCM     uint8 compressed;          // 0 or 1
 *     opaque tag[16];            // also of key_id  opaque encrypted_state[];  // AES-256-GCM
 *                                                   opaque tag[16];
 *
 * Java makes the keys itself, one an hour, and counts them in `key_id`. The surprising thing: Java 25 means to authenticate what stands
 * before the encrypted state and does not, so that `compressed` is whatever an attacker says.
 */
import { longNonceGcm } from '../../crypto/noble-foreign.js';
import { aeadLayout, withFixedKey, type AeadShape } from './aead.js';

const java17: AeadShape = {
  name: 'jsse17',
  keyName: { offset: 0, length: 4 },
  keyLengths: { name: 4, secret: [32] },
  headerLength: 20,
  writeHeader: (header, crypto, name) => {
    header.set(name);
    header.set(crypto.randomBytes(16), 4);
  },
  aead: (_, secret) => withFixedKey(longNonceGcm(secret), [4, 20], [0, 4]),
};

export const jsse17Layout = /* @__PURE__ */ aeadLayout(java17);

const compressedOffset = 20;

/**
 * Java compresses states of 600 bytes and more. Their tickets open to the gzip stream (RFC 1952) as it is, which starts with 1f 8b where
 * a state starts with a version: this package has nothing to inflate it with, and no bound on what comes out. Tickets that are sealed
 * here are never compressed, which Java takes at every length.
 */
export const jsse25Layout = /* @__PURE__ */ aeadLayout({
  ...java17,
  name: 'jsse25',
  headerLength: 21,
  isWellFormed: (header, state) => {
    const gzip = state[0] === 0x1f && state[1] === 0x8b;
    return header[compressedOffset] === (gzip ? 1 : 0);
  },
  aead: (_, secret) => withFixedKey(longNonceGcm(secret), [4, 20], [0, 0]),
});
