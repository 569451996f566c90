/**
 * `tls-resume/early-data`: what a server needs to take 0-RTT safely (RFC 8446 8): how recent a ClientHello is, and whether it was
 * seen before.
 */
export type { MaybePromise } from '../crypto/backend.js';
export { defaultFreshnessWindow, freshness, ticketAgeSkew, type Freshness, type TicketAge } from './freshness.js';
export { defaultMaxReplayEntries, MemoryReplayGuard, type MemoryReplayGuardOptions } from './memory-replay-guard.js';
export type { ReplayAnswer, ReplayGuard } from './replay-guard.js';
