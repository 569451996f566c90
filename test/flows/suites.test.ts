/** Each kind of certificate with each suite and group, on each backend: full, and resumed by ticket. */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { isTls12CipherSuite, tls12Suites } from '../../src/key-schedule/suites.js';
import { connect, eventsOf, pump, testClient, testServer, theEvent, ticketSealer } from '../support/connections.js';
import { ecdsaP256, ecdsaP384, ed25519Credentials, rsaCredentials, rsaPssCredentials } from '../support/credentials.js';
import { backendNames } from '../support/seeded.js';
import { readTraffic, theMessage } from '../support/traffic.js';

const groups = ['x25519', 'secp256r1', 'secp384r1'] as const;
const certificates = {
  'ECDSA P-256': { make: () => ecdsaP256, curve: 'secp256r1', schemes: /^ecdsa_/ },
  'ECDSA P-384': { make: () => ecdsaP384, curve: 'secp384r1', schemes: /^ecdsa_/ },
  Ed25519: { make: () => ed25519Credentials, curve: undefined, schemes: /^ed25519$/ },
  RSA: { make: rsaCredentials, curve: undefined, schemes: /^rsa_pss_rsae_/ },
  'RSASSA-PSS': { make: rsaPssCredentials, curve: undefined, schemes: /^rsa_pss_pss_/ },
} as const;

const suites = Object.keys(tls12Suites).filter(isTls12CipherSuite);

const cases = Object.entries(certificates).flatMap(([kind, certificate], i) =>
  suites
    .filter((suite) => tls12Suites[suite].authentication === (kind.startsWith('RSA') ? 'rsa' : 'ecdsa'))
    // Every group with every kind of key, and every suite with every kind of key.
    .map((suite, j) => [kind, suite, groups[(i + j) % groups.length]!, certificate] as const),
);

describe.each(backendNames)('on %s', (backend) => {
  it.each(cases)('%s, %s, %s', async (_, cipherSuite, group, { make, curve, schemes }) => {
    const { sealer } = ticketSealer(backend, 'suites');
    // The client has to list the curve of an ECDSA key too (RFC 8422 5.1.1), after the one for the agreement.
    const listed = curve === undefined || curve === group ? [group] : [group, curve];
    const options = { cipherSuites: [cipherSuite], groups: listed };
    const server = testServer(backend, 'suites', {
      cipherSuites: [cipherSuite],
      groups: [group],
      credentials: [make()],
      tickets: sealer,
    });
    const first = await connect(testClient(backend, 'first', options), server);
    expect(theEvent(first.client, 'handshake')).toMatchObject({ mode: 'full', cipherSuite, group });
    const { params, algorithm } = theMessage(readTraffic(first.segments), 'server_key_exchange').body;
    expect(params.namedCurve).toBe(group);
    expect(String(algorithm)).toMatch(schemes);
    const { session } = theEvent(first.client, 'session');
    const second = await connect(testClient(backend, 'second', { ...options, session }), server);
    expect(theEvent(second.server, 'handshake')).toMatchObject({ mode: 'ticket', cipherSuite, group });
    for (const pair of [first, second]) {
      pair.client.connection.write(ascii('question'));
      pair.server.connection.write(ascii('answer'));
      pump(pair);
      expect(eventsOf(pair.server, 'data').map(({ data }) => data)).toEqual([ascii('question')]);
      expect(eventsOf(pair.client, 'data').map(({ data }) => data)).toEqual([ascii('answer')]);
    }
  });
});

it('every combination is there', () => {
  expect(cases.length).toBe(15);
  for (const kind of Object.keys(certificates))
    expect(new Set(cases.filter(([name]) => name === kind).map(([, , group]) => group)).size).toBe(3);
});
