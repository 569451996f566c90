/** A client of both versions, with sessions of both, and servers of either. */
import type { Scenario, Step } from '../house.js';
import { forget, withTickets } from './parts.js';
import { byPsk, first13, fullFor, offerAll } from './parts-tls13.js';

const onTls12 = (step: Step): Step => ({
  ...step,
  server: (house) => ({ ...withTickets(house), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
});
const onTls13 = (step: Step): Step => ({
  ...step,
  server: (house) => ({ ...withTickets(house), minVersion: 'TLSv1.3' }),
});

/** The session ID of a client that offers TLS 1.3 too is made up (RFC 8446 D.4), and this server has no store. */
const firstOfTls12: Step = {
  title: 'full, a ticket is issued',
  expected: { mode: 'full', server: 'disabled', client: 'not_offered', newTicket: true },
};

export const bothVersions: readonly Scenario[] = [
  {
    name: 'both-versions',
    versions: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
    server: withTickets,
    client: offerAll,
    steps: [
      onTls12(firstOfTls12),
      onTls13({
        title: 'a session of TLS 1.2 is worth nothing to TLS 1.3',
        expected: fullFor('not_offered', { client: 'declined_by_server' }),
      }),
      onTls12({
        title: 'sessions of both, to a server of TLS 1.2',
        expected: { mode: 'ticket' },
      }),
      onTls13({ title: 'sessions of both, to a server of TLS 1.3', expected: byPsk }),
      { title: 'sessions of both, to a server of both', expected: byPsk },
      onTls12({ title: 'and to one of TLS 1.2 again', expected: { mode: 'ticket' } }),
      onTls13({ ...first13, title: 'without any', before: forget }),
      onTls12({
        title: 'a session of TLS 1.3 is worth nothing to TLS 1.2',
        expected: { mode: 'full', server: 'disabled', client: 'declined_by_server', newTicket: true },
      }),
    ],
  },
  {
    name: 'both-versions-store',
    versions: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
    server: withTickets,
    client: ({ clientStore }) => ({ session: undefined, sessions: clientStore }),
    steps: [
      onTls12(firstOfTls12),
      onTls13({
        title: 'the store has a session of TLS 1.2',
        expected: fullFor('not_offered', { client: 'declined_by_server' }),
      }),
      onTls12({ title: 'each version has its own place there', expected: { mode: 'ticket' } }),
      onTls13({
        title: 'R8446-C.4-1 the ticket of TLS 1.3 was offered then, and is gone',
        expected: fullFor('not_offered', { client: 'declined_by_server' }),
      }),
      { title: 'a server of both', expected: byPsk },
    ],
  },
];
