/** The events of sockets and servers, with what their listeners get; names and order as in `node:tls` unless said otherwise. */
import type { EventEmitter } from 'node:events';
import type { HandshakeEvent } from '../../connection/events.js';
import type { TLSSocket } from './tls-socket.js';

/** Any listener at all, as `EventEmitter` takes it. */
export type Listener = Parameters<EventEmitter['on']>[1];

/** Streams have more of them. */
export interface TLSSocketEvents {
  /** Ours: the handshake is complete. Comes before `secureConnect`. */
  handshake: [event: HandshakeEvent];
  /** The handshake is complete, on either side. */
  secure: [];
  /** Client: the handshake is complete. */
  secureConnect: [];
  /** Client: a session to resume later, see `getSession`. */
  session: [session: Buffer];
  /** Client: a line of a key log, newline included (RFC 9850). Whoever has it can read the connection. */
  keylog: [line: Buffer];
  data: [data: Buffer];
  end: [];
  error: [error: Error];
  close: [hadError: boolean];
  timeout: [];
}

/** Servers of `node:net` have more of them. */
export interface ServerEvents {
  /** A connection whose handshake is complete. */
  secureConnection: [socket: TLSSocket];
  /** A connection that failed before its handshake was complete. */
  tlsClientError: [error: Error, socket: TLSSocket];
  /**
   * A session to be kept under its ID. While there is a listener, it is the store in place of `sessions`. The handshake waits
   * for `callback`. The session holds the master secret: keep it like a private key.
   */
  newSession: [sessionId: Buffer, session: Buffer, callback: () => void];
  /** What was kept under an ID is wanted; null for nothing. An error fails the handshake. */
  resumeSession: [sessionId: Buffer, callback: (error: Error | null, session?: Uint8Array | null) => void];
  keylog: [line: Buffer, socket: TLSSocket];
  error: [error: Error];
  close: [];
  listening: [];
}
