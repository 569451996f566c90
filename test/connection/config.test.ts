/** Options that cannot work are refused before there is a connection; the others become settings that nobody can change. */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { clientSettings, serverSettings } from '../../src/connection/config.js';
import {
  defaultSessionLifetime,
  defaultTicketLifetimeHint,
  type ClientOptions,
  type ServerOptions,
} from '../../src/connection/options.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { tls12Suites } from '../../src/key-schedule/suites.js';
import { maximumSessionAge } from '../../src/sessions/binding.js';
import { sessionState } from '../../src/sessions/session-state.js';
import { clientCredentials, ecdsaP256, rsaCredentials, trustingVerifier } from '../support/credentials.js';
import { RecordingStore } from '../support/recording-store.js';

const clientOf = (options: Partial<ClientOptions> = {}) =>
  clientSettings({ now: () => 0, verifyCertificate: trustingVerifier, ...options });
const serverOf = (options: Partial<ServerOptions> = {}) =>
  serverSettings({ now: () => 0, credentials: [ecdsaP256], ...options });

const invalid = { name: 'UsageError', code: 'invalid_option' };
const unsupported = { name: 'UsageError', code: 'unsupported_by_backend' };

const withoutAes: CryptoBackend = {
  ...nodeCrypto,
  capabilities: { ...nodeCrypto.capabilities, aeads: ['chacha20-poly1305'], groups: ['secp256r1'] },
};

describe('a client is refused', () => {
  it.each<[string, Partial<ClientOptions>, object]>([
    ['a store without a name for the peer', { sessions: new RecordingStore() }, invalid],
    ['no suites', { cipherSuites: [] }, invalid],
    ['no groups', { groups: [] }, invalid],
    ['no signature schemes', { signatureSchemes: [] }, invalid],
    [
      'a suite that the backend lacks',
      { crypto: withoutAes, cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] },
      unsupported,
    ],
    ['a group that the backend lacks', { crypto: withoutAes, groups: ['x25519'] }, unsupported],
    [
      'a scheme that the backend lacks',
      { crypto: nobleCrypto, signatureSchemes: ['rsa_pss_rsae_sha256'] },
      unsupported,
    ],
    [
      'suites of another version than all that are on',
      { cipherSuites: ['TLS_AES_128_GCM_SHA256'], maxVersion: 'TLSv1.2' },
      invalid,
    ],
    ['an empty protocol name', { alpnProtocols: [''] }, invalid],
    ['a protocol name of 256 characters', { alpnProtocols: ['x'.repeat(256)] }, invalid],
    ['a protocol name that is no bytes', { alpnProtocols: ['h\u0132'] }, invalid],
    ['P-bind-5 an identity that is no bytes', { peerIdentity: '\u0141.example' }, invalid],
    ['a negative age', { maximumSessionAge: -1 }, invalid],
    ['P-time-2 an age that is no number', { maximumSessionAge: Number.NaN }, invalid],
  ])('%s', (_, options, error) => {
    expect(() => clientOf(options)).toThrow(expect.objectContaining(error));
  });

  it.each(['', 'server.example.', '192.0.2.1', '::1', '[::1]', 'a b', 's\u00f8.example', 'x'.repeat(256), 'nul\0'])(
    'R6066-3-1 the name %j',
    (serverName) => {
      expect(() => clientOf({ serverName })).toThrow(expect.objectContaining(invalid));
    },
  );
});

describe('a server is refused', () => {
  it.each<[string, Partial<ServerOptions>, object]>([
    ['no credentials', { credentials: [] }, invalid],
    ['a key without a certificate', { credentials: [{ ...ecdsaP256, certificates: [] }] }, invalid],
    ['asking for certificates that it cannot judge', { clientAuthentication: 'request' }, invalid],
    ['suites that none of its keys fits', { cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] }, invalid],
    ['a negative lifetime hint', { ticketLifetimeHint: -1 }, invalid],
    ['half a second of lifetime hint', { ticketLifetimeHint: 0.5 }, invalid],
    ['a lifetime hint that fits into no uint32', { ticketLifetimeHint: 2 ** 32 }, invalid],
    ['a lifetime that is no number', { sessionLifetime: Number.NaN }, invalid],
    ['P-time-2 an age that is no number', { maximumSessionAge: Number.NaN }, invalid],
    ['no end of sessions', { sessionLifetime: Infinity }, invalid],
  ])('%s', (_, options, error) => {
    expect(() => serverOf(options)).toThrow(expect.objectContaining(error));
  });
});

describe('settings', () => {
  it('are frozen, and have every default', () => {
    const client = clientOf({ serverName: 'Server.Example' });
    const server = serverOf();
    expect([Object.isFrozen(client), Object.isFrozen(server)]).toEqual([true, true]);
    expect(client).toMatchObject({
      crypto: nobleCrypto,
      serverName: 'server.example',
      tickets: true,
      groups: ['x25519', 'secp256r1', 'secp384r1'],
      alpnProtocols: [],
      binding: {
        maximumAge: maximumSessionAge,
        clientAuthenticationPolicy: undefined,
        requireClientCertificate: false,
        resumptionAcrossNames: false,
        allowResumptionWithoutExtendedMasterSecret: false,
        overrides: {},
      },
      allowMissingExtendedMasterSecret: false,
      allowServersWithoutSecureRenegotiation: false,
    });
    expect(server).toMatchObject({
      ticketLifetimeHint: defaultTicketLifetimeHint,
      sessionLifetime: defaultSessionLifetime,
      ticketEncoding: sessionState,
      renewTickets: 'when_key_rotated',
      clientAuthentication: 'none',
      allowMissingExtendedMasterSecret: false,
      binding: {
        maximumAge: maximumSessionAge,
        applicationContext: new Uint8Array(0),
        clientAuthenticationPolicy: undefined,
        requireClientCertificate: false,
        resumptionAcrossNames: false,
        allowResumptionWithoutExtendedMasterSecret: false,
        overrides: {},
      },
    });
    expect([server.sessions, server.tickets]).toEqual([undefined, undefined]);
  });

  it('of a client list what the backend can verify', () => {
    const kinds = (crypto: CryptoBackend) =>
      clientOf({ crypto }).signatureSchemes.filter((scheme) => scheme.startsWith('rsa')).length;
    expect([kinds(nobleCrypto), kinds(nobleCryptoWithRsa), kinds(nodeCrypto)]).toEqual([0, 9, 9]);
    expect(clientOf({ crypto: withoutAes }).cipherSuites).toEqual([
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    ]);
  });

  it('of a server list the suites that its keys can serve', () => {
    const authentications = (options: Partial<ServerOptions>) =>
      new Set(serverOf(options).cipherSuites.map((suite) => tls12Suites[suite].authentication));
    expect(authentications({})).toEqual(new Set(['ecdsa']));
    expect(authentications({ credentials: [rsaCredentials()] })).toEqual(new Set(['rsa']));
    expect(authentications({ credentials: [ecdsaP256, rsaCredentials()] })).toEqual(new Set(['ecdsa', 'rsa']));
  });

  it('P-bind-5 P-bind-1 lead to sessions of their own, whatever differs', () => {
    const base: Partial<ClientOptions> = {
      serverName: 'server.example',
      alpnProtocols: ['h2'],
      peerIdentity: 'server.example:443',
    };
    const different: Partial<ClientOptions>[] = [
      {},
      { serverName: 'other.example' },
      { peerIdentity: 'server.example:8443' },
      { alpnProtocols: ['http/1.1'] },
      { alpnProtocols: ['h2', 'http/1.1'] },
      { alpnProtocols: [] },
      { credentials: [clientCredentials] },
      { applicationContext: ascii('another trust') },
      { verifierIdentity: 'another verifier' },
      { revocationEpoch: 1 },
    ];
    const keys = different.map((changes) => clientOf({ ...base, ...changes }).sessionKey.join());
    expect(new Set(keys).size).toBe(different.length);
    const asking = { clientAuthentication: 'request', verifyCertificate: trustingVerifier };
    const contexts = [
      {},
      { applicationContext: ascii('a') },
      asking,
      { clientAuthentication: 'require', verifyCertificate: trustingVerifier },
      { ...asking, certificateAuthorities: [ascii('a')] },
      { ...asking, verifierIdentity: 'partners' },
      { ...asking, revocationEpoch: 1 },
    ].map((options) => {
      const { applicationContext, clientAuthenticationPolicy } = serverOf(options as Partial<ServerOptions>).binding;
      return `${applicationContext.join()} ${String(clientAuthenticationPolicy?.join())}`;
    });
    expect(new Set(contexts).size).toBe(contexts.length);
  });
});
