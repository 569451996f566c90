/**
 * `openssl s_client` with our server: full handshakes and refusals. s_client checks chain and name and prints the session; our
 * server says the line back that it gets, so every test here asserts both ends' view, and that application data pass both ways.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { opensslCipherName } from '../../src/adapters/node/names.js';
import type { EchoServer } from '../support/echo-server.js';
import { identities } from '../support/identities.js';
import { certificateKinds, opensslView } from '../support/openssl.js';
import { describeWithPeer } from '../support/peers.js';
import { expectFull, expectRefused, expectResumed, SClient, socketOf } from './s-client.js';
import { backends, suitesAndBackends } from './suites.js';

describeWithPeer('openssl', 'openssl s_client with our server', (peer) => {
  let clients: SClient;
  /** ECDSA and RSA. */
  let server: EchoServer;
  /** The same, and nothing above TLS 1.2. */
  let tls12Server: EchoServer;

  beforeAll(async () => {
    clients = await SClient.start(peer);
    const own = [identities.ecdsa, identities.rsa];
    server = await clients.serve(own, { ALPNProtocols: ['h2', 'http/1.1'] });
    tls12Server = await clients.serve(own, { maxVersion: 'TLSv1.2' });
  });
  afterAll(() => clients.stop());

  describe('full handshake', () => {
    it.each(certificateKinds)('certificate of kind %s, resumed by ticket', async (kind) => {
      const own = await clients.serve([clients.openssl.identity(kind)]);
      const first = await clients.talk(own, '-sess_out', `${kind}.session`);
      expectFull(first);
      expect(first.openssl.output).toContain('Verify return code: 0 (ok)');
      expectResumed(await clients.talk(own, '-sess_in', `${kind}.session`), 'ticket', first);
    });

    it.each(suitesAndBackends)('%s on %s, resumed by ticket', async (suite, backend) => {
      const own = await clients.serve([identities.ecdsa, identities.rsa], { crypto: backends[backend] });
      const cipher = opensslCipherName(suite);
      const first = await clients.talk(own, '-cipher', cipher, '-sess_out', `${suite}.session`);
      expectFull(first);
      expect(socketOf(first).getCipher()?.standardName).toBe(suite);
      expect(opensslView(first.openssl.output).cipher).toBe(cipher);
      expectResumed(await clients.talk(own, '-sess_in', `${suite}.session`), 'ticket', first);
    });

    it.each([
      ['x25519', 'X25519', 'X25519, 253 bits'],
      ['x25519', 'X25519:P-256', 'X25519, 253 bits'],
      ['secp256r1', 'P-256', 'ECDH, prime256v1, 256 bits'],
      ['secp384r1', 'P-384', 'ECDH, secp384r1, 384 bits'],
      // The client's second choice is the first that we have.
      ['secp384r1', 'P-521:P-384', 'ECDH, secp384r1, 384 bits'],
    ])('group %s where the client offers %s', async (group, groups, printed) => {
      const both = await clients.talk(server, '-groups', groups);
      expectFull(both);
      expect(socketOf(both).handshake?.group).toBe(group);
      expect(both.openssl.output).toContain(` Temp Key: ${printed}\n`);
    });

    it.each([
      // The session ID of the middlebox compatibility mode (RFC 8446 D.4) is one that we do not know.
      ['both versions are offered', ['-max_protocol', 'TLSv1.3'], 'unknown_session_id'],
      ['TLS_FALLBACK_SCSV says that this is a second attempt', ['-fallback_scsv']],
      [
        'there are extensions that we do not know',
        ['-status', '-maxfraglen', '1024', '-use_srtp', 'SRTP_AES128_CM_SHA1_80'],
      ],
    ])('TLS 1.2 is all that the server has, and %s', async (_, parameters, reason?: string) => {
      const both = await clients.talk(tls12Server, ...parameters);
      expectFull(both, reason);
      expect(both.openssl.output).toContain('Protocol  : TLSv1.2');
    });

    it('two megabytes of application data each way', async () => {
      const line = `${'resumption '.repeat(190_000)}\n`;
      const [run] = await Promise.all([clients.openssl.client(server.port, line, '-quiet'), server.next()]);
      expect(run.output.length).toBe(line.length);
      expect(run.output === line).toBe(true);
    });

    it("application protocol: our first of the client's", async () => {
      const both = await clients.talk(server, '-alpn', 'http/1.1,h2');
      expect(socketOf(both).alpnProtocol).toBe('h2');
      expect(both.openssl.output).toContain('ALPN protocol: h2\n');
    });

    it.each([
      [false, ['-noservername']],
      ['other.example', ['-servername', 'Other.Example']],
    ])('server name: %s', async (name, parameters) => {
      const both = await clients.talk(server, ...parameters);
      expectFull(both);
      expect(socketOf(both).servername).toBe(name);
    });

    it('our key log is that of the client', async () => {
      const lines: string[] = [];
      const log = (line: Buffer) => void lines.push(line.toString('latin1'));
      server.server.on('keylog', log);
      await clients.talk(server, '-keylogfile', 'client.keylog');
      server.server.off('keylog', log);
      expect(lines.join('')).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/);
      expect(clients.openssl.read('client.keylog')).toContain(lines.join(''));
    });

    it('both export the same keying material', async () => {
      const exported = ['-keymatexport', 'EXPORTER-interop', '-keymatexportlen', '20'];
      const [{ output }, material] = await Promise.all([
        clients.openssl.client(server.port, 'hello\n', ...exported),
        server.next().then((ours) => socketOf({ ours }).exportKeyingMaterial(20, 'EXPORTER-interop')),
      ]);
      expect(output).toContain(`Keying material: ${material.toString('hex').toUpperCase()}\n`);
    });
  });

  describe('client certificates', () => {
    let requiring: EchoServer;
    beforeAll(async () => {
      requiring = await clients.serve([identities.rsa], { requestCert: true });
    });

    it.each(certificateKinds)('of kind %s, and the session remembers it', async (kind) => {
      const own = ['-cert', `${kind}.pem`, '-key', `${kind}.key`];
      const first = await clients.talk(requiring, ...own, '-sess_out', 'client.session');
      expectFull(first);
      expect(socketOf(first).authorized).toBe(true);
      expect(socketOf(first).getPeerX509Certificate()?.toString()).toBe(clients.openssl.identity(kind).cert);
      const second = await clients.talk(requiring, ...own, '-sess_in', 'client.session');
      expectResumed(second, 'ticket', first);
      expect(socketOf(second).authorized).toBe(true);
      expect(socketOf(second).getPeerX509Certificate()?.toString()).toBe(clients.openssl.identity(kind).cert);
    });

    it('in many records of 512 bytes', async () => {
      expectFull(await clients.talk(requiring, '-cert', 'rsa.pem', '-key', 'rsa.key', '-max_send_frag', '512'));
    });

    it('none: refused', async () => {
      expectRefused(await clients.talk(requiring), 'handshake_failure');
    });

    it('of a stranger: refused', async () => {
      const stranger = '-newkey ed25519 -nodes -subj /CN=stranger -keyout stranger.key -out stranger.pem';
      await clients.openssl.command('req', '-x509', ...stranger.split(' '));
      const own = ['-cert', 'stranger.pem', '-key', 'stranger.key'];
      expectRefused(await clients.talk(requiring, ...own), 'unknown_ca');
    });

    it('let in all the same where that is configured, and known as unauthorized', async () => {
      const lenient = await clients.serve([identities.rsa], { requestCert: true, rejectUnauthorized: false });
      const both = await clients.talk(lenient);
      expectFull(both);
      expect(socketOf(both).authorized).toBe(false);
    });
  });

  describe('refusals', () => {
    it('R7301-3.2-1 no application protocol in common', async () => {
      expectRefused(await clients.talk(server, '-alpn', 'foo'), 'no_application_protocol');
    });

    it.each([
      ['TLS 1.3 only', ['-tls1_3']],
      ['TLS 1.1 only', ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0']],
    ])('%s', async (_, parameters) => {
      expectRefused(await clients.talk(tls12Server, ...parameters), 'protocol_version');
    });

    it('RFC 7507 3: a fallback to TLS 1.2 where the server has TLS 1.3', async () => {
      const both = await clients.serve([identities.ecdsa], { maxVersion: 'TLSv1.3' });
      expectRefused(await clients.talk(both, '-fallback_scsv'), 'inappropriate_fallback');
    });

    it.each([
      ['no cipher suite in common', ['-cipher', 'AES128-GCM-SHA256']],
      ['no group in common', ['-groups', 'P-521']],
      ['no signature scheme in common', ['-sigalgs', 'ECDSA+SHA224']],
    ])('%s', async (_, parameters) => {
      expectRefused(await clients.talk(server, ...parameters), 'handshake_failure');
    });

    it('R7627-5.2-3 no extended master secret: refused, or let in and never resumed', async () => {
      const without = ['-ssl_config', 'without-extended-master-secret'];
      expectRefused(await clients.talk(server, ...without), 'handshake_failure');
      const lenient = await clients.serve([identities.ecdsa], { allowMissingExtendedMasterSecret: true });
      const both = await clients.talk(lenient, ...without);
      expect(opensslView(both.openssl.output)).toMatchObject({ extendedMasterSecret: false, sessionId: '' });
      expect(both.openssl.output).not.toContain('TLS session ticket');
      expect(socketOf(both).handshake).toMatchObject({ mode: 'full', extendedMasterSecret: false, newTicket: false });
    });

    it('R7627-5.3-4 a session is not resumed without its extended master secret', async () => {
      const lenient = await clients.serve([identities.ecdsa], { allowMissingExtendedMasterSecret: true });
      await clients.talk(lenient, '-sess_out', 'extended.session');
      const without = ['-ssl_config', 'without-extended-master-secret', '-sess_in', 'extended.session'];
      expectRefused(await clients.talk(lenient, ...without), 'handshake_failure');
    });

    it('renegotiation is answered with no_renegotiation, which OpenSSL takes as the end', async () => {
      const [run, ours] = await Promise.all([clients.openssl.client(server.port, 'R\n', '-msg'), server.next()]);
      expect(run.errors).toContain('RENEGOTIATING');
      expect(run.output).toMatch(/<<< TLS 1\.2, Alert \[length 0002\], warning no_renegotiation/);
      const expected = { code: 'peer_alert', alert: 'handshake_failure' };
      await expect.poll(() => socketOf({ ours }).errored).toMatchObject(expected);
    });
  });
});
