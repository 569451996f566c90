/** What comes after a TLS 1.3 handshake, and beside it: KeyUpdate, change_cipher_spec, alerts (RFC 8446 4.6.3, 5, 6, D.4). */
import { describe, expect, it } from 'vitest';
import { ascii, empty, join, toHex } from '../../src/bytes.js';
import type { AlertDescription } from '../../src/alert.js';
import { defaultLimits, type ConnectionLimits } from '../../src/connection/limits.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { contentTypes } from '../../src/parameters.js';
import {
  drain,
  eventsOf,
  makePair,
  move,
  pump,
  theEvent,
  type Changes,
  type End,
  type Pair,
} from '../support/connections.js';
import {
  clientPair,
  outcome,
  saying,
  serverMeets,
  serverPair,
  withExtensions,
  type EditingEnd,
  type Says,
} from '../support/tls13-rules.js';
import type { Side } from '../support/traffic.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();
const sides = ['client', 'server'] as const;
const other = { client: 'server', server: 'client' } as const;

/** An open connection; `loose` can say what it likes to the other end. */
function opened(loose: Side, limits: Partial<ConnectionLimits> = {}): Pair & { loose: EditingEnd; honest: End } {
  const settings = [world.client(), world.server({ ticketCount: 0 })] as const;
  if (loose === 'server') {
    const pair = clientPair(...settings, undefined, { limits });
    pump(pair);
    return { ...pair, loose: pair.server, honest: pair.client };
  }
  const pair = serverPair(...settings, undefined, { limits });
  pump(pair);
  return { ...pair, loose: pair.client, honest: pair.server };
}

/** Types of the records in a stream. */
function recordTypes(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < bytes.length; at += 5 + bytes[at + 3]! * 256 + bytes[at + 4]!) found.push(bytes[at]!);
  return found;
}

const say = ({ connection }: End, text: string) => connection.write(ascii(text));
const heard = (end: End) => eventsOf(end, 'data').map(({ data }) => toHex(data));

describe.each(sides)('KeyUpdate by the %s', (side) => {
  it('R8446-7.2-1 changes the keys of one direction, and of the other if asked for', () => {
    for (const requestPeer of [false, true]) {
      const logs: string[] = [];
      const pair = pump(
        makePair(world.client({ keyLog: (line) => logs.push(line) }), world.server({ ticketCount: 0 })),
      );
      pair[side].connection.updateKeys({ requestPeer });
      say(pair[side], 'new');
      pump(pair);
      say(pair[other[side]], 'back');
      pump(pair);
      expect(heard(pair[other[side]])).toEqual([toHex(ascii('new'))]);
      expect(heard(pair[side])).toEqual([toHex(ascii('back'))]);
      const updated = logs
        .filter((line) => line.includes('TRAFFIC_SECRET_1'))
        .map((line) => line.split('_')[0]!.toLowerCase());
      expect(updated.sort()).toEqual(requestPeer ? ['client', 'server'] : [side]);
    }
  });

  it('R9846-4.7.3-1 asks once at a time, and again once it is answered, which is before data', () => {
    const pair = pump(makePair(world.client(), world.server({ ticketCount: 0 })));
    const answers = () => {
      const bytes = drain(pair[side]);
      pair[other[side]].connection.receive(bytes);
      expect(drain(pair[other[side]])).toHaveLength(0);
      say(pair[other[side]], 'data');
      return recordTypes(drain(pair[other[side]])).length - 1;
    };
    pair[side].connection.updateKeys({ requestPeer: true });
    pair[side].connection.updateKeys({ requestPeer: true });
    pair[side].connection.updateKeys({ requestPeer: true });
    const bytes = drain(pair[side]);
    expect(recordTypes(bytes)).toEqual([23, 23, 23]);
    pair[other[side]].connection.receive(bytes);
    say(pair[other[side]], 'one answer for three');
    const answer = drain(pair[other[side]]);
    expect(recordTypes(answer)).toEqual([23, 23]);
    pair[side].connection.updateKeys({ requestPeer: true });
    expect(answers()).toBe(0);
    pair[side].connection.receive(answer);
    pair[side].connection.updateKeys({ requestPeer: true });
    expect(answers()).toBe(1);
  });

  it('R9846-4.7.3-1 may be said any number of times, with data in between', () => {
    const pair = pump(makePair(world.client(), world.server({ ticketCount: 0 })));
    for (let i = 0; i < 200; i++) {
      pair[side].connection.updateKeys();
      say(pair[side], String(i));
      pump(pair);
    }
    expect(heard(pair[other[side]])).toHaveLength(200);
  });

  it('without end, and without data in between: unexpected_message', () => {
    const { loose, honest, ...pair } = opened(side);
    for (let i = 0; i < 33; i++) loose.connection.updateKeys({ requestPeer: true });
    pump(pair);
    expect(honest.connection.state).toBe('closed');
    expect(outcome(pair, other[side])).toBe(`${other[side]}: unexpected_message`);
  });

  it('R8446-4.6.3-1 that asks for anything but 0 or 1: illegal_parameter', () => {
    const { loose, ...pair } = opened(side);
    loose.transport.writeHandshake(Uint8Array.of(24, 0, 0, 1, 2));
    expect(outcome(pump(pair), other[side])).toBe(`${other[side]}: illegal_parameter`);
  });

  it('R8446-5.1-1 with something behind it in its record: unexpected_message', () => {
    const { loose, ...pair } = opened(side);
    loose.transport.writeHandshake(Uint8Array.of(24, 0, 0, 1, 0));
    loose.transport.writeHandshake(Uint8Array.of(24, 0, 0, 1, 0));
    expect(outcome(pump(pair), other[side])).toBe(`${other[side]}: unexpected_message`);
  });

  it('R9846-5.5-1 R8446-7.3-1 comes by itself before a key is worn out', () => {
    const limits = { maxRecordsPerKey: 10 };
    const pair = makePair(world.client(), world.server({ ticketCount: 0 }), { client: { limits }, server: { limits } });
    pump(pair);
    const logs = pair.segments.length;
    for (let i = 0; i < 35; i++) say(pair[side], String(i));
    pump(pair);
    expect(heard(pair[other[side]])).toHaveLength(35);
    const records = recordTypes(join(pair.segments.slice(logs).map(({ bytes }) => bytes)));
    // Ten records of data under each key, and then a KeyUpdate in an eleventh.
    expect(records).toHaveLength(35 + 3);
  });
});

it('R9846-5.5-1 early data ends where its key is worn out: there is no KeyUpdate yet', () => {
  const session = world.session();
  const limits = { maxRecordsPerKey: 3 };
  const pair = makePair(world.client({ session, earlyData: true }), world.server(), { client: { limits } });
  for (let i = 0; i < 3; i++) pair.client.connection.writeEarlyData(ascii('early'));
  expect(() => pair.client.connection.writeEarlyData(ascii('early'))).toThrow('worn out');
  expect(outcome(pump(pair))).toBe('psk_dhe_ke');
  expect(theEvent(pair.server, 'handshake').earlyDataBytes).toBe(15);
});

describe.each(sides)('change_cipher_spec from the %s', (side) => {
  const record = (...payload: number[]) => Uint8Array.of(20, 3, 3, 0, payload.length, ...payload);

  /** What the other side makes of it in mid-handshake, before `side` has said its last word. */
  function inHandshake(bytes: Uint8Array): string {
    const pair = makePair(world.client(), world.server());
    if (side === 'client') {
      pair.server.connection.receive(join([drain(pair.client), bytes]));
    } else {
      pair.server.connection.receive(drain(pair.client));
      pair.client.connection.receive(join([bytes, drain(pair.server)]));
    }
    return outcome(pump(pair), other[side]);
  }

  it('R8446-5-1 of one byte 01 is dropped in mid-handshake', () => {
    expect(inHandshake(record(1))).toBe('full: not_offered');
    expect(inHandshake(join([record(1), record(1)]))).toBe('full: not_offered');
  });

  it('R8446-5-1 of anything else: unexpected_message', () => {
    for (const bytes of [record(2), record(0), record(1, 1)])
      expect(inHandshake(bytes)).toBe(`${other[side]}: unexpected_message`);
  });

  it('R8446-5-1 that is protected: unexpected_message', () => {
    const { loose, ...pair } = opened(side);
    loose.transport.write(contentTypes.change_cipher_spec, Uint8Array.of(1));
    expect(outcome(pump(pair), other[side])).toBe(`${other[side]}: unexpected_message`);
  });

  it('R8446-5-1 that is protected, in mid-handshake: unexpected_message', () => {
    const pairOf = side === 'server' ? clientPair : serverPair;
    const type = side === 'server' ? 'encrypted_extensions' : 'finished';
    const pair: Pair = pairOf(world.client(), world.server(), (message) => {
      if (message.type === type)
        (pair[side] as EditingEnd).transport.write(contentTypes.change_cipher_spec, Uint8Array.of(1));
      return [message];
    });
    expect(outcome(pump(pair), other[side])).toBe(`${other[side]}: unexpected_message`);
  });

  it('R8446-5-1 after the peer’s Finished: unexpected_message', () => {
    const pair = pump(makePair(world.client(), world.server()));
    pair[other[side]].connection.receive(record(1));
    expect(outcome(pump(pair), other[side])).toBe(`${other[side]}: unexpected_message`);
  });

  it('without end: unexpected_message; the first one is no warning, those after it are', () => {
    const several = (length: number) => inHandshake(join(Array.from({ length }, () => record(1))));
    // One more comes from the flow itself.
    expect(several(defaultLimits.maxWarnings)).toBe('full: not_offered');
    expect(several(defaultLimits.maxWarnings + 1)).toBe(`${other[side]}: unexpected_message`);
  });
});

it('R8446-5-1 change_cipher_spec before the first ClientHello: unexpected_message', () => {
  const pair = makePair(world.client(), world.server());
  pair.server.connection.receive(Uint8Array.of(20, 3, 3, 0, 1, 1));
  expect(outcome(pump(pair), 'server')).toBe('server: unexpected_message');
});

describe('compatibility mode', () => {
  const flights = (pair: Pair) =>
    pump(pair).segments.map(({ from, bytes }) => `${from} ${recordTypes(bytes).join(' ')}`);

  it('R8446-D.4-1 R8446-D.4-2 change_cipher_spec after the server’s first message, before the client’s second flight', () => {
    expect(flights(makePair(world.client(), world.server({ ticketCount: 0 })))).toEqual([
      'client 22',
      'server 22 20 23',
      'client 20 23',
    ]);
  });

  it('R8446-D.4-1 R8446-D.4-2 after HelloRetryRequest, once on each side', () => {
    const retrying = { groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] } as const;
    expect(flights(makePair(world.client(retrying), world.server({ groups: ['x25519'], ticketCount: 0 })))).toEqual([
      'client 22',
      'server 22 20',
      'client 20 22',
      'server 22 23',
      'client 23',
    ]);
  });

  it('R8446-D.4-2 right after a ClientHello with early data', () => {
    const pair = makePair(
      world.client({ session: world.session(), earlyData: true }),
      world.server({ ticketCount: 0 }),
    );
    pair.client.connection.writeEarlyData(ascii('early'));
    expect(flights(pair)).toEqual(['client 22 20 23', 'server 22 20 23', 'client 23 23']);
  });

  it('neither side sends it to a client without a session ID', () => {
    expect(
      flights(makePair(world.client({ middleboxCompatibility: false }), world.server({ ticketCount: 0 }))),
    ).toEqual(['client 22', 'server 22 23', 'client 23']);
  });

  it('RFC 8446 D.4: alwaysMiddleboxCompatible has a server send it to such a client too', () => {
    const always = { ticketCount: 0, alwaysMiddleboxCompatible: true };
    expect(flights(makePair(world.client({ middleboxCompatibility: false }), world.server(always)))).toEqual([
      'client 22',
      'server 22 20 23',
      'client 23',
    ]);
  });

  it('a client sends it as soon as it has the ServerHello', () => {
    const pair = makePair(world.client(), world.server());
    pair.server.connection.receive(drain(pair.client));
    const flight = drain(pair.server);
    pair.client.connection.receive(flight.subarray(0, 5 + flight[3]! * 256 + flight[4]!));
    expect(recordTypes(drain(pair.client))).toEqual([20]);
  });
});

describe('an alert of a client in mid-handshake is under its handshake keys, and a server can read it', () => {
  const misplaced = saying('encrypted_extensions', withExtensions({ type: 0x7a7a, data: empty }));
  const refused = saying('finished', ({ verifyData }) => ({ verifyData: verifyData.map((byte) => byte ^ 1) }));
  const early = () => ({ session: world.session(), earlyData: true });

  it.each<[string, () => Changes<ClientOptions>, Changes<ServerOptions>, Says, AlertDescription]>([
    ['EncryptedExtensions', () => ({}), {}, misplaced, 'unsupported_extension'],
    ['the Finished', () => ({}), {}, refused, 'decrypt_error'],
    ['the Finished, with early data rejected', early, { earlyData: undefined }, refused, 'decrypt_error'],
    ['the Finished, with early data accepted: under the keys of that', early, {}, refused, 'decrypt_error'],
  ])('about %s', (_what, ofClient, ofServer, says, alert) => {
    const pair = clientPair(world.client(ofClient()), world.server(ofServer), says);
    if (pair.client.connection.earlyDataAllowance > 0) pair.client.connection.writeEarlyData(ascii('early'));
    pump(pair);
    expect(theEvent(pair.client, 'close').error).toMatchObject({ name: 'AlertError', alert });
    expect(theEvent(pair.server, 'close').error).toMatchObject({ name: 'PeerAlertError', alert });
  });
});

describe('RFC 8446 5.1: handshake data that goes on past the end of a flight', () => {
  it('behind a ClientHello that a HelloRetryRequest answers, or a ServerHello: unexpected_message', () => {
    const begun = Uint8Array.of(20, 0, 0);
    const groups = { groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] } as const;
    for (const ofServer of [{}, { groups: ['x25519'] } as const]) {
      const says: Says = (message) => (message.type === 'client_hello' ? [message, begun] : [message]);
      expect(serverMeets(world.client(groups), world.server(ofServer), says)).toBe('server: unexpected_message');
    }
  });

  it('but a KeyUpdate in pieces, right behind the client’s Finished, crosses with tickets', () => {
    const logs: string[] = [];
    const pair = serverPair(world.client(), world.server({ keyLog: (line) => logs.push(line) }));
    move(pair, 'client');
    move(pair, 'server');
    for (const piece of [Uint8Array.of(24, 0), Uint8Array.of(0, 1, 0)])
      pair.client.transport.write(contentTypes.handshake, piece);
    move(pair, 'client');
    expect(pair.server.connection.state).toBe('open');
    expect(theEvent(pair.server, 'handshake').newTicket).toBe(true);
    expect(logs.filter((line) => line.startsWith('CLIENT_TRAFFIC_SECRET_1 '))).toHaveLength(1);
  });
});

describe.each(sides)('after the handshake, from the %s', (side) => {
  const bodies = [
    ['finished', Uint8Array.of(20, 0, 0, 32, ...new Uint8Array(32))],
    ['certificate', Uint8Array.of(11, 0, 0, 4, 0, 0, 0, 0)],
    ['certificate_request, for which nobody said post_handshake_auth', Uint8Array.of(13, 0, 0, 3, 0, 0, 0)],
    ['hello_request of TLS 1.2', Uint8Array.of(0, 0, 0, 0)],
    ['encrypted_extensions', Uint8Array.of(8, 0, 0, 2, 0, 0)],
    ['a message of a type that nobody knows', Uint8Array.of(99, 0, 0, 0)],
  ] as const;

  it.each(bodies)('%s: unexpected_message', (_what, bytes) => {
    const { loose, ...pair } = opened(side);
    loose.transport.writeHandshake(bytes);
    expect(outcome(pump(pair), other[side])).toBe(`${other[side]}: unexpected_message`);
  });

  it.each([
    [0, 'AlertError', 'illegal_parameter'],
    [1, 'AlertError', 'decode_error'],
    [2, 'PeerAlertError', 'handshake_failure'],
    [3, 'AlertError', 'illegal_parameter'],
  ])('RFC 8446 6.2: handshake_failure at level %i: %s, %s', (level, name, alert) => {
    const { loose, honest, ...pair } = opened(side);
    loose.transport.write(contentTypes.alert, Uint8Array.of(level, 40));
    pump(pair);
    expect(theEvent(honest, 'close').error).toMatchObject({ alert, name });
  });

  it('user_canceled is a warning', () => {
    const { loose, honest, ...pair } = opened(side);
    loose.transport.write(contentTypes.alert, Uint8Array.of(1, 90));
    pump(pair);
    expect(eventsOf(honest, 'warning')).toEqual([{ type: 'warning', alert: 'user_canceled' }]);
    expect(honest.connection.state).toBe('open');
  });

  it('an alert of three bytes: decode_error', () => {
    const { loose, ...pair } = opened(side);
    loose.transport.write(contentTypes.alert, Uint8Array.of(1, 0, 0));
    expect(outcome(pump(pair), other[side])).toBe(`${other[side]}: decode_error`);
  });
});

it('a NewSessionTicket from a client: unexpected_message', () => {
  const { loose, ...pair } = opened('client');
  loose.hs.sendAfterHandshake({
    type: 'new_session_ticket',
    body: { ticketLifetime: 1, ticketAgeAdd: 0, ticketNonce: empty, ticket: ascii('t'), extensions: [] },
  });
  expect(outcome(pump(pair), 'server')).toBe('server: unexpected_message');
});
