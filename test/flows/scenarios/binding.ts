/** What a session is bound to, and what belongs to the connection alone. */
import { ascii } from '../../../src/bytes.js';
import type { ServerOptions } from '../../../src/connection/options.js';
import type { ServerSettings } from '../../../src/handshake/settings.js';
import type { Session } from '../../../src/sessions/session.js';
import { hour, testServer, type Changes } from '../../support/connections.js';
import { clientCredentials, ecdsaP256, ed25519Credentials, trustingVerifier } from '../../support/credentials.js';
import type { House, Scenario } from '../house.js';
import {
  bySessionId,
  byTicket,
  first,
  firstWithTicket,
  forget,
  refusedFor,
  wait,
  withStore,
  withTickets,
} from './parts.js';

/** Two hosts with keys and contexts of their own, behind one ring of ticket keys. */
function virtualHost(house: House, name: string | undefined): ServerSettings | undefined {
  const hosts: Readonly<Record<string, Changes<ServerOptions>>> = {
    'one.example': { credentials: [ecdsaP256] },
    'two.example': { credentials: [ed25519Credentials] },
  };
  const host = hosts[name ?? ''];
  if (host === undefined) return undefined;
  const common = { now: house.now, tickets: house.sealer, counters: house.counters.server };
  const applicationContext = ascii(name ?? '');
  return testServer(house.backend, `virtual host ${house.clock.time}`, { ...common, applicationContext, ...host });
}

export const binding: readonly Scenario[] = [
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
    name: 'virtual-hosts',
    server: (house) => ({ ...withTickets(house), chooseSettings: ({ serverName }) => virtualHost(house, serverName) }),
    steps: [
      {
        ...firstWithTicket,
        title: 'full, the settings of the first host',
        client: () => ({ serverName: 'one.example' }),
      },
      { title: 'resumed there', client: () => ({ serverName: 'one.example' }), expected: byTicket },
      {
        ...firstWithTicket,
        title: 'full, those of the second',
        before: forget,
        client: () => ({ serverName: 'two.example' }),
      },
      { title: 'resumed there', client: () => ({ serverName: 'two.example' }), expected: byTicket },
      {
        title: 'a name that is not served',
        client: () => ({ serverName: 'three.example' }),
        expected: { by: 'server', alert: 'unrecognized_name' },
      },
    ],
  },
  {
    name: 'client-store',
    server: withTickets,
    client: ({ clientStore }) => ({ session: undefined, sessions: clientStore }),
    steps: [
      firstWithTicket,
      { title: 'from the store of the client', expected: byTicket },
      {
        ...firstWithTicket,
        title: 'another identity of the same name has none',
        client: () => ({ peerIdentity: 'server.example:8443' }),
      },
      { title: 'the first one still has', expected: byTicket },
      {
        ...firstWithTicket,
        title: 'the store has forgotten it at the end of its lifetime',
        before: wait(2 * hour),
      },
    ],
  },
];

function withoutName({ serverName: _dropped, ...session }: Session): Session {
  return session;
}
