/** Early data that a server does not read (RFC 8446 4.2.10), and what keeps it from being read twice (8). */
import { describe, expect, it } from 'vitest';
import { ascii, join, toHex } from '../../src/bytes.js';
import type { ReplayAnswer, ReplayGuard } from '../../src/early-data/replay-guard.js';
import type { ServerOptions } from '../../src/connection/options.js';
import { findExtension } from '../../src/messages/index.js';
import { contentTypes } from '../../src/parameters.js';
import { boundHello, maxEarlyData } from '../support/attack-rig-tls13.js';
import {
  drain,
  eventsOf,
  makePair,
  pump,
  theEvent,
  tls13Client,
  type Changes,
  type End,
  type Pair,
} from '../support/connections.js';
import {
  binderKeyOf,
  dataOf,
  feed,
  listening,
  outcome,
  saying,
  serverPair,
  withExtensions,
} from '../support/tls13-rules.js';
import type { ClientHello } from '../../src/messages/index.js';
import { earlyText, makeWorld13 } from '../support/world-tls13.js';
import { misuse } from '../support/decoding.js';

const world = makeWorld13();
const { sent } = world;

const refused = 'connection_not_open';

describe('rejected', () => {
  /** The reason that the server gives; the handshake goes on in any case, and the data is nowhere. */
  function reasonOf(pair: Pair): string | undefined {
    pump(pair);
    expect(outcome(pair)).toMatch(/^(psk_|full: )/);
    expect(dataOf(pair.server)).toEqual([]);
    const [told] = eventsOf(pair.server, 'early_data');
    expect(told?.accepted).toBe(false);
    expect(theEvent(pair.client, 'early_data')).toMatchObject({ accepted: false });
    return told?.reason;
  }

  it('R8446-E.5-1 by a server that reads none', () => {
    expect(reasonOf(sent({ earlyData: undefined }))).toBe('disabled');
  });

  it.each([2 ** 14, 40_000])(
    'R8446-4.2.10-10 R8446-4.2.10-11 all of the %i bytes that a ticket allows can be skipped',
    (maxSize) => {
      const earlyData = { maxSize, replayGuard: { startedAt: 0, check: (): ReplayAnswer => 'replayed' } };
      const groups = { keyShareGroups: ['secp256r1'], groups: ['secp256r1', 'x25519'] } as const;
      for (const [reason, server, client] of [
        ['replayed', {}, {}],
        ['hello_retry_request', { groups: ['x25519'] }, groups],
      ] as const) {
        const session = world.session({}, { earlyData });
        const pair = makePair(
          world.client({ session, earlyData: true, ...client }),
          world.server({ earlyData, ...server }),
        );
        expect(pair.client.connection.earlyDataAllowance).toBe(maxSize);
        pair.client.connection.writeEarlyData(new Uint8Array(maxSize));
        expect(reasonOf(pair)).toBe(reason);
      }
    },
  );

  it('R8446-4.2.10-8 for another suite, protocol or PSK', () => {
    const sha256 = { cipherSuites: ['TLS_AES_128_GCM_SHA256'] } as const;
    const chacha = { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] } as const;
    expect(reasonOf(sent(chacha, {}, world.session(sha256)))).toBe('suite_mismatch');
    expect(reasonOf(sent({ applicationContext: ascii('another') }))).toBe('psk_not_selected');
    const unknown = {
      ...world.session(),
      ticket: ascii('not of ours, but as long as a ticket has to be to be looked at'),
    };
    expect(reasonOf(sent({}, { session: [unknown, world.session()] }))).toBe('not_first_identity');
  });

  it('R8446-4.2.10-1 where the protocol is another one; none equals none', () => {
    const alpnProtocols = ['h2', 'http/1.1'];
    const h2 = () => world.session({ alpnProtocols: ['h2'] }, { alpnProtocols: ['h2'] });
    expect(reasonOf(sent({ alpnProtocols: ['http/1.1'] }, { alpnProtocols }, h2()))).toBe('alpn_mismatch');
    expect(reasonOf(sent({}, { alpnProtocols }, h2()))).toBe('alpn_mismatch');
    expect(reasonOf(sent({ alpnProtocols }, { alpnProtocols }, world.session()))).toBe('alpn_mismatch');
    expect(theEvent(pump(sent({ alpnProtocols }, { alpnProtocols }, h2())).server, 'early_data').accepted).toBe(true);
    expect(theEvent(pump(sent()).server, 'early_data').accepted).toBe(true);
  });

  it('R8446-4.2.10-9 R8446-8.3-1 where the age is off by more than the window, to either side', () => {
    const ticket = world.session();
    const off = (milliseconds: number) => {
      const pair = sent({ now: () => world.clock.time + milliseconds }, {}, ticket);
      pump(pair);
      return theEvent(pair.server, 'early_data').reason ?? 'accepted';
    };
    expect([off(10_001), off(-10_001)]).toEqual(['too_old_for_replay_window', 'ticket_age']);
    expect([off(10_000), off(-10_000)]).toEqual(['accepted', 'accepted']);
  });

  it('where the ticket allows more than the server reads', () => {
    expect(
      reasonOf(
        sent({
          earlyData: { maxSize: maxEarlyData - 1, replayGuard: world.guard, ticketsAreOfThisProcessAlone: true },
        }),
      ),
    ).toBe('limit');
  });

  it('R8446-4.2.10-7 R8446-4.2.10-10 its records are dropped until one opens', () => {
    const pair = makePair(
      world.client({ session: world.session(), earlyData: true }),
      world.server({ earlyData: undefined }),
    );
    for (let i = 0; i < 10; i++) pair.client.connection.writeEarlyData(new Uint8Array(100));
    expect(reasonOf(pair)).toBe('disabled');
    pair.client.connection.write(ascii('late'));
    pump(pair);
    expect(dataOf(pair.server)).toEqual([['late', false]]);
  });

  it('R8446-4.2.10-10 no more of them than a client may send: unexpected_message', () => {
    const much = 2 ** 14;
    const overrun = (allowance: number) => {
      const session = { ...world.session(), maxEarlyDataSize: allowance };
      const pair = makePair(world.client({ session, earlyData: true }), world.server({ earlyData: undefined }));
      pair.client.connection.writeEarlyData(new Uint8Array(allowance));
      return outcome(pump(pair), 'server');
    };
    expect(overrun(much - 1)).toBe('psk_dhe_ke');
    expect(overrun(much + 1)).toBe('server: unexpected_message');
  });

  it('R8446-4.2.10-10 maximumSkippedEarlyData says how many, where it is more than what is read', () => {
    const overrun = (allowance: number, changes: Changes<ServerOptions>) => {
      const session = { ...world.session(), maxEarlyDataSize: allowance };
      const pair = makePair(world.client({ session, earlyData: true }), world.server(changes));
      pair.client.connection.writeEarlyData(new Uint8Array(allowance));
      return outcome(pump(pair), 'server');
    };
    for (const changes of [
      { earlyData: undefined, maximumSkippedEarlyData: 100 },
      { earlyData: { maxSize: 100, acceptReplayedEarlyData: true }, maximumSkippedEarlyData: 0 },
    ] as const) {
      expect(overrun(99, changes)).toBe('psk_dhe_ke');
      expect(overrun(101, changes)).toBe('server: unexpected_message');
    }
  });

  it('R8446-4.2.10-11 by HelloRetryRequest, its records are dropped until the second ClientHello', () => {
    const retrying = { groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] } as const;
    const pair = sent({ groups: ['x25519'] }, retrying);
    expect(reasonOf(pair)).toBe('hello_retry_request');
    const overrun = (allowance: number) => {
      const session = { ...world.session(), maxEarlyDataSize: allowance };
      const client = world.client({ session, earlyData: true, ...retrying });
      const other = makePair(client, world.server({ groups: ['x25519'], earlyData: undefined }));
      other.client.connection.writeEarlyData(new Uint8Array(allowance));
      return outcome(pump(other), 'server');
    };
    expect(overrun(16000)).toBe('psk_dhe_ke');
    expect(overrun(17000)).toBe('server: unexpected_message');
  });

  it('R8446-4.2.10-11 anything but early data in between is refused', () => {
    const retrying = { groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] } as const;
    const pair = sent({ groups: ['x25519'] }, retrying);
    pair.server.connection.receive(drain(pair.client));
    const request = drain(pair.server);
    pair.client.connection.receive(request);
    const hello = drain(pair.client);
    pair.server.connection.receive(hello);
    // Once the second ClientHello is here, application_data has to open.
    pair.server.connection.receive(join([Uint8Array.of(23, 3, 3, 0, 30), new Uint8Array(30)]));
    drain(pair.server);
    expect(outcome(pair)).toBe('server: bad_record_mac');
  });

  it('R8446-4.5-2 no EndOfEarlyData follows; where one does: unexpected_message', () => {
    const said: string[] = [];
    const session = world.session();
    const pair = serverPair(
      world.client({ session, earlyData: true }),
      world.server({ earlyData: undefined }),
      (message) => {
        said.push(message.type);
        return [message];
      },
    );
    expect(outcome(pump(pair))).toBe('psk_dhe_ke');
    expect(said).toEqual(['client_hello', 'finished']);
    const says = saying('finished', (body) => [
      { type: 'end_of_early_data', body: {} },
      { type: 'finished', body },
    ]);
    const other = serverPair(world.client({ session, earlyData: true }), world.server({ earlyData: undefined }), says);
    expect(outcome(pump(other), 'server')).toBe('server: unexpected_message');
  });

  it('R8446-E.5-2 R9846-4.3.10-1 nothing of it is sent again, unless the application does: R8446-4.2.10-15', () => {
    const pair = pump(sent({ earlyData: undefined }));
    expect(dataOf(pair.server)).toEqual([]);
    expect(theEvent(pair.client, 'early_data')).toEqual({
      type: 'early_data',
      accepted: false,
      reason: 'declined_by_server',
    });
    pair.client.connection.write(earlyText);
    pump(pair);
    expect(dataOf(pair.server)).toEqual([['early data', false]]);
  });

  it('nothing may be exported for it any more', () => {
    const pair = pump(sent({ earlyData: undefined }));
    for (const end of [pair.client, pair.server])
      expect(misuse(() => end.connection.exportEarlyKeyingMaterial('EXPERIMENTAL', 20))).toBe(refused);
  });
});

describe('early_data in a ClientHello without a PSK', () => {
  it('R8446-4.2.10-4 is not read, and the handshake goes on', () => {
    const says = saying('client_hello', withExtensions<ClientHello>({ type: 'early_data', data: {} }));
    const pair = serverPair(world.client(), world.server(), says);
    pair.client.transport.write(contentTypes.application_data, new Uint8Array(100));
    expect(outcome(pump(pair), 'server')).toBe('full: not_offered');
    expect(eventsOf(pair.server, 'early_data')).toEqual([
      { type: 'early_data', accepted: false, reason: 'psk_not_selected' },
    ]);
    expect(dataOf(pair.server)).toEqual([]);
  });
});

describe('anti-replay', () => {
  /** The first flight, as anybody may have recorded it. */
  function recorded(changes: Changes<ServerOptions> = {}): { flight: Uint8Array; server: () => End } {
    const pair = sent(changes);
    return {
      flight: drain(pair.client),
      server: () => makePair(tls13Client('node', 'nobody'), world.server(changes)).server,
    };
  }

  const replayed = (end: End) =>
    eventsOf(end, 'early_data').map(({ accepted, reason }) => (accepted ? 'accepted' : reason));

  it('R8446-8-1 R8446-8.2-2 a recorded flight is early data once, and a PSK without it from then on', () => {
    const { flight, server } = recorded();
    const ends = [server(), server(), server()];
    for (const end of ends) feed(end, flight.slice());
    expect(ends.map(replayed)).toEqual([['accepted'], ['replayed'], ['replayed']]);
    expect(ends.map(dataOf)).toEqual([[['early data', true]], [], []]);
    expect(ends.map(({ connection }) => connection.state)).toEqual(['handshake', 'handshake', 'handshake']);
  });

  it('R8446-8-2 servers that share a guard share what it knows', () => {
    const { flight } = recorded();
    const first = makePair(tls13Client('node', 'nobody'), world.server({ applicationContext: undefined })).server;
    const second = makePair(tls13Client('node', 'nobody'), world.server()).server;
    feed(first, flight.slice());
    feed(second, flight.slice());
    expect([replayed(first), replayed(second)]).toEqual([['accepted'], ['replayed']]);
  });

  function guarded(answer: ReplayAnswer | Error, startedAt = 0): { guard: ReplayGuard; asked: string[] } {
    const asked: string[] = [];
    const guard: ReplayGuard = {
      startedAt,
      check: (key) => {
        asked.push(toHex(key));
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };
    return { guard, asked };
  }

  it('R8446-8.2-1 R8446-8.2-3 the guard is asked for the binder, once it is verified', () => {
    const { guard, asked } = guarded('fresh');
    const earlyData = { maxSize: maxEarlyData, replayGuard: guard, ticketsAreOfThisProcessAlone: true };
    const session = world.session();
    const { heard, says } = listening('client_hello');
    const pair = serverPair(world.client({ session, earlyData: true }), world.server({ earlyData }), says);
    expect(outcome(pump(pair))).toBe('psk_dhe_ke');
    const [binder] = findExtension(heard[0]!.extensions, 'pre_shared_key')!.binders;
    expect(asked).toEqual([toHex(binder!)]);
    const forged = saying('client_hello', (body, hs) => [
      boundHello(hs, body, [{ ...binderKeyOf(session), psk: new Uint8Array(32) }]),
    ]);
    const attack = serverPair(world.client({ session, earlyData: true }), world.server({ earlyData }), forged);
    expect(outcome(pump(attack), 'server')).toBe('server: decrypt_error');
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['replayed', 'replayed'],
    ['maybe_replayed', 'replayed'],
    ['not_checked', 'replay_store_unavailable'],
    [new Error('down'), 'replay_store_unavailable'],
  ] as const)('R8446-8.2-4 P-early-1 the answer %s rejects early data and nothing else', (answer, reason) => {
    const { guard } = guarded(answer);
    const pair = pump(
      sent({ earlyData: { maxSize: maxEarlyData, replayGuard: guard, ticketsAreOfThisProcessAlone: true } }),
    );
    expect(outcome(pair)).toBe('psk_dhe_ke');
    expect(theEvent(pair.server, 'early_data')).toMatchObject({ accepted: false, reason });
  });

  it('P-early-2 R8446-8.2-5 tickets from before the guard began are not asked about', () => {
    const { guard, asked } = guarded('fresh', world.clock.time + 5000);
    const pair = pump(
      sent({ earlyData: { maxSize: maxEarlyData, replayGuard: guard, ticketsAreOfThisProcessAlone: true } }),
    );
    expect(theEvent(pair.server, 'early_data')).toMatchObject({ accepted: false, reason: 'startup_quarantine' });
    expect(asked).toEqual([]);
  });

  it('R8446-8.2-5 for a whole window none is read, where other servers may have issued the ticket', () => {
    const start = world.clock.time;
    const at = (elapsed: number, changes: object = {}) => {
      const { guard } = guarded('fresh', start);
      world.clock.time = start + elapsed;
      const earlyData = { maxSize: maxEarlyData, replayGuard: guard, ...changes };
      return theEvent(pump(sent({ earlyData })).server, 'early_data').reason;
    };
    // A ticket by a clock that is ahead would be of after the start, whenever it was used.
    expect(at(5_000)).toBe('startup_quarantine');
    expect(at(17_000)).toBe('startup_quarantine');
    expect(at(25_000)).toBeUndefined();
    expect(at(5_000, { ticketsAreOfThisProcessAlone: true })).toBeUndefined();
    expect(at(25_000, { freshnessWindow: 60_000 })).toBe('startup_quarantine');
    // The record is kept for others, too.
    const shared = { ...guarded('fresh', start).guard, freshnessWindow: 60_000 };
    expect(at(25_000, { replayGuard: shared })).toBe('startup_quarantine');
  });

  it('R8446-8-1 tickets of another zone resume without early data', () => {
    const { guard } = guarded('fresh');
    const zoned = (zone?: string) => ({
      earlyData: { maxSize: maxEarlyData, replayGuard: guard, ...(zone !== undefined && { zone }) },
    });
    const used = (from?: string, to?: string) => {
      const pair = pump(sent(zoned(to), {}, world.session({}, zoned(from))));
      expect(outcome(pair)).toBe('psk_dhe_ke');
      return theEvent(pair.server, 'early_data').reason;
    };
    expect([used('eu', 'eu'), used()]).toEqual([undefined, undefined]);
    expect([used('eu', 'us'), used(undefined, 'us'), used('eu')]).toEqual(['other_zone', 'other_zone', 'other_zone']);
    for (const zone of ['', 'z'.repeat(256), '\u{1f310}'])
      expect(misuse(() => world.server(zoned(zone)))).toBe('invalid_option');
  });

  it('R8446-8.3-2 without a guard there is no early data, unless replays are declared harmless', () => {
    // @ts-expect-error: the types say so as well
    const unguarded: ServerOptions['earlyData'] = { maxSize: maxEarlyData };
    expect(misuse(() => world.server({ earlyData: unguarded }))).toBe('invalid_option');
    const harmless = { earlyData: { maxSize: maxEarlyData, acceptReplayedEarlyData: true } } as const;
    const { flight, server } = recorded(harmless);
    const ends = [server(), server()];
    for (const end of ends) feed(end, flight.slice());
    expect(ends.map(replayed)).toEqual([['accepted'], ['accepted']]);
  });
});
