/** TLS 1.3 tickets: sealed and stateful, one and several, asked for and on demand, taken and refused. */
import { hour } from '../../support/connections.js';
import { tls13Session } from '../../support/sessions.js';
import type { House } from '../house.js';
import { forget, wait, withStore, withTickets } from './parts.js';
import { byPsk, first13, fullFor, offerAll, ofTls13, retried, withoutTickets } from './parts-tls13.js';

/** A store that hands out what it keeps more than once. */
const withoutTake = ({ store }: House) => ({
  sessions: {
    get: (key: Uint8Array) => store.get(key),
    set: (key: Uint8Array, value: Uint8Array, expiresAt: number) => store.set(key, value, expiresAt),
    delete: (key: Uint8Array) => store.delete(key),
  },
});

export const tls13Tickets = ofTls13([
  {
    name: 'tls13-psk',
    server: withTickets,
    steps: [
      first13,
      { title: 'resumed', before: wait(hour), expected: byPsk },
      { title: 'by the ticket that came with that', before: wait(hour / 2), expected: byPsk },
      {
        title: 'under another suite of the same hash',
        server: () => ({ cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] }),
        expected: byPsk,
      },
      {
        title: 'under no suite of another hash',
        server: () => ({ cipherSuites: ['TLS_AES_256_GCM_SHA384'] }),
        expected: fullFor('cipher_suite_disabled'),
      },
    ],
  },
  {
    name: 'tls13-psk-refused',
    server: withTickets,
    steps: [
      first13,
      {
        title: 'the ticket is too old for the server’s key, and the client has not noticed',
        server: () => ({ maximumSessionAge: hour / 2 }),
        before: wait(hour),
        expected: fullFor('too_old'),
      },
      {
        title: 'a ticket that nobody has sealed',
        before: (house) => {
          const session = tls13Session(house.session);
          house.session = { ...session, ticket: session.ticket!.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) };
        },
        expected: fullFor('unknown_key_name'),
      },
      {
        title: 'a server without tickets',
        server: () => ({ tickets: undefined }),
        expected: fullFor('disabled', withoutTickets),
      },
      {
        title: 'a ticket whose lifetime is over is not offered',
        before: wait(3 * hour),
        expected: fullFor('not_offered'),
      },
    ],
  },
  {
    name: 'tls13-psk-ke',
    server: (house) => ({ ...withTickets(house), pskKeyExchangeModes: ['psk_ke', 'psk_dhe_ke'] }),
    client: () => ({ pskKeyExchangeModes: ['psk_ke'] }),
    steps: [
      first13,
      { title: 'resumed without a key exchange', expected: { ...byPsk, mode: 'psk_ke' } },
      {
        title: 'a server that wants one asks for the key share, which was left out',
        server: () => ({ pskKeyExchangeModes: ['psk_dhe_ke'] }),
        expected: retried(fullFor('psk_mode_mismatch', withoutTickets)),
      },
    ],
  },
  {
    name: 'tls13-stateful-tickets',
    steps: [
      { ...first13, server: withStore },
      { title: 'the ticket is a handle, good for one connection', server: withStore, expected: byPsk },
      {
        title: 'the handle was used before',
        before: (house) => {
          house.store.take(tls13Session(house.session).ticket!);
        },
        server: withStore,
        expected: fullFor('unknown_session_id'),
      },
      { title: 'a store that only gets', before: forget, server: withoutTake, expected: fullFor('not_offered') },
      { title: 'resumed', server: withoutTake, expected: byPsk },
    ],
  },
  {
    name: 'tls13-client-store',
    server: withTickets,
    client: ({ clientStore }) => ({ session: undefined, sessions: clientStore }),
    steps: [
      first13,
      {
        title: 'the client takes the ticket from its store, and gets no other',
        server: (house) => ({ ...withTickets(house), ticketCount: 0 }),
        expected: { ...byPsk, ...withoutTickets },
      },
      { title: 'R8446-C.4-1 none is offered twice', expected: fullFor('not_offered') },
    ],
  },
  {
    name: 'tls13-several-identities',
    server: withTickets,
    steps: [
      first13,
      {
        title: 'two tickets, and the server knows the key of the second',
        client: (house) => {
          const [one, two] = house.sessions.map(tls13Session);
          return { session: [{ ...one!, ticket: one!.ticket!.map((byte) => byte ^ 0xff) }, two!] };
        },
        expected: byPsk,
      },
      { title: 'two tickets, and the first is taken', before: forget, expected: fullFor('not_offered') },
      { title: 'so it is', client: offerAll, expected: byPsk },
    ],
  },
  {
    name: 'tls13-ticket-request',
    server: withTickets,
    client: () => ({ ticketRequest: { newSessionCount: 3, resumptionCount: 0 } }),
    steps: [
      { title: 'three tickets are asked for', expected: fullFor('not_offered', { tickets: 3 }) },
      { title: 'none is wanted for a resumption', expected: { ...byPsk, tickets: 0 } },
      {
        title: 'more than the server gives',
        before: forget,
        server: () => ({ maximumTicketCount: 1 }),
        expected: fullFor('not_offered', { tickets: 1 }),
      },
    ],
  },
  {
    name: 'tls13-tickets-on-demand',
    server: (house) => ({ ...withTickets(house), ticketCount: 0 }),
    steps: [
      {
        title: 'no ticket comes by itself',
        afterwards: [({ server }) => server.connection.sendTickets(2)],
        expected: fullFor('not_offered', { tickets: 2, newTicket: false }),
      },
      { title: 'resumed', expected: { ...byPsk, tickets: 0, newTicket: false } },
    ],
  },
]);
