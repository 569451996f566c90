/** TLS 1.3 with the `openssl` program on either side, early data included: `s_server` for our client, `s_client` for our server. */
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOpenssl } from './openssl.js';
import {
  connectTls13,
  request,
  startTls13Server,
  tls13Words,
  type Served,
  type Tls13Words,
} from './ourselves-tls13.js';
import { serverName, type Identity } from './ourselves.js';
import { portOf, startRelay, type Relay } from './relay.js';
import type { Report } from './report.js';
import { freePort } from './with-openssl.js';

/** `folder` holds `ca.pem`, `cert.pem` and `key.pem`. */
export async function tls13AgainstOpenssl(
  report: Report,
  identity: Identity,
  folder: string,
  version: string,
): Promise<void> {
  report.note(`TLS 1.3, tls-resume as client, ${version} as server`);
  await ourClient(report, identity, folder);
  report.note(`TLS 1.3, ${version} as client, tls-resume as server`);
  await ourServer(report, identity, folder);
}

async function ourClient(report: Report, { ca }: Identity, folder: string): Promise<void> {
  const port = await freePort();
  const files = ['-cert', join(folder, 'cert.pem'), '-key', join(folder, 'key.pem')];
  const server = runOpenssl('s_server', '-accept', `127.0.0.1:${String(port)}`, '-tls1_3', '-early_data', ...files);
  const relay = await startRelay(port);
  let requests = 0;
  // s_server prints what it gets and sends what it reads: the echo is ours.
  const answer = async () => {
    requests++;
    await server.printed(new RegExp(`(${request.trim()}[^]*){${String(requests)}}`));
    server.process.stdin?.write(request);
  };
  try {
    await server.printed(/ACCEPT/);
    const step = async (what: Tls13Words, options: { readonly session?: Buffer; readonly earlyData?: Buffer }) => {
      const { session, echoed, ...made } = await connectTls13(relay, { ca, ...options }, answer);
      const checks = { 'the answer came back': echoed };
      report.add({ ...what, ...made, peer: 'openssl s_server', checks, segments: relay.take() });
      return session;
    };
    const first = await step(tls13Words.full, {});
    const second = await step(tls13Words.psk, { session: first });
    await step(tls13Words.earlyData, { session: second, earlyData: Buffer.from(request) });
  } finally {
    await relay.close();
    await server.stop();
  }
}

async function ourServer(report: Report, identity: Identity, folder: string): Promise<void> {
  const served = await startTls13Server(identity);
  const relay = await startRelay(portOf(served.server));
  const session = join(folder, 'tls13.pem');
  const early = join(folder, 'early.txt');
  writeFileSync(early, request);
  try {
    const steps: [Tls13Words, string[]][] = [
      [tls13Words.full, ['-sess_out', session]],
      [tls13Words.psk, ['-sess_in', session]],
      [tls13Words.earlyData, ['-sess_in', session, '-early_data', early]],
    ];
    for (const [what, options] of steps)
      await clientStep(report, relay, served, what, session, ['-CAfile', join(folder, 'ca.pem'), ...options]);
  } finally {
    await relay.close();
    served.server.close();
  }
}

async function clientStep(
  report: Report,
  relay: Relay,
  served: Served,
  what: Tls13Words,
  session: string,
  options: readonly string[],
): Promise<void> {
  relay.take();
  served.takeKeyLog();
  const start = performance.now();
  const connected = once(served.server, 'secureConnection');
  const target = ['-connect', `127.0.0.1:${String(relay.port)}`, '-servername', serverName, '-tls1_3'];
  const client = runOpenssl('s_client', ...target, '-verify_return_error', ...options);
  try {
    await connected;
    const milliseconds = performance.now() - start;
    await client.printed(/Verify return code: 0/);
    await exists(session);
    client.process.stdin?.end('Q\n');
    await once(client.process, 'close');
    const outcome = served.outcomes.pop();
    if (outcome === undefined) throw new Error('the handshake left no result');
    const checks = {
      'openssl says the same': /^Reused, /m.test(client.output()) === (what.expected !== 'full'),
      'openssl says the same of early data':
        client.output().includes('Early data was accepted') === (what.expectedEarlyData === 'accepted'),
    };
    const record = { peer: 'openssl s_client', segments: relay.take(), keyLog: served.takeKeyLog() };
    report.add({ ...what, ...record, outcome, checks, milliseconds });
  } finally {
    await client.stop();
  }
}

/** `s_client` writes the file as a ticket comes, and says so when it ends. */
async function exists(file: string): Promise<void> {
  for (let waited = 0; !existsSync(file); waited += 10) {
    if (waited > 10_000) throw new Error('openssl s_client got no ticket');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
