/** Stores and sealers that are out of order, or far away. */
import type { SessionStore } from '../../../src/sessions/store.js';
import type { TicketSealer } from '../../../src/tickets/sealer.js';
import type { Scenario } from '../house.js';
import { bySessionId, byTicket, first, firstWithTicket, forget, withStore, withTickets } from './parts.js';

const brokenStore = (fail: () => never | Promise<never>): SessionStore => ({ get: fail, set: fail, delete: fail });
const brokenSealer = (fail: () => never | Promise<never>): TicketSealer => ({ open: fail, seal: fail });
const throwing = () => {
  throw new Error('out of order');
};
const rejecting = () => Promise.reject(new Error('out of order'));

/** Takes a few turns of the event loop for everything. */
const slowStore = (store: SessionStore): SessionStore => ({
  get: (key) => later(() => store.get(key)),
  set: (key, value, expiresAt) => later(() => store.set(key, value, expiresAt)),
  delete: (key) => later(() => store.delete(key)),
});
const slowSealer = (sealer: TicketSealer): TicketSealer => ({
  open: (ticket) => later(() => sealer.open(ticket)),
  seal: (state) => later(() => sealer.seal(state)),
});
async function later<T>(value: () => T | Promise<T>): Promise<T> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  return value();
}

export const failures: readonly Scenario[] = [
  {
    name: 'store-throws',
    server: () => ({ sessions: brokenStore(throwing) }),
    client: () => ({ tickets: false }),
    steps: [
      { ...first, server: withStore },
      {
        title: 'full, nothing can be looked up or kept',
        expected: { mode: 'full', server: 'store_unavailable', client: 'declined_by_server' },
      },
      {
        title: 'the session ID that could not be kept',
        server: withStore,
        expected: { mode: 'full', server: 'unknown_session_id', client: 'declined_by_server' },
      },
    ],
  },
  {
    name: 'sealer-throws',
    server: () => ({ tickets: brokenSealer(throwing) }),
    steps: [
      { ...firstWithTicket, server: withTickets },
      {
        title: 'full, an empty ticket',
        expected: { mode: 'full', server: 'store_unavailable', client: 'declined_by_server', newTicket: false },
      },
    ],
  },
  {
    name: 'store-rejects',
    asynchronousOnly: true,
    server: () => ({ sessions: brokenStore(rejecting) }),
    client: () => ({ tickets: false }),
    steps: [
      { ...first, server: withStore },
      {
        title: 'full, nothing can be looked up or kept',
        expected: { mode: 'full', server: 'store_unavailable', client: 'declined_by_server' },
      },
    ],
  },
  {
    name: 'sealer-rejects',
    asynchronousOnly: true,
    server: () => ({ tickets: brokenSealer(rejecting) }),
    steps: [
      { ...firstWithTicket, server: withTickets },
      {
        title: 'full, an empty ticket',
        expected: { mode: 'full', server: 'store_unavailable', client: 'declined_by_server', newTicket: false },
      },
    ],
  },
  {
    name: 'store-and-sealer-slow',
    asynchronousOnly: true,
    server: (house) => ({ sessions: slowStore(house.store), tickets: slowSealer(house.sealer) }),
    steps: [
      firstWithTicket,
      { title: 'by ticket', expected: byTicket },
      { title: 'full, a session ID', before: forget, client: () => ({ tickets: false }), expected: first.expected },
      { title: 'by session ID', client: () => ({ tickets: false }), expected: bySessionId },
    ],
  },
];
