/**
 * `tls-resume/early-data`: what a server needs to take 0-RTT safely (RFC 8446 8): how recent a ClientHello is, and whether it was
 * seen before; and what HTTP does about early data, on either side (RFC 8470).
 */
export type { MaybePromise } from '../crypto/backend.js';
export { CircuitBreaker, type CircuitBreakerOptions } from '../remote/circuit-breaker.js';
export type { RedisClient } from '../remote/redis-client.js';
export { BloomReplayGuard, defaultFalsePositiveRate, type BloomReplayGuardOptions } from './bloom-replay-guard.js';
export { defaultFreshnessWindow, freshness, ticketAgeSkew, type Freshness, type TicketAge } from './freshness.js';
export {
  decideEarlyRequest,
  isSafeMethod,
  maySendEarly,
  retryAfterTooEarly,
  saysEarlyData,
  tooEarlyStatus,
  withEarlyData,
  type AnsweredRequest,
  type EarlyRequestDecision,
  type EarlyRequestPolicy,
  type HttpFields,
  type HttpRequest,
} from './http.js';
export { guardEarlyRequests, type HttpResponse, type ReceivedRequest } from './http-listener.js';
export { defaultMaxReplayEntries, MemoryReplayGuard, type MemoryReplayGuardOptions } from './memory-replay-guard.js';
export { defaultClockTolerance, RedisReplayGuard, type RedisReplayGuardOptions } from './redis-replay-guard.js';
export type { ReplayAnswer, ReplayGuard } from './replay-guard.js';
