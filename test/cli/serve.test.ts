/** `tls-resume serve` as clients see it, and what it says of them. */
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ClientOptions } from '../../src/connection/options.js';
import { describeWithPeer, runProgram } from '../support/peers.js';
import { Command, type Line, type ServeProcess } from './command.js';
import { RecordClient } from './record-client.js';

let command: Command;
let www: ServeProcess;
let echo: ServeProcess;
const sockets = new Set<Socket>();

beforeAll(async () => {
  command = await Command.build();
  [www, echo] = await Promise.all([command.serve(), command.serve('--echo')]);
});
afterAll(() => command.remove());
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

function client({ port }: ServeProcess, options?: Partial<ClientOptions>): RecordClient {
  const made = new RecordClient(port, options);
  sockets.add(made.socket);
  return made;
}

function tcp({ port }: ServeProcess): Socket {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.add(socket.on('error', () => undefined));
  return socket;
}

interface Visit {
  readonly visitor: RecordClient;
  readonly sessions: RecordClient['sessions'];
  /** What the server says of it. */
  readonly line: Line | undefined;
}

/** Request, answer, close_notify both ways. */
async function visit(server: ServeProcess, options?: Partial<ClientOptions>): Promise<Visit> {
  const visitor = await client(server, options).opened();
  const [line] = await server.take(1);
  visitor.write(request);
  await visitor.until(({ records }) => records.length > 0);
  visitor.close();
  await visitor.until(({ ended }) => ended);
  return { visitor, sessions: visitor.sessions, line };
}

const request = 'GET / HTTP/1.0\r\n\r\n';

const full = {
  event: 'handshake',
  protocol: 'TLSv1.2',
  cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  group: 'x25519',
  mode: 'full',
  resumed: false,
  reason: 'not_offered',
  helloRetryRequest: false,
  earlyData: 'none',
  earlyDataReason: 'not_offered',
  earlyDataBytes: 0,
  alpn: null,
  serverName: 'example.test',
};

describe('--www', () => {
  it('one page in one record, then the client has the word', async () => {
    const visitor = await client(www).opened();
    expect(await www.take(1)).toEqual([full]); // before any request
    visitor.write(request);
    await visitor.until(({ records }) => records.length > 0);
    await delay(100);
    expect(visitor.records).toHaveLength(1);
    const [page = ''] = visitor.records;
    expect(page).toMatch(
      /^HTTP\/1\.0 200 OK\r\n.*\r\n\r\nprotocol: TLSv1\.2\n.*\nmode: full\n.*\nreason: not_offered\n/s,
    );
    expect(Number(/Content-Length: (\d+)/.exec(page)?.[1])).toBe(page.split('\r\n\r\n')[1]?.length);
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
    const visitor = await client(www).opened();
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
    const visitor = await client(www).opened();
    visitor.write('GET / HTTP/1.0\r\n');
    visitor.close();
    await visitor.until(({ ended }) => ended);
    expect(visitor.records).toEqual([]);
    expect(visitor.closed).toEqual({ type: 'close', reason: 'close_notify' });
    await www.take(1);
    expect((await visit(www)).line).toEqual(full); // with no line of an error before it
  });
});

describe('--echo', () => {
  it('sends each record back as one', async () => {
    const texts = ['a', 'bc', 'd'.repeat(16_384), '\n\n'];
    const talker = await client(echo).opened();
    for (const text of texts) talker.write(text);
    await talker.until(({ records }) => records.length === texts.length);
    expect(talker.records).toEqual(texts);
    talker.close();
    await talker.until(({ ended }) => ended);
  });

  it('waits for a client that does not read', async () => {
    const talker = await client(echo).opened();
    talker.socket.pause();
    const record = 'x'.repeat(16_384);
    for (let i = 0; i < 2_000; i++) talker.write(record);
    await delay(300);
    expect(residentMegabytes(echo)).toBeLessThan(200);
    talker.socket.resume();
    await talker.until(({ records }) => records.length === 2_000, 10_000);
    expect(talker.records.every((text) => text === record)).toBe(true);
  });
});

describe('what is wrong ends with an alert at once', () => {
  it.each([
    ['another protocol', 'GET / HTTP/1.0\r\n\r\n', 'unexpected_message'],
    ['a record that is too long', '\x16\x03\x01\xff\xff', 'record_overflow'],
    ['a message that is no ClientHello', '\x16\x03\x01\x00\x04\x0e\x00\x00\x00', 'unexpected_message'],
    ['a broken ClientHello', '\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03', 'decode_error'],
  ])('%s', async (_, bytes, alert) => {
    const socket = tcp(www);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.write(bytes, 'latin1');
    const start = performance.now();
    await once(socket, 'end');
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(alertIn(Buffer.concat(received))).toEqual({ contentType: 21, length: 2, level: 2 });
    socket.end();
    expect(await www.take(1)).toMatchObject([{ event: 'error', alert }]);
  });

  it('a client that refuses our certificate is told of', async () => {
    const { status, stderr } = await command.connect(www.port, '--ca', 'client.pem');
    expect(status).toBe(1);
    expect(stderr).toContain('(unknown_ca)');
    expect(await www.take(1)).toEqual([
      { event: 'error', code: 'peer_alert', alert: 'unknown_ca', message: 'peer sent alert unknown_ca' },
    ]);
  });

  it('a port scan leaves no line', async () => {
    const socket = tcp(www);
    await once(socket, 'connect');
    socket.destroy();
    expect((await visit(www)).line).toEqual(full);
  });
});

describe('resumption', () => {
  it('session IDs where tickets are off', async () => {
    const server = await command.serve('--tickets', 'off');
    const first = await visit(server);
    expect(first.line).toMatchObject({ mode: 'full', reason: 'not_offered' });
    const second = await visit(server, { session: first.sessions[0]! });
    expect(second.line).toMatchObject({ mode: 'session_id', resumed: true, reason: null });
    expect(second.visitor.handshake?.mode).toBe('session_id');
  });

  it('nothing where both are off', async () => {
    const server = await command.serve('--tickets', 'off', '--session-cache', 'off');
    expect((await visit(server)).sessions).toEqual([]);
  });

  it('the cache holds as many sessions as it is told', async () => {
    const server = await command.serve('--tickets', 'off', '--session-cache', '1');
    const [first] = (await visit(server)).sessions;
    const [second] = (await visit(server)).sessions;
    expect((await visit(server, { session: second! })).line).toMatchObject({ mode: 'session_id' });
    expect((await visit(server, { session: first! })).line).toMatchObject({ reason: 'unknown_session_id' });
  });

  it('tickets cross between servers with one key file, and no others', async () => {
    for (const [name, seed] of Object.entries({ 'one.key': 7, 'two.key': 11 }))
      writeFileSync(
        command.file(name),
        Uint8Array.from({ length: 80 }, (_, i) => (i * i * seed + seed) % 251),
      );
    const keys = [['one.key'], ['one.key'], ['two.key'], ['two.key', '--ticket-keys', 'one.key']];
    const [first, ...others] = await Promise.all(keys.map((names) => command.serve('--ticket-keys', ...names)));
    const [session] = (await visit(first!)).sessions;
    const reasons: unknown[] = [];
    for (const server of others) reasons.push((await visit(server, { session: session! })).line?.['reason']);
    expect(reasons).toEqual([null, 'unknown_key_name', null]);
  });

  it('not longer than --lifetime', async () => {
    const server = await command.serve('--lifetime', '1');
    const [session] = (await visit(server)).sessions;
    await delay(1_100);
    const { line } = await visit(server, { session: { ...session!, ticketLifetimeHint: 0 } });
    expect(line).toMatchObject({ mode: 'full', reason: 'too_old' });
  });
});

describe('options of the handshake', () => {
  it('suites, groups and protocols', async () => {
    const server = await command.serve(
      '--ciphers',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      '--groups',
      'P-384',
      '--alpn',
      'h2',
    );
    const { line } = await visit(server, { alpnProtocols: ['http/1.1', 'h2'] });
    const cipherSuite = 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256';
    expect(line).toMatchObject({ cipherSuite, group: 'secp384r1', alpn: 'h2' });
  });

  it('--crypto noble with keys of all kinds, and --keylog', async () => {
    const identities = ['ecdsa', 'ed25519', 'rsa'].flatMap((kind) => ['--cert', `${kind}.pem`, '--key', `${kind}.key`]);
    const server = await command.serve('--crypto', 'noble', '--keylog', 'keys.txt', ...identities);
    for (const [cipherSuite, signatureScheme] of [
      ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ecdsa_secp256r1_sha256'],
      ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ed25519'],
      ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'rsa_pss_rsae_sha256'],
    ] as const) {
      const { line } = await visit(server, { cipherSuites: [cipherSuite], signatureSchemes: [signatureScheme] });
      expect(line).toMatchObject({ cipherSuite, mode: 'full' });
    }
    expect(readFileSync(command.file('keys.txt'), 'utf8')).toMatch(/^(CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n){3}$/);
  });
});

describe('many connections', () => {
  it('a thousand with garbage between them, none left behind', async () => {
    const server = await command.serve();
    await visit(server);
    const files = openFiles(server);
    const visitors = Array.from({ length: 20 }, async (_, lane) => {
      for (let i = 0; i < 50; i++) {
        if ((i + lane) % 3 === 0) await throwGarbage(server, i);
        else if ((i + lane) % 3 === 1)
          tcp(server).once('connect', function (this: Socket) {
            this.destroy();
          });
        else await visit(server);
      }
    });
    await Promise.all(visitors);
    await expect.poll(() => openFiles(server), { timeout: 5_000 }).toBeLessThanOrEqual(files);
    expect(residentMegabytes(server)).toBeLessThan(250);
    const { visitor } = await visit(server);
    expect(visitor.records).toHaveLength(1);
  });

  async function throwGarbage(server: ServeProcess, seed: number): Promise<void> {
    const socket = tcp(server).resume();
    socket.end(Uint8Array.from({ length: 4_000 }, (_, i) => (i * i + seed * 31) % 256));
    await once(socket, 'close');
  }
});

describe('SIGTERM', () => {
  it('lets open connections have their answer, and takes no more', async () => {
    const server = await command.serve();
    const [idle, busy] = await Promise.all([client(server).opened(), client(server).opened()]);
    idle.write(request);
    await idle.until(({ records }) => records.length > 0);
    busy.write('GET / HTTP/1.0\r\n');
    await delay(50);
    process.kill(server.pid, 'SIGTERM');
    // Whoever has his answer is told the end.
    await idle.until(({ ended }) => ended);
    expect(idle.closed?.reason).toBe('close_notify');
    const late = tcp(server);
    await expect(once(late, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    busy.write('\r\n');
    await busy.until(({ ended }) => ended);
    expect(busy.records).toHaveLength(1);
    expect(busy.closed?.reason).toBe('close_notify');
  });
});

describeWithPeer('curl', 'curl', (peer) => {
  it('gets the page', async () => {
    const resolve = `example.test:${www.port}:127.0.0.1`;
    const url = `https://example.test:${www.port}/`;
    const run = await runProgram(peer.path, ['-sS', '--cacert', command.file('ca.pem'), '--resolve', resolve, url]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/^protocol: TLSv1\.[23]\n.*^serverName: example\.test$/ms);
  });
});

describeWithPeer('openssl', 'openssl s_client', (peer) => {
  it('resumes, and shows the certificate that is asked for', async () => {
    const server = await command.serve('--client-auth', 'require', '--client-ca', 'ca.pem');
    const talk = (...parameters: string[]) =>
      runProgram(
        peer.path,
        ['s_client', '-connect', `127.0.0.1:${server.port}`, '-servername', 'example.test', '-tls1_2', ...parameters],
        { cwd: command.folder, input: request, holdInputMilliseconds: 300 },
      );
    const identity = ['-cert', 'client.pem', '-key', 'client.key'];
    const first = await talk(...identity, '-sess_out', 'openssl.session');
    expect(first.stdout).toMatch(/^mode: full$/m);
    const second = await talk(...identity, '-sess_in', 'openssl.session');
    expect(second.stdout).toMatch(/^mode: ticket$/m);
    const third = await talk();
    expect(third.stderr).toContain('alert handshake failure');
    expect(await server.take(3)).toMatchObject([
      { event: 'handshake', mode: 'full' },
      { event: 'handshake', mode: 'ticket' },
      { event: 'error', alert: 'handshake_failure' },
    ]);
  });
});

function alertIn([contentType, , , , length, level]: Uint8Array): Record<string, number | undefined> {
  return { contentType, length, level };
}

function openFiles({ pid }: ServeProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentMegabytes({ pid }: ServeProcess): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
