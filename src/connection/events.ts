/** What a connection tells its owner. Events are data, in the order in which things happened; none holds key material but `session`. */
import type { AlertDescription } from '../alert.js';
import type { TlsResumeError } from '../errors.js';
import type { HandshakeResult } from '../handshake/result.js';
import type { Session } from '../sessions/session.js';

/** The handshake is complete: both Finished are verified. */
export interface HandshakeEvent extends Omit<HandshakeResult, 'session'> {
  readonly type: 'handshake';
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
}

/** Client: a session that may be resumed later. It holds the master secret: keep it like a private key. */
export interface SessionEvent {
  readonly type: 'session';
  readonly session: Session;
}

/** Application data; the bytes are the receiver's to keep. */
export interface DataEvent {
  readonly type: 'data';
  readonly data: Uint8Array;
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

export type ConnectionEvent = HandshakeEvent | SessionEvent | DataEvent | WarningEvent | CloseEvent;

/** The session has an event of its own: this one may be logged. */
export function handshakeEvent(result: HandshakeResult): HandshakeEvent {
  return {
    type: 'handshake',
    resumed: result.mode !== 'full',
    version: result.version,
    cipherSuite: result.cipherSuite,
    mode: result.mode,
    reason: result.reason,
    serverName: result.serverName,
    alpnProtocol: result.alpnProtocol,
    peerCertificates: result.peerCertificates,
    extendedMasterSecret: result.extendedMasterSecret,
    secureRenegotiation: result.secureRenegotiation,
    group: result.group,
    newTicket: result.newTicket,
  };
}
