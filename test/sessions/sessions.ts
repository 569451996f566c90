/** Sessions for tests: small, with everything, and any (fast-check). */
import fc from 'fast-check';
import { fromHex } from '../../src/bytes.js';
import { tls12Suites, type Tls12CipherSuite } from '../../src/key-schedule/suites.js';
import type { Session } from '../../src/sessions/session.js';

export const masterSecret = new Uint8Array(48).map((_, i) => i + 1);

export const smallSession: Session = {
  version: 'TLSv1.2',
  cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  masterSecret,
  extendedMasterSecret: true,
  establishedAt: 1_700_000_000_123,
  issuedAt: 1_700_000_100_456,
  peerCertificates: [],
  applicationContext: new Uint8Array(0),
};

export const fullSession: Session = {
  ...smallSession,
  serverName: 'example.test',
  alpnProtocol: 'h2',
  peerCertificates: [fromHex('3003020101'), fromHex('30030201ff')],
  applicationContext: fromHex('c0ffee'),
};

export const clientSession: Session = {
  ...fullSession,
  sessionId: fromHex('1d'.repeat(32)),
  ticket: fromHex('71c4e7'),
  ticketLifetimeHint: 7200,
};

const suites = Object.keys(tls12Suites) as Tls12CipherSuite[];
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const name = (maxLength: number) => bytes(1, maxLength).map((characters) => String.fromCharCode(...characters));
const time = fc.nat(Number.MAX_SAFE_INTEGER).map((milliseconds) => milliseconds % 8_640_000_000_000_000);

/** Any session as a server keeps it. */
export const anySession: fc.Arbitrary<Session> = fc.record(
  {
    version: fc.constant('TLSv1.2' as const),
    cipherSuite: fc.constantFrom(...suites),
    masterSecret: bytes(48, 48).filter((secret) => secret.some((byte) => byte !== 0)),
    extendedMasterSecret: fc.boolean(),
    establishedAt: time,
    issuedAt: time,
    peerCertificates: fc.array(bytes(1, 40), { maxLength: 3 }),
    applicationContext: bytes(0, 40),
    serverName: name(300),
    alpnProtocol: name(255),
  },
  {
    requiredKeys: [
      'version',
      'cipherSuite',
      'masterSecret',
      'extendedMasterSecret',
      'establishedAt',
      'issuedAt',
      'peerCertificates',
      'applicationContext',
    ],
  },
);

/** Any session as a client keeps it. */
export const anyClientSession: fc.Arbitrary<Session> = fc
  .tuple(
    anySession,
    fc.record({ sessionId: bytes(1, 32) }, { requiredKeys: [] }),
    fc.option(fc.record({ ticket: bytes(1, 300), ticketLifetimeHint: fc.nat(2 ** 31 - 1) }), { nil: {} }),
  )
  .map(([session, id, ticket]) => ({ ...session, ...id, ...ticket }));
