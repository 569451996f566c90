/**
 * What a session remembers of the external PSK behind it: its identity, and a fingerprint of its key (RFC 8446 4.2.11, RFC 9257 5).
 *
 * A key that has leaked is replaced under the same identity, and whoever had the old one must not go on resuming what he made with it.
 */
import { ascii, equal, equalConstantTime } from '../bytes.js';
import { concealed } from '../concealed.js';
import type { CryptoBackend } from '../crypto/backend.js';
import type { SessionFacts } from '../sessions/session.js';

export type PskBehind = Pick<SessionFacts, 'externalPskIdentity' | 'externalPskFingerprint'>;

interface Psk {
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
}

/** Nothing, where there is none. */
export function pskBehind(crypto: CryptoBackend, psk: Psk | undefined): PskBehind {
  if (psk === undefined) return {};
  return { externalPskIdentity: psk.identity.slice(), externalPskFingerprint: concealed(fingerprintOf(crypto, psk)) };
}

/** Whether it is this PSK. Sessions in encodings of other servers know the identity alone. */
export function isBehind(
  crypto: CryptoBackend,
  { externalPskIdentity: identity, externalPskFingerprint: fingerprint }: PskBehind,
  psk: Psk,
): boolean {
  if (identity === undefined || !equal(identity, psk.identity)) return false;
  return fingerprint === undefined || equalConstantTime(fingerprint, fingerprintOf(crypto, psk));
}

/** Of no use to find the key, which has 16 bytes at least (RFC 9257 6). */
export function fingerprintOf(crypto: CryptoBackend, { identity, key }: Psk): Uint8Array {
  const hmac = crypto.hmac('sha256', key);
  try {
    return hmac.compute(label, identity).slice(0, fingerprintLength);
  } finally {
    hmac.destroy();
  }
}

const label = ascii('tls-resume external psk\0');
const fingerprintLength = 16;
