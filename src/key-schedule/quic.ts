/**
 * What QUIC makes of TLS secrets (RFC 9001 5 and 6): packet keys, header protection keys, their successors, and the Initial secrets
 * that everybody can compute.
 */
import { ascii, empty, fromHex, wipe } from '../bytes.js';
import { concealed } from '../concealed.js';
import { aeadKeyLength, aeadNonceLength, hashLength } from '../crypto/backend.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { hkdfExtract } from '../crypto/hkdf.js';
import { hkdfExpandLabel } from './hkdf-label.js';
import { tls13Suites, type Tls13CipherSuite } from './suites.js';
import type { BothDirections } from './tls13.js';

/** RFC 9001 5.2: QUIC version 1. */
const initialSalt = fromHex('38762cf7f55934b34d179ae6a4c80cadccbb7f0a');
const labels = {
  client: ascii('client in'),
  server: ascii('server in'),
  key: ascii('quic key'),
  iv: ascii('quic iv'),
  headerProtection: ascii('quic hp'),
  update: ascii('quic ku'),
} as const;

/** RFC 9001 5.1: what protects packets in one direction. */
export interface QuicPacketKeys {
  readonly key: Uint8Array;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** As long as the key. */
  readonly headerProtection: Uint8Array;
}

/** RFC 9001 5.2, 32 bytes each; the suite of Initial packets is TLS_AES_128_GCM_SHA256. */
export function quicInitialSecrets(
  crypto: CryptoBackend,
  destinationConnectionId: Uint8Array,
): BothDirections<Uint8Array> {
  const secret = hkdfExtract(crypto, 'sha256', initialSalt, destinationConnectionId);
  const key = crypto.hmac('sha256', secret);
  wipe(secret);
  try {
    return {
      client: concealed(hkdfExpandLabel(key, labels.client, empty, 32)),
      server: concealed(hkdfExpandLabel(key, labels.server, empty, 32)),
    };
  } finally {
    key.destroy();
  }
}

/** RFC 9001 5.1, from a secret of any level; `secret` stays the caller's. */
export function quicPacketKeys(crypto: CryptoBackend, suite: Tls13CipherSuite, secret: Uint8Array): QuicPacketKeys {
  const { aead, hash } = tls13Suites[suite];
  const key = crypto.hmac(hash, secret);
  try {
    return {
      key: concealed(hkdfExpandLabel(key, labels.key, empty, aeadKeyLength[aead])),
      iv: concealed(hkdfExpandLabel(key, labels.iv, empty, aeadNonceLength)),
      headerProtection: concealed(hkdfExpandLabel(key, labels.headerProtection, empty, aeadKeyLength[aead])),
    };
  } finally {
    key.destroy();
  }
}

/** RFC 9001 6.1: the secret after a key update. The header protection key stays as it was. */
export function quicNextSecret(crypto: CryptoBackend, suite: Tls13CipherSuite, secret: Uint8Array): Uint8Array {
  const { hash } = tls13Suites[suite];
  const key = crypto.hmac(hash, secret);
  try {
    return concealed(hkdfExpandLabel(key, labels.update, empty, hashLength[hash]));
  } finally {
    key.destroy();
  }
}
