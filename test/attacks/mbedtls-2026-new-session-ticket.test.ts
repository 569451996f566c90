/** Mbed TLS (July 2026), "Information disclosure in TLS 1.2 NewSessionTicket": lengths that reach beyond the message. */
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import {
  clearItems,
  connectSync,
  makeWorld,
  messageIn,
  outcome,
  pumpThrough,
  sessionOf,
  type Middleman,
} from '../support/attack-rig.js';
import { makePair } from '../support/connections.js';

/** Puts these bytes in place of the body of the NewSessionTicket. */
const withBody =
  (body: Uint8Array): Middleman =>
  (item) =>
    messageIn(item)?.type === 'new_session_ticket'
      ? [{ contentType: 22, bytes: concat(Uint8Array.of(4, 0, body.length >> 8, body.length & 0xff), body) }]
      : [item];

describe('NewSessionTicket', () => {
  it.each([
    ['a ticket length of one byte too many', '00001c20' + '0005' + '41414141'],
    ['a ticket length of 65535', '00001c20' + 'ffff' + '41414141'],
    ['a ticket length of one byte too few', '00001c20' + '0003' + '41414141'],
    ['no ticket length', '00001c20'],
    ['half a ticket length', '00001c20' + '00'],
    ['half a lifetime', '0000'],
    ['nothing at all', ''],
  ])('R8446-4.6.1-12 with %s is a decode_error', (_title, body) => {
    const world = makeWorld('ticket');
    const pair = pumpThrough(makePair(world.client(), world.server()), withBody(fromHex(body)));
    expect(outcome(pair)).toBe('client: decode_error');
    expect(pair.client.events.map(({ type }) => type)).toEqual(['close']);
  });

  it('R5077-3.2-7 R5077-4-1 what is offered later is the ticket, byte for byte, and holds no other buffer alive', () => {
    const world = makeWorld('ticket');
    const server = world.server();
    const first = connectSync(world.client(), server);
    const issued = clearItems(first, 'server')
      .map(messageIn)
      .find((message) => message?.type === 'new_session_ticket');
    if (issued?.type !== 'new_session_ticket') throw new Error('no ticket was issued');
    const { ticket } = sessionOf(first);
    expect(toHex(ticket ?? fromHex(''))).toBe(toHex(issued.body.ticket));
    expect(ticket?.buffer.byteLength).toBe(ticket?.length);

    const [hello] = clearItems(connectSync(world.client({ session: sessionOf(first) }), server), 'client').map(
      messageIn,
    );
    const extension =
      hello?.type === 'client_hello' && hello.body.extensions?.find(({ type }) => type === 'session_ticket');
    expect(extension && extension.type === 'session_ticket' && toHex(extension.data)).toBe(toHex(issued.body.ticket));
  });
});
