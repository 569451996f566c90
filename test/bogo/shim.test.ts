/** The shim as the runner sees it, with this library in the runner's place: a listener that the shim dials. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverConnection, serverSettings, type Connection, type ServerSettings } from '../../src/index.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { credentialsFromPem } from '../../src/adapters/node/index.js';
import { KeyRing, RingSealer } from '../../src/tickets/index.js';
import { bundleProgram, type BundledProgram } from '../support/bundle.js';
import { identity } from '../support/certificates.js';

const folder = mkdtempSync(join(tmpdir(), 'tls-resume-shim-'));
const file = (name: string) => join(folder, name);
let shim: BundledProgram;

beforeAll(async () => {
  shim = await bundleProgram('test/bogo/shim.ts');
  const { cert, key } = identity('p256');
  writeFileSync(file('cert.pem'), cert);
  writeFileSync(file('key.pem'), key);
});
afterAll(() => {
  shim.remove();
  rmSync(folder, { recursive: true });
});

interface Finished {
  readonly status: number | null;
  readonly stderr: string;
  /** What the shim said of itself on each connection, and what it sent back. */
  readonly connections: readonly { readonly id: bigint; readonly data: string; readonly resumed: boolean }[];
}

/** The shim as a client of `settings`, each connection of which is sent `hello` and ended. */
async function runShim(settings: ServerSettings, ...flags: readonly string[]): Promise<Finished> {
  const connections: { id: bigint; data: string; resumed: boolean }[] = [];
  const listener = createServer((socket) => serve(socket, settings, (seen) => connections.push(seen)));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const child = spawn(process.execPath, [shim.path, '-port', String(port), '-shim-id', '4711', ...flags]);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number | null];
  listener.close();
  return { status, stderr, connections };
}

function serve(
  socket: Socket,
  settings: ServerSettings,
  tell: (seen: { id: bigint; data: string; resumed: boolean }) => void,
): void {
  let connection: Connection | undefined;
  let id = 0n;
  let resumed = false;
  const pump = () => {
    for (const event of connection?.takeEvents() ?? []) {
      if (event.type === 'handshake') {
        ({ resumed } = event);
        connection?.write(new TextEncoder().encode('hello'));
      }
      if (event.type === 'data') {
        tell({ id, resumed, data: String.fromCharCode(...event.data.map((byte) => byte ^ 0xff)) });
        connection?.close();
        const last = connection?.takeOutput() ?? new Uint8Array();
        socket.end(last);
      }
    }
    const output = connection?.takeOutput() ?? new Uint8Array();
    if (output.length > 0) socket.write(output);
  };
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    const rest = connection === undefined ? bytes.subarray(8) : bytes;
    if (connection === undefined) id = bytes.readBigUInt64LE();
    connection ??= serverConnection(settings);
    connection.receive(new Uint8Array(rest));
    pump();
  });
}

function settingsOf(version: 'TLSv1.2' | 'TLSv1.3'): ServerSettings {
  const keys = new KeyRing({ crypto: nodeCrypto, now: () => 1_800_000_000_000, automaticRotation: true });
  return serverSettings({
    now: () => 1_800_000_000_000,
    crypto: nodeCrypto,
    minVersion: version === 'TLSv1.3' ? version : 'TLSv1.2',
    maxVersion: version,
    credentials: [credentialsFromPem(identity('p256'))],
    tickets: new RingSealer({ keys }),
  });
}

describe('the shim', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: sends its number, turns what it gets, and resumes', async (version) => {
    const { status, stderr, connections } = await runShim(settingsOf(version), '-resume-count', '1');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(connections).toEqual([
      { id: 4711n, data: 'hello', resumed: false },
      { id: 4711n, data: 'hello', resumed: true },
    ]);
  });

  it('fails where an expectation is not met', async () => {
    const { status, stderr } = await runShim(settingsOf('TLSv1.3'), '-expect-curve-id', '24');
    expect(status).toBe(1);
    expect(stderr).toContain('group: got');
  });

  it('fails with the code of what the peer did wrong', async () => {
    const { status, stderr } = await runShim(settingsOf('TLSv1.2'), '-no-tls12');
    expect(status).toBe(1);
    expect(stderr).toContain('PeerAlertError:peer_alert:protocol_version');
  });

  it('says with its status that it does not know a flag', async () => {
    const { status, stderr } = await runShim(settingsOf('TLSv1.3'), '-send-channel-id', 'key.pem');
    expect(status).toBe(89);
    expect(stderr).toContain('not implemented: -send-channel-id');
  });
});
