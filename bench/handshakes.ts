/**
 * Whole handshakes of ours, client and server in one process: handed from one to the other in memory, and through the same
 * streams that `node:tls` is measured on.
 *
 * Client and server are set up as applications set them up: a session store on the client, a ticket sealer or a session
 * store on the server. In TLS 1.3 the tickets are part of it: sealed, sent, received and stored.
 */
import type { Duplex } from 'node:stream';
import { MemoryReplayGuard } from '../src/early-data/memory-replay-guard.js';
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
  type SupportedCipherSuite,
} from '../src/index.js';
import { MemoryStore } from '../src/sessions/memory-store.js';
import { KeyRing } from '../src/tickets/key-ring.js';
import { RingSealer } from '../src/tickets/ring-sealer.js';
import { certificate, privateKey, serverName, verifyCertificate } from './credentials.js';
import { duplexPair } from './duplex.js';

/** What a handshake is to be; `0-RTT` is `psk_dhe_ke` with a request in the client's first flight. */
export type Kind = HandshakeMode | '0-RTT';

export interface Pair {
  readonly client: Connection;
  readonly server: Connection;
}

/** What goes as early data: a short request of HTTP. */
export const earlyRequest = new Uint8Array(100).fill(0x2a);

/** One handshake of both ends a call; it throws where it is not of the kind that was asked for. */
export function handshake(crypto: CryptoBackend, suite: SupportedCipherSuite, kind: Kind): () => void {
  const settings = settingsFor(crypto, suite, kind);
  return () => end(connectInMemory(settings), kind);
}

/** The same with both ends behind streams. */
export async function handshakeOverStreams(
  crypto: CryptoBackend,
  suite: SupportedCipherSuite,
  kind: Kind,
): Promise<() => Promise<void>> {
  const settings = settingsFor(crypto, suite, kind);
  await connectOverStreams(settings);
  return async () => end(await connectOverStreams(settings), kind);
}

function end(pair: Pair, kind: Kind): void {
  const mode = kind === '0-RTT' ? 'psk_dhe_ke' : kind;
  const earlyData = kind === '0-RTT' ? 'accepted' : 'none';
  for (const { handshake } of [pair.client, pair.server])
    if (handshake?.mode !== mode || handshake.earlyData !== earlyData) throw new Error(`not a ${kind} handshake`);
  pair.client.destroy();
  pair.server.destroy();
}

export interface PairSettings {
  readonly client: ClientSettings;
  readonly server: ServerSettings;
}

/** Settings whose next handshake is of this kind: the first one of a resumption is done here. */
export function settingsFor(crypto: CryptoBackend, suite: SupportedCipherSuite, kind: Kind): PairSettings {
  const now = Date.now;
  const keys = new KeyRing({ crypto, now, automaticRotation: true });
  const common = {
    crypto,
    now,
    cipherSuites: [suite],
    groups: ['x25519', 'secp256r1'],
    pskKeyExchangeModes: [kind === 'psk_ke' ? 'psk_ke' : 'psk_dhe_ke'],
  } as const;
  const settings = {
    client: clientSettings({
      ...common,
      serverName,
      verifyCertificate,
      tickets: kind !== 'session_id',
      earlyData: kind === '0-RTT',
      ...(kind !== 'full' && { sessions: new MemoryStore({ now }) }),
    }),
    server: serverSettings({
      ...common,
      credentials: [{ certificates: [certificate], signer: crypto.signer(privateKey()) }],
      ...(kind === '0-RTT' && {
        earlyData: { maxSize: 16384, replayGuard: new MemoryReplayGuard({ now }), ticketsAreOfThisProcessAlone: true },
      }),
      ...(kind === 'session_id' ? { sessions: new MemoryStore({ now }) } : { tickets: new RingSealer({ keys }) }),
    }),
  };
  if (kind !== 'full') end(connectInMemory(settings), 'full');
  return settings;
}

export function connectInMemory(settings: PairSettings): Pair {
  const client = beginClient(settings);
  const server = serverConnection(settings.server, { driver: 'sync' });
  while (client.state === 'handshake' || server.state === 'handshake') {
    server.receive(client.takeOutput());
    client.receive(server.takeOutput());
    client.takeEvents();
    server.takeEvents();
  }
  return { client, server };
}

function beginClient({ client: settings }: PairSettings): Connection {
  const client = clientConnection(settings, { driver: 'sync' });
  if (client.earlyDataAllowance > 0) client.writeEarlyData(earlyRequest);
  return client;
}

/** Two connections behind streams, by the shortest shell that does it. */
export function connectOverStreams(settings: PairSettings): Promise<Pair> {
  const [clientSide, serverSide] = duplexPair();
  const client = beginClient(settings);
  const server = serverConnection(settings.server, { driver: 'sync' });
  // The last thing to happen: in TLS 1.3 the client has a ticket, in TLS 1.2 the handshake is complete at either end.
  const last = settings.client.versions.includes('TLSv1.3') ? 'session' : 'handshake';
  return new Promise((resolve) => {
    let missing = last === 'session' ? 1 : 2;
    const opened = () => {
      if (--missing === 0) resolve({ client, server });
    };
    attach(server, serverSide, last, opened);
    attach(client, clientSide, last, opened);
  });
}

function attach(connection: Connection, stream: Duplex, last: 'session' | 'handshake', opened: () => void): void {
  const flush = () => {
    const output = connection.takeOutput();
    if (output.length > 0) stream.write(output);
    for (const { type } of connection.takeEvents()) if (type === last || type === 'close') opened();
  };
  stream.on('data', (chunk: Buffer) => {
    connection.receive(chunk);
    flush();
  });
  flush();
}
