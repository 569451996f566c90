/** Connections through `tls-resume/node`, the sockets with the names of `node:tls`, over the same streams as `node:tls`. */
import { connect, createServer, type TLSSocket } from '../src/adapters/node/index.js';
import type { CryptoBackend } from '../src/crypto/backend.js';
import type { HandshakeMode, SupportedCipherSuite } from '../src/index.js';
import { isTls13CipherSuite } from '../src/key-schedule/suites.js';
import { MemoryStore } from '../src/sessions/memory-store.js';
import { certificatePem, privateKeyPem, serverName } from './credentials.js';
import { endPair, socketPair, type SocketPair } from './socket-pair.js';

/** One handshake of both ends a call; it rejects where the mode is not the one that was asked for. */
export async function socketHandshake(
  crypto: CryptoBackend,
  suite: SupportedCipherSuite,
  mode: HandshakeMode,
): Promise<() => Promise<void>> {
  const connectPair = socketPairs(crypto, suite, mode);
  if (mode !== 'full') endPair(await connectPair(), false);
  return async () => endPair(await connectPair(), mode !== 'full');
}

/** Connects both ends. */
export function socketPairs(
  crypto: CryptoBackend,
  suite: SupportedCipherSuite,
  mode: HandshakeMode,
): () => Promise<SocketPair<TLSSocket>> {
  const common = { crypto, ciphers: [suite], ecdhCurve: 'X25519:P-256', tickets: mode !== 'session_id' };
  const server = createServer({ ...common, key: privateKeyPem, cert: certificatePem });
  const sessionCache = new MemoryStore({ now: Date.now });
  return () =>
    socketPair(
      server,
      (socket) =>
        connect({
          ...common,
          socket,
          servername: serverName,
          ca: certificatePem,
          ...(mode !== 'full' && { sessionCache }),
        }),
      isTls13CipherSuite(suite),
    );
}
