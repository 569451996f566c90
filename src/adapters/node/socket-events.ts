/** The events of a socket, with what their listeners get; names and order as in `node:tls` unless said otherwise. */
import type { EventEmitter } from 'node:events';
import type { EarlyDataEvent, HandshakeEvent } from '../../connection/events.js';

/** Any listener at all, as `EventEmitter` takes it. */
export type Listener = Parameters<EventEmitter['on']>[1];

/** Streams have more of them. */
export interface TLSSocketEvents {
  /** Ours: the handshake is complete. Comes before `secureConnect`. */
  handshake: [event: HandshakeEvent];
  /** Ours: what became of early data, in mid-handshake; a server's comes into the stream right after. */
  earlyData: [event: EarlyDataEvent];
  /** Client, with `requestOCSP`: the server's OCSP response, unverified, or null; of the session, if it was resumed. */
  OCSPResponse: [response: Buffer | null];
  /** The handshake is complete, on either side. */
  secure: [];
  /** Client: the handshake is complete. */
  secureConnect: [];
  /** Client: a session to resume later, see `getSession`; in TLS 1.3 one for each ticket, some time after the handshake. */
  session: [session: Buffer];
  /** Client: a line of a key log, newline included (RFC 9850). Whoever has it can read the connection. */
  keylog: [line: Buffer];
  data: [data: Buffer];
  end: [];
  error: [error: Error];
  close: [hadError: boolean];
  timeout: [];
}
