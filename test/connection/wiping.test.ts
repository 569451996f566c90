/** R5246-7.2.2-1 R5246-8.1-1: secrets are forgotten when they have done their work, however a connection ends. */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import type { AeadKey, CryptoBackend, HmacKey } from '../../src/crypto/backend.js';
import { flows, itemName, itemsFrom, otherSide, record, Replay, sides, type Flow } from '../support/replay.js';
import { seededCrypto } from '../support/seeded.js';
import type { Side } from '../support/traffic.js';

/** A backend that keeps hold of every secret that it is given or gives. */
function watched(crypto: CryptoBackend) {
  const secrets: Uint8Array[] = [];
  let alive = 0;
  const living = <K extends AeadKey | HmacKey>(key: K): K => {
    let destroyed = false;
    alive++;
    const destroy = () => {
      if (!destroyed) alive--;
      destroyed = true;
      key.destroy();
    };
    return Object.assign(Object.create(key) as K, bound(key), { destroy });
  };
  const watching: CryptoBackend = {
    ...crypto,
    hmac: (hash, key) => {
      secrets.push(key);
      return living(crypto.hmac(hash, key));
    },
    aead: (algorithm, key) => {
      secrets.push(key);
      return living(crypto.aead(algorithm, key));
    },
  };
  return {
    crypto: watching,
    unwiped: () => secrets.filter((secret) => secret.some((byte) => byte !== 0)).length,
    seen: () => secrets.length,
    alive: () => alive,
  };
}

/** The methods of a key, with the key as their `this`. */
function bound(key: AeadKey | HmacKey): Partial<AeadKey & HmacKey> {
  return 'compute' in key
    ? { compute: (...parts) => key.compute(...parts) }
    : { seal: (...all) => key.seal(...all), open: (...all) => key.open(...all) };
}

const cases = [flows.mutual, flows.withSessionId, flows.sessionId, flows.ticket, flows.renewed].flatMap((flow) =>
  sides.map((side) => [flow.name, side, flow] as const),
);

function begin(flow: Flow, target: Side) {
  const watch = watched(seededCrypto('node', `${target} ${flow.name}`));
  const changes = { crypto: watch.crypto };
  const replay = new Replay(
    flow,
    target,
    target === 'client' ? { clientChanges: changes } : { serverChanges: changes },
  );
  return { watch, replay };
}

describe.each(cases)('%s: the %s', (_, target, flow) => {
  const incoming = itemsFrom(record(flow), otherSide(target));

  it('an open connection holds two record keys and the one secret that exporters need', () => {
    const { watch, replay } = begin(flow, target);
    replay.send(...incoming);
    expect(replay.end.connection.state).toBe('open');
    expect([watch.seen() >= 3, watch.unwiped(), watch.alive()]).toEqual([true, 1, 2]);
  });

  it.each([
    ['our fatal alert', (replay: Replay) => replay.sendBytes(Uint8Array.of(99, 3, 3, 0, 0))],
    ['a fatal alert', (replay: Replay) => replay.send({ contentType: 21, bytes: fromHex('0228') })],
    ['the end of the transport', (replay: Replay) => replay.end.connection.receiveEnd()],
    ['destroy', (replay: Replay) => replay.end.connection.destroy()],
  ])('after %s at any time nothing is left', (_, end) => {
    for (let at = 0; at <= incoming.length; at++) {
      const { watch, replay } = begin(flow, target);
      replay.send(...incoming.slice(0, at));
      end(replay);
      const item = incoming[at];
      const name = item && itemName(item);
      expect([replay.end.connection.state, watch.unwiped(), watch.alive()], `before ${name ?? 'the end'}`).toEqual([
        'closed',
        0,
        0,
      ]);
    }
  });
});
