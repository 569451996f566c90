/** Two TLS sockets over streams in memory, whosever sockets they are: `node:tls` and `tls-resume/node` have the same names. */
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { duplexPair } from './duplex.js';

export interface SocketPair<Socket> {
  readonly client: Socket;
  readonly server: Socket;
  /** The first one that came in an event of its own, as bytes. */
  readonly session: Buffer | undefined;
}

interface SecureSocket extends EventEmitter {
  isSessionReused(): boolean;
  destroy(): unknown;
}

/**
 * Hands one end of a pipe to the server and one to the client, and waits for both handshakes, and for the ticket of TLS 1.3 that
 * comes behind one, where `ticketFollows`.
 */
export function socketPair<Socket extends SecureSocket>(
  server: EventEmitter,
  connect: (stream: Duplex) => Socket,
  ticketFollows: boolean,
): Promise<SocketPair<Socket>> {
  const [clientSide, serverSide] = duplexPair();
  return new Promise((resolve, reject) => {
    let accepted: Socket | undefined;
    let connected = false;
    let session: Buffer | undefined;
    const done = () => {
      if (accepted === undefined || !connected) return;
      if (session !== undefined || !ticketFollows) resolve({ client, server: accepted, session });
    };
    server.once('secureConnection', (socket: Socket) => {
      socket.on('error', reject);
      accepted = socket;
      done();
    });
    server.emit('connection', serverSide);
    const client = connect(clientSide);
    client.on('error', reject);
    client.once('session', (bytes: Buffer) => {
      session = bytes;
      done();
    });
    client.once('secureConnect', () => {
      connected = true;
      done();
    });
  });
}

/** Throws where the connection was resumed and should not be, or the other way round. */
export function endPair({ client, server }: SocketPair<SecureSocket>, resumed: boolean): void {
  if (client.isSessionReused() !== resumed || server.isSessionReused() !== resumed)
    throw new Error(resumed ? 'not resumed' : 'resumed');
  client.destroy();
  server.destroy();
}
