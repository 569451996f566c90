/**
 * `ReplayGuard`: who has seen this ClientHello before (RFC 8446 8.2)? One question, asked after the binder is verified and the
 * ticket's age is judged, and before any early data is read.
 *
 * A guard that cannot say "fresh" costs a round trip, never the connection: 0-RTT is rejected and the handshake goes on.
 */
import type { MaybePromise } from '../crypto/backend.js';

/**
 * - `fresh`: not seen before, and recorded in the same atomic step (P-early-1)
 * - `replayed`: seen before
 * - `maybe_replayed`: the record is a lossy one (a Bloom filter) and says that it may have been seen
 * - `not_checked`: no statement: the guard is full, starting, or cut off from its record
 */
export type ReplayAnswer = 'fresh' | 'replayed' | 'maybe_replayed' | 'not_checked';

export interface ReplayGuard {
  /**
   * When the record began, in milliseconds: early data under tickets issued before is refused, because nobody knows who saw
   * them (P-early-2), and for one window under any ticket that another server may have issued (RFC 8446 8.2). 0 where the record outlives
   * processes and has a quarantine of its own.
   */
  readonly startedAt: number;
  /**
   * Milliseconds: for how wide a `freshnessWindow` the record is kept long enough. Servers with a wider one are refused when they are
   * configured. Left out: for any.
   */
  readonly freshnessWindow?: number;
  /**
   * Checks and records in one atomic step. `key` is the validated binder, 32 or 48 bytes, which stays the caller's; the record
   * may be dropped at `expiresAt` (milliseconds), when the same ClientHello is too old to be accepted. A throw or rejection
   * counts as `not_checked`.
   */
  check(key: Uint8Array, expiresAt: number): MaybePromise<ReplayAnswer>;
}
