/** What a connection tells its owner. Events are data, in the order in which things happened; none holds key material but `session`. */
import type { AlertDescription } from '../alert.js';
import type { TlsResumeError } from '../errors.js';
import type { HandshakeResult } from '../handshake/result.js';
import type { EarlyDataRefusal } from '../handshake/resumption.js';
import type { Session } from '../sessions/session.js';

/** The handshake is complete: both Finished are verified. */
export interface HandshakeEvent extends Omit<HandshakeResult, 'session'> {
  readonly type: 'handshake';
  /** Whether an earlier session was resumed, or an external PSK used. */
  readonly resumed: boolean;
  /** Bytes of early data that were sent (client) or read (server). */
  readonly earlyDataBytes: number;
}

/** RFC 8446 4.2.10: whether early data is read. A client whose data was rejected sends it again, or does not: the library never does. */
export interface EarlyDataEvent {
  readonly type: 'early_data';
  readonly accepted: boolean;
  readonly reason: EarlyDataRefusal | undefined;
}

/**
 * Client: a session that may be resumed later; in TLS 1.3 one for each ticket. It holds a secret: keep it like a private key.
 */
export interface SessionEvent {
  readonly type: 'session';
  readonly session: Session;
}

/** Application data; the bytes are the receiver's to keep. */
export interface DataEvent {
  readonly type: 'data';
  readonly data: Uint8Array;
  /** RFC 8446 4.2.10: it came before the handshake was complete, and anybody may have sent it before. */
  readonly early: boolean;
}

/** TLS 1.3 with `halfClose`: the peer will say nothing more, and may still listen (RFC 8446 6.1). */
export interface EndEvent {
  readonly type: 'end';
}

/** The peer sent a warning alert that does not end the connection. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly alert: AlertDescription | number;
}

/** The connection is over; always the last event, and never twice. */
export interface CloseEvent {
  readonly type: 'close';
  /**
   * - `close_notify`: the peer said that nothing more comes;
   * - `truncated`: the transport ended without that, so data may be missing;
   * - `destroyed`: the caller ended it;
   * - `error`: see `error`.
   */
  readonly reason: 'close_notify' | 'truncated' | 'destroyed' | 'error';
  readonly error?: TlsResumeError;
}

export type ConnectionEvent =
  HandshakeEvent | EarlyDataEvent | SessionEvent | DataEvent | WarningEvent | EndEvent | CloseEvent;

/** The session has an event of its own: this one may be logged. */
export function handshakeEvent(
  { session: _secret, ...result }: HandshakeResult,
  earlyDataBytes: number,
): HandshakeEvent {
  return { type: 'handshake', resumed: result.mode !== 'full', ...result, earlyDataBytes };
}
