/** Two TLS sockets over streams in memory, whosever sockets they are: `node:tls` and `tls-resume/node` have the same names. */
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { HandshakeMode } from '../src/index.js';
import { duplexPair } from './duplex.js';

export interface SocketPair<Socket> {
  readonly client: Socket;
  readonly server: Socket;
}

interface SecureSocket extends EventEmitter {
  isSessionReused(): boolean;
  destroy(): unknown;
}

/** Hands one end of a pipe to the server and one to the client, and waits for both handshakes. */
export function socketPair<Socket extends SecureSocket>(
  server: EventEmitter,
  connect: (stream: Duplex) => Socket,
): Promise<SocketPair<Socket>> {
  const [clientSide, serverSide] = duplexPair();
  return new Promise((resolve, reject) => {
    let accepted: Socket | undefined;
    let connected = false;
    const done = () => {
      if (accepted !== undefined && connected) resolve({ client, server: accepted });
    };
    server.once('secureConnection', (socket: Socket) => {
      socket.on('error', reject);
      accepted = socket;
      done();
    });
    server.emit('connection', serverSide);
    const client = connect(clientSide);
    client.on('error', reject);
    client.once('secureConnect', () => {
      connected = true;
      done();
    });
  });
}

/** Throws where the handshake was not of this mode. */
export function endPair({ client, server }: SocketPair<SecureSocket>, mode: HandshakeMode): void {
  const resumed = mode !== 'full';
  if (client.isSessionReused() !== resumed || server.isSessionReused() !== resumed) throw new Error(`not ${mode}`);
  client.destroy();
  server.destroy();
}
