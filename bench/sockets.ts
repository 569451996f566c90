/** Handshakes through `tls-resume/node`, the sockets with the names of `node:tls`, over the same streams as `node:tls`. */
import { connect, createServer } from '../src/adapters/node/index.js';
import type { CryptoBackend } from '../src/crypto/backend.js';
import type { HandshakeMode, Tls12CipherSuite } from '../src/index.js';
import { MemoryStore } from '../src/sessions/memory-store.js';
import { certificatePem, privateKeyPem, serverName } from './credentials.js';
import { endPair, socketPair } from './socket-pair.js';

/** One handshake of both ends a call; it rejects where the mode is not the one that was asked for. */
export async function socketHandshake(
  crypto: CryptoBackend,
  suite: Tls12CipherSuite,
  mode: HandshakeMode,
): Promise<() => Promise<void>> {
  const common = { crypto, ciphers: [suite], ecdhCurve: 'X25519:P-256', tickets: mode !== 'session_id' };
  const server = createServer({ ...common, key: privateKeyPem, cert: certificatePem });
  const sessionCache = new MemoryStore({ now: Date.now });
  const connectPair = () =>
    socketPair(server, (socket) =>
      connect({
        ...common,
        socket,
        servername: serverName,
        ca: certificatePem,
        ...(mode !== 'full' && { sessionCache }),
      }),
    );
  if (mode !== 'full') endPair(await connectPair(), 'full');
  return async () => endPair(await connectPair(), mode);
}
