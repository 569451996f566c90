/** The life of a connection as its owner sees it: writing, closing, the end of the transport, what is thrown and what is not. */
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../src/bytes.js';
import { clientConnection, type FatalAlert } from '../../src/connection/connection.js';
import { maxPlaintextLength } from '../../src/record/deframer.js';
import {
  connect,
  drain,
  driverNames,
  eventsOf,
  makeEnd,
  makePair,
  pump,
  settle,
  theEvent,
  type Pair,
} from '../support/connections.js';
import { flows, itemsFrom, otherSide, record, Replay } from '../support/replay.js';
import { alertsOf, readTraffic } from '../support/traffic.js';

const open = (): Pair => pump(makePair(flows.withTicket.client(), flows.withTicket.server()));
const notOpen = { name: 'UsageError', code: 'connection_not_open' };

describe('abort', () => {
  const versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

  it.each([
    ['TLS 1.2', {}],
    ['TLS 1.3', versions],
  ])('%s: ends the connection with an alert of the caller’s own, on both sides', (_version, changes) => {
    for (const by of ['client', 'server'] as const) {
      const pair = pump(makePair(flows.full.client(changes), flows.full.server(changes)));
      pair[by].connection.abort('access_denied');
      pump(pair);
      const error = { name: 'AlertError', alert: 'access_denied', message: 'the application ended the connection' };
      expect(theEvent(pair[by], 'close')).toMatchObject({ reason: 'error', error });
      expect(theEvent(pair[otherSide(by)], 'close').error).toMatchObject({
        name: 'PeerAlertError',
        alert: 'access_denied',
      });
    }
  });

  it('does so in mid-handshake, and nothing where it is over', () => {
    const pair = makePair(flows.full.client(), flows.full.server());
    pair.server.connection.receive(drain(pair.client));
    drain(pair.server);
    pair.server.connection.abort('access_denied');
    expect(toHex(drain(pair.server))).toBe('15030300020231');
    pair.server.connection.abort('internal_error');
    expect(drain(pair.server)).toHaveLength(0);
    expect(theEvent(pair.server, 'close').error).toMatchObject({ alert: 'access_denied' });
  });

  it.each(['close_notify', 'user_canceled', 'no such alert', 'toString'])('takes no %s', (alert) => {
    const { client } = pump(makePair(flows.full.client(), flows.full.server()));
    expect(() => client.connection.abort(alert as FatalAlert)).toThrow(
      expect.objectContaining({ name: 'UsageError', code: 'invalid_option' }),
    );
    expect(client.connection.state).toBe('open');
  });
});

describe('events', () => {
  it.each(driverNames)('come in the order in which things happened, driver %s', async (driver) => {
    const pair = await connect(flows.withTicket.client(), flows.withTicket.server(), { driver });
    pair.server.connection.write(ascii('one'));
    pair.server.connection.write(ascii('two'));
    pair.server.connection.close();
    await settle(pair);
    expect(pair.client.events.map(({ type }) => type)).toEqual(['handshake', 'session', 'data', 'data', 'close']);
    expect(pair.server.events.map(({ type }) => type)).toEqual(['handshake', 'close']);
  });

  it('of data own their bytes, whatever becomes of the transport’s', () => {
    const { client, server } = open();
    client.connection.write(ascii('hello'));
    const bytes = client.connection.takeOutput();
    server.connection.receive(bytes);
    bytes.fill(0);
    const [event] = server.connection.takeEvents();
    expect(event).toEqual({ type: 'data', data: ascii('hello'), early: false });
  });

  it('and output are handed out once', () => {
    const { client } = open();
    client.connection.write(ascii('hello'));
    expect(client.connection.takeOutput().length).toBeGreaterThan(0);
    expect(client.connection.takeOutput().length).toBe(0);
    expect(client.connection.takeEvents()).toEqual([]);
  });

  it('wake is called only where an answer was waited for', async () => {
    const wakes: number[] = [];
    for (const driver of driverNames) {
      const pair = await connect(flows.mutual.client(), flows.mutual.server(), { driver });
      wakes.push(pair.client.wakes + pair.server.wakes);
    }
    expect(wakes.slice(0, 2)).toEqual([0, 0]);
    expect(wakes[2]).toBeGreaterThan(8);
  });

  it('the result is at hand once the handshake is complete, and not before', () => {
    const pair = makePair(flows.withTicket.client(), flows.withTicket.server());
    expect([pair.client.connection.handshake, pair.client.connection.state]).toEqual([undefined, 'handshake']);
    pump(pair);
    expect(pair.client.connection.handshake).toMatchObject({ mode: 'full', version: 'TLSv1.2', newTicket: true });
    expect(theEvent(pair.client, 'handshake')).not.toHaveProperty('session');
  });
});

describe('writing', () => {
  it('R5246-7.4.9-3 needs an open connection', () => {
    const pair = makePair(flows.full.client(), flows.full.server());
    expect(() => pair.client.connection.write(ascii('early'))).toThrow(expect.objectContaining(notOpen));
    pump(pair);
    pair.client.connection.write(ascii('in time'));
    pair.client.connection.close();
    expect(() => pair.client.connection.write(ascii('late'))).toThrow(expect.objectContaining(notOpen));
    pump(pair);
    expect(() => pair.client.connection.write(ascii('too late'))).toThrow(expect.objectContaining(notOpen));
    expect(eventsOf(pair.server, 'data').map(({ data }) => data)).toEqual([ascii('in time')]);
  });

  it('takes data at once: the caller may change it afterwards', () => {
    const { client, server } = open();
    const data = ascii('hello');
    client.connection.write(data);
    data.fill(0);
    server.connection.receive(client.connection.takeOutput());
    expect(server.connection.takeEvents()).toEqual([{ type: 'data', data: ascii('hello'), early: false }]);
  });

  it('cuts at 2^14 bytes, and makes no record of nothing', () => {
    const { client, segments } = open();
    client.connection.write(new Uint8Array(0));
    expect(client.connection.takeOutput().length).toBe(0);
    client.connection.write(new Uint8Array(maxPlaintextLength + 1));
    const records = client.connection.takeOutput();
    expect(toHex(records.subarray(0, 5))).toBe('1703034018');
    expect(records.length).toBe(5 + maxPlaintextLength + 24 + 5 + 1 + 24);
    expect(segments.length).toBeGreaterThan(0);
  });
});

describe('closing', () => {
  const traffic = ({ segments }: Pair, keyLog: string) => alertsOf(readTraffic(segments, keyLog));
  const openLogged = () => {
    let keyLog = '';
    const pair = pump(makePair(flows.full.client({ keyLog: (line) => (keyLog = line) }), flows.full.server()));
    return { pair, keyLog };
  };

  it.each(['client', 'server'] as const)(
    'R5246-7.2.1-1 by the %s: close_notify, answered, and told once to each',
    (side) => {
      const { pair, keyLog } = openLogged();
      pair[side].connection.close();
      pair[side].connection.close();
      expect(pair[side].connection.state).toBe('open');
      pump(pair);
      expect(traffic(pair, keyLog)).toEqual(['warning close_notify', 'warning close_notify']);
      for (const end of [pair.client, pair.server]) {
        expect(theEvent(end, 'close')).toEqual({ type: 'close', reason: 'close_notify' });
        expect(end.connection.state).toBe('closed');
      }
    },
  );

  it('what the peer has still sent is delivered', () => {
    const { client, server } = open();
    client.connection.close();
    server.connection.write(ascii('still'));
    client.connection.receive(server.connection.takeOutput());
    expect(client.connection.takeEvents()).toEqual([{ type: 'data', data: ascii('still'), early: false }]);
    server.connection.receive(client.connection.takeOutput());
    client.connection.receive(server.connection.takeOutput());
    expect(client.connection.takeEvents()).toEqual([{ type: 'close', reason: 'close_notify' }]);
  });

  it('both at once', () => {
    const { pair, keyLog } = openLogged();
    pair.client.connection.close();
    pair.server.connection.close();
    pump(pair);
    expect(traffic(pair, keyLog)).toEqual(['warning close_notify', 'warning close_notify']);
    expect([theEvent(pair.client, 'close').reason, theEvent(pair.server, 'close').reason]).toEqual([
      'close_notify',
      'close_notify',
    ]);
  });

  it('after our close_notify nothing else is said, whatever the peer does', () => {
    const { pair, keyLog } = openLogged();
    pair.client.connection.close();
    pair.client.connection.receive(fromHex('1703030001' + '00'));
    pump(pair);
    expect(traffic(pair, keyLog)[0]).toBe('warning close_notify');
    expect(eventsOf(pair.client, 'close')).toMatchObject([{ reason: 'error', error: { alert: 'bad_record_mac' } }]);
    expect(
      readTraffic(pair.segments, keyLog).filter(({ from, contentType }) => from === 'client' && contentType === 21)
        .length,
    ).toBe(1);
  });

  it('R5746-5-1 a renegotiation after our close_notify is not even refused', () => {
    for (const side of ['client', 'server'] as const) {
      const recording = record(flows.full);
      const replay = new Replay(flows.full, side).send(...itemsFrom(recording, otherSide(side)));
      replay.end.connection.close();
      expect(alertsOf(replay.said())).toEqual(['warning close_notify']);
      const again = side === 'client' ? fromHex('00000000') : recording.items[0]!.bytes;
      replay.send({ contentType: 22, bytes: again });
      expect([replay.said(), replay.end.connection.state]).toEqual([[], 'open']);
    }
  });

  it('in mid-handshake says so and is over', () => {
    const pair = makePair(flows.full.client(), flows.full.server());
    drain(pair.client);
    pair.client.connection.close();
    expect(toHex(drain(pair.client))).toBe('15030100020100');
    expect(pair.client.events).toEqual([{ type: 'close', reason: 'destroyed' }]);
  });

  it('the transport ends: truncated, with or without a part of a record', () => {
    for (const part of [new Uint8Array(0), fromHex('170303')]) {
      const { client } = open();
      client.connection.receive(part);
      client.connection.receiveEnd();
      expect(client.connection.takeEvents()).toEqual([{ type: 'close', reason: 'truncated' }]);
      expect(client.connection.takeOutput().length).toBe(0);
    }
  });

  it('what came before the end of the transport is handled, however long an answer takes', async () => {
    for (const last of ['close_notify', 'nothing'] as const) {
      const stored: (() => void)[] = [];
      const set = () => new Promise<void>((resolve) => stored.push(resolve));
      const sessions = { get: () => undefined, set, delete: () => undefined };
      const pair = makePair(flows.withSessionId.client(), flows.withSessionId.server({ sessions }), {
        driver: 'async',
      });
      await settle(pair);
      expect([pair.client.connection.state, pair.server.connection.waiting]).toEqual(['open', true]);
      pair.client.connection.write(ascii('GET'));
      if (last === 'close_notify') pair.client.connection.close();
      pair.server.connection.receive(drain(pair.client));
      pair.server.connection.receiveEnd();
      expect(pair.server.connection.takeEvents()).toEqual([]);
      stored[0]!();
      await settle(pair);
      expect(pair.server.events.map(({ type }) => type)).toEqual(['handshake', 'data', 'close']);
      expect(theEvent(pair.server, 'close').reason).toBe(last === 'close_notify' ? 'close_notify' : 'truncated');
    }
  });

  it('with nothing to handle, the end of the transport ends the wait for an answer', async () => {
    const sessions = { get: () => undefined, set: () => new Promise<void>(() => undefined), delete: () => undefined };
    const pair = makePair(flows.withSessionId.client(), flows.withSessionId.server({ sessions }), { driver: 'async' });
    await settle(pair);
    expect(pair.server.connection.waiting).toBe(true);
    pair.server.connection.receiveEnd();
    expect(pair.server.connection.takeEvents()).toEqual([{ type: 'close', reason: 'truncated' }]);
    expect([pair.server.connection.state, pair.server.connection.waiting]).toEqual(['closed', false]);
  });

  it('destroy says nothing', () => {
    const { client } = open();
    client.connection.destroy();
    client.connection.destroy();
    expect([client.connection.takeOutput().length, client.connection.takeEvents()]).toEqual([
      0,
      [{ type: 'close', reason: 'destroyed' }],
    ]);
  });
});

describe('on the wire', () => {
  it('R5246-E.1-1 the first hello is in a record of version 3.1, everything else in 3.3', () => {
    const { segments } = record(flows.mutual);
    const versions = { client: new Set<string>(), server: new Set<string>() };
    let first: string | undefined;
    for (const { from, bytes } of segments)
      for (let at = 0; at < bytes.length; at += 5 + bytes[at + 3]! * 0x100 + bytes[at + 4]!) {
        const version = toHex(bytes.subarray(at + 1, at + 3));
        if (first === undefined) first = version;
        else versions[from].add(version);
      }
    expect([first, [...versions.client], [...versions.server]]).toEqual(['0301', ['0303'], ['0303']]);
  });

  it('a flight shares a record', () => {
    const { segments } = record(flows.mutual);
    const [, flight] = segments;
    expect(flight!.bytes.length).toBe(5 + flight!.bytes[3]! * 0x100 + flight!.bytes[4]!);
  });
});

describe('keying material (RFC 5705)', () => {
  it('is the same on both sides, for the same label, length and context', () => {
    const { client, server } = open();
    const both = (label: string, length: number, context?: Uint8Array) =>
      [client, server].map(({ connection }) => toHex(connection.exportKeyingMaterial(label, length, context)));
    const [mine, theirs] = both('EXPERIMENTAL one', 32);
    expect(mine).toBe(theirs);
    expect(mine?.length).toBe(64);
    const all = [
      mine,
      both('EXPERIMENTAL two', 32)[0],
      both('EXPERIMENTAL one', 32, new Uint8Array(0))[0],
      both('EXPERIMENTAL one', 32, ascii('x'))[0],
    ];
    expect(new Set(all).size).toBe(4);
  });

  it('needs an open connection', () => {
    const pair = makePair(flows.full.client(), flows.full.server());
    expect(() => pair.client.connection.exportKeyingMaterial('EXPERIMENTAL', 32)).toThrow(
      expect.objectContaining(notOpen),
    );
  });
});

it('RFC 9850: both sides log the same line, one for each handshake', () => {
  const lines: Record<string, string[]> = { client: [], server: [] };
  const keyLog = (side: string) => (line: string) => void lines[side]!.push(line);
  for (const flow of [flows.full, flows.ticket])
    pump(makePair(flow.client({ keyLog: keyLog('client') }), flow.server({ keyLog: keyLog('server') })));
  expect(lines['client']).toEqual(lines['server']);
  expect(lines['client']!.length).toBe(2);
  for (const line of lines['client']!) expect(line).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}$/);
});

it('bytes may be given while the connection is busy with those before', async () => {
  const { items: _, segments } = record(flows.full);
  const fromServer = segments.filter(({ from }) => from === 'server').map(({ bytes }) => bytes);
  const end = makeEnd(
    (options) =>
      clientConnection(
        flows.full.client({
          verifyCertificate: (question) => {
            // The transport delivers in the middle of a callback.
            end.connection.receive(fromServer[1]!);
            return flows.full.client().verifyCertificate(question);
          },
        }),
        options,
      ),
    'async',
  );
  end.connection.receive(concat(fromServer[0]!));
  await new Promise(setImmediate);
  drain(end);
  expect(end.events.map(({ type }) => type)).toEqual(['handshake']);
});
