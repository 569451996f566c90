import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  connect as nodeConnect,
  createServer as createNodeServer,
  type Server as NodeServer,
  type TlsOptions,
} from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeCrypto, Server, type ServerOptions, type TLSSocket } from '../../../src/adapters/node/index.js';
import { fromHex, toHex } from '../../../src/bytes.js';
import { sslSession } from '../../../src/sessions/index.js';
import { fleetTickets, haproxyTarget } from '../../../src/targets/index.js';
import { KeyRing, parseTicketKeys } from '../../../src/tickets/index.js';
import { ca, identity } from '../../support/certificates.js';
import { closeAll, listen, next, portOf, startServer, track } from './rig.js';

afterEach(closeAll);

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
type Version = (typeof versions)[number];

/** A server of `node:tls` with the same certificate. */
function startNodeServer(options: TlsOptions): Promise<NodeServer> {
  const server = createNodeServer({ ...identity('p256'), ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.end('x');
  });
  return listen(server);
}

function startOurs(options: ServerOptions): Promise<Server> {
  return startServer({ maxVersion: 'TLSv1.3', ...options }, (socket) => void socket.end('x'));
}

interface Visit {
  readonly reused: boolean;
  readonly session: Buffer;
}

/** One connection of a `node:tls` client: servers take tickets of one another only through a client that has them. */
async function visit(
  server: Server | NodeServer,
  version: Version,
  options: { session?: Buffer; servername?: string } = {},
): Promise<Visit> {
  const socket = track(
    nodeConnect({
      port: portOf(server),
      host: '127.0.0.1',
      servername: 'localhost',
      ca,
      minVersion: version,
      maxVersion: version,
      // RFC 8446 4.2.11: a PSK goes with one hash, and left to themselves the two servers prefer suites of different ones.
      ciphers: 'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256',
      ...options,
    }),
  );
  const sessions: Buffer[] = [];
  socket.on('session', (session: Buffer) => sessions.push(session));
  const ended = once(socket.resume(), 'end');
  await once(socket, 'secureConnect');
  const reused = socket.isSessionReused();
  await ended;
  const session = version === 'TLSv1.2' ? socket.getSession() : (sessions.at(-1) ?? socket.getSession());
  if (session === undefined) throw new Error('no session');
  return { reused, session };
}

describe('ticketKeys: the 48 bytes of node:tls', () => {
  const ticketKeys = randomBytes(48);
  const names = { serverNamesOfUnnamedStates: ['localhost'] };

  describe.each(versions)('%s', (version) => {
    it.each([
      ['with one sessionIdContext', { sessionIdContext: 'fleet' }],
      ['with the default one, of the arguments of the process', {}],
    ])('our tickets resume at node:tls and theirs here, %s', async (_, context) => {
      const ours = await startOurs({ ticketKeys, ...context, ...names });
      const theirs = await startNodeServer({ ticketKeys, ...context });

      const fromUs = await visit(ours, version);
      expect(fromUs.reused).toBe(false);
      expect((await visit(theirs, version, fromUs)).reused).toBe(true);
      const fromThem = await visit(theirs, version);
      expect(fromThem.reused).toBe(false);
      expect((await visit(ours, version, fromThem)).reused).toBe(true);
      expect((await visit(ours, version, fromUs)).reused).toBe(true);
      expect(ours.counters).toMatchObject({ hits: version === 'TLSv1.2' ? { ticket: 2 } : { psk_dhe_ke: 2 } });
    });

    it('P-bind-1 another sessionIdContext is another server, for both', async () => {
      const ours = await startOurs({ ticketKeys, sessionIdContext: 'a', ...names });
      const theirs = await startNodeServer({ ticketKeys, sessionIdContext: 'b' });
      expect((await visit(theirs, version, await visit(ours, version))).reused).toBe(false);
      expect((await visit(ours, version, await visit(theirs, version))).reused).toBe(false);
      expect(ours.counters.refused).toEqual({ not_offered: 1, context_mismatch: 1 });
    });

    it('P-bind-1 a ticket that records no name is good for the names that were said', async () => {
      const options = { ticketKeys, sessionIdContext: 'fleet' };
      const theirs = await startNodeServer(options);
      const session = await visit(theirs, version);
      expect((await visit(await startOurs(options), version, session)).reused).toBe(false);
      expect((await visit(await startOurs({ ...options, ...names }), version, session)).reused).toBe(true);
    });

    it('setTicketKeys() is for connections to come; the bytes before open no more', async () => {
      const server = await startOurs({ ticketKeys, sessionIdContext: 'fleet' });
      const before = await visit(server, version);
      server.setTicketKeys(randomBytes(48));
      expect((await visit(server, version, before)).reused).toBe(false);
      server.setTicketKeys(ticketKeys);
      expect((await visit(server, version, before)).reused).toBe(true);
    });
  });

  it('getTicketKeys() answers the bytes, in a Buffer of the caller', () => {
    const server = new Server({ ...identity('p256'), ticketKeys });
    const keys = server.getTicketKeys();
    if (!Buffer.isBuffer(keys)) throw new Error('no bytes');
    expect(keys).toEqual(ticketKeys);
    keys.fill(0);
    expect(server.getTicketKeys()).toEqual(ticketKeys);
    const others = new Uint8Array(randomBytes(48));
    server.setTicketKeys(others);
    expect(toHex(server.getTicketKeys() as Buffer)).toBe(toHex(others));
  });

  it('works on a copy', async () => {
    const given = Buffer.from(ticketKeys);
    const server = await startOurs({ ticketKeys: given, sessionIdContext: 'fleet' });
    given.fill(0);
    expect(server.getTicketKeys()).toEqual(ticketKeys);
    expect(
      (
        await visit(
          await startNodeServer({ ticketKeys, sessionIdContext: 'fleet' }),
          'TLSv1.3',
          await visit(server, 'TLSv1.3'),
        )
      ).reused,
    ).toBe(true);
  });

  it.each([
    ['47 bytes', randomBytes(47), 'invalid_key', 'node48: got 47 bytes in file 1, expected 48'],
    ['80 bytes', randomBytes(80), 'invalid_key', 'node48: got 80 bytes in file 1, expected 48'],
    ['P-key-1 zeros', Buffer.alloc(48), 'invalid_key', 'aesKey repeats itself every 1 bytes: not a random key'],
  ])('refuses %s, and goes on with what it has', (_, bytes, code, message) => {
    expect(() => new Server({ ...identity('p256'), ticketKeys: bytes })).toThrow(
      expect.objectContaining({ code, message }),
    );
    const server = new Server({ ...identity('p256'), ticketKeys });
    expect(() => server.setTicketKeys(bytes)).toThrow(expect.objectContaining({ code, message }));
    expect(server.getTicketKeys()).toEqual(ticketKeys);
  });

  it('refuses a sessionIdContext that OpenSSL has no room for', () => {
    const options = { ...identity('p256'), ticketKeys, sessionIdContext: 'x'.repeat(33) };
    expect(() => new Server(options)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });

  it('sessions live as long as sessionTimeout says, a second at least', async () => {
    const server = await startOurs({ ticketKeys, sessionIdContext: 'fleet', sessionTimeout: 0 });
    expect((await visit(server, 'TLSv1.2')).reused).toBe(false);
  });

  it('a session with a client certificate gets no ticket, unless holders of the key are trusted with it', async () => {
    const options = { ticketKeys, sessionIdContext: 'fleet', requestCert: true, ca, maxVersion: 'TLSv1.2' as const };
    for (const trusted of [false, true]) {
      const server = await startOurs({ ...options, trustClientCertificatesInTickets: trusted });
      const socket = track(
        nodeConnect({
          port: portOf(server),
          host: '127.0.0.1',
          servername: 'localhost',
          ca,
          ...identity('client-p256'),
        }),
      );
      const [ours] = (await next(server, 'secureConnection')) as [TLSSocket];
      expect(ours.handshake).toMatchObject({ newTicket: trusted });
      socket.destroy();
    }
  });
});

describe('ticketKeys: a fleet', () => {
  it('what fleetTickets makes is taken as it is', async () => {
    const file = fromHex(toHex(randomBytes(80)));
    const keys = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: parseTicketKeys('luaSsl80', file) });
    const ticketKeys = fleetTickets({ members: [{ target: haproxyTarget({ lifetime: 1234 }), keys }] });
    const server = await startOurs({ ticketKeys });
    expect(server.getTicketKeys()).toBe(ticketKeys);
    const { session } = await visit(server, 'TLSv1.2');
    expect((await visit(server, 'TLSv1.2', { session })).reused).toBe(true);
    expect(toHex(session)).toContain(toHex(file.subarray(0, 16)));
    expect(sslSession.decode(new Uint8Array(session)).ticketLifetimeHint).toBe(1234);
  });
});
