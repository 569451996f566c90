/** wolfSSL issue 11011: records that did not open were skipped as rejected early data, although early data had been accepted. */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { makeTls13World, pairOf, rogueClient, rogueServer } from '../support/attack-rig-tls13.js';
import { drain, eventsOf, pump, theEvent } from '../support/connections.js';

describe('early data that was accepted', () => {
  function flightOf(pieces: readonly string[], world = makeTls13World()) {
    const session = world.session();
    const client = rogueClient(world.client({ session, earlyData: true }));
    const hello = drain(client);
    const records = pieces.map((piece) => {
      client.connection.writeEarlyData(ascii(piece));
      return drain(client);
    });
    const server = rogueServer(world.server());
    server.connection.receive(hello);
    return { world, client, server, records };
  }

  it.each([0, 1, 2])('R8446-4.2.10-12 record %d of three is corrupted: bad_record_mac', (corrupted) => {
    const { client, server, records } = flightOf(['one', 'two', 'three']);
    for (const [i, record] of records.entries())
      server.connection.receive(
        i === corrupted ? record.map((byte, at) => (at === record.length - 1 ? byte ^ 1 : byte)) : record,
      );
    server.events.push(...server.connection.takeEvents());
    expect(theEvent(server, 'early_data').accepted).toBe(true);
    expect(eventsOf(server, 'data')).toHaveLength(corrupted);
    expect(theEvent(server, 'close').error).toMatchObject({ code: 'bad_record_mac' });
    pump(pairOf(client, server));
    expect(eventsOf(server, 'handshake')).toEqual([]);
  });

  it.each([
    ['left out', [0, 2]],
    ['twice', [0, 0, 1, 2]],
    ['out of order', [1, 0, 2]],
  ])('R8446-4.2.10-12 a record %s: bad_record_mac', (_title, order) => {
    const { server, records } = flightOf(['one', 'two', 'three']);
    for (const i of order) server.connection.receive((records[i] ?? new Uint8Array(0)).slice());
    server.events.push(...server.connection.takeEvents());
    expect(theEvent(server, 'close').error).toMatchObject({ code: 'bad_record_mac' });
  });

  it('R8446-4.2.10-12 a record of another connection between them: bad_record_mac', () => {
    const { world, server, records } = flightOf(['one', 'two']);
    const other = flightOf(['one', 'two'], world);
    server.connection.receive(records[0] ?? new Uint8Array(0));
    server.connection.receive(other.records[1] ?? new Uint8Array(0));
    server.events.push(...server.connection.takeEvents());
    expect(theEvent(server, 'close').error).toMatchObject({ code: 'bad_record_mac' });
  });

  it('R8446-4.2.10-12 records as they were sent are read', () => {
    const { client, server, records } = flightOf(['one', 'two', 'three']);
    for (const record of records) server.connection.receive(record);
    pump(pairOf(client, server));
    expect(eventsOf(server, 'data').map(({ early }) => early)).toEqual([true, true, true]);
    expect(theEvent(server, 'handshake')).toMatchObject({ earlyData: 'accepted', earlyDataBytes: 11 });
  });
});
