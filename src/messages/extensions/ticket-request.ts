/** ticket_request: RFC 9149 3. The answer, in EncryptedExtensions, is the number of tickets to expect. */
import { type Infer, struct, uint8 } from '../../presentation/codec.js';

export const ticketRequest = struct({
  newSessionCount: uint8,
  resumptionCount: uint8,
});
export interface TicketRequest extends Infer<typeof ticketRequest> {}
