/** The same with the `openssl` program on either side: `s_server` for our client, `s_client` for our server. */
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { createServer, type TLSSocket } from '../../adapters/node/index.js';
import { runOpenssl } from './openssl.js';
import { connectOnce, serverName, type Identity } from './ourselves.js';
import { portOf, startRelay, type Relay } from './relay.js';
import type { Report, Step } from './report.js';

type Words = Pick<Step, 'step' | 'about' | 'expected'>;

const words = {
  full: { step: 'full', about: 'Leaves a session ID.', expected: 'full' },
  sessionId: { step: 'session ID', about: 'Resumed from the cache of the server.', expected: 'session_id' },
  fullWithTicket: { step: 'full, with ticket', about: 'Leaves a ticket.', expected: 'full' },
  ticket: { step: 'ticket', about: 'Resumed from the ticket alone.', expected: 'ticket' },
} as const satisfies Record<string, Words>;

/** `folder` holds `ca.pem`, `cert.pem` and `key.pem`. */
export async function againstOpenssl(
  report: Report,
  identity: Identity,
  folder: string,
  version: string,
): Promise<void> {
  report.note(`TLS 1.2, tls-resume as client, ${version} as server`);
  await ourClient(report, identity, folder);
  report.note(`TLS 1.2, ${version} as client, tls-resume as server`);
  await ourServer(report, identity, folder);
}

async function ourClient(report: Report, { ca }: Identity, folder: string): Promise<void> {
  const port = await freePort();
  const files = ['-cert', join(folder, 'cert.pem'), '-key', join(folder, 'key.pem')];
  const server = runOpenssl('s_server', '-accept', `127.0.0.1:${String(port)}`, '-tls1_2', '-rev', ...files);
  const relay = await startRelay(port);
  try {
    await server.printed(/ACCEPT/);
    const step = async (what: Words, options: { readonly tickets?: boolean; readonly session?: Buffer }) => {
      const { outcome, session, milliseconds, echoed } = await connectOnce(relay, { ca, ...options });
      const checks = { 'the answer came back': echoed };
      report.add({ ...what, peer: 'openssl s_server', outcome, checks, segments: relay.take(), milliseconds });
      return session;
    };
    const byId = await step(words.full, { tickets: false });
    await step(words.sessionId, { tickets: false, session: byId });
    const byTicket = await step(words.fullWithTicket, {});
    await step(words.ticket, { session: byTicket });
  } finally {
    await relay.close();
    await server.stop();
  }
}

async function ourServer(report: Report, { cert, key }: Identity, folder: string): Promise<void> {
  const server = createServer({ cert, key, maxVersion: 'TLSv1.2' }, (socket) => {
    socket.on('error', () => undefined); // s_client leaves as it likes
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = await startRelay(portOf(server));
  try {
    for (const [kind, first, second] of [
      [['-no_ticket'], words.full, words.sessionId],
      [[], words.fullWithTicket, words.ticket],
    ] as const) {
      const session = join(folder, 'session.pem');
      for (const [what, file] of [
        [first, '-sess_out'],
        [second, '-sess_in'],
      ] as const)
        await clientStep(report, relay, server, what, ['-CAfile', join(folder, 'ca.pem'), ...kind, file, session]);
    }
  } finally {
    await relay.close();
    server.close();
  }
}

async function clientStep(
  report: Report,
  relay: Relay,
  server: ReturnType<typeof createServer>,
  what: Words,
  options: readonly string[],
): Promise<void> {
  relay.take();
  const start = performance.now();
  const connected = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve));
  const target = ['-connect', `127.0.0.1:${String(relay.port)}`, '-servername', serverName, '-tls1_2'];
  const client = runOpenssl('s_client', ...target, '-verify_return_error', ...options);
  try {
    await client.printed(/Verify return code: 0/);
    const { handshake } = await connected;
    const milliseconds = performance.now() - start;
    client.process.stdin?.end('Q\n');
    await once(client.process, 'close');
    if (handshake === undefined) throw new Error('the handshake left no result');
    const reused = /^Reused, /m.test(client.output());
    const checks = { 'openssl says the same': reused === (what.expected !== 'full') };
    report.add({ ...what, peer: 'openssl s_client', outcome: handshake, checks, segments: relay.take(), milliseconds });
  } finally {
    await client.stop();
  }
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}
