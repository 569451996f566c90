/**
 * Early data without end: accepted, it is bounded by what the ticket says; rejected, what is skipped has a bound of its own, whether
 * it opens or not.
 */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { defaultSkippedEarlyData } from '../../src/connection/options.js';
import { contentTypes } from '../../src/parameters.js';
import {
  makeTls13World,
  maxEarlyData,
  pairOf,
  retryingClient,
  retryingServer,
  rogueClient,
  rogueServer,
} from '../support/attack-rig-tls13.js';
import { drain, eventsOf, pump, theEvent, type Changes } from '../support/connections.js';

const chunk = 1000;

/** A client that goes on and on, whatever it is told. */
function endless(server: Changes<ServerOptions>, client: Changes<ClientOptions> = {}) {
  const world = makeTls13World();
  const session = world.session();
  const victim = rogueServer(world.server(server));
  const attacker = rogueClient(world.client({ ...client, session, earlyData: true }));
  victim.connection.receive(drain(attacker));
  let sent = 0;
  while (victim.connection.state !== 'closed' && sent < 200_000) {
    attacker.records.write(contentTypes.application_data, new Uint8Array(chunk));
    victim.connection.receive(drain(attacker));
    sent += chunk;
  }
  drain(victim);
  return { victim, sent, read: eventsOf(victim, 'data').reduce((sum, { data }) => sum + data.length, 0) };
}

describe('early data without end', () => {
  it('R8446-4.6.1-14 P-state-9 accepted: more than max_early_data_size is unexpected_message', () => {
    const { victim, sent, read } = endless({});
    expect(theEvent(victim, 'early_data').accepted).toBe(true);
    expect(theEvent(victim, 'close').error).toMatchObject({ code: 'unexpected_message' });
    expect([sent, read]).toEqual([maxEarlyData + chunk, maxEarlyData]);
  });

  it.each<[string, Changes<ServerOptions>, string]>([
    ['disabled', { earlyData: undefined }, 'disabled'],
    ['another application protocol', { alpnProtocols: ['a'] }, 'alpn_mismatch'],
  ])(
    'R8446-4.2.10-10 P-state-9 rejected (%s): skipped up to a bound, then unexpected_message',
    (_title, options, reason) => {
      const client = options.alpnProtocols === undefined ? {} : { alpnProtocols: ['a'] };
      const { victim, sent, read } = endless(options, client);
      expect(theEvent(victim, 'early_data')).toMatchObject({ accepted: false, reason });
      expect(theEvent(victim, 'close').error).toMatchObject({ code: 'unexpected_message' });
      expect(read).toBe(0);
      expect(sent).toBeGreaterThan(defaultSkippedEarlyData - chunk);
      expect(sent).toBeLessThanOrEqual(defaultSkippedEarlyData + chunk);
    },
  );

  it('R8446-4.2.10-10 P-state-9 rejected by a HelloRetryRequest: the same bound', () => {
    const { victim, sent, read } = endless(retryingServer, retryingClient);
    expect(victim.said).toEqual(['hello_retry_request']);
    expect(theEvent(victim, 'close').error).toMatchObject({ code: 'unexpected_message' });
    expect(read).toBe(0);
    expect(sent).toBeLessThanOrEqual(defaultSkippedEarlyData + chunk);
  });

  it('R8446-4.2.10-10 empty records count as well', () => {
    const world = makeTls13World();
    const session = world.session();
    const victim = rogueServer(world.server({ earlyData: undefined }));
    const attacker = rogueClient(world.client({ session, earlyData: true }));
    victim.connection.receive(drain(attacker));
    let sent = 0;
    while (victim.connection.state !== 'closed' && sent < 2 * defaultSkippedEarlyData) {
      for (let i = 0; i < 100; i++) attacker.records.write(contentTypes.application_data, new Uint8Array(0));
      victim.connection.receive(drain(attacker));
      sent += 100;
    }
    drain(victim);
    expect(theEvent(victim, 'close').error).toMatchObject({ code: 'unexpected_message' });
    expect(sent).toBeLessThanOrEqual(defaultSkippedEarlyData + 100);
  });

  it('R8446-4.2.10-10 records that nobody could open, where no early data was offered: bad_record_mac', () => {
    const world = makeTls13World();
    const victim = rogueServer(world.server());
    const client = rogueClient(world.client());
    victim.connection.receive(drain(client));
    victim.connection.receive(Uint8Array.from([23, 3, 3, 0, 32, ...new Uint8Array(32)]));
    drain(victim);
    expect(theEvent(victim, 'close').error).toMatchObject({ code: 'bad_record_mac' });
  });

  it('R8446-4.2.10-10 what is rejected within the bound is skipped, and the handshake goes on', () => {
    const world = makeTls13World();
    const session = world.session();
    const client = rogueClient(world.client({ session, earlyData: true }));
    client.connection.writeEarlyData(new Uint8Array(maxEarlyData));
    const pair = pump(pairOf(client, rogueServer(world.server({ earlyData: undefined }))));
    client.connection.write(ascii('after'));
    pump(pair);
    expect(eventsOf(pair.server, 'data').map(({ data, early }) => [data, early])).toEqual([[ascii('after'), false]]);
  });

  it('R8446-4.2.10-10 skipping ends with the first record that opens', () => {
    const world = makeTls13World();
    const session = world.session();
    const client = rogueClient(world.client({ session, earlyData: true }));
    client.connection.writeEarlyData(ascii('early'));
    const pair = pump(pairOf(client, rogueServer(world.server({ earlyData: undefined }))));
    pair.server.connection.receive(Uint8Array.from([23, 3, 3, 0, 32, ...new Uint8Array(32)]));
    drain(pair.server);
    expect(theEvent(pair.server, 'close').error).toMatchObject({ code: 'bad_record_mac' });
  });
});
