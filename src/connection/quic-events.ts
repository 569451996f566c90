/**
 * What a QUIC handshake tells its stack, and the numbers of errors (RFC 9001 4.1.4, 4.8).
 *
 * The surprising thing: some rules of RFC 9001 have no alert, and end in a PROTOCOL_VIOLATION of QUIC itself.
 */
import { alertDescriptions } from '../alert.js';
import { AlertError, type TlsResumeError } from '../errors.js';
import type { Tls13CipherSuite } from '../key-schedule/suites.js';
import type { EarlyDataEvent, HandshakeEvent, SessionEvent } from './events.js';
import type { LevelSecret } from './quic-transport.js';

/** RFC 9001 4.1.4: packets of this level can be protected or read from now on. Keep it like a private key. */
export interface SecretEvent extends LevelSecret {
  readonly type: 'secret';
  readonly cipherSuite: Tls13CipherSuite;
  /** As long as the hash of the suite; the receiver's to keep and to wipe. See {@link quicPacketKeys}. */
  readonly secret: Uint8Array;
}

/** RFC 9001 8.2: what the peer says. It may be used at once, and is certain only when the handshake is complete. */
export interface TransportParametersEvent {
  readonly type: 'transport_parameters';
  readonly transportParameters: Uint8Array;
}

/** The handshake has failed; always the last event. */
export interface QuicCloseEvent {
  readonly type: 'close';
  readonly error: TlsResumeError;
  /** What CONNECTION_CLOSE says: 0x0100 and the alert (RFC 9001 4.8), or PROTOCOL_VIOLATION, 0x0a (RFC 9000 20.1). */
  readonly transportError: number;
}

export type QuicEvent =
  SecretEvent | TransportParametersEvent | HandshakeEvent | EarlyDataEvent | SessionEvent | QuicCloseEvent;

export function protocolViolation(message: string): AlertError {
  return new AlertError('unexpected_message', message, { code: 'quic_protocol_violation' });
}

/** What CONNECTION_CLOSE says: 0x0100 and the alert (RFC 9001 4.8), or PROTOCOL_VIOLATION (RFC 9000 20.1). */
export function transportErrorOf(error: TlsResumeError): number {
  if (error.code === 'quic_protocol_violation') return 0x0a;
  return 0x0100 + alertDescriptions[error instanceof AlertError ? error.alert : 'internal_error'];
}
