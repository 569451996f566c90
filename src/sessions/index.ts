/**
 * `tls-resume/sessions`: what a session is, how it is written down, and where it is kept.
 */
export {
  defaultMaxBytes,
  defaultMaxEntries,
  defaultMaxLifetime,
  MemoryStore,
  type MemoryStoreOptions,
  type MemoryStoreStatistics,
} from './memory-store.js';
export { wipeSession, type Session, type SessionEncoding, type Tls12Session, type Tls13Session } from './session.js';
export { clientSessionState, sessionState } from './session-state.js';
export {
  clientIdentity,
  rfc5077State,
  statePlaintext,
  type ClientIdentity,
  type StatePlaintext,
} from './state-plaintext.js';
export type { SessionStore } from './store.js';
