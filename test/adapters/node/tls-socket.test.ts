import { createHash, randomBytes } from 'node:crypto';
import { connect as connectNet, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { TLSSocket } from '../../../src/adapters/node/index.js';
import { lingerTimeout } from '../../../src/adapters/node/socket-stream.js';
import { AlertError, PeerAlertError } from '../../../src/errors.js';
import {
  closeAll,
  errorOf,
  next,
  openClient,
  openPair,
  portOf,
  readAll,
  startClient,
  startPlainServer,
  startServer,
  track,
} from './rig.js';

afterEach(closeAll);

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const echo = (socket: TLSSocket) => void socket.pipe(socket);

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('streams, %s', (maxVersion) => {
  it('10 MB go both ways at once and arrive whole', async () => {
    const { client, peer } = await openPair({ maxVersion });
    const [toServer, toClient] = [randomBytes(10_000_000), randomBytes(10_000_000)];
    const read = (socket: TLSSocket) =>
      new Promise<string>((resolve) => {
        const chunks: Buffer[] = [];
        let length = 0;
        socket.on('data', (chunk) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length === 10_000_000) resolve(sha256(Buffer.concat(chunks)));
        });
      });
    client.write(toServer);
    peer.write(toClient);
    expect(await Promise.all([read(peer), read(client)])).toEqual([sha256(toServer), sha256(toClient)]);
  });

  it('both ends close though neither ever reads', async () => {
    const { client, peer } = await openPair({ maxVersion });
    const closed = Promise.all([next(client, 'close'), next(peer, 'close')]);
    client.end();
    await closed;
    expect([client.readableEnded, peer.readableEnded]).toEqual([true, true]);
  });

  it.each([1, 100, 16_384, 16_385, 300_000])('writes of %d bytes keep their order and content', async (size) => {
    const { client, peer } = await openPair({ maxVersion });
    const chunks = Array.from({ length: 20 }, () => randomBytes(size));
    const [arrived] = await Promise.all([readAll(peer), pipeline(Readable.from(chunks), client)]);
    expect(sha256(arrived)).toBe(sha256(Buffer.concat(chunks)));
  });

  it('takes writes and an end before the handshake is complete', async () => {
    const server = await startServer({ maxVersion });
    const client = startClient(server);
    client.write('before ');
    client.end('the handshake');
    const [peer] = (await next(server, 'secureConnection')) as [TLSSocket];
    expect((await readAll(peer)).toString()).toBe('before the handshake');
  });

  it('one flight is one write of the transport, and so is what was corked', async () => {
    const server = await startServer({ maxVersion }, echo);
    const transport = track(connectNet(portOf(server), '127.0.0.1'));
    const writes: number[] = [];
    const write = transport.write.bind(transport);
    transport.write = (chunk: Uint8Array, ...rest: []) => {
      writes.push(chunk.length);
      return write(chunk, ...rest);
    };
    const client = await openClient(server, { socket: transport });
    expect(writes).toHaveLength(2);
    client.cork();
    for (let i = 0; i < 10; i++) client.write('corked');
    client.uncork();
    expect((await next(client, 'data')).toString()).toBe('corked'.repeat(10));
    expect(writes).toHaveLength(3);
  });

  it('a reader that does not read stops the writer on the other side', async () => {
    const { client, peer } = await openPair({ maxVersion });
    client.pause();
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const fill = () => {
      do sent += chunk.length;
      while (peer.write(chunk));
    };
    peer.on('drain', fill);
    fill();
    await delay(300);
    const stalled = sent;
    await delay(200);
    expect(sent).toBe(stalled);
    // What the kernel holds for a loopback connection, at the most.
    expect(stalled).toBeLessThan(20_000_000);
    expect(client.readableLength).toBeLessThan(client.readableHighWaterMark + 2 * 64 * 1024);
    client.resume();
    await next(peer, 'drain');
    expect(sent).toBeGreaterThan(stalled);
  });

  it('sees every byte of a slow peer, one at a time', async () => {
    const server = await startServer({ maxVersion }, echo);
    const slow = track(new PassThrough());
    const transport = track(connectNet(portOf(server), '127.0.0.1'));
    slow.on('data', (chunk: Buffer) => {
      for (const byte of chunk) transport.write(Uint8Array.of(byte));
    });
    const duplex = joined(transport, slow);
    transport.setNoDelay(true);
    const client = await openClient(server, { socket: duplex });
    client.write('slowly');
    expect((await next(client, 'data')).toString()).toBe('slowly');
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('the end of a connection, %s', (maxVersion) => {
  it('R5246-7.2.1 end() sends close_notify, which the other side reads as an end and answers', async () => {
    const { server, client, peer } = await openPair({ maxVersion });
    client.end('bye');
    client.resume();
    const closed = Promise.all([next(client, 'close'), next(peer, 'close')]);
    expect((await next(peer, 'data')).toString()).toBe('bye');
    peer.resume();
    await closed;
    for (const { errored, readableEnded, writableFinished } of [client, peer])
      expect({ errored, readableEnded, writableFinished }).toEqual({
        errored: null,
        readableEnded: true,
        writableFinished: true,
      });
    await new Promise((resolve) => server.close(resolve)); // resolves when no connection is left
  });

  it('what is written after the peer said the end still arrives in TLS 1.3, and is an error of the writer in TLS 1.2', async () => {
    const { client, peer } = await openPair({ maxVersion });
    client.resume();
    client.once('end', () => client.write('too late'));
    peer.end();
    if (maxVersion === 'TLSv1.3') {
      expect((await readAll(peer)).toString()).toBe('too late');
      return;
    }
    const error = await errorOf(client);
    expect(error).toBeInstanceOf(PeerAlertError);
    expect(error).toMatchObject({ code: 'peer_alert', alert: 'close_notify' });
  });

  it('a transport that ends without close_notify is an error, after what came before it', async () => {
    const server = await startServer({ maxVersion }, (socket) => socket.write('half of it'));
    server.on('connection', (raw: Socket) => setTimeout(() => raw.end(), 200));
    const client = await openClient(server);
    const data: Buffer[] = [];
    client.on('data', (chunk) => data.push(chunk));
    expect(await errorOf(client)).toMatchObject({ name: 'AlertError', alert: 'close_notify', code: 'truncated' });
    expect(Buffer.concat(data).toString()).toBe('half of it');
  });

  it('whoever has said the end himself takes the end of the transport for the answer', async () => {
    const server = await startServer({ maxVersion });
    server.on('connection', (raw: Socket) => setTimeout(() => raw.destroy(), 200));
    const client = await openClient(server, { socket: halfDeaf(server) });
    client.resume();
    client.end();
    await next(client, 'close');
    expect(client.errored).toBe(null);
  });

  it('a reset is the one error of the socket', async () => {
    const server = await startServer({ maxVersion }, (socket) => socket.write('x'));
    server.on('connection', (raw: Socket) => setTimeout(() => raw.resetAndDestroy(), 200));
    const client = await openClient(server);
    client.resume();
    expect(await errorOf(client)).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
  });

  it('destroy() says nothing to the peer, who misses the end', async () => {
    const { client, peer } = await openPair({ maxVersion, ticketCount: 1 });
    // What is not read, a ticket for example, would make a reset of it.
    if (maxVersion === 'TLSv1.3') await next(client, 'session');
    peer.resume();
    client.destroy();
    expect(await errorOf(peer)).toMatchObject({ code: 'truncated' });
  });

  it('destroy() calls back what was not written', async () => {
    const client = startClient(await startPlainServer(() => undefined));
    let emitted = 0;
    client.on('error', () => emitted++);
    const written = new Promise((resolve) => client.write('never', resolve));
    client.destroy();
    expect(await written).toMatchObject({ code: 'connection_not_open' });
    expect(emitted).toBe(0);
  });

  it('a transport that somebody else destroyed is an error', async () => {
    const server = await startServer({ maxVersion });
    const transport = track(connectNet(portOf(server), '127.0.0.1'));
    const client = await openClient(server, { socket: transport });
    transport.destroy();
    expect(await errorOf(client)).toMatchObject({ code: 'truncated' });
  });

  it('nothing holds the process once all is closed', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length;
    const server = await startServer({ maxVersion }, echo);
    const client = await openClient(server);
    client.end('x');
    client.resume();
    await next(client, 'close');
    await new Promise((resolve) => server.close(resolve));
    await delay(50);
    expect(process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length).toBeLessThanOrEqual(before);
  });
});

describe('handshakes that fail', () => {
  it('garbage: the client says why, the server too, and each has one error', async () => {
    const server = await startServer();
    const failure = next(server, 'tlsClientError');
    const raw = track(connectNet(portOf(server), '127.0.0.1'));
    raw.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const answer = await readAll(raw);
    const [error, socket] = (await failure) as [Error, TLSSocket];
    expect(error).toBeInstanceOf(AlertError);
    expect(socket.destroyed).toBe(true);
    // A fatal alert, whatever its description.
    expect([...answer.subarray(0, 6)]).toEqual([21, 3, expect.any(Number), 0, 2, 2]);
    expect(answer).toHaveLength(7);

    const plain = await startPlainServer((peer) => peer.end('220 smtp ready\r\n'));
    expect(await errorOf(startClient(plain))).toBeInstanceOf(AlertError);
  });

  it.each(['end', 'destroy'] as const)('a peer that leaves in mid-handshake: %s', async (how) => {
    const plain = await startPlainServer((peer) => void peer.once('data', () => peer[how]()));
    const error = await errorOf(startClient(plain));
    expect(error).toMatchObject({ alert: 'close_notify' });

    const server = await startServer();
    const failure = next(server, 'tlsClientError');
    const raw = track(connectNet(portOf(server), '127.0.0.1'));
    raw.write(Uint8Array.of(22, 3, 1), () => raw[how]());
    expect((await failure)[0]).toMatchObject({ alert: 'close_notify' });
  });

  it('a refused connection is an error of the system', async () => {
    const server = await startPlainServer(() => undefined);
    const refused = startClient(server, { host: '127.0.0.2' });
    expect(await errorOf(refused)).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('a server that says nothing and a client that says nothing are dropped in time', async () => {
    const plain = await startPlainServer(() => undefined);
    const timedOut = { name: 'AlertError', alert: 'user_canceled', code: 'handshake_timeout' };
    expect(await errorOf(startClient(plain, { handshakeTimeout: 50 }))).toMatchObject({
      ...timedOut,
      message: 'the handshake took more than 50 ms',
    });

    const server = await startServer({ handshakeTimeout: 50 });
    const failure = next(server, 'tlsClientError');
    const raw = track(connectNet(portOf(server), '127.0.0.1'));
    raw.on('error', () => undefined);
    const closed = next(raw, 'close');
    expect((await failure)[0]).toMatchObject(timedOut);
    await closed;
  });

  it('drips of bytes do not put the timeout off', async () => {
    const server = await startServer({ handshakeTimeout: 150 });
    const failure = next(server, 'tlsClientError');
    const raw = track(connectNet(portOf(server), '127.0.0.1'));
    raw.on('error', () => undefined);
    const record = [22, 3, 1, 0, 200, 1, 0, 0, 196];
    const drip = setInterval(() => raw.write(Uint8Array.of(record.shift() ?? 0)), 20);
    const started = performance.now();
    expect((await failure)[0]).toMatchObject({ code: 'handshake_timeout' });
    clearInterval(drip);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('the alert arrives although the peer has sent more than was read', async () => {
    const server = await startServer();
    const raw = track(connectNet(portOf(server), '127.0.0.1'));
    raw.on('error', () => undefined);
    server.on('tlsClientError', () => undefined);
    raw.write(Buffer.alloc(1_000_000, 'GET / HTTP/1.1\r\n'));
    const answer = await readAll(raw);
    expect(answer[0]).toBe(21);
  });

  it('a peer that neither reads nor leaves is destroyed after the linger time', async () => {
    const server = await startServer();
    server.on('tlsClientError', () => undefined);
    const closed = new Promise<number>((resolve) => {
      server.once('connection', (accepted: Socket) => {
        const started = performance.now();
        accepted.once('close', () => resolve(performance.now() - started));
      });
    });
    const raw = track(connectNet({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true }));
    raw.write('garbage');
    const milliseconds = await closed;
    expect(milliseconds).toBeGreaterThan(lingerTimeout - 100);
    expect(milliseconds).toBeLessThan(lingerTimeout + 1_000);
  });
});

/** A connection that loses what the server sends after the handshake, its close_notify for example. */
function halfDeaf(server: Parameters<typeof portOf>[0]): Socket {
  const socket = track(connectNet(portOf(server), '127.0.0.1'));
  const on = socket.on.bind(socket);
  socket.on = ((event: string, listener: (chunk: Buffer) => void) =>
    on(
      event,
      event !== 'data'
        ? listener
        : (chunk: Buffer) => {
            if (chunk[0] !== 21) listener(chunk);
          },
    )) as typeof socket.on;
  return socket;
}

/** Reads from one stream and writes to another. */
function joined(readable: Socket, writable: PassThrough): Socket {
  return new Proxy(readable, {
    get(target, property) {
      const source = property === 'write' ? writable : target;
      const value: unknown = Reflect.get(source, property);
      return typeof value === 'function' ? (value.bind(source) as unknown) : value;
    },
  });
}
