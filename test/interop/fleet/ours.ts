/** A server of ours in a fleet, with tickets of whatever members that has. */
import { createServer, type ServerOptions } from '../../../src/adapters/node/index.js';
import { portOf } from '../../../src/cli/demo/relay.js';
import { identities } from '../../support/identities.js';
import type { FleetServer } from './rig.js';

/** `port` 0 is a free one. */
export async function startOurs(
  ticketKeys: NonNullable<ServerOptions['ticketKeys']>,
  options: ServerOptions = {},
  port = 0,
): Promise<FleetServer> {
  const server = createServer({ ...identities.ecdsa, ticketKeys, ...options }, (socket) => {
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
