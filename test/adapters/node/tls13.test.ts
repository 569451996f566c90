/** What TLS 1.3 adds to sockets: tickets as events, early data, external PSKs, half-close, and what only we have names for. */
import { once } from 'node:events';
import { connect as connectNet, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  nodeCertificateCompression,
  nodeCrypto,
  type ConnectOptions,
  type Server,
  type ServerOptions,
  type TLSSocket,
} from '../../../src/adapters/node/index.js';
import { withPostQuantum } from '../../../src/crypto/noble-post-quantum.js';
import { MemoryReplayGuard } from '../../../src/early-data/memory-replay-guard.js';
import { MemoryStore } from '../../../src/sessions/memory-store.js';
import { clientSessionState } from '../../../src/sessions/session-state.js';
import { ca, identity } from '../../support/certificates.js';
import { readVectors } from '../../support/vectors.js';
import {
  closeAll,
  errorOf,
  next,
  openClient,
  openPair,
  portOf,
  readAll,
  startClient,
  startServer,
  track,
} from './rig.js';

afterEach(closeAll);

const both = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

/** As {@link startServer}, with both versions. */
const serve = (options: ServerOptions = {}, listener?: (socket: TLSSocket) => void) =>
  startServer({ ...both, ...options }, listener);

const earlyData = () => ({
  maxSize: 100_000,
  replayGuard: new MemoryReplayGuard({ now: Date.now }),
  ticketsAreOfThisProcessAlone: true,
});

/** A server that takes early data and says back what it hears, and a session that allows it. */
async function serveEarly(options: ServerOptions = {}): Promise<{ server: Server; session: Buffer }> {
  const server = await serve({ earlyData: earlyData(), ...options }, (socket) => void socket.pipe(socket));
  const { sessions } = await visit(server);
  return { server, session: sessions[0]! };
}

interface Visit {
  readonly client: TLSSocket;
  readonly sessions: readonly Buffer[];
}

/** Connects, waits for what the server sends of its own, and closes. */
async function visit(server: Server, options: ConnectOptions = {}): Promise<Visit> {
  const client = startClient(server, options);
  const sessions: Buffer[] = [];
  client.on('session', (session) => sessions.push(session));
  await once(client, 'secureConnect');
  client.resume();
  client.end();
  await next(client, 'close');
  return { client, sessions };
}

describe('connections', () => {
  it('are of TLS 1.3 by default, and of TLS 1.2 where the other side has nothing else', async () => {
    const server = await serve();
    expect((await visit(server)).client.getProtocol()).toBe('TLSv1.3');
    expect((await visit(server, { maxVersion: 'TLSv1.2' })).client.getProtocol()).toBe('TLSv1.2');
    const older = await serve({ maxVersion: 'TLSv1.2' });
    expect((await visit(older)).client.getProtocol()).toBe('TLSv1.2');
    expect(await errorOf(startClient(older, { minVersion: 'TLSv1.3' }))).toMatchObject({ alert: 'protocol_version' });
  });

  it('tell what a tls socket tells', async () => {
    const { client, peer } = await openPair({ ...both, ALPNProtocols: ['h2'] }, { ALPNProtocols: ['h2'] });
    const suite = 'TLS_AES_128_GCM_SHA256';
    for (const socket of [client, peer]) {
      expect(socket.getCipher()).toEqual({ name: suite, standardName: suite, version: 'TLSv1.3' });
      expect([socket.alpnProtocol, socket.servername, socket.isSessionReused()]).toEqual(['h2', 'localhost', false]);
    }
    expect([client.authorized, client.getPeerX509Certificate()?.subject]).toEqual([true, 'CN=Server p256']);
    const context = Buffer.from('context');
    const material = client.exportKeyingMaterial(32, 'EXPORTER-test', context);
    expect(material).toHaveLength(32);
    expect(peer.exportKeyingMaterial(32, 'EXPORTER-test', context)).toEqual(material);
  });

  it.each([
    ['ECDHE-ECDSA-AES128-GCM-SHA256:TLS_CHACHA20_POLY1305_SHA256', 'TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
    ['TLS_AES_256_GCM_SHA384', 'TLSv1.3', 'TLS_AES_256_GCM_SHA384'],
    // As in node:tls: a version without a suite is not spoken.
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  ])('ciphers %s: %s', async (ciphers, version, cipherSuite) => {
    const { client } = await visit(await serve(), { ciphers });
    expect(client.handshake).toMatchObject({ version, cipherSuite });
  });

  it.each([
    ['X25519', { type: 'ECDH', name: 'X25519', size: 253 }],
    ['P-384:X25519', { type: 'ECDH', name: 'secp384r1', size: 384 }],
    ['X25519MLKEM768:X25519', {}],
  ])('ecdhCurve %s', async (ecdhCurve, key) => {
    const crypto = withPostQuantum(nodeCrypto);
    const server = await serve({ crypto, ecdhCurve: 'X25519MLKEM768:P-384:X25519' });
    const { client } = await visit(server, { crypto, ecdhCurve });
    expect(client.handshake).toMatchObject({ helloRetryRequest: false });
    expect(client.getEphemeralKeyInfo()).toEqual(key);
  });

  it('certificates with ML-DSA, for clients that name it', async () => {
    const crypto = withPostQuantum(nodeCrypto);
    const pems = readVectors('mldsa/certificates.json') as Record<
      'mldsa65' | 'authority',
      { certificatePem: string; privateKeyPem: string }
    >;
    const { certificatePem: cert, privateKeyPem: key } = pems.mldsa65;
    const trusting = { servername: 'example.test', ca: pems.authority.certificatePem };
    const server = await serve({ crypto, cert, key });
    const { client } = await visit(server, { ...trusting, crypto, signatureSchemes: ['mldsa65'] });
    expect(client.authorized).toBe(true);
    expect(client.handshake).toMatchObject({ peerSignatureScheme: 'mldsa65' });
  });

  it('a group without a key share costs a HelloRetryRequest', async () => {
    const server = await serve({ ecdhCurve: 'P-256' });
    const { client } = await visit(server, { ecdhCurve: 'X25519:P-256' });
    expect(client.handshake).toMatchObject({ helloRetryRequest: true, group: 'secp256r1' });
    const direct = await visit(server, { ecdhCurve: 'X25519:P-256', keyShareGroups: ['secp256r1'] });
    expect(direct.client.handshake).toMatchObject({ helloRetryRequest: false, group: 'secp256r1' });
  });

  it('certificates of both sides, and a client without one hears of it after its handshake', async () => {
    const server = await serve({ requestCert: true, ca });
    const accepted = next(server, 'secureConnection') as Promise<[TLSSocket]>;
    await visit(server, identity('client-p256'));
    const [peer] = await accepted;
    expect([peer.authorized, peer.getPeerX509Certificate()?.subject]).toEqual([true, 'CN=Client p256']);
    const failure = next(server, 'tlsClientError');
    const refused = startClient(server);
    let secured = false;
    refused.on('secureConnect', () => (secured = true)).resume();
    expect(await errorOf(refused)).toMatchObject({ name: 'PeerAlertError', alert: 'certificate_required' });
    expect(secured).toBe(true);
    expect((await failure)[0]).toMatchObject({ alert: 'certificate_required' });
  });

  it('compressed certificates, padded and small records', async () => {
    const certificateCompression = nodeCertificateCompression();
    const options = { certificateCompression, recordPaddingBlock: 256, recordSizeLimit: 512 };
    const server = await serve(options, (socket) => void socket.pipe(socket));
    const client = await openClient(server, options);
    const sent = Buffer.alloc(5_000, 'padded ');
    client.end(sent);
    expect((await readAll(client)).equals(sent)).toBe(true);
    // 20 records of at most 512 bytes each way, and no record is shorter than a block.
    expect(client.bytesWritten).toBeGreaterThan(5_000 + 10 * (5 + 16 + 1));
  });

  it('the key log is seven lines that both sides share', async () => {
    const { server, session } = await serveEarly();
    const theirs: string[] = [];
    server.on('keylog', (line) => theirs.push(line.toString()));
    const client = startClient(server, { session, earlyData: Buffer.from('early') });
    const ours: string[] = [];
    client.on('keylog', (line) => ours.push(line.toString()));
    await once(client, 'session');
    expect(ours.map((line) => line.split(' ')[0])).toEqual([
      'CLIENT_EARLY_TRAFFIC_SECRET',
      'EARLY_EXPORTER_SECRET',
      'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'CLIENT_TRAFFIC_SECRET_0',
      'SERVER_TRAFFIC_SECRET_0',
      'EXPORTER_SECRET',
    ]);
    expect(theirs).toEqual(ours);
  });
});

describe('sessions', () => {
  it('each ticket is a session event; getSession is the newest; every one resumes', async () => {
    const server = await serve({ ticketCount: 3 });
    const client = await openClient(server);
    expect(client.getSession()).toBe(undefined);
    const sessions: Buffer[] = [];
    client.on('session', (session) => sessions.push(session));
    while (sessions.length < 3) await once(client, 'session');
    expect(client.getSession()).toEqual(sessions[2]);
    expect(sessions[2]!.includes(client.getTLSTicket()!)).toBe(true);
    for (const session of [...sessions, sessions]) {
      const again = await visit(server, { session });
      expect(again.client.handshake).toMatchObject({ mode: 'psk_dhe_ke', resumed: true, reason: undefined });
      expect([again.client.isSessionReused(), again.client.authorized, again.sessions.length]).toEqual([true, true, 1]);
      expect(again.client.getPeerX509Certificate()?.subject).toBe('CN=Server p256');
      expect(again.client.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519' });
    }
  });

  it('sendTickets sends more, updateKeys goes unnoticed', async () => {
    const { client, peer } = await openPair({ ...both, ticketCount: 0 });
    let sessions = 0;
    client.on('session', () => sessions++);
    peer.updateKeys({ requestPeer: true });
    peer.sendTickets(2);
    peer.write('after the tickets');
    expect(String(await next(client, 'data'))).toBe('after the tickets');
    expect(sessions).toBe(2);
    client.updateKeys();
    client.write('under new keys');
    expect(String(await next(peer, 'data'))).toBe('under new keys');
    expect(() => client.sendTickets()).toThrow(expect.objectContaining({ code: 'connection_not_open' }));
  });

  it('sessionCache resumes by itself; without tickets the store of the server does', async () => {
    const sessions = new MemoryStore({ now: Date.now });
    const server = await serve({ tickets: false, sessions });
    const sessionCache = new MemoryStore({ now: Date.now });
    const modes = [];
    for (let i = 0; i < 3; i++) modes.push((await visit(server, { sessionCache })).client.handshake?.mode);
    expect(modes).toEqual(['full', 'psk_dhe_ke', 'psk_dhe_ke']);
  });

  it('a client tells why it was not resumed', async () => {
    const [server, other] = [await serve(), await serve()];
    const { sessions } = await visit(server);
    const { client } = await visit(other, { session: sessions[0]! });
    expect(client.handshake).toMatchObject({ mode: 'full', reason: 'declined_by_server' });
    expect(other.counters.refused).toEqual({ unknown_key_name: 1 });
  });

  it.each([
    [100, 100],
    [30 * 86_400, 7 * 86_400],
  ])('a sessionTimeout of %d seconds makes tickets of %d', async (sessionTimeout, ticketLifetime) => {
    const { sessions } = await visit(await serve({ sessionTimeout }));
    expect(clientSessionState.decode(sessions[0]!)).toMatchObject({ version: 'TLSv1.3', ticketLifetime });
  });
});

describe('early data', () => {
  it('comes in the first flight, is in the stream before all else, and is answered before the handshake is complete', async () => {
    const { server, session } = await serveEarly();
    const order: string[] = [];
    server.on('earlyData', (socket) => {
      order.push('earlyData');
      socket.once('readable', () => {
        order.push(`${String(socket.read())}, ${socket.earlyDataBytes} early, ${String(socket.handshake?.version)}`);
        socket.writeHalfRtt(Buffer.from('at once'));
      });
    });
    server.on('secureConnection', (socket) => order.push(`secure: ${String(socket.handshake?.earlyDataBytes)}`));
    const transport = track(connectNet(portOf(server), '127.0.0.1'));
    const flights: Uint8Array[] = [];
    const write = transport.write.bind(transport);
    transport.write = (chunk: Uint8Array, ...rest: []) => {
      flights.push(chunk);
      return write(chunk, ...rest);
    };
    const client = startClient(server, { socket: transport, session, earlyData: Buffer.from('GET /') });
    expect(String(await next(client, 'data'))).toBe('at once');
    expect(client.handshake).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'accepted', earlyDataBytes: 5 });
    expect([client.earlyDataAccepted, client.earlyDataBytes]).toEqual([true, 5]);
    expect(order.slice(0, 2)).toEqual(['earlyData', 'GET /, 5 early, undefined']);
    client.end('and more');
    expect((await readAll(client)).toString()).toBe('and more');
    expect(order.slice(2)).toEqual(['secure: 5']);
    // ClientHello and early data; EndOfEarlyData, Finished; 'and more'; close_notify.
    expect(flights[0]!.at(0)).toBe(22);
    expect(flights[0]!.length).toBeGreaterThan(300);
    expect(flights.length).toBeLessThanOrEqual(4);
  });

  it('is in the stream of a server that listens to secureConnection alone, more than a buffer of it too', async () => {
    const { server, session } = await serveEarly();
    const sent = Buffer.alloc(90_000, 'early ');
    const client = startClient(server, { session, earlyData: sent });
    client.end();
    expect((await readAll(client)).equals(sent)).toBe(true);
    expect(client.earlyDataAccepted).toBe(true);
  });

  it.each([
    ['no session', {}, 'none', 'not_offered'],
    ['more than the ticket allows', { earlyData: Buffer.alloc(100_001) }, 'accepted', undefined],
    ['a suite of its own', { ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }, 'none', 'not_offered'],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, 'none', 'not_offered'],
  ] as const)('is not sent: %s', async (title, changes, earlyDataOutcome, reason) => {
    const { server, session } = await serveEarly();
    const options = { earlyData: Buffer.from('GET /'), ...(title !== 'no session' && { session }), ...changes };
    const client = await openClient(server, options);
    expect(client.earlyDataAccepted).toBe(false);
    expect(client.handshake).toMatchObject({ earlyData: earlyDataOutcome, earlyDataReason: reason, earlyDataBytes: 0 });
    client.write('the handshake goes on');
    expect(String(await next(client, 'data'))).toBe('the handshake goes on');
  });

  it.each([
    ['a server that reads none', {}, {}, 'disabled'],
    ['another protocol', { ALPNProtocols: ['h2'] }, { earlyData: earlyData() }, 'alpn_mismatch'],
    ['another round trip', {}, { earlyData: earlyData(), ecdhCurve: 'P-384' }, 'hello_retry_request'],
  ])('is rejected and not sent again: %s', async (_, changes, serverChanges, reason) => {
    const ALPNProtocols = ['http/1.1', 'h2'];
    const { server: issuer, session } = await serveEarly({ ALPNProtocols });
    const options = { ALPNProtocols, ticketKeys: issuer.getTicketKeys(), ...serverChanges };
    const server = await serve(options, (socket) => void socket.pipe(socket));
    const outcomes: unknown[] = [];
    server.on('secureConnection', ({ handshake }) => outcomes.push(handshake?.earlyDataReason));
    const client = startClient(server, { session, earlyData: Buffer.from('lost'), ...changes });
    client.end('kept');
    const received = (await readAll(client)).toString();
    expect([received, client.earlyDataAccepted, outcomes]).toEqual(['kept', false, [reason]]);
  });
});

describe('external PSKs', () => {
  const psk = Buffer.alloc(32, 7);

  it('pskCallback on both sides, as in node:tls', async () => {
    const asked: [TLSSocket, string][] = [];
    const server = await serve({
      pskCallback: (socket, identity) => {
        asked.push([socket, identity]);
        return identity === 'device' ? psk : null;
      },
    });
    const accepted = next(server, 'secureConnection') as Promise<[TLSSocket]>;
    const { client } = await visit(server, {
      pskCallback: () => ({ psk, identity: 'device' }),
    });
    expect(client.handshake).toMatchObject({ mode: 'psk_dhe_ke', peerCertificates: [] });
    expect(Buffer.from(client.handshake!.externalPskIdentity!).toString()).toBe('device');
    expect(asked).toEqual([[(await accepted)[0], 'device']]);

    const stranger = await visit(server, { pskCallback: () => ({ psk, identity: 'stranger' }) });
    expect(stranger.client.handshake).toMatchObject({ mode: 'full' });
    expect((await visit(server, { pskCallback: () => null })).client.handshake).toMatchObject({ mode: 'full' });
    expect(asked).toHaveLength(2);
    const wrong = { psk: Buffer.alloc(32, 8), identity: 'device' };
    expect(await errorOf(startClient(server, { pskCallback: () => wrong }))).toMatchObject({ alert: 'decrypt_error' });
  });

  it('a PSK that is too short is a mistake of ours on either side', async () => {
    const short = Buffer.alloc(15);
    const server = await serve({ pskCallback: () => short });
    expect(() => startClient(server, { pskCallback: () => ({ psk: short, identity: 'x' }) })).toThrow(
      expect.objectContaining({ code: 'invalid_key' }),
    );
    const failure = next(server, 'tlsClientError');
    const client = startClient(server, { pskCallback: () => ({ psk, identity: 'x' }) });
    expect(await errorOf(client)).toMatchObject({ alert: 'internal_error' });
    expect((await failure)[0]).toMatchObject({ code: 'invalid_key' });
  });

  it('externalPsks are imported', async () => {
    const own = { identity: Buffer.from('device'), key: psk };
    const server = await serve({ externalPsks: [{ ...own, role: 'server' }] });
    const { client } = await visit(server, { externalPsks: [{ ...own, role: 'client' }] });
    expect(client.handshake).toMatchObject({ mode: 'psk_dhe_ke', peerCertificates: [] });
  });
});

describe('allowHalfOpen', () => {
  it('R8446-6.1 the end of one direction leaves the other open', async () => {
    const { client, peer } = await openPair({ ...both, allowHalfOpen: true }, { allowHalfOpen: true });
    client.end('question');
    expect((await readAll(peer.iterator({ destroyOnReturn: false }))).toString()).toBe('question');
    peer.write('long ');
    peer.end('answer');
    expect((await readAll(client)).toString()).toBe('long answer');
    if (!peer.closed) await next(peer, 'close');
    expect([client.errored, peer.errored]).toEqual([null, null]);
  });

  it('without it a peer that says the end gets what waits, and our end', async () => {
    const { client, peer } = await openPair(both);
    peer.write(Buffer.alloc(2_000_000, 'waits'));
    peer.resume();
    client.end('question');
    const closed = next(peer, 'close');
    expect((await readAll(client)).length).toBe(2_000_000);
    await closed;
    expect([client.errored, peer.errored]).toEqual([null, null]);
  });

  it('a transport that goes takes the open direction with it', async () => {
    const server = await serve({ allowHalfOpen: true });
    const raw = next(server, 'connection') as Promise<[Socket]>;
    const accepted = next(server, 'secureConnection') as Promise<[TLSSocket]>;
    const client = await openClient(server, { allowHalfOpen: true });
    const [peer] = await accepted;
    client.end();
    peer.resume();
    await next(peer, 'end');
    (await raw)[0].destroy();
    await next(peer, 'close');
    expect(peer.errored).toBe(null);
  });
});
