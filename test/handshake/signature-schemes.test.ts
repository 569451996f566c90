/** Every signature scheme where it has a place, and nowhere else (RFC 8446 4.2.3, 4.4.3; RFC 5246 7.4.1.4.1, 7.4.3). */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { withPostQuantum } from '../../src/crypto/noble-post-quantum.js';
import { AlertError } from '../../src/errors.js';
import type { ClientHelloExtensions, Credentials } from '../../src/handshake/settings.js';
import { schemeFits, type SignatureSchemeName } from '../../src/handshake/signature-schemes.js';
import {
  connect,
  eventsOf,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
  type Changes,
  type Pair,
} from '../support/connections.js';
import {
  clientCredentials,
  ecdsaP256,
  ecdsaP521,
  ed25519Credentials,
  mlDsaCredentials,
  rsaCredentials,
} from '../support/credentials.js';
import { now } from '../crypto/backends.js';
import { backendNames, seededCrypto } from '../support/seeded.js';
import { clientMeets, saying, serverMeets } from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

type Version = 'TLSv1.2' | 'TLSv1.3';
type Scheme = SignatureSchemeName;

const invalid = expect.objectContaining({ name: 'UsageError', code: 'invalid_option' }) as Error;
const signingWith = (credentials: Credentials, ...signatureSchemes: readonly Scheme[]): Credentials => ({
  ...credentials,
  signatureSchemes,
});

describe.each(backendNames)('on %s', (backend) => {
  const crypto = withPostQuantum(seededCrypto(backend, 'schemes'));
  const meet = (version: Version, client: Changes<ClientOptions>, server: Changes<ServerOptions>): Promise<Pair> => {
    const common = { crypto, minVersion: version, maxVersion: version } as const;
    return connect(
      testClient(backend, 'schemes', { ...common, ...client }),
      testServer(backend, 'schemes', { ...common, ...server }),
    );
  };
  /** Why a side ended the handshake. */
  const refusalOf = ({ client, server }: Pair): string | undefined =>
    [...eventsOf(client, 'close'), ...eventsOf(server, 'close')]
      .map(({ error }) => error)
      .find((error) => error instanceof AlertError)?.message;

  describe.each<[Version, Scheme, () => Credentials]>([
    ['TLSv1.2', 'ecdsa_secp521r1_sha512', () => ecdsaP521],
    ['TLSv1.2', 'ecdsa_secp521r1_sha512', () => ecdsaP256],
    ['TLSv1.2', 'ecdsa_secp256r1_sha256', () => ecdsaP521],
    ['TLSv1.2', 'ecdsa_sha1', () => ecdsaP256],
    ['TLSv1.2', 'rsa_pkcs1_sha1', rsaCredentials],
    ['TLSv1.2', 'rsa_pss_rsae_sha512', rsaCredentials],
    ['TLSv1.3', 'ecdsa_secp521r1_sha512', () => ecdsaP521],
    ['TLSv1.3', 'mldsa44', () => mlDsaCredentials('ML-DSA-44')],
    ['TLSv1.3', 'mldsa65', () => mlDsaCredentials('ML-DSA-65')],
    ['TLSv1.3', 'mldsa87', () => mlDsaCredentials('ML-DSA-87')],
    ['TLSv1.3', 'rsa_pss_rsae_sha384', rsaCredentials],
  ])('%s, %s', (version, scheme, credentials) => {
    it('authenticates both sides, and a session remembers what the peer signed with', async () => {
      const { sealer } = ticketSealer(backend, 'schemes');
      const own = [signingWith(credentials(), scheme)];
      const common = { signatureSchemes: [scheme], groups: ['x25519', 'secp521r1', 'secp256r1'] } as const;
      const client = { ...common, credentials: own };
      const server = { ...common, credentials: own, clientAuthentication: 'require', tickets: sealer } as const;
      const first = await meet(version, client, server);
      expect(theEvent(first.client, 'handshake').peerSignatureScheme).toBe(scheme);
      expect(theEvent(first.server, 'handshake').peerSignatureScheme).toBe(scheme);
      const [{ session } = {}] = eventsOf(first.client, 'session');
      expect(session?.peerSignatureScheme).toBe(scheme);
      const second = await meet(version, { ...client, session }, server);
      for (const end of [second.client, second.server])
        expect(theEvent(end, 'handshake')).toMatchObject({ resumed: true, peerSignatureScheme: scheme });
    });
  });

  it.each(['sha256', 'sha384', 'sha512'] as const)(
    'rsa_pkcs1_%s_legacy authenticates clients of TLS 1.3',
    async (hash) => {
      const scheme = `rsa_pkcs1_${hash}_legacy` as const;
      const own = signingWith(rsaCredentials(), scheme);
      const { client, server } = await meet(
        'TLSv1.3',
        { credentials: [own] },
        { clientAuthentication: 'require', signatureSchemes: ['ed25519', scheme] },
      );
      expect(theEvent(server, 'handshake').peerSignatureScheme).toBe(scheme);
      expect(theEvent(client, 'handshake').peerSignatureScheme).toBe('ecdsa_secp256r1_sha256');
    },
  );

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'P-bind-4 %s: a client does not resume where what it signed with is accepted no more',
    async (version) => {
      const { sealer } = ticketSealer(backend, 'schemes');
      const server = { clientAuthentication: 'require', tickets: sealer } as const;
      const client = { credentials: [clientCredentials, ed25519Credentials] };
      const first = await meet(version, client, { ...server, signatureSchemes: ['ed25519', 'ecdsa_secp256r1_sha256'] });
      expect(theEvent(first.server, 'handshake').peerSignatureScheme).toBe('ecdsa_secp256r1_sha256');
      const [{ session } = {}] = eventsOf(first.client, 'session');
      for (const [signatureSchemes, outcome] of [
        [['ecdsa_secp256r1_sha256'], { resumed: true, peerSignatureScheme: 'ecdsa_secp256r1_sha256' }],
        [['ed25519'], { resumed: false, reason: 'certificate_refused', peerSignatureScheme: 'ed25519' }],
      ] as const) {
        const second = await meet(version, { ...client, session }, { ...server, signatureSchemes });
        expect(theEvent(second.server, 'handshake')).toMatchObject(outcome);
      }
    },
  );

  it('who does not sign has no scheme', async () => {
    const { server } = await meet('TLSv1.3', {}, {});
    expect(theEvent(server, 'handshake').peerSignatureScheme).toBeUndefined();
  });

  describe('the preference of credentials', () => {
    it.each(['TLSv1.2', 'TLSv1.3'] as const)(
      '%s: rules over the order of the peer, as far as both go',
      async (version) => {
        const own = signingWith(rsaCredentials(), 'ed25519', 'rsa_pss_rsae_sha512', 'rsa_pss_rsae_sha384');
        const schemeOf = async (...signatureSchemes: readonly Scheme[]) => {
          const { client } = await meet(version, { signatureSchemes }, { credentials: [own] });
          return theEvent(client, 'handshake').peerSignatureScheme;
        };
        expect(await schemeOf('rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512')).toBe(
          'rsa_pss_rsae_sha512',
        );
        expect(await schemeOf('rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384')).toBe('rsa_pss_rsae_sha384');
      },
    );

    it.each(['TLSv1.2', 'TLSv1.3'] as const)(
      '%s: passes over credentials that sign with nothing that is asked for',
      async (version) => {
        const { server } = await meet(
          version,
          { credentials: [signingWith(rsaCredentials(), 'rsa_pss_rsae_sha512'), clientCredentials] },
          { clientAuthentication: 'require', signatureSchemes: ['rsa_pss_rsae_sha256', 'ecdsa_secp256r1_sha256'] },
        );
        expect(theEvent(server, 'handshake').peerCertificates.map(toHex)).toEqual(
          clientCredentials.certificates.map(toHex),
        );
      },
    );

    it('that no key of its kind could follow is refused', () => {
      const own = [signingWith(ed25519Credentials, 'ecdsa_secp256r1_sha256')];
      expect(() => testServer(backend, 'preference', { credentials: own })).toThrow(invalid);
      expect(() => testClient(backend, 'preference', { credentials: own })).toThrow(invalid);
    });
  });

  describe('SHA-1', () => {
    const withoutSchemes = (extensions: ClientHelloExtensions) =>
      extensions.filter(({ type }) => type !== 'signature_algorithms');

    it.each<[Scheme, () => Credentials]>([
      ['ecdsa_sha1', () => ecdsaP256],
      ['rsa_pkcs1_sha1', rsaCredentials],
    ])('%s is used only by who names it', async (scheme, credentials) => {
      const only = { signatureSchemes: [scheme] } as const;
      const named = [signingWith(credentials(), scheme)];
      const usual = [credentials()];
      expect(refusalOf(await meet('TLSv1.2', only, { credentials: usual }))).toMatch(/^no cipher suite, certificate/);
      expect(refusalOf(await meet('TLSv1.2', {}, { credentials: named }))).toMatch(/^no cipher suite, certificate/);
      expect(refusalOf(await meet('TLSv1.3', only, { credentials: named }))).toMatch(
        /^no certificate and signature scheme/,
      );
    });

    it('is what silence means in TLS 1.2 (RFC 5246 7.4.1.4.1)', async () => {
      const silent = { signatureSchemes: ['ecdsa_sha1'], shapeClientHello: withoutSchemes } as const;
      const { client } = await meet('TLSv1.2', silent, { credentials: [signingWith(ecdsaP256, 'ecdsa_sha1')] });
      expect(theEvent(client, 'handshake').peerSignatureScheme).toBe('ecdsa_sha1');
      expect(refusalOf(await meet('TLSv1.2', silent, { credentials: [ecdsaP256] }))).toMatch(/^no cipher suite/);
    });
  });

  describe('a client of TLS 1.2', () => {
    it('takes no ML-DSA key', async () => {
      expect(() => testServer(backend, 'old', { crypto, credentials: [mlDsaCredentials('ML-DSA-44')] })).toThrow(
        invalid,
      );
      const disguised: Credentials = { ...ecdsaP256, certificates: mlDsaCredentials('ML-DSA-44').certificates };
      const pair = await meet('TLSv1.2', {}, { credentials: [disguised] });
      expect(refusalOf(pair)).toMatch(/^got a key of kind mldsa, which TLS_ECDHE_ECDSA/);
    });
  });

  it('a wrong ML-DSA signature: decrypt_error', async () => {
    const { signer, certificates } = mlDsaCredentials('ML-DSA-65');
    const wrong: Credentials = {
      certificates,
      signer: {
        ...signer,
        sign: (algorithm, data) => now(signer.sign(algorithm, data)).map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
      },
    };
    const pair = await meet('TLSv1.3', { signatureSchemes: ['mldsa65'] }, { credentials: [wrong] });
    expect(theEvent(pair.client, 'close').error).toMatchObject({ alert: 'decrypt_error' });
  });

  it('an ML-DSA server has another certificate for clients that do not know ML-DSA', async () => {
    const { client } = await meet('TLSv1.3', {}, { credentials: [mlDsaCredentials('ML-DSA-65'), ecdsaP256] });
    expect(theEvent(client, 'handshake').peerSignatureScheme).toBe('ecdsa_secp256r1_sha256');
  });
});

describe('what is offered', () => {
  const crypto = withPostQuantum(seededCrypto('node', 'offers'));
  const named = ['mldsa65', 'rsa_pkcs1_sha256_legacy', 'ecdsa_sha1', 'ed25519', 'rsa_pkcs1_sha256'] as const;
  const ofClient = (changes: Changes<ClientOptions>) => testClient('node', 'offers', { crypto, ...changes });
  const ofServer = (changes: Changes<ServerOptions>) => testServer('node', 'offers', { crypto, ...changes });
  const both = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

  it('by default is no ML-DSA, no SHA-1 and nothing that is legacy', () => {
    const usual = [
      'ecdsa_secp256r1_sha256',
      'ed25519',
      'ecdsa_secp384r1_sha384',
      'rsa_pss_rsae_sha256',
      'rsa_pss_pss_sha256',
      'rsa_pkcs1_sha256',
      'rsa_pss_rsae_sha384',
      'rsa_pss_pss_sha384',
      'rsa_pkcs1_sha384',
      'ecdsa_secp521r1_sha512',
      'rsa_pss_rsae_sha512',
      'rsa_pss_pss_sha512',
      'rsa_pkcs1_sha512',
    ];
    expect(ofClient(both).signatureSchemes).toEqual(usual);
    expect(ofServer(both).signatureSchemes).toEqual(usual);
  });

  it('leaves out what the peer cannot use in any version', () => {
    const signatureSchemes = named;
    expect(ofClient({ ...both, signatureSchemes }).signatureSchemes).toEqual([
      'mldsa65',
      'ecdsa_sha1',
      'ed25519',
      'rsa_pkcs1_sha256',
    ]);
    expect(ofServer({ ...both, signatureSchemes }).signatureSchemes).toEqual(named);
    const tls12 = ['ecdsa_sha1', 'ed25519', 'rsa_pkcs1_sha256'];
    expect(ofClient({ signatureSchemes }).signatureSchemes).toEqual(tls12);
    expect(ofServer({ signatureSchemes }).signatureSchemes).toEqual(tls12);
  });

  it('must not come to nothing', () => {
    const legacy = { signatureSchemes: ['rsa_pkcs1_sha256_legacy'] } as const;
    expect(() => ofClient({ ...both, ...legacy })).toThrow(invalid);
    expect(() => ofServer(legacy)).toThrow(invalid);
    expect(() => ofClient({ signatureSchemes: ['mldsa44'] })).toThrow(invalid);
  });

  it('needs a backend that verifies it', () => {
    const unsupported = expect.objectContaining({ code: 'unsupported_by_backend' }) as Error;
    const lacking = seededCrypto('node', 'lacking');
    expect(() => ofClient({ ...both, crypto: lacking, signatureSchemes: ['mldsa44'] })).toThrow(unsupported);
  });
});

describe('CertificateVerify of TLS 1.3 under a scheme that has no place there: illegal_parameter', () => {
  const world = makeWorld13();
  const says = (algorithm: Scheme) => saying('certificate_verify', (body) => ({ ...body, algorithm }));

  it.each<[Scheme, () => Credentials]>([
    ['ecdsa_sha1', () => ecdsaP256],
    ['rsa_pkcs1_sha1', rsaCredentials],
    ['rsa_pkcs1_sha256', rsaCredentials],
  ])('%s, of either side, although it was named', (scheme, credentials) => {
    const named = { signatureSchemes: [scheme, 'ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256'] } as const;
    const own = { credentials: [credentials()] };
    expect(clientMeets(world.client(named), world.server(own), says(scheme))).toBe('client: illegal_parameter');
    const asking = world.server({ ...named, clientAuthentication: 'require' });
    expect(serverMeets(world.client(own), asking, says(scheme))).toBe('server: illegal_parameter');
  });

  it('rsa_pkcs1_sha256_legacy of a server', () => {
    const named = { signatureSchemes: ['rsa_pkcs1_sha256_legacy', 'rsa_pss_rsae_sha256'] } as const;
    const own = { credentials: [signingWith(rsaCredentials(), 'rsa_pkcs1_sha256_legacy', 'rsa_pss_rsae_sha256')] };
    expect(clientMeets(world.client(named), world.server(own))).toBe('full: not_offered');
    expect(clientMeets(world.client(named), world.server(own), says('rsa_pkcs1_sha256_legacy'))).toBe(
      'client: illegal_parameter',
    );
  });
});

it('a scheme fits one kind of key, and in TLS 1.3 one curve or parameter set', () => {
  const keys = [ecdsaP256, ecdsaP521, ed25519Credentials, rsaCredentials(), mlDsaCredentials('ML-DSA-65')];
  const fitting = (scheme: Scheme, version: Version) =>
    keys.map(({ signer }) => schemeFits(scheme, signer.publicKey, { version, signer: 'client' }));
  expect(fitting('ecdsa_secp521r1_sha512', 'TLSv1.2')).toEqual([true, true, false, false, false]);
  expect(fitting('ecdsa_secp521r1_sha512', 'TLSv1.3')).toEqual([false, true, false, false, false]);
  expect(fitting('ed25519', 'TLSv1.3')).toEqual([false, false, true, false, false]);
  expect(fitting('rsa_pss_rsae_sha256', 'TLSv1.3')).toEqual([false, false, false, true, false]);
  expect(fitting('rsa_pss_pss_sha256', 'TLSv1.3')).toEqual([false, false, false, false, false]);
  expect(fitting('mldsa65', 'TLSv1.3')).toEqual([false, false, false, false, true]);
  expect(fitting('mldsa44', 'TLSv1.3')).toEqual([false, false, false, false, false]);
  expect(fitting('mldsa65', 'TLSv1.2')).toEqual([false, false, false, false, false]);
});
