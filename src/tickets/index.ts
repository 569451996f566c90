/**
 * `tls-resume/tickets`: ticket keys, key rings and sealers on their own, for custom TLS stacks and tooling.
 */
export type { MaybePromise } from '../crypto/backend.js';
export { CircuitBreaker, type CircuitBreakerOptions } from '../remote/circuit-breaker.js';
export type { RedisClient } from '../remote/redis-client.js';
export { derivedKeySource, type DerivedKeySourceOptions } from './derived-key-source.js';
export {
  defaultPollInterval,
  defaultPublishAhead,
  FleetKeyError,
  type FleetKeyErrorCode,
  type FleetKeyStatus,
  type RedisKeyDistributorOptions,
} from './fleet-keys/fleet-key-options.js';
export { RedisKeyDistributor } from './fleet-keys/redis-key-distributor.js';
export { formatTicketKeys, type FormatTicketKeysOptions } from './key-files/format.js';
export { gnutlsKeySource, gnutlsTicketKey, type GnutlsKeySourceOptions } from './key-files/gnutls-key-source.js';
export { longestKeyFiles, mostKeysInFiles } from './key-files/key-entry.js';
export { keyFileLayouts, type KeyFileLayout, type KeyFileLayoutName, type KeyPartName } from './key-files/layouts.js';
export { lintTicketKeys, type KeyFileFinding, type KeyFileFindingCode } from './key-files/lint.js';
export { parseTicketKeys } from './key-files/parse.js';
export {
  defaultMaxKeys,
  defaultOpeningPeriod,
  defaultSealingPeriod,
  defaultSealLimit,
  type KeyRingEvent,
  type KeyRingOptions,
} from './key-ring-options.js';
export { KeyRing } from './key-ring.js';
export type { TicketKeySource } from './key-source.js';
export type { LayoutKey, TicketLayout } from './layout.js';
export { fizzLayout } from './layouts/fizz.js';
export { gnutlsLayout } from './layouts/gnutls.js';
export { go120Layout, go121Layout } from './layouts/go.js';
export { jsse17Layout, jsse25Layout } from './layouts/jsse.js';
export { mbedtlsLayout } from './layouts/mbedtls.js';
export { nssLayout } from './layouts/nss.js';
export { opensslLayout } from './layouts/openssl.js';
export { compactPaddedLayout, compactPaddedTicketLength, paddedLayout, paddedTicketLength } from './layouts/padded.js';
export { rfc5077Layout } from './layouts/rfc5077.js';
export { rustlsAwsLcLayout, rustlsRingLayout } from './layouts/rustls.js';
export { s2nLayout } from './layouts/s2n.js';
export { wolfsslAesGcmLayout, wolfsslLayout } from './layouts/wolfssl.js';
export type { TicketKeyState, TicketKeyStatus } from './ring-key.js';
export { RingSealer, type RingSealerOptions } from './ring-sealer.js';
export type { OpenedTicket, TicketRefusal, TicketSealer } from './sealer.js';
export {
  generateSecretTicketKey,
  generateTicketKey,
  requireStrongTicketKey,
  type AesHmacTicketKey,
  type SecretTicketKey,
  type TicketKey,
  type TicketKeyTimes,
} from './ticket-key.js';
