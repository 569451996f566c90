/** ECDHE_PSK of TLS 1.2 with openssl, which has it with ChaCha20-Poly1305 (RFC 7905): both ways round, resumption included. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientSessionState } from '../../src/sessions/index.js';
import { opensslView } from '../support/openssl.js';
import { describeWithPeer } from '../support/peers.js';
import { backendNames } from '../support/seeded.js';
import { expectResumed as expectClientResumed, SClient, socketOf, type Both } from './s-client.js';
import { talk, visit } from './s-server.js';
import { backends } from './suites.js';

const psk = Buffer.alloc(32, 7);
const key = ['-psk', psk.toString('hex')];
const ciphers = 'ECDHE-PSK-CHACHA20-POLY1305';
const cipher = ['-cipher', ciphers];

describeWithPeer('openssl', 'ECDHE_PSK of TLS 1.2', (peer) => {
  let clients: SClient;
  beforeAll(async () => {
    clients = await SClient.start(peer);
  });
  afterAll(() => clients.stop());

  describe.each(backendNames)('our client on %s with openssl s_server', (backend) => {
    it.each([
      ['ticket', []],
      ['session_id', ['-no_ticket']],
    ] as const)('full, and resumed by %s', async (mode, parameters) => {
      const server = await clients.openssl.server(
        'ecdsa',
        ...['-tls1_2', '-www', '-nocert', ...key, '-psk_identity', 'device', '-psk_hint', 'a hint', ...cipher],
        ...parameters,
      );
      const hints: (string | null)[] = [];
      const options = {
        ciphers,
        crypto: backends[backend],
        pskCallback: (hint: string | null) => {
          hints.push(hint);
          return { psk, identity: 'device' };
        },
      };
      const first = await visit(server, options);
      expect(first.socket.handshake).toMatchObject({ mode: 'full', peerCertificates: [] });
      expect(Buffer.from(first.socket.handshake!.externalPskIdentity!).toString()).toBe('device');
      expect(first.openssl).toMatchObject({ reused: false, cipher: ciphers, extendedMasterSecret: true });
      expect(clientSessionState.decode(first.sessions[0]!)).toMatchObject({
        pskIdentityHint: Uint8Array.from(Buffer.from('a hint')),
      });
      const second = await visit(server, { ...options, session: first.sessions[0]! });
      expect(second.socket.handshake).toMatchObject({ mode, resumed: true });
      expect(second.openssl).toMatchObject({ reused: true, masterSecret: first.openssl.masterSecret });
      expect(hints).toEqual(['a hint', 'a hint']);
      const wrong = { ...options, pskCallback: () => ({ psk: Buffer.alloc(32, 8), identity: 'device' }) };
      await expect(talk(server, wrong)).rejects.toMatchObject({ code: 'peer_alert', alert: 'bad_record_mac' });
    });
  });

  describe.each(backendNames)('our server on %s with openssl s_client', (backend) => {
    it.each([
      ['ticket', {}],
      ['session_id', { tickets: false }],
    ] as const)('full, and resumed by %s', async (mode, options) => {
      const server = await clients.serve([], {
        ciphers,
        crypto: backends[backend],
        pskCallback: (_, identity) => (identity === 'device' ? psk : null),
        pskIdentityHint: 'a hint',
        ...options,
      });
      const file = clients.openssl.file(`psk-${mode}-${backend}`);
      const device = [...key, ...cipher, '-psk_identity', 'device'];
      const first: Both = await clients.talk(server, ...device, '-sess_out', file);
      expect(socketOf(first).handshake).toMatchObject({ mode: 'full', reason: 'not_offered' });
      expect(Buffer.from(socketOf(first).handshake!.externalPskIdentity!).toString()).toBe('device');
      expect(opensslView(first.openssl.output)).toMatchObject({ reused: false, cipher: ciphers });
      expect(first.openssl.output).toContain('PSK identity hint: a hint');
      expect(first.openssl.output).toMatch(/^hello$/m);
      const second = await clients.talk(server, ...device, '-sess_in', file);
      expectClientResumed(second, mode, first);

      const { openssl, ours } = await clients.talk(server, ...key, ...cipher, '-psk_identity', 'stranger');
      expect(ours).toMatchObject({ name: 'AlertError', alert: 'bad_record_mac' });
      expect(openssl.status).toBe(1);
    });
  });
});
