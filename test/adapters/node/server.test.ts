import { connect as connectNet } from 'node:net';
import { createSecureContext as tlsContext } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  acceptAnyCertificateForTesting,
  connect,
  createSecureContext,
  createServer,
  nodeCrypto,
  type ConnectOptions,
  type Server,
  type ServerOptions,
  type TLSSocket,
} from '../../../src/adapters/node/index.js';
import { MemoryStore } from '../../../src/sessions/memory-store.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { generateTicketKey } from '../../../src/tickets/ticket-key.js';
import { ca, identity, pem } from '../../support/certificates.js';
import { closeAll, errorOf, next, openClient, openPair, portOf, startClient, startServer, track } from './rig.js';

afterEach(closeAll);

/** Connects and closes; what the client made of it. */
async function visit(server: Server, options: ConnectOptions = {}): Promise<TLSSocket> {
  const client = await openClient(server, options);
  client.end();
  client.resume();
  await next(client, 'close');
  return client;
}

/** `visit` with what an earlier visit left. */
function visitAgain(server: Server, earlier: TLSSocket, options: ConnectOptions = {}): Promise<TLSSocket> {
  return visit(server, { ...options, session: earlier.getSession()! });
}

describe('createServer', () => {
  it('counts what its handshakes came to', async () => {
    const server = await startServer();
    const maxVersion = 'TLSv1.2';
    const first = await visit(server, { maxVersion });
    await visitAgain(server, first, { maxVersion });
    server.setTicketKeys(new KeyRing({ crypto: nodeCrypto, now: Date.now, automaticRotation: true }));
    await visitAgain(server, first, { maxVersion });
    expect(server.counters).toEqual({
      full: 2,
      hits: { session_id: 0, ticket: 1, psk_dhe_ke: 0, psk_ke: 0 },
      misses: 1,
      expired: 0,
      refused: { not_offered: 1, unknown_key_name: 1 },
      renewed: 0,
      earlyData: { accepted: 0, rejected: {} },
    });
  });

  it.each([
    [{}, 'a server needs `credentials`, or external PSKs'],
    [{ ...identity('p256'), minVersion: 'TLSv1.1' }, '`minVersion`: TLSv1.1 is not supported, TLSv1.2 and TLSv1.3 are'],
    [
      { ...identity('p256'), secureContext: tlsContext() },
      '`secureContext` is what `createSecureContext` of this library gives',
    ],
    [{ ...identity('p256'), ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'no cipher suite fits the keys in `credentials`'],
    [{ ...identity('p256'), ticketKeys: Buffer.alloc(48) }, 'aesKey repeats itself every 1 bytes: not a random key'],
  ])('refuses options that cannot work: %#', (options, message) => {
    // From JavaScript: the types do not allow all of it.
    expect(() => createServer(options as ServerOptions)).toThrow(
      expect.objectContaining({ name: 'UsageError', message }),
    );
  });

  it('takes connections from elsewhere', async () => {
    const server = createServer(identity('p256'), (socket) => socket.end('hello'));
    const { server: carrier } = await openPair();
    carrier.removeAllListeners('connection');
    carrier.on('connection', (socket) => server.emit('connection', socket));
    const client = await openClient(carrier);
    expect(String(await next(client, 'data'))).toBe('hello');
  });

  it('does not end with its listener: connections go on after close()', async () => {
    const { server, client, peer } = await openPair();
    const closed = new Promise((resolve) => server.close(resolve));
    peer.write('still here');
    expect(String(await next(client, 'data'))).toBe('still here');
    client.end();
    client.resume();
    peer.resume();
    expect(await closed).toBe(undefined);
  });
});

describe('certificates of a server', () => {
  it.each([
    ['ECDHE-RSA-AES128-GCM-SHA256', 'CN=Server rsa'],
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'CN=Server p256'],
  ])('several kinds of key beside each other: %s', async (ciphers, subject) => {
    const both = [identity('rsa'), identity('p256')];
    const server = await startServer({ cert: both.map(({ cert }) => cert), key: both.map(({ key }) => key).reverse() });
    expect((await visit(server, { ciphers })).getPeerX509Certificate()?.subject).toBe(subject);
  });

  it('addContext: by name and by wildcard, the last one first', async () => {
    const server = await startServer();
    server.addContext('*.example.com', identity('rsa'));
    server.addContext('WWW.example.com', createSecureContext(identity('p384')));
    server.addContext('other.example', identity('ed25519'));
    const verifyCertificate = acceptAnyCertificateForTesting();
    const subjects = [];
    for (const servername of ['www.example.com', 'api.example.com', 'a.b.example.com', 'other.example', 'localhost'])
      subjects.push((await visit(server, { servername, verifyCertificate })).getPeerX509Certificate()?.subject);
    expect(subjects).toEqual(['p384', 'rsa', 'p256', 'ed25519', 'p256'].map((kind) => `CN=Server ${kind}`));
  });

  it('one context serves servers and clients; it holds no other options', async () => {
    const secureContext = createSecureContext(identity('rsa'));
    const server = await startServer({ secureContext });
    expect((await visit(server)).getPeerX509Certificate()?.subject).toBe('CN=Server rsa');
    const mutual = await startServer({ requestCert: true, ca });
    const accepted = next(mutual, 'secureConnection') as Promise<[TLSSocket]>;
    await visit(mutual, { secureContext: createSecureContext(identity('client-p256')) });
    expect((await accepted)[0].getPeerX509Certificate()?.subject).toBe('CN=Client p256');
    const withMore: object = { ...identity('rsa'), ca };
    expect(() => createSecureContext(withMore)).toThrow(
      '`ca` is no option of a secure context: it holds chains and keys',
    );
  });

  it('SNICallback: a context, none, or an error', async () => {
    const other = createSecureContext(identity('rsa'));
    const server = await startServer({
      SNICallback(name, callback) {
        if (name === 'localhost') setTimeout(() => callback(null, other), 10);
        else if (name === 'server.example') callback(null);
        else callback(new Error(`nobody of the name ${name}`));
      },
    });
    expect((await visit(server)).getPeerX509Certificate()?.subject).toBe('CN=Server rsa');
    const first = await visit(server, { servername: 'server.example' });
    expect(first.getPeerX509Certificate()?.subject).toBe('CN=Server p256');
    expect((await visitAgain(server, first, { servername: 'server.example' })).handshake).toMatchObject({
      resumed: true,
    });
    expect((await visit(server, { servername: '' })).getPeerX509Certificate()?.subject).toBe('CN=Server p256');
    const failure = next(server, 'tlsClientError');
    expect(await errorOf(startClient(server, { servername: 'nobody.example' }))).toMatchObject({
      alert: 'unrecognized_name',
    });
    expect((await failure)[0]).toMatchObject({
      alert: 'unrecognized_name',
      cause: new Error('nobody of the name nobody.example'),
    });
  });

  it('setSecureContext: new connections see the new chain, and sessions go on', async () => {
    const server = await startServer();
    const first = await visit(server);
    server.setSecureContext(identity('p384'));
    expect((await visitAgain(server, first)).handshake).toMatchObject({ mode: 'ticket' });
    expect((await visit(server)).getPeerX509Certificate()?.subject).toBe('CN=Server p384');
    expect(() => server.setSecureContext({})).toThrow('a server needs `credentials`');
    expect((await visit(server)).getPeerX509Certificate()?.subject).toBe('CN=Server p384');
  });
});

describe('client certificates', () => {
  const requestCert = { requestCert: true, ca };

  it.each(['p256', 'p384', 'ed25519', 'rsa', 'rsa-pss'])(
    'are asked for and judged: %s, in full and resumed',
    async (kind) => {
      const server = await startServer(requestCert);
      const options = identity(`client-${kind}`);
      const peers: TLSSocket[] = [];
      server.on('secureConnection', (socket) => peers.push(socket));
      const first = await visit(server, options);
      await visitAgain(server, first, options);
      expect(
        peers.map((peer) => [peer.handshake?.mode, peer.authorized, peer.getPeerX509Certificate()?.subject]),
      ).toEqual([
        ['full', true, `CN=Client ${kind}`],
        ['ticket', true, `CN=Client ${kind}`],
      ]);
    },
  );

  it.each([
    ['without one', {}, 'handshake_failure'],
    ['of another purpose', identity('p256'), 'unsupported_certificate'],
    ['of another authority', pem('self-signed'), 'unknown_ca'],
  ])('refuses a client %s', async (_, options, alert) => {
    const server = await startServer(requestCert);
    const failure = next(server, 'tlsClientError');
    expect(await errorOf(startClient(server, options))).toMatchObject({ name: 'PeerAlertError', alert });
    expect((await failure)[0]).toMatchObject({ name: 'AlertError', alert });
  });

  it('rejectUnauthorized: false lets them in and tells', async () => {
    const server = await startServer({ ...requestCert, rejectUnauthorized: false });
    const peers: TLSSocket[] = [];
    server.on('secureConnection', (socket) => peers.push(socket));
    for (const options of [{}, identity('p256'), identity('client-p256')]) await visit(server, options);
    expect(peers.map(({ authorized, authorizationError }) => [authorized, authorizationError?.alert])).toEqual([
      [false, undefined],
      [false, 'unsupported_certificate'],
      [true, undefined],
    ]);
  });

  it('P-bind-2 a session does not cross from a server that asks to one that does not, nor between authorities', async () => {
    const ticketKeys = new KeyRing({ crypto: nodeCrypto, now: Date.now, automaticRotation: true });
    const options = identity('client-p256');
    const first = await visit(await startServer({ ticketKeys }), options);
    for (const policy of [requestCert, { requestCert: true, ca: [ca, pem('other-root').cert] }]) {
      const server = await startServer({ ...policy, ticketKeys });
      const again = await visitAgain(server, first, options);
      expect(again.handshake).toMatchObject({ mode: 'full', reason: 'declined_by_server' });
      expect(server.counters.refused).toEqual({ client_authentication_mismatch: 1 });
    }
  });
});

describe('sessions of a server', () => {
  const byId = { tickets: false };

  it('newSession and resumeSession are the store while somebody listens', async () => {
    const sessions = new MemoryStore({ now: Date.now });
    const server = await startServer({ sessions });
    const kept = new Map<string, Buffer>();
    server.on('newSession', (id, session, callback) => {
      kept.set(id.toString('hex'), session);
      setTimeout(callback, 10);
    });
    server.on('resumeSession', (id, callback) => {
      setTimeout(() => callback(null, kept.get(id.toString('hex')) ?? null), 10);
    });
    const first = await visit(server, byId);
    const modes = [];
    for (let i = 0; i < 2; i++) modes.push((await visitAgain(server, first, byId)).handshake?.mode);
    kept.clear();
    modes.push((await visitAgain(server, first, byId)).handshake?.mode);
    expect(modes).toEqual(['session_id', 'session_id', 'full']);
    expect(kept.size).toBe(1);
    expect(sessions.statistics().entries).toBe(0);
  });

  it('newSession and resumeSession keep tickets of TLS 1.3, too, where there are no others', async () => {
    const server = await startServer({ tickets: false, maxVersion: 'TLSv1.3' });
    const kept = new Map<string, Buffer>();
    server.on('newSession', (id, session, callback) => {
      kept.set(id.toString('hex'), session);
      callback();
    });
    server.on('resumeSession', (id, callback) => callback(null, kept.get(id.toString('hex')) ?? null));
    const tls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
    const client = startClient(server, tls13);
    const [session] = (await next(client, 'session')) as [Buffer];
    client.destroy();
    const again = await openClient(server, { ...tls13, session });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
  });

  it('an end waits for tickets that a store is slow to keep, and for no store that never answers', async () => {
    const tls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
    const server = await startServer({ tickets: false, ...tls13 }, (socket) => socket.end('at once'));
    let answer = (callback: () => void): void => void setTimeout(callback, 50);
    server.on('newSession', (_id, _session, callback) => answer(callback));
    const visitOf = async () => {
      const client = startClient(server, tls13);
      let sessions = 0;
      client.on('session', () => sessions++);
      let text = '';
      client.on('data', (data: Buffer) => (text += data.toString()));
      await next(client, 'close');
      return [text, sessions];
    };
    expect(await visitOf()).toEqual(['at once', 2]);
    let late: (() => void) | undefined;
    answer = (callback) => (late = callback);
    expect(await visitOf()).toEqual(['at once', 0]);
    late?.();
    await delay(10);
  });

  it('the handshake waits for the callback of newSession', async () => {
    const server = await startServer();
    let goOn: (() => void) | undefined;
    server.on('newSession', (_id, _session, callback) => (goOn = callback));
    let secured = false;
    server.on('secureConnection', () => (secured = true));
    const accepted = next(server, 'secureConnection');
    const client = startClient(server, byId);
    client.on('error', () => undefined);
    while (goOn === undefined) await delay(5);
    await delay(20);
    expect(secured).toBe(false);
    goOn();
    await accepted;
  });

  it('an error of resumeSession fails the handshake', async () => {
    const server = await startServer();
    const first = await visit(server, byId);
    server.on('resumeSession', (_, callback) => callback(new Error('the database is gone')));
    const failure = next(server, 'tlsClientError');
    const error = await errorOf(startClient(server, { ...byId, session: first.getSession()! }));
    expect(error).toMatchObject({ name: 'PeerAlertError', alert: 'internal_error' });
    expect((await failure)[0]).toMatchObject({ alert: 'internal_error', cause: new Error('the database is gone') });
  });

  it('what a listener hands out stays as it is', async () => {
    const server = await startServer();
    let session: Buffer | undefined;
    server.on('newSession', (_, state, callback) => {
      session = state;
      callback();
    });
    server.on('resumeSession', (_, callback) => callback(null, session));
    const first = await visit(server, byId);
    const before = Buffer.from(session!);
    expect((await visitAgain(server, first, byId)).handshake?.mode).toBe('session_id');
    expect(session).toEqual(before);
  });

  it('sessionTimeout bounds tickets and IDs, and is what clients are told', async () => {
    let time = Date.UTC(2026, 10, 21);
    const now = () => time;
    const server = await startServer({ now, sessionTimeout: 100 });
    const first = await visit(server, { now });
    const withId = await visit(server, { now, ...byId });
    time += 99_000;
    expect((await visitAgain(server, first, { now })).handshake?.mode).toBe('ticket');
    expect((await visitAgain(server, withId, { now, ...byId })).handshake?.mode).toBe('session_id');
    time += 2_000;
    expect((await visitAgain(server, first, { now })).handshake).toMatchObject({ mode: 'full', reason: 'not_offered' });
    const late = await visitAgain(server, withId, { now, ...byId });
    expect(late.handshake).toMatchObject({ mode: 'full', reason: 'declined_by_server' });
  });

  it('sessionIdContext keeps servers apart that share ticket keys', async () => {
    const ticketKeys = new KeyRing({ crypto: nodeCrypto, now: Date.now, automaticRotation: true });
    const servers = [];
    for (const sessionIdContext of ['one', 'one', 'two'])
      servers.push(await startServer({ ticketKeys, sessionIdContext }));
    const first = await visit(servers[0]!);
    expect((await visitAgain(servers[1]!, first)).handshake?.mode).toBe('ticket');
    expect((await visitAgain(servers[2]!, first)).handshake?.mode).toBe('full');
    expect(servers[2]!.counters.refused).toEqual({ context_mismatch: 1 });
  });

  it('a rotated ring renews tickets; getTicketKeys gives it back', async () => {
    const ticketKeys = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [generateTicketKey(nodeCrypto)] });
    const server = await startServer({ ticketKeys });
    expect(server.getTicketKeys()).toBe(ticketKeys);
    const first = await visit(server);
    ticketKeys.rotate(generateTicketKey(nodeCrypto));
    const accepted = next(server, 'secureConnection');
    const second = startClient(server, { session: first.getSession()! });
    const [renewed] = (await next(second, 'session')) as [Buffer];
    await accepted;
    expect(second.handshake).toMatchObject({ mode: 'ticket', newTicket: true });
    expect(renewed).not.toEqual(first.getSession());
    expect(server.counters.renewed).toBe(1);
  });

  it('without tickets, a client that can do both resumes by ID', async () => {
    const server = await startServer({ tickets: false });
    const first = await visit(server);
    expect(first.getTLSTicket()).toBe(undefined);
    expect((await visitAgain(server, first)).handshake?.mode).toBe('session_id');
  });
});

describe('the key log of a server', () => {
  it('names the socket, and both sides log the same line', async () => {
    const server = await startServer();
    const lines: [string, TLSSocket][] = [];
    server.on('keylog', (line, socket) => lines.push([line.toString(), socket]));
    const accepted = next(server, 'secureConnection');
    const client = startClient(server);
    const [line] = (await next(client, 'keylog')) as [Buffer];
    const [socket] = await accepted;
    expect(lines).toEqual([[line.toString(), socket]]);
  });
});

describe('limits of a server', () => {
  it('a handshake message that is too long ends the connection', async () => {
    const server = await startServer({ limits: { maxHandshakeMessageLength: 100 } });
    const failure = next(server, 'tlsClientError');
    expect(await errorOf(startClient(server))).toMatchObject({ name: 'PeerAlertError' });
    expect((await failure)[0]).toMatchObject({ name: 'AlertError' });
  });

  it('many silent clients cost a timer each and are all dropped', async () => {
    const server = await startServer({ handshakeTimeout: 100 });
    let dropped = 0;
    server.on('tlsClientError', () => dropped++);
    const sockets = Array.from({ length: 50 }, () => track(connectNet(portOf(server), '127.0.0.1')));
    for (const socket of sockets) socket.on('error', () => undefined);
    await Promise.all(sockets.map((socket) => next(socket, 'close')));
    expect(dropped).toBe(50);
  });

  it('clients that come at the same time are kept apart', async () => {
    const server = await startServer({}, (socket) => void socket.pipe(socket));
    const echoes = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const client = await openClient(server);
        client.write(`client ${i}`);
        return String(await next(client, 'data'));
      }),
    );
    expect(echoes).toEqual(Array.from({ length: 30 }, (_, i) => `client ${i}`));
  });
});

it('connect() without listeners throws nothing but its error event', async () => {
  const server = await startServer();
  const socket = track(connect({ port: portOf(server), host: '127.0.0.1', servername: 'localhost', ca }));
  await next(socket, 'secure');
  socket.destroy();
  await next(socket, 'close');
  expect(socket.errored).toBe(null);
});
