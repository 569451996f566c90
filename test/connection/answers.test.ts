/**
 * Callbacks that fail: every door to the outside throws, rejects, answers nonsense, answers late or never. The connection
 * ends with internal_error, once, and nothing escapes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { defaultAnswers } from '../../src/connection/answers.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { AlertError, UsageError } from '../../src/errors.js';
import type { Answers, Need } from '../../src/handshake/needs.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { SessionStore } from '../../src/sessions/store.js';
import {
  drain,
  epoch,
  eventsOf,
  makePair,
  pump,
  settle,
  theEvent,
  type Changes,
  type DriverName,
  type Pair,
} from '../support/connections.js';
import { clientCredentials, trustingVerifier } from '../support/credentials.js';
import { tls13Flows } from '../support/flows-tls13.js';
import { RecordingStore } from '../support/recording-store.js';
import { flows, otherSide, type Flow } from '../support/replay.js';
import { readTraffic, alertsOf, type Side } from '../support/traffic.js';

const unhandled: unknown[] = [];
const remember = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', remember));
afterAll(async () => {
  await new Promise(setImmediate);
  process.off('unhandledRejection', remember);
  expect(unhandled).toEqual([]);
});

interface Place {
  readonly need: Need;
  readonly side: Side;
  readonly flow: Flow;
  readonly client?: () => Changes<ClientOptions>;
  readonly server?: () => Changes<ServerOptions>;
}

/** Where each need is asked for. */
const places: readonly Place[] = [
  { need: 'choose_settings', side: 'server', flow: flows.full },
  { need: 'find_ocsp_response', side: 'server', flow: flows.full, client: () => ({ requestOcspResponse: true }) },
  { need: 'find_ocsp_response', side: 'server', flow: tls13Flows.full, client: () => ({ requestOcspResponse: true }) },
  {
    need: 'choose_credentials',
    side: 'client',
    flow: flows.mutual,
    client: () => ({ chooseCredentials: () => [clientCredentials] }),
  },
  {
    need: 'choose_credentials',
    side: 'client',
    flow: tls13Flows.mutual,
    client: () => ({ chooseCredentials: () => [clientCredentials] }),
  },
  { need: 'find_session', side: 'server', flow: flows.sessionId },
  { need: 'find_session', side: 'client', flow: flows.full, client: () => ({ sessions: new RecordingStore() }) },
  { need: 'store_session', side: 'server', flow: flows.withSessionId },
  {
    need: 'store_session',
    side: 'client',
    flow: flows.withSessionId,
    client: () => ({ tickets: false, sessions: new RecordingStore() }),
  },
  { need: 'open_ticket', side: 'server', flow: flows.ticket },
  { need: 'seal_ticket', side: 'server', flow: flows.withTicket },
  { need: 'seal_ticket', side: 'server', flow: flows.renewed },
  { need: 'generate_key_share', side: 'client', flow: flows.full },
  { need: 'generate_key_share', side: 'server', flow: flows.full },
  { need: 'agree', side: 'client', flow: flows.full },
  { need: 'agree', side: 'server', flow: flows.full },
  { need: 'sign', side: 'client', flow: flows.mutual },
  { need: 'sign', side: 'server', flow: flows.full },
  { need: 'verify_signature', side: 'client', flow: flows.full },
  { need: 'verify_signature', side: 'server', flow: flows.mutual },
  { need: 'verify_certificate', side: 'client', flow: flows.full },
  { need: 'verify_certificate', side: 'client', flow: flows.ticket },
  { need: 'verify_certificate', side: 'server', flow: flows.mutual },
  { need: 'answer_key_share', side: 'server', flow: tls13Flows.full },
  {
    need: 'find_external_psk',
    side: 'server',
    flow: tls13Flows.external,
    server: () => ({ externalPsks: [], findExternalPsk: () => undefined }),
  },
  { need: 'select_tls12_psk', side: 'client', flow: flows.psk },
  { need: 'select_tls12_psk', side: 'client', flow: flows.pskTicket },
  { need: 'find_tls12_psk', side: 'server', flow: flows.psk },
  { need: 'find_tls12_psk', side: 'server', flow: flows.pskTicket },
  { need: 'check_replay', side: 'server', flow: tls13Flows.early },
  { need: 'take_session', side: 'server', flow: tls13Flows.stateful },
  {
    need: 'take_session',
    side: 'client',
    flow: tls13Flows.full,
    client: () => ({ sessions: new MemoryStore({ now: () => epoch }) }),
  },
];

const table = places.map((place) => [place.need, place.side, place.flow.name, place] as const);

it('each need is asked for somewhere in the table, but one that has no bearing on a handshake', () => {
  const asked = new Set<Need>([...places.map(({ need }) => need), 'forget_session']);
  expect([...asked].sort()).toEqual(Object.keys(defaultAnswers).sort());
});

/** The flow with one answer of one side replaced; `answer` is called instead. */
function pairWith({ need, side, flow, client, server }: Place, driver: DriverName, answer: () => unknown): Pair {
  // What is answered is nonsense on purpose.
  const answers = { [need]: answer } as unknown as Partial<Answers>;
  return makePair(flow.client(client?.()), flow.server(server?.()), { driver, [side]: { answers } });
}

/** The side ended with this error and one alert, the other heard of it. */
function expectFailure(pair: Pair, side: Side, error: object, alert = 'internal_error'): void {
  const own = pair[side];
  expect(theEvent(own, 'close')).toMatchObject({ reason: 'error', error });
  expect(own.events.at(-1)?.type).toBe('close');
  expect(eventsOf(own, 'handshake')).toEqual([]);
  expect(own.connection.state).toBe('closed');
  expect(theEvent(pair[otherSide(side)], 'close')).toMatchObject({ error: { code: 'peer_alert', alert } });
}

const boom = new Error('boom');

describe.each(table)('%s of the %s, %s', (need, side, _, place) => {
  const asynchronous = ['async', 'promises'] as const;

  it.each(['sync', ...asynchronous] as const)('P-state-8 throws, driver %s', async (driver) => {
    const pair = await settle(
      pairWith(place, driver, () => {
        throw boom;
      }),
    );
    expectFailure(pair, side, { name: 'AlertError', alert: 'internal_error', code: 'internal_error', cause: boom });
  });

  it('P-state-8 throws an error that names its alert', async () => {
    const denied = new AlertError('access_denied', 'not today');
    const pair = await settle(
      pairWith(place, 'async', () => {
        throw denied;
      }),
    );
    expectFailure(pair, side, denied, 'access_denied');
  });

  it('P-state-8 throws an error of usage', async () => {
    const usage = new UsageError('unsupported_by_backend', 'not here');
    expectFailure(
      await settle(
        pairWith(place, 'async', () => {
          throw usage;
        }),
      ),
      side,
      usage,
    );
  });

  it('P-state-8 throws what is no error', async () => {
    const pair = await settle(
      pairWith(place, 'async', () => {
        throw undefined as unknown as Error;
      }),
    );
    expectFailure(pair, side, { alert: 'internal_error' });
  });

  it.each(asynchronous)('P-state-8 rejects, driver %s', async (driver) => {
    const pair = await settle(pairWith(place, driver, () => Promise.reject(boom)));
    expectFailure(pair, side, { alert: 'internal_error', cause: boom });
  });

  it('answers with a promise, driver sync', async () => {
    for (const promise of [() => Promise.resolve(undefined), () => Promise.reject(boom)]) {
      const pair = pump(pairWith(place, 'sync', promise));
      expectFailure(pair, side, { name: 'UsageError', code: 'asynchronous_answer' });
      await new Promise(setImmediate);
    }
  });

  it('answers with something that only looks like a promise', async () => {
    const pair = await settle(
      pairWith(place, 'async', () => ({
        then: () => {
          throw boom;
        },
      })),
    );
    expectFailure(pair, side, { alert: 'internal_error' });
  });

  it.each([
    ['a value', (settleAnswer: Settle) => settleAnswer.resolve(true)],
    ['a rejection', (settleAnswer: Settle) => settleAnswer.reject(boom)],
  ])('answers with %s when the connection is gone', async (_, answer) => {
    const late = deferred();
    const pair = await settle(pairWith(place, 'async', () => late.promise));
    const end = pair[side];
    expect(end.connection.waiting).toBe(true);
    end.connection.destroy();
    drain(end);
    expect(end.events.at(-1)).toEqual({ type: 'close', reason: 'destroyed' });
    const { wakes } = end;
    const events = end.events.length;
    answer(late);
    await new Promise(setImmediate);
    expect([drain(end).length, end.events.length, end.wakes, end.connection.waiting]).toEqual([
      0,
      events,
      wakes,
      false,
    ]);
  });

  it('the connection is destroyed by the callback itself', async () => {
    const ask = (driver: DriverName): Pair => {
      let pair: Pair | undefined;
      const answers = {
        [need]: (question: never) => {
          pair?.[side].connection.destroy();
          return (defaultAnswers[need] as (question: never) => unknown)(question);
        },
      } as unknown as Partial<Answers>;
      return (pair = makePair(place.flow.client(place.client?.()), place.flow.server(place.server?.()), {
        driver,
        [side]: { answers },
      }));
    };
    for (const driver of ['sync', 'async', 'promises'] as const) {
      const pair = await settle(ask(driver));
      // A client asks for its stored session before it has been handed out.
      const asksForSession =
        need === 'find_session' || need === 'take_session' || place.flow.name.startsWith('by ticket');
      const early = side === 'client' && asksForSession;
      if (early) continue;
      expect(pair[side].events).toEqual([{ type: 'close', reason: 'destroyed' }]);
      expect([pair[side].connection.state, pair[side].connection.waiting]).toEqual(['closed', false]);
    }
  });

  const nonsense: readonly unknown[] = [
    undefined,
    null,
    true,
    1,
    Number.NaN,
    '',
    'text',
    {},
    [],
    () => true,
    Symbol('so'),
  ];

  it.each(nonsense.map((answer) => [typeof answer, answer]))('answers nonsense: %s %o', async (_, answer) => {
    const pair = await settle(pairWith(place, 'async', () => answer));
    const { connection } = pair[side];
    const closes = eventsOf(pair[side], 'close');
    expect(closes.length).toBeLessThanOrEqual(1);
    if (isHarmless(need, answer)) return;
    expect(connection.state).toBe('closed');
    expect(eventsOf(pair[side], 'handshake')).toEqual([]);
    expect(closes).toMatchObject([{ reason: 'error' }]);
  });
});

/** What comes to no more than "there is none", or to "yes" where yes is an answer. */
function isHarmless(need: Need, answer: unknown): boolean {
  const hollow = (typeof answer === 'object' && answer !== null) || typeof answer === 'function';
  switch (need) {
    case 'find_session':
    case 'take_session':
    case 'open_ticket':
      return hollow;
    case 'verify_signature':
      return answer === true;
    case 'find_external_psk':
      return answer === undefined;
    case 'find_ocsp_response':
      return answer === undefined || answer === null;
    case 'choose_credentials':
      return answer === undefined || answer === null || Array.isArray(answer);
    case 'check_replay': // whatever is not `fresh` rejects early data
    case 'store_session':
    case 'forget_session':
    case 'seal_ticket': // nonsense of a sealer stops at the default answer, see below
      return true;
    default:
      return false;
  }
}

describe('a store or a sealer that fails costs a resumption, no connection', () => {
  const broken = (fail: () => unknown): SessionStore => ({ get: fail, set: fail, delete: fail }) as SessionStore;
  const failures: readonly [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw boom;
      },
    ],
    ['rejects', () => Promise.reject(boom)],
    ['answers null', () => null],
    ['answers true', () => true],
    ['answers text', () => 'text'],
    ['answers an object', () => ({})],
    ['answers a number later', () => Promise.resolve(5)],
    ['answers like a promise', () => ({ then: (_: unknown, reject: (reason: unknown) => void) => reject(boom) })],
  ];

  it.each(failures)('R5077-3.2-5 the server’s store %s', async (_, fail) => {
    const pair = await settle(
      makePair(flows.sessionId.client(), flows.sessionId.server({ sessions: broken(fail) }), { driver: 'async' }),
    );
    const { mode, reason } = theEvent(pair.server, 'handshake');
    expect([mode, reason === 'store_unavailable' || reason === 'unknown_session_id']).toEqual(['full', true]);
    expect(theEvent(pair.client, 'handshake').mode).toBe('full');
  });

  it.each(failures)('the client’s store %s', async (_, fail) => {
    const client = flows.full.client({ sessions: broken(fail) });
    const pair = await settle(makePair(client, flows.withSessionId.server(), { driver: 'async' }));
    expect(theEvent(pair.client, 'handshake')).toMatchObject({ mode: 'full', reason: 'not_offered' });
  });

  it.each(failures)('R5077-3.2-5 R5077-3.3-5 the sealer %s', async (_, fail) => {
    const tickets = { open: fail, seal: fail } as unknown as NonNullable<ServerOptions['tickets']>;
    const pair = await settle(makePair(flows.ticket.client(), flows.ticket.server({ tickets }), { driver: 'async' }));
    expect(theEvent(pair.server, 'handshake')).toMatchObject({
      mode: 'full',
      reason: 'store_unavailable',
      newTicket: false,
    });
    expect(theEvent(pair.client, 'handshake')).toMatchObject({
      mode: 'full',
      reason: 'declined_by_server',
      newTicket: false,
    });
    expect(eventsOf(pair.client, 'session')).toEqual([]);
  });

  it('R5077-3.3-5 a sealer whose ticket fits into no message', async () => {
    const tickets = { open: () => ({ reason: 'malformed' as const }), seal: () => new Uint8Array(65536) };
    const pair = await settle(makePair(flows.withTicket.client(), flows.withTicket.server({ tickets })));
    expect(theEvent(pair.client, 'handshake')).toMatchObject({ mode: 'full', newTicket: false });
  });

  it.each(failures)('forgetting: the store %s', async (_, fail) => {
    const store = new RecordingStore();
    const sessions: SessionStore = {
      get: (key) => store.get(key),
      set: (key, value) => store.set(key, value),
      delete: fail as () => undefined,
    };
    const pair = await settle(
      makePair(flows.withSessionId.client(), flows.withSessionId.server({ sessions }), { driver: 'async' }),
    );
    pair.server.connection.receive(Uint8Array.of(99, 3, 3, 0, 0));
    pump(pair);
    await new Promise(setImmediate);
    expect(theEvent(pair.server, 'close')).toMatchObject({ error: { alert: 'unexpected_message' } });
  });

  it.each([
    [
      'throws',
      () => {
        throw boom;
      },
    ],
    ['rejects', () => Promise.reject(boom)],
  ])('an answer to forget_session that %s', async (_, forget) => {
    const answers = { forget_session: forget };
    const pair = await settle(
      makePair(flows.withSessionId.client(), flows.withSessionId.server(), { driver: 'async', server: { answers } }),
    );
    pair.server.connection.receive(Uint8Array.of(99, 3, 3, 0, 0));
    pump(pair);
    await new Promise(setImmediate);
    expect(theEvent(pair.server, 'close')).toMatchObject({ error: { alert: 'unexpected_message' } });
  });
});

describe('other callbacks', () => {
  it.each(['client', 'server'] as const)('the key log of the %s closes the connection', async (side) => {
    for (const driver of ['sync', 'async', 'promises'] as const) {
      for (const how of ['destroy', 'close'] as const) {
        const closing = { keyLog: () => pair[side].connection[how]() };
        const client = flows.withTicket.client(side === 'client' ? closing : {});
        const server = flows.withTicket.server(side === 'server' ? closing : {});
        const pair: Pair = makePair(client, server, { driver });
        await settle(pair);
        expect(pair[side].events).toEqual([{ type: 'close', reason: 'destroyed' }]);
        expect([pair[side].connection.state, pair[side].connection.waiting]).toEqual(['closed', false]);
      }
    }
  });

  it.each([
    [
      'the client’s key log',
      'client',
      {
        keyLog: () => {
          throw boom;
        },
      },
      {},
    ],
    [
      'the server’s key log',
      'server',
      {},
      {
        keyLog: () => {
          throw boom;
        },
      },
    ],
    [
      'the client’s clock',
      'client',
      {
        now: () => {
          throw boom;
        },
      },
      {},
    ],
    [
      'the server’s clock',
      'server',
      {},
      {
        now: () => {
          throw boom;
        },
      },
    ],
    [
      'the choice of settings',
      'server',
      {},
      {
        chooseSettings: () => {
          throw boom;
        },
      },
    ],
    [
      'the client’s verifier',
      'client',
      {
        verifyCertificate: () => {
          throw boom;
        },
      },
      {},
    ],
  ] as const)('P-state-8 %s throws', async (_, side, client, server) => {
    const pair = await settle(makePair(flows.withTicket.client(client), flows.withTicket.server(server)));
    expectFailure(pair, side, { alert: 'internal_error' });
  });

  it('P-state-8 a verifier that judges a resumed client throws', async () => {
    const first = await settle(makePair(flows.mutual.client(), flows.mutual.server()));
    const { session } = theEvent(first.client, 'session');
    const verifyCertificate = () => {
      throw boom;
    };
    const client = flows.mutual.client({
      session,
      credentials: [clientCredentials],
      verifyCertificate: trustingVerifier,
    });
    const pair = await settle(makePair(client, flows.mutual.server({ verifyCertificate })));
    expectFailure(pair, 'server', { alert: 'internal_error', cause: boom });
  });

  it('a verdict that is neither true nor false is none', async () => {
    const { publicKey } = trustingVerifier({ certificates: [ascii('server secp256r1')] }) as unknown as {
      publicKey: never;
    };
    for (const accepted of [Promise.resolve(false), 'no', 1, {}, undefined]) {
      const verifyCertificate = () => ({ accepted: accepted as true, publicKey });
      const pair = await settle(makePair(flows.full.client({ verifyCertificate }), flows.full.server()));
      expectFailure(pair, 'client', { alert: 'internal_error' });
    }
  });

  it('a wrong answer leaves one alert on the wire', async () => {
    const { segments } = await settle(pairWith(places[0]!, 'async', () => Promise.reject(boom)));
    expect(alertsOf(readTraffic(segments))).toEqual(['fatal internal_error']);
  });
});

interface Settle {
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

function deferred(): Settle & { promise: Promise<unknown> } {
  let settleAnswer: Settle | undefined;
  const promise = new Promise((resolve, reject) => (settleAnswer = { resolve, reject }));
  return { promise, ...settleAnswer! };
}
