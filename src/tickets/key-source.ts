/**
 * `TicketKeySource`: keys that follow from the clock, so that hosts which share one master share all keys without a word between them.
 */
import type { TicketKey } from './ticket-key.js';

export interface TicketKeySource {
  /**
   * The keys of the time `now` (milliseconds) with their times, and until when they are all there is to know. A pure function; called
   * again when that time has come, and when the clock went back.
   */
  keysAt(now: number): { readonly keys: readonly TicketKey[]; readonly until: number };
}
