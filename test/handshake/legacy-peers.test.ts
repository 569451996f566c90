/** Full connections with peers that lack what RFC 7627 and RFC 5746 brought, where the configuration allows them. */
import { describe, expect, it } from 'vitest';
import { ascii, join, toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { clientConnection, serverConnection } from '../../src/connection/connection.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { PeerAlertError } from '../../src/errors.js';
import type { Answers } from '../../src/handshake/needs.js';
import { extendedMasterSecret, masterSecret } from '../../src/key-schedule/tls12.js';
import { sessionState } from '../../src/sessions/session-state.js';
import {
  eventsOf,
  makeEnd,
  pump,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
  type Changes,
  type Pair,
} from '../support/connections.js';
import { changing, disguisedClient, disguisedServer, withoutExtensions, type Disguise } from '../support/disguised.js';
import { RecordingStore } from '../support/recording-store.js';
import { itemName } from '../support/replay.js';
import { tls12Session } from '../support/sessions.js';
import { readTraffic, theMessage } from '../support/traffic.js';

const ourClient = (changes: Changes<ClientOptions> = {}) =>
  makeEnd((options) => clientConnection(testClient('node', 'ours', changes), options), 'sync');
const ourServer = (changes: Changes<ServerOptions> = {}) =>
  makeEnd((options) => serverConnection(testServer('node', 'ours', changes), options), 'sync');
const theirClient = (disguise: Disguise, changes: Changes<ClientOptions> = {}) =>
  disguisedClient(testClient('node', 'theirs', changes), disguise);
const theirServer = (disguise: Disguise, changes: Changes<ServerOptions> = {}) =>
  disguisedServer(testServer('node', 'theirs', changes), disguise);

const between = (client: Pair['client'], server: Pair['server']): Pair => pump({ client, server, segments: [] });
const hellosOf = ({ segments }: Pair) => {
  const items = readTraffic(segments);
  return { client: theMessage(items, 'client_hello').body, server: theMessage(items, 'server_hello').body };
};
const typesOf = ({ extensions }: { readonly extensions?: readonly { readonly type: string | number }[] | undefined }) =>
  extensions?.map(({ type }) => type) ?? [];

/** A client from before RFC 7627, and a server that does not know it. */
const clientWithoutEms: Disguise = { says: changing('client_hello', withoutExtensions('extended_master_secret')) };
const serverWithoutEms: Disguise = { hears: changing('client_hello', withoutExtensions('extended_master_secret')) };
const tolerant = { allowMissingExtendedMasterSecret: true };
const careless = { ...tolerant, allowResumptionWithoutExtendedMasterSecret: true };

/** Both ends open, and what one says the other hears. */
function expectOpen({ client, server }: Pair, extendedMasterSecret: boolean): void {
  for (const [end, other] of [
    [client, server],
    [server, client],
  ] as const) {
    expect(theEvent(end, 'handshake')).toMatchObject({ extendedMasterSecret });
    end.connection.write(ascii('hello'));
    pump({ client, server, segments: [] });
    expect(eventsOf(other, 'data').map(({ data }) => toHex(data))).toEqual([toHex(ascii('hello'))]);
  }
}

describe('R7627-5.2-4 R7627-5.2-5 R8446-4.1.2-8 a server without extended_master_secret', () => {
  it('is refused by default', () => {
    const pair = between(ourClient(), theirServer(serverWithoutEms, tolerant));
    expect(theEvent(pair.client, 'close')).toMatchObject({ error: { alert: 'handshake_failure' } });
  });

  it('R7627-5.3-1 R7627-5.4-2 is spoken to if allowed; no session is kept and nothing exported', () => {
    const { sealer } = ticketSealer('node', 'ems');
    const sessions = new RecordingStore();
    const server = theirServer(serverWithoutEms, { ...careless, tickets: sealer, sessions: new RecordingStore() });
    const pair = between(ourClient({ ...tolerant, sessions }), server);
    expectOpen(pair, false);
    expect(typesOf(hellosOf(pair).server)).toContain('session_ticket');
    expect(typesOf(hellosOf(pair).server)).not.toContain('extended_master_secret');
    expect(eventsOf(pair.client, 'session')).toEqual([]);
    expect(sessions.entries.size).toBe(0);
    for (const { connection } of [pair.client, pair.server])
      expect(() => connection.exportKeyingMaterial('EXPERIMENTAL label', 32)).toThrow(
        expect.objectContaining({ code: 'invalid_option' }),
      );
  });
});

describe('RFC 7627 5.3: a client that may resume without extended_master_secret', () => {
  const { sealer } = ticketSealer('node', 'ems');
  const old = (disguise: Disguise = serverWithoutEms) => theirServer(disguise, { ...careless, tickets: sealer });

  it('keeps such a session, offers it, and resumes it where the answer lacks the extension too', () => {
    const { session } = theEvent(between(ourClient(careless), old()).client, 'session');
    expect(session).toMatchObject({ version: 'TLSv1.2', extendedMasterSecret: false });
    const pair = between(ourClient({ ...careless, session }), old());
    expectOpen(pair, false);
    expect(theEvent(pair.client, 'handshake').mode).toBe('ticket');
    expect(typesOf(hellosOf(pair).client)).toContain('extended_master_secret');
  });

  it('and refuses an answer that has it: handshake_failure', () => {
    const { session } = theEvent(between(ourClient(careless), old()).client, 'session');
    const says = changing('server_hello', (body) => ({
      ...body,
      extensions: [...(body.extensions ?? []), { type: 'extended_master_secret', data: {} }],
    }));
    const pair = between(ourClient({ ...careless, session }), old({ ...serverWithoutEms, says }));
    expect(theEvent(pair.client, 'close').error).toMatchObject({ name: 'AlertError', alert: 'handshake_failure' });
  });

  it('offers none of them where only full handshakes may lack it', () => {
    const { session } = theEvent(between(ourClient(careless), old()).client, 'session');
    const pair = between(ourClient({ ...tolerant, session }), old());
    expect(theEvent(pair.server, 'handshake')).toMatchObject({ mode: 'full', reason: 'not_offered' });
  });
});

describe('R7627-5.2-3 R7627-5.2-5 a client without extended_master_secret', () => {
  it('is refused by default', () => {
    const pair = between(theirClient(clientWithoutEms, tolerant), ourServer());
    expect(theEvent(pair.server, 'close')).toMatchObject({ error: { alert: 'handshake_failure' } });
    expect(theEvent(pair.client, 'close').error).toEqual(new PeerAlertError('handshake_failure'));
  });

  it('R7627-5.3-5 is served if allowed, and nothing is kept that it could resume', () => {
    const { sealer } = ticketSealer('node', 'ems');
    const sessions = new RecordingStore();
    const pair = between(
      theirClient(clientWithoutEms, tolerant),
      ourServer({ ...tolerant, tickets: sealer, sessions }),
    );
    expectOpen(pair, false);
    const { server } = hellosOf(pair);
    expect(typesOf(server)).not.toContain('session_ticket');
    expect([server.legacySessionIdEcho.length, sessions.entries.size]).toEqual([0, 0]);
  });

  it('R7627-5.3-5 resumes with it only where that is switched on', () => {
    const resume = (store: RecordingStore, server: Changes<ServerOptions>) => {
      const first = between(theirClient(clientWithoutEms, plain), ourServer({ ...careless, sessions: store }));
      const { legacySessionIdEcho: sessionId } = hellosOf(first).server;
      const says = changing('client_hello', (body) => ({
        ...withoutExtensions<typeof body>('extended_master_secret')(body),
        legacySessionId: sessionId,
      }));
      return between(theirClient({ says }, plain), ourServer({ sessions: store, ...server }));
    };
    const resumed = resume(new RecordingStore(), careless);
    // Their client does not know what to do with it: what counts is that the server went for the abbreviated handshake.
    expect(theEvent(resumed.client, 'close')).toMatchObject({
      error: { message: expect.stringContaining('change_cipher_spec') as string },
    });
    const refused = resume(new RecordingStore(), tolerant);
    expect(theEvent(refused.server, 'close')).toMatchObject({ error: { alert: 'handshake_failure' } });
  });
});

const plain = { ...tolerant, tickets: false };

/** Keeps what the two agreed on. */
function overhearing(): { answers: Pick<Answers, 'agree'>; secrets: Uint8Array[] } {
  const secrets: Uint8Array[] = [];
  const agree: Answers['agree'] = ({ keyShare, peer }) => {
    const secret = keyShare.agree(peer);
    if (!(secret instanceof Uint8Array)) throw new Error('no secret');
    secrets.push(secret.slice());
    return secret;
  };
  return { answers: { agree }, secrets };
}

describe('the master secret', () => {
  const connectWith = (client: Pair['client']) => {
    const sessions = new RecordingStore();
    const { answers, secrets } = overhearing();
    const settings = testServer('node', 'ours', { ...careless, sessions });
    const server = makeEnd((options) => serverConnection(settings, options), 'sync', { answers });
    const pair = between(client, server);
    expect(theEvent(pair.server, 'handshake').mode).toBe('full');
    const items = readTraffic(pair.segments);
    const [state] = [...sessions.entries.values()].map((value) => tls12Session(sessionState.decode(value)));
    return { items, premasterSecret: secrets[0]!, state: state! };
  };

  it('R7627-5.4-1 R5246-8.1-1 without the extension is that of RFC 5246, and the session is marked', () => {
    const { items, premasterSecret, state } = connectWith(theirClient(clientWithoutEms, plain));
    const randoms = [
      theMessage(items, 'client_hello').body.random,
      theMessage(items, 'server_hello').body.random,
    ] as const;
    expect(state.extendedMasterSecret).toBe(false);
    expect(toHex(state.masterSecret)).toBe(toHex(masterSecret(nodeCrypto, 'sha256', premasterSecret, ...randoms)));
    expect(state.masterSecret.length).toBe(48);
  });

  it('R7627-4-2 R7627-5.1-1 with it is bound to all messages up to ClientKeyExchange, and the session is marked', () => {
    const { items, premasterSecret, state } = connectWith(ourClient({ tickets: false }));
    const end = items.findIndex((item) => itemName(item) === 'client_key_exchange');
    const sessionHash = nodeCrypto.hash('sha256', join(items.slice(0, end + 1).map(({ bytes }) => bytes)));
    expect(state.extendedMasterSecret).toBe(true);
    expect(toHex(state.masterSecret)).toBe(
      toHex(extendedMasterSecret(nodeCrypto, 'sha256', premasterSecret, sessionHash)),
    );
  });
});

describe('RFC 5746', () => {
  const clientWithScsv: Disguise = {
    says: changing('client_hello', (body) => ({
      ...withoutExtensions<typeof body>('renegotiation_info')(body),
      cipherSuites: [...body.cipherSuites, 'TLS_EMPTY_RENEGOTIATION_INFO_SCSV'],
    })),
  };
  const clientWithNeither: Disguise = { says: changing('client_hello', withoutExtensions('renegotiation_info')) };
  const serverWithout: Disguise = { says: changing('server_hello', withoutExtensions('renegotiation_info')) };
  const answered = (pair: Pair) => typesOf(hellosOf(pair).server).includes('renegotiation_info');

  it('R5746-3.4-1 our ClientHello has the empty extension and no SCSV, resumption or not', () => {
    const { sealer } = ticketSealer('node', 'hello');
    const first = between(ourClient(), ourServer({ tickets: sealer }));
    const { session } = theEvent(first.client, 'session');
    const second = between(ourClient({ session }), ourServer({ tickets: sealer }));
    for (const pair of [first, second]) {
      const { client } = hellosOf(pair);
      const [info] = client.extensions?.filter(({ type }) => type === 'renegotiation_info') ?? [];
      expect(info?.data).toEqual(new Uint8Array(0));
      expect(client.cipherSuites).not.toContain('TLS_EMPTY_RENEGOTIATION_INFO_SCSV');
    }
    expect(theEvent(second.server, 'handshake').mode).toBe('ticket');
  });

  // Our client would refuse an extension that it did not send: this one hears none of it.
  const hears = changing('server_hello', withoutExtensions('renegotiation_info'));
  const indulgent = { allowServersWithoutSecureRenegotiation: true };

  it('R5746-3.6-2 the SCSV is answered with an empty extension', () => {
    const pair = between(theirClient({ ...clientWithScsv, hears }, indulgent), ourServer());
    expectOpen(pair, true);
    expect([answered(pair), theEvent(pair.server, 'handshake').secureRenegotiation]).toEqual([true, true]);
  });

  it('R5746-3.6-2 R5746-3.4-3 in abbreviated handshakes as well, and the flag is of the connection, not of the session', () => {
    const { sealer } = ticketSealer('node', 'flag');
    const server = () => ourServer({ tickets: sealer });
    const { session } = theEvent(between(ourClient(), server()).client, 'session');
    const withScsv = between(theirClient({ ...clientWithScsv, hears }, { session, ...indulgent }), server());
    const withNeither = between(theirClient(clientWithNeither, { session, ...indulgent }), server());
    expect([withScsv, withNeither].map((pair) => theEvent(pair.server, 'handshake').mode)).toEqual([
      'ticket',
      'ticket',
    ]);
    expect([withScsv, withNeither].map(answered)).toEqual([true, false]);
    expect([withScsv, withNeither].map((pair) => theEvent(pair.server, 'handshake').secureRenegotiation)).toEqual([
      true,
      false,
    ]);
  });

  it('R5746-3.6-1 a client with neither is served unless that is switched off', () => {
    const served = between(theirClient(clientWithNeither, indulgent), ourServer());
    expectOpen(served, true);
    expect([answered(served), theEvent(served.server, 'handshake').secureRenegotiation]).toEqual([false, false]);
    const refused = between(
      theirClient(clientWithNeither, indulgent),
      ourServer({ allowClientsWithoutSecureRenegotiation: false }),
    );
    expect(theEvent(refused.server, 'close')).toMatchObject({ error: { alert: 'handshake_failure' } });
  });

  it('R5746-3.4-2 R5746-3.4-3 a server without it is refused unless that is switched on, and the flag says so', () => {
    const refused = between(ourClient(), theirServer(serverWithout));
    expect(theEvent(refused.client, 'close')).toMatchObject({ error: { alert: 'handshake_failure' } });
    const served = between(ourClient(indulgent), theirServer(serverWithout));
    expectOpen(served, true);
    expect(theEvent(served.client, 'handshake').secureRenegotiation).toBe(false);
  });
});
