/**
 * Our client with `openssl s_server`. With -www it serves a page that says what it makes of the connection, so every test here
 * asserts both ends' view, and that application data pass both ways.
 */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../../src/adapters/node/index.js';
import { opensslCipherName } from '../../src/adapters/node/names.js';
import { toHex } from '../../src/bytes.js';
import { AlertError } from '../../src/errors.js';
import { MemoryStore } from '../../src/sessions/index.js';
import { identities } from '../support/identities.js';
import { certificateKinds, Openssl } from '../support/openssl.js';
import { describeWithPeer, type ServerProcess } from '../support/peers.js';
import { expectFull, expectResumed, open, sessionOf, talk, visit, type Both } from './s-server.js';
import { backends, suitesAndBackends } from './suites.js';

const verifyClients = ['-Verify', '1', '-CAfile', 'ca.pem', '-verify_return_error'];

describeWithPeer('openssl', 'our client with openssl s_server', (peer) => {
  let openssl: Openssl;
  /** ECDSA and RSA, tickets. */
  let tickets: ServerProcess;
  /** The same, other ticket keys. */
  let otherTickets: ServerProcess;
  let sessionIds: ServerProcess;

  beforeAll(async () => {
    openssl = await Openssl.start(peer);
    const rsa = ['-dcert', 'rsa.pem', '-dkey', 'rsa.key'];
    [tickets, otherTickets, sessionIds] = await Promise.all([
      openssl.server('ecdsa', '-www', ...rsa, '-alpn', 'h2,http/1.1', '-keylogfile', openssl.file('server.keylog')),
      openssl.server('ecdsa', '-www'),
      openssl.server('ecdsa', '-www', '-no_ticket'),
    ]);
  });
  afterAll(() => openssl.stop());

  describe('full handshake', () => {
    it.each(certificateKinds)('certificate of kind %s, resumed by ticket', async (kind) => {
      const server = await openssl.server(kind, '-www');
      const first = await visit(server);
      expectFull(first);
      expect(first.socket.authorized).toBe(true);
      expect(first.socket.getPeerX509Certificate()?.subjectAltName).toBe('DNS:example.test');
      expectResumed(await visit(server, { session: first.sessions[0]! }), 'ticket', first);
    });

    it.each(suitesAndBackends)('%s on %s, resumed by ticket', async (suite, backend) => {
      const options = { ciphers: suite, crypto: backends[backend] };
      const first = await visit(tickets, options);
      expectFull(first);
      expect(first.socket.getCipher()?.standardName).toBe(suite);
      expect(first.openssl.cipher).toBe(opensslCipherName(suite));
      expectResumed(await visit(tickets, { ...options, session: first.sessions[0]! }), 'ticket', first);
    });

    it.each([
      ['x25519', 'x25519:secp256r1:secp384r1', ['X25519', 'P-256', 'P-384']],
      ['secp256r1', 'secp256r1', ['P-256']],
      ['secp384r1', 'secp384r1', ['P-384']],
    ])('group %s', async (group, shared, ecdhCurve) => {
      const both = await visit(tickets, { ecdhCurve });
      expectFull(both);
      expect(both.socket.handshake?.group).toBe(group);
      expect(both.received.toString()).toContain(`Shared groups: ${shared}\n`);
    });

    it("a server's group decides among ours", async () => {
      const server = await openssl.server('ecdsa', '-www', '-groups', 'P-384');
      const both = await visit(server);
      expectFull(both);
      expect(both.socket.handshake?.group).toBe('secp384r1');
    });

    it('handshake messages in many records of 512 bytes', async () => {
      const server = await openssl.server('rsa', '-www', '-max_send_frag', '512');
      expectFull(await visit(server));
    });

    it('two megabytes of application data', async () => {
      const body = Buffer.alloc(2 ** 21, 'resumption ');
      openssl.write('large.http', Buffer.concat([Buffer.from('HTTP/1.0 200 ok\r\n\r\n'), body]));
      const server = await openssl.server('ecdsa', '-HTTP');
      const { received } = await talk(server, {}, 'GET /large.http HTTP/1.0\r\n\r\n');
      expect(received.subarray(received.indexOf('\r\n\r\n') + 4).equals(body)).toBe(true);
    });

    it('application protocol: the only one in common', async () => {
      const { socket } = await visit(tickets, { ALPNProtocols: ['foo', 'http/1.1'] });
      expect(socket.alpnProtocol).toBe('http/1.1');
      const both = await visit(tickets, { ALPNProtocols: ['http/1.1', 'h2'] });
      expect(both.socket.alpnProtocol).toBe('h2');
    });

    it('our key log is that of the server', async () => {
      const { keyLog } = await visit(tickets);
      expect(keyLog).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/);
      expect(openssl.read('server.keylog')).toContain(keyLog);
    });

    it('both export the same keying material', async () => {
      const exported = ['-keymatexport', 'EXPORTER-interop', '-keymatexportlen', '20'];
      const server = await openssl.server('ecdsa', ...exported);
      const socket = open(server);
      await once(socket, 'secureConnect');
      const [, material] = await server.waitForOutput(/Keying material: (\w+)/);
      expect(socket.exportKeyingMaterial(20, 'EXPORTER-interop').toString('hex')).toBe(material?.toLowerCase());
      socket.end();
    });
  });

  describe('session IDs', () => {
    it('resumes, again and again', async () => {
      const first = await visit(sessionIds);
      expectFull(first);
      expect(toHex(sessionOf(first).sessionId!)).toBe(first.openssl.sessionId);
      expect(first.socket.getTLSTicket()).toBeUndefined();
      for (let i = 0; i < 2; i++) {
        const again = await visit(sessionIds, { session: first.sessions[0]! });
        expectResumed(again, 'session_id', first);
        expect(again.openssl.sessionId).toBe(first.openssl.sessionId);
        expect(again.sessions).toEqual([]);
      }
    });

    it('a server that does not know the ID: full handshake, new session', async () => {
      const first = await visit(sessionIds, { tickets: false });
      const second = await visit(otherTickets, { tickets: false, session: first.sessions[0]! });
      expectFull(second, 'declined_by_server');
      expect(second.openssl.masterSecret).not.toBe(first.openssl.masterSecret);
      expectResumed(await visit(otherTickets, { session: second.sessions[0]!, tickets: false }), 'session_id', second);
    });

    it('R5077-3.4-2 a ticket that comes in a resumption by ID takes the place of the ID', async () => {
      const first = await visit(tickets, { tickets: false });
      expectFull(first);
      const second = await visit(tickets, { session: first.sessions[0]! });
      expectResumed(second, 'session_id', first);
      expect(second.socket.handshake?.newTicket).toBe(true);
      const { ticket, sessionId } = sessionOf(second);
      expect(ticket?.length).toBeGreaterThan(48);
      expect(sessionId).toBeUndefined();
      expectResumed(await visit(tickets, { session: second.sessions[0]! }), 'ticket', first);
    });
  });

  describe('tickets', () => {
    it('resumes, again and again', async () => {
      const first = await visit(tickets);
      expectFull(first);
      expect(first.openssl.sessionId).toBe('');
      expect(sessionOf(first).ticketLifetimeHint).toBe(7200);
      for (let i = 0; i < 2; i++) {
        const again = await visit(tickets, { session: first.sessions[0]! });
        expectResumed(again, 'ticket', first);
        expect(again.openssl.sessionId).toMatch(/^[0-9a-f]{64}$/);
        expect(again.sessions).toEqual([]);
      }
    });

    it('under keys that the server does not have: full handshake, new ticket', async () => {
      const first = await visit(tickets);
      const second = await visit(otherTickets, { session: first.sessions[0]! });
      expectFull(second, 'declined_by_server');
      expect(second.openssl.masterSecret).not.toBe(first.openssl.masterSecret);
      expectResumed(await visit(otherTickets, { session: second.sessions[0]! }), 'ticket', second);
    });

    it('a client with a session cache resumes by itself', async () => {
      const options = { sessionCache: new MemoryStore({ now: Date.now }) };
      const first = await visit(tickets, options);
      expectFull(first);
      expectResumed(await visit(tickets, options), 'ticket', first);
    });
  });

  describe('client certificates', () => {
    let server: ServerProcess;
    beforeAll(async () => {
      server = await openssl.server('rsa', '-www', ...verifyClients);
    });

    it.each(certificateKinds)('of kind %s, and the session remembers it', async (kind) => {
      const options = openssl.identity(kind);
      const first = await visit(server, options);
      expectFull(first);
      expectPageShows(first, options.cert);
      const second = await visit(server, { ...options, session: first.sessions[0]! });
      expectResumed(second, 'ticket', first);
      expectPageShows(second, options.cert);
    });

    it('without one the server refuses, and knows why', async () => {
      await expect(visit(server)).rejects.toMatchObject({ code: 'peer_alert', alert: 'handshake_failure' });
      await server.waitForOutput(/peer did not return a certificate/);
    });

    it('is not shown to a server that asks for none', async () => {
      const both = await visit(tickets, identities.client);
      expect(both.received.toString()).toContain('no client certificate available');
    });

    /** The page ends with the certificate in PEM. */
    function expectPageShows({ received }: Both, cert: string): void {
      const base64 = /-----BEGIN CERTIFICATE-----([^-]*)-----END/.exec(cert)?.[1];
      expect(received.toString()).toContain(base64);
    }
  });

  describe('refusals', () => {
    it('a chain to an authority that we do not know', async () => {
      await expectRefused(otherTickets, { ca: identities.other.cert }, /^unknown_ca: /);
    });

    it('a certificate for another name', async () => {
      const server = await openssl.server('other', '-www');
      await expectRefused(server, {}, /not for example\.test/);
    });

    it('a session of one name does not vouch for another', async () => {
      const first = await visit(tickets);
      const options = { servername: 'other.test', session: first.sessions[0]! };
      await expectRefused(tickets, options, /not for other\.test/);
    });

    it('no application protocol in common', async () => {
      const attempt = visit(tickets, { ALPNProtocols: ['foo'] });
      await expect(attempt).rejects.toMatchObject({ code: 'peer_alert', alert: 'no_application_protocol' });
    });

    it('no cipher suite in common', async () => {
      const attempt = visit(sessionIds, { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' });
      await expect(attempt).rejects.toMatchObject({ code: 'peer_alert', alert: 'handshake_failure' });
    });

    it('no extended master secret: refused, or let in and never resumed', async () => {
      const server = await openssl.server('ecdsa', '-www', '-ssl_config', 'without-extended-master-secret');
      await expectRefused(server, {}, /^handshake_failure: got no extended_master_secret/);
      const letIn = await visit(server, { allowMissingExtendedMasterSecret: true });
      expect(letIn.openssl).toMatchObject({ reused: false, extendedMasterSecret: false });
      expect(letIn.sessions).toEqual([]);
    });

    it('R5246-7.4.1.1-1 a HelloRequest is answered with no_renegotiation, which OpenSSL takes as the end', async () => {
      const server = await openssl.server('ecdsa', '-msg');
      const socket = open(server);
      const ended = new Promise((resolve) => socket.once('error', resolve));
      socket.resume();
      await once(socket, 'secureConnect');
      server.write('r\n');
      await server.waitForOutput(/<<< TLS 1\.2, Alert \[length 0002\], warning no_renegotiation/);
      expect(await ended).toMatchObject({ code: 'peer_alert', alert: 'handshake_failure' });
    });

    /** Our side says why, and s_server was told with the same alert. */
    async function expectRefused(server: ServerProcess, options: ConnectOptions, why: RegExp): Promise<void> {
      const error: unknown = await visit(server, options).catch((reason: unknown) => reason);
      if (!(error instanceof AlertError)) throw new Error(`no AlertError but ${String(error)}`);
      expect(`${error.alert}: ${error.message}`).toMatch(why);
      await server.waitForOutput(new RegExp(`alert ${error.alert.replaceAll('_', ' ')}:`));
    }
  });
});
