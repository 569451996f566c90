/**
 * One fleet of nginx, Apache, HAProxy, Node.js, OpenSSL and this library, which share ticket keys, each in a file of its own layout. Every
 * cell is seen from both ends: the server says that it resumed, and so does the client.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/node/index.js';
import { secretOf, type Session } from '../../../src/sessions/session.js';
import { fleetTickets, mintSession, sealTicketFor } from '../../../src/targets/index.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { RingSealer } from '../../../src/tickets/ring-sealer.js';
import { Openssl } from '../../support/openssl.js';
import { requirePeer } from '../../support/peers.js';
import { startOurs } from './ours.js';
import { fleetKeys, longKeyStarters, shortKeyStarters, type Participant } from './participants.js';
import type { FleetServer } from './rig.js';
import { adopted, serverName, visit, type Visit } from './visit.js';

type Skip = (reason: string) => never;

const shortKeys = fleetKeys(16);
const longKeys = fleetKeys(32);
const shortRing = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: shortKeys });
const longRing = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: longKeys });
const starters = { ...shortKeyStarters, ...longKeyStarters };
const names = Object.keys(starters);
/** One suite each: servers that choose others of a longer list share no sessions of TLS 1.3, see below. */
const offers = [
  { version: 'TLSv1.2', cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] },
  { version: 'TLSv1.3', cipherSuites: ['TLS_AES_128_GCM_SHA256'] },
  { version: 'TLSv1.3', cipherSuites: ['TLS_AES_256_GCM_SHA384'] },
] as const;
type Offer = Pick<(typeof offers)[number], 'version'> & {
  readonly cipherSuites?: (typeof offers)[number]['cipherSuites'];
};

/** A server, and one of ours that issues tickets for it and takes its own. */
interface Member extends Participant {
  readonly keys: KeyRing;
  readonly ours: FleetServer;
}

const members = new Map<string, Promise<Member>>();

function member(name: string, skip: Skip): Promise<Member> {
  const known = members.get(name) ?? start(name, skip);
  members.set(name, known);
  return known;
}

async function start(name: string, skip: Skip): Promise<Member> {
  const isShort = name in shortKeyStarters;
  const participant = await starters[name]!(skip, isShort ? shortKeys : longKeys);
  const keys = isShort ? shortRing : longRing;
  const ours = await startOurs(fleetTickets({ members: [{ target: participant.target, keys }] }));
  return { ...participant, keys, ours };
}

let openssl: Promise<Openssl> | undefined;
const sClient = (skip: Skip) => (openssl ??= Openssl.start(requirePeer('openssl', skip)));

afterAll(async () => {
  await (await openssl)?.stop();
  for (const started of await Promise.allSettled(members.values()))
    if (started.status === 'fulfilled') await Promise.all([started.value.server.stop(), started.value.ours.stop()]);
});

describe.each(offers)('$version with $cipherSuites.0', (offer) => {
  describe.each(names)('%s', (name) => {
    it('issues a ticket, which opens here and resumes at our server', async ({ skip }) => {
      const { server, target, keys, ours } = await member(name, skip);
      const session = await issuedBy(server, offer);
      expect(secretOf(opened({ target, keys }, session))).toEqual(secretOf(session));
      expectResumed(ours, await come(ours, offer, session));
    });

    it('resumes by a ticket that our server issued', async ({ skip }) => {
      const { server, ours } = await member(name, skip);
      expectResumed(server, await come(server, offer, await issuedBy(ours, offer)));
    });

    it('resumes by a ticket that was made of nothing', async ({ skip }) => {
      const { server, target, keys } = await member(name, skip);
      const common = { crypto: nodeCrypto, keys, now: Date.now(), serverName };
      const minted =
        offer.version === 'TLSv1.2'
          ? mintSession(target, { ...common, version: offer.version, cipherSuite: offer.cipherSuites[0] })
          : mintSession(target, { ...common, version: offer.version, cipherSuite: offer.cipherSuites[0] });
      expectResumed(server, await come(server, offer, adopted(minted, minted.ticket)));
    });

    it('resumes with s_client, by a ticket that our server issued to that', async ({ skip }) => {
      const { server, ours } = await member(name, skip);
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
      const { server, target, keys } = await member(name, skip);
      for (const issuer of names) {
        const other = await member(issuer, skip);
        const session = await issuedBy(other.server, offer);
        const ticket = sealTicketFor(target, opened(other, session), keys);
        expectResumed(server, await come(server, offer, { ...session, ticket }), issuer);
      }
    });

    it('makes full handshakes of tickets of all others as they are, but for servers of its own kind', async ({
      skip,
    }) => {
      const { server } = await member(name, skip);
      const sameKeys = name in shortKeyStarters ? shortKeyStarters : longKeyStarters;
      for (const issuer of Object.keys(sameKeys)) {
        const other = await member(issuer, skip);
        const visit = await come(server, offer, await issuedBy(other.server, offer));
        if (issuer === name) expectResumed(server, visit);
        else expectFull(server, visit, issuer);
      }
    });
  });

  it('all of their tickets resume at one server of ours', async ({ skip }) => {
    const all = await Promise.all(names.map((name) => member(name, skip)));
    const ours = await startOurs(fleetTickets({ members: all }));
    try {
      for (const { server } of all)
        expectResumed(ours, await come(ours, offer, await issuedBy(server, offer)), server.name);
    } finally {
      await ours.stop();
    }
  });
});

describe('TLSv1.3, with a choice of suites', () => {
  // RFC 8446 4.2.11: a PSK is bound to a hash. HAProxy goes by its own order and nginx by the client's.
  it('a ticket is lost on a server that chooses a suite of another hash', async ({ skip }) => {
    const offer = { version: 'TLSv1.3' } as const;
    const nginx = await member('nginx80', skip);
    const haproxy = await member('haproxy80', skip);
    const session = await issuedBy(nginx.server, offer);
    const ticket = sealTicketFor(haproxy.target, opened(nginx, session), haproxy.keys);
    expect(session.cipherSuite).toBe('TLS_AES_128_GCM_SHA256');
    const visit = await come(haproxy.server, offer, { ...session, ticket });
    expectFull(haproxy.server, visit);
    expect(visit.handshake.cipherSuite).toBe('TLS_AES_256_GCM_SHA384');
  });
});

function come(server: FleetServer, { version, ...options }: Offer, session: Session): Promise<Visit> {
  return visit(server, version, { ...options, session });
}

/** The newest session that a full handshake there brought. */
async function issuedBy(server: FleetServer, { version, ...options }: Offer): Promise<Session> {
  const first = await visit(server, version, options);
  expect([server.name, first.handshake.mode, first.theirs.reused]).toEqual([server.name, 'full', server.fullWord]);
  const session = first.sessions.at(-1);
  if (session === undefined) throw new Error(`${server.name} issued no ticket`);
  return session;
}

/** What the server sees in the ticket of a client's session. */
function opened({ target, keys }: Pick<Member, 'target' | 'keys'>, { ticket }: Session): Session {
  const { state, reason } = new RingSealer({ keys, layout: target.layout }).open(ticket!);
  if (state === undefined) throw new Error(`a ticket of ${target.server} stays closed: ${reason}`);
  const session = target.encoding.decode(state, { serverName, applicationContext: new Uint8Array(0), now: Date.now() });
  if (typeof session !== 'object') throw new Error(`a ticket of ${target.server} is no session: ${String(session)}`);
  return session;
}

/** By the word of both. */
function expectResumed(server: FleetServer, { handshake, theirs }: Visit, how = ''): void {
  const { version, mode, resumed } = handshake;
  expect([how, mode, resumed]).toEqual([how, version === 'TLSv1.2' ? 'ticket' : 'psk_dhe_ke', true]);
  expect([how, theirs.protocol, theirs.reused]).toEqual([how, version, server.resumedWord]);
}

function expectFull(server: FleetServer, { handshake, theirs }: Visit, how = ''): void {
  expect([how, handshake.mode, handshake.resumed, theirs.reused]).toEqual([how, 'full', false, server.fullWord]);
}
