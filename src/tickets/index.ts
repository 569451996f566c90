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
  type KeyRingOptions,
} from './key-ring.js';
export type { PreparedTicketKey, TicketKeyState, TicketKeyStatus } from './ring-key.js';
export { maxTicketStateLength, Rfc5077Sealer, type Rfc5077SealerOptions } from './rfc5077-sealer.js';
export type { OpenedTicket, TicketRefusal, TicketSealer } from './sealer.js';
export { generateTicketKey, requireStrongTicketKey, type TicketKey } from './ticket-key.js';
