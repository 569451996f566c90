/** OpenSSL 1.0.1: a client took a ticket that only an earlier handshake had announced, or did not miss one that was announced. */
import { describe, expect, it } from 'vitest';
import {
  connectSync,
  handshakeItem,
  makeWorld,
  messageIn,
  nameOf,
  outcome,
  pumpThrough,
  rewritingServerHello,
  sessionOf,
  type Middleman,
} from '../support/attack-rig.js';
import { makePair, type Pair } from '../support/connections.js';

const ticket = handshakeItem({
  type: 'new_session_ticket',
  body: { ticketLifetimeHint: 7200, ticket: new Uint8Array(100).fill(0x41) },
});
const unannounced: Middleman = (item) =>
  item.from === 'server' && nameOf(item) === 'change_cipher_spec' ? [ticket, item] : [item];
const swallowed: Middleman = (item) => (messageIn(item)?.type === 'new_session_ticket' ? [] : [item]);
const announcedOnly = rewritingServerHello((hello) => ({
  ...hello,
  extensions: [...(hello.extensions ?? []), { type: 'session_ticket', data: {} }],
}));
const doubled: Middleman = (item) => (nameOf(item) === 'new_session_ticket' ? [item, item] : [item]);

describe.each(['full', 'abbreviated'])('NewSessionTicket in a %s handshake', (flow) => {
  function attacked(middleman: Middleman): Pair {
    const world = makeWorld('ticket');
    const issuing = world.server({ renewTickets: 'always' });
    const silent = flow === 'full' ? world.server({ tickets: undefined }) : world.server({ renewTickets: 'never' });
    const session = flow === 'abbreviated' ? sessionOf(connectSync(world.client(), issuing)) : undefined;
    const server = middleman === unannounced ? silent : issuing;
    return pumpThrough(makePair(world.client({ session }), server), middleman);
  }

  it('R5077-3.3-1 without the extension in this ServerHello is unexpected', () => {
    expect(outcome(attacked(unannounced))).toBe('client: unexpected_message');
  });

  it('R5077-3.3-1 that was announced and does not come is missed', () => {
    expect(outcome(attacked(swallowed))).toBe('client: unexpected_message');
  });

  it('R5077-3.3-1 twice is once too often', () => {
    expect(outcome(attacked(doubled))).toBe('client: unexpected_message');
  });

  it('R5077-3.3-4 none of these leaves the client a session', () => {
    for (const middleman of [unannounced, swallowed, doubled])
      expect(attacked(middleman).client.events.map(({ type }) => type)).toEqual(['close']);
  });
});

it('R5077-3.3-1 a resumption whose ServerHello announces a ticket that the server never meant to send', () => {
  const world = makeWorld('ticket');
  const server = world.server({ renewTickets: 'never' });
  const session = sessionOf(connectSync(world.client(), server));
  expect(outcome(pumpThrough(makePair(world.client({ session }), server), announcedOnly))).toBe(
    'client: unexpected_message',
  );
});

it('R5077-3.2-4 R5246-7.4.1.4-1 the extension in an answer to a client that did not send it is unsupported', () => {
  const world = makeWorld('session_id');
  expect(outcome(pumpThrough(makePair(world.client(), world.server()), announcedOnly))).toBe(
    'client: unsupported_extension',
  );
});
