/** What a peer may cost: every bound has a name and a default. The record sizes are the protocol's own, see `record/`. */
import { UsageError } from '../errors.js';

export interface ConnectionLimits {
  /** Longest handshake message, header included, bytes. Certificate chains are the longest in practice. */
  readonly maxHandshakeMessageLength: number;
  /** Bytes that may wait while an answer from outside is awaited. A TLS 1.2 peer has one flight to send by then. */
  readonly maxBufferedLength: number;
  /** Warning alerts and renegotiation attempts in the life of a connection. */
  readonly maxWarnings: number;
}

export const defaultLimits: ConnectionLimits = {
  maxHandshakeMessageLength: 128 * 1024,
  maxBufferedLength: 256 * 1024,
  maxWarnings: 8,
};

/** The limits with every default filled in. Throws `UsageError` for one that is no whole number: it would limit nothing. */
export function connectionLimits(limits: Partial<ConnectionLimits> | undefined): ConnectionLimits {
  if (limits === undefined) return defaultLimits;
  for (const [name, value] of Object.entries(limits))
    if (!Number.isSafeInteger(value) || value < 0)
      throw new UsageError('invalid_option', `\`limits.${name}\` is a whole number, 0 or more`);
  return { ...defaultLimits, ...limits };
}
