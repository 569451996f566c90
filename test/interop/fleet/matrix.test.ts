/**
 * One fleet of nginx, Apache, HAProxy, Node.js, OpenSSL and this library, which share ticket keys, each in a file of its own layout. Every
 * cell is seen from both ends: the server says that it resumed, and so does the client.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { secretOf } from '../../../src/sessions/session.js';
import { fleetTickets, sealTicketFor } from '../../../src/targets/index.js';
import { Openssl } from '../../support/openssl.js';
import { requirePeer } from '../../support/peers.js';
import { come, expectFull, expectResumed, Fleet, issuedBy, minted, offers, opened, type Skip } from './fleet.js';
import { startOurs } from './ours.js';
import { longKeyStarters, shortKeyStarters } from './participants.js';
import { serverName } from './visit.js';

const fleet = new Fleet();
const { names } = fleet;
let openssl: Promise<Openssl> | undefined;
const sClient = (skip: Skip) => (openssl ??= Openssl.start(requirePeer('openssl', skip)));

afterAll(async () => {
  await (await openssl)?.stop();
  await fleet.stop();
});

describe.each(offers)('$version with $cipherSuites.0', (offer) => {
  describe.each(names)('%s', (name) => {
    it('issues a ticket, which opens here and resumes at our server', async ({ skip }) => {
      const { server, target, keys, ours } = await fleet.member(name, skip);
      const session = await issuedBy(server, offer);
      expect(secretOf(opened({ target, keys }, session))).toEqual(secretOf(session));
      expectResumed(ours, await come(ours, offer, session));
    });

    it('resumes by a ticket that our server issued', async ({ skip }) => {
      const { server, ours } = await fleet.member(name, skip);
      expectResumed(server, await come(server, offer, await issuedBy(ours, offer)));
    });

    it('resumes by a ticket that was made of nothing', async ({ skip }) => {
      const { server, target, keys } = await fleet.member(name, skip);
      expectResumed(server, await come(server, offer, minted(target, keys, offer)));
    });

    it('resumes with s_client, by a ticket that our server issued to that', async ({ skip }) => {
      const { server, ours } = await fleet.member(name, skip);
      const openssl = await sClient(skip);
      const words = `GET / HTTP/1.0\r\nHost: ${serverName}\r\n\r\n`;
      const only = offer.version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
      const suite = offer.version === 'TLSv1.2' ? [] : ['-ciphersuites', offer.cipherSuites[0]];
      const first = await openssl.client(ours.port, words, only, ...suite, '-sess_out', `${name}.session`);
      expect(first.output).toMatch(new RegExp(`^New, ${offer.version}`, 'm'));
      const second = await openssl.client(server.port, words, only, ...suite, '-sess_in', `${name}.session`);
      expect(second.output).toMatch(new RegExp(`^Reused, ${offer.version}`, 'm'));
      expect(second.output).toContain(`"reused":"${server.resumedWord}"`);
    });

    it('resumes by tickets of all others, re-issued for it', async ({ skip }) => {
      const { server, target, keys } = await fleet.member(name, skip);
      for (const issuer of names) {
        const other = await fleet.member(issuer, skip);
        const session = await fleet.session(issuer, offer, skip);
        const ticket = sealTicketFor(target, opened(other, session), keys);
        expectResumed(server, await come(server, offer, { ...session, ticket }), issuer);
      }
    });

    it('makes full handshakes of tickets of all others as they are, but for servers of its own kind', async ({
      skip,
    }) => {
      const { server } = await fleet.member(name, skip);
      const sameKeys = name in shortKeyStarters ? shortKeyStarters : longKeyStarters;
      for (const issuer of Object.keys(sameKeys)) {
        const visit = await come(server, offer, await fleet.session(issuer, offer, skip));
        if (issuer === name) expectResumed(server, visit);
        else expectFull(server, visit, issuer);
      }
    });
  });

  it('all of their tickets resume at one server of ours', async ({ skip }) => {
    const members = await Promise.all(names.map((name) => fleet.member(name, skip)));
    const ours = await startOurs(fleetTickets({ members }));
    try {
      for (const name of names)
        expectResumed(ours, await come(ours, offer, await fleet.session(name, offer, skip)), name);
    } finally {
      await ours.stop();
    }
  });
});

describe('TLSv1.3, with a choice of suites', () => {
  // RFC 8446 4.2.11: a PSK is bound to a hash. HAProxy goes by its own order and nginx by the client's.
  it('R8446-4.2.11-5 a ticket is lost on a server that chooses a suite of another hash', async ({ skip }) => {
    const offer = { version: 'TLSv1.3' } as const;
    const nginx = await fleet.member('nginx80', skip);
    const haproxy = await fleet.member('haproxy80', skip);
    const session = await issuedBy(nginx.server, offer);
    const ticket = sealTicketFor(haproxy.target, opened(nginx, session), haproxy.keys);
    expect(session.cipherSuite).toBe('TLS_AES_128_GCM_SHA256');
    const visit = await come(haproxy.server, offer, { ...session, ticket });
    expectFull(haproxy.server, visit);
    expect(visit.handshake.cipherSuite).toBe('TLS_AES_256_GCM_SHA384');
  });
});
