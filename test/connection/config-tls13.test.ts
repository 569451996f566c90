/** Options of TLS 1.3: what cannot work is refused before there is a connection, and what is left out has a default. */
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import { clientSettings, serverSettings } from '../../src/connection/config.js';
import { clientConnection, serverConnection } from '../../src/connection/connection.js';
import type {
  ClientOptions,
  EarlyDataOptions,
  ExternalPskOptions,
  ServerOptions,
} from '../../src/connection/options.js';
import type { CryptoBackend, KeyExchangeGroup } from '../../src/crypto/backend.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import type { PskKeyExchangeModeName, ServerSettings } from '../../src/handshake/settings.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { clientCredentials, ecdsaP256, trustingVerifier } from '../support/credentials.js';

const clientOf = (options: Partial<ClientOptions> = {}) =>
  clientSettings({ now: () => 0, verifyCertificate: trustingVerifier, ...options });
const serverOf = (options: Partial<ServerOptions> = {}) =>
  serverSettings({ now: () => 0, credentials: [ecdsaP256], ...options });

const invalid = { name: 'UsageError', code: 'invalid_option' };
const unsupported = { name: 'UsageError', code: 'unsupported_by_backend' };
const replayGuard = new MemoryReplayGuard({ now: () => 0 });
const tickets = (milliseconds: number) => ({
  seal: (state: Uint8Array) => state,
  open: () => ({ reason: 'malformed' }) as const,
  longestTicketLife: () => milliseconds,
});
const psk = { identity: ascii('a device'), key: new Uint8Array(32).fill(7) };

/** A backend that has the hybrid group, and one that has nothing but curves. */
const hybrid = withGroups(['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1']);
const curves = withGroups(['x25519', 'secp256r1', 'secp384r1']);

function withGroups(groups: readonly KeyExchangeGroup[]): CryptoBackend {
  return { ...nodeCrypto, capabilities: { ...nodeCrypto.capabilities, groups } };
}

describe('both roles refuse', () => {
  it.each<[string, Partial<ClientOptions> & Partial<ServerOptions>, object]>([
    ['no mode of PSKs', { pskKeyExchangeModes: [] }, invalid],
    ['a mode of PSKs that there is not', { pskKeyExchangeModes: ['psk' as PskKeyExchangeModeName] }, unsupported],
    ['R8449-4-2 a record size limit of 63', { recordSizeLimit: 63 }, invalid],
    ['R8449-4-2 a record size limit of 0', { recordSizeLimit: 0 }, invalid],
    ['a record size limit above 16385', { recordSizeLimit: 16386 }, invalid],
    ['a record size limit that is no number', { recordSizeLimit: Number.NaN }, invalid],
    ['a padding block of 0', { recordPaddingBlock: 0 }, invalid],
    ['a padding block above 16384', { recordPaddingBlock: 16385 }, invalid],
    ['versions upside down', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, invalid],
    [
      'TLS 1.3 with suites of TLS 1.2 alone',
      { minVersion: 'TLSv1.3', cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] },
      invalid,
    ],
    ['TLS 1.2 with the hybrid group alone', { crypto: hybrid, groups: ['X25519MLKEM768'] }, invalid],
    ['a group that the backend lacks', { crypto: curves, groups: ['X25519MLKEM768'] }, unsupported],
    [
      'an external PSK without identity',
      { externalPsks: [{ ...psk, identity: new Uint8Array(0), role: 'client' }] },
      invalid,
    ],
    ['QUIC parameters over TCP', { quicTransportParameters: new Uint8Array(1) }, invalid],
  ])('%s', (_what, options, error) => {
    expect(() => clientOf(options)).toThrow(expect.objectContaining(error));
    expect(() => serverOf(options)).toThrow(expect.objectContaining(error));
  });
});

describe('a client refuses', () => {
  it.each<[string, Partial<ClientOptions>]>([
    ['a key share of a group that is not on offer', { groups: ['x25519'], keyShareGroups: ['secp256r1'] }],
    ['R9149-3-1 more tickets than a byte holds', { ticketRequest: { newSessionCount: 256, resumptionCount: 0 } }],
    ['R9149-3-1 half a ticket', { ticketRequest: { newSessionCount: 1, resumptionCount: 0.5 } }],
  ])('%s', (_what, options) => {
    expect(() => clientOf(options)).toThrow(expect.objectContaining(invalid));
  });
});

describe('a server whose ticket keys open for a while', () => {
  it('R9325-3.4-6 resumes for two lives of a key, unless told', () => {
    expect(serverOf({ tickets: tickets(86_400_000) }).binding.maximumAge).toBe(172_800_000);
    expect(serverOf({ tickets: tickets(604_800_000) }).binding.maximumAge).toBe(604_800_000);
    expect(serverOf({ tickets: tickets(3_600_000), maximumSessionAge: 1 }).binding.maximumAge).toBe(1);
  });

  it('makes tickets that live as long as by default, or as the key', () => {
    const lifetimes = ({ ticketLifetime, ticketLifetimeHint }: ServerSettings) => [ticketLifetime, ticketLifetimeHint];
    expect(lifetimes(serverOf({ tickets: tickets(7_200_000) }))).toEqual([7200, 7200]);
    expect(lifetimes(serverOf({ tickets: tickets(3_600_999) }))).toEqual([3600, 3600]);
    expect(lifetimes(serverOf({ tickets: tickets(3_600_000), ticketLifetime: 60 }))).toEqual([60, 3600]);
  });

  it('and makes none that are told to live longer', () => {
    for (const option of ['ticketLifetime', 'ticketLifetimeHint'])
      expect(() => serverOf({ tickets: tickets(3_600_000), [option]: 3601 })).toThrow(expect.objectContaining(invalid));
    expect(() => serverOf({ tickets: tickets(999) })).toThrow(expect.objectContaining(invalid));
  });
});

describe('a server refuses', () => {
  it.each<[string, Partial<ServerOptions>]>([
    ['R8446-4.6.1-5 tickets of more than 7 days', { ticketLifetime: 604801 }],
    ['more than 255 tickets', { ticketCount: 256 }],
    ['more than 255 tickets on request', { maximumTicketCount: 256 }],
    ['early data of no bytes', { earlyData: { maxSize: 0, replayGuard } }],
    ['early data beyond a uint32', { earlyData: { maxSize: 2 ** 32, replayGuard } }],
    ['single use without a store', { earlyData: { maxSize: 1, singleUseTickets: true } }],
    [
      'single use of tickets that are sealed',
      {
        earlyData: { maxSize: 1, singleUseTickets: true },
        sessions: new MemoryStore({ now: () => 0 }),
        tickets: tickets(1),
      },
    ],
    ['no freshness window', { earlyData: { maxSize: 1, replayGuard, freshnessWindow: 0 } }],
    [
      'a wider freshness window than its guard has',
      { earlyData: { maxSize: 1, replayGuard, freshnessWindow: 10_001 } },
    ],
    ['a revocation epoch that is no number', { revocationEpoch: -1 }],
    ['a freshness window that is no number', { earlyData: { maxSize: 1, replayGuard, freshnessWindow: Number.NaN } }],
    ['R8446-8.3-2 early data without a word on replays', { earlyData: { maxSize: 1 } as EarlyDataOptions }],
    [
      'R8446-8.3-2 early data with anything but a clear word',
      { earlyData: { maxSize: 1, acceptReplayedEarlyData: false } as unknown as EarlyDataOptions },
    ],
    ['neither credentials nor PSKs', { credentials: [] }],
    [
      'no credentials, and PSKs of the other role alone',
      { credentials: [], externalPsks: [{ ...psk, role: 'client' }] },
    ],
  ])('%s', (_what, options) => {
    expect(() => serverOf(options)).toThrow(expect.objectContaining(invalid));
  });

  it('R9257-6-1 external PSKs below 16 bytes, on either side', () => {
    const short: ExternalPskOptions = { ...psk, key: new Uint8Array(15), role: 'server' };
    const error = { name: 'UsageError', code: 'invalid_key' };
    expect(() => serverOf({ externalPsks: [short] })).toThrow(expect.objectContaining(error));
    expect(() => clientOf({ externalPsks: [short] })).toThrow(expect.objectContaining(error));
  });
});

describe('defaults', () => {
  it('R8446-E.5-1 R9325-3.4-7 both versions, psk_dhe_ke alone, no early data, no padding, no limit', () => {
    const common = {
      versions: ['TLSv1.3', 'TLSv1.2'],
      pskKeyExchangeModes: ['psk_dhe_ke'],
      externalPsks: [],
      transport: 'tcp',
      certificateCompression: [],
      recordSizeLimit: undefined,
      recordPaddingBlock: 1,
    };
    expect(clientOf()).toMatchObject({
      ...common,
      earlyData: false,
      middleboxCompatibility: true,
      offeredSessions: [],
      ticketRequest: undefined,
    });
    expect(serverOf()).toMatchObject({
      ...common,
      earlyData: undefined,
      ticketCount: 2,
      maximumTicketCount: 8,
      ticketLifetime: 7200,
    });
  });

  it('the suites of TLS 1.3 in the order that the backend is fast at, or as they were given', () => {
    const suites = {
      aes128: 'TLS_AES_128_GCM_SHA256',
      aes256: 'TLS_AES_256_GCM_SHA384',
      chacha: 'TLS_CHACHA20_POLY1305_SHA256',
    } as const;
    expect(clientOf({ crypto: nobleCrypto }).tls13CipherSuites[0]).toBe(suites.chacha);
    expect(clientOf({ crypto: nodeCrypto }).tls13CipherSuites[0]).toBe(suites.aes128);
    const cipherSuites = [suites.aes256, suites.chacha, suites.aes128];
    expect(clientOf({ crypto: nobleCrypto, cipherSuites }).tls13CipherSuites).toEqual(cipherSuites);
    expect(clientOf({ maxVersion: 'TLSv1.2' }).tls13CipherSuites).toEqual([]);
  });

  it('a key share of the first group, and of the next curve where that is a hybrid', () => {
    const shares = (options: Partial<ClientOptions>) => clientOf(options).keyShareGroups;
    expect(shares({ crypto: hybrid })).toEqual(['X25519MLKEM768', 'x25519']);
    expect(shares({ crypto: curves })).toEqual(['x25519']);
    expect(shares({ crypto: hybrid, groups: ['secp256r1', 'X25519MLKEM768'] })).toEqual(['secp256r1']);
    expect(shares({ crypto: hybrid, groups: ['X25519MLKEM768'], minVersion: 'TLSv1.3' })).toEqual(['X25519MLKEM768']);
    expect(shares({ crypto: hybrid, keyShareGroups: ['secp384r1'] })).toEqual(['secp384r1']);
    expect(shares({ crypto: hybrid, maxVersion: 'TLSv1.2' })).toEqual([]);
  });

  it('ten seconds of freshness', () => {
    expect(serverOf({ earlyData: { maxSize: 7, replayGuard } }).earlyData).toEqual({
      maxSize: 7,
      replayGuard,
      singleUseTickets: false,
      zone: undefined,
      acceptTicketsOfThisRunAtOnce: false,
      freshnessWindow: 10_000,
    });
  });

  it('a server without credentials, and with external PSKs, speaks TLS 1.3 alone', () => {
    expect(serverOf({ credentials: [], externalPsks: [{ ...psk, role: 'server' }] }).versions).toEqual(['TLSv1.3']);
    expect(serverOf({ credentials: [], findExternalPsk: () => undefined }).versions).toEqual(['TLSv1.3']);
  });
});

describe('P-bind-5 keys of a client’s store', () => {
  const key = (options: Partial<ClientOptions>) =>
    toHex(clientOf({ serverName: 'server.example', ...options }).tls13SessionKey);

  it('differ wherever sessions must not be taken for each other’s', () => {
    const options: Partial<ClientOptions>[] = [
      {},
      { serverName: 'other.example' },
      { peerIdentity: 'server.example:8443' },
      { alpnProtocols: ['h2'] },
      { applicationContext: ascii('another trust') },
      { credentials: [clientCredentials] },
      { externalPsks: [{ ...psk, role: 'client' }] },
      { signatureSchemes: ['ed25519'] },
      { transport: 'quic', quicTransportParameters: new Uint8Array(1) },
    ];
    expect(new Set(options.map(key)).size).toBe(options.length);
    const { sessionKey, tls13SessionKey } = clientOf({ serverName: 'server.example' });
    expect(toHex(sessionKey)).not.toBe(toHex(tls13SessionKey));
  });

  it('are the same where nothing of that differs', () => {
    expect(
      key({ earlyData: true, keyShareGroups: [], ticketRequest: { newSessionCount: 1, resumptionCount: 1 } }),
    ).toBe(key({}));
    expect(key({ serverName: 'SERVER.example' })).toBe(key({}));
  });
});

it('R9001-8.3-1 settings for QUIC have no place under a record layer', () => {
  const quic = { transport: 'quic', quicTransportParameters: new Uint8Array(1) } as const;
  expect(() => clientConnection(clientOf(quic))).toThrow(expect.objectContaining(invalid));
  expect(() => serverConnection(serverOf(quic))).toThrow(expect.objectContaining(invalid));
});
