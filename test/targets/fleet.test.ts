import { describe, expect, it } from 'vitest';
import { ascii, fromHex } from '../../src/bytes.js';
import type { ServerOptions } from '../../src/connection/options.js';
import { nodeCrypto as crypto } from '../../src/crypto/node.js';
import type { Session } from '../../src/sessions/session.js';
import {
  apacheTarget,
  boringsslTarget,
  fleetTickets,
  go120Target,
  go121Target,
  h2oTarget,
  haproxyTarget,
  mintSession,
  nginxTarget,
  nodeTarget,
  opensslTarget,
  s2nTarget,
  tlsResumeTarget,
  type FleetMember,
  type TicketTarget,
} from '../../src/targets/index.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { paddedLayout } from '../../src/tickets/layouts/padded.js';
import { generateSecretTicketKey, generateTicketKey } from '../../src/tickets/ticket-key.js';
import { connectSync, outcome, sessionOf } from '../support/attack-rig.js';
import { clientCredentials, ecdsaP256 } from '../support/credentials.js';
import { epoch, hour, serverName, testClient, testServer, theEvent, type Changes } from '../support/connections.js';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
type Version = (typeof versions)[number];

const now = () => epoch;
const serverCertificates = [ecdsaP256.certificates[0]!];
const ringOf = (key = generateTicketKey(crypto, { aesKeyLength: 16, hmacKeyLength: 16 })) =>
  new KeyRing({ crypto, now, keys: [key], openingPeriod: 7 * 24 * hour });
const ringOfSecret = () =>
  new KeyRing({ crypto, now, keys: [generateSecretTicketKey(crypto)], openingPeriod: 7 * 24 * hour });
const unnamed = { serverNamesOfUnnamedStates: [serverName] };

/** Every target, and a ring that suits it. `issues` says in which versions it can be issued for. */
const targets: readonly { target: TicketTarget; keys: KeyRing; issues: readonly Version[] }[] = [
  { target: nginxTarget({ serverCertificates }), keys: ringOf(), issues: versions },
  { target: apacheTarget({ serverName }), keys: ringOf(), issues: versions },
  { target: haproxyTarget(), keys: ringOf(), issues: versions },
  { target: nodeTarget({ sessionIdContext: 'ours' }), keys: ringOf(), issues: versions },
  { target: h2oTarget(), keys: ringOf(generateTicketKey(crypto)), issues: versions },
  { target: opensslTarget({ sessionIdContext: ascii('app') }), keys: ringOf(), issues: versions },
  { target: boringsslTarget(unnamed), keys: ringOf(), issues: versions },
  { target: go121Target(unnamed), keys: ringOf(), issues: versions },
  { target: s2nTarget(unnamed), keys: ringOfSecret(), issues: versions },
  { target: tlsResumeTarget(), keys: ringOf(generateTicketKey(crypto)), issues: versions },
  { target: tlsResumeTarget({ layout: paddedLayout }), keys: ringOfSecret(), issues: versions },
];

function server(version: Version, members: readonly FleetMember[], changes: Changes<ServerOptions> = {}) {
  return testServer('node', 'fleet', {
    ...fleetTickets({ members }),
    minVersion: version,
    maxVersion: version,
    ticketCount: 1,
    ...changes,
  });
}

function client(version: Version, session?: Session, changes: Parameters<typeof testClient>[2] = {}) {
  return testClient('node', 'fleet', {
    minVersion: version,
    maxVersion: version,
    ...(session !== undefined && { foreignSessions: [session] }),
    ...changes,
  });
}

const suites = {
  'TLSv1.2': { version: 'TLSv1.2', cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' },
  'TLSv1.3': { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' },
} as const;
const resumed = { 'TLSv1.2': 'ticket', 'TLSv1.3': 'psk' } as const;

describe.each(targets.map((entry) => ({ ...entry, name: `${entry.target.server} (${entry.target.layout.name})` })))(
  '$name',
  ({ target, keys, issues }) => {
    it.each(issues)('%s: a ticket issued by our server for it resumes at our server', (version) => {
      const settings = server(version, [{ target, keys }]);
      const first = connectSync(client(version), settings);
      expect(outcome(first)).toBe('full: not_offered');
      const second = connectSync(client(version, sessionOf(first)), settings);
      expect(outcome(second)).toBe(resumed[version]);
      expect(theEvent(second.server, 'handshake').serverName).toBe(serverName);
    });

    it.each(issues)('%s: a ticket made up from nothing resumes at our server', (version) => {
      if (target.server === 'tls-resume') return; // Its state names the configuration, which nobody outside knows.
      const session = mintSession(target, {
        ...suites[version],
        crypto,
        keys,
        now: epoch,
        serverName,
        serverCertificates,
      });
      expect(outcome(connectSync(client(version, session), server(version, [{ target, keys }])))).toBe(
        resumed[version],
      );
    });

    it.each(issues)('P-bind-1 P-bind-8 %s: not under another name', (version) => {
      const settings = server(version, [{ target, keys }]);
      const first = connectSync(client(version), settings);
      const elsewhere = { ...sessionOf(first), serverName: 'other.example' };
      const second = connectSync(client(version, elsewhere, { serverName: 'other.example' }), settings);
      expect(outcome(second)).toBe('full: server_name_mismatch');
    });
  },
);

describe('Go 1.20', () => {
  it('gets no tickets of ours: it would forget the extended master secret, and of TLS 1.3 wants what is gone', () => {
    for (const version of versions) {
      const first = connectSync(
        client(version),
        server(version, [{ target: go120Target({ ...unnamed, crypto }), keys: ringOf() }]),
      );
      expect(outcome(first)).toBe('full: not_offered');
      expect(first.client.events.map(({ type }) => type)).not.toContain('session');
    }
  });
});

describe.each(versions)('a mixed fleet, %s', (version) => {
  const shared = ringOf();
  const nginx = { target: nginxTarget({ serverCertificates }), keys: shared };
  const haproxy = { target: haproxyTarget(), keys: shared };
  const node = { target: nodeTarget({ sessionIdContext: 'ours' }), keys: shared };
  const ourselves = { target: tlsResumeTarget(), keys: ringOf(generateTicketKey(crypto)) };
  const go = { target: go121Target(unnamed), keys: ringOf() };
  const s2n = { target: s2nTarget(unnamed), keys: ringOfSecret() };
  const everybody = [nginx, haproxy, node, go, s2n, ourselves];
  const ticketOf = ({ target, keys }: FleetMember) =>
    mintSession(target, { ...suites[version], crypto, keys, now: epoch, serverName, serverCertificates });

  it('opens the tickets of all its members', () => {
    const settings = server(version, everybody);
    for (const member of everybody.slice(0, -1))
      expect(outcome(connectSync(client(version, ticketOf(member)), settings)), member.target.server).toBe(
        resumed[version],
      );
  });

  it('P-bind-1 and of nobody else: the context of a server that is no member is none of ours', () => {
    const settings = server(version, [nginx, ourselves]);
    expect(outcome(connectSync(client(version, ticketOf(haproxy)), settings))).toBe('full: context_mismatch');
    expect(outcome(connectSync(client(version, ticketOf(go)), settings))).toBe('full: unknown_key_name');
  });

  it.each(everybody.map((member) => [member.target.server, member] as const))('issues for %s', (_, issueFor) => {
    const settings = server(version, everybody, fleetTickets({ members: everybody, issueFor }));
    const session = sessionOf(connectSync(client(version), settings));
    // A server that knows this one member alone resumes it.
    expect(outcome(connectSync(client(version, session), server(version, [issueFor])))).toBe(resumed[version]);
    expect(outcome(connectSync(client(version, session), settings))).toBe(resumed[version]);
  });

  it('a member may not be issued for that is none', () => {
    expect(() => fleetTickets({ members: [nginx], issueFor: haproxy })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }) as Error,
    );
    expect(() => fleetTickets({ members: [] })).toThrow(expect.objectContaining({ code: 'invalid_option' }) as Error);
  });

  it('a key that the layout of a member has no use for is refused when the fleet is made', () => {
    expect(() => fleetTickets({ members: [{ target: s2nTarget(), keys: ringOf() }] })).toThrow(
      expect.objectContaining({ code: 'invalid_key' }) as Error,
    );
  });

  it('tickets that would outlive a key are refused when the settings are made', () => {
    const keys = new KeyRing({ crypto, now, keys: [generateTicketKey(crypto)], openingPeriod: 299_000 });
    expect(() => server(version, [nginx, { target: tlsResumeTarget(), keys }])).toThrow(
      expect.objectContaining({ code: 'invalid_option' }) as Error,
    );
  });

  it('P-key-5 changed tickets, in any byte, lead to full handshakes', () => {
    const settings = server(version, everybody);
    const session = ticketOf(nginx);
    for (let at = 0; at < session.ticket.length; at += 7) {
      const ticket = session.ticket.slice();
      ticket[at]! ^= 0x40;
      expect(outcome(connectSync(client(version, { ...session, ticket }), settings))).toMatch(
        /^full: (unknown_key_name|bad_mac)$/,
      );
    }
  });

  it('P-bind-3 a ticket without a client certificate is nothing where one is required', () => {
    const settings = server(version, [nginx], { clientAuthentication: 'require' });
    const pair = connectSync(client(version, ticketOf(nginx)), settings);
    expect(theEvent(pair.server, 'close').error).toMatchObject({
      alert: expect.stringMatching(/certificate|failure/) as string,
    });
  });

  it('a ticket that is older than it says, or from tomorrow, is not resumed', () => {
    const mint = (time: number) =>
      mintSession(nginx.target, {
        ...suites[version],
        crypto,
        keys: shared,
        now: time,
        serverName,
        serverCertificates,
      });
    const settings = server(version, [nginx]);
    const offered = (time: number) => ({ ...mint(time), issuedAt: epoch, establishedAt: epoch });
    expect(outcome(connectSync(client(version, offered(epoch - 299_000)), settings))).toBe(resumed[version]);
    expect(outcome(connectSync(client(version, offered(epoch - 302_000)), settings))).toMatch(
      /^full: (expired|too_old)$/,
    );
    expect(outcome(connectSync(client(version, offered(epoch + hour)), settings))).toMatch(/^full: (expired|too_old)$/);
  });
});

describe('client certificates in tickets', () => {
  const keys = ringOf();
  /** What stands in such a state is DER, which the certificates of the other tests are not. */
  const certificate = fromHex('3003020101');
  const credentials = [{ ...clientCredentials, certificates: [certificate] }];
  const authenticated: Changes<ServerOptions> = {
    clientAuthentication: 'require',
    verifyCertificate: ({ certificates: [leaf] }) => {
      expect(leaf).toEqual(certificate);
      return { accepted: true, publicKey: clientCredentials.signer.publicKey };
    },
  };
  const trust = { trustClientCertificatesInTickets: true };
  const dialects = [
    { distrusting: [{ target: opensslTarget(), keys }], trusting: [{ target: opensslTarget(trust), keys }] },
    { distrusting: [{ target: tlsResumeTarget(), keys }], trusting: [{ target: tlsResumeTarget(trust), keys }] },
  ];

  describe.each(dialects)('of $distrusting.0.target.server', ({ distrusting, trusting }) => {
    it.each(versions)('%s: by default a client that has shown one gets no ticket', (version) => {
      const first = connectSync(
        client(version, undefined, { credentials }),
        server(version, distrusting, authenticated),
      );
      expect(outcome(first)).toBe('full: not_offered');
      expect(first.client.events.map(({ type }) => type)).not.toContain('session');
    });

    it.each(versions)(
      'P-bind-4 %s: it resumes as the same client where every holder of the key is trusted, and nowhere else',
      (version) => {
        const settings = server(version, trusting, authenticated);
        const first = connectSync(client(version, undefined, { credentials }), settings);
        const session = sessionOf(first);
        const second = connectSync(client(version, session, { credentials }), settings);
        expect(outcome(second)).toBe(resumed[version]);
        expect(theEvent(second.server, 'handshake').peerCertificates).toEqual([certificate]);
        const third = connectSync(
          client(version, session, { credentials }),
          server(version, distrusting, authenticated),
        );
        expect(outcome(third)).toBe('full: client_certificate_distrusted');
      },
    );
  });
});

describe('one key', () => {
  const keys = ringOf();
  const go120 = { target: go120Target({ ...unnamed, crypto }), keys };
  const go121 = { target: go121Target(unnamed), keys };
  const openssl = { target: opensslTarget(), keys };
  const ourselves = { target: tlsResumeTarget(), keys };
  const orders = [
    [go120, go121, openssl, ourselves],
    [ourselves, openssl, go121, go120],
  ];

  // With go32 and nginx48 such keys are what one seed comes to. MACs cover the same bytes in all of these layouts.
  it.each(orders.flatMap((members) => versions.map((version) => ({ members, version }))))(
    'in layouts that take the tickets of each other for authentic: $version, $members.0.target.server first',
    ({ members, version }) => {
      for (const issueFor of [go121, openssl, ourselves]) {
        const settings = server(version, members, fleetTickets({ members, issueFor }));
        for (let i = 0; i < 20; i++) {
          const session = sessionOf(connectSync(client(version), settings));
          expect(outcome(connectSync(client(version, session), settings)), issueFor.target.server).toBe(
            resumed[version],
          );
        }
      }
    },
  );

  it('in two rings: the members of both are asked', () => {
    const key = generateTicketKey(crypto);
    const members = [
      { target: haproxyTarget(), keys: ringOf(key) },
      { target: opensslTarget(), keys: ringOf(key) },
    ];
    for (const issueFor of members) {
      const settings = server('TLSv1.3', members, fleetTickets({ members, issueFor }));
      const session = sessionOf(connectSync(client('TLSv1.3'), settings));
      expect(outcome(connectSync(client('TLSv1.3', session), settings))).toBe('psk');
    }
  });
});
