/** `curl` with our server: both versions, HelloRetryRequest, client certificates, a large page. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createServer, type Server, type ServerOptions, type TLSSocket } from '../../src/adapters/node/index.js';
import { portOf } from '../../src/cli/demo/relay.js';
import { authority, identities } from '../support/identities.js';
import { describeWithPeer, runProgram } from '../support/peers.js';

const body = 'resumption '.repeat(200_000);

describeWithPeer('curl', 'curl with our server', (curl) => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-curl-'));
  const file = (name: string) => join(folder, name);
  const servers: Server[] = [];

  beforeAll(() => {
    writeFileSync(file('ca.pem'), authority.cert);
    writeFileSync(file('client.pem'), identities.client.cert);
    writeFileSync(file('client.key'), identities.client.key);
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Gets the page, and what our side made of the connection. */
  async function get(options: ServerOptions, ...parameters: string[]): Promise<{ page: string; ours: TLSSocket }> {
    const sockets: TLSSocket[] = [];
    const server = createServer({ ...identities.ecdsa, ca: authority.cert, ...options }, (socket) => {
      sockets.push(socket.on('error', () => undefined));
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = String(portOf(server));
    const to = ['--resolve', `example.test:${port}:127.0.0.1`, `https://example.test:${port}/`];
    const result = await runProgram(curl.path, ['-sS', '--http1.1', '--cacert', file('ca.pem'), ...parameters, ...to]);
    if (result.status !== 0) throw new Error(`curl ended with status ${String(result.status)}: ${result.stderr}`);
    return { page: result.stdout, ours: sockets[0]! };
  }

  it.each([
    ['TLSv1.3', {}, []],
    ['TLSv1.3', { minVersion: 'TLSv1.3' }, ['--tlsv1.3']],
    ['TLSv1.2', {}, ['--tls-max', '1.2']],
    ['TLSv1.2', { maxVersion: 'TLSv1.2' }, []],
  ] as const)('speaks %s where we have %o and it %j', async (version, options, parameters) => {
    const { page, ours } = await get(options, ...parameters);
    expect(page === body).toBe(true);
    expect(ours.handshake).toMatchObject({ version, mode: 'full', serverName: 'example.test' });
  });

  it.each(['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'])('%s', async (suite) => {
    const { page, ours } = await get({}, '--tls13-ciphers', suite);
    expect([page === body, ours.getCipher()?.name]).toEqual([true, suite]);
  });

  it('with another round trip for the group', async () => {
    const { page, ours } = await get({ ecdhCurve: 'P-384' }, '--curves', 'X25519:P-384');
    expect(page === body).toBe(true);
    expect(ours.handshake).toMatchObject({ helloRetryRequest: true, group: 'secp384r1' });
  });

  it('shows its certificate', async () => {
    const own = ['--cert', file('client.pem'), '--key', file('client.key')];
    const { page, ours } = await get({ requestCert: true }, ...own);
    expect([page === body, ours.authorized]).toEqual([true, true]);
    expect(ours.getPeerX509Certificate()?.subject).toBe('CN=client.test');
    await expect(get({ requestCert: true })).rejects.toThrow(/alert certificate required/);
  });

  it('refuses our certificate for another name', async () => {
    await expect(get(identities.other)).rejects.toThrow(/status 60: .*no alternative certificate subject name matches/);
  });
});
