/**
 * The triple handshake attack (Bhargavan et al., 2014): where the master secret does not cover the handshake, an attacker makes
 * two sessions with one secret, resumes both, and renegotiates into somebody else's identity.
 */
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/bytes.js';
import { UsageError } from '../../src/errors.js';
import { isTls12CipherSuite } from '../../src/key-schedule/suites.js';
import type { ServerSettings } from '../../src/handshake/settings.js';
import type { Tls12Session } from '../../src/sessions/session.js';
import {
  clearItems,
  tls12Kinds,
  makeWorld,
  messageIn,
  outcome,
  type Tls12Kind,
  type World,
} from '../support/attack-rig.js';
import { eventsOf, makePair, pump, theEvent, type Pair } from '../support/connections.js';
import {
  changing,
  disguisedClient,
  withoutExtensions,
  type Disguise,
  type DisguisedEnd,
} from '../support/disguised.js';

const allowed = { allowMissingExtendedMasterSecret: true, allowResumptionWithoutExtendedMasterSecret: true };

/** A client from before RFC 7627. */
const legacy: Disguise = { says: changing('client_hello', withoutExtensions('extended_master_secret')) };
/** The same; ours would not resume without the extension, so it is made to believe that it was answered. */
const resumingLegacy: Disguise = {
  ...legacy,
  hears: changing('server_hello', (body) => ({
    ...body,
    extensions: [...(body.extensions ?? []), { type: 'extended_master_secret', data: {} }],
  })),
};

function connectLegacy(
  world: World,
  server: ServerSettings,
  session?: Tls12Session,
): Pair & { readonly client: DisguisedEnd } {
  const client = world.client({ ...allowed, session });
  const disguised = disguisedClient(client, session === undefined ? legacy : resumingLegacy);
  const pair = { ...makePair(client, server), client: disguised };
  pump(pair);
  return pair;
}

/** What a client from before RFC 7627 would remember. */
function legacySession(kind: Tls12Kind, pair: Pair, keyLog: string): Tls12Session {
  const [, , secret = ''] = keyLog.split(' ');
  const messages = clearItems(pair, 'server').map(messageIn);
  const hello = messages.find((message) => message?.type === 'server_hello');
  const issued = messages.find((message) => message?.type === 'new_session_ticket');
  const { cipherSuite, serverName, peerCertificates } = theEvent(pair.client, 'handshake');
  if (!isTls12CipherSuite(cipherSuite)) throw new Error(cipherSuite);
  return {
    version: 'TLSv1.2',
    cipherSuite,
    masterSecret: fromHex(secret),
    // Our client would not offer it otherwise.
    extendedMasterSecret: true,
    ...(serverName !== undefined && { serverName }),
    establishedAt: 0,
    issuedAt: 0,
    peerCertificates,
    applicationContext: fromHex(''),
    ...(kind === 'session_id' && hello?.type === 'server_hello' && { sessionId: hello.body.legacySessionIdEcho }),
    ...(issued?.type === 'new_session_ticket' && { ticket: issued.body.ticket }),
  };
}

describe.each(tls12Kinds)('a client without the extended master secret (%s)', (kind) => {
  it('R7627-4-1 R7627-5.2-3 is refused, unless that is switched off', () => {
    const world = makeWorld(kind);
    expect(outcome(connectLegacy(world, world.server()))).toBe('server: handshake_failure');
    expect(outcome(connectLegacy(world, world.server({ allowMissingExtendedMasterSecret: true })))).toBe(
      'full: not_offered',
    );
  });

  it('R7627-5.2-5 R7627-5.3-1 leaves no session, neither with our client nor with our server', () => {
    const world = makeWorld(kind);
    const pair = connectLegacy(world, world.server({ allowMissingExtendedMasterSecret: true }));
    expect(eventsOf(pair.client, 'session')).toEqual([]);
    expect(world.store.statistics().entries).toBe(0);
    expect(theEvent(pair.server, 'handshake')).toMatchObject({ extendedMasterSecret: false, newTicket: false });
  });

  it('R7627-5.4-2 exports no keying material', () => {
    const world = makeWorld(kind);
    const pair = connectLegacy(world, world.server(allowed));
    for (const { connection } of [pair.client, pair.server])
      expect(() => connection.exportKeyingMaterial('EXPORTER-x', 32)).toThrow(UsageError);
  });

  it('R7627-5.3-5 R7627-5.4-2 R7627-5.4-3 resumes only where that is switched on, and then neither exports nor renegotiates', () => {
    const world = makeWorld(kind);
    const lines: string[] = [];
    const server = world.server({ ...allowed, keyLog: (line) => lines.push(line) });
    const first = connectLegacy(world, server);
    const remembered = legacySession(kind, first, lines[0] ?? '');
    const client = world.client();
    const session = {
      ...remembered,
      applicationContext: client.binding.applicationContext,
      establishedAt: client.now(),
      issuedAt: client.now(),
    };

    const refusing = world.server({ allowMissingExtendedMasterSecret: true });
    expect(outcome(connectLegacy(world, refusing, session))).toBe('server: handshake_failure');

    const resumed = connectLegacy(world, server, session);
    expect(outcome(resumed)).toBe(kind);
    expect(theEvent(resumed.server, 'handshake').extendedMasterSecret).toBe(false);
    expect(toHex(session.masterSecret)).toBe((lines[1] ?? '').split(' ')[2]);
    expect(() => resumed.server.connection.exportKeyingMaterial('EXPORTER-x', 32)).toThrow(UsageError);

    // The third handshake of the attack is a renegotiation: it is heard, and there is none.
    const [hello] = clearItems(resumed, 'client');
    if (hello === undefined) throw new Error('a client speaks first');
    resumed.client.transport.writeHandshake(hello.bytes);
    pump(resumed);
    expect(eventsOf(resumed.client, 'warning')).toMatchObject([{ alert: 'no_renegotiation' }]);
    expect(eventsOf(resumed.server, 'handshake')).toHaveLength(1);
    expect(resumed.server.connection.state).toBe('open');
  });
});
