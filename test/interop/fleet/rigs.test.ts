/** Each server of a fleet by itself: its key file is taken, and its tickets resume there. */
import { randomBytes } from 'node:crypto';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { converse } from '../../support/conversation.js';
import { authority } from '../../support/identities.js';
import { requirePeer } from '../../support/peers.js';
import { startNginx } from '../nginx.js';
import { startApache } from './apache.js';
import { startHaproxy } from './haproxy.js';
import { startLibssl } from './libssl.js';
import { startNodeTls } from './node-tls.js';
import type { FleetServer } from './rig.js';

type Skip = (reason: string) => never;
const base64Lines = (...keys: Buffer[]) => keys.map((key) => `${key.toString('base64')}\n`).join('');

const starters: Readonly<Record<string, (skip: Skip) => Promise<FleetServer>>> = {
  'nginx, 48 bytes': (skip) =>
    startNginx(requirePeer('nginx', skip), 'ssl_session_ticket_key ticket.key;', { 'ticket.key': randomBytes(48) }),
  'nginx, 80 bytes': (skip) =>
    startNginx(requirePeer('nginx', skip), 'ssl_session_ticket_key ticket.key;', { 'ticket.key': randomBytes(80) }),
  'nginx, several files': (skip) =>
    startNginx(requirePeer('nginx', skip), 'ssl_session_ticket_key a.key; ssl_session_ticket_key b.key;', {
      'a.key': randomBytes(80),
      'b.key': randomBytes(48),
    }),
  apache: (skip) => startApache(requirePeer('apache2', skip), { ticketKeys: randomBytes(48) }),
  'haproxy, 48 bytes': (skip) =>
    startHaproxy(requirePeer('haproxy', skip), {
      ticketKeys: base64Lines(randomBytes(48), randomBytes(48), randomBytes(48)),
    }),
  'haproxy, 80 bytes': (skip) =>
    startHaproxy(requirePeer('haproxy', skip), {
      ticketKeys: base64Lines(randomBytes(80), randomBytes(80), randomBytes(80)),
    }),
  node: () => startNodeTls({ ticketKeys: randomBytes(48), sessionIdContext: 'fleet' }),
  openssl: (skip) => startLibssl(requirePeer('python3', skip), { ticketKeys: randomBytes(80) }),
};

describe.each(Object.entries(starters))('%s', (_name, start) => {
  it('resumes twice by its own tickets, in both versions', async ({ skip }) => {
    const server = await start(skip);
    try {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const first = await talk(server, { maxVersion: version });
        expect(first).toMatchObject({ reused: false, view: { protocol: version, reused: server.fullWord } });
        for (let i = 0; i < 2; i++) {
          const again = await talk(server, { maxVersion: version, session: first.session });
          expect(again).toMatchObject({ reused: true, view: { protocol: version, reused: server.resumedWord } });
        }
      }
    } finally {
      await server.stop();
    }
  });
});

async function talk({ port }: FleetServer, options: ConnectionOptions) {
  const shared = { host: '127.0.0.1', servername: 'example.test', ca: authority.cert };
  const socket: TLSSocket = connect({ ...shared, port, ...options });
  let reused = false;
  socket.once('secureConnect', () => (reused = socket.isSessionReused()));
  const { received, sessions } = await converse(socket);
  const view = JSON.parse(/\{.*\}/.exec(received.toString())?.[0] ?? '{}') as Record<string, string>;
  return { reused, view, session: sessions.at(-1) };
}
