/**
 * TLS 1.2: our client with `node:tls` servers and `node:tls` clients with our server: what the openssl programs cannot do - a server that
 * renews tickets, a server whose sessions wait in a store, a client that takes a renewed ticket - and the rest in short.
 */
import { constants, randomBytes } from 'node:crypto';
import { connect as nodeConnect, createServer as nodeServer, type Server, type TlsOptions } from 'node:tls';
import type { ConnectionOptions, TLSSocket as NodeSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect, nodeCrypto, TLSSocket, type ConnectOptions } from '../../src/adapters/node/index.js';
import { portOf } from '../../src/cli/demo/relay.js';
import { generateTicketKey, KeyRing } from '../../src/tickets/index.js';
import { converse, type Conversation } from '../support/conversation.js';
import { EchoServer } from '../support/echo-server.js';
import { authority, identities } from '../support/identities.js';

const shared = { host: '127.0.0.1', servername: 'example.test', ca: authority.cert, maxVersion: 'TLSv1.2' } as const;

describe('our client with a node:tls server', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Says what it thinks of each connection. */
  async function serve(options: TlsOptions = {}): Promise<Server> {
    const server = nodeServer(
      { ...identities.ecdsa, ca: authority.cert, maxVersion: 'TLSv1.2', ...options },
      (socket) => {
        const { authorized } = socket;
        const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined;
        const facts = { reused: socket.isSessionReused(), alpn: socket.alpnProtocol, servername: socket.servername };
        socket.on('data', (chunk: Buffer) => {
          socket.end(JSON.stringify({ ...facts, authorized, client: subject?.CN, heard: chunk.toString() }));
        });
      },
    );
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  const talk = (server: Server, options: ConnectOptions = {}): Promise<Conversation<TLSSocket>> =>
    converse(connect({ ...shared, port: portOf(server), ...options }), 'hello');

  it('in full, then by ticket', async () => {
    const server = await serve({ ALPNProtocols: ['h2', 'http/1.1'] });
    const options = { ALPNProtocols: ['http/1.1'] };
    const first = await talk(server, options);
    expect(first.socket.handshake).toMatchObject({ mode: 'full', newTicket: true, alpnProtocol: 'http/1.1' });
    expect(theirView(first)).toMatchObject({ reused: false, alpn: 'http/1.1', servername: 'example.test' });
    const second = await talk(server, { ...options, session: first.sessions[0]! });
    expect(second.socket.handshake).toMatchObject({ mode: 'ticket', newTicket: false, alpnProtocol: 'http/1.1' });
    expect(theirView(second)).toMatchObject({ reused: true, alpn: 'http/1.1', heard: 'hello' });
  });

  it('by session ID, from a store that takes its time', async () => {
    const server = await serve({ secureOptions: constants.SSL_OP_NO_TICKET });
    const store = new Map<string, Buffer>();
    server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
      store.set(id.toString('hex'), data);
      setTimeout(done, 20);
    });
    server.on('resumeSession', (id: Buffer, done: (error: Error | null, data: Buffer | null) => void) => {
      setTimeout(() => done(null, store.get(id.toString('hex')) ?? null), 20);
    });
    const first = await talk(server);
    expect(first.socket.handshake).toMatchObject({ mode: 'full', newTicket: false });
    expect(store.size).toBe(1);
    const second = await talk(server, { session: first.sessions[0]! });
    expect(second.socket.handshake?.mode).toBe('session_id');
    expect(theirView(second)).toMatchObject({ reused: true });

    store.clear();
    const third = await talk(server, { session: first.sessions[0]! });
    expect(third.socket.handshake).toMatchObject({ mode: 'full', reason: 'declined_by_server' });
    expect(theirView(third)).toMatchObject({ reused: false });
  });

  it('R5077-3.3-6 a renewed ticket takes the place of the old one', async () => {
    const server = await serve();
    const names = [Buffer.alloc(16, 'old'), Buffer.alloc(16, 'new')] as const;
    renewTickets(server, names);
    const first = await talk(server);
    expect(first.socket.getTLSTicket()?.subarray(0, 16)).toEqual(names[0]);
    const second = await talk(server, { session: first.sessions[0]! });
    expect(second.socket.handshake).toMatchObject({ mode: 'ticket', newTicket: true });
    expect(second.socket.getTLSTicket()?.subarray(0, 16)).toEqual(names[1]);
    expect(second.sessions).toEqual([second.socket.getSession()]);
    const third = await talk(server, { session: second.sessions[0]! });
    expect(third.socket.handshake).toMatchObject({ mode: 'ticket', newTicket: false });
    expect([first, second, third].map(theirView)).toMatchObject([
      { reused: false },
      { reused: true },
      { reused: true },
    ]);
  });

  it('a ticket under a key that was replaced: full handshake, new ticket', async () => {
    const server = await serve();
    const first = await talk(server);
    server.setTicketKeys(randomBytes(48));
    const second = await talk(server, { session: first.sessions[0]! });
    expect(second.socket.handshake).toMatchObject({ mode: 'full', reason: 'declined_by_server', newTicket: true });
    expect(theirView(second)).toMatchObject({ reused: false });
    const third = await talk(server, { session: second.sessions[0]! });
    expect(third.socket.handshake?.mode).toBe('ticket');
    expect(theirView(third)).toMatchObject({ reused: true });
  });

  it('with a client certificate, in full and by ticket', async () => {
    const server = await serve({ requestCert: true });
    const first = await talk(server, identities.client);
    expect(theirView(first)).toMatchObject({ reused: false, authorized: true, client: 'client.test' });
    const second = await talk(server, { ...identities.client, session: first.sessions[0]! });
    expect(theirView(second)).toMatchObject({ reused: true, authorized: true, client: 'client.test' });
    // RFC 5246 7.4.6: no certificate, no session of somebody else's either.
    await expect(talk(server, { session: first.sessions[0]! })).rejects.toMatchObject({ code: 'peer_alert' });
  });
});

describe('a node:tls client with our server', () => {
  const ring = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [generateTicketKey(nodeCrypto)] });
  let server: EchoServer;
  beforeAll(async () => {
    server = await EchoServer.start({
      ...identities.ecdsa,
      maxVersion: 'TLSv1.2',
      ticketKeys: ring,
      ALPNProtocols: ['h2'],
    });
  });
  afterAll(() => server.stop());

  interface Both {
    readonly theirs: Conversation<NodeSocket>;
    readonly reused: boolean;
    /** Its session after the handshake; no event tells of a renewed one. */
    readonly session: Buffer | undefined;
    readonly ours: TLSSocket;
  }

  async function talk(options: ConnectionOptions = {}): Promise<Both> {
    const socket = nodeConnect({ ...shared, port: server.port, ...options });
    let reused = false;
    let session: Buffer | undefined;
    socket.once('secureConnect', () => {
      reused = socket.isSessionReused();
      session = socket.getSession();
    });
    const [theirs, ours] = await Promise.all([converse(socket, 'hello\n'), server.next()]);
    if (ours instanceof Error) throw ours;
    expect(theirs.received.toString()).toBe('hello\n');
    return { theirs, reused, session, ours };
  }

  it('by ticket; renewed when the key was rotated; refused when the key is gone', async () => {
    const first = await talk({ ALPNProtocols: ['h2'] });
    expect(first.ours.handshake).toMatchObject({ mode: 'full', reason: 'not_offered', alpnProtocol: 'h2' });
    expect(first.reused).toBe(false);
    const second = await talk({ session: first.theirs.sessions[0] });
    expect(second.ours.handshake).toMatchObject({ mode: 'ticket', newTicket: false });
    expect(second.reused).toBe(true);

    ring.rotate(generateTicketKey(nodeCrypto));
    const third = await talk({ session: first.theirs.sessions[0] });
    expect(third.ours.handshake).toMatchObject({ mode: 'ticket', newTicket: true });
    expect(third.reused).toBe(true);
    const fourth = await talk({ session: third.session });
    expect(fourth.ours.handshake).toMatchObject({ mode: 'ticket', newTicket: false });

    server.server.setTicketKeys(new KeyRing({ crypto: nodeCrypto, now: Date.now, automaticRotation: true }));
    const fifth = await talk({ session: third.session });
    expect(fifth.ours.handshake).toMatchObject({ mode: 'full', reason: 'unknown_key_name', newTicket: true });
    expect(fifth.reused).toBe(false);
  });

  it('by session ID', async () => {
    const options = { secureOptions: constants.SSL_OP_NO_TICKET };
    const first = await talk(options);
    expect(first.ours.handshake).toMatchObject({ mode: 'full', newTicket: false });
    const second = await talk({ ...options, session: first.theirs.sessions[0] });
    expect(second.ours.handshake?.mode).toBe('session_id');
    expect(second.reused).toBe(true);
  });

  it('refuses the certificate for another name', async () => {
    const options = { ...shared, port: server.port, servername: 'other.test' };
    const [refusal, ours] = await Promise.all([
      converse(nodeConnect(options)).catch((error: unknown) => error),
      server.next(),
    ]);
    expect(refusal).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    // It looks at the name after the handshake and leaves without an alert.
    await expect.poll(() => (ours instanceof TLSSocket ? ours.errored : ours)).toMatchObject({ code: 'truncated' });
  });
});

function theirView({ received }: Conversation<unknown>): unknown {
  return JSON.parse(received.toString());
}

type TicketKeyCallback = (
  name: Buffer,
  iv: Buffer,
  sealing: boolean,
) => [number, Buffer, Buffer, Buffer | '', Buffer | ''];
interface SecureContextHandle {
  readonly enableTicketKeyCallback?: () => void;
  onticketkeycallback?: TicketKeyCallback;
}

/**
 * Seals the first ticket under the first name and the others under the second, and renews what is not under the second. No public
 * option does this: Node's own tests reach for OpenSSL's key callback the same way.
 */
function renewTickets(server: Server, [older, newer]: readonly [Buffer, Buffer]): void {
  const { context } = (server as unknown as { _sharedCreds: { context: SecureContextHandle } })._sharedCreds;
  if (context.enableTicketKeyCallback === undefined) throw new Error('this Node.js has no ticket key callback');
  context.enableTicketKeyCallback();
  const keys = [randomBytes(16), randomBytes(16)] as const;
  let next = older;
  context.onticketkeycallback = (name, _iv, sealing) => {
    if (!sealing) return [name.equals(newer) ? 1 : 2, ...keys, '', ''];
    const sealed = next;
    next = newer;
    return [1, ...keys, sealed, randomBytes(16)];
  };
}
