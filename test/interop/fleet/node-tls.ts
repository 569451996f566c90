/** `node:tls` in this process: OpenSSL with the key order and the session id context of Node.js. */
import { createServer, type TlsOptions } from 'node:tls';
import { portOf } from '../../../src/cli/demo/relay.js';
import { identities } from '../../support/identities.js';
import type { FleetServer } from './rig.js';

export async function startNodeTls(options: Pick<TlsOptions, 'ticketKeys' | 'sessionIdContext'>): Promise<FleetServer> {
  const server = createServer({ ...identities.ecdsa, minVersion: 'TLSv1.2', ...options }, (socket) => {
    const view = { protocol: socket.getProtocol(), reused: String(socket.isSessionReused()) };
    socket.on('error', () => undefined); // what counts is what the client sees
    socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\n\r\n${JSON.stringify(view)}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    name: 'node',
    resumedWord: 'true',
    fullWord: 'false',
    port: portOf(server),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
