/**
 * A process with servers of ours that take their ticket keys from one file, for tests of what crosses between processes:
 * `key-file-host.ts KEY_FILE '[{ "name": "a", "ca": ["root"] }]'` prints `ports {"a":4433}`. Each tells its clients how they came in.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, watchKeyFiles } from '../../src/adapters/node/index.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { identity, pem } from './certificates.js';

export interface Host {
  readonly name: string;
  /** Whose client certificates it wants; none: it wants no certificate. */
  readonly ca?: readonly string[];
}

/** What a host says to a client that it lets in. */
export interface Greeting {
  readonly mode: string | undefined;
  readonly reason: string | undefined;
  /** Of the client's certificate. */
  readonly fingerprint: string | undefined;
}

async function listen({ ca }: Host, ticketKeys: KeyRing): Promise<number> {
  const authentication = ca && { requestCert: true, ca: ca.map((name) => pem(name).cert) };
  const server = createServer({ ...identity('p256'), ...authentication, ticketKeys }, (socket) => {
    const { handshake } = socket.on('error', () => undefined);
    const greeting: Greeting = {
      mode: handshake?.mode,
      reason: handshake?.reason,
      fingerprint: socket.getPeerX509Certificate()?.fingerprint256,
    };
    socket.end(JSON.stringify(greeting));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const [keyFile = '', hosts = '[]'] = process.argv.slice(2);
const ring = new KeyRing({ crypto: nodeCrypto, now: Date.now });
await watchKeyFiles({ paths: keyFile, layout: 'nginx80', ring }).reload();
const ports: Record<string, number> = {};
for (const host of JSON.parse(hosts) as readonly Host[]) ports[host.name] = await listen(host, ring);
console.log(`ports ${JSON.stringify(ports)}`);
