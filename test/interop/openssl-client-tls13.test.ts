/**
 * `openssl s_client` with our server in TLS 1.3: full, HelloRetryRequest, tickets, early data, external PSKs, key updates, mutual.
 * Every test asserts what both sides say.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/adapters/node/index.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import type { EchoServer } from '../support/echo-server.js';
import { identities } from '../support/identities.js';
import { describeWithPeer } from '../support/peers.js';
import { SClient, socketOf, type Both } from './s-client.js';
import { backends, tls13SuitesAndBackends } from './suites.js';

const tls13 = { maxVersion: 'TLSv1.3' } as const;

describeWithPeer('openssl', 'openssl s_client with our server, TLS 1.3', (peer) => {
  let clients: SClient;
  let server: EchoServer;
  /** Reads early data. */
  let early: EchoServer;

  const serve = (options: ServerOptions = {}) => clients.serve([identities.ecdsa], { ...tls13, ...options });
  const talk = (to: EchoServer, ...parameters: string[]) => clients.talk(to, '-tls1_3', ...parameters);

  beforeAll(async () => {
    clients = await SClient.start(peer);
    [server, early] = await Promise.all([
      serve(),
      serve({
        earlyData: {
          maxSize: 10_000,
          replayGuard: new MemoryReplayGuard({ now: Date.now }),
          ticketsAreOfThisProcessAlone: true,
        },
      }),
    ]);
    clients.openssl.write('early.txt', 'early\n');
  });
  afterAll(() => clients.stop());

  it.each(tls13SuitesAndBackends)('%s on %s, in full and by ticket', async (suite, backend) => {
    const own = await serve({ crypto: backends[backend] });
    const first = await talk(own, '-ciphersuites', suite, '-sess_out', 'suite.session');
    expectFull(first, suite);
    expectResumed(await talk(own, '-ciphersuites', suite, '-sess_in', 'suite.session'), suite);
  });

  it.each(['ecdsa', 'ecdsa_p384', 'ed25519', 'rsa', 'rsa_pss'] as const)('certificate of kind %s', async (kind) => {
    const own = await clients.serve([clients.openssl.identity(kind)], tls13);
    const both = await talk(own);
    expectFull(both);
    expect(both.openssl.output).toContain('Verification: OK');
  });

  it('R8446-4.1.4 a group without a key share, in full and by ticket', async () => {
    const own = await serve({ ecdhCurve: 'P-384' });
    const groups = ['-groups', 'X25519:P-384'];
    const first = await talk(own, ...groups, '-sess_out', 'retry.session');
    expectFull(first);
    const second = await talk(own, ...groups, '-sess_in', 'retry.session');
    expectResumed(second);
    for (const both of [first, second])
      expect(socketOf(both).handshake).toMatchObject({ helloRetryRequest: true, group: 'secp384r1' });
  });

  it('R8446-4.2.11-1 a ticket of AES-128-GCM resumes with ChaCha20, and not under another hash', async () => {
    await talk(server, '-ciphersuites', 'TLS_AES_128_GCM_SHA256', '-sess_out', 'hash.session');
    const chacha = 'TLS_CHACHA20_POLY1305_SHA256';
    expectResumed(await talk(server, '-ciphersuites', chacha, '-sess_in', 'hash.session'), chacha);
    const aes256 = 'TLS_AES_256_GCM_SHA384';
    expectFull(await talk(server, '-ciphersuites', aes256, '-sess_in', 'hash.session'), aes256);
  });

  it('tickets that stand for an entry in the store', async () => {
    const own = await serve({ tickets: false });
    expectFull(await talk(own, '-sess_out', 'stateful.session'));
    expectResumed(await talk(own, '-sess_in', 'stateful.session'));
    // Good for one connection.
    const third = await talk(own, '-sess_in', 'stateful.session');
    expect(socketOf(third).handshake).toMatchObject({ mode: 'full', reason: 'unknown_session_id' });
  });

  it('without forward secrecy where both want it', async () => {
    const own = await serve({ pskKeyExchangeModes: ['psk_ke'] });
    await talk(own, '-sess_out', 'ke.session', '-allow_no_dhe_kex');
    const both = await talk(own, '-sess_in', 'ke.session', '-allow_no_dhe_kex');
    expect(socketOf(both).handshake).toMatchObject({ mode: 'psk_ke', group: undefined });
    expect(both.openssl.output).toContain('Reused, TLSv1.3');
    const declined = await talk(own, '-sess_in', 'ke.session');
    expect(socketOf(declined).handshake).toMatchObject({ mode: 'full', reason: 'psk_mode_mismatch' });
  });

  describe('early data', () => {
    const withEarlyData = ['-early_data', 'early.txt'];

    it('is accepted, and answered before the handshake is complete', async () => {
      await talk(early, '-sess_out', 'early.session');
      const both = await talk(early, '-sess_in', 'early.session', ...withEarlyData);
      expect(both.openssl.output).toContain('Early data was accepted');
      expect(both.openssl.output).toContain('Reused, TLSv1.3');
      expect(both.openssl.output).toMatch(/^early$/m);
      expect(socketOf(both).handshake).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'accepted', earlyDataBytes: 6 });
    });

    it.each([
      ['disabled', {}],
      ['hello_retry_request', { ecdhCurve: 'P-384' }],
      ['alpn_mismatch', { ALPNProtocols: ['h2'] }],
    ])('is rejected and skipped: %s', async (reason, changes) => {
      await talk(early, '-sess_out', 'early.session', '-alpn', 'h2');
      const replayGuard = new MemoryReplayGuard({ now: Date.now });
      const own = await serve({
        ticketKeys: early.server.getTicketKeys(),
        ...(reason !== 'disabled' && {
          earlyData: { maxSize: 10_000, replayGuard, ticketsAreOfThisProcessAlone: true },
        }),
        ...changes,
      });
      const both = await talk(own, '-sess_in', 'early.session', '-alpn', 'h2', ...withEarlyData);
      expect(both.openssl.output).toContain('Early data was rejected');
      expect(socketOf(both).handshake).toMatchObject({ earlyData: 'rejected', earlyDataReason: reason });
      expect(both.openssl.output).toMatch(/^hello$/m);
      expect(both.openssl.output).not.toMatch(/^early$/m);
    });
  });

  it('external PSK by pskCallback', async () => {
    const key = Buffer.alloc(32, 7);
    const own = await serve({ pskCallback: (_, identity) => (identity === 'device' ? key : null) });
    const psk = ['-psk', key.toString('hex'), '-ciphersuites', 'TLS_AES_128_GCM_SHA256'];
    const both = await talk(own, ...psk, '-psk_identity', 'device');
    expect(socketOf(both).handshake).toMatchObject({ mode: 'psk_dhe_ke', resumed: true });
    expect(Buffer.from(socketOf(both).handshake!.externalPskIdentity!).toString()).toBe('device');
    expect(both.openssl.output).toMatch(/^hello$/m);
    const stranger = await talk(own, ...psk, '-psk_identity', 'stranger');
    expectFull(stranger);
  });

  it('R8446-4.6.3-1 key updates of either side', async () => {
    const client = await clients.openssl.clientProcess(server.port, '-tls1_3');
    const ours = socketOf({ ours: await server.next() });
    client.write('K\n');
    await client.waitForOutput(/KEYUPDATE/);
    ours.updateKeys({ requestPeer: true });
    ours.write('under new keys\n');
    await client.waitForOutput(/^under new keys$/m);
    client.write('k\n');
    await client.waitForOutput(/KEYUPDATE[^]*KEYUPDATE/);
    client.write('still here\n');
    await client.waitForOutput(/^still here$/m);
  });

  it('certificate of the client, in full and by ticket', async () => {
    const own = await serve({ requestCert: true });
    const mutual = ['-cert', 'client.pem', '-key', 'client.key'];
    const first = await talk(own, ...mutual, '-sess_out', 'mutual.session');
    const second = await talk(own, ...mutual, '-sess_in', 'mutual.session');
    // With a certificate s_client 3.0 loses the line that it gets, from a node:tls server as well.
    expect([first, second].map(({ openssl }) => /^(?:New|Reused), .*/m.exec(openssl.output)?.[0])).toEqual([
      'New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256',
      'Reused, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256',
    ]);
    expect([first, second].map((both) => socketOf(both).handshake?.mode)).toEqual(['full', 'psk_dhe_ke']);
    for (const both of [first, second])
      expect([socketOf(both).authorized, socketOf(both).getPeerX509Certificate()?.subject]).toEqual([
        true,
        'CN=client.test',
      ]);
    const { openssl, ours } = await talk(own);
    expect(ours).toMatchObject({ name: 'AlertError', alert: 'certificate_required' });
    expect(openssl.errors).toContain('alert certificate required');
  });

  it('TLS 1.3 where the client has both versions, TLS 1.2 where one side has no other', async () => {
    const both = ['-min_protocol', 'TLSv1.2', '-max_protocol', 'TLSv1.3'];
    expectFull(await clients.talk(server, ...both));
    const older = await serve({ maxVersion: 'TLSv1.2' });
    const first = await clients.talk(older, ...both, '-sess_out', 'older.session');
    expect(socketOf(first).getProtocol()).toBe('TLSv1.2');
    expect(first.openssl.output).toContain('New, TLSv1.2');
    const second = await clients.talk(older, ...both, '-sess_in', 'older.session');
    expect(socketOf(second).handshake?.mode).toBe('ticket');
  });

  it('our key log is that of the client, and both export the same keying material', async () => {
    const lines: string[] = [];
    const log = (line: Buffer) => void lines.push(line.toString());
    server.server.on('keylog', log);
    const exported = ['-keymatexport', 'EXPORTER-interop', '-keymatexportlen', '20'];
    const keyLogFile = ['-keylogfile', 'tls13.keylog'];
    const [{ output }, material] = await Promise.all([
      clients.openssl.client(server.port, 'hello\n', '-tls1_3', ...exported, ...keyLogFile),
      server.next().then((ours) => socketOf({ ours }).exportKeyingMaterial(20, 'EXPORTER-interop')),
    ]);
    server.server.off('keylog', log);
    expect(output).toContain(`Keying material: ${material.toString('hex').toUpperCase()}\n`);
    const theirs = clients.openssl.read('tls13.keylog').split('\n');
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(theirs).toContain(line.trimEnd());
  });
});

function expectFull(both: Both, suite = 'TLS_AES'): void {
  expect(socketOf(both).handshake).toMatchObject({ version: 'TLSv1.3', mode: 'full', resumed: false });
  expect(both.openssl.output).toContain(`New, TLSv1.3, Cipher is ${suite}`);
  expect(both.openssl.output).toMatch(/^hello$/m);
}

function expectResumed(both: Both, suite = 'TLS_AES'): void {
  expect(socketOf(both).handshake).toMatchObject({ mode: 'psk_dhe_ke', resumed: true, reason: undefined });
  expect(both.openssl.output).toContain(`Reused, TLSv1.3, Cipher is ${suite}`);
  expect(both.openssl.output).toMatch(/^hello$/m);
}
