/** Closing one direction (RFC 8446 6.1), and what the default makes of it. */
import { describe, expect, it } from 'vitest';
import { ascii, fromAscii } from '../../src/bytes.js';
import {
  eventsOf,
  makePair,
  pump,
  testClient,
  testServer,
  theEvent,
  tls13Client,
  tls13Server,
} from '../support/connections.js';

const halfClose = { halfClose: true };
const texts = (end: Parameters<typeof eventsOf>[0]) => eventsOf(end, 'data').map(({ data }) => fromAscii(data));

describe.each(['client', 'server'] as const)('close_notify of the %s', (closer) => {
  const other = closer === 'client' ? 'server' : 'client';
  const open = (options: Parameters<typeof makePair>[2]) =>
    pump(makePair(tls13Client('node', 'c'), tls13Server('node', 's'), options));

  it('with halfClose is an `end`; the other side goes on until it closes as well', () => {
    const pair = open({ [other]: halfClose });
    pair[closer].connection.write(ascii('last'));
    pair[closer].connection.close();
    pump(pair);
    expect(texts(pair[other])).toEqual(['last']);
    expect(pair[other].events.map(({ type }) => type).slice(-2)).toEqual(['data', 'end']);
    expect([pair[closer].connection.state, pair[other].connection.state]).toEqual(['open', 'open']);
    pair[other].connection.write(ascii('answer'));
    pump(pair);
    expect(texts(pair[closer])).toEqual(['answer']);
    expect(() => pair[closer].connection.write(ascii('more'))).toThrow('open connection');
    pair[other].connection.close();
    pump(pair);
    for (const side of [closer, other] as const)
      expect(theEvent(pair[side], 'close')).toEqual({ type: 'close', reason: 'close_notify' });
  });

  it('by default is answered at once', () => {
    const pair = open({});
    pair[closer].connection.close();
    pump(pair);
    for (const side of [closer, other] as const)
      expect(theEvent(pair[side], 'close')).toEqual({ type: 'close', reason: 'close_notify' });
    expect(eventsOf(pair[other], 'end')).toEqual([]);
  });

  it('with halfClose what comes behind it is ignored, and the end of the transport is no news', () => {
    const pair = open({ [other]: halfClose });
    pair[closer].connection.close();
    const bytes = pair[closer].connection.takeOutput();
    pair[other].connection.receive(bytes);
    pair[other].connection.receive(Uint8Array.of(23, 3, 3, 0, 1, 0));
    pair[other].connection.receiveEnd();
    pair[other].events.push(...pair[other].connection.takeEvents());
    expect(eventsOf(pair[other], 'close')).toEqual([]);
    pair[other].connection.write(ascii('answer'));
    pair[closer].connection.receive(pair[other].connection.takeOutput());
    pair[closer].events.push(...pair[closer].connection.takeEvents());
    expect(texts(pair[closer])).toEqual(['answer']);
  });

  it('in TLS 1.2 is answered at once, halfClose or not', () => {
    const pair = pump(
      makePair(testClient('node', 'c'), testServer('node', 's'), { client: halfClose, server: halfClose }),
    );
    pair[closer].connection.close();
    pump(pair);
    expect(theEvent(pair[other], 'close')).toEqual({ type: 'close', reason: 'close_notify' });
    expect(eventsOf(pair[other], 'end')).toEqual([]);
  });

  it('that never comes leaves the connection truncated', () => {
    const pair = open({ [other]: halfClose });
    pair[other].connection.receiveEnd();
    pair[other].events.push(...pair[other].connection.takeEvents());
    expect(theEvent(pair[other], 'close')).toEqual({ type: 'close', reason: 'truncated' });
  });
});
