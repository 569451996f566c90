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
import { Command, fullHandshake, type ServeProcess } from './command.js';

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

const full = fullHandshake('TLSv1.3');

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
    expect(run.stdout).toMatch(/^HTTP\/1\.0 200 OK\r\n.*protocol: TLSv1\.3\n/s);
    expect(run.stderr).toBe('TLSv1.3 TLS_AES_128_GCM_SHA256, full (not_offered), x25519, example.test\n');
  });

  it.each([
    ['TLSv1.2', [], 'ticket'],
    ['TLSv1.2', ['--no-tickets'], 'session_id'],
    ['TLSv1.3', [], 'psk_dhe_ke'],
    ['TLSv1.3', ['--no-tickets'], 'full'],
  ])('--reconnect in %s %s: each time from the time before', async (version, parameters, mode) => {
    const versions = ['--min-version', version, '--max-version', version];
    const { status, lines } = await command.connect(www.port, '--reconnect', '2', ...versions, ...parameters);
    expect(status).toBe(0);
    expect(lines.map(({ protocol, mode, ok }) => [protocol, mode, ok])).toEqual([
      [version, 'full', true],
      [version, mode, true],
      [version, mode, true],
    ]);
  });

  it.each([
    ['TLSv1.2', 'ticket'],
    ['TLSv1.3', 'psk_dhe_ke'],
  ])('%s: sessions go from one run to the next in a file of its owner alone', async (version, mode) => {
    const [first, second] = [`${version}.json`, `${version} again.json`];
    const versions = ['--max-version', version];
    await command.connect(www.port, ...versions, '--session-out', first);
    expect(statSync(command.file(first)).mode & 0o777).toBe(0o600);
    const files = ['--session-in', first, '--session-out', second];
    const { lines } = await command.connect(www.port, ...versions, ...files);
    expect(lines).toMatchObject([{ protocol: version, mode, resumed: true, ok: true }]);
    const { sessions } = JSON.parse(readFileSync(command.file(second), 'utf8')) as { sessions: unknown[] };
    expect(sessions).toHaveLength(1);
  });

  it('--early-data goes out with the first flight where the session allows it', async () => {
    const server = await command.serve(['--early-data', '16384']);
    writeFileSync(command.file('early.txt'), 'GET /early HTTP/1.0\r\n\r\n');
    const early = ['--early-data', 'early.txt'];
    const first = await command.connect(server.port, ...early, '--session-out', 'early.json');
    expect(first.lines).toMatchObject([{ earlyData: 'none', earlyDataReason: 'not_offered', earlyDataBytes: 0 }]);
    const resumed = ['--session-in', 'early.json'];
    const accepted = { mode: 'psk_dhe_ke', earlyData: 'accepted', earlyDataReason: null, earlyDataBytes: 23 };
    const second = await command.connect(server.port, ...early, ...resumed);
    expect(second.lines).toMatchObject([{ ...accepted, ok: true }]);
    const trust = ['--servername', 'example.test', '--ca', 'ca.pem'];
    const parameters = ['connect', `127.0.0.1:${server.port}`, ...trust, ...resumed, '--early-data', '-'];
    const third = await command.run(parameters, { input: 'GET /early HTTP/1.0\r\n\r\n' });
    expect(third.stdout).toContain('earlyData: accepted\nearlyDataBytes: 23\n');
    // What does not fit goes out after the handshake: 40,000 bytes, which are no request yet, and the request that ends them.
    writeFileSync(command.file('long.txt'), 'x'.repeat(40_000));
    const fourth = await command.connect(server.port, '--early-data', 'long.txt', ...resumed);
    expect(fourth.lines).toMatchObject([{ ...accepted, earlyDataBytes: 16_384 }]);
    expect((await server.take(4)).map(({ earlyDataBytes }) => earlyDataBytes)).toEqual([0, 23, 23, 16_384]);
  });

  it('--psk', async () => {
    const psk = ['--psk', 'me:000102030405060708090a0b0c0d0e0f'];
    const server = await command.serve([...psk]);
    const { lines } = await command.connect(server.port, ...psk);
    expect(lines).toMatchObject([{ mode: 'psk_dhe_ke', ok: true }]);
    const wrong = await command.connect(server.port, '--psk', 'me:ff0102030405060708090a0b0c0d0e0f');
    expect(wrong.lines).toMatchObject([{ event: 'error', code: 'peer_alert', alert: 'decrypt_error', ok: false }]);
  });

  it('--groups X25519MLKEM768', async () => {
    const hybrid = ['--groups', 'X25519MLKEM768'];
    const server = await command.serve([...hybrid]);
    const { lines } = await command.connect(server.port, ...hybrid);
    expect(lines).toMatchObject([{ protocol: 'TLSv1.3', group: 'X25519MLKEM768', ok: true }]);
  });

  it('a session that nobody verified is not resumed where somebody wants it verified', async () => {
    await command.connect(www.port, '--insecure', '--session-out', 'insecure.json');
    const { lines } = await command.connect(www.port, '--session-in', 'insecure.json');
    expect(lines).toMatchObject([{ mode: 'full', ok: true }]);
  });

  it('--crypto noble, --groups and --keylog', async () => {
    const { lines } = await command.connect(www.port, '--crypto', 'noble', '--groups', 'P-256', '--keylog', 'keys.txt');
    expect(lines).toMatchObject([{ group: 'secp256r1', ok: true }]);
    expect(readFileSync(command.file('keys.txt'), 'utf8')).toMatch(/^(\w+ [0-9a-f]{64} [0-9a-f]{64}\n){5}$/);
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

  it('a server that goes away without close_notify: the handshake is ok, and a line says that data may be missing', async () => {
    // node:tls says close_notify whenever it can: the TCP connection is ended below it.
    let hangUp: (() => void) | undefined;
    const upstream = await tlsServer({}, (socket) =>
      socket.write('half an answ', () => setTimeout(() => hangUp?.(), 200)),
    );
    const port = await tcpServer((socket) => {
      const server = connectTcp({ port: upstream, host: '127.0.0.1' });
      open.add(server);
      server.pipe(socket);
      socket.pipe(server);
      hangUp = () => socket.end();
    });
    const { status, lines, stderr } = await command.connect(port);
    expect({ status, lines }).toMatchObject({ status: 0, lines: [{ event: 'handshake', mode: 'full', ok: true }] });
    expect(stderr).toContain('without close_notify');
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
