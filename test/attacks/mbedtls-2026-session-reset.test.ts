/**
 * Mbed TLS (July 2026), "Incomplete context reset", and CVE-2024-28755: what one connection came to decided over the next, whose
 * maximum version stuck at TLS 1.2. Here nothing but the settings is common to two connections, and those are frozen.
 */
import { describe, expect, it } from 'vitest';
import { outcome } from '../support/attack-rig.js';
import { makeTls13World, retryingClient, retryingServer } from '../support/attack-rig-tls13.js';
import { eventsOf, makePair, pump } from '../support/connections.js';

const bothVersions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

describe('connections one after another with the same settings', () => {
  const world = makeTls13World();
  const server = world.server({ ...bothVersions, ...retryingServer, alpnProtocols: ['a', 'b'] });
  const versionWith = (...changes: Parameters<typeof world.client>) => {
    const pair = pump(makePair(world.client(...changes), server));
    const [handshake] = eventsOf(pair.server, 'handshake');
    return [outcome(pair), handshake?.version, handshake?.helloRetryRequest, handshake?.alpnProtocol];
  };

  it('P-state-10 each is what its own hello makes of it, whatever came before', () => {
    const tls13 = ['full: not_offered', 'TLSv1.3', false, undefined];
    const sequence = [
      [versionWith(bothVersions), tls13],
      [versionWith(old), ['full: not_offered', 'TLSv1.2', false, undefined]],
      [versionWith(bothVersions), tls13],
      [versionWith(retryingClient), ['full: not_offered', 'TLSv1.3', true, undefined]],
      [versionWith(), tls13],
      [versionWith({ alpnProtocols: ['b'] }), ['full: not_offered', 'TLSv1.3', false, 'b']],
      [versionWith(), tls13],
      [versionWith({ alpnProtocols: ['z'] }), ['server: no_application_protocol', undefined, undefined, undefined]],
      [versionWith(), tls13],
    ];
    expect(sequence.map(([got]) => got)).toEqual(sequence.map(([, expected]) => expected));
    expect(Object.isFrozen(server)).toBe(true);
  });

  it('P-state-10 a client whose server spoke TLS 1.2 offers TLS 1.3 to the next one', () => {
    const client = world.client(bothVersions);
    const versions = [world.server(old), world.server(bothVersions), world.server(old), world.server()].map(
      (settings) => eventsOf(pump(makePair(client, settings)).client, 'handshake')[0]?.version,
    );
    expect(versions).toEqual(['TLSv1.2', 'TLSv1.3', 'TLSv1.2', 'TLSv1.3']);
  });
});
