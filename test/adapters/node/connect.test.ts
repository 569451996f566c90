import { X509Certificate } from 'node:crypto';
import { checkServerIdentity } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import {
  acceptAnyCertificateForTesting,
  connect,
  type ConnectOptions,
  type ServerOptions,
  type TLSSocket,
} from '../../../src/adapters/node/index.js';
import type { AlertDescription } from '../../../src/alert.js';
import { nobleCrypto } from '../../../src/crypto/noble.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { MemoryStore } from '../../../src/sessions/memory-store.js';
import type { SessionStore } from '../../../src/sessions/store.js';
import { TicketPool } from '../../../src/sessions/ticket-pool.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { ca, identity, pem } from '../../support/certificates.js';
import { closeAll, errorOf, next, openClient, openPair, portOf, startClient, startServer } from './rig.js';

afterEach(closeAll);

/** Connects, waits for the session where one comes, and closes. */
async function visit(server: Parameters<typeof openClient>[0], options: ConnectOptions = {}): Promise<TLSSocket> {
  const client = await openClient(server, options);
  client.end();
  client.resume();
  await next(client, 'close');
  return client;
}

describe('connect', () => {
  it('has the signatures of tls.connect', async () => {
    const server = await startServer();
    const port = portOf(server);
    const options = { ca, servername: 'localhost' };
    const host = '127.0.0.1';
    for (const open of [
      (done: () => void) => connect({ ...options, port, host }, done),
      (done: () => void) => connect(port, host, options, done),
      (done: () => void) => connect(port, { ...options, host }, done),
    ]) {
      const secured = await new Promise<boolean>((resolve) => {
        const socket: TLSSocket = open(() => {
          resolve(socket.authorized);
          socket.destroy();
        });
      });
      expect(secured).toBe(true);
    }
    expect(() => connect({ host: 'localhost' })).toThrow('`connect` needs `port`, `path` or `socket`');
  });

  it('tells what a tls socket tells', async () => {
    const { client, peer } = await openPair({ ALPNProtocols: ['h2', 'http/1.1'] }, { ALPNProtocols: ['http/1.1'] });
    const leaf = new X509Certificate(pem('p256').cert);
    const name = { name: 'ECDHE-ECDSA-AES128-GCM-SHA256', standardName: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' };
    for (const socket of [client, peer]) {
      expect(socket.encrypted).toBe(true);
      expect(socket.getProtocol()).toBe('TLSv1.2');
      expect(socket.getCipher()).toEqual({ ...name, version: 'TLSv1.2' });
      expect(socket.alpnProtocol).toBe('http/1.1');
      expect(socket.servername).toBe('localhost');
      expect(socket.isSessionReused()).toBe(false);
      expect(socket.authorizationError).toBe(null);
    }
    expect(client.getEphemeralKeyInfo()).toEqual({ type: 'ECDH', name: 'X25519', size: 253 });
    expect(peer.getEphemeralKeyInfo()).toBe(null);
    expect([client.authorized, peer.authorized]).toEqual([true, false]);
    expect(client.getPeerX509Certificate()?.fingerprint256).toBe(leaf.fingerprint256);
    expect(peer.getPeerX509Certificate()).toBe(undefined);
    expect(peer.getPeerCertificate()).toEqual({});
    expect(client.getPeerCertificate()).toEqual(leaf.toLegacyObject());
    expect(client.getPeerCertificate(true)).toMatchObject({
      subject: { CN: 'Server p256' },
      issuerCertificate: { subject: { CN: 'Test Intermediate' } },
    });
    const material = client.exportKeyingMaterial(32, 'EXPORTER-test', Buffer.from('context'));
    expect(material).toHaveLength(32);
    expect(peer.exportKeyingMaterial(32, 'EXPORTER-test', Buffer.from('context'))).toEqual(material);
    expect(peer.exportKeyingMaterial(32, 'EXPORTER-test')).not.toEqual(material);
  });

  it('tells where it is connected to, and passes settings on to TCP', async () => {
    const { server, client, peer } = await openPair();
    expect([client.remotePort, client.remoteAddress, client.remoteFamily]).toEqual([
      portOf(server),
      '127.0.0.1',
      'IPv4',
    ]);
    expect([peer.remotePort, peer.localPort]).toEqual([client.localPort, portOf(server)]);
    expect(client.address()).toMatchObject({ address: '127.0.0.1', port: client.localPort });
    expect(client.bytesRead).toBe(peer.bytesWritten);
    expect(client.setNoDelay().setKeepAlive(true, 1_000).ref().unref()).toBe(client);
    client.setTimeout(20);
    await next(client, 'timeout');
    expect(client.destroyed).toBe(false);
  });

  it.each([
    ['ECDHE-ECDSA-CHACHA20-POLY1305', 'P-384:P-256', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'secp384r1'],
    [
      ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
      'P-256:X25519',
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'secp256r1',
    ],
  ])('ciphers %j and ecdhCurve %s', async (ciphers, ecdhCurve, cipherSuite, group) => {
    const server = await startServer({ ecdhCurve: 'P-384:P-256' });
    expect((await openClient(server, { ciphers, ecdhCurve })).handshake).toMatchObject({ cipherSuite, group });
  });

  it('runs on the backend that it is given', async () => {
    const { client } = await openPair({ crypto: nobleCrypto }, { crypto: nobleCrypto });
    expect(client.handshake).toMatchObject({ mode: 'full' });
  });

  it.each([
    [{ minVersion: 'TLSv1.1' }, '`minVersion`: TLSv1.1 is not supported, TLSv1.2 and TLSv1.3 are'],
    [{ maxVersion: 'TLSv1' }, '`maxVersion`: TLSv1 is not supported, TLSv1.2 and TLSv1.3 are'],
    [{ pfx: Buffer.alloc(1) }, '`pfx` of node:tls is not supported'],
    [{ pskIdentityHint: 'x' }, '`pskIdentityHint` of node:tls is not supported'],
    [{ crl: 'x' }, '`crl` of node:tls is not supported'],
    [{ servername: 'a b' }, '`servername` is no host name'],
    [{ key: pem('p256').key }, '`key` needs `cert`'],
    [{ cert: pem('p256').cert }, '`cert` needs `key`'],
    [{ cert: pem('p256').cert, key: pem('p384').key }, '`key` does not belong to the certificate'],
    [{ ca: 'nothing' }, '`ca` holds no certificate'],
  ])('refuses options that would do nothing or cannot work: %o', (options, message) => {
    // From JavaScript, or a JSON file: the types do not allow it.
    const loose: object = { port: 1, ...options };
    expect(() => connect(loose)).toThrow(expect.objectContaining({ name: 'UsageError', message }));
  });
});

describe('whom a client trusts', () => {
  const untrusted: [string, ConnectOptions, ServerOptions, AlertDescription][] = [
    ['an unknown authority', { ca: pem('other-root').cert }, {}, 'unknown_ca'],
    ['another name', { servername: 'elsewhere.example' }, {}, 'bad_certificate'],
    ['another address', { servername: '127.0.0.2' }, {}, 'bad_certificate'],
    ['a certificate that has expired', {}, identity('expired'), 'certificate_expired'],
    ['a self-signed certificate', {}, pem('self-signed'), 'unknown_ca'],
    ['a chain without its intermediate', {}, pem('p256'), 'unknown_ca'],
  ];
  it.each(untrusted)('not %s; the server gets the alert', async (_, client, server, alert) => {
    const listening = await startServer(server);
    const failure = next(listening, 'tlsClientError');
    const error = await errorOf(startClient(listening, client));
    expect(error).toMatchObject({ name: 'AlertError', alert });
    expect(error.message).toMatch(/^certificate refused: /);
    expect((await failure)[0]).toMatchObject({ name: 'PeerAlertError', alert });
  });

  it('an address is proven by the certificate and never sent as a name', async () => {
    const server = await startServer();
    for (const options of [
      { host: '127.0.0.1', servername: undefined },
      { servername: '127.0.0.1' },
      { servername: '' },
    ]) {
      const { servername, ...rest } = options;
      const client = await openClient(server, { ...rest, ...(servername !== undefined && { servername }) });
      expect([client.authorized, client.servername]).toEqual([true, servername === undefined ? 'localhost' : false]);
    }
  });

  it('names are sent as A-labels without a trailing dot, in lower case', async () => {
    const server = await startServer();
    const verifyCertificate = acceptAnyCertificateForTesting();
    const names = ['Bücher.Example', 'localhost.', 'UPPER.example'];
    const sent = [];
    for (const servername of names) sent.push((await openClient(server, { servername, verifyCertificate })).servername);
    expect(sent).toEqual(['xn--bcher-kva.example', 'localhost', 'upper.example']);
  });

  it('rejectUnauthorized: false goes on and says what was wrong', async () => {
    const server = await startServer(identity('expired'));
    const client = await openClient(server, { rejectUnauthorized: false });
    expect(client.authorized).toBe(false);
    expect(client.authorizationError).toMatchObject({ alert: 'certificate_expired' });
    expect(client.authorizationError?.message).toContain('has expired on');
  });

  it('checkServerIdentity takes the place of the name check, that of node:tls as well', async () => {
    const server = await startServer(identity('wrong-host'));
    const asked: unknown[] = [];
    const client = await openClient(server, {
      checkServerIdentity(host, certificate) {
        asked.push([host, certificate.subjectaltname]);
        return undefined;
      },
    });
    expect(client.authorized).toBe(true);
    expect(asked).toEqual([['localhost', 'DNS:elsewhere.example']]);
    const error = await errorOf(startClient(server, { checkServerIdentity }));
    expect(error).toMatchObject({ alert: 'bad_certificate' });
    expect(error.message).toContain("Host: localhost. is not in the cert's altnames: DNS:elsewhere.example");
  });

  it('verifyCertificate takes the place of all of it, and may take its time', async () => {
    const server = await startServer(identity('expired'));
    const accept = acceptAnyCertificateForTesting();
    const later = await openClient(server, {
      verifyCertificate: (question) => new Promise((resolve) => setTimeout(() => resolve(accept(question)), 20)),
    });
    expect(later.authorized).toBe(true);
    const failing = startClient(server, { verifyCertificate: () => Promise.reject(new Error('no')) });
    expect(await errorOf(failing)).toMatchObject({ alert: 'internal_error', cause: new Error('no') });
  });
});

describe('sessions of a client', () => {
  it('getSession resumes; the session event comes for new sessions alone', async () => {
    const server = await startServer();
    const first = startClient(server);
    let inCallback: Buffer | undefined;
    first.once('secureConnect', () => (inCallback = first.getSession()));
    const [session] = (await next(first, 'session')) as [Buffer];
    expect(session).toEqual(first.getSession());
    expect(session).toEqual(inCallback);
    expect(first.getTLSTicket()?.length).toBeGreaterThan(64);
    expect(first.getSession()?.includes(first.getTLSTicket()!)).toBe(true);

    let events = 0;
    const second = startClient(server, { session: first.getSession()! }).on('session', () => events++);
    await next(second, 'secureConnect');
    expect(second.handshake).toMatchObject({ mode: 'ticket', resumed: true, reason: undefined });
    expect([second.isSessionReused(), second.authorized, events]).toEqual([true, true, 0]);
    expect(second.getEphemeralKeyInfo()).toEqual({});
    expect(second.getSession()).toEqual(first.getSession());
    expect(second.getPeerX509Certificate()?.subject).toBe('CN=Server p256');
  });

  it.each([
    ['garbage', () => Buffer.from('garbage')],
    ['nothing', () => Buffer.alloc(0)],
    ['a changed byte', (session: Buffer) => Buffer.from(session.map((byte, i) => (i === 100 ? byte ^ 1 : byte)))],
  ])('a session that is none is passed over: %s', async (_, change) => {
    const server = await startServer();
    const session = (await visit(server)).getSession()!;
    expect((await visit(server, { session: change(session) })).handshake).toMatchObject({
      mode: 'full',
      reason: 'not_offered',
    });
  });

  it('P-bind-5 does not cross from one trust to another, from one name to another, nor from a client to one with a key', async () => {
    const server = await startServer();
    const session = (await visit(server)).getSession()!;
    for (const options of [
      { rejectUnauthorized: false },
      { ca: [ca, pem('other-root').cert] },
      { servername: 'server.example' },
      identity('client-p256'),
    ])
      expect((await visit(server, { ...options, session })).handshake).toMatchObject({ reason: 'not_offered' });
    expect((await visit(server, { session })).handshake).toMatchObject({ mode: 'ticket' });
  });

  it('P-bind-6 a session whose chain has expired meanwhile is not offered', async () => {
    const server = await startServer();
    let time = Date.UTC(2026, 10, 21);
    const now = () => time;
    const session = (await visit(server, { now })).getSession()!;
    expect((await visit(server, { now, session })).handshake).toMatchObject({ mode: 'ticket' });
    time = Date.UTC(2126, 0, 2);
    expect(await errorOf(startClient(server, { now, session }))).toMatchObject({ alert: 'certificate_expired' });
  });

  it('sessionCache resumes by itself, for each server its own', async () => {
    const sessionCache = new MemoryStore({ now: Date.now });
    const [server, other] = [await startServer(), await startServer()];
    const modes = [];
    for (const each of [server, server, other, other, server])
      modes.push((await visit(each, { sessionCache })).handshake?.mode);
    expect(modes).toEqual(['full', 'ticket', 'full', 'ticket', 'ticket']);
  });

  it('peerIdentity has data connections of FTPS resume what the control connection made, and no other name', async () => {
    const sessionCache = new MemoryStore({ now: Date.now });
    const ticketKeys = new KeyRing({ crypto: nodeCrypto, now: Date.now, automaticRotation: true });
    const [control, data] = [await startServer({ ticketKeys }), await startServer({ ticketKeys })];
    const peerIdentity = 'ftp.example.test:21';
    const modeAt = async (server: typeof control, options: ConnectOptions) =>
      (await visit(server, { sessionCache, ...options })).handshake?.mode;
    expect(await modeAt(control, { peerIdentity })).toBe('full');
    expect(await modeAt(data, {})).toBe('full');
    expect(await modeAt(data, { peerIdentity })).toBe('ticket');
    const stranger = startClient(data, { sessionCache, peerIdentity, servername: 'other.example.test' });
    expect(await errorOf(stranger)).toMatchObject({ alert: 'bad_certificate' });
  });

  it('P-bind-5 sessionCache is for each applicationContext its own, and who chooses credentials has to give one', async () => {
    const sessionCache = new MemoryStore({ now: Date.now });
    const server = await startServer();
    const options = { sessionCache, chooseCredentials: () => [] };
    const modes = [];
    for (const user of [1, 2, 1])
      modes.push((await visit(server, { ...options, applicationContext: Uint8Array.of(user) })).handshake?.mode);
    expect(modes).toEqual(['full', 'full', 'ticket']);
    expect(() => startClient(server, options)).toThrow(
      expect.objectContaining({ name: 'UsageError', code: 'invalid_option' }),
    );
  });

  describe('a TicketPool', () => {
    const tls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
    const pooled = (sessionCache: SessionStore) => ({ ...tls13, sessionCache });

    it('R8446-C.4-1 has a ticket for each of several connections that race', async () => {
      const pool = new TicketPool({ now: Date.now });
      const server = await startServer({ ...tls13, ticketCount: 3 }, (socket) => socket.end('done'));
      expect((await visit(server, pooled(pool))).handshake?.mode).toBe('full');
      const racing = await Promise.all(Array.from({ length: 4 }, () => visit(server, pooled(pool))));
      expect(racing.map(({ handshake }) => handshake?.mode).sort()).toEqual([
        'full',
        'psk_dhe_ke',
        'psk_dhe_ke',
        'psk_dhe_ke',
      ]);
    });

    it('loses no ticket to a connection that does not come about', async () => {
      const pool = new TicketPool({ now: Date.now });
      const server = await startServer({ ...tls13, ticketCount: 1 }, (socket) => socket.end('done'));
      const port = portOf(server);
      await visit(server, pooled(pool));
      expect(pool.size.tickets).toBe(1);
      await new Promise((resolve) => server.close(resolve));
      const options = { ...pooled(pool), host: '127.0.0.1', port, servername: 'localhost', ca };
      expect(await errorOf(connect(options))).toMatchObject({ code: 'ECONNREFUSED' });
      expect(pool.size.tickets).toBe(1);
      server.listen(port, '127.0.0.1');
      await next(server, 'listening');
      expect((await visit(server, pooled(pool))).handshake?.mode).toBe('psk_dhe_ke');
    });
  });

  it('by session ID where tickets are off', async () => {
    const server = await startServer();
    const session = (await visit(server, { tickets: false })).getSession()!;
    const second = await visit(server, { tickets: false, session });
    expect(second.handshake).toMatchObject({ mode: 'session_id' });
    expect(second.getTLSTicket()).toBe(undefined);
  });
});

describe('the key log of a client', () => {
  it('is one line for each connection, newline included', async () => {
    const server = await startServer();
    const client = startClient(server);
    const lines: string[] = [];
    client.on('keylog', (line) => lines.push(line.toString()));
    await next(client, 'secureConnect');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/);
  });
});
