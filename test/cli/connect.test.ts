/** `tls-resume connect`: with our own server, with servers that behave badly, and with openssl. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identities } from '../support/identities.js';
import { describeWithPeer, startServerProcess } from '../support/peers.js';
import { Command, type ServeProcess } from './command.js';

let command: Command;
let www: ServeProcess;
const open = new Set<{ destroy(): void }>();

beforeAll(async () => {
  command = await Command.build();
  www = await command.serve();
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await command.remove();
});

/** A server of node:tls; what it hears goes to `heard`. */
async function tlsServer(options: TlsOptions, listener: (socket: TLSSocket) => void): Promise<number> {
  const server = createTlsServer({ ...identities.ecdsa, maxVersion: 'TLSv1.2', ...options }, (socket) => {
    socket.on('error', () => undefined);
    listener(socket);
  });
  return listen(server);
}

async function tcpServer(listener: (socket: Socket) => void): Promise<number> {
  return listen(createTcpServer(listener));
}

async function listen(server: Server): Promise<number> {
  server.on('connection', (socket) => open.add(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

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

describe.concurrent('with our own server', () => {
  it('says what the server says, and ok', async () => {
    const server = await command.serve();
    const { status, lines, stderr } = await command.connect(server.port);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(lines).toEqual([{ ...full, ok: true }]);
    expect(await server.take(1)).toEqual([full]);
  });

  it('prints the answer, and in words how the connection was made', async () => {
    const run = await command.run([
      'connect',
      `127.0.0.1:${www.port}`,
      '--servername',
      'example.test',
      '--ca',
      'ca.pem',
    ]);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^HTTP\/1\.0 200 OK\r\n.*protocol: TLSv1\.2\n/s);
    expect(run.stderr).toBe(
      'TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, full (not_offered), x25519, example.test\n',
    );
  });

  it('--reconnect resumes each time from the time before', async () => {
    const { status, lines } = await command.connect(www.port, '--reconnect', '2');
    expect(status).toBe(0);
    expect(lines.map(({ mode, ok }) => [mode, ok])).toEqual([
      ['full', true],
      ['ticket', true],
      ['ticket', true],
    ]);
  });

  it('--no-tickets resumes by session ID', async () => {
    const { lines } = await command.connect(www.port, '--no-tickets', '--reconnect', '1');
    expect(lines.map(({ mode }) => mode)).toEqual(['full', 'session_id']);
  });

  it("sessions go from one run to the next in a file of the owner's alone", async () => {
    await command.connect(www.port, '--session-out', 'sessions.json');
    expect(statSync(command.file('sessions.json')).mode & 0o777).toBe(0o600);
    const { lines } = await command.connect(www.port, '--session-in', 'sessions.json', '--session-out', 'more.json');
    expect(lines).toMatchObject([{ mode: 'ticket', resumed: true, ok: true }]);
    expect(readFileSync(command.file('more.json'), 'utf8')).toMatch(
      /^\{\n {2}"sessions": \[\n {4}"[\w+/]+=*"\n {2}\]\n\}\n$/,
    );
  });

  it('a session that nobody verified is not resumed where somebody wants it verified', async () => {
    await command.connect(www.port, '--insecure', '--session-out', 'insecure.json');
    const { lines } = await command.connect(www.port, '--session-in', 'insecure.json');
    expect(lines).toMatchObject([{ mode: 'full', ok: true }]);
  });

  it('--crypto noble, --groups and --keylog', async () => {
    const { lines } = await command.connect(www.port, '--crypto', 'noble', '--groups', 'P-256', '--keylog', 'keys.txt');
    expect(lines).toMatchObject([{ group: 'secp256r1', ok: true }]);
    expect(readFileSync(command.file('keys.txt'), 'utf8')).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/);
  });
});

describe.concurrent('what it sends', () => {
  it.each([
    ['nothing named', [], 'GET / HTTP/1.0\r\n\r\n'],
    ['a text', ['--request', 'HEAD / HTTP/1.1'], 'HEAD / HTTP/1.1\r\n\r\n'],
    ['a whole request', ['--request', 'GET /a HTTP/1.0\n\n'], 'GET /a HTTP/1.0\n\n'],
    ['a file, byte by byte', ['--request', 'request.txt'], 'no end'],
    ['nothing', ['--request', ''], ''],
  ])('%s', async (_, parameters, expected) => {
    writeFileSync(command.file('request.txt'), 'no end');
    let heard = '';
    const ends: string[] = [];
    const port = await tlsServer({}, (socket) => {
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
      socket.on('end', () => ends.push('close_notify'));
    });
    const start = performance.now();
    const { status, lines } = await command.connect(port, ...parameters);
    // A server that never answers is left after 0.7 s, with close_notify.
    expect(performance.now() - start).toBeGreaterThan(700);
    expect({ status, lines }).toMatchObject({ status: 0, lines: [{ ok: true }] });
    expect({ heard, ends }).toEqual({ heard: expected, ends: ['close_notify'] });
  });

  it('--servername, and no name', async () => {
    const names: unknown[] = [];
    const port = await tlsServer({}, (socket) => {
      names.push(socket.servername);
      socket.end();
    });
    await command.connect(port, '--servername', 'other.test', '--insecure');
    await command.connect(port, '--servername', '', '--insecure');
    expect(names).toEqual(['other.test', false]);
  });
});

describe.concurrent('failure: a code, a line and a status', () => {
  it('a certificate that is not trusted', async () => {
    const { status, lines, stderr } = await command.connect(www.port, '--ca', 'client.pem');
    expect(status).toBe(1);
    expect(lines).toMatchObject([{ event: 'error', code: 'unknown_ca', alert: 'unknown_ca', ok: false }]);
    expect(stderr).toMatch(/^tls-resume: 127\.0\.0\.1:\d+: .*\(unknown_ca\)\n$/);
  });

  it('another name', async () => {
    const { status, lines } = await command.connect(www.port, '--servername', 'other.test');
    expect({ status, lines }).toMatchObject({
      status: 1,
      lines: [{ event: 'error', code: 'bad_certificate', ok: false }],
    });
  });

  it('a server that speaks no TLS', async () => {
    const port = await tcpServer((socket) => socket.end('220 example.test ESMTP\r\n'));
    const { status, lines } = await command.connect(port);
    expect({ status, lines }).toMatchObject({
      status: 1,
      lines: [{ event: 'error', alert: 'unexpected_message', ok: false }],
    });
  });

  it('a server that hangs up', async () => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.end()));
    const { status, lines } = await command.connect(port);
    expect({ status, lines }).toMatchObject({ status: 1, lines: [{ event: 'error', code: 'truncated', ok: false }] });
  });

  it('a server that goes away without close_notify: both what was made and what went wrong', async () => {
    // node:tls says close_notify whenever it can: the TCP connection is ended below it.
    const upstream = await tlsServer({}, (socket) => socket.write('half an answ'));
    const port = await tcpServer((socket) => {
      const server = connectTcp({ port: upstream, host: '127.0.0.1' });
      open.add(server);
      server.pipe(socket);
      socket.pipe(server);
      setTimeout(() => socket.end(), 500);
    });
    const { status, lines } = await command.connect(port);
    expect({ status, lines }).toMatchObject({
      status: 1,
      lines: [
        { event: 'handshake', mode: 'full', ok: false },
        { event: 'error', code: 'truncated', ok: false },
      ],
    });
  });

  it('ends the run, and leaves no file', async () => {
    const { lines } = await command.connect(
      www.port,
      '--ca',
      'client.pem',
      '--reconnect',
      '3',
      '--session-out',
      'none.json',
    );
    expect(lines).toHaveLength(1);
    expect(existsSync(command.file('none.json'))).toBe(false);
  });
});

describeWithPeer('openssl', 'openssl s_server', (peer) => {
  it('resumes, and the page says so too', async () => {
    const server = await startServerProcess({
      command: peer.path,
      arguments: (port) => [
        's_server',
        '-accept',
        `127.0.0.1:${port}`,
        '-cert',
        'ecdsa.pem',
        '-key',
        'ecdsa.key',
        '-tls1_2',
        '-www',
      ],
      ready: /ACCEPT/,
      cwd: command.folder,
    });
    try {
      const { status, lines } = await command.connect(server.port, '--reconnect', '1');
      expect({ status, lines }).toMatchObject({
        status: 0,
        lines: [
          { mode: 'full', ok: true },
          { mode: 'ticket', ok: true },
        ],
      });
      const run = await command.run(['connect', `127.0.0.1:${server.port}`, '--insecure']);
      expect(run.stdout).toContain('New, TLSv1.2, Cipher is ECDHE-ECDSA');
    } finally {
      await server.stop();
    }
  });
});
