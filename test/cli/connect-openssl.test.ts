/** `tls-resume connect` with `openssl s_server`. */
import { writeFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { describeWithPeer, startServerProcess, type ServerProcess } from '../support/peers.js';
import { useCommand } from './visitors.js';

const command = useCommand();

describeWithPeer('openssl', 'openssl s_server', (peer) => {
  async function serve(...parameters: string[]): Promise<ServerProcess> {
    const identity = ['-cert', 'ecdsa.pem', '-key', 'ecdsa.key'];
    const server = await startServerProcess({
      command: peer.path,
      arguments: (port) => ['s_server', '-accept', `127.0.0.1:${port}`, ...identity, ...parameters],
      ready: /ACCEPT/,
      cwd: command().folder,
    });
    processes.add(server);
    return server;
  }
  const processes = new Set<ServerProcess>();
  afterAll(async () => {
    for (const server of processes) await server.stop();
  });

  it.concurrent.each([
    ['-tls1_2', 'ticket'],
    ['-tls1_3', 'psk_dhe_ke'],
  ])('%s -www: resumes, and the page says so too', async (version, mode) => {
    const server = await serve(version, '-www');
    const { status, lines } = await command().connect(server.port, '--reconnect', '1', '--session-out', `${mode}.json`);
    expect({ status, lines }).toMatchObject({
      status: 0,
      lines: [
        { mode: 'full', ok: true },
        { mode, ok: true },
      ],
    });
    const parameters = ['--servername', 'example.test', '--ca', 'ca.pem', '--session-in', `${mode}.json`];
    const run = await command().run(['connect', `127.0.0.1:${server.port}`, ...parameters]);
    expect(run.stdout).toMatch(/^Reused, TLSv1\.[23], Cipher is /m);
  });

  it.concurrent('sends early data, which never comes twice', async () => {
    const server = await serve('-tls1_3', '-early_data', '-max_early_data', '1000');
    writeFileSync(command().file('words.txt'), 'said early\n');
    await command().connect(server.port, '--session-out', 'words.json');
    const early = ['--session-in', 'words.json', '--early-data', 'words.txt', '--request', ''];
    const { lines } = await command().connect(server.port, ...early);
    expect(lines).toMatchObject([{ mode: 'psk_dhe_ke', earlyData: 'accepted', earlyDataBytes: 11, ok: true }]);
    // s_server takes a ticket once: its early data is rejected the second time, and is said after the handshake.
    const again = await command().connect(server.port, ...early);
    expect(again.lines).toMatchObject([{ mode: 'full', earlyData: 'rejected', ok: true }]);
    expect(server.output().match(/said early/g)).toHaveLength(2);
  });

  it.concurrent('takes a HelloRetryRequest, with a ticket and without', async () => {
    const server = await serve('-tls1_3', '-www', '-groups', 'P-384');
    const { lines } = await command().connect(server.port, '--reconnect', '1', '--groups', 'X25519,P-384');
    expect(lines).toMatchObject([
      { mode: 'full', group: 'secp384r1', helloRetryRequest: true, ok: true },
      { mode: 'psk_dhe_ke', group: 'secp384r1', helloRetryRequest: true, ok: true },
    ]);
  });

  it.concurrent('--psk in TLS 1.2', async () => {
    const key = '000102030405060708090a0b0c0d0e0f';
    const suite = ['-cipher', 'ECDHE-PSK-CHACHA20-POLY1305'];
    const server = await serve('-tls1_2', '-nocert', '-psk', key, '-psk_identity', 'me', ...suite);
    const { status, lines } = await command().connect(server.port, '--psk', `me:${key}`);
    const cipherSuite = 'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256';
    expect({ status, lines }).toMatchObject({ status: 0, lines: [{ mode: 'full', cipherSuite, ok: true }] });
  });

  it.concurrent('--psk', async () => {
    const server = await serve('-tls1_3', '-nocert', '-psk', '000102030405060708090a0b0c0d0e0f', '-psk_identity', 'me');
    const psk = 'me:000102030405060708090a0b0c0d0e0f';
    const { status, lines } = await command().connect(server.port, '--psk', psk);
    expect({ status, lines }).toMatchObject({ status: 0, lines: [{ mode: 'psk_dhe_ke', ok: true }] });
  });
});
