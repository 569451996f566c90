/**
 * How a connection came to be, and why it was not resumed: the words that events, counters and the command share.
 */
import type { BindingRefusal, EarlyDataBindingRefusal } from '../sessions/binding-refusal.js';
import type { TicketRefusal } from '../tickets/sealer.js';

/** `session_id`: RFC 5246 7.3; `ticket`: RFC 5077 3.1; `psk_dhe_ke`, `psk_ke`: RFC 8446 4.2.9, tickets and external PSKs. */
export type HandshakeMode = 'full' | 'session_id' | 'ticket' | 'psk_dhe_ke' | 'psk_ke';

/** Why a handshake was a full one. */
export type ResumptionRefusal =
  | BindingRefusal
  | TicketRefusal
  /** Nothing was offered. */
  | 'not_offered'
  /** The session ID, or the ticket that is a handle, is not in the store (any more): a ticket is good for one connection. */
  | 'unknown_session_id'
  /** A ticket or session ID was offered to a server that does not resume this way. */
  | 'disabled'
  /** The store or the ticket sealer failed. */
  | 'store_unavailable'
  /** What was found is no session of ours. */
  | 'unreadable_state'
  /** The client's certificate is no longer acceptable, or not what it signed with. */
  | 'certificate_refused'
  /** TLS 1.3: no PSK key exchange mode in common. */
  | 'psk_mode_mismatch'
  /** Client: the server answered with a new session; it does not say why. */
  | 'declined_by_server';

/** Why early data was not read (RFC 8446 4.2.10, 8). */
export type EarlyDataRefusal =
  /** The client sent none. */
  | 'not_offered'
  /** The server reads none. */
  | 'disabled'
  /** The PSK that was selected is not the first one, or is an external one. */
  | 'not_first_identity'
  /** No PSK was selected. */
  | 'psk_not_selected'
  | 'hello_retry_request'
  | EarlyDataBindingRefusal
  | 'version_mismatch'
  /** The ticket's age by the client's clock is not its age by ours (RFC 8446 8.3). */
  | 'ticket_age'
  /** The ClientHello may be older than the replay record reaches back. */
  | 'too_old_for_replay_window'
  | 'replayed'
  | 'replay_store_unavailable'
  /** The ticket is older than the replay record, or the record is too young to know all that may be sent again. */
  | 'startup_quarantine'
  /** Client: the server did not accept it; it does not say why. */
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
  /** Connections with early data, by what became of it. */
  readonly earlyData: { accepted: number; readonly rejected: Partial<Record<EarlyDataRefusal, number>> };
}

export function resumptionCounters(): ResumptionCounters {
  return {
    full: 0,
    hits: { session_id: 0, ticket: 0, psk_dhe_ke: 0, psk_ke: 0 },
    misses: 0,
    expired: 0,
    refused: {},
    renewed: 0,
    earlyData: { accepted: 0, rejected: {} },
  };
}

/** What of a handshake's result is counted. */
export interface CountedResult {
  readonly mode: HandshakeMode;
  readonly reason: ResumptionRefusal | undefined;
  readonly earlyData: 'none' | 'accepted' | 'rejected';
  readonly earlyDataReason: EarlyDataRefusal | undefined;
}

/** Counts a handshake that is complete. */
export function countHandshake(
  counters: ResumptionCounters,
  { mode, reason, earlyData, earlyDataReason }: CountedResult,
): void {
  if (earlyData === 'accepted') counters.earlyData.accepted++;
  if (earlyData === 'rejected' && earlyDataReason !== undefined) {
    const { rejected } = counters.earlyData;
    rejected[earlyDataReason] = (rejected[earlyDataReason] ?? 0) + 1;
  }
  if (mode !== 'full') counters.hits[mode]++;
  else {
    counters.full++;
    if (reason === undefined) return;
    counters.refused[reason] = (counters.refused[reason] ?? 0) + 1;
    if (reason !== 'not_offered') counters.misses++;
    if (reason === 'expired' || reason === 'too_old') counters.expired++;
  }
}
