/** Servers and clients on loopback that no test leaves behind. */
import { once } from 'node:events';
import { createServer as createNetServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import {
  connect,
  createServer,
  type ConnectOptions,
  type Server,
  type ServerOptions,
  type TLSSocket,
} from '../../../src/adapters/node/index.js';
import { ca, identity } from '../../support/certificates.js';

const open = new Set<{ destroy(): unknown }>();
const listening = new Set<NetServer>();

/** For `afterEach` of every file that opens something here: this module is loaded once for several of them. */
export async function closeAll(): Promise<void> {
  for (const socket of open) socket.destroy();
  open.clear();
  for (const server of listening) if (server.listening) await new Promise((resolve) => server.close(resolve));
  listening.clear();
}

/** Destroyed when the test is over. */
export function track<T extends { destroy(): unknown }>(socket: T): T {
  open.add(socket);
  return socket;
}

export async function listen<T extends NetServer>(server: T): Promise<T> {
  listening.add(server);
  server.on('connection', (socket: Socket) => track(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

/** A server of ours with a P-256 certificate for localhost, TLS 1.2 unless said otherwise. Errors after the handshake are the test's to look at. */
export function startServer(
  options: ServerOptions = {},
  listener: (socket: TLSSocket) => void = () => undefined,
): Promise<Server> {
  const secured = (socket: TLSSocket) => {
    track(socket).on('error', () => undefined);
    listener(socket);
  };
  return listen(createServer({ ...identity('p256'), maxVersion: 'TLSv1.2', ...options }, secured));
}

/** A TCP server that is no TLS server. */
export function startPlainServer(listener: (socket: Socket) => void): Promise<NetServer> {
  return listen(
    createNetServer((socket) => {
      socket.on('error', () => undefined);
      listener(socket);
    }),
  );
}

/** A client of ours that trusts the root of these tests; not waited for. */
export function startClient(server: NetServer, options: ConnectOptions = {}): TLSSocket {
  return track(connect({ port: portOf(server), host: '127.0.0.1', servername: 'localhost', ca, ...options }));
}

/** A client whose handshake is complete; rejects where it fails. */
export async function openClient(server: NetServer, options: ConnectOptions = {}): Promise<TLSSocket> {
  const socket = startClient(server, options);
  await once(socket, 'secureConnect');
  return socket;
}

/** Both ends of a connection whose handshake is complete. */
export async function openPair(
  serverOptions: ServerOptions = {},
  clientOptions: ConnectOptions = {},
): Promise<{ server: Server; client: TLSSocket; peer: TLSSocket }> {
  const server = await startServer(serverOptions);
  const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const client = await openClient(server, clientOptions);
  const [peer] = await accepted;
  return { server, client, peer };
}

/** The one error of a socket; rejects where it closes without, or has two. */
export async function errorOf(socket: TLSSocket): Promise<Error> {
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  await new Promise(setImmediate);
  const [error] = errors;
  if (error === undefined || errors.length > 1) throw new Error(`got ${errors.length} errors, expected one`);
  return error;
}

/** Everything that comes until the end. */
export async function readAll(socket: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The next event, with what its listener gets. */
export async function next(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return (await once(emitter, event)) as unknown[];
}
