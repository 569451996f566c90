/**
 * Ticketbleed, F5 CVE-2016-9244: with a ticket accepted the server echoed 32 bytes of session ID although the client had sent
 * fewer: up to 31 bytes of its memory.
 */
import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../src/bytes.js';
import { serverConnection } from '../../src/connection/connection.js';
import { clientHello, type ClientHello } from '../../src/messages/index.js';
import {
  clearItems,
  connectSync,
  handshakeItem,
  makeWorld,
  messageIn,
  sessionOf,
  toRecord,
} from '../support/attack-rig.js';
import { alertsOf, readTraffic } from '../support/traffic.js';

describe('session IDs beside an accepted ticket', () => {
  const world = makeWorld('ticket');
  const server = world.server();
  const session = sessionOf(connectSync(world.client(), server));
  const [offered] = clearItems(connectSync(world.client({ session }), server), 'client').map(messageIn);
  if (offered?.type !== 'client_hello') throw new Error('a client begins with its hello');
  const hello: ClientHello = offered.body;

  function answerTo(wire: Uint8Array) {
    const connection = serverConnection(server, { driver: 'sync' });
    connection.receive(wire);
    return readTraffic([{ from: 'server', bytes: connection.takeOutput() }]);
  }

  it('P-state-6 R5077-3.4-3 of 1 to 32 bytes are echoed byte for byte, an empty one stays empty', () => {
    for (let length = 0; length <= 32; length++) {
      const legacySessionId = new Uint8Array(length).map((_, i) => 0xa0 + i);
      const items = answerTo(toRecord(handshakeItem({ type: 'client_hello', body: { ...hello, legacySessionId } })));
      const [first] = items.slice(0, 1).map(messageIn);
      if (first?.type !== 'server_hello') throw new Error('no ServerHello');
      expect(toHex(first.body.legacySessionIdEcho)).toBe(toHex(legacySessionId));
      // Abbreviated: ChangeCipherSpec comes next.
      expect(items.map(({ contentType }) => contentType).slice(0, 2)).toEqual([22, 20]);
    }
  });

  it.each([33, 34, 64, 255])('P-state-6 R5246-7.4.1.3-6 of %d bytes are a decode_error', (length) => {
    const body = clientHello.encode({ ...hello, legacySessionId: new Uint8Array(32) });
    // legacy_version and random come before the length of the ID.
    const longer = concat(body.subarray(0, 34), Uint8Array.of(length), new Uint8Array(length), body.subarray(67));
    const bytes = concat(Uint8Array.of(1, 0, longer.length >> 8, longer.length & 0xff), longer);
    const items = answerTo(toRecord({ contentType: 22, bytes }));
    expect(items.length).toBe(1);
    expect(alertsOf(items)).toEqual(['fatal decode_error']);
  });
});
