/**
 * How a connection came to be, and why it was not resumed: the words that events, counters and the command share.
 */
import type { BindingRefusal } from '../sessions/binding.js';
import type { TicketRefusal } from '../tickets/sealer.js';

/** `session_id`: RFC 5246 7.3; `ticket`: RFC 5077 3.1. */
export type HandshakeMode = 'full' | 'session_id' | 'ticket';

/** Why a handshake was a full one. */
export type ResumptionRefusal =
  | BindingRefusal
  | TicketRefusal
  /** Nothing was offered. */
  | 'not_offered'
  /** The session ID is not in the store (any more). */
  | 'unknown_session_id'
  /** A ticket or session ID was offered to a server that does not resume this way. */
  | 'disabled'
  /** The store or the ticket sealer failed. */
  | 'store_unavailable'
  /** What was found is no session of ours. */
  | 'unreadable_state'
  /** The client's certificate is no longer acceptable. */
  | 'certificate_refused'
  /** Client: the server answered with a new session; it does not say why. */
  | 'declined_by_server';

/** Counts of one client or server; plain numbers to be read at any time. */
export interface ResumptionCounters {
  /** Full handshakes, for whatever reason. */
  full: number;
  /** Resumed handshakes by the way they were resumed. */
  readonly hits: Record<Exclude<HandshakeMode, 'full'>, number>;
  /** Full handshakes in which a resumption was offered. */
  misses: number;
  /** Misses because ticket or session had expired or were too old. */
  expired: number;
  /** Full handshakes by reason, `not_offered` included. */
  readonly refused: Partial<Record<ResumptionRefusal, number>>;
  /** Tickets sent in place of an older one. */
  renewed: number;
}

export function resumptionCounters(): ResumptionCounters {
  return { full: 0, hits: { session_id: 0, ticket: 0 }, misses: 0, expired: 0, refused: {}, renewed: 0 };
}

/** Counts a handshake that is complete. */
export function countHandshake(
  counters: ResumptionCounters,
  mode: HandshakeMode,
  reason: ResumptionRefusal | undefined,
): void {
  if (mode !== 'full') counters.hits[mode]++;
  else {
    counters.full++;
    if (reason === undefined) return;
    counters.refused[reason] = (counters.refused[reason] ?? 0) + 1;
    if (reason !== 'not_offered') counters.misses++;
    if (reason === 'expired' || reason === 'too_old') counters.expired++;
  }
}
