/**
 * `tls-resume/tickets`: ticket keys, key rings and sealers on their own, for custom TLS stacks and tooling.
 */
export type { MaybePromise } from '../crypto/backend.js';
export {
  defaultMaxKeys,
  defaultOpeningPeriod,
  defaultSealingPeriod,
  defaultSealLimit,
  KeyRing,
  type KeyRingEvent,
  type KeyRingOptions,
} from './key-ring.js';
export type { TicketKeySource } from './key-source.js';
export type { LayoutKey, TicketLayout } from './layout.js';
export { rfc5077Layout } from './layouts/rfc5077.js';
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
