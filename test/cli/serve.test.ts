/** `tls-resume serve`: what is said on a connection, how it ends, how many there may be, and what it says of them. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { describeWithPeer, runProgram } from '../support/peers.js';
import { isThorough } from '../support/thorough.js';
import { fullHandshake, type ServeProcess } from './command.js';
import { request, useCommand, useVisitors } from './visitors.js';

let www: ServeProcess;
let echo: ServeProcess;
const command = useCommand(async (built) => {
  [www, echo] = await Promise.all([built.serve(), built.serve(['--echo'])]);
});
const visitors = useVisitors();

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

describe.each(versions)('--www in %s', (version) => {
  const options = { minVersion: version, maxVersion: version };

  it('one page in one record, then the client has the word', async () => {
    const visitor = await visitors.client(www, options).opened();
    expect(await www.take(1)).toEqual([fullHandshake(version)]); // before any request
    visitor.write(request);
    await visitor.until(({ records }) => records.length > 0);
    await delay(100);
    expect(visitor.records).toHaveLength(1);
    const [page = ''] = visitor.records;
    const [head = '', body = ''] = page.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
    expect(body).toMatch(/^protocol: TLSv1\.[23]\n.*\nmode: full\n.*\nreason: not_offered\n/s);
    expect(head).toContain(`Content-Length: ${body.length}`);
    expect({ closed: visitor.closed, ended: visitor.ended }).toEqual({ closed: undefined, ended: false });
    visitor.close();
    await visitor.until(({ ended }) => ended);
    expect(visitor.closed).toEqual({ type: 'close', reason: 'close_notify' });
  });

  it.each([
    ['CR LF in pieces of one byte', Array.from(request)],
    ['LF LF', ['GET / HTTP/1.0\n\n']],
    ['an end in two records', ['GET / HTTP/1.0\r\nHost: example.test\r\n\r', '\n']],
  ])('a request ends with %s', async (_, pieces) => {
    const visitor = await visitors.client(www, options).opened();
    for (const piece of pieces) {
      expect(visitor.records).toEqual([]);
      visitor.write(piece);
      await delay(1);
    }
    await visitor.until(({ records }) => records.length > 0);
    visitor.write(request); // one answer for each connection
    await delay(50);
    visitor.close();
    await visitor.until(({ ended }) => ended);
    expect(visitor.records).toHaveLength(1);
    await www.take(1);
  });

  it('half a request has no answer, and is no error', async () => {
    const visitor = await visitors.client(www, options).opened();
    visitor.write('GET / HTTP/1.0\r\n');
    visitor.close();
    await visitor.until(({ ended }) => ended);
    expect(visitor.records).toEqual([]);
    expect(visitor.closed).toEqual({ type: 'close', reason: 'close_notify' });
    await www.take(1);
    expect((await visitors.visit(www, options)).line).toEqual(fullHandshake(version)); // with no line of an error before it
  });

  it('a request and close_notify in one segment', async () => {
    const visitor = await visitors.client(www, options).opened();
    visitor.connection.write(Buffer.from(request));
    visitor.close();
    await visitor.until(({ ended }) => ended);
    // RFC 5246 7.2.1: whoever has closed does not listen; RFC 8446 6.1: he does.
    expect(visitor.records).toHaveLength(version === 'TLSv1.2' ? 0 : 1);
    expect(visitor.closed).toEqual({ type: 'close', reason: 'close_notify' });
    await www.take(1);
  });
});

describe('--echo', () => {
  it.each(versions)('sends each record back as one, in %s', async (version) => {
    const texts = ['a', 'bc', 'd'.repeat(16_384), '\n\n'];
    const talker = await visitors.client(echo, { minVersion: version, maxVersion: version }).opened();
    for (const text of texts) talker.write(text);
    await talker.until(({ records }) => records.length === texts.length);
    expect(talker.records).toEqual(texts);
    talker.close();
    await talker.until(({ ended }) => ended);
    expect(talker.closed).toEqual({ type: 'close', reason: 'close_notify' });
  });

  it('waits for a client that does not read', async ({ skip }) => {
    if (!existsSync('/proc')) skip('the memory of another process is read in /proc');
    const talker = await visitors.client(echo).opened();
    talker.socket.pause();
    const record = 'x'.repeat(16_384);
    for (let i = 0; i < 1_000; i++) talker.write(record);
    await delay(300);
    expect(residentMegabytes(echo)).toBeLessThan(200);
    talker.socket.resume();
    await talker.until(({ records }) => records.length === 1_000, 10_000);
    expect(talker.records.every((text) => text === record)).toBe(true);
  });
});

describe('what is wrong ends with an alert at once', () => {
  it.each([
    ['another protocol', request, 'unexpected_message'],
    ['a record that is too long', '\x16\x03\x01\xff\xff', 'record_overflow'],
    ['a message that is no ClientHello', '\x16\x03\x01\x00\x04\x0e\x00\x00\x00', 'unexpected_message'],
    ['a broken ClientHello', '\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03', 'decode_error'],
  ])('%s', async (_, bytes, alert) => {
    const socket = visitors.tcp(www);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.write(bytes, 'latin1');
    const start = performance.now();
    await once(socket, 'end');
    expect(performance.now() - start).toBeLessThan(1_000);
    const [contentType, , , , length, level] = Buffer.concat(received);
    expect({ contentType, length, level }).toEqual({ contentType: 21, length: 2, level: 2 });
    expect(await www.take(1)).toMatchObject([{ event: 'error', alert }]);
  });

  it('a client that refuses our certificate is told of', async () => {
    const { status } = await command().connect(www.port, '--ca', 'client.pem');
    expect(status).toBe(1);
    const message = 'peer sent alert unknown_ca';
    expect(await www.take(1)).toEqual([{ event: 'error', code: 'peer_alert', alert: 'unknown_ca', message }]);
  });

  it('a port scan leaves no line', async () => {
    const socket = visitors.tcp(www);
    await once(socket, 'connect');
    socket.destroy();
    expect((await visitors.visit(www)).line).toMatchObject({ event: 'handshake' });
  });
});

describe('many connections', () => {
  it('hundreds with garbage between them, none left behind', async ({ skip }) => {
    if (!existsSync('/proc')) skip('open files of another process are counted in /proc');
    const server = await command().serve();
    await visitors.visit(server);
    const files = openFiles(server);
    const turns = isThorough ? 50 : 10;
    const lanes = Array.from({ length: 20 }, async (_, lane) => {
      for (let i = 0; i < turns; i++) {
        if ((i + lane) % 3 === 0) await throwGarbage(server, i);
        else if ((i + lane) % 3 === 1) await knock(server);
        else await visitors.visit(server);
      }
    });
    await Promise.all(lanes);
    await expect.poll(() => openFiles(server), { timeout: 5_000 }).toBeLessThanOrEqual(files);
    expect(residentMegabytes(server)).toBeLessThan(250);
    expect((await visitors.visit(server)).visitor.records).toHaveLength(1);
  });

  async function throwGarbage(server: ServeProcess, seed: number): Promise<void> {
    const socket = visitors.tcp(server).resume();
    socket.end(Uint8Array.from({ length: 4_000 }, (_, i) => (i * i + seed * 31) % 256));
    await once(socket, 'close');
  }

  async function knock(server: ServeProcess): Promise<void> {
    const socket: Socket = visitors.tcp(server);
    await once(socket, 'connect');
    socket.destroy();
  }
});

describe('clients that are not nice', () => {
  it.each(versions)('one that says everything byte by byte is served, in %s', async (version) => {
    const visitor = visitors.client(www, { minVersion: version, maxVersion: version });
    visitor.dribbles = true;
    await visitor.opened();
    visitor.write(request);
    await visitor.until(({ records }) => records.length === 1);
    visitor.close();
    await visitor.until(({ ended }) => ended);
    expect(await www.take(1)).toEqual([fullHandshake(version)]);
  });

  it('those that flood it cost no memory', async ({ skip }) => {
    if (!existsSync('/proc')) skip('the memory of another process is read in /proc');
    const server = await command().serve();
    const flood = Buffer.alloc(4 * 1024 * 1024, 'garbage');
    const floods = Array.from({ length: 25 }, async () => {
      const socket = visitors.tcp(server).resume();
      socket.end(flood);
      await once(socket, 'close');
    });
    await Promise.all(floods);
    expect(residentMegabytes(server)).toBeLessThan(200);
    expect(await server.take(25)).toMatchObject(Array.from(floods, () => ({ alert: 'unexpected_message' })));
    expect((await visitors.visit(server)).visitor.records).toHaveLength(1);
  });
});

describe('SIGTERM', () => {
  it('lets open connections have their answer, takes no more, and ends well', async () => {
    const identity = ['--cert', 'ecdsa.pem', '--key', 'ecdsa.key'];
    const child = spawn(process.execPath, [command().file('main.mjs'), 'serve', '--port', '0', ...identity], {
      cwd: command().folder,
    });
    const [greeting] = (await once(child.stdout, 'data')) as [Buffer];
    const server = { port: Number(/^listening on 127\.0\.0\.1:(\d+)\n$/.exec(greeting.toString())?.[1]) };
    const [idle, busy] = await Promise.all([0, 1].map(() => visitors.client(server).opened()));
    idle!.write(request);
    await idle!.until(({ records }) => records.length > 0);
    busy!.write('GET / HTTP/1.0\r\n');
    await delay(50);
    child.kill('SIGTERM');
    // Whoever has his answer is told the end.
    await idle!.until(({ ended }) => ended);
    expect(idle!.closed?.reason).toBe('close_notify');
    idle!.socket.end();
    await expect(once(visitors.tcp(server), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    busy!.write('\r\n');
    await busy!.until(({ ended }) => ended);
    expect(busy!.records).toHaveLength(1);
    expect(busy!.closed?.reason).toBe('close_notify');
    busy!.socket.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describeWithPeer('curl', 'curl', (peer) => {
  it('gets the page', async () => {
    const resolve = `example.test:${www.port}:127.0.0.1`;
    const url = `https://example.test:${www.port}/`;
    const run = await runProgram(peer.path, ['-sS', '--cacert', command().file('ca.pem'), '--resolve', resolve, url]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/^protocol: TLSv1\.[23]\n.*^serverName: example\.test$/ms);
    await www.take(1);
  });
});

function openFiles({ pid }: ServeProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentMegabytes({ pid }: ServeProcess): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
