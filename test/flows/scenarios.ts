/** Every flow of TLS 1.2 that client and server of this library have, as data. Each has a golden text of the same name. */
import { ascii, concat } from '../../src/bytes.js';
import type { Session } from '../../src/sessions/session.js';
import type { SessionStore } from '../../src/sessions/store.js';
import type { TicketSealer } from '../../src/tickets/sealer.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { Rfc5077Sealer } from '../../src/tickets/rfc5077-sealer.js';
import { clientCredentials, trustingVerifier } from '../support/credentials.js';
import { hour, ticketKey } from '../support/connections.js';
import { seededCrypto } from '../support/seeded.js';
import type { Completed, House, Scenario, Step } from './house.js';

const withTickets = ({ sealer }: House) => ({ tickets: sealer });
const withStore = ({ store }: House) => ({ sessions: store });

const firstWithTicket: Step = {
  title: 'full, a ticket is issued',
  expected: { mode: 'full', server: 'not_offered', client: 'not_offered', newTicket: true },
};
const first: Step = {
  title: 'full',
  expected: { mode: 'full', server: 'not_offered', client: 'not_offered', newTicket: false },
};
const byTicket: Completed = { mode: 'ticket', newTicket: false };
const bySessionId: Completed = { mode: 'session_id', newTicket: false };

/** The ticket was no good: a full handshake in the same flight, with a new ticket. */
const refusedFor = (server: Completed['server']): Completed => ({
  mode: 'full',
  server: server!,
  client: 'declined_by_server',
  newTicket: true,
});

/** The client's session with another ticket. */
const retouch = (change: (ticket: Uint8Array) => Uint8Array) => (house: House) => {
  const session = house.session!;
  house.session = { ...session, ticket: change(session.ticket!) };
};

const flipLastBit = (ticket: Uint8Array) => ticket.map((byte, i) => (i === ticket.length - 1 ? byte ^ 1 : byte));

const forget = (house: House) => {
  house.session = undefined;
};
const wait = (milliseconds: number) => (house: House) => {
  house.clock.time += milliseconds;
};

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

/** A sealer that seals nothing, as its ring has no key. */
const keyless = ({ backend, now }: House) => {
  const crypto = seededCrypto(backend, 'keyless');
  return { tickets: new Rfc5077Sealer({ crypto, keys: new KeyRing({ crypto, now }) }) };
};

export const scenarios: readonly Scenario[] = [
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
        server: withTickets,
        expected: byTicket,
      },
      {
        title: 'and no longer',
        before: wait(1),
        server: withTickets,
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
  {
    name: 'session-bound-to-suite',
    server: withTickets,
    steps: [
      {
        ...firstWithTicket,
        client: () => ({ cipherSuites: ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'] }),
      },
      {
        title: 'its suite is kept on resumption, whatever is preferred now',
        client: () => ({
          cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
        }),
        expected: byTicket,
      },
      {
        title: 'declined: the server has it no more',
        server: () => ({ cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] }),
        expected: refusedFor('cipher_suite_disabled'),
      },
      {
        title: 'not offered: the client has it no more',
        client: () => ({ cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] }),
        expected: firstWithTicket.expected,
      },
    ],
  },
  {
    name: 'session-bound-to-name',
    server: withTickets,
    steps: [
      firstWithTicket,
      {
        title: 'names compare without regard to case',
        client: () => ({ serverName: 'SERVER.example' }),
        expected: byTicket,
      },
      {
        title: 'not offered under another name',
        client: () => ({ serverName: 'other.example' }),
        expected: firstWithTicket.expected,
      },
      {
        title: 'declined: a client that offers it all the same',
        client: ({ session }) => ({
          serverName: 'third.example',
          session: { ...session!, serverName: 'third.example' },
        }),
        expected: refusedFor('server_name_mismatch'),
      },
      {
        title: 'declined: the name is missing now',
        client: ({ session }) => ({ serverName: undefined, session: withoutName(session!) }),
        expected: refusedFor('server_name_mismatch'),
      },
    ],
  },
  {
    name: 'session-bound-to-context',
    server: withTickets,
    steps: [
      firstWithTicket,
      {
        title: 'declined: ticket keys are shared, the application context is not',
        server: () => ({ applicationContext: ascii('another virtual host') }),
        expected: refusedFor('context_mismatch'),
      },
      {
        title: 'declined: clients are asked for certificates now',
        server: () => ({ clientAuthentication: 'request' }),
        expected: refusedFor('context_mismatch'),
      },
    ],
  },
  {
    name: 'alpn',
    server: (house) => ({ ...withTickets(house), alpnProtocols: ['h2', 'http/1.1'] }),
    client: () => ({ alpnProtocols: ['http/1.1', 'h2'] }),
    steps: [
      { ...firstWithTicket, title: 'full, h2 by the server’s preference' },
      { title: 'resumed, h2', expected: byTicket },
      {
        title: 'the protocol belongs to the connection: resumed with http/1.1',
        client: () => ({ alpnProtocols: ['http/1.1'] }),
        expected: byTicket,
      },
      { title: 'resumed without protocol', client: () => ({ alpnProtocols: [] }), expected: byTicket },
      {
        title: 'none in common, resumption or not',
        client: () => ({ alpnProtocols: ['imap'] }),
        expected: { by: 'server', alert: 'no_application_protocol' },
      },
    ],
  },
  {
    name: 'client-certificate',
    server: (house) => ({ ...withTickets(house), clientAuthentication: 'require' }),
    steps: [
      {
        ...firstWithTicket,
        title: 'full, the client has a certificate',
        client: () => ({ credentials: [clientCredentials] }),
      },
      {
        title: 'resumed: the identity comes with the session',
        client: () => ({ credentials: [clientCredentials] }),
        expected: byTicket,
      },
      {
        title: 'revoked meanwhile: declined, and refused in the full handshake',
        client: () => ({ credentials: [clientCredentials] }),
        server: () => ({
          verifyCertificate: (question) =>
            question.role === 'client'
              ? { accepted: false, alert: 'certificate_revoked', reason: 'revoked' }
              : trustingVerifier(question),
        }),
        expected: { by: 'server', alert: 'certificate_revoked' },
      },
      {
        title: 'required and missing',
        before: forget,
        expected: { by: 'server', alert: 'handshake_failure' },
      },
    ],
  },
  {
    name: 'client-certificate-requested',
    server: (house) => ({ ...withStore(house), clientAuthentication: 'request' }),
    steps: [
      { ...first, title: 'full, the client has none and says so' },
      { title: 'resumed without an identity', expected: bySessionId },
      {
        title: 'a server that requires one declines that session',
        server: () => ({ clientAuthentication: 'require' }),
        expected: { by: 'server', alert: 'handshake_failure' },
      },
    ],
  },
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

function withoutName({ serverName: _dropped, ...session }: Session): Session {
  return session;
}
