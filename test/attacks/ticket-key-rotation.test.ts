/**
 * Springall, Durumeric and Halderman (IMC 2016): long-lived ticket keys, caches and key shares leave recordings open for days.
 * And what operators do about it: keys that seal for a while, open for a while longer, and are then destroyed.
 */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import type { KeyRingOptions } from '../../src/tickets/key-ring-options.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { generateTicketKey } from '../../src/tickets/ticket-key.js';
import { clearItems, connectSync, makeWorld, messageIn, offer, outcome } from '../support/attack-rig.js';
import { epoch, hour } from '../support/connections.js';

function host(now: () => number, options: Partial<KeyRingOptions>) {
  const crypto = options.crypto ?? nobleCrypto;
  const ring = new KeyRing({ crypto, now, ...options });
  return { ring, sealer: new RingSealer({ keys: ring }) };
}

describe('rotation', () => {
  it('R9325-3.4-3 R9325-3.4-5 P-key-6 by default: seals a day, opens a day longer, then never again', () => {
    const world = makeWorld('ticket');
    const { sealer, ring } = host(() => world.clock.time, { automaticRotation: true });
    const server = world.server({ tickets: sealer, renewTickets: 'never' });
    const first = connectSync(world.client(), server);
    const names = () =>
      new Set(
        ring
          .status()
          .filter(({ seals }) => seals)
          .map(({ name }) => toHex(name)),
      );
    const [firstName] = names();

    world.clock.time = epoch + 24 * hour - 1;
    expect(outcome(offer(first, world.client(), server))).toBe('ticket');
    world.clock.time = epoch + 24 * hour;
    const later = connectSync(world.client(), server);
    expect(names()).not.toContain(firstName);
    world.clock.time = epoch + 48 * hour - 1;
    expect(outcome(offer(first, world.client(), server))).toBe('ticket');
    world.clock.time = epoch + 48 * hour;
    expect(outcome(offer(first, world.client(), server))).toBe('full: expired');
    expect(outcome(offer(later, world.client(), server))).toBe('ticket');
  });

  it('P-key-6 hosts whose rings overlap go on resuming, also where one is a key ahead', () => {
    const world = makeWorld('ticket');
    const now = () => world.clock.time;
    const keys = Array.from({ length: 3 }, (_, i) =>
      generateTicketKey(nobleCrypto, {
        sealsFrom: epoch + i * hour,
        sealsUntil: epoch + (i + 1) * hour,
        opensUntil: epoch + (i + 2) * hour,
      }),
    );
    // Host A has been given the next key already, host B not yet.
    const hostA = host(() => now() + hour / 2, { keys });
    const hostB = host(now, { keys: keys.slice(0, 2) });
    const [serverA, serverB] = [hostA, hostB].map(({ sealer }) =>
      world.server({ tickets: sealer, renewTickets: 'never', ticketLifetime: 3600, ticketLifetimeHint: 3600 }),
    );
    if (serverA === undefined || serverB === undefined) throw new Error('two servers are two');
    world.clock.time = epoch + 45 * 60_000;
    const [atA, atB] = [connectSync(world.client(), serverA), connectSync(world.client(), serverB)];
    expect(outcome(offer(atA, world.client(), serverB))).toBe('ticket');
    expect(outcome(offer(atB, world.client(), serverA))).toBe('ticket');
    world.clock.time = epoch + 2 * hour;
    expect(outcome(offer(atB, world.client(), serverB))).toBe('full: expired');
  });

  it('R9325-3.4-4 P-key-6 when its time is over the bytes of a key are zeros', () => {
    const held: Uint8Array[] = [];
    const spying: CryptoBackend = {
      ...nobleCrypto,
      cbc: (key) => (held.push(key), nobleCrypto.cbc(key)),
      hmac: (hash, key) => (held.push(key), nobleCrypto.hmac(hash, key)),
    };
    let time = epoch;
    const { ring } = host(() => time, {
      crypto: spying,
      keys: [generateTicketKey(nobleCrypto, { opensUntil: epoch + hour })],
    });
    expect(held.map((key) => key.some((byte) => byte !== 0))).toEqual([true, true]);
    time = epoch + hour;
    expect(ring.status().map(({ state }) => state)).toEqual(['expired']);
    expect(held.flatMap((key) => Array.from(key))).toEqual(new Array(64).fill(0));
  });

  it('R9325-3.4-6 P-key-7 renewal under newer keys does not make a session older than its horizon', () => {
    const world = makeWorld('ticket');
    const { sealer } = host(() => world.clock.time, { automaticRotation: true });
    const server = world.server({ tickets: sealer, renewTickets: 'always' });
    let last = connectSync(world.client(), server);
    for (let day = 1; day <= 4; day++) {
      world.clock.time = epoch + day * 12 * hour;
      last = offer(last, world.client(), server);
      expect(outcome(last)).toBe('ticket');
    }
    world.clock.time += 1;
    expect(outcome(offer(last, world.client(), server))).toBe('full: too_old');
  });
});

describe('key shares', () => {
  it('R9846-4.3.8-1 R5246-7.4.1.3-5 are fresh on every connection, as the randoms are', () => {
    const world = makeWorld('ticket');
    const [client, server] = [world.client(), world.server({ tickets: undefined })];
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const pair = connectSync(client, server);
      for (const side of ['client', 'server'] as const) {
        for (const message of clearItems(pair, side).map(messageIn)) {
          if (message?.type === 'client_hello' || message?.type === 'server_hello')
            seen.add(toHex(message.body.random));
          if (message?.type === 'client_key_exchange') seen.add(toHex(message.body.public));
          if (message?.type === 'server_key_exchange') seen.add(toHex(message.body.params.public));
        }
      }
    }
    expect(seen.size).toBe(80);
  });
});
