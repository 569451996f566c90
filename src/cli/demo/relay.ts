/** A TCP relay on loopback that writes down what passes, so that a connection between any two programs can be drawn. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Segment } from '../figure.js';

export interface Relay {
  readonly port: number;
  /** What has passed on the latest connection since the last call, in the order in which it was seen. */
  take(): Segment[];
  close(): Promise<void>;
}

/** Listens on a free loopback port and passes every connection on to `target`. */
export async function startRelay(target: number): Promise<Relay> {
  let segments: Segment[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (client) => {
    // What an earlier connection still says is not part of this one's figure.
    const own: Segment[] = (segments = []);
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true });
    const pass = (from: Segment['from'], source: Socket, sink: Socket): void => {
      sockets.add(source);
      source.on('data', (bytes) => {
        own.push({ from, bytes });
        sink.write(bytes);
      });
      source.on('end', () => sink.end());
      source.on('error', () => sink.destroy());
      source.on('close', () => sockets.delete(source));
    };
    pass('client', client, upstream);
    pass('server', upstream, client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: portOf(server),
    take: () => segments.splice(0),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** The TCP port that a server listens on. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  return address.port;
}
