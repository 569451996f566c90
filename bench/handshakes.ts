/**
 * Whole TLS 1.2 handshakes of ours, client and server in one process: handed from one to the other in memory, and through the
 * same streams that `node:tls` is measured on.
 *
 * Client and server are set up as applications set them up: a session store on the client, a ticket sealer or a session
 * store on the server.
 */
import type { Duplex } from 'node:stream';
import {
  clientConnection,
  clientSettings,
  serverConnection,
  serverSettings,
  type ClientSettings,
  type Connection,
  type CryptoBackend,
  type HandshakeMode,
  type ServerSettings,
  type Tls12CipherSuite,
} from '../src/index.js';
import { MemoryStore } from '../src/sessions/memory-store.js';
import { KeyRing } from '../src/tickets/key-ring.js';
import { Rfc5077Sealer } from '../src/tickets/rfc5077-sealer.js';
import { certificate, privateKey, serverName, verifyCertificate } from './credentials.js';
import { duplexPair } from './duplex.js';

export interface Pair {
  readonly client: Connection;
  readonly server: Connection;
}

/** One handshake of both ends a call; it throws where the mode is not the one that was asked for. */
export function handshake(crypto: CryptoBackend, suite: Tls12CipherSuite, mode: HandshakeMode): () => void {
  const settings = settingsFor(crypto, suite, mode);
  return () => end(connectInMemory(settings), mode);
}

/** The same with both ends behind streams. */
export async function handshakeOverStreams(
  crypto: CryptoBackend,
  suite: Tls12CipherSuite,
  mode: HandshakeMode,
): Promise<() => Promise<void>> {
  const settings = settingsFor(crypto, suite, mode);
  await connectOverStreams(settings);
  return async () => end(await connectOverStreams(settings), mode);
}

function end({ client, server }: Pair, mode: HandshakeMode): void {
  if (client.handshake?.mode !== mode || server.handshake?.mode !== mode) throw new Error(`not a ${mode} handshake`);
  client.destroy();
  server.destroy();
}

export interface PairSettings {
  readonly client: ClientSettings;
  readonly server: ServerSettings;
}

/** Settings whose next handshake has this mode: the first one of a resumption is done here. */
export function settingsFor(crypto: CryptoBackend, suite: Tls12CipherSuite, mode: HandshakeMode): PairSettings {
  const now = Date.now;
  const keys = new KeyRing({ crypto, now, automaticRotation: true });
  const common = { crypto, now, cipherSuites: [suite], groups: ['x25519', 'secp256r1'] } as const;
  const settings = {
    client: clientSettings({
      ...common,
      serverName,
      verifyCertificate,
      tickets: mode !== 'session_id',
      ...(mode !== 'full' && { sessions: new MemoryStore({ now }) }),
    }),
    server: serverSettings({
      ...common,
      credentials: [{ certificates: [certificate], signer: crypto.signer(privateKey()) }],
      ...(mode === 'session_id'
        ? { sessions: new MemoryStore({ now }) }
        : { tickets: new Rfc5077Sealer({ crypto, keys }) }),
    }),
  };
  if (mode !== 'full') end(connectInMemory(settings), 'full');
  return settings;
}

export function connectInMemory(settings: PairSettings): Pair {
  const client = clientConnection(settings.client, { driver: 'sync' });
  const server = serverConnection(settings.server, { driver: 'sync' });
  while (client.state === 'handshake' || server.state === 'handshake') {
    server.receive(client.takeOutput());
    client.receive(server.takeOutput());
    client.takeEvents();
    server.takeEvents();
  }
  return { client, server };
}

/** Two connections behind streams, by the shortest shell that does it. */
export function connectOverStreams(settings: PairSettings): Promise<Pair> {
  const [clientSide, serverSide] = duplexPair();
  const client = clientConnection(settings.client, { driver: 'sync' });
  const server = serverConnection(settings.server, { driver: 'sync' });
  return new Promise((resolve) => {
    let ready = 0;
    const opened = () => {
      if (++ready === 2) resolve({ client, server });
    };
    attach(server, serverSide, opened);
    attach(client, clientSide, opened);
  });
}

function attach(connection: Connection, stream: Duplex, opened: () => void): void {
  const flush = () => {
    const output = connection.takeOutput();
    if (output.length > 0) stream.write(output);
    for (const { type } of connection.takeEvents()) if (type === 'handshake' || type === 'close') opened();
  };
  stream.on('data', (chunk: Buffer) => {
    connection.receive(chunk);
    flush();
  });
  flush();
}
