/**
 * EarlyCCS, OpenSSL CVE-2014-0224: ChangeCipherSpec was taken before there was a master secret, and the keys were those of an
 * empty one.
 */
import { describe, expect, it } from 'vitest';
import { contentTypes } from '../../src/parameters.js';
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
import { makePair } from '../support/connections.js';

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
