/**
 * `tls-resume/sessions`: what a session is, how it is written down, and where it is kept.
 */
export {
  CircuitBreaker,
  CircuitError,
  defaultFailuresToOpen,
  defaultLongestPause,
  defaultMaxCallsInFlight,
  defaultShortestPause,
  defaultTimeLimit,
  type After,
  type CircuitBreakerOptions,
  type CircuitBreakerStatistics,
  type CircuitErrorCode,
  type CircuitState,
} from '../remote/circuit-breaker.js';
export type { MemcachedClient } from '../remote/memcached-client.js';
export type { RedisClient } from '../remote/redis-client.js';
export {
  maximumClockSkew,
  maximumSessionAge,
  refuseEarlyData,
  refuseSession,
  type BindingPolicy,
  type EarlyDataRequest,
  type ResumptionRequest,
} from './binding.js';
export type { BindingOverrides } from './binding-overrides.js';
export type { BindingRefusal, EarlyDataBindingRefusal } from './binding-refusal.js';
export { boringsslSession, sslSessionDialects, type BoringsslSession } from './boringssl-session.js';
export { boringsslState } from './boringssl-state.js';
export type { ForeignStateProfile } from './foreign-state.js';
export { go120Session, go121Session, type Go120Session, type Go121Session } from './go-session.js';
export { go120State, go121State, type Go121Profile } from './go-state.js';
export {
  defaultMaxBytes,
  defaultMaxEntries,
  defaultMaxLifetime,
  MemoryStore,
  type MemoryStoreOptions,
  type MemoryStoreStatistics,
} from './memory-store.js';
export { MemcachedStore, type MemcachedStoreOptions } from './memcached-store.js';
export { sslSession, type SslSession } from './openssl-session.js';
export { opensslState } from './openssl-state.js';
export { RedisStore, type RedisStoreOptions } from './redis-store.js';
export { s2nSession, type S2nSession } from './s2n-session.js';
export { s2nState } from './s2n-state.js';
export { wipeSession, type Session, type SessionEncoding, type Tls12Session, type Tls13Session } from './session.js';
export type { EntrySealer, SealedEntriesOptions } from './sealed-entries.js';
export { clientSessionState, sessionState } from './session-state.js';
export {
  clientIdentity,
  rfc5077State,
  statePlaintext,
  type ClientIdentity,
  type StatePlaintext,
} from './state-plaintext.js';
export type { SessionStore } from './store.js';
export { defaultNearLifetime, TwoLevelStore, type TwoLevelStoreOptions } from './two-level-store.js';
export {
  defaultMaxPeers,
  defaultMaxPoolBytes,
  defaultMaxTicketLifetime,
  defaultMaxTicketsPerPeer,
  TicketPool,
  type TicketPoolOptions,
} from './ticket-pool.js';
