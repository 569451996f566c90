/** Application data through an open connection: 16 KiB from client to server and 16 KiB back. */
import type { CryptoBackend } from '../src/crypto/backend.js';
import type { Connection, Tls12CipherSuite } from '../src/index.js';
import { connectInMemory, settingsFor } from './handshakes.js';

export const bulkLength = 16 * 1024;

export function bulk(crypto: CryptoBackend, suite: Tls12CipherSuite): () => void {
  const { client, server } = connectInMemory(settingsFor(crypto, suite, 'full'));
  const data = new Uint8Array(bulkLength).fill(0x2a);
  return () => {
    transfer(client, server, data);
    transfer(server, client, data);
  };
}

function transfer(from: Connection, to: Connection, data: Uint8Array): void {
  from.write(data);
  to.receive(from.takeOutput());
  for (const event of to.takeEvents())
    if (event.type !== 'data' || event.data.length !== data.length) throw new Error(`got a ${event.type} event`);
}
