/** A server of ours in a fleet: the core over sockets, with tickets in whatever layout and encoding the fleet has. */
import { createServer } from 'node:net';
import { credentialsFromPem, nodeCrypto, TLSSocket } from '../../../src/adapters/node/index.js';
import { portOf } from '../../../src/cli/demo/relay.js';
import { serverSettings } from '../../../src/connection/config.js';
import { serverConnection } from '../../../src/connection/connection.js';
import type { ServerOptions } from '../../../src/connection/options.js';
import { identities } from '../../support/identities.js';
import type { FleetServer } from './rig.js';

/** `port` 0 is a free one. */
export async function startOurs(options: Partial<ServerOptions>, port = 0): Promise<FleetServer> {
  const settings = serverSettings({
    now: Date.now,
    crypto: nodeCrypto,
    credentials: [credentialsFromPem(identities.ecdsa)],
    ...options,
  });
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (transport) => {
    const socket = new TLSSocket(transport, {
      begin: (connectionOptions) => serverConnection(settings, connectionOptions),
      connection: {},
      allowHalfOpen: false,
      rejectUnauthorized: true,
      handshakeTimeout: 10_000,
    });
    socket.on('error', () => undefined); // what counts is what the client sees
    socket.once('data', () => {
      const { version: protocol, resumed, mode, reason } = socket.handshake ?? {};
      const client = socket.getPeerX509Certificate()?.subject;
      const words = { protocol, reused: String(resumed), mode, reason, client };
      socket.end(`HTTP/1.0 200 OK\r\n\r\n${JSON.stringify(words)}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    name: 'tls-resume',
    resumedWord: 'true',
    fullWord: 'false',
    port: portOf(server),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
