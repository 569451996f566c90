/** Sessions for tests: small, with everything, and any (fast-check). */
import fc from 'fast-check';
import { fromHex } from '../../src/bytes.js';
import { hashLength } from '../../src/crypto/backend.js';
import {
  isPskSuite,
  tls12Suites,
  tls13Suites,
  type Tls12CipherSuite,
  type Tls13CipherSuite,
} from '../../src/key-schedule/suites.js';
import type { Session, SessionFacts, Tls12Session, Tls13Session } from '../../src/sessions/session.js';

export const masterSecret = new Uint8Array(48).map((_, i) => i + 1);

export const smallSession: Tls12Session = {
  version: 'TLSv1.2',
  cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  masterSecret,
  extendedMasterSecret: true,
  establishedAt: 1_700_000_000_123,
  issuedAt: 1_700_000_100_456,
  peerCertificates: [],
  applicationContext: new Uint8Array(0),
};

export const fullSession: Tls12Session = {
  ...smallSession,
  serverName: 'example.test',
  alpnProtocol: 'h2',
  peerCertificates: [fromHex('3003020101'), fromHex('30030201ff')],
  peerSignatureScheme: 'rsa_pss_rsae_sha256',
  applicationContext: fromHex('c0ffee'),
};

export const clientSession: Tls12Session = {
  ...fullSession,
  sessionId: fromHex('1d'.repeat(32)),
  ticket: fromHex('71c4e7'),
  ticketLifetimeHint: 7200,
};

/** Under a PSK of TLS 1.2. */
export const pskSession: Tls12Session = {
  ...smallSession,
  cipherSuite: 'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256',
  externalPskIdentity: fromHex('6964'),
};

export const psk = new Uint8Array(32).map((_, i) => 0xa0 + i);

export const smallTls13Session: Tls13Session = {
  version: 'TLSv1.3',
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  psk,
  ticketAgeAdd: 0xfedcba98,
  ticketLifetime: 7200,
  maxEarlyDataSize: 0x4000,
  transport: 'tcp',
  establishedAt: 1_700_000_000_123,
  issuedAt: 1_700_000_100_456,
  peerCertificates: [],
  applicationContext: new Uint8Array(0),
};

export const fullTls13Session: Tls13Session = {
  ...smallTls13Session,
  serverName: 'example.test',
  alpnProtocol: 'h2',
  peerCertificates: [fromHex('3003020101'), fromHex('30030201ff')],
  peerSignatureScheme: 'rsa_pss_rsae_sha256',
  applicationContext: fromHex('c0ffee'),
};

export const clientTls13Session: Tls13Session = { ...fullTls13Session, ticket: fromHex('71c4e7') };

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const secret = (length: number) => bytes(length, length).filter((value) => value.some((byte) => byte !== 0));
const name = (maxLength: number) => bytes(1, maxLength).map((characters) => String.fromCharCode(...characters));
const time = fc.nat(Number.MAX_SAFE_INTEGER).map((milliseconds) => milliseconds % 8_640_000_000_000_000);
const uint32 = fc.nat(2 ** 32 - 1);

const anyFacts: fc.Arbitrary<SessionFacts> = fc.record(
  {
    establishedAt: time,
    issuedAt: time,
    peerCertificates: fc.array(bytes(1, 40), { maxLength: 3 }),
    applicationContext: bytes(0, 40),
    serverName: name(300),
    alpnProtocol: name(255),
    peerSignatureScheme: fc.constantFrom('ecdsa_secp256r1_sha256', 'mldsa65', 'ed448'),
    clientAuthenticationPolicy: bytes(1, 40),
  },
  { requiredKeys: ['establishedAt', 'issuedAt', 'peerCertificates', 'applicationContext'] },
);

/** Any session of TLS 1.2 as a server keeps it. */
export const anyTls12Session: fc.Arbitrary<Tls12Session> = fc
  .tuple(
    fc.record({
      version: fc.constant('TLSv1.2' as const),
      cipherSuite: fc.constantFrom(...(Object.keys(tls12Suites) as Tls12CipherSuite[])),
      masterSecret: secret(48),
      extendedMasterSecret: fc.boolean(),
    }),
    anyFacts,
    fc.record(
      { group: fc.constantFrom('x25519' as const, 'secp256r1' as const, 'secp384r1' as const, 'secp521r1' as const) },
      { requiredKeys: [] },
    ),
  )
  .chain(([session, facts, later]) =>
    isPskSuite(session.cipherSuite)
      ? bytes(0, 40).map((externalPskIdentity) => ({
          ...session,
          ...facts,
          ...later,
          peerCertificates: [],
          externalPskIdentity,
        }))
      : fc.constant({ ...session, ...facts, ...later }),
  );

/** Any session of TLS 1.3 as a server keeps it. */
export const anyTls13Session: fc.Arbitrary<Tls13Session> = fc
  .constantFrom(...(Object.keys(tls13Suites) as Tls13CipherSuite[]))
  .chain((cipherSuite) =>
    fc.tuple(
      fc.record({
        version: fc.constant('TLSv1.3' as const),
        cipherSuite: fc.constant(cipherSuite),
        psk: secret(hashLength[tls13Suites[cipherSuite].hash]),
        ticketAgeAdd: uint32,
        ticketLifetime: fc.nat(604_800),
        maxEarlyDataSize: uint32,
        transport: fc.constantFrom('tcp' as const, 'quic' as const),
      }),
      anyFacts,
      fc.record(
        {
          externalPskIdentity: bytes(1, 40),
          externalPskFingerprint: bytes(16, 16),
          resumableAcrossNames: fc.constant(true as const),
          zone: name(255),
        },
        { requiredKeys: [] },
      ),
    ),
  )
  .map(([session, facts, external]) => ({ ...session, ...facts, ...external }));

/** Any session as a server keeps it. */
export const anySession: fc.Arbitrary<Session> = fc.oneof(anyTls12Session, anyTls13Session);

const anyStaples = fc.record(
  { ocspResponse: bytes(1, 40), signedCertificateTimestamps: bytes(1, 40) },
  { requiredKeys: [] },
);

/** Any session as a client keeps it. */
export const anyClientSession: fc.Arbitrary<Session> = fc.oneof(
  fc
    .tuple(
      anyTls12Session,
      anyStaples,
      fc.record({ sessionId: bytes(1, 32) }, { requiredKeys: [] }),
      fc.option(fc.record({ ticket: bytes(1, 300), ticketLifetimeHint: fc.nat(2 ** 31 - 1) }), { nil: {} }),
      bytes(0, 40),
    )
    .map(([session, staples, id, ticket, pskIdentityHint]) => ({
      ...session,
      ...staples,
      ...id,
      ...ticket,
      ...(session.externalPskIdentity !== undefined && { pskIdentityHint }),
    })),
  fc
    .tuple(anyTls13Session, anyStaples, bytes(1, 300))
    .map(([session, staples, ticket]) => ({ ...session, ...staples, ticket })),
);
