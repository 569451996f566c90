/** TLS 1.3 between our sockets and those of `node:tls`, both ways round. */
import { connect as nodeConnect, createServer as nodeServer, type Server, type TlsOptions } from 'node:tls';
import type { ConnectionOptions, TLSSocket as NodeSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { connect, type ConnectOptions, type ServerOptions, type TLSSocket } from '../../src/adapters/node/index.js';
import { portOf } from '../../src/cli/demo/relay.js';
import { converse, type Conversation } from '../support/conversation.js';
import { EchoServer } from '../support/echo-server.js';
import { authority, identities } from '../support/identities.js';

const shared = { host: '127.0.0.1', servername: 'example.test', ca: authority.cert };

describe('our client with a node:tls server', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(options: TlsOptions = {}): Promise<Server> {
    const server = nodeServer({ ...identities.ecdsa, ca: authority.cert, ...options }, (socket) => {
      const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined;
      const { authorized, alpnProtocol: alpn } = socket;
      const facts = { version: socket.getProtocol(), reused: socket.isSessionReused(), alpn, authorized };
      const exported = socket.exportKeyingMaterial(20, 'EXPORTER-interop', Buffer.alloc(0)).toString('hex');
      socket.on('data', (chunk: Buffer) => {
        socket.end(JSON.stringify({ ...facts, client: subject?.CN, exported, heard: chunk.toString() }));
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async function talk(server: Server, options: ConnectOptions = {}) {
    const socket = connect({ ...shared, port: portOf(server), ...options });
    let exported = '';
    socket.once('secureConnect', () => {
      exported = socket.exportKeyingMaterial(20, 'EXPORTER-interop').toString('hex');
    });
    const { received, sessions } = await converse(socket, 'hello');
    return { socket, sessions, exported, theirs: JSON.parse(received.toString()) as Record<string, unknown> };
  }

  it.each([
    ['TLS_AES_128_GCM_SHA256', 'X25519'],
    ['TLS_AES_256_GCM_SHA384', 'P-384'],
    ['TLS_CHACHA20_POLY1305_SHA256', 'P-256'],
  ])('%s and %s in full, then by each ticket', async (ciphers, ecdhCurve) => {
    const server = await serve({ ALPNProtocols: ['h2'] });
    const options = { ciphers, ecdhCurve, ALPNProtocols: ['h2'] };
    const first = await talk(server, options);
    expect(first.socket.handshake).toMatchObject({ version: 'TLSv1.3', mode: 'full', cipherSuite: ciphers });
    expect(first.theirs).toMatchObject({ version: 'TLSv1.3', reused: false, alpn: 'h2', exported: first.exported });
    expect(first.sessions).toHaveLength(2);
    for (const session of first.sessions) {
      const second = await talk(server, { ...options, session });
      expect(second.socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', resumed: true });
      expect(second.theirs).toMatchObject({ reused: true, heard: 'hello', exported: second.exported });
    }
  });

  it('with another round trip for the group', async () => {
    const server = await serve({ ecdhCurve: 'P-384' });
    const options = { ecdhCurve: 'X25519:P-384' };
    const first = await talk(server, options);
    const second = await talk(server, { ...options, session: first.sessions });
    expect([first, second].map(({ socket }) => socket.handshake?.helloRetryRequest)).toEqual([true, true]);
    expect([first, second].map(({ theirs }) => theirs['reused'])).toEqual([false, true]);
  });

  it('with a client certificate, in full and by ticket', async () => {
    const server = await serve({ requestCert: true });
    const first = await talk(server, identities.client);
    const second = await talk(server, { ...identities.client, session: first.sessions });
    const client = { authorized: true, client: 'client.test' };
    expect([first.theirs, second.theirs]).toMatchObject([
      { ...client, reused: false },
      { ...client, reused: true },
    ]);
  });

  it('an older server: TLS 1.2, and its session serves again', async () => {
    const server = await serve({ maxVersion: 'TLSv1.2' });
    const first = await talk(server);
    const second = await talk(server, { session: first.sessions });
    expect([first.theirs, second.theirs]).toMatchObject([
      { version: 'TLSv1.2', reused: false },
      { version: 'TLSv1.2', reused: true },
    ]);
  });
});

describe('a node:tls client with our server', () => {
  const servers: EchoServer[] = [];
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  async function serve(options: ServerOptions = {}): Promise<EchoServer> {
    const server = await EchoServer.start({ ...identities.ecdsa, ca: authority.cert, ...options });
    servers.push(server);
    return server;
  }

  async function talk(
    server: EchoServer,
    options: ConnectionOptions = {},
  ): Promise<{ theirs: Conversation<NodeSocket>; reused: boolean; version: string | null; ours: TLSSocket }> {
    const socket = nodeConnect({ ...shared, port: server.port, ...options });
    let facts = { reused: false, version: null as string | null };
    socket.once('secureConnect', () => {
      facts = { reused: socket.isSessionReused(), version: socket.getProtocol() };
    });
    const [theirs, ours] = await Promise.all([converse(socket, 'hello\n'), server.next()]);
    if (ours instanceof Error) throw ours;
    expect(theirs.received.toString()).toBe('hello\n');
    return { theirs, ours, ...facts };
  }

  it.each([
    ['TLS_AES_128_GCM_SHA256', 'X25519'],
    ['TLS_AES_256_GCM_SHA384', 'P-384'],
    ['TLS_CHACHA20_POLY1305_SHA256', 'P-256'],
  ])('%s and %s in full, then by each ticket', async (ciphers, ecdhCurve) => {
    const server = await serve();
    const options = { ciphers, ecdhCurve };
    const first = await talk(server, options);
    expect([first.reused, first.version]).toEqual([false, 'TLSv1.3']);
    expect(first.ours.handshake).toMatchObject({ mode: 'full', cipherSuite: ciphers });
    expect(first.theirs.sessions).toHaveLength(2);
    for (const session of first.theirs.sessions) {
      const second = await talk(server, { ...options, session });
      expect(second.reused).toBe(true);
      expect(second.ours.handshake).toMatchObject({ mode: 'psk_dhe_ke', reason: undefined });
    }
  });

  it('with another round trip for the group', async () => {
    const server = await serve({ ecdhCurve: 'P-384' });
    const options = { ecdhCurve: 'X25519:P-384' };
    const first = await talk(server, options);
    const second = await talk(server, { ...options, session: first.theirs.sessions[0] });
    expect([first, second].map(({ ours }) => ours.handshake?.helloRetryRequest)).toEqual([true, true]);
    expect([first.reused, second.reused]).toEqual([false, true]);
  });

  it('with a client certificate, in full and by ticket', async () => {
    const server = await serve({ requestCert: true });
    const first = await talk(server, identities.client);
    const second = await talk(server, { ...identities.client, session: first.theirs.sessions[0] });
    expect([first.reused, second.reused]).toEqual([false, true]);
    for (const { ours } of [first, second])
      expect([ours.authorized, ours.getPeerX509Certificate()?.subject]).toEqual([true, 'CN=client.test']);
  });

  it('an older client: TLS 1.2, and its session serves again', async () => {
    const server = await serve();
    const options = { maxVersion: 'TLSv1.2' } as const;
    const first = await talk(server, options);
    const second = await talk(server, { ...options, session: first.theirs.sessions[0] });
    expect([first.version, first.reused, second.version, second.reused]).toEqual(['TLSv1.2', false, 'TLSv1.2', true]);
  });
});
