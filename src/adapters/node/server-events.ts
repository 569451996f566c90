/** The events of a server, with what their listeners get; names and order as in `node:tls`. */
import type { TLSSocket } from './tls-socket.js';

/** Servers of `node:net` have more of them. */
export interface ServerEvents {
  /** A connection whose handshake is complete. */
  secureConnection: [socket: TLSSocket];
  /**
   * Ours: early data of this connection comes (RFC 8446 2.3), before its handshake is complete and so before `secureConnection`:
   * anybody may have sent it before. The socket can be read, and `writeHalfRtt` answers.
   */
  earlyData: [socket: TLSSocket];
  /** A connection that failed before its handshake was complete. */
  tlsClientError: [error: Error, socket: TLSSocket];
  /**
   * A session to be kept under its ID, or under the ticket that stands for it in TLS 1.3 without `tickets`. While there is a listener, it is the store in place of `sessions`. The handshake waits
   * for `callback`. The session holds the master secret: keep it like a private key.
   */
  newSession: [sessionId: Buffer, session: Buffer, callback: () => void];
  /** What was kept under an ID is wanted; null for nothing. An error fails the handshake. */
  resumeSession: [sessionId: Buffer, callback: (error: Error | null, session?: Uint8Array | null) => void];
  /**
   * A client asks for the OCSP response of the chain that it will see (RFC 6066 8), in DER both; the handshake waits for `callback`, and
   * an error fails it. Without a listener the response of `credentials` is sent, if there is one.
   */
  OCSPRequest: [
    certificate: Buffer,
    issuer: Buffer | null,
    callback: (error: Error | null, response?: Uint8Array | null) => void,
  ];
  keylog: [line: Buffer, socket: TLSSocket];
  error: [error: Error];
  close: [];
  listening: [];
}
