/** What a peer may cost: every bound has a name and a default. The record sizes are the protocol's own, see `record/`. */
import { UsageError } from '../errors.js';

export interface ConnectionLimits {
  /** Longest handshake message, header included, bytes. Certificate chains are the longest in practice. */
  readonly maxHandshakeMessageLength: number;
  /** Bytes that may wait while an answer from outside is awaited. A TLS 1.2 peer has one flight to send by then. */
  readonly maxBufferedLength: number;
  /** Warning alerts, renegotiation attempts and needless ChangeCipherSpecs in the life of a connection. */
  readonly maxWarnings: number;
  /** Client: NewSessionTickets of one connection that become sessions; those after are dropped (P-state-9). */
  readonly maxSessionTickets: number;
  /** KeyUpdates of the peer without application data between them. */
  readonly maxKeyUpdatesInARow: number;
  /** Records that we protect under one key before a KeyUpdate (RFC 8446 5.5: 2^24.5 for AES-GCM). */
  readonly maxRecordsPerKey: number;
}

export const defaultLimits: ConnectionLimits = {
  maxHandshakeMessageLength: 128 * 1024,
  maxBufferedLength: 256 * 1024,
  maxWarnings: 8,
  maxSessionTickets: 32,
  maxKeyUpdatesInARow: 32,
  maxRecordsPerKey: 2 ** 24,
};

/** The limits with every default filled in. Throws `UsageError` for one that is no whole number: it would limit nothing. */
export function connectionLimits(limits: Partial<ConnectionLimits> | undefined): ConnectionLimits {
  if (limits === undefined) return defaultLimits;
  for (const [name, value] of Object.entries(limits))
    if (!Number.isSafeInteger(value) || value < 0)
      throw new UsageError('invalid_option', `\`limits.${name}\` is a whole number, 0 or more`);
  return { ...defaultLimits, ...limits };
}
