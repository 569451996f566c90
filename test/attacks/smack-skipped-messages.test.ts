/**
 * SMACK (2015), JSSE CVE-2014-6593: peers that left messages out and jumped to Finished were believed: no keys, no
 * authentication. (At every wait every other message is tried in flows/illegal-messages.test.ts.)
 */
import { describe, expect, it } from 'vitest';
import { contentTypes } from '../../src/parameters.js';
import {
  connectSync,
  handshakeItem,
  tls12Kinds,
  makeWorld,
  nameOf,
  outcome,
  pumpThrough,
  type Middleman,
  type Side,
} from '../support/attack-rig.js';
import { eventsOf, makePair } from '../support/connections.js';
import { clientCredentials } from '../support/credentials.js';

const finished = handshakeItem({ type: 'finished', body: { verifyData: new Uint8Array(12) } });
const changeCipherSpec = { contentType: contentTypes.change_cipher_spec, bytes: Uint8Array.of(1) };

/** After `name`, whatever this side says is replaced by `jump`. */
function jumping(
  side: Side,
  name: string,
  jump: readonly Parameters<Middleman>[0][] | ReturnType<Middleman>,
): Middleman {
  let jumped = false;
  return (item) => {
    if (item.from !== side) return [item];
    if (jumped) return [];
    if (nameOf(item) !== name) return [item];
    jumped = true;
    return [item, ...jump];
  };
}

describe.each(tls12Kinds)('a server that skips its authentication (%s)', (kind) => {
  const world = makeWorld(kind);
  const afterHello = ['server_hello', 'certificate', 'server_key_exchange'];

  it.each(afterHello)('R5246-7.4.1.3-3 after %s straight to Finished: unexpected_message', (name) => {
    const pair = pumpThrough(makePair(world.client(), world.server()), jumping('server', name, [finished]));
    expect(outcome(pair)).toBe('client: unexpected_message');
    expect(eventsOf(pair.client, 'handshake')).toEqual([]);
  });

  it.each(afterHello)('R5246-7.4.1.3-3 after %s straight to ChangeCipherSpec: unexpected_message', (name) => {
    const pair = pumpThrough(
      makePair(world.client(), world.server()),
      jumping('server', name, [changeCipherSpec, finished]),
    );
    expect(outcome(pair)).toBe('client: unexpected_message');
  });

  it.each(['certificate', 'server_key_exchange', 'server_hello_done'])(
    'R5246-7.4.1.3-3 %s is left out: unexpected_message',
    (name) => {
      const pair = pumpThrough(makePair(world.client(), world.server()), (item) =>
        item.from === 'server' && nameOf(item) === name ? [] : [item],
      );
      // Without the last message of a flight there is nothing to be surprised at: both wait.
      expect(outcome(pair)).toBe(name === 'server_hello_done' ? 'nothing' : 'client: unexpected_message');
      expect(eventsOf(pair.client, 'handshake')).toEqual([]);
    },
  );
});

describe('a client that skips its authentication', () => {
  const world = makeWorld('ticket');
  const server = world.server({ clientAuthentication: 'require' });
  const client = world.client({ credentials: [clientCredentials] });

  it.each(['certificate', 'client_key_exchange', 'certificate_verify', 'change_cipher_spec'])(
    'P-state-5 %s is left out: unexpected_message',
    (name) => {
      const pair = pumpThrough(makePair(client, server), (item) =>
        item.from === 'client' && nameOf(item) === name ? [] : [item],
      );
      expect(outcome(pair)).toBe('server: unexpected_message');
      expect(eventsOf(pair.server, 'handshake')).toEqual([]);
    },
  );

  it.each([
    ['certificate', 'client_key_exchange'],
    ['client_key_exchange', 'certificate_verify'],
  ])('P-state-5 %s and %s change places: unexpected_message', (first, second) => {
    let held: ReturnType<Middleman> = [];
    const pair = pumpThrough(makePair(client, server), (item) => {
      if (item.from === 'client' && nameOf(item) === first) {
        held = [item];
        return [];
      }
      return item.from === 'client' && nameOf(item) === second ? [item, ...held] : [item];
    });
    expect(outcome(pair)).toBe('server: unexpected_message');
  });

  it('P-state-5 with everything in its place it is let in', () => {
    expect(outcome(connectSync(client, server))).toBe('full: not_offered');
  });
});
