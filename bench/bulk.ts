/** Application data through an open connection, from client to server: many records, each written and read on its own. */
import type { CryptoBackend } from '../src/crypto/backend.js';
import type { SupportedCipherSuite } from '../src/index.js';
import { connectInMemory, settingsFor } from './handshakes.js';

/** What one write is: a full record. */
export const recordLength = 16 * 1024;
/** Records of one run: a mebibyte. */
export const recordsPerRun = 64;

export function bulk(crypto: CryptoBackend, suite: SupportedCipherSuite): () => void {
  const { client, server } = connectInMemory(settingsFor(crypto, suite, 'full'));
  const data = new Uint8Array(recordLength).fill(0x2a);
  return () => {
    for (let i = 0; i < recordsPerRun; i++) {
      client.write(data);
      server.receive(client.takeOutput());
      for (const event of server.takeEvents())
        if (event.type !== 'data' || event.data.length !== recordLength) throw new Error(`got a ${event.type} event`);
    }
  };
}
