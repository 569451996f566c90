/**
 * `SessionStore`: where sessions wait to be resumed, for any backend that can keep bytes under a key: memory, Redis, a file.
 *
 * Keys and values are opaque: a server stores encoded sessions under session IDs, a client under the peer's identity. A store
 * that loses entries costs full handshakes and nothing else, so it may forget whatever it likes.
 */
import type { MaybePromise } from '../crypto/backend.js';

/** The arrays handed over stay the caller's, who wipes them: a store keeps copies and hands out copies. */
export interface SessionStore {
  /** The value, or `undefined` if there is none or it has expired. */
  get(key: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /** Keeps `value` until `expiresAt` (milliseconds) at the longest, in place of what stood under `key`. */
  set(key: Uint8Array, value: Uint8Array, expiresAt: number): MaybePromise<void>;
  /** Forgets the value, if there is one. */
  delete(key: Uint8Array): MaybePromise<void>;
  /**
   * The value, which is forgotten in the same atomic step: of two callers at most one gets it. Where a store has this, TLS 1.3
   * tickets kept in it are good for one connection only (RFC 8446 8.1).
   */
  take?(key: Uint8Array): MaybePromise<Uint8Array | undefined>;
}
