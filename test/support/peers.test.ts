import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { describeWithPeer, findPeer, requirePeer, runProgram, startServerProcess } from './peers.js';

afterEach(() => {
  vi.unstubAllEnvs();
  // What was found behind an empty PATH is no news for the files that come after this one.
  vi.resetModules();
});

class Skipped extends Error {}
const skip = (reason: string): never => {
  throw new Skipped(reason);
};

describe('requirePeer', () => {
  // tshark and openssl may both be installed here, so the absent program is one behind an empty PATH.
  it('skips with its reason where the program is missing, and fails under CI=true', async () => {
    vi.resetModules();
    vi.stubEnv('PATH', '');
    const fresh = await import('./peers.js');
    vi.stubEnv('CI', 'false');
    expect(() => fresh.requirePeer('openssl', skip)).toThrow(Skipped);
    expect(() => fresh.requirePeer('openssl', skip)).toThrow('needs openssl (Debian package openssl)');
    vi.stubEnv('CI', 'true');
    expect(() => fresh.requirePeer('openssl', skip)).not.toThrow(Skipped);
    expect(() => fresh.requirePeer('openssl', skip)).toThrow('needs openssl');
  });

  it('finds the program with its version', ({ skip }) => {
    const openssl = requirePeer('openssl', skip);
    expect(openssl.version).toMatch(/^OpenSSL \d/);
    expect(findPeer('openssl')).toBe(openssl);
  });
});

describe('runProgram', () => {
  it('hands input in and both outputs and the status back', async () => {
    const script =
      'process.stdin.on("data", (d) => { console.log("out " + d); console.error("err"); process.exitCode = 3 })';
    expect(await runProgram(process.execPath, ['-e', script], { input: 'hello' })).toEqual({
      status: 3,
      stdout: 'out hello\n',
      stderr: 'err\n',
    });
  });

  it('kills what takes too long', async () => {
    const endless = runProgram(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMilliseconds: 200 });
    await expect(endless).rejects.toThrow('took more than 200 ms');
  });
});

describe('startServerProcess', () => {
  const script = `require('node:net').createServer((s) => s.end()).listen(process.argv[1], '127.0.0.1', () => console.log('READY'))`;

  it('waits until the server listens and stops it by its own process', async () => {
    const server = await startServerProcess({
      command: process.execPath,
      arguments: (port) => ['-e', script, String(port)],
      ready: /READY/,
    });
    expect(server.output()).toBe('READY\n');
    expect(process.kill(server.pid, 0)).toBe(true);
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });

  it('waits until a server that says nothing accepts connections', async () => {
    const silent = `setTimeout(() => require('node:net').createServer().listen(process.argv[1], '127.0.0.1'), 100)`;
    const server = await startServerProcess({
      command: process.execPath,
      arguments: (port) => ['-e', silent, String(port)],
      ready: 'accepts_connections',
    });
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    await server.stop();
    expect(server.output()).toBe('');
  });

  it.each([
    [/READY/, 'before it printed /READY/'],
    ['accepts_connections', 'before it accepted a connection'],
  ] as const)('says what a server printed that ended before it was ready: %s', async (ready, when) => {
    const broken = startServerProcess({
      command: process.execPath,
      arguments: () => ['-e', 'console.error("no such option"); process.exit(7)'],
      ready,
    });
    await expect(broken).rejects.toThrow(`ended with status 7 ${when}:\nno such option`);
  });
});

describeWithPeer('openssl', 'describeWithPeer', (openssl) => {
  it('hands the program to its tests', async () => {
    const { stdout } = await runProgram(openssl.path, ['version']);
    expect(stdout).toContain(openssl.version);
  });
});
