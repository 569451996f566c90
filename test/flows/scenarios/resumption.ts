/** Full handshakes, and resumption by session ID and by ticket: taken, renewed, refused, too late. */
import { ascii, concat } from '../../../src/bytes.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { RingSealer } from '../../../src/tickets/ring-sealer.js';
import { hour, ticketKey } from '../../support/connections.js';
import { seededCrypto } from '../../support/seeded.js';
import type { House, Scenario } from '../house.js';
import {
  bySessionId,
  byTicket,
  first,
  firstWithTicket,
  flipLastBit,
  forget,
  refusedFor,
  retouch,
  wait,
  withStore,
  withTickets,
} from './parts.js';

/** A sealer that seals nothing, as its ring has no key. */
const keyless = ({ backend, now }: House) => {
  const crypto = seededCrypto(backend, 'keyless');
  return { tickets: new RingSealer({ keys: new KeyRing({ crypto, now }) }) };
};

export const resumption: readonly Scenario[] = [
  { name: 'full', steps: [first] },
  {
    name: 'session-id',
    server: withStore,
    client: () => ({ tickets: false }),
    steps: [
      first,
      { title: 'resumed by session ID', expected: bySessionId },
      { title: 'and again: the session is not used up', expected: bySessionId },
    ],
  },
  {
    name: 'session-id-beside-empty-ticket-extension',
    server: withStore,
    steps: [
      first,
      { title: 'session ID and an empty ticket extension', expected: bySessionId },
      {
        title: 'the same, now that the server has ticket keys',
        server: withTickets,
        expected: bySessionId,
      },
    ],
  },
  {
    name: 'session-id-unknown',
    server: withStore,
    steps: [
      first,
      {
        title: 'the store has lost it',
        before: ({ store }) => store.clear(),
        expected: { mode: 'full', server: 'unknown_session_id', client: 'declined_by_server' },
      },
      { title: 'the new session is in use', expected: bySessionId },
      {
        title: 'a server without a store',
        server: () => ({ sessions: undefined }),
        expected: { mode: 'full', server: 'disabled', client: 'declined_by_server' },
      },
    ],
  },
  {
    name: 'ticket',
    server: withTickets,
    steps: [
      firstWithTicket,
      { title: 'resumed by ticket', expected: byTicket },
      { title: 'and again: the server keeps no state', expected: byTicket },
    ],
  },
  {
    name: 'ticket-renewed',
    server: withTickets,
    steps: [
      firstWithTicket,
      {
        title: 'the key was rotated: resumed and renewed',
        before: ({ ring, backend }) => ring.rotate(ticketKey(backend, 'second')),
        expected: { mode: 'ticket', newTicket: true },
      },
      { title: 'the renewed ticket', expected: byTicket },
      {
        title: 'renewed each time by policy',
        server: () => ({ renewTickets: 'always' }),
        expected: { mode: 'ticket', newTicket: true },
      },
      {
        title: 'rotated again, but never renewed by policy',
        before: ({ ring, backend }) => ring.rotate(ticketKey(backend, 'third')),
        server: () => ({ renewTickets: 'never' }),
        expected: byTicket,
      },
    ],
  },
  {
    name: 'ticket-refused',
    server: withTickets,
    steps: [
      firstWithTicket,
      {
        title: 'a key name that nobody knows',
        before: retouch((ticket) => concat(ascii('another key name'), ticket.subarray(16))),
        expected: refusedFor('unknown_key_name'),
      },
      { title: 'a flipped bit', before: retouch(flipLastBit), expected: refusedFor('bad_mac') },
      { title: 'cut short', before: retouch((ticket) => ticket.slice(0, 60)), expected: refusedFor('malformed') },
      { title: 'one byte', before: retouch((ticket) => ticket.slice(0, 1)), expected: refusedFor('malformed') },
      {
        title: 'authentic, but no session of ours',
        before: (house) => retouch(() => house.sealer.seal(ascii('something else')))(house),
        expected: refusedFor('unreadable_state'),
      },
      {
        title: 'its key has expired',
        before: ({ ring, backend, clock }) => {
          ring.rotate(ticketKey(backend, 'second'));
          clock.time += 25 * hour;
        },
        client: ({ session }) => ({ session: { ...session!, ticketLifetimeHint: 0 } }),
        expected: refusedFor('expired'),
      },
      { title: 'the ticket of the last full handshake', expected: byTicket },
    ],
  },
  {
    name: 'ticket-disabled',
    steps: [
      { ...firstWithTicket, server: withTickets },
      {
        title: 'a server without ticket keys',
        expected: { mode: 'full', server: 'disabled', client: 'declined_by_server', newTicket: false },
      },
      {
        title: 'a client that does not want tickets any more',
        server: withTickets,
        client: () => ({ tickets: false }),
        expected: { mode: 'full', server: 'not_offered', client: 'not_offered', newTicket: false },
      },
    ],
  },
  {
    name: 'ticket-zero-length',
    server: keyless,
    steps: [
      {
        title: 'the server has no key and sends an empty ticket',
        expected: { mode: 'full', server: 'not_offered', client: 'not_offered', newTicket: false },
      },
      {
        title: 'the client holds nothing',
        expected: { mode: 'full', server: 'not_offered', client: 'not_offered', newTicket: false },
      },
    ],
  },
  {
    name: 'ticket-and-store',
    server: (house) => ({ ...withTickets(house), ...withStore(house) }),
    steps: [
      firstWithTicket,
      { title: 'by ticket, beside a made-up session ID', expected: byTicket },
      {
        title: 'a broken ticket is not helped by its session ID',
        before: retouch(flipLastBit),
        expected: refusedFor('bad_mac'),
      },
      {
        title: 'a client without tickets gets a session ID',
        before: forget,
        client: () => ({ tickets: false }),
        expected: first.expected,
      },
      { title: 'and resumes by it', client: () => ({ tickets: false }), expected: bySessionId },
    ],
  },
  {
    name: 'ticket-lifetime',
    steps: [
      { ...firstWithTicket, server: (house) => ({ ...withTickets(house), ticketLifetimeHint: 60 }) },
      { title: 'at the end of its lifetime', before: wait(60_000), server: withTickets, expected: byTicket },
      {
        title: 'a millisecond later it is not offered',
        before: wait(1),
        server: (house) => ({ ...withTickets(house), ticketLifetimeHint: 0 }),
        expected: firstWithTicket.expected,
      },
      {
        title: 'a hint of 0 leaves it to the client: 7 days',
        before: wait(7 * 24 * hour),
        server: (house) => ({ ...withTickets(house), maximumSessionAge: 7 * 24 * hour }),
        expected: byTicket,
      },
      {
        title: 'and no longer',
        before: wait(1),
        server: (house) => ({ ...withTickets(house), maximumSessionAge: 7 * 24 * hour }),
        expected: firstWithTicket.expected,
      },
    ],
  },
  {
    name: 'session-too-old',
    server: withTickets,
    steps: [
      { ...firstWithTicket, server: () => ({ ticketLifetimeHint: 0 }) },
      {
        title: 'declined: older than the server allows',
        before: wait(2 * hour),
        server: () => ({ maximumSessionAge: hour }),
        expected: refusedFor('too_old'),
      },
      {
        title: 'older than the client allows: not offered',
        before: wait(2 * hour),
        client: () => ({ maximumSessionAge: hour }),
        expected: firstWithTicket.expected,
      },
    ],
  },
];
