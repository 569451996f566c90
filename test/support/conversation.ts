/** One connection over sockets, whoever's TLS it is: say something, listen to the end. */
import type { Duplex } from 'node:stream';

export interface Conversation<Socket> {
  readonly socket: Socket;
  /** All that the other side said. */
  readonly received: Buffer;
  /** What the `session` events brought, in order. */
  readonly sessions: readonly Buffer[];
  /** Lines of the key log. */
  readonly keyLog: string;
}

/** Resolves when the other side has ended; rejects with the socket's error. */
export function converse<Socket extends Duplex>(
  socket: Socket,
  words: string | Uint8Array = 'GET / HTTP/1.0\r\n\r\n',
): Promise<Conversation<Socket>> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const sessions: Buffer[] = [];
    let keyLog = '';
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('session', (session: Buffer) => sessions.push(session));
    socket.on('keylog', (line: Buffer) => (keyLog += line.toString('latin1')));
    socket.on('error', reject);
    socket.on('end', () => {
      socket.end();
      resolve({ socket, received: Buffer.concat(received), sessions, keyLog });
    });
    socket.write(words);
  });
}
