/**
 * Node.js CVE-2026-48934 again, from the other end: `authorized` says that the peer was accepted, and what is asked of a verifier while
 * sessions are looked through says nothing of the peer that is there in the end. Tickets are in the clear: anybody can offer them.
 */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectOptions, Server, ServerOptions, TLSSocket } from '../../src/adapters/node/index.js';
import { findExtension } from '../../src/messages/index.js';
import type { CertificateVerifier } from '../../src/handshake/settings.js';
import { clientSessionState } from '../../src/sessions/session-state.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import { closeAll, errorOf, next, openClient, portOf, startClient, startServer, track } from '../adapters/node/rig.js';
import { boundHello, changingHello, reshaped, rogueClient } from '../support/attack-rig-tls13.js';
import { ca, identity } from '../support/certificates.js';
import { drain, tls13Client } from '../support/connections.js';
import { ecdsaP256 } from '../support/credentials.js';
import { binderKeyOf } from '../support/tls13-rules.js';

afterEach(closeAll);

const tls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

/** A connection whose handshake is complete, and what it can be resumed by. */
async function firstVisit(server: Server, options: ConnectOptions): Promise<{ socket: TLSSocket; session: Buffer }> {
  const socket = startClient(server, options);
  const [[session]] = await Promise.all([next(socket, 'session') as Promise<[Buffer]>, next(socket, 'secureConnect')]);
  return { socket, session };
}

function tls13Session(bytes: Buffer): Tls13Session {
  const session = clientSessionState.decode(bytes);
  if (session?.version !== 'TLSv1.3') throw new Error('a session of TLS 1.3');
  return session;
}

describe('a server that lets clients in without a certificate, and looks at `authorized`', () => {
  const asking: ServerOptions = {
    ...tls13,
    ca,
    requestCert: true,
    rejectUnauthorized: false,
  };

  async function tickets(ofVictim: ConnectOptions = {}) {
    const server = await startServer(asking);
    const accepted = async (client: () => Promise<unknown>): Promise<TLSSocket> => {
      const [[socket]] = await Promise.all([next(server, 'secureConnection'), client()]);
      return socket as TLSSocket;
    };
    const visitedBy = async (options: ConnectOptions) => {
      const [[socket], { session }] = await Promise.all([
        next(server, 'secureConnection') as Promise<[TLSSocket]>,
        firstVisit(server, options),
      ]);
      return { authorized: socket.authorized, session: tls13Session(session) };
    };
    const welcome = await visitedBy({ ...tls13, ...identity('client-p256'), ...ofVictim });
    const anonymous = await visitedBy(tls13);
    expect([welcome.authorized, anonymous.authorized]).toEqual([true, false]);
    return { server, accepted, victim: welcome.session, own: anonymous.session };
  }

  function expectNobody(socket: TLSSocket): void {
    expect([socket.authorized, socket.getPeerCertificate()]).toEqual([false, {}]);
  }

  it('P-bind-4 somebody else’s ticket, which does not fit what is offered: a full handshake, of nobody', async () => {
    const { server, accepted, victim, own } = await tickets({
      ciphers: 'TLS_AES_256_GCM_SHA384',
    });
    const forged = Buffer.from(
      clientSessionState.encode({
        ...own,
        ...(victim.ticket && { ticket: victim.ticket }),
      }),
    );
    const sha256 = { ...tls13, ciphers: 'TLS_AES_128_GCM_SHA256' };
    expectNobody(await accepted(() => openClient(server, { ...sha256, session: forged })));
    const both = [forged, Buffer.from(clientSessionState.encode(own))];
    expectNobody(await accepted(() => openClient(server, { ...sha256, session: both })));
  });

  it('P-bind-4 somebody else’s ticket in the first ClientHello, the own one before it in the second', async () => {
    const { server, accepted, victim, own } = await tickets();
    const settings = tls13Client('node', 'attacker', {
      now: Date.now,
      serverName: 'localhost',
      // A share of no use, so that the server asks for another.
      groups: ['secp521r1', 'x25519'],
      keyShareGroups: ['secp521r1'],
    });
    const session = {
      ...own,
      ...(victim.ticket && { ticket: victim.ticket }),
      applicationContext: settings.binding.applicationContext,
    };
    const swapping = changingHello(1, (body, hs) => {
      const { identities: [first] = [], binders = [] } = findExtension(body.extensions, 'pre_shared_key') ?? {};
      if (first === undefined || own.ticket === undefined) throw new Error('one ticket is offered');
      const identities = [{ ...first, identity: own.ticket }, first];
      const both = reshaped(body, (extensions) =>
        extensions.map((each) =>
          each.type === 'pre_shared_key'
            ? {
                ...each,
                data: { identities, binders: [...binders, ...binders] },
              }
            : each,
        ),
      );
      return boundHello(hs, both, [binderKeyOf(own), undefined]);
    });
    const verifyCertificate: CertificateVerifier = () => ({
      accepted: true,
      publicKey: ecdsaP256.signer.publicKey,
    });
    const client = rogueClient({ ...settings, verifyCertificate, offeredSessions: [session] }, swapping);
    const transport = track(connectTcp(portOf(server), '127.0.0.1'));
    const flush = () => transport.write(drain(client));
    transport.on('data', (bytes) => {
      client.connection.receive(new Uint8Array(bytes));
      flush();
    });
    const socket = await Promise.race([accepted(async () => void flush()), once(server, 'tlsClientError')]);
    // Refused, or let in as nobody.
    if (!Array.isArray(socket)) expectNobody(socket);
    expect(Array.isArray(socket) || socket.encrypted).toBe(true);
  });
});

describe('a client that lets servers in, and looks at `authorized`', () => {
  it.each<[string, ConnectOptions, ConnectOptions]>([
    ['two tickets of TLS 1.3', tls13, tls13],
    ['one of TLS 1.2 and one of TLS 1.3', { maxVersion: 'TLSv1.2' }, tls13],
  ])(
    'P-bind-6 %s: the one that is resumed counts, not the one that was judged last',
    async (_title, ofImpostor, ofGenuine) => {
      const genuine = await startServer({ maxVersion: 'TLSv1.3' });
      const impostor = await startServer({
        maxVersion: ofImpostor.maxVersion ?? 'TLSv1.3',
        ...identity('self-signed'),
      });
      const lax = { rejectUnauthorized: false };
      const atImpostor = await firstVisit(impostor, { ...lax, ...ofImpostor });
      const atGenuine = await firstVisit(genuine, { ...lax, ...ofGenuine });
      expect([atImpostor.socket.authorized, atGenuine.socket.authorized]).toEqual([false, true]);

      const socket = await openClient(impostor, {
        ...lax,
        maxVersion: 'TLSv1.3',
        session: [atImpostor.session, atGenuine.session],
      });
      expect([socket.isSessionReused(), socket.authorized]).toEqual([true, false]);
      expect(socket.authorizationError).not.toBeNull();
    },
  );

  it('P-early-3 sends no early data to a server that it has never accepted', async () => {
    const early: string[] = [];
    const earlyData = { maxSize: 100, acceptReplayedEarlyData: true } as const;
    const impostor = await startServer({ ...tls13, ...identity('self-signed'), earlyData }, (peer) =>
      peer.on('data', (bytes: Buffer) => early.push(bytes.toString())),
    );
    const lax = { ...tls13, rejectUnauthorized: false };
    const { session } = await firstVisit(impostor, lax);
    const socket = startClient(impostor, {
      ...lax,
      session,
      earlyData: Buffer.from('secret'),
    });
    await Promise.race([next(socket, 'secureConnect'), errorOf(socket)]);
    expect(early).toEqual([]);
    expect(socket.earlyDataAccepted).toBe(false);
  });
});
