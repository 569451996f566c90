/**
 * RFC 8470: requests that were acted on before the handshake was done. Whoever reads early bytes can tell them from others, knows when
 * the handshake is complete, and can answer 425 (Too Early) meanwhile.
 */
import { describe, expect, it } from 'vitest';
import { ascii, fromAscii } from '../../src/bytes.js';
import { makeTls13World, pairOf, pass, rogueClient, rogueServer, type Rogue } from '../support/attack-rig-tls13.js';
import { eventsOf, pump, theEvent } from '../support/connections.js';

/** A server of requests of one record each: unsafe methods wait for the handshake, by its answer or by its patience. */
function serve(server: Rogue, handled: number): number {
  const requests = eventsOf(server, 'data').slice(handled);
  for (const { data, early } of requests) {
    const [method] = fromAscii(data).split(' ');
    const tooEarly = early && server.connection.state !== 'open' && method !== 'GET';
    const answer = ascii(tooEarly ? 'HTTP/1.1 425 Too Early' : 'HTTP/1.1 200 OK');
    if (server.connection.state === 'open') server.connection.write(answer);
    else server.connection.writeHalfRtt(answer);
  }
  return handled + requests.length;
}

function sending(request: string) {
  const world = makeTls13World();
  const session = world.session();
  const client = rogueClient(world.client({ session, earlyData: true }));
  const server = rogueServer(world.server());
  client.connection.writeEarlyData(ascii(request));
  pass(client, server);
  return { client, server };
}

describe('a request in early data', () => {
  it('P-early-4 R8470-3-1 is marked as early, while the handshake is not done', () => {
    const { client, server } = sending('POST /pay');
    expect(eventsOf(server, 'data')).toMatchObject([{ early: true }]);
    expect([server.connection.state, server.connection.handshake]).toEqual(['handshake', undefined]);
    expect(eventsOf(server, 'handshake')).toEqual([]);
    pump(pairOf(client, server));
    expect([server.connection.state, server.connection.handshake?.earlyData]).toEqual(['open', 'accepted']);
  });

  it('P-early-4 R8470-4-1 that is unsafe is answered 425, and is good when it comes again after the handshake', () => {
    const { client, server } = sending('POST /pay');
    let handled = serve(server, 0);
    const pair = pump(pairOf(client, server));
    expect(eventsOf(client, 'data').map(({ data }) => fromAscii(data))).toEqual(['HTTP/1.1 425 Too Early']);
    client.connection.write(ascii('POST /pay'));
    pump(pair);
    handled = serve(server, handled);
    pump(pair);
    expect(handled).toBe(2);
    expect(eventsOf(client, 'data').map(({ data }) => fromAscii(data))[1]).toBe('HTTP/1.1 200 OK');
    expect(eventsOf(server, 'data').map(({ early }) => early)).toEqual([true, false]);
  });

  it('P-early-4 R8470-3-1 that is safe is answered before the handshake is done', () => {
    const { client, server } = sending('GET /');
    serve(server, 0);
    expect(server.connection.state).toBe('handshake');
    pump(pairOf(client, server));
    expect(eventsOf(client, 'data').map(({ data }) => fromAscii(data))).toEqual(['HTTP/1.1 200 OK']);
  });

  it('P-early-4 the end of early data is told by the handshake event, which comes after all of it', () => {
    const { client, server } = sending('POST /pay');
    pump(pairOf(client, server));
    client.connection.write(ascii('late'));
    pump(pairOf(client, server));
    const order = server.events.map((event) =>
      event.type === 'data' ? `data ${event.early ? 'early' : 'late'}` : event.type,
    );
    expect(order).toEqual(['early_data', 'data early', 'handshake', 'data late']);
    expect(theEvent(server, 'handshake').earlyDataBytes).toBe(9);
  });
});
