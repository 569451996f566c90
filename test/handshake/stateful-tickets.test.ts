/** Tickets of TLS 1.3 that a store keeps (RFC 8446 8.1): one command takes them, and what comes to nothing is put back. */
import { beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { clientSessionState, sessionState } from '../../src/sessions/session-state.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import { TicketPool } from '../../src/sessions/ticket-pool.js';
import {
  between,
  boundHello,
  makeTls13World,
  reshaped,
  sessionsOf,
  type Tls13World,
} from '../support/attack-rig-tls13.js';
import { epoch, makePair, pump, theEvent, type Changes, type Pair } from '../support/connections.js';
import { clientCredentials, trustingVerifier } from '../support/credentials.js';
import { RecordingStore } from '../support/recording-store.js';
import { makeQuicWorld, quicEvents } from '../support/quic.js';
import { binderKeyOf, outcome, saying, serverPair } from '../support/tls13-rules.js';

class TakingStore extends RecordingStore {
  take(key: Uint8Array): Uint8Array | undefined {
    this.calls.push('take');
    const value = this.entries.get(toHex(key));
    this.entries.delete(toHex(key));
    return value?.slice();
  }
}

let world: Tls13World;
let store: TakingStore;
let session: Tls13Session;
const noTickets = { tickets: undefined };
const server = (changes?: Changes<ServerOptions>) => world.server({ ...noTickets, sessions: store, ...changes });
const client = (changes?: Changes<ClientOptions>) => world.client({ session, ...changes });
const meet = (by: Changes<ClientOptions> = {}, at: Changes<ServerOptions> = {}) =>
  pump(makePair(client(by), server(at)));
const reasonOf = (pair: Pair) => theEvent(pair.server, 'handshake').reason;

beforeEach(() => {
  world = makeTls13World();
  store = new TakingStore();
  const [made] = sessionsOf(between(world.client(), server()));
  session = made!;
  store.calls.length = 0;
  store.expiries.length = 0;
});

it('R8446-8.1-1 one command before the answer, and one for the next ticket after it', () => {
  expect(outcome(meet())).toBe('psk_dhe_ke');
  expect(store.calls).toEqual(['take', 'set']);
  const again = meet();
  expect([reasonOf(again), store.calls.slice(2)]).toEqual(['unknown_session_id', ['take', 'set']]);
});

it('a handle is shorter than a session ID, and nothing else is looked for', () => {
  expect(session.ticket).toHaveLength(24);
  const longer = { ...session, ticket: new Uint8Array(32).fill(7) };
  expect(reasonOf(meet({ session: longer }))).toBe('unknown_session_id');
  expect(store.calls).toEqual(['set']);
});

describe('is put back, with the time that it had,', () => {
  const honest = () => {
    expect(store.calls.slice(0, 2)).toEqual(['take', 'set']);
    expect(store.expiries[0]).toBe(epoch + session.ticketLifetime * 1000);
    expect(outcome(meet())).toBe('psk_dhe_ke');
  };

  it('P-state-7 after a binder that does not verify', () => {
    const forged = saying('client_hello', (body, hs) => [
      boundHello(hs, body, [{ ...binderKeyOf(session), psk: new Uint8Array(32) }]),
    ]);
    expect(outcome(pump(serverPair(client(), server(), forged)), 'server')).toBe('server: decrypt_error');
    honest();
  });

  it.each<[string, Changes<ClientOptions>, Changes<ServerOptions>]>([
    ['context_mismatch', {}, { applicationContext: Uint8Array.of(1) }],
    [
      'server_name_mismatch',
      { serverName: 'other.example', bindingOverrides: { allowSessionsOfOtherServerNames: true } },
      {},
    ],
  ])('P-bind-1 where it is refused here: %s', (reason, by, at) => {
    expect(reasonOf(meet(by, at))).toBe(reason);
    honest();
  });

  it('P-bind-10 where no suite has its hash any more', () => {
    const only = { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } as const;
    const both = { cipherSuites: ['TLS_AES_256_GCM_SHA384', session.cipherSuite] } as const;
    expect(reasonOf(meet(both, only))).toBe('cipher_suite_disabled');
    honest();
  });

  it('P-state-8 where the handshake ends before its binder is looked at', () => {
    const without = saying('client_hello', (body, hs) => [
      boundHello(
        hs,
        reshaped(body, (all) => all.filter(({ type }) => type !== 'key_share' && type !== 'supported_groups')),
        [binderKeyOf(session)],
      ),
    ]);
    expect(outcome(pump(serverPair(client(), server(), without)), 'server')).toBe('server: missing_extension');
    honest();
  });
});

describe('with a HelloRetryRequest', () => {
  const retrying = { retryCookie: () => Uint8Array.of(1, 2, 3) };

  it('it is taken when the client has come back', () => {
    expect(outcome(meet({}, retrying))).toBe('psk_dhe_ke');
    expect(store.calls).toEqual(['take', 'set', 'take', 'set']);
  });

  it('it stays where the client does not come back', () => {
    const pair = makePair(client(), server(retrying));
    pair.server.connection.receive(pair.client.connection.takeOutput());
    expect(store.entries.has(toHex(session.ticket!))).toBe(true);
    expect(outcome(meet())).toBe('psk_dhe_ke');
  });
});

it('R8446-C.4-1 a client whose hello never left has its ticket still', async () => {
  const pool = new TicketPool({ now: world.now });
  const keeping = { sessions: pool, session: undefined };
  between(world.client({ sessions: pool }), world.server());
  expect(pool.size.tickets).toBe(1);
  const far = {
    get: (key: Uint8Array) => Promise.resolve(pool.get(key)),
    set: (key: Uint8Array, value: Uint8Array, expiresAt: number) => {
      pool.set(key, value, expiresAt);
      return Promise.resolve();
    },
    delete: () => Promise.resolve(),
    take: (key: Uint8Array) => Promise.resolve(pool.take(key)),
  };
  const slow: Changes<ClientOptions> = { verifyCertificate: (asked) => Promise.resolve(trustingVerifier(asked)) };
  for (const changes of [{ sessions: far }, slow]) {
    const { client: end } = makePair(world.client({ ...keeping, ...changes }), world.server(), { driver: 'async' });
    expect(pool.size.tickets).toBe(0);
    end.connection.destroy();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect([end.connection.takeOutput().length, pool.size.tickets]).toEqual([0, 1]);
  }
  expect(outcome(pump(makePair(world.client(keeping), world.server())))).toBe('psk_dhe_ke');
});

it('P-state-7 goes back in QUIC as well, after a binder that does not verify', () => {
  const quic = makeQuicWorld();
  const stateful = { tickets: undefined, sessions: store };
  const made = quic.session({}, stateful);
  const attack = quic.connect({ session: { ...made, psk: new Uint8Array(32).fill(1) } }, stateful);
  expect(quicEvents(attack.server, 'close')).toMatchObject([{ error: { alert: 'decrypt_error' } }]);
  expect(store.entries.has(toHex(made.ticket!))).toBe(true);
  const honest = quic.connect({ session: made }, stateful);
  expect(quicEvents(honest.server, 'handshake')).toMatchObject([{ mode: 'psk_dhe_ke' }]);
});

it('R8446-8.1-1 singleUseTickets: early data is read once, without a guard, in one command', () => {
  const earlyData = { maxSize: 2000, singleUseTickets: true } as const;
  const reading = { ...noTickets, sessions: store, earlyData };
  const [made] = sessionsOf(between(world.client(), world.server(reading)));
  world.clock.time += 1000;
  store.calls.length = 0;
  const pair = makePair(world.client({ session: made!, earlyData: true }), world.server(reading));
  pair.client.connection.writeEarlyData(Uint8Array.of(1));
  const flight = pair.client.connection.takeOutput();
  const told = () => {
    const { server: end } = makePair(client(), world.server(reading));
    end.connection.receive(flight.slice());
    return end.connection.takeEvents().filter(({ type }) => type === 'early_data');
  };
  expect(told()).toMatchObject([{ accepted: true }]);
  expect(store.calls).toEqual(['take']);
  for (let i = 0; i < 3; i++) expect(told()).toMatchObject([{ accepted: false, reason: 'psk_not_selected' }]);
});

describe('P-state-7 goes back where the connection ends meanwhile', () => {
  const lost = () => !store.entries.has(toHex(session.ticket!));
  /** Answers when it is told to. */
  function slowly() {
    const answers: (() => void)[] = [];
    const slow = {
      get: (key: Uint8Array) => store.get(key),
      set: (key: Uint8Array, value: Uint8Array, expiresAt: number) =>
        Promise.resolve().then(() => store.set(key, value, expiresAt)),
      delete: (key: Uint8Array) => store.delete(key),
      take: (key: Uint8Array) => {
        const taken = store.take(key);
        return new Promise<Uint8Array | undefined>((resolve) => answers.push(() => resolve(taken)));
      },
    };
    return { slow, answer: () => answers.shift()?.() };
  }
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

  it.each(['destroy', 'receiveEnd'] as const)('%s, before the store has answered', async (end) => {
    const { slow, answer } = slowly();
    const pair = makePair(client(), server({ sessions: slow }), { driver: 'async' });
    pair.server.connection.receive(pair.client.connection.takeOutput());
    expect([store.calls, lost()]).toEqual([['take'], true]);
    pair.server.connection[end]();
    answer();
    await turn();
    expect([store.calls, lost(), store.expiries]).toEqual([
      ['take', 'set'],
      false,
      [epoch + session.ticketLifetime * 1000],
    ]);
    expect(outcome(meet())).toBe('psk_dhe_ke');
  });

  it('while somebody else is asked, who rejects', async () => {
    const asked = [
      clientCredentials,
      { clientAuthentication: 'request', verifyCertificate: trustingVerifier },
    ] as const;
    const [made] = sessionsOf(between(world.client({ credentials: [asked[0]] }), server(asked[1])));
    const verifyCertificate = () => Promise.reject(new Error('down'));
    const pair = makePair(
      world.client({ session: made!, credentials: [asked[0]] }),
      server({ ...asked[1], verifyCertificate }),
      { driver: 'async' },
    );
    pair.server.connection.receive(pair.client.connection.takeOutput());
    await turn();
    expect(pair.server.connection.state).toBe('closed');
    expect(store.entries.has(toHex(made!.ticket!))).toBe(true);
  });
});

it('P-bind-9 what a client has written is for no server: role_mismatch', () => {
  const state = clientSessionState.encode({ ...session });
  store.set(session.ticket!, state);
  expect(reasonOf(meet())).toBe('role_mismatch');
  expect(sessionState.decode(state)).toBeUndefined();
});

it('P-state-8 a store that cannot put back changes nothing', () => {
  const { get, delete: remove } = bound(store);
  const failing = {
    get,
    delete: remove,
    set: () => {
      throw new Error('down');
    },
    take: (key: Uint8Array) => store.take(key),
  };
  const at = { sessions: failing, applicationContext: Uint8Array.of(1) };
  expect(reasonOf(meet({}, at))).toBe('context_mismatch');
});

function bound(of: TakingStore) {
  return { get: of.get.bind(of), delete: of.delete.bind(of) };
}
