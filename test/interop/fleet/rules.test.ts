/** What a target says of its server, held against the server: lifetimes, renewal, names, and what the session id context is made of. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import { connect, credentialsFromPem, nginxTargetFromPem, nodeCrypto } from '../../../src/adapters/node/index.js';
import { items, parse, rawBytes } from '../../../src/adapters/x509/asn1.js';
import { PeerAlertError } from '../../../src/errors.js';
import { apacheTarget, fleetTickets, nginxTarget, sealTicketFor } from '../../../src/targets/index.js';
import type { TicketTarget } from '../../../src/targets/index.js';
import { formatTicketKeys } from '../../../src/tickets/key-files/format.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import type { TicketKey } from '../../../src/tickets/ticket-key.js';
import { authority, identities, type Identity } from '../../support/identities.js';
import { describeWithPeer, requirePeer } from '../../support/peers.js';
import { page, startNginx, type Nginx } from '../nginx.js';
import { startApache } from './apache.js';
import { come, expectFull, expectResumed, Fleet, issuedBy, minted, offers, opened } from './fleet.js';
import { startOurs } from './ours.js';
import { fleetKeys } from './participants.js';
import { adopted, serverName, visit } from './visit.js';

const fleet = new Fleet();
afterAll(() => fleet.stop());

const [tls12, tls13] = offers;
const der = ({ cert }: Identity): Uint8Array => new X509Certificate(cert).raw;
/** RFC 5280 4.1: version, serialNumber, signature, issuer, validity, subject. */
const subjectOf = (identity: Identity): Uint8Array => rawBytes(items(items(parse(der(identity)))[0])[5]);

const ringOf = (...keys: TicketKey[]) => new KeyRing({ crypto: nodeCrypto, now: Date.now, keys });

describe.each(fleet.names)('%s', (name) => {
  describe.each([tls12, tls13])('$version', (offer) => {
    it('seals with the key of its file that is for sealing, for as long as its target says', async ({ skip }) => {
      const {
        server,
        target,
        fleetKeys: [sealing],
      } = await fleet.member(name, skip);
      const session = await issuedBy(server, offer);
      expect(session.ticket!.slice(0, 16)).toEqual(sealing.name);
      expect(session.version === 'TLSv1.3' ? session.ticketLifetime : session.ticketLifetimeHint).toBe(target.lifetime);
    });

    it('renews tickets under its key when its target says', async ({ skip }) => {
      const { server, target } = await fleet.member(name, skip);
      const { sessions } = await come(server, offer, await issuedBy(server, offer));
      expect([target.renewal[offer.version], sessions.length > 0]).toEqual([
        expect.any(String),
        target.renewal[offer.version] === 'always',
      ]);
    });
  });
});

describe.each(['nginx48', 'nginx80', 'haproxy48', 'haproxy80'])('%s', (name) => {
  it.for([tls12, tls13])('$version: takes tickets under the key before, and renews them', async (offer, { skip }) => {
    const { server, target, keys, fleetKeys } = await fleet.member(name, skip);
    const [sealing, , previous] = fleetKeys;
    const session = await issuedBy(server, offer);
    const ticket = sealTicketFor(target, opened({ target, keys }, session), ringOf(previous));
    const second = await come(server, offer, { ...session, ticket });
    expectResumed(server, second);
    expect(second.sessions.map((renewed) => renewed.ticket!.slice(0, 16))).toEqual([sealing.name]);
  });
});

describe('apache48', () => {
  it('the port of its ServerName is part of the context, and not the one it listens on', async ({ skip }) => {
    const { fleetKeys, keys, target } = await fleet.member('apache48', skip);
    const [ticketKeys] = formatTicketKeys('apache48', fleetKeys.slice(0, 1));
    const apache = await startApache(requirePeer('apache2', skip), {
      ticketKeys: ticketKeys!,
      serverName: `${serverName}:8443`,
    });
    try {
      for (const offer of [tls12, tls13]) {
        const right = { ...apacheTarget({ serverName, port: 8443 }), layout: target.layout };
        expectResumed(apache, await come(apache, offer, minted(right, keys, offer)));
        expectFull(apache, await come(apache, offer, minted(target, keys, offer)));
      }
    } finally {
      await apache.stop();
    }
  });
});

describeWithPeer('nginx', 'nginx', (peer) => {
  const [sealing] = fleetKeys(32);
  const keys = ringOf(sealing);
  const [keyFile] = formatTicketKeys('nginx80', [sealing]);
  const files = {
    'ticket.key': keyFile!,
    'rsa.pem': identities.rsa.cert,
    'rsa.key': identities.rsa.key,
    'other.pem': identities.other.cert,
    'other.key': identities.other.key,
    'twice.pem': `${authority.cert}\n${authority.cert}`,
  };
  const key = 'ssl_session_ticket_key ticket.key;';
  const verifying = 'ssl_client_certificate ca.pem; ssl_verify_client optional;';
  const running: Promise<Nginx>[] = [];
  const start = (directives: string, otherServers?: (port: number) => string) => {
    const nginx = startNginx(peer, `${key} ${directives}`, files, otherServers);
    running.push(nginx);
    return nginx;
  };
  const otherServer = (port: number) => `
    server {
      listen 127.0.0.1:${port} ssl;
      server_name other.test;
      ssl_certificate other.pem;
      ssl_certificate_key other.key;
      ${key}
      location / { return 200 '${page}'; }
    }`;
  afterAll(async () => {
    for (const nginx of await Promise.allSettled(running)) if (nginx.status === 'fulfilled') await nginx.value.stop();
  });

  const certificate = der(identities.ecdsa);
  const plain = nginxTarget({ serverCertificates: [certificate] });
  const withAuthority = nginxTarget({ serverCertificates: [certificate], clientCaNames: [subjectOf(authority)] });

  it('the names of client authorities are part of the context', async () => {
    const nginx = await start(verifying);
    for (const offer of [tls12, tls13]) {
      expectResumed(nginx, await come(nginx, offer, minted(withAuthority, keys, offer)));
      expectFull(nginx, await come(nginx, offer, minted(plain, keys, offer)));
    }
  });

  it('nginxTargetFromPem has it from the files, and connect offers what was minted for it', async () => {
    const nginx = await start(verifying);
    const target = nginxTargetFromPem({ certificates: [identities.ecdsa.cert], clientCertificate: authority.cert });
    expect(target.sessionIdContext).toEqual(withAuthority.sessionIdContext);
    for (const offer of [tls12, tls13]) {
      const { port } = nginx;
      const { version: minVersion, version: maxVersion } = offer;
      const foreignSessions = [minted(target, keys, offer)];
      const ca = authority.cert;
      const socket = connect({
        host: '127.0.0.1',
        port,
        servername: serverName,
        ca,
        minVersion,
        maxVersion,
        foreignSessions,
      });
      await once(socket, 'secureConnect');
      expect(socket.isSessionReused()).toBe(true);
      socket.destroy();
    }
  });

  it('a name that several client authorities have counts once', async () => {
    const nginx = await start('ssl_client_certificate twice.pem; ssl_verify_client optional;');
    const certificates = [identities.ecdsa.cert];
    const target = nginxTargetFromPem({ certificates, clientCertificate: files['twice.pem'] });
    expectResumed(nginx, await come(nginx, tls13, minted(target, keys, tls13)));
  });

  it('of several certificates the order counts: the last one first up to 1.27.1, and as configured later', async () => {
    const nginx = await start('ssl_certificate rsa.pem; ssl_certificate_key rsa.key;');
    const configured = nginxTarget({ serverCertificates: [certificate, der(identities.rsa)] });
    const reversed = nginxTarget({ serverCertificates: [der(identities.rsa), certificate] });
    const [right, wrong] = isBefore(peer.version, [1, 27, 2]) ? [reversed, configured] : [configured, reversed];
    for (const offer of [tls12, tls13]) {
      expectResumed(nginx, await come(nginx, offer, minted(right, keys, offer)));
      expectFull(nginx, await come(nginx, offer, minted(wrong, keys, offer)));
    }
  });

  it("under another name the context is the default server's up to 1.29.1, and of the name later", async () => {
    const nginx = await start('', otherServer);
    const named = nginxTarget({ serverCertificates: [der(identities.other)] });
    const [right, wrong] = isBefore(peer.version, [1, 29, 2]) ? [plain, named] : [named, plain];
    for (const offer of [tls12, tls13]) {
      const ask = (target: TicketTarget) => {
        const session = { ...minted(target, keys, offer, 'other.test'), serverName: 'other.test' };
        return visit(nginx, offer.version, {
          ...offer,
          serverName: 'other.test',
          session: adopted(session, identities.other),
        });
      };
      expectResumed(nginx, await ask(right));
      expectFull(nginx, await ask(wrong));
    }
  });

  it('with clients verified, a ticket of another name is misdirected', async ({ skip }) => {
    if (!isBefore(peer.version, [1, 29, 2]))
      skip(`${peer.version} binds tickets to the server of a name by their context`);
    const nginx = await start(verifying, otherServer);
    expect(withAuthority.hostRule).toBe('misdirected');
    await expect(come(nginx, tls12, minted(withAuthority, keys, tls12, 'other.test'))).rejects.toThrow(
      '421 Misdirected Request',
    );
    // CVE-2025-23419
    const refused: unknown = await come(nginx, tls13, minted(withAuthority, keys, tls13, 'other.test')).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(PeerAlertError);
    expect(refused).toMatchObject({ alert: 'access_denied' });
  });

  describe('a client certificate in a ticket', () => {
    const credentials = [credentialsFromPem(identities.client)];
    const serve = (trustClientCertificatesInTickets: boolean) => {
      const options = {
        serverCertificates: [certificate],
        clientCaNames: [subjectOf(authority)],
        trustClientCertificatesInTickets,
      };
      const tickets = fleetTickets({ members: [{ target: nginxTarget(options), keys }] });
      return startOurs(tickets, { requestCert: true, rejectUnauthorized: false, ca: authority.cert });
    };

    it.each([tls12, tls13])('$version: of nginx: declined here, unless told to trust it', async (offer) => {
      const nginx = await start(verifying);
      const [wary, trusting] = await Promise.all([serve(false), serve(true)]);
      try {
        const { sessions, theirs } = await visit(nginx, offer.version, { ...offer, credentials });
        expect(theirs).toMatchObject({ reused: '.', verified: 'SUCCESS' });
        const declined = await visit(wary, offer.version, { ...offer, credentials, session: sessions });
        expectFull(wary, declined);
        expect(declined.theirs.reason).toBe('client_certificate_distrusted');
        const resumed = await visit(trusting, offer.version, { ...offer, credentials, session: sessions });
        expectResumed(trusting, resumed);
        expect(resumed.theirs).toMatchObject({ client: 'CN=client.test' });
      } finally {
        await Promise.all([wary.stop(), trusting.stop()]);
      }
    });

    it.each([tls12, tls13])('$version: of ours: nginx takes it for verified', async (offer) => {
      const nginx = await start(verifying);
      const ours = await serve(true);
      try {
        const { sessions } = await visit(ours, offer.version, { ...offer, credentials });
        const second = await visit(nginx, offer.version, { ...offer, credentials, session: sessions });
        expectResumed(nginx, second);
        expect(second.theirs).toMatchObject({ verified: 'SUCCESS' });
      } finally {
        await ours.stop();
      }
    });
  });
});

/** Versions as nginx prints them. */
function isBefore(printed: string, than: readonly [number, number, number]): boolean {
  const version = /(\d+)\.(\d+)\.(\d+)/.exec(printed)?.slice(1).map(Number) ?? [];
  const differing = version.findIndex((part, i) => part !== than[i]);
  return differing !== -1 && version[differing]! < than[differing]!;
}
