/** The command line itself: help, version, errors in one line, and how long it takes to start. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifest } from '../support/package.js';
import { Command } from './command.js';

let command: Command;
beforeAll(async () => {
  command = await Command.build();
});
afterAll(() => command.remove());

describe('help and version', () => {
  it.each([
    [['--help'], /^Usage: tls-resume .*serve.*connect/s],
    [['serve', '--help'], /^Usage: tls-resume serve .*--session-cache.*--ticket-keys.*nginx.*--replay-guard/s],
    [['connect', '--help'], /^Usage: tls-resume connect .*--session-in.*--session-out.*--early-data.*--reconnect/s],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
  ])('%s', async (parameters, text) => {
    const { status, stdout, stderr } = await command.run(parameters);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(text);
  });
});

describe('an error is one line, and a status', () => {
  const files = ['--cert', 'ecdsa.pem', '--key', 'ecdsa.key'];
  it.each([
    ['unknown command', ['open'], "unknown command 'open'"],
    ['unknown option', ['serve', '--prot', '1'], "unknown option '--prot'"],
    ['missing value', ['serve', '--port'], "option '--port <n>' argument missing"],
    ['bad value', ['serve', '--port', 'x'], 'Expected a whole number from 0 to 65535.'],
    ['bad choice', ['serve', '--crypto', 'x'], 'Allowed choices are node, noble.'],
    ['options that exclude each other', ['serve', '--www', '--echo'], 'cannot be used with'],
    ['no certificate', ['serve'], 'serve needs --cert FILE'],
    ['missing file', ['serve', '--cert', 'absent.pem'], 'absent.pem: no such file'],
    ['not a certificate', ['serve', '--cert', 'ecdsa.key'], '`cert` holds no certificate'],
    ['not a key', ['serve', '--cert', 'ecdsa.pem', '--key', 'ecdsa.pem'], 'ecdsa.pem: `key` is no private key'],
    ['key of another certificate', ['serve', '--cert', 'ecdsa.pem', '--key', 'rsa.key'], '`key` does not belong'],
    ['no ticket key', ['serve', ...files, '--ticket-keys', 'ca.pem'], 'ca.pem: nginx80: got'],
    ['weak ticket key', ['serve', ...files, '--ticket-keys', 'weak.key'], 'zeros'],
    ['no authority', ['serve', ...files, '--client-auth', 'require'], 'needs --client-ca FILE'],
    ['no host', ['connect'], "missing required argument 'host:port'"],
    ['no port', ['connect', 'example.test'], 'Expected HOST:PORT.'],
    ['missing authority', ['connect', '127.0.0.1:1', '--ca', 'absent.pem'], 'absent.pem: no such file'],
    ['no sessions', ['connect', '127.0.0.1:1', '--session-in', 'ca.pem'], 'ca.pem: no file of --session-out'],
    ['broken session', ['connect', '127.0.0.1:1', '--session-in', 'broken.json'], 'session 0 cannot be read'],
    ['nobody there', ['connect', '127.0.0.1:1'], '(ECONNREFUSED)'],
  ])('%s', async (_, parameters, text) => {
    writeFileSync(command.file('weak.key'), new Uint8Array(80));
    writeFileSync(command.file('broken.json'), '{"sessions":["AAAA"]}');
    const { status, stdout, stderr } = await command.run(parameters);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^tls-resume: .+\n$/);
    expect(stderr).toContain(text);
  });

  it('port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const { status, stderr } = await command.run(['serve', '--port', port, ...files]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `tls-resume: 127.0.0.1:${port}: address already in use\n`,
    });
    server.close();
  });
});

// Beside a bare `node` in the same run: a busy machine makes both slow.
describe('starting takes less than 300 ms where node takes 50', () => {
  const telling = `process.on('exit',()=>{const{user,system}=process.cpuUsage();console.error('cpu',user+system)})`;
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(telling)}` };
  const milliseconds = (output: string) => Number(/^cpu (\d+)$/m.exec(output)?.[1]) / 1000;

  it.each([[['--help']], [['connect', '127.0.0.1:1']], [['connect', '127.0.0.1:1', '--crypto', 'noble']]])(
    '%s',
    async (parameters) => {
      const run = async () => (await command.run(parameters, { environment })).stderr;
      await expectQuick(run);
    },
  );

  it.each(['node', 'noble'])('serve --crypto %s, until it listens', async (crypto) => {
    const run = async () => {
      const server = await command.serve(['--crypto', crypto], environment);
      await server.stop();
      return server.output();
    };
    await expectQuick(run);
  });

  /** Of processor time, and the best of a few: neighbours in the caches cost time as well. */
  async function expectQuick(run: () => Promise<string>): Promise<void> {
    let [bare, ours] = [Infinity, Infinity];
    for (let i = 0; i < 5 && ours >= 6 * bare; i++) {
      bare = Math.min(bare, milliseconds(await bareNode()));
      ours = Math.min(ours, milliseconds(await run()));
    }
    expect(ours).toBeLessThan(6 * bare);
  }

  async function bareNode(): Promise<string> {
    const { stderr } = await promisify(execFile)(process.execPath, ['-e', '0'], {
      env: { ...process.env, ...environment },
    });
    return stderr;
  }
});

it('the package names the command', () => {
  expect(manifest).toMatchObject({ bin: { 'tls-resume': './dist/cli/main.js' } });
});
