/**
 * EarlyCCS, OpenSSL CVE-2014-0224: ChangeCipherSpec was taken before there was a master secret, and the keys were those of an
 * empty one.
 */
import { describe, expect, it } from 'vitest';
import { AlertError } from '../../src/errors.js';
import { contentTypes, handshakeTypes } from '../../src/parameters.js';
import {
  connectSync,
  tls12Kinds,
  makeWorld,
  nameOf,
  outcome,
  pumpThrough,
  sessionOf,
  type Middleman,
  type Side,
} from '../support/attack-rig.js';
import {
  makeTls13World,
  pairOf,
  pass,
  rogueClient,
  rogueServer,
  type Misbehaviour,
} from '../support/attack-rig-tls13.js';
import { drain, makePair, pump, type Pair } from '../support/connections.js';

const early = { contentType: contentTypes.change_cipher_spec, bytes: Uint8Array.of(1) };

/** Puts a ChangeCipherSpec in front of the message. */
const before =
  (side: Side, name: string): Middleman =>
  (item) =>
    item.from === side && nameOf(item) === name ? [early, item] : [item];

const full = {
  server: [
    'server_hello',
    'certificate',
    'server_key_exchange',
    'certificate_request',
    'server_hello_done',
    'new_session_ticket',
    'change_cipher_spec',
  ],
  client: ['client_hello', 'certificate', 'client_key_exchange', 'change_cipher_spec'],
};
const abbreviated = {
  server: ['server_hello', 'new_session_ticket', 'change_cipher_spec'],
  client: ['client_hello', 'change_cipher_spec'],
};

const cases = (flow: Record<Side, string[]>) =>
  (['server', 'client'] as const).flatMap((side) => flow[side].map((name) => ({ side, name })));

describe('ChangeCipherSpec before its time', () => {
  const world = makeWorld('ticket');
  const server = world.server({ renewTickets: 'always', clientAuthentication: 'request' });
  const session = sessionOf(connectSync(world.client(), server));

  it.each(cases(full))(
    "R5246-7.3-1 R5246-7.1-1 P-state-2 full handshake, before the $side's $name",
    ({ side, name }) => {
      const pair = pumpThrough(makePair(world.client(), server), before(side, name));
      const victim = side === 'client' ? 'server' : 'client';
      expect(outcome(pair)).toBe(
        `${victim}: ${name === 'change_cipher_spec' ? 'bad_record_mac' : 'unexpected_message'}`,
      );
      expect(pair[victim].events.map(({ type }) => type)).toEqual(['close']);
    },
  );

  it.each(cases(abbreviated))(
    "R5246-7.3-1 R5246-7.1-1 P-state-2 abbreviated handshake, before the $side's $name",
    ({ side, name }) => {
      const pair = pumpThrough(makePair(world.client({ session }), server), before(side, name));
      const victim = side === 'client' ? 'server' : 'client';
      expect(outcome(pair)).toBe(
        `${victim}: ${name === 'change_cipher_spec' ? 'bad_record_mac' : 'unexpected_message'}`,
      );
      expect(pair[victim].events.map(({ type }) => type)).toEqual(['close']);
    },
  );
});

describe.each(tls12Kinds)('ChangeCipherSpec (%s)', (kind) => {
  it.each([
    ['the byte 0', [0]],
    ['the byte 2', [2]],
    ['two bytes', [1, 1]],
  ])('R5246-7.1-1 that is %s is illegal', (_title, bytes) => {
    const world = makeWorld(kind);
    const pair = pumpThrough(makePair(world.client(), world.server()), (item) =>
      nameOf(item) === 'change_cipher_spec' ? [{ ...item, bytes: Uint8Array.from(bytes) }] : [item],
    );
    expect(outcome(pair)).toBe('server: illegal_parameter');
  });
});

/** RFC 8446 5 and D.4: in TLS 1.3 it means nothing, is dropped while there is a handshake, and changes no key. */
describe('ChangeCipherSpec in TLS 1.3', () => {
  const record = (...payload: readonly number[]) => Uint8Array.from([20, 3, 3, 0, payload.length, ...payload]);

  /** `bytes` reach this side right before the peer's n-th delivery. */
  function slippedIn(side: Side, delivery: number, bytes: Uint8Array): Pair {
    const world = makeTls13World();
    const pair = pairOf(rogueClient(world.client()), rogueServer(world.server()));
    const victim = pair[side];
    const other = pair[side === 'client' ? 'server' : 'client'];
    for (let deliveries = 0; ; deliveries++) {
      if (deliveries === delivery) victim.connection.receive(bytes);
      const moved = pass(other, victim).length + pass(victim, other).length;
      if (moved === 0 && deliveries > delivery) return pair;
    }
  }
  const closedBy = ({ connection, events }: Pair['client']) => {
    const close = events.find((event) => event.type === 'close');
    return close?.type === 'close' && close.error instanceof AlertError ? close.error.alert : connection.state;
  };

  it('R8446-5-1 at a client, before and after the ServerHello: dropped', () => {
    for (const delivery of [0, 1]) expect(closedBy(slippedIn('client', delivery, record(1)).client)).toBe('open');
  });

  it('R8446-5-1 at a server, before the ClientHello: unexpected_message', () => {
    expect(closedBy(slippedIn('server', 0, record(1)).server)).toBe('unexpected_message');
  });

  it('R8446-5-1 at a server, between ClientHello and Finished: dropped', () => {
    expect(closedBy(slippedIn('server', 1, record(1)).server)).toBe('open');
  });

  it('R8446-5-1 after the handshake: unexpected_message', () => {
    for (const side of ['client', 'server'] as const) {
      const world = makeTls13World();
      const pair = pump(pairOf(rogueClient(world.client()), rogueServer(world.server())));
      pair[side].connection.receive(record(1));
      drain(pair[side]);
      expect(closedBy(pair[side])).toBe('unexpected_message');
    }
  });

  it.each([
    ['the byte 0', record(0)],
    ['the byte 2', record(2)],
    ['two bytes', record(1, 1)],
    ['nothing', record()],
  ])('R8446-5-1 that is %s: unexpected_message', (_title, bytes) => {
    expect(closedBy(slippedIn('client', 0, bytes).client)).toBe('unexpected_message');
    expect(closedBy(slippedIn('server', 1, bytes).server)).toBe('unexpected_message');
  });

  it('R8446-5-1 that is protected: unexpected_message', () => {
    const world = makeTls13World();
    for (const side of ['client', 'server'] as const) {
      const saying: Misbehaviour = {
        transport: (records) => ({
          writeHandshake: (message) => {
            if (message[0] === handshakeTypes.finished)
              records.write(contentTypes.change_cipher_spec, Uint8Array.of(1));
            records.writeHandshake(message);
          },
        }),
      };
      const client = rogueClient(world.client(), side === 'client' ? saying : {});
      const server = rogueServer(world.server(), side === 'server' ? saying : {});
      expect(closedBy(pump(pairOf(client, server))[side === 'client' ? 'server' : 'client'])).toBe(
        'unexpected_message',
      );
    }
  });

  it('P-state-9 without end: bounded', () => {
    const many = new Uint8Array(6 * 1000).map((_, i) => record(1)[i % 6] ?? 0);
    expect(closedBy(slippedIn('client', 0, many).client)).toBe('unexpected_message');
    expect(closedBy(slippedIn('server', 1, many).server)).toBe('unexpected_message');
  });

  it('P-state-2 inside a handshake message: unexpected_message', () => {
    const world = makeTls13World();
    const cutting: Misbehaviour = {
      transport: (records) => ({
        writeHandshake: (message) => {
          records.write(contentTypes.handshake, message.slice(0, 20));
          records.write(contentTypes.change_cipher_spec, Uint8Array.of(1));
          records.write(contentTypes.handshake, message.slice(20));
        },
      }),
    };
    const pair = pump(pairOf(rogueClient(world.client(), cutting), rogueServer(world.server())));
    expect(closedBy(pair.server)).toBe('unexpected_message');
  });
});
