/** Early data by tickets that cross from nginx to our server and back, or that come from nowhere. */
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/node/index.js';
import { MemoryReplayGuard } from '../../../src/early-data/index.js';
import { fleetTickets, mintSession, nginxTarget } from '../../../src/targets/index.js';
import { formatTicketKeys } from '../../../src/tickets/key-files/format.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { identities } from '../../support/identities.js';
import { describeWithPeer } from '../../support/peers.js';
import { startNginx, type Nginx } from '../nginx.js';
import { expectResumed, issuedBy } from './fleet.js';
import { startOurs } from './ours.js';
import { fleetKeys } from './participants.js';
import type { FleetServer } from './rig.js';
import { adopted, serverName, visit, type Visit } from './visit.js';

const offer = { version: 'TLSv1.3', cipherSuites: ['TLS_AES_128_GCM_SHA256'] } as const;

describeWithPeer('nginx', 'early data', (peer) => {
  const [sealing] = fleetKeys(32);
  const keys = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [sealing] });
  const target = nginxTarget({ serverCertificates: [new X509Certificate(identities.ecdsa.cert).raw] });
  let nginx: Nginx;
  let ours: FleetServer;

  beforeAll(async () => {
    const [ticketKey] = formatTicketKeys('nginx80', [sealing]);
    nginx = await startNginx(peer, 'ssl_early_data on; ssl_session_ticket_key ticket.key;', {
      'ticket.key': ticketKey!,
    });
    // Times in these tickets are whole seconds: a guard that began a moment ago would have to decline what is younger than that.
    let behind = 60_000;
    const replayGuard = new MemoryReplayGuard({ now: () => Date.now() - behind });
    behind = 0;
    ours = await startOurs(fleetTickets({ members: [{ target, keys }] }), {
      earlyData: { maxSize: 16_384, replayGuard, ticketsAreOfThisProcessAlone: true },
    });
  });
  afterAll(() => Promise.all([nginx.stop(), ours.stop()]));

  it('of a ticket of nginx is read by our server', async () => {
    const session = await issuedBy(nginx, offer);
    expectRead(ours, await visit(ours, offer.version, { ...offer, session, earlyRequest: true }));
  });

  it('of a ticket of ours is read by nginx', async () => {
    const session = await issuedBy(ours, offer);
    expectRead(nginx, await visit(nginx, offer.version, { ...offer, session, earlyRequest: true }));
  });

  it('of a ticket that was made of nothing is read by nginx', async () => {
    const session = mintSession(target, {
      crypto: nodeCrypto,
      keys,
      now: Date.now(),
      serverName,
      version: offer.version,
      cipherSuite: offer.cipherSuites[0],
      maxEarlyDataSize: 16_384,
    });
    const options = { ...offer, session: adopted(session), earlyRequest: true };
    expectRead(nginx, await visit(nginx, offer.version, options));
  });
});

/** Nothing else asked for the answer. */
function expectRead(server: FleetServer, visit: Visit): void {
  expectResumed(server, visit);
  expect(visit.handshake).toMatchObject({ earlyData: 'accepted' });
}
