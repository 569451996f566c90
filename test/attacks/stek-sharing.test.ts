/**
 * Shared session-ticket keys (Hebrok et al., after "We Really Need to Talk About Session Tickets"): servers that have one key file accept
 * each other's tickets, although they authenticate their clients in different ways. Here they are in two processes.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type ConnectOptions } from '../../src/adapters/node/index.js';
import { bundleProgram, type BundledProgram } from '../support/bundle.js';
import { ca, identity } from '../support/certificates.js';
import type { Greeting, Host } from '../support/key-file-host.js';
import { startServerProcess, type ServerProcess } from '../support/peers.js';

const processes: ServerProcess[] = [];
const ports: Record<string, number> = {};
let program: BundledProgram | undefined;

/** `a` alone in the first process, and beside its twin whoever would like to have its sessions. */
const hosts: Host[][] = [
  [{ name: 'a', ca: ['root'] }],
  [
    { name: 'twin', ca: ['root'] },
    { name: 'wider', ca: ['root', 'other-root'] },
    { name: 'other', ca: ['other-root'] },
    { name: 'open' },
  ],
];

beforeAll(async () => {
  const { folder, path } = (program = await bundleProgram('test/support/key-file-host.ts'));
  const keyFile = join(folder, 'ticket.key');
  writeFileSync(keyFile, randomBytes(80), { mode: 0o600 });
  const started = hosts.map((own) =>
    startServerProcess({
      command: process.execPath,
      arguments: () => [path, keyFile, JSON.stringify(own)],
      ready: /^ports .*$/m,
      timeoutMilliseconds: 60_000,
    }),
  );
  processes.push(...(await Promise.all(started)));
  for (const each of processes) {
    const [, said = '{}'] = /^ports (.*)$/m.exec(each.output()) ?? [];
    Object.assign(ports, JSON.parse(said));
  }
});

afterAll(async () => {
  await Promise.all(processes.map((each) => each.stop()));
  program?.remove();
});

/** How a client of this version came in, and what it can resume by; or the alert that it was sent away with. */
async function visit(
  name: string,
  options: ConnectOptions,
): Promise<{ greeting: Greeting | string; session?: Buffer }> {
  const socket = connect({ port: ports[name] ?? 0, host: '127.0.0.1', servername: 'localhost', ca, ...options });
  let session: Buffer | undefined;
  socket.on('session', (newest) => (session = newest));
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket) chunks.push(chunk as Buffer);
  } catch (error) {
    return { greeting: error instanceof Error ? error.message : String(error) };
  }
  const greeting = JSON.parse(Buffer.concat(chunks).toString()) as Greeting;
  return { greeting, ...(session !== undefined && { session }) };
}

describe.each([
  ['ticket', 'TLSv1.2'],
  ['psk_dhe_ke', 'TLSv1.3'],
] as const)('two processes with one key file (%s)', (mode, version) => {
  const client: ConnectOptions = { ...identity('client-p256'), minVersion: version, maxVersion: version };

  async function sessionOfA(): Promise<{ session: Buffer; fingerprint: string }> {
    const { greeting, session } = await visit('a', client);
    expect(greeting).toMatchObject({ mode: 'full', reason: 'not_offered' });
    if (session === undefined || typeof greeting === 'string') throw new Error('A gave no session');
    return { session, fingerprint: greeting.fingerprint ?? '' };
  }

  it('P-key-3 the key is the same: its twin in the other process knows the client', async () => {
    const { session, fingerprint } = await sessionOfA();
    expect((await visit('twin', { ...client, session })).greeting).toEqual({ mode, fingerprint });
  });

  it("P-bind-1 P-bind-2 A's ticket is none where other authorities are trusted, or no certificate is wanted", async () => {
    const { session, fingerprint } = await sessionOfA();
    const reason = 'client_authentication_mismatch';
    expect((await visit('wider', { ...client, session })).greeting).toEqual({ mode: 'full', reason, fingerprint });
    expect((await visit('open', { ...client, session })).greeting).toEqual({ mode: 'full', reason });
  });

  it('P-bind-1 whoever is not trusted at the other server does not get in by the ticket either', async () => {
    const { session } = await sessionOfA();
    expect((await visit('other', { ...client, session })).greeting).toBe('peer sent alert unknown_ca');
  });

  it('P-bind-3 a ticket from where no certificate is wanted is none at A', async () => {
    const { session } = await visit('open', client);
    if (session === undefined) throw new Error('no session');
    const { cert: _cert, key: _key, ...anonymous } = client;
    const refused = version === 'TLSv1.2' ? 'handshake_failure' : 'certificate_required';
    expect((await visit('a', { ...anonymous, session })).greeting).toBe(`peer sent alert ${refused}`);
    expect((await visit('a', { ...client, session })).greeting).toMatchObject({ mode: 'full' });
  });
});
