/**
 * Automatic re-sending (RFC 8446 E.5): what a library sends again by itself may be done twice. Early data that was rejected is told to
 * the application, and that is all.
 */
import { describe, expect, it } from 'vitest';
import { ascii, fromAscii } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import {
  makeTls13World,
  pairOf,
  retryingClient,
  retryingServer,
  rogueClient,
  rogueServer,
} from '../support/attack-rig-tls13.js';
import { eventsOf, pump, theEvent, type Changes } from '../support/connections.js';

const rejections: [string, Changes<ServerOptions>, Changes<ClientOptions>][] = [
  ['it is disabled', { earlyData: undefined }, {}],
  ['the ticket is unknown', { tickets: undefined }, {}],
  ['of a HelloRetryRequest', retryingServer, retryingClient],
];

describe.each(rejections)('early data that is rejected because %s', (_title, server, client) => {
  function rejected() {
    const world = makeTls13World();
    const session = world.session();
    const sender = rogueClient(world.client({ ...client, session, earlyData: true }));
    sender.connection.writeEarlyData(ascii('POST /pay'));
    return pump(pairOf(sender, rogueServer(world.server(server))));
  }

  it('R8446-E.5-2 the application is told, before the handshake is complete', () => {
    const { client: sender } = rejected();
    const types = sender.events.map(({ type }) => type);
    expect(theEvent(sender, 'early_data').accepted).toBe(false);
    expect(types.indexOf('early_data')).toBeLessThan(types.indexOf('handshake'));
    expect(theEvent(sender, 'handshake')).toMatchObject({ earlyData: 'rejected', earlyDataBytes: 9 });
  });

  it('R8446-E.5-2 nothing is sent again: the server reads what is written afterwards, and nothing else', () => {
    const pair = rejected();
    expect(eventsOf(pair.server, 'data')).toEqual([]);
    pair.client.connection.write(ascii('GET /'));
    pump(pair);
    expect(eventsOf(pair.server, 'data').map(({ data, early }) => [fromAscii(data), early])).toEqual([
      ['GET /', false],
    ]);
  });

  it('R8446-E.5-2 nor may more of it be written', () => {
    const { client: sender } = rejected();
    expect(sender.connection.earlyDataAllowance).toBe(0);
    expect(() => sender.connection.writeEarlyData(ascii('more'))).toThrow(
      expect.objectContaining({ code: 'connection_not_open' }),
    );
  });
});
