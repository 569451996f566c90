/** NewSessionTicket: RFC 8446 4.6.1 and RFC 5077 3.3, where an empty ticket means that the server has none to give. */
import { type Infer, opaque, struct, uint32 } from '../presentation/codec.js';
import { extensionList } from './extensions/index.js';

export const newSessionTicket = struct({
  /** Seconds. */
  ticketLifetime: uint32,
  ticketAgeAdd: uint32,
  ticketNonce: opaque(0, 2 ** 8 - 1),
  ticket: opaque(1, 2 ** 16 - 1),
  extensions: extensionList('new_session_ticket', 0, 2 ** 16 - 1), // RFC 9846 4.7.1
});
export interface NewSessionTicket extends Infer<typeof newSessionTicket> {}

export const newSessionTicketTls12 = struct({
  /** Seconds; 0 says nothing about the lifetime. */
  ticketLifetimeHint: uint32,
  ticket: opaque(0, 2 ** 16 - 1),
});
export interface NewSessionTicketTls12 extends Infer<typeof newSessionTicketTls12> {}
