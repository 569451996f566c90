/**
 * GNUTLS-SA-2021-03-10: a large ClientHello after a HelloRetryRequest in a resumption used freed memory. However it is cut, a
 * hello is the same hello.
 */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import type { ClientHelloExtensions } from '../../src/handshake/settings.js';
import { contentTypes } from '../../src/parameters.js';
import { defaultLimits } from '../../src/connection/limits.js';
import { outcome } from '../support/attack-rig.js';
import {
  makeTls13World,
  pairOf,
  pass,
  retryingClient,
  retryingServer,
  rogueClient,
  rogueServer,
  type Misbehaviour,
} from '../support/attack-rig-tls13.js';
import { drain, pump, theEvent, type Pair } from '../support/connections.js';

/** RFC 7685. */
const padded =
  (length: number) =>
  (extensions: ClientHelloExtensions): ClientHelloExtensions => [
    ...extensions,
    { type: 'padding', data: new Uint8Array(length) },
  ];

const giant = 17_000;

function resumption(length: number, misbehaviour: Misbehaviour = {}): Pair {
  const world = makeTls13World();
  const session = world.session(retryingClient, retryingServer);
  const settings = world.client({ ...retryingClient, session, shapeClientHello: padded(length) });
  return pairOf(rogueClient(settings, misbehaviour), rogueServer(world.server(retryingServer)));
}

/** Everything that would tell two runs apart. */
function told(pair: Pair): readonly unknown[] {
  const { helloRetryRequest, cipherSuite, group } = theEvent(pair.server, 'handshake');
  const key = pair.client.connection.exportKeyingMaterial('EXPORTER-x', 32);
  return [outcome(pair), helloRetryRequest, cipherSuite, group, toHex(key)];
}

describe('a ClientHello above 16 KiB in a resumption with HelloRetryRequest', () => {
  const whole = told(pump(resumption(giant)));

  it('R8446-4.2.11.2-3 resumes', () => {
    expect(whole.slice(0, 4)).toEqual(['psk', true, 'TLS_AES_128_GCM_SHA256', 'x25519']);
  });

  it.each([1, 2, 3, 5, 64, 255, 256, 1000, 4096, 16383])(
    'R8446-4.2.11.2-3 R8446-5.1-1 in records of %d bytes: the same',
    (size) => {
      const cutting: Misbehaviour = {
        transport: (records) => ({
          writeHandshake: (message) => {
            for (let at = 0; at < message.length; at += size)
              records.write(contentTypes.handshake, message.slice(at, at + size));
          },
        }),
      };
      expect(told(pump(resumption(giant, cutting)))).toEqual(whole);
    },
  );

  it('R8446-4.2.11.2-3 in two records, cut at each of its boundaries: the same', () => {
    const fields = boundaries(resumption(giant));
    expect(fields.length).toBeGreaterThan(30);
    for (const boundary of fields) {
      const cutting: Misbehaviour = {
        transport: (records) => ({
          writeHandshake: (message) => {
            const at = Math.min(boundary, message.length - 1);
            records.write(contentTypes.handshake, message.slice(0, at));
            records.write(contentTypes.handshake, message.slice(at));
          },
        }),
      };
      expect(told(pump(resumption(giant, cutting))), `cut at ${boundary}`).toEqual(whole);
    }
  });

  it('R8446-4.2.11.2-3 in segments of the transport of any size: the same', () => {
    for (const size of [1, 4, 5, 6, 1460, 16389]) {
      const pair = resumption(giant);
      for (let round = 0; round < 2; round++) {
        const hello = drain(pair.client);
        for (let at = 0; at < hello.length; at += size) pair.server.connection.receive(hello.slice(at, at + size));
        pass(pair.server, pair.client);
      }
      expect(told(pump(pair)), `segments of ${size}`).toEqual(whole);
    }
  });
});

describe('giant hellos', () => {
  it('as long as a message may be: handled', () => {
    const pair = resumption(2 ** 16 - 1000);
    expect(outcome(pump(pair))).toBe('psk');
  });

  it('P-state-9 a header that announces more than the limit is refused at once, whatever comes after', () => {
    const world = makeTls13World();
    for (const length of [defaultLimits.maxHandshakeMessageLength - 3, 2 ** 24 - 1]) {
      const server = rogueServer(world.server());
      const header = [1, length >> 16, (length >> 8) & 0xff, length & 0xff];
      server.connection.receive(Uint8Array.from([contentTypes.handshake, 3, 1, 0, 4, ...header]));
      drain(server);
      expect(theEvent(server, 'close').error).toMatchObject({ code: 'illegal_parameter' });
    }
  });

  it('P-state-9 one that is never finished: no more is kept than the limit', () => {
    const world = makeTls13World();
    const server = rogueServer(world.server());
    const length = defaultLimits.maxHandshakeMessageLength - 4;
    const record = (bytes: Uint8Array) =>
      Uint8Array.from([contentTypes.handshake, 3, 1, bytes.length >> 8, bytes.length & 0xff, ...bytes]);
    server.connection.receive(record(Uint8Array.of(1, length >> 16, (length >> 8) & 0xff, length & 0xff)));
    let sent = 0;
    while (server.connection.state !== 'closed' && sent < 2 * length) {
      server.connection.receive(record(new Uint8Array(1000)));
      sent += 1000;
    }
    drain(server);
    expect(sent).toBeLessThanOrEqual(length + 1000);
    expect(theEvent(server, 'close').error).toMatchObject({ code: expect.stringMatching(/.+/) as string });
  });
});

/** The offsets in the second ClientHello at which an extension begins or ends, and those around them. */
function boundaries(pair: Pair): number[] {
  const first = drain(pair.client);
  pair.server.connection.receive(first);
  pass(pair.server, pair.client);
  const second = drain(pair.client);
  const records = [...second.entries()].filter(([at]) => second[at] === contentTypes.handshake && second[at + 5] === 1);
  const start = (records[0]?.[0] ?? 0) + 5;
  const hello = second.subarray(start);
  const view = new DataView(hello.buffer, hello.byteOffset);
  const found = new Set<number>([1, 3, 4, 5, 6, 38, 39]);
  let at = 4 + 2 + 32;
  at += 1 + view.getUint8(at);
  at += 2 + view.getUint16(at);
  at += 1 + view.getUint8(at) + 2;
  while (view.getUint16(at) !== 21) {
    for (const offset of [0, 1, 2, 3, 4]) found.add(at + offset);
    at += 4 + view.getUint16(at + 2);
  }
  // The padding, and the PSK behind it, whose binder ends the message.
  const end = 4 + view.getUint16(2);
  for (const offset of [at, at + 4, at + 100, 16384, at + 4 + giant, at + 4 + giant + 2, at + 4 + giant + 4])
    found.add(offset);
  for (const offset of [1, 2, 31, 32, 33, 34, 35, 36]) found.add(end - offset);
  return [...found].filter((offset) => offset < end);
}
