/**
 * GnuTLS until 3.7 sent early data only after the ServerHello, and under the suite of the new connection. It goes out with the
 * ClientHello, under the suite of the ticket, whatever the client prefers now.
 */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { outcome } from '../support/attack-rig.js';
import { makeTls13World, pairOf, rogueClient, rogueServer } from '../support/attack-rig-tls13.js';
import { drain, eventsOf, pump, theEvent } from '../support/connections.js';

const aes = 'TLS_AES_128_GCM_SHA256';
const chacha = 'TLS_CHACHA20_POLY1305_SHA256';

/** A ticket of AES-128-GCM, and a client that prefers ChaCha20-Poly1305 by now. */
function early() {
  const world = makeTls13World();
  const session = world.session({ cipherSuites: [aes] });
  expect(session.cipherSuite).toBe(aes);
  const client = rogueClient(world.client({ cipherSuites: [chacha, aes], session, earlyData: true }));
  client.connection.writeEarlyData(ascii('early'));
  return { world, client };
}

describe('early data and cipher suites', () => {
  it('R8446-4.2.10-5 goes out with the ClientHello', () => {
    const { client } = early();
    const flight = drain(client);
    const types = new Set<number>();
    for (let at = 0; at < flight.length; at += 5 + (flight[at + 3] ?? 0) * 256 + (flight[at + 4] ?? 0))
      types.add(flight[at] ?? 0);
    expect([...types]).toEqual([22, 20, 23]);
  });

  it('R8446-4.2.10-5 under the suite of the ticket: a server that picks that one reads it', () => {
    const { world, client } = early();
    const pair = pump(pairOf(client, rogueServer(world.server({ cipherSuites: [chacha, aes] }))));
    expect(theEvent(pair.server, 'handshake')).toMatchObject({ cipherSuite: aes, earlyData: 'accepted' });
    expect(eventsOf(pair.server, 'data')).toMatchObject([{ data: ascii('early'), early: true }]);
  });

  it('R8446-4.2.10-5 a server that picks another suite of the same hash resumes, and rejects it', () => {
    const { world, client } = early();
    const pair = pump(pairOf(client, rogueServer(world.server({ cipherSuites: [chacha] }))));
    expect(theEvent(pair.server, 'handshake')).toMatchObject({
      mode: 'psk_dhe_ke',
      cipherSuite: chacha,
      earlyData: 'rejected',
      earlyDataReason: 'suite_mismatch',
    });
    expect(eventsOf(pair.server, 'data')).toEqual([]);
    expect(theEvent(pair.client, 'handshake').earlyData).toBe('rejected');
  });

  it('R8446-4.2.10-5 a server that accepts it under another suite is refused: illegal_parameter', () => {
    const { world, client } = early();
    const server = rogueServer(world.server({ cipherSuites: [chacha] }), {
      says: (message) =>
        message.type === 'encrypted_extensions'
          ? [{ ...message, body: { extensions: [...message.body.extensions, { type: 'early_data', data: {} }] } }]
          : [message],
    });
    expect(outcome(pump(pairOf(client, server)))).toBe('client: illegal_parameter');
  });

  it('R8446-4.2.10-5 is not offered where the suite of the ticket is not on offer any more', () => {
    const world = makeTls13World();
    const session = world.session({ cipherSuites: [aes] });
    const client = rogueClient(world.client({ cipherSuites: [chacha], session, earlyData: true }));
    expect(client.connection.earlyDataAllowance).toBe(0);
    expect(outcome(pump(pairOf(client, rogueServer(world.server()))))).toBe('psk');
  });
});
