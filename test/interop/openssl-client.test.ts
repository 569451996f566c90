/**
 * `openssl s_client` with our server. s_client checks chain and name and prints the session; our server says the line back that
 * it gets, so every test here asserts both ends' view, and that application data pass both ways.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeCrypto, TLSSocket, type ServerOptions } from '../../src/adapters/node/index.js';
import { opensslCipherName } from '../../src/adapters/node/names.js';
import { toHex } from '../../src/bytes.js';
import { isTls12CipherSuite, tls12Suites } from '../../src/key-schedule/suites.js';
import { generateTicketKey, KeyRing } from '../../src/tickets/index.js';
import { EchoServer } from '../support/echo-server.js';
import { authority, identities, type Identity } from '../support/identities.js';
import {
  certificateKinds,
  Openssl,
  opensslView,
  opensslViews,
  printedTicketKey,
  type OpensslRun,
} from '../support/openssl.js';
import { describeWithPeer } from '../support/peers.js';

const suites = Object.keys(tls12Suites).filter(isTls12CipherSuite);

/** One connection as both sides see it. */
interface Both {
  readonly openssl: OpensslRun;
  readonly ours: TLSSocket | Error;
}

describeWithPeer('openssl', 'openssl s_client with our server', (peer) => {
  let openssl: Openssl;
  const servers: EchoServer[] = [];
  const ring = newRing();
  /** ECDSA and RSA, tickets. */
  let server: EchoServer;

  beforeAll(async () => {
    openssl = await Openssl.start(peer);
    server = await serve([identities.ecdsa, identities.rsa], { ticketKeys: ring, ALPNProtocols: ['h2', 'http/1.1'] });
  });
  afterAll(async () => {
    await Promise.all([openssl.stop(), ...servers.map((other) => other.stop())]);
  });

  async function serve(own: readonly Identity[], options: ServerOptions = {}): Promise<EchoServer> {
    const pems = { cert: own.map(({ cert }) => cert), key: own.map(({ key }) => key) };
    const started = await EchoServer.start({ ...pems, ca: authority.cert, ...options });
    servers.push(started);
    return started;
  }

  async function talk(to: EchoServer, ...parameters: string[]): Promise<Both> {
    const [run, ours] = await Promise.all([openssl.client(to.port, 'hello\n', ...parameters), to.next()]);
    return { openssl: run, ours };
  }

  /** Both sides say why. */
  async function expectRefused(to: EchoServer, parameters: string[], alert: string, printed: string): Promise<void> {
    const { openssl: run, ours } = await talk(to, ...parameters);
    expect(ours).toMatchObject({ name: 'AlertError', alert });
    expect(run.status).toBe(1);
    expect(run.errors).toContain(`alert ${printed}:`);
  }
  describe('full handshake', () => {
    it.each(certificateKinds)('certificate of kind %s, resumed by ticket', async (kind) => {
      const own = await serve([openssl.identity(kind)]);
      const first = await talk(own, '-sess_out', `${kind}.session`);
      expectFull(first);
      expect(first.openssl.output).toContain('Verify return code: 0 (ok)');
      expectResumed(await talk(own, '-sess_in', `${kind}.session`), 'ticket', first);
    });

    it.each(suites)('%s, resumed by ticket', async (suite) => {
      const cipher = opensslCipherName(suite);
      const first = await talk(server, '-cipher', cipher, '-sess_out', `${suite}.session`);
      expectFull(first);
      expect(socketOf(first).getCipher()?.standardName).toBe(suite);
      expect(opensslView(first.openssl.output).cipher).toBe(cipher);
      expectResumed(await talk(server, '-sess_in', `${suite}.session`), 'ticket', first);
    });

    it.each([
      ['x25519', 'X25519', 'X25519, 253 bits'],
      ['x25519', 'X25519:P-256', 'X25519, 253 bits'],
      ['secp256r1', 'P-256', 'ECDH, prime256v1, 256 bits'],
      ['secp384r1', 'P-384', 'ECDH, secp384r1, 384 bits'],
      // The client's second choice is the first that we have.
      ['secp384r1', 'P-521:P-384', 'ECDH, secp384r1, 384 bits'],
    ])('group %s where the client offers %s', async (group, groups, printed) => {
      const both = await talk(server, '-groups', groups);
      expectFull(both);
      expect(socketOf(both).handshake?.group).toBe(group);
      expect(both.openssl.output).toContain(`Server Temp Key: ${printed}\n`);
    });

    it.each([
      // The session ID of the middlebox compatibility mode (RFC 8446 D.4) is one that we do not know.
      ['both versions are offered', ['-max_protocol', 'TLSv1.3'], 'unknown_session_id'],
      ['TLS_FALLBACK_SCSV says that this is a second attempt', ['-fallback_scsv']],
      [
        'there are extensions that we do not know',
        ['-status', '-maxfraglen', '1024', '-use_srtp', 'SRTP_AES128_CM_SHA1_80'],
      ],
    ])('TLS 1.2 is what comes out where %s', async (_, parameters, reason?: string) => {
      const both = await talk(server, ...parameters);
      expectFull(both, reason);
      expect(both.openssl.output).toContain('Protocol  : TLSv1.2');
    });

    it('two megabytes of application data each way', async () => {
      const line = `${'resumption '.repeat(190_000)}\n`;
      const [run] = await Promise.all([openssl.client(server.port, line, '-quiet'), server.next()]);
      expect(run.output.length).toBe(line.length);
      expect(run.output === line).toBe(true);
    });

    it("application protocol: our first of the client's", async () => {
      const both = await talk(server, '-alpn', 'http/1.1,h2');
      expect(socketOf(both).alpnProtocol).toBe('h2');
      expect(both.openssl.output).toContain('ALPN protocol: h2\n');
    });

    it.each([
      [false, ['-noservername']],
      ['other.example', ['-servername', 'Other.Example']],
    ])('server name: %s', async (name, parameters) => {
      const both = await talk(server, ...parameters);
      expectFull(both);
      expect(socketOf(both).servername).toBe(name);
    });

    it('both export the same keying material', async () => {
      const exported = ['-keymatexport', 'EXPORTER-interop', '-keymatexportlen', '20'];
      const [{ output }, material] = await Promise.all([
        openssl.client(server.port, 'hello\n', ...exported),
        server.next().then((ours) => socketOf({ ours }).exportKeyingMaterial(20, 'EXPORTER-interop')),
      ]);
      expect(output).toContain(`Keying material: ${material.toString('hex').toUpperCase()}\n`);
    });
  });

  describe('session IDs', () => {
    it('resumes, again and again', async () => {
      const first = await talk(server, '-no_ticket', '-sess_out', 'id.session');
      expectFull(first);
      const { sessionId } = opensslView(first.openssl.output);
      expect(sessionId).toMatch(/^[0-9a-f]{64}$/);
      for (let i = 0; i < 2; i++) {
        const again = await talk(server, '-no_ticket', '-sess_in', 'id.session');
        expectResumed(again, 'session_id', first);
        expect(opensslView(again.openssl.output).sessionId).toBe(sessionId);
      }
    });

    it.each([
      ['session ID', 'session_id', ['-no_ticket']],
      ['ticket', 'ticket', []],
    ] as const)(
      '-reconnect: five resumptions by %s of a session that ended without close_notify',
      async (_, mode, extra) => {
        const own = await serve([identities.ecdsa]);
        const { output } = await openssl.client(own.port, 'hello\n', '-reconnect', ...extra);
        expect(opensslViews(output).map(({ reused }) => reused)).toEqual([false, true, true, true, true, true]);
        expect(new Set(opensslViews(output).map(({ masterSecret }) => masterSecret)).size).toBe(1);
        expect(own.server.counters).toMatchObject({
          full: 1,
          misses: 0,
          hits: { session_id: 0, ticket: 0, [mode]: 5 },
        });
      },
    );

    it('of another server: full handshake', async () => {
      await talk(await serve([identities.ecdsa]), '-no_ticket', '-sess_out', 'strange.session');
      const second = await talk(server, '-no_ticket', '-sess_in', 'strange.session');
      expectFull(second, 'unknown_session_id');
    });
  });

  describe('tickets', () => {
    it('under a key that has since been rotated: resumed and renewed, and the new ticket resumes again and again', async () => {
      const keys = newRing();
      const own = await serve([identities.ecdsa], { ticketKeys: keys });
      const first = await talk(own, '-sess_out', 'old.session');
      expectFull(first);
      const oldName = sealingName(keys);
      expect(printedTicketKey(first.openssl.output)).toBe(oldName);
      keys.rotate(generateTicketKey(nodeCrypto));
      const newName = sealingName(keys);
      expect(newName).not.toBe(oldName);

      // s_client writes no file for a renewed ticket, but it keeps it for its reconnections.
      const { output } = await openssl.client(own.port, 'hello\n', '-sess_in', 'old.session', '-reconnect');
      const { masterSecret } = opensslView(first.openssl.output);
      expect(opensslViews(output)).toMatchObject(Array(6).fill({ reused: true, masterSecret }));
      expect(printedTicketKey(output)).toBe(newName);
      expect(own.server.counters).toMatchObject({ full: 1, misses: 0, renewed: 1, hits: { ticket: 6 } });
      expect(keys.status()).toMatchObject([
        { state: 'retired', sealed: 1, opened: 1, renewed: 1 },
        { state: 'active', sealed: 1, opened: 5, renewed: 0 },
      ]);
    });

    it.each([
      ['unknown_key_name', () => newRing()],
      ['bad_mac', (old: KeyRing) => newRing(old.status()[0]!.name)],
    ])('that does not open, %s: full handshake, new ticket', async (reason, nextRing) => {
      const keys = newRing();
      const own = await serve([identities.ecdsa], { ticketKeys: keys });
      const first = await talk(own, '-sess_out', `${reason}.session`);
      own.server.setTicketKeys(nextRing(keys));
      const second = await talk(own, '-sess_in', `${reason}.session`, '-sess_out', `${reason}.session`);
      expectFull(second, reason);
      expect(opensslView(second.openssl.output).masterSecret).not.toBe(opensslView(first.openssl.output).masterSecret);
      expectResumed(await talk(own, '-sess_in', `${reason}.session`), 'ticket', second);
    });

    it('crosses between servers that share the ring, and to no other', async () => {
      const first = await talk(server, '-sess_out', 'fleet.session');
      const sibling = await serve([identities.ecdsa, identities.rsa], { ticketKeys: ring });
      expectResumed(await talk(sibling, '-sess_in', 'fleet.session'), 'ticket', first);
      const stranger = await serve([identities.ecdsa], { ticketKeys: ring, sessionIdContext: 'another' });
      expectFull(await talk(stranger, '-sess_in', 'fleet.session'), 'context_mismatch');
    });

    it('R6066-3-4 resumes for no other server name', async () => {
      await talk(server, '-sess_out', 'name.session');
      const other = ['-servername', 'other.test', '-sess_in', 'name.session'];
      expectFull(await talk(server, ...other), 'server_name_mismatch');
    });
  });

  describe('client certificates', () => {
    let requiring: EchoServer;
    beforeAll(async () => {
      requiring = await serve([identities.rsa], { requestCert: true });
    });

    it.each(certificateKinds)('of kind %s, and the session remembers it', async (kind) => {
      const own = ['-cert', `${kind}.pem`, '-key', `${kind}.key`];
      const first = await talk(requiring, ...own, '-sess_out', 'client.session');
      expectFull(first);
      expect(socketOf(first).authorized).toBe(true);
      expect(socketOf(first).getPeerX509Certificate()?.toString()).toBe(openssl.identity(kind).cert);
      const second = await talk(requiring, ...own, '-sess_in', 'client.session');
      expectResumed(second, 'ticket', first);
      expect(socketOf(second).authorized).toBe(true);
      expect(socketOf(second).getPeerX509Certificate()?.toString()).toBe(openssl.identity(kind).cert);
    });

    it('in many records of 512 bytes', async () => {
      expectFull(await talk(requiring, '-cert', 'rsa.pem', '-key', 'rsa.key', '-max_send_frag', '512'));
    });

    it('none: refused', async () => {
      await expectRefused(requiring, [], 'handshake_failure', 'handshake failure');
    });

    it('of a stranger: refused', async () => {
      await openssl.command('req', '-x509', ...stranger);
      const own = ['-cert', 'stranger.pem', '-key', 'stranger.key'];
      await expectRefused(requiring, own, 'unknown_ca', 'unknown ca');
    });

    it('let in all the same where that is configured, and known as unauthorized', async () => {
      const lenient = await serve([identities.rsa], { requestCert: true, rejectUnauthorized: false });
      const both = await talk(lenient);
      expectFull(both);
      expect(socketOf(both).authorized).toBe(false);
    });
  });

  describe('refusals', () => {
    it('R7301-3.2-1 no application protocol in common', async () => {
      await expectRefused(server, ['-alpn', 'foo'], 'no_application_protocol', 'no application protocol');
    });

    it.each([
      ['TLS 1.3 only', ['-tls1_3']],
      ['TLS 1.1 only', ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0']],
    ])('%s', async (_, parameters) => {
      await expectRefused(server, parameters, 'protocol_version', 'protocol version');
    });

    it.each([
      ['no cipher suite in common', ['-cipher', 'AES128-GCM-SHA256']],
      ['no group in common', ['-groups', 'P-521']],
      ['no signature scheme in common', ['-sigalgs', 'ECDSA+SHA512']],
    ])('%s', async (_, parameters) => {
      await expectRefused(server, parameters, 'handshake_failure', 'handshake failure');
    });

    it('R7627-5.2-3 no extended master secret: refused, or let in and never resumed', async () => {
      const without = ['-ssl_config', 'without-extended-master-secret'];
      await expectRefused(server, without, 'handshake_failure', 'handshake failure');
      const lenient = await serve([identities.ecdsa], { allowMissingExtendedMasterSecret: true });
      const both = await talk(lenient, ...without);
      expect(opensslView(both.openssl.output)).toMatchObject({ extendedMasterSecret: false, sessionId: '' });
      expect(both.openssl.output).not.toContain('TLS session ticket');
      expect(socketOf(both).handshake).toMatchObject({ mode: 'full', extendedMasterSecret: false, newTicket: false });
    });

    it('R7627-5.3-4 a session is not resumed without its extended master secret', async () => {
      const lenient = await serve([identities.ecdsa], { allowMissingExtendedMasterSecret: true });
      await talk(lenient, '-sess_out', 'extended.session');
      const without = ['-ssl_config', 'without-extended-master-secret', '-sess_in', 'extended.session'];
      await expectRefused(lenient, without, 'handshake_failure', 'handshake failure');
    });

    it('renegotiation is answered with no_renegotiation, which OpenSSL takes as the end', async () => {
      const [run, ours] = await Promise.all([openssl.client(server.port, 'R\n', '-msg'), server.next()]);
      expect(run.errors).toContain('RENEGOTIATING');
      expect(run.output).toMatch(/<<< TLS 1\.2, Alert \[length 0002\], warning no_renegotiation/);
      await expect
        .poll(() => socketOf({ ours }).errored)
        .toMatchObject({
          code: 'peer_alert',
          alert: 'handshake_failure',
        });
    });
  });
});

const stranger = [
  '-newkey',
  'ed25519',
  '-nodes',
  '-subj',
  '/CN=stranger',
  '-keyout',
  'stranger.key',
  '-out',
  'stranger.pem',
];

/** With one key, of this name if one is given. */
function newRing(name?: Uint8Array): KeyRing {
  const key = generateTicketKey(nodeCrypto);
  return new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [{ ...key, ...(name && { name }) }] });
}

function sealingName(keys: KeyRing): string {
  return toHex(keys.status().find(({ seals }) => seals)!.name);
}

function socketOf({ ours }: Pick<Both, 'ours'>): TLSSocket {
  if (ours instanceof TLSSocket) return ours;
  throw ours;
}

function expectFull(both: Both, reason = 'not_offered'): void {
  expect(socketOf(both).handshake).toMatchObject({ mode: 'full', resumed: false, reason });
  expectWellEnded(both);
  const view = opensslView(both.openssl.output);
  expect(view).toMatchObject({ reused: false, extendedMasterSecret: true, secureRenegotiation: true });
}

/** Both sides say so, and s_client means the session of `first`. */
function expectResumed(both: Both, mode: 'session_id' | 'ticket', first: Both): void {
  expect(socketOf(both).handshake).toMatchObject({ mode, resumed: true, reason: undefined });
  expectWellEnded(both);
  const view = opensslView(both.openssl.output);
  expect(view).toMatchObject({ reused: true, extendedMasterSecret: true });
  expect(view.masterSecret).toBe(opensslView(first.openssl.output).masterSecret);
}

/** The line came back, and s_client was content. */
function expectWellEnded({ openssl }: Both): void {
  expect(openssl.output).toMatch(/^hello\nclosed$/m);
  expect(openssl.status).toBe(0);
}
