/** Our client with nginx: full, HelloRetryRequest, tickets, early data, client certificates. nginx says what it saw. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type ConnectOptions, type TLSSocket } from '../../src/adapters/node/index.js';
import { converse } from '../support/conversation.js';
import { authority, identities } from '../support/identities.js';
import { describeWithPeer } from '../support/peers.js';
import { startNginx, type Nginx, type NginxView } from './nginx.js';

const request = Buffer.from('GET / HTTP/1.0\r\nHost: example.test\r\n\r\n');

interface Visit {
  readonly socket: TLSSocket;
  readonly sessions: readonly Buffer[];
  readonly nginx: NginxView;
}

async function visit({ port }: Nginx, options: ConnectOptions = {}, words: Uint8Array = request): Promise<Visit> {
  const shared = { host: '127.0.0.1', port, servername: 'example.test', ca: authority.cert };
  const { socket, sessions, received } = await converse(connect({ ...shared, ...options }), words);
  const [, body = '{}'] = received.toString().split('\r\n\r\n');
  return { socket, sessions, nginx: JSON.parse(body) as NginxView };
}

describeWithPeer('nginx', 'our client with nginx', (peer) => {
  let nginx: Nginx;
  let early: Nginx;
  beforeAll(async () => {
    [nginx, early] = await Promise.all([startNginx(peer), startNginx(peer, 'ssl_early_data on;')]);
  });
  afterAll(() => Promise.all([nginx.stop(), early.stop()]));

  it('TLS 1.3 in full, then by each of its tickets', async () => {
    const first = await visit(nginx);
    expect(first.socket.handshake).toMatchObject({ version: 'TLSv1.3', mode: 'full' });
    expect(first.nginx).toMatchObject({ protocol: 'TLSv1.3', reused: '.', earlyData: '' });
    expect(first.sessions.length).toBeGreaterThan(0);
    for (const session of first.sessions) {
      const second = await visit(nginx, { session });
      expect(second.socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', resumed: true });
      expect(second.nginx).toMatchObject({ protocol: 'TLSv1.3', reused: 'r' });
    }
  });

  it('TLS 1.2 in full and by ticket', async () => {
    const options = { maxVersion: 'TLSv1.2' } as const;
    const first = await visit(nginx, options);
    const second = await visit(nginx, { ...options, session: first.sessions });
    expect([first, second].map(({ socket }) => socket.handshake?.mode)).toEqual(['full', 'ticket']);
    expect([first, second].map(({ nginx: { protocol, reused } }) => [protocol, reused])).toEqual([
      ['TLSv1.2', '.'],
      ['TLSv1.2', 'r'],
    ]);
  });

  it('another group than the one with a key share', async () => {
    const own = await startNginx(peer, 'ssl_ecdh_curve secp384r1;');
    try {
      const first = await visit(own, { ecdhCurve: 'X25519:P-384' });
      const second = await visit(own, { ecdhCurve: 'X25519:P-384', session: first.sessions });
      for (const { socket } of [first, second])
        expect(socket.handshake).toMatchObject({ helloRetryRequest: true, group: 'secp384r1' });
      expect([first, second].map(({ nginx: { reused } }) => reused)).toEqual(['.', 'r']);
    } finally {
      await own.stop();
    }
  });

  describe('early data', () => {
    it('is accepted: the request is answered although nothing follows it', async () => {
      const first = await visit(early);
      const second = await visit(early, { session: first.sessions[0]!, earlyData: request }, Buffer.alloc(0));
      expect(second.socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'accepted' });
      expect(second.socket.earlyDataAccepted).toBe(true);
      // What it logs of early data is '1' as long as our Finished has not come, which is a race.
      expect(second.nginx).toMatchObject({ protocol: 'TLSv1.3', reused: 'r' });
    });

    it('is rejected where another round trip is needed, and sent again by us alone', async () => {
      const own = await startNginx(peer, 'ssl_early_data on; ssl_ecdh_curve secp384r1;');
      try {
        const options = { ecdhCurve: 'X25519:P-384' };
        const { sessions } = await visit(own, options);
        const second = await visit(own, { ...options, session: sessions[0]!, earlyData: request });
        expect(second.socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'rejected' });
        expect(second.socket.earlyDataAccepted).toBe(false);
        expect(second.nginx).toMatchObject({ protocol: 'TLSv1.3', reused: 'r', earlyData: '' });
      } finally {
        await own.stop();
      }
    });

    it('is not sent where tickets allow none', async () => {
      const { sessions } = await visit(nginx);
      const second = await visit(nginx, { session: sessions[0]!, earlyData: request });
      expect(second.socket.handshake).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'none' });
      expect(second.nginx).toMatchObject({ reused: 'r', earlyData: '' });
    });
  });

  it('shows a certificate, in full and by ticket', async () => {
    const own = await startNginx(peer, 'ssl_client_certificate ca.pem; ssl_verify_client on; ssl_session_tickets on;');
    try {
      const first = await visit(own, identities.client);
      const second = await visit(own, { ...identities.client, session: first.sessions });
      expect([first, second].map(({ nginx: { reused, verified } }) => [reused, verified])).toEqual([
        ['.', 'SUCCESS'],
        ['r', 'SUCCESS'],
      ]);
    } finally {
      await own.stop();
    }
  });
});
