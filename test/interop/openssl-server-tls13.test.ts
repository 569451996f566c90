/** Our client with `openssl s_server` in TLS 1.3: what both ends say of each connection. */
import { setTimeout as delay } from 'node:timers/promises';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectOptions, TLSSocket } from '../../src/adapters/node/index.js';
import { identities } from '../support/identities.js';
import { certificateKinds, Openssl } from '../support/openssl.js';
import { describeWithPeer, type ServerProcess } from '../support/peers.js';
import { open, talk as talkTls12 } from './s-server.js';
import { backends, tls13SuitesAndBackends } from './suites.js';

const tls13 = { maxVersion: 'TLSv1.3' } as const;

interface Visit {
  readonly socket: TLSSocket;
  readonly sessions: readonly Buffer[];
  /** The status page. */
  readonly page: string;
}

/** Gets the status page of `s_server -www`. */
async function visit(server: ServerProcess, options: ConnectOptions = {}): Promise<Visit> {
  const { socket, sessions, received } = await talkTls12(server, { ...tls13, ...options });
  return { socket, sessions, page: received.toString() };
}

describeWithPeer('openssl', 'our client with openssl s_server, TLS 1.3', (peer) => {
  let openssl: Openssl;
  /** With status pages. */
  let server: ServerProcess;
  let retrying: ServerProcess;

  beforeAll(async () => {
    openssl = await Openssl.start(peer);
    [server, retrying] = await Promise.all([
      openssl.server('ecdsa', '-tls1_3', '-www'),
      openssl.server('ecdsa', '-tls1_3', '-www', '-groups', 'P-384'),
    ]);
  });
  afterAll(() => openssl.stop());

  it.each(tls13SuitesAndBackends)('%s on %s, in full and by ticket', async (suite, backend) => {
    const options = { ciphers: suite, crypto: backends[backend] };
    const first = await visit(server, options);
    expectFull(first, suite);
    expectResumed(await visit(server, { ...options, session: first.sessions }), suite);
  });

  it.each(certificateKinds)('certificate of kind %s', async (kind) => {
    const own = await openssl.server(kind, '-tls1_3', '-www');
    const both = await visit(own);
    expectFull(both);
    expect(both.socket.getPeerX509Certificate()?.toString()).toBe(openssl.identity(kind).cert);
  });

  it('R8446-4.1.4 a HelloRetryRequest for another group, in full and by ticket', async () => {
    const options = { ecdhCurve: 'X25519:P-384' };
    const first = await visit(retrying, options);
    expectFull(first);
    const second = await visit(retrying, { ...options, session: first.sessions });
    expectResumed(second);
    for (const { socket } of [first, second])
      expect(socket.handshake).toMatchObject({ helloRetryRequest: true, group: 'secp384r1' });
  });

  it('R8446-4.2.11-1 a ticket of AES-128-GCM resumes with ChaCha20, and not under another hash', async () => {
    const first = await visit(server, { ciphers: 'TLS_AES_128_GCM_SHA256' });
    const [one, other] = first.sessions;
    const chacha = 'TLS_CHACHA20_POLY1305_SHA256';
    expectResumed(await visit(server, { ciphers: chacha, session: one! }), chacha);
    const aes256 = 'TLS_AES_256_GCM_SHA384';
    expectFull(await visit(server, { ciphers: aes256, session: other! }), aes256);
  });

  it.each([
    ['four tickets', 4, ['-num_tickets', '4']],
    ['tickets that stand for an entry in its cache', 2, ['-no_ticket']],
  ])('%s, and each resumes', async (_, count, parameters) => {
    const own = await openssl.server('ecdsa', '-tls1_3', '-www', ...parameters);
    const first = await visit(own);
    expect(first.sessions).toHaveLength(count);
    for (const session of first.sessions) expectResumed(await visit(own, { session }));
  });

  it('TLS 1.3 where both have both versions, TLS 1.2 where the server has no other; each resumes its own', async () => {
    const [newer, older] = await Promise.all([
      openssl.server('ecdsa', '-min_protocol', 'TLSv1.2', '-www'),
      openssl.server('ecdsa', '-tls1_2', '-www'),
    ]);
    expectFull(await visit(newer));
    const first = await visit(older);
    expect([first.socket.getProtocol(), first.page.includes('New, TLSv1.2')]).toEqual(['TLSv1.2', true]);
    const second = await visit(older, { session: first.sessions });
    expect([second.socket.handshake?.mode, second.page.includes('Reused, TLSv1.2')]).toEqual(['ticket', true]);
  });

  it('certificate of the client, in full and by ticket; without one the alert comes after the handshake', async () => {
    const verify = ['-Verify', '1', '-CAfile', 'ca.pem', '-verify_return_error'];
    const own = await openssl.server('ecdsa', '-tls1_3', '-www', ...verify);
    const first = await visit(own, identities.client);
    expectFull(first);
    const second = await visit(own, { ...identities.client, session: first.sessions });
    expectResumed(second);
    const base64 = /-----BEGIN CERTIFICATE-----([^-]*)-----END/.exec(identities.client.cert)?.[1];
    for (const { page } of [first, second]) expect(page).toContain(base64);
    await expect(visit(own)).rejects.toMatchObject({ code: 'peer_alert', alert: 'certificate_required' });
  });

  it('external PSK by pskCallback', async () => {
    const psk = Buffer.alloc(32, 7);
    const own = await openssl.server(
      'ecdsa',
      '-tls1_3',
      '-www',
      '-psk',
      psk.toString('hex'),
      '-psk_identity',
      'device',
    );
    const both = await visit(own, { pskCallback: () => ({ psk, identity: 'device' }) });
    expect(both.socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', peerCertificates: [] });
    expect(both.page).toContain('TLSv1.3');
    expectFull(await visit(own));
  });

  describe('a server on its terminal', () => {
    /** Connected, with the tickets that came. */
    async function connected(own: ServerProcess, options: ConnectOptions = {}) {
      const socket = open(own, { ...tls13, ...options });
      const sessions: Buffer[] = [];
      socket.on('session', (session: Buffer) => sessions.push(session)).resume();
      await once(socket, 'secureConnect');
      while (sessions.length === 0) await once(socket, 'session');
      return { socket, sessions };
    }

    async function closed(socket: TLSSocket): Promise<void> {
      const gone = once(socket, 'close');
      socket.end();
      await gone;
    }

    it('early data is accepted, and once only', async () => {
      const own = await openssl.server('ecdsa', '-tls1_3', '-early_data', '-max_early_data', '1000');
      const first = await connected(own);
      await closed(first.socket);
      const options = { session: first.sessions[0]!, earlyData: Buffer.from('early words\n') };
      const second = await connected(own, options);
      expect(second.socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'accepted', earlyDataBytes: 12 });
      expect(second.socket.earlyDataAccepted).toBe(true);
      // It prints the two by different ways.
      await own.waitForOutput(/Early data received:/);
      await own.waitForOutput(/early words/);
      await closed(second.socket);
      const third = await connected(own, options);
      expect(third.socket.handshake).toMatchObject({ mode: 'full', earlyData: 'rejected' });
      expect(third.socket.earlyDataAccepted).toBe(false);
      third.socket.write('after the handshake\n');
      await own.waitForOutput(/after the handshake/);
      await closed(third.socket);
      expect(own.output().match(/early words/g)).toHaveLength(1);
    });

    it('early data is rejected by a server that does not read it', async () => {
      const own = await openssl.server('ecdsa', '-tls1_3', '-max_early_data', '1000');
      const first = await connected(own);
      await closed(first.socket);
      const { socket } = await connected(own, { session: first.sessions[0]!, earlyData: Buffer.from('early words\n') });
      expect(socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'rejected', earlyDataBytes: 12 });
      socket.write('after the handshake\n');
      await own.waitForOutput(/after the handshake/);
      await closed(socket);
      expect(own.output()).not.toContain('early words');
    });

    it('R8446-4.6.3-1 key updates of either side', async () => {
      const own = await openssl.server('ecdsa', '-tls1_3');
      const { socket } = await connected(own);
      const heard: string[] = [];
      socket.on('data', (data: Buffer) => heard.push(data.toString()));
      socket.updateKeys({ requestPeer: true });
      socket.write('under our new keys\n');
      await own.waitForOutput(/under our new keys/);
      own.write('K\n');
      await delay(500); // it drops what it reads together with a command
      own.write('under their new keys\n');
      await expect.poll(() => heard.join('')).toBe('under their new keys\n');
      socket.write('and again\n');
      await own.waitForOutput(/and again/);
      await closed(socket);
    });

    it('our key log is that of the server, and both export the same keying material', async () => {
      const exported = ['-keymatexport', 'EXPORTER-interop', '-keymatexportlen', '20'];
      const keyLogFile = ['-keylogfile', 'server13.keylog'];
      const own = await openssl.server('ecdsa', '-tls1_3', ...exported, ...keyLogFile);
      const socket = open(own, tls13);
      const lines: string[] = [];
      socket.on('keylog', (line: Buffer) => lines.push(line.toString()));
      await once(socket, 'secureConnect');
      const [, material] = await own.waitForOutput(/Keying material: (\w+)/);
      expect(socket.exportKeyingMaterial(20, 'EXPORTER-interop').toString('hex')).toBe(material?.toLowerCase());
      await closed(socket.resume());
      const theirs = openssl.read('server13.keylog').split('\n');
      expect(lines).toHaveLength(5);
      for (const line of lines) expect(theirs).toContain(line.trimEnd());
    });
  });
});

function expectFull({ socket, page }: Visit, suite = 'TLS_AES'): void {
  expect(socket.handshake).toMatchObject({ version: 'TLSv1.3', mode: 'full', resumed: false });
  expect(socket.authorized).toBe(true);
  expect(page).toContain(`New, TLSv1.3, Cipher is ${suite}`);
}

function expectResumed({ socket, page }: Visit, suite = 'TLS_AES'): void {
  expect(socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', resumed: true, reason: undefined });
  expect(page).toContain(`Reused, TLSv1.3, Cipher is ${suite}`);
}
