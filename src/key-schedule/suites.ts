/**
 * What a cipher suite stands for. TLS 1.2: RFC 5289 3.2, RFC 8442 3 (AES-GCM) and RFC 7905 2 (ChaCha20-Poly1305), all of them ECDHE.
 * TLS 1.3: RFC 8446 B.4; key exchange and authentication are negotiated apart.
 */
import type { AeadAlgorithm, HashAlgorithm } from '../crypto/backend.js';

export interface Tls12Suite {
  /** The hash of the PRF and of the transcript. */
  readonly hash: HashAlgorithm;
  readonly aead: AeadAlgorithm;
  /** What key the server signs with; Ed25519 certificates go with `ecdsa` suites (RFC 8422 2.2). `psk`: RFC 5489, no signatures. */
  readonly authentication: 'ecdsa' | 'rsa' | 'psk';
}

/** The suites that this library speaks, by their IANA names. Those with PSKs come first: who has one configured wants it used. */
export const tls12Suites = {
  TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256: { hash: 'sha256', aead: 'aes-128-gcm', authentication: 'psk' },
  TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384: { hash: 'sha384', aead: 'aes-256-gcm', authentication: 'psk' },
  TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256: { hash: 'sha256', aead: 'chacha20-poly1305', authentication: 'psk' },
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: { hash: 'sha256', aead: 'aes-128-gcm', authentication: 'ecdsa' },
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: { hash: 'sha256', aead: 'aes-128-gcm', authentication: 'rsa' },
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: { hash: 'sha384', aead: 'aes-256-gcm', authentication: 'ecdsa' },
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: { hash: 'sha384', aead: 'aes-256-gcm', authentication: 'rsa' },
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: {
    hash: 'sha256',
    aead: 'chacha20-poly1305',
    authentication: 'ecdsa',
  },
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: { hash: 'sha256', aead: 'chacha20-poly1305', authentication: 'rsa' },
} as const satisfies Record<string, Tls12Suite>;

/** A TLS 1.2 cipher suite of this library. */
export type Tls12CipherSuite = keyof typeof tls12Suites;

/** Whether a suite, as decoded, is one of ours. */
export function isTls12CipherSuite(suite: string | number): suite is Tls12CipherSuite {
  return typeof suite === 'string' && Object.hasOwn(tls12Suites, suite);
}

/** Whether a suite of TLS 1.2 is authenticated by a PSK, and its sessions with it. */
export function isPskSuite(suite: Tls12CipherSuite): boolean {
  return tls12Suites[suite].authentication === 'psk';
}

export interface Tls13Suite {
  /** The hash of HKDF and of the transcript. */
  readonly hash: HashAlgorithm;
  readonly aead: AeadAlgorithm;
}

/** The suites of TLS 1.3 that this library speaks, by their IANA names. */
export const tls13Suites = {
  TLS_AES_128_GCM_SHA256: { hash: 'sha256', aead: 'aes-128-gcm' },
  TLS_AES_256_GCM_SHA384: { hash: 'sha384', aead: 'aes-256-gcm' },
  TLS_CHACHA20_POLY1305_SHA256: { hash: 'sha256', aead: 'chacha20-poly1305' },
} as const satisfies Record<string, Tls13Suite>;

/** A TLS 1.3 cipher suite of this library. */
export type Tls13CipherSuite = keyof typeof tls13Suites;

/** Whether a suite, as decoded, is one of ours. */
export function isTls13CipherSuite(suite: string | number): suite is Tls13CipherSuite {
  return typeof suite === 'string' && Object.hasOwn(tls13Suites, suite);
}

/** A cipher suite of either version. */
export type SupportedCipherSuite = Tls12CipherSuite | Tls13CipherSuite;
