/**
 * As many PSK identities as fit into a ClientHello: each may cost a look into a store and a decryption, so that only so many are
 * looked at, and only the binder of the one that is chosen.
 */
import { describe, expect, it } from 'vitest';
import { maxPskIdentities } from '../../src/handshake/find-psk.js';
import type { OfferedPsks } from '../../src/messages/index.js';
import { outcome } from '../support/attack-rig.js';
import {
  boundHello,
  changingHello,
  makeTls13World,
  pairOf,
  reshaped,
  rogueClient,
  rogueServer,
  type Tls13World,
} from '../support/attack-rig-tls13.js';
import { eventsOf, pump } from '../support/connections.js';
import { countingCrypto } from '../support/counting-crypto.js';
import { RecordingStore } from '../support/recording-store.js';
import type { ServerSettings } from '../../src/handshake/settings.js';
import type { Tls13Session } from '../../src/sessions/session.js';

function junkIdentity(i: number, length: number): Uint8Array {
  const identity = new Uint8Array(length);
  identity.set([0x6a, i >> 8, i & 0xff]);
  return identity;
}

/** The honest PSK at `position` among identities that nobody knows; its binder is right. */
function flood(
  world: Tls13World,
  session: Tls13Session,
  server: ServerSettings,
  count: number,
  position: number,
  length = 3,
) {
  const client = rogueClient(
    world.client({ session }),
    changingHello(0, (body, hs) => {
      const keys = Array.from({ length: count }, (_, i) =>
        i === position ? ({ hash: 'sha256', psk: session.psk } as const) : undefined,
      );
      const crowded = reshaped(body, (all) =>
        all.map((extension) =>
          extension.type === 'pre_shared_key'
            ? { ...extension, data: crowd(extension.data, count, position, length) }
            : extension,
        ),
      );
      return boundHello(hs, crowded, keys);
    }),
  );
  // Our client takes any answer for one to the PSK that it meant.
  return pump(pairOf(client, rogueServer(server)));
}

function crowd({ identities }: OfferedPsks, count: number, position: number, length = 3): OfferedPsks {
  const [honest] = identities;
  if (honest === undefined) throw new Error('no PSK is offered');
  return {
    identities: Array.from({ length: count }, (_, i) =>
      i === position ? honest : { identity: junkIdentity(i, length), obfuscatedTicketAge: 0 },
    ),
    binders: Array.from({ length: count }, () => new Uint8Array(32)),
  };
}

describe('PSK identities in crowds', () => {
  it.each([1, 7, 8, 100, 1500])('P-state-9 %d identities, the first is ours: resumes', (count) => {
    const world = makeTls13World();
    expect(outcome(flood(world, world.session(), world.server(), count, 0))).toBe('psk');
  });

  it.each([
    { position: maxPskIdentities - 1, expected: 'resumed' },
    { position: maxPskIdentities, expected: 'full' },
    { position: 1400, expected: 'full' },
  ])('P-state-9 of 1500 identities number $position is ours: $expected', ({ position, expected }) => {
    const world = makeTls13World();
    const pair = flood(world, world.session(), world.server(), 1500, position);
    if (expected === 'full') expect(outcome(pair)).toMatch(/^full: /);
    // The server has selected it; our client did not mean to offer so many.
    else expect(outcome(pair)).toBe('client: illegal_parameter');
  });

  it('P-state-9 no more are opened, or looked up, than the limit', () => {
    const world = makeTls13World();
    const session = world.session();
    let opened = 0;
    const { sealer } = world;
    const counting = {
      seal: (state: Uint8Array) => sealer.seal(state),
      open: (ticket: Uint8Array) => {
        opened++;
        return sealer.open(ticket);
      },
    };
    const full = flood(world, session, world.server({ tickets: counting }), 1500, 1499);
    expect([outcome(full), opened]).toEqual([expect.stringMatching(/^full: /), maxPskIdentities]);

    const store = new RecordingStore();
    const stateful = world.server({ tickets: undefined, sessions: store });
    flood(world, session, stateful, 1500, 1499);
    expect(store.calls.filter((call) => !call.startsWith('set'))).toEqual([]);
    // As long as the handles of a store.
    flood(world, session, stateful, 700, 699, 24);
    expect(store.calls.filter((call) => call.startsWith('get')).length).toBe(maxPskIdentities);

    let asked = 0;
    const findExternalPsk = () => {
      asked++;
      return undefined;
    };
    flood(world, session, world.server({ findExternalPsk }), 1500, 1499);
    expect(asked).toBe(maxPskIdentities);
  });

  it('P-state-9 the MAC work of a server is the same for 8 identities as for 1500', () => {
    const world = makeTls13World();
    const session = world.session();
    const macsFor = (count: number) => {
      const settings = world.server();
      const counted = countingCrypto(settings.crypto);
      flood(world, session, { ...settings, crypto: counted.crypto }, count, 0);
      return counted.take().hmac;
    };
    expect(macsFor(1500)).toBe(macsFor(8));
  });

  it('P-state-9 more identities than binders, or fewer: illegal_parameter', () => {
    const world = makeTls13World();
    const session = world.session();
    for (const binders of [1, 3]) {
      const client = rogueClient(
        world.client({ session }),
        changingHello(0, (body) =>
          reshaped(body, (all) =>
            all.map((extension) => {
              if (extension.type !== 'pre_shared_key') return extension;
              const { identities } = crowd(extension.data, 2, 0);
              return {
                ...extension,
                data: { identities, binders: Array.from({ length: binders }, () => new Uint8Array(32)) },
              };
            }),
          ),
        ),
      );
      const pair = pump(pairOf(client, rogueServer(world.server())));
      expect(outcome(pair)).toBe('server: illegal_parameter');
      expect(eventsOf(pair.server, 'handshake')).toEqual([]);
    }
  });

  it('R8446-4.2.11-8 one identity as long as it can be: declined', () => {
    const world = makeTls13World();
    const session = world.session();
    const long = rogueClient(world.client({ session: { ...session, ticket: new Uint8Array(60_000).fill(1) } }));
    expect(outcome(pump(pairOf(long, rogueServer(world.server()))))).toMatch(/^full: /);
  });
});
