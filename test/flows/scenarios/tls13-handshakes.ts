/** TLS 1.3 handshakes by certificate and by external PSK, at once and after a HelloRetryRequest. */
import { ascii } from '../../../src/bytes.js';
import type { CertificateCompression } from '../../../src/crypto/certificate-compression.js';
import { withPostQuantum } from '../../../src/crypto/noble-post-quantum.js';
import { clientCredentials } from '../../support/credentials.js';
import { seededCrypto } from '../../support/seeded.js';
import type { Completed, Scenario } from '../house.js';
import { forget, withTickets } from './parts.js';
import { byPsk, first13, fullFor, ofTls13, otherGroup, otherShare, retried, withoutTickets } from './parts-tls13.js';

const cookie = { retryCookie: () => ascii('a cookie') };

const messages: readonly Scenario[] = [
  {
    name: 'tls13-full',
    steps: [
      { title: 'full', expected: fullFor('not_offered', withoutTickets) },
      {
        title: 'without looking like TLS 1.2',
        client: () => ({ middleboxCompatibility: false }),
        expected: fullFor('not_offered', withoutTickets),
      },
    ],
  },
  {
    name: 'tls13-hello-retry-request',
    server: withTickets,
    steps: [
      {
        title: 'a group without key share',
        client: otherShare,
        server: otherGroup,
        expected: retried(first13.expected),
      },
      { title: 'a cookie', before: forget, server: () => cookie, expected: retried(first13.expected) },
      {
        title: 'both',
        before: forget,
        client: otherShare,
        server: () => ({ ...otherGroup(), ...cookie }),
        expected: retried(first13.expected),
      },
      { title: 'with a PSK, a group', client: otherShare, server: otherGroup, expected: retried(byPsk) },
      { title: 'with a PSK, a cookie', server: () => cookie, expected: retried(byPsk) },
      {
        title: 'with a PSK, both',
        client: otherShare,
        server: () => ({ ...otherGroup(), ...cookie }),
        expected: retried(byPsk),
      },
    ],
  },
  {
    name: 'tls13-hello-retry-request-drops-psk',
    server: withTickets,
    steps: [
      first13,
      {
        title: 'R8446-4.1.4-8 the suite asked for has another hash than the ticket, whose identity is left out',
        client: otherShare,
        server: () => ({ ...otherGroup(), cipherSuites: ['TLS_AES_256_GCM_SHA384'] }),
        expected: retried(fullFor('cipher_suite_disabled')),
      },
    ],
  },
  {
    name: 'tls13-x25519mlkem768',
    client: ({ backend }) => ({ crypto: withPostQuantum(seededCrypto(backend, 'hybrid client')) }),
    steps: [
      {
        title: 'the hybrid group',
        server: ({ backend }) => ({ crypto: withPostQuantum(seededCrypto(backend, 'hybrid server')) }),
        expected: fullFor('not_offered', withoutTickets),
      },
      {
        title: 'a server that has not heard of it takes the other key share',
        server: () => ({ groups: ['x25519'] }),
        expected: fullFor('not_offered', withoutTickets),
      },
    ],
  },
];
const psk = { identity: ascii('a PSK from elsewhere'), key: new Uint8Array(32).fill(7) };
const asClient = (how: object = {}) => ({ externalPsks: [{ ...psk, ...how, role: 'client' as const }] });
const asServer = (how: object = {}) => ({ externalPsks: [{ ...psk, ...how, role: 'server' as const }] });
const raw = { withoutImporter: true } as const;
const byExternalPsk: Completed = { ...byPsk, tickets: 0, newTicket: false };

const external: readonly Scenario[] = [
  {
    name: 'tls13-external-psk',
    steps: [
      { title: 'imported', client: () => asClient(), server: () => asServer(), expected: byExternalPsk },
      { title: 'raw', client: () => asClient(raw), server: () => asServer(raw), expected: byExternalPsk },
      {
        title: 'raw, and found when it is asked for',
        client: () => asClient(raw),
        server: () => ({
          findExternalPsk: (identity) => ({ identity, key: psk.key, hash: 'sha256', kind: 'external', role: 'server' }),
        }),
        expected: byExternalPsk,
      },
      {
        title: 'imported on one side alone: not known to the other',
        client: () => asClient(),
        server: () => asServer(raw),
        expected: fullFor('disabled', withoutTickets),
      },
      {
        title: 'another key under the same identity',
        client: () => asClient({ ...raw, key: new Uint8Array(32).fill(8) }),
        server: () => asServer(raw),
        expected: { by: 'server', alert: 'decrypt_error' },
      },
      {
        title: 'with a HelloRetryRequest',
        client: () => ({ ...asClient(), ...otherShare() }),
        server: () => ({ ...asServer(), ...otherGroup() }),
        expected: retried(byExternalPsk),
      },
    ],
  },
  {
    name: 'tls13-external-psk-ticket',
    server: (house) => ({ ...asServer(), ...withTickets(house) }),
    client: () => asClient(),
    steps: [
      { title: 'by the external PSK, and a ticket comes', expected: byPsk },
      { title: 'by that ticket', expected: byPsk },
    ],
  },
];

const certificates: readonly Scenario[] = [
  {
    name: 'tls13-client-certificate',
    server: (house) => ({ ...withTickets(house), clientAuthentication: 'require' }),
    client: () => ({ credentials: [clientCredentials] }),
    steps: [
      { title: 'required, and shown', expected: first13.expected },
      { title: 'resumed: the session remembers it', expected: byPsk },
      {
        title: 'required, and not there',
        before: forget,
        client: () => ({ credentials: [] }),
        expected: { by: 'server', alert: 'certificate_required', late: true },
      },
    ],
  },
  {
    name: 'tls13-client-certificate-requested',
    server: (house) => ({ ...withTickets(house), clientAuthentication: 'request' }),
    steps: [
      { title: 'requested, and not there', expected: first13.expected },
      { title: 'resumed', expected: byPsk },
      {
        title: 'requested, and shown',
        before: forget,
        client: () => ({ credentials: [clientCredentials] }),
        expected: first13.expected,
      },
    ],
  },
  {
    name: 'tls13-certificate-compression',
    client: () => ({ certificateCompression: [verbatim], credentials: [clientCredentials] }),
    steps: [
      {
        title: 'both chains are compressed',
        server: () => ({ certificateCompression: [verbatim], clientAuthentication: 'require' }),
        expected: fullFor('not_offered', withoutTickets),
      },
      { title: 'a server without', expected: fullFor('not_offered', withoutTickets) },
    ],
  },
];

/** Where sizes do not depend on a library's version. */
const verbatim: CertificateCompression = {
  algorithm: 'zstd',
  compress: (data) => data.slice(),
  decompress: (data, length) => (data.length === length ? data.slice() : undefined),
};

export const tls13Handshakes = ofTls13([...messages, ...external, ...certificates]);
