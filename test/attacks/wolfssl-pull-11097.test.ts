/**
 * wolfSSL PR 11097: a server that was restarted with its ticket keys has lost its record of what it has seen. Tickets from before
 * resume, and bring no early data.
 */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import { makeTls13World, maxEarlyData, pairOf, rogueClient, rogueServer } from '../support/attack-rig-tls13.js';
import { drain, eventsOf, pump, theEvent } from '../support/connections.js';

describe('a restart between a first flight and its replay', () => {
  function restarted() {
    const world = makeTls13World();
    const session = world.session();
    const client = rogueClient(world.client({ session, earlyData: true }));
    client.connection.writeEarlyData(ascii('once'));
    const flight = drain(client);
    const before = rogueServer(world.server());
    before.connection.receive(flight.slice());
    drain(before);
    expect(theEvent(before, 'early_data').accepted).toBe(true);
    world.clock.time += 2000;
    const replayGuard = new MemoryReplayGuard({ now: world.now });
    const options = { earlyData: { maxSize: maxEarlyData, replayGuard, ticketsAreOfThisProcessAlone: true } };
    return { world, session, client, flight, options };
  }

  it('P-early-2 R8446-8.2-5 early data is rejected, and the ticket resumes', () => {
    const { world, client, flight, options } = restarted();
    const after = rogueServer(world.server(options));
    after.connection.receive(flight.slice());
    after.events.push(...after.connection.takeEvents());
    expect(theEvent(after, 'early_data')).toMatchObject({ accepted: false, reason: 'startup_quarantine' });
    pump(pairOf(client, after));
    expect(theEvent(after, 'handshake')).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'rejected' });
    expect(eventsOf(after, 'data')).toEqual([]);
  });

  it('P-early-2 R8446-8.2-5 also from an honest client with another ticket of before', () => {
    const { world, session, options } = restarted();
    const client = rogueClient(world.client({ session, earlyData: true }));
    client.connection.writeEarlyData(ascii('new'));
    const pair = pump(pairOf(client, rogueServer(world.server(options))));
    expect(theEvent(pair.server, 'early_data')).toMatchObject({ accepted: false, reason: 'startup_quarantine' });
    expect(theEvent(pair.server, 'handshake').mode).toBe('psk_dhe_ke');
  });

  it('P-early-2 a ticket from after the restart brings early data again', () => {
    const { world, options } = restarted();
    const session = world.session({}, options);
    const client = rogueClient(world.client({ session, earlyData: true }));
    client.connection.writeEarlyData(ascii('new'));
    const pair = pump(pairOf(client, rogueServer(world.server(options))));
    expect(theEvent(pair.server, 'early_data').accepted).toBe(true);
  });

  it('P-early-1 a store that survives the restart knows the flight', () => {
    const { world, flight } = restarted();
    // The same record, opened by the next process.
    const after = rogueServer(world.server());
    after.connection.receive(flight.slice());
    after.events.push(...after.connection.takeEvents());
    expect(theEvent(after, 'early_data')).toMatchObject({ accepted: false, reason: 'replayed' });
  });
});
