/** What a peer may cost: every bound has a name and a default. The record sizes are the protocol's own, see `record/`. */
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
