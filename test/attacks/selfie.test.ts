/**
 * Selfie (Drucker and Gueron, 2019; RFC 9257 5.1, RFC 9258): whoever uses one external PSK as a client and as a server can be made
 * to talk to himself, by reflection of his own messages.
 */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { ExternalPskOptions } from '../../src/connection/options.js';
import { outcome } from '../support/attack-rig.js';
import { makeTls13World, pairOf, rogueClient, rogueServer } from '../support/attack-rig-tls13.js';
import { eventsOf, pump } from '../support/connections.js';

const shared = { identity: ascii('a and b'), key: new Uint8Array(32).fill(7) };

/** A node that is client and server with one list of PSKs, and everything that it says comes back to it. */
function reflected(externalPsks: readonly ExternalPskOptions[]) {
  const world = makeTls13World();
  const client = rogueClient(world.client({ externalPsks }));
  return pump(pairOf(client, rogueServer(world.server({ externalPsks }))));
}

describe('a node whose messages are reflected to itself', () => {
  it.each([true, false])('P-psk-1 R9257-6-3 the PSK of its client role: refused (imported: %s)', (imported) => {
    const psk = imported ? shared : ({ ...shared, withoutImporter: true } as const);
    const pair = reflected([{ ...psk, role: 'client' }]);
    expect(outcome(pair)).toBe('server: illegal_parameter');
    expect(eventsOf(pair.client, 'handshake')).toEqual([]);
  });

  it('P-psk-1 R9257-6-3 the same PSK under the same identity in both roles: refused', () => {
    for (const psk of [shared, { ...shared, withoutImporter: true } as const]) {
      const pair = reflected([
        { ...psk, role: 'client' },
        { ...psk, role: 'server' },
      ]);
      expect(outcome(pair)).toBe('server: illegal_parameter');
      expect(eventsOf(pair.client, 'handshake')).toEqual([]);
    }
  });

  it('P-psk-1 R9258-5.1-6 contexts that name who calls whom: it knows its own hello', () => {
    const pair = reflected([
      { ...shared, context: ascii('a calls b'), role: 'client' },
      { ...shared, context: ascii('b calls a'), role: 'server' },
    ]);
    expect(outcome(pair)).toBe('server: illegal_parameter');
  });

  it('P-psk-1 R9258-5.1-6 a hello under the context of one direction does not verify as one of the other', () => {
    const world = makeTls13World();
    const client = world.client({ externalPsks: [{ ...shared, context: ascii('a calls b'), role: 'client' }] });
    const server = world.server({ externalPsks: [{ ...shared, context: ascii('b calls a'), role: 'server' }] });
    // The identities differ by their contexts; here an attacker has made them the same.
    const [called] = server.externalPsks;
    if (called === undefined) throw new Error('one PSK was imported');
    const confused = client.externalPsks.slice(0, 1).map((psk) => ({ ...psk, identity: called.identity }));
    const pair = pump(pairOf(rogueClient({ ...client, externalPsks: confused }), rogueServer(server)));
    expect(outcome(pair)).toBe('server: decrypt_error');
    expect(outcome(pump(pairOf(rogueClient(client), rogueServer(server))))).toMatch(/^full: /);
  });

  it.each(['client', 'server'] as const)('P-psk-1 a callback that finds the PSK of the role of a %s', (role) => {
    const world = makeTls13World();
    const { externalPsks } = world.client({ externalPsks: [{ ...shared, role }] });
    const client = world.client({ externalPsks: [{ ...shared, role: 'client' }] });
    const server = world.server({ findExternalPsk: () => externalPsks[0] });
    const pair = pump(pairOf(rogueClient(client), rogueServer(server)));
    expect(outcome(pair)).toBe(role === 'client' ? 'server: illegal_parameter' : 'psk');
  });

  it('P-psk-1 two nodes, each with a role of its own, do connect', () => {
    const world = makeTls13World();
    const client = world.client({ externalPsks: [{ ...shared, role: 'client' }] });
    const server = world.server({ externalPsks: [{ ...shared, role: 'server' }] });
    expect(outcome(pump(pairOf(rogueClient(client), rogueServer(server))))).toBe('psk');
  });
});
