import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import { drawFigure, messageFlow, roundTrips } from '../../src/cli/figure.js';
import { AlertError } from '../../src/errors.js';
import capture from '../../vectors/captures/tls12-ticket-aes128gcm.json' with { type: 'json' };

/** The recorded connection, cut as its flights were: `c:157` are 157 bytes from the client. */
function segments(connection: (typeof capture.connections)[number]) {
  const streams = { c: fromHex(connection.clientToServerHex), s: fromHex(connection.serverToClientHex) };
  const at = { c: 0, s: 0 };
  return connection.flights.map((flight) => {
    const side = flight.startsWith('c') ? 'c' : 's';
    const length = Number(flight.slice(2));
    at[side] += length;
    return {
      from: side === 'c' ? ('client' as const) : ('server' as const),
      bytes: streams[side].subarray(at[side] - length, at[side]),
    };
  });
}

describe('message flow', () => {
  it('names and counts what OpenSSL exchanged', () => {
    const [full, resumed] = capture.connections.map((connection) => messageFlow(segments(connection)));
    expect(full?.slice(0, 4)).toEqual([
      { from: 'client', messages: ['ClientHello'], length: 157 },
      {
        from: 'server',
        messages: ['ServerHello', 'Certificate', 'ServerKeyExchange', 'ServerHelloDone'],
        length: 643,
      },
      { from: 'client', messages: ['ClientKeyExchange', '[ChangeCipherSpec]', 'Finished'], length: 93 },
      { from: 'server', messages: ['NewSessionTicket', '[ChangeCipherSpec]', 'Finished'], length: 242 },
    ]);
    expect([roundTrips(full ?? []), roundTrips(resumed ?? [])]).toEqual([2, 1]);
  });

  it('is the same when every byte comes alone', () => {
    const [connection] = capture.connections;
    if (connection === undefined) throw new Error('the capture is empty');
    const bytewise = segments(connection).flatMap(({ from, bytes }) =>
      Array.from(bytes, (byte) => ({ from, bytes: Uint8Array.of(byte) })),
    );
    expect(messageFlow(bytewise)).toEqual(messageFlow(segments(connection)));
  });

  it('refuses what is no TLS', () => {
    const bytes = new TextEncoder().encode('GET / HTTP/1.0\r\n\r\n');
    expect(() => messageFlow([{ from: 'client', bytes }])).toThrow(AlertError);
  });

  it('draws the client left and the server right', () => {
    const figure = drawFigure([
      { from: 'client', messages: ['ClientHello'], length: 5 },
      { from: 'server', messages: ['ServerHello', 'Finished'], length: 7 },
    ]);
    expect(figure.split('\n')).toEqual([
      'Client                                                            Server',
      '',
      'ClientHello                   --------> 5 bytes',
      '',
      '                                                             ServerHello',
      '                              <-------- 7 bytes                 Finished',
    ]);
  });
});
