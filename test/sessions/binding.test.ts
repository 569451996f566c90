import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import {
  maximumClockSkew,
  maximumSessionAge,
  refuseEarlyData,
  refuseSession,
  type BindingPolicy,
  type EarlyDataRequest,
  type ResumptionRequest,
} from '../../src/sessions/binding.js';
import { bindingOverrideNames, type BindingOverrides } from '../../src/sessions/binding-overrides.js';
import type { BindingRefusal } from '../../src/sessions/binding-refusal.js';
import type { SessionFacts, Tls12Session, Tls13Session } from '../../src/sessions/session.js';
import { fullSession, fullTls13Session } from './sessions.js';

const policy: BindingPolicy = {
  cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
  applicationContext: fromHex('c0ffee'),
  maximumAge: maximumSessionAge,
  clientAuthenticationPolicy: undefined,
  requireClientCertificate: false,
  allowResumptionWithoutExtendedMasterSecret: false,
  resumptionAcrossNames: false,
  overrides: {},
};
const { establishedAt, issuedAt } = fullSession;

interface Circumstances {
  readonly request?: Partial<ResumptionRequest>;
  readonly policy?: Partial<BindingPolicy>;
  readonly now?: number;
}

function refuse12(session: Partial<Tls12Session>, at: Circumstances = {}) {
  const request: ResumptionRequest = {
    version: 'TLSv1.2',
    transport: 'tcp',
    cipherSuites: [0x0a0a, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
    serverName: 'example.test',
    extendedMasterSecret: true,
    ...at.request,
  };
  return refuseSession({ ...fullSession, ...session }, request, { ...policy, ...at.policy }, at.now ?? issuedAt);
}

const asked13: ResumptionRequest = {
  version: 'TLSv1.3',
  transport: 'tcp',
  cipherSuites: [0x0a0a, 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_256_GCM_SHA384'],
  serverName: 'example.test',
  extendedMasterSecret: true,
};

function refuse13(session: Partial<Tls13Session>, at: Circumstances = {}) {
  const request = { ...asked13, ...at.request };
  // A ticket that outlives all that is asked of it here, unless a case says otherwise.
  const ticket = { ...fullTls13Session, ticketLifetime: 604_800, ...session };
  return refuseSession(ticket, request, { ...policy, ...at.policy }, at.now ?? issuedAt);
}

type Common = (session: Partial<SessionFacts>, at?: Circumstances) => BindingRefusal | undefined;

describe.each<[string, Common]>([
  ['TLSv1.2', refuse12],
  ['TLSv1.3', refuse13],
])('a session of %s', (version, refuse) => {
  it('resumes where nothing has changed', () => {
    expect(refuse({})).toBeUndefined();
  });

  it('R8446-4.6.1-15 P-time-2 lives as long as the policy says, 7 days at most, and not before it was made', () => {
    const day = 24 * 60 * 60 * 1000;
    const at = (now: number, maximumAge: number) => refuse({ issuedAt: now }, { now, policy: { maximumAge } });
    expect(at(establishedAt + day, day)).toBeUndefined();
    expect(at(establishedAt + day + 1, day)).toBe('too_old');
    expect(at(establishedAt + 7 * day, 30 * day)).toBeUndefined();
    expect(at(establishedAt + 7 * day + 1, 30 * day)).toBe('too_old');
    expect(at(establishedAt - maximumClockSkew, day)).toBeUndefined();
    expect(at(establishedAt - maximumClockSkew - 1, day)).toBe('too_old');
  });

  it('P-bind-1 P-bind-8 belongs to a server name, and to none', () => {
    expect(refuse({}, { request: { serverName: 'other.test' } })).toBe('server_name_mismatch');
    expect(refuse({}, { request: { serverName: 'EXAMPLE.test' } })).toBe('server_name_mismatch');
    expect(refuse({}, { request: { serverName: undefined } })).toBe('server_name_mismatch');
    expect(refuse({ serverName: 'other.test' })).toBe('server_name_mismatch');
  });

  it('P-bind-1 P-bind-2 belongs to a configuration', () => {
    expect(refuse({ applicationContext: fromHex('c0ffef') })).toBe('context_mismatch');
    expect(refuse({ applicationContext: fromHex('c0ff') })).toBe('context_mismatch');
    expect(refuse({}, { policy: { applicationContext: new Uint8Array(0) } })).toBe('context_mismatch');
  });

  it('P-bind-2 belongs to a way of authenticating clients, and to none', () => {
    const clientAuthenticationPolicy = fromHex('ca');
    const policy = { clientAuthenticationPolicy };
    expect(refuse({}, { policy })).toBe('client_authentication_mismatch');
    expect(refuse({ clientAuthenticationPolicy })).toBe('client_authentication_mismatch');
    expect(refuse({ clientAuthenticationPolicy: fromHex('cb') }, { policy })).toBe('client_authentication_mismatch');
    expect(refuse({ clientAuthenticationPolicy: fromHex('ca') }, { policy })).toBeUndefined();
  });

  it.each<[keyof BindingOverrides, BindingRefusal, Partial<SessionFacts>, Circumstances]>([
    [
      'allowSessionsOlderThanSevenDays',
      'too_old',
      { issuedAt: establishedAt + 2 * maximumSessionAge },
      { now: establishedAt + 2 * maximumSessionAge, policy: { maximumAge: 2 * maximumSessionAge } },
    ],
    [
      'allowSessionsOfDisabledCipherSuites',
      'cipher_suite_disabled',
      {},
      { policy: { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } },
    ],
    ['allowSessionsOfOtherTransports', 'transport_mismatch', {}, { request: { transport: 'quic' } }],
    ['allowSessionsOfOtherServerNames', 'server_name_mismatch', {}, { request: { serverName: undefined } }],
    ['allowSessionsOfOtherApplicationContexts', 'context_mismatch', { applicationContext: fromHex('00') }, {}],
    [
      'allowSessionsOfOtherClientAuthenticationPolicies',
      'client_authentication_mismatch',
      { clientAuthenticationPolicy: fromHex('00') },
      {},
    ],
    [
      'allowSessionsWithoutRequiredClientCertificate',
      'client_certificate_missing',
      { peerCertificates: [] },
      { policy: { requireClientCertificate: true } },
    ],
  ])('%s switches off %s, and nothing else', (override, refusal, session, at) => {
    const withOverrides = (overrides: BindingOverrides, more: Partial<SessionFacts> = {}) =>
      refuse({ ...session, ...more }, { ...at, policy: { ...at.policy, overrides } });
    expect(withOverrides({})).toBe(refusal);
    expect(withOverrides({ [override]: false })).toBe(refusal);
    expect(withOverrides({ [override]: true })).toBeUndefined();
    expect(withOverrides({ [override]: true }, { establishedAt: establishedAt - 4 * maximumSessionAge })).toBe(
      'too_old',
    );
  });

  it('P-bind-9 is no session of the other version, whatever is overridden', () => {
    const all = bindingOverrideNames;
    const other = version === 'TLSv1.2' ? 'TLSv1.3' : 'TLSv1.2';
    expect(refuse({}, { request: { version: other }, policy: { overrides: all } })).toBe('version_mismatch');
    expect(refuse({}, { request: { cipherSuites: [] }, policy: { overrides: all } })).toBe('cipher_suite_not_offered');
  });

  it('P-bind-3 without a client certificate satisfies nobody who wants one', () => {
    const wanting = { policy: { requireClientCertificate: true } };
    expect(refuse({ peerCertificates: [] }, wanting)).toBe('client_certificate_missing');
    expect(refuse({}, wanting)).toBeUndefined();
    expect(refuse({ peerCertificates: [] })).toBeUndefined();
  });

  it('P-bind-10 is declined when no suite is enabled that could carry it', () => {
    expect(refuse({}, { policy: { cipherSuites: [] } })).toBe('cipher_suite_disabled');
    const others = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384', 'TLS_AES_128_CCM_SHA256'];
    expect(refuse({}, { policy: { cipherSuites: others } })).toBe('cipher_suite_disabled');
  });
});

describe('a session of TLS 1.2 alone', () => {
  it('belongs to its suite, which the client offers again', () => {
    const chacha = 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256';
    expect(refuse12({}, { policy: { cipherSuites: [chacha] } })).toBe('cipher_suite_disabled');
    expect(refuse12({}, { request: { cipherSuites: [chacha] } })).toBe('cipher_suite_not_offered');
  });

  it('R7627-5.3-3 R7627-5.3-4 R7627-5.3-5 the extended master secret comes last', () => {
    const old = { extendedMasterSecret: false };
    const allow = { allowResumptionWithoutExtendedMasterSecret: true };
    expect(refuse12(old)).toBe('session_without_extended_master_secret');
    expect(refuse12({}, { request: old })).toBe('hello_without_extended_master_secret');
    expect(refuse12({}, { request: old, policy: allow })).toBe('hello_without_extended_master_secret');
    expect(refuse12(old, { request: old })).toBe('hello_without_extended_master_secret');
    expect(refuse12(old, { request: old, policy: allow })).toBeUndefined();
    expect(refuse12({ applicationContext: fromHex('00') }, { request: old })).toBe('context_mismatch');
  });
});

describe('a session of TLS 1.3 alone', () => {
  it('R8446-4.6.1-11 R8446-4.2.11-5 belongs to the hash of its suite, not to the suite', () => {
    const only = (cipherSuite: string) => ({ policy: { cipherSuites: [cipherSuite] } });
    expect(refuse13({}, only('TLS_CHACHA20_POLY1305_SHA256'))).toBeUndefined();
    expect(refuse13({}, only('TLS_AES_256_GCM_SHA384'))).toBe('cipher_suite_disabled');
    expect(refuse13({ cipherSuite: 'TLS_AES_256_GCM_SHA384' }, only('TLS_AES_256_GCM_SHA384'))).toBeUndefined();
    expect(refuse13({ cipherSuite: 'TLS_AES_256_GCM_SHA384' }, only('TLS_AES_128_GCM_SHA256'))).toBe(
      'cipher_suite_disabled',
    );
  });

  it('R8446-4.6.1-6 R8446-4.6.1-7 ends with the lifetime of its ticket, and P-time-2 is not used before it was issued', () => {
    const at = (age: number) => refuse13({ ticketLifetime: 60 }, { now: issuedAt + age });
    expect(at(60_000)).toBeUndefined();
    expect(at(60_001)).toBe('expired');
    expect(refuse13({ establishedAt: issuedAt - 2 * maximumClockSkew }, { now: issuedAt - maximumClockSkew - 1 })).toBe(
      'expired',
    );
    expect(refuse13({ ticketLifetime: 0 }, { now: issuedAt + 1 })).toBe('expired');
  });

  it('R8446-4.6.1-15 a renewed ticket does not outlive 7 days since the full handshake', () => {
    const now = establishedAt + maximumSessionAge + 1;
    expect(refuse13({ issuedAt: now }, { now })).toBe('too_old');
  });

  it('P-bind-1 belongs to its name, unless its server says otherwise and the caller wants it', () => {
    const other = { request: { serverName: 'other.test' } };
    const wanted = { ...other, policy: { resumptionAcrossNames: true } };
    const across = { resumableAcrossNames: true } as const;
    expect(refuse13(across, other)).toBe('server_name_mismatch');
    expect(refuse13({}, wanted)).toBe('server_name_mismatch');
    expect(refuse13(across, wanted)).toBeUndefined();
    expect(refuse13(across, { policy: wanted.policy })).toBeUndefined();
    expect(refuse13({ ...across, applicationContext: fromHex('00') }, wanted)).toBe('context_mismatch');
  });

  it('P-bind-8 having a name or none is no matter of other names', () => {
    const wanted = { policy: { resumptionAcrossNames: true } };
    const across = { resumableAcrossNames: true } as const;
    expect(refuse13(across, { ...wanted, request: { serverName: undefined } })).toBe('server_name_mismatch');
    const { serverName: _none, ...nameless } = { ...fullTls13Session, ...across };
    const request = { ...asked13, serverName: 'example.test' };
    expect(refuseSession(nameless, request, { ...policy, ...wanted.policy }, issuedAt)).toBe('server_name_mismatch');
  });

  it('P-bind-1 belongs to its name where no certificate stands behind it', () => {
    const session = { resumableAcrossNames: true, externalPskIdentity: fromHex('6964') } as const;
    const wanted = { policy: { resumptionAcrossNames: true } };
    expect(refuse13(session, { ...wanted, request: { serverName: 'other.test' } })).toBe('server_name_mismatch');
    expect(refuse13(session, wanted)).toBeUndefined();
  });

  it('belongs to a kind of transport', () => {
    expect(refuse13({}, { request: { transport: 'quic' } })).toBe('transport_mismatch');
    expect(refuse13({ transport: 'quic' })).toBe('transport_mismatch');
    expect(refuse13({ transport: 'quic' }, { request: { transport: 'quic' } })).toBeUndefined();
  });
});

describe('early data', () => {
  const request: EarlyDataRequest = {
    cipherSuite: fullTls13Session.cipherSuite,
    alpnProtocol: 'h2',
    serverName: 'example.test',
    transport: 'tcp',
    zone: undefined,
    maxSize: fullTls13Session.maxEarlyDataSize,
  };
  const refuse = (
    session: Partial<Tls13Session> = {},
    changes: Partial<EarlyDataRequest> = {},
    overrides: BindingOverrides = {},
  ) => refuseEarlyData({ ...fullTls13Session, ...session }, { ...request, ...changes }, overrides);

  it('R8446-4.2.10-1 belongs to suite, protocol, name and transport, and is not longer than what is read', () => {
    expect(refuse()).toBeUndefined();
    expect(refuse({}, { cipherSuite: 'TLS_CHACHA20_POLY1305_SHA256' })).toBe('suite_mismatch');
    expect(refuse({}, { alpnProtocol: 'http/1.1' })).toBe('alpn_mismatch');
    expect(refuse({}, { alpnProtocol: undefined })).toBe('alpn_mismatch');
    expect(refuse({}, { serverName: undefined })).toBe('server_name_mismatch');
    expect(refuse({}, { transport: 'quic' })).toBe('transport_mismatch');
    expect(refuse({}, { maxSize: fullTls13Session.maxEarlyDataSize - 1 })).toBe('limit');
    expect(refuse({ maxEarlyDataSize: 0 })).toBe('limit');
    expect(refuse({ transport: 'quic', maxEarlyDataSize: 2 ** 32 - 1 }, { transport: 'quic' })).toBeUndefined();
  });

  it('R8446-8-1 belongs to the zone whose replay record knows of it', () => {
    expect(refuse({ zone: 'eu' }, { zone: 'eu' })).toBeUndefined();
    expect(refuse({ zone: 'eu' }, { zone: 'us' })).toBe('other_zone');
    expect(refuse({}, { zone: 'us' })).toBe('other_zone');
    // Whose record knows of it is said: it is not that of a server that names none.
    expect(refuse({ zone: 'eu' })).toBe('other_zone');
  });

  it('crosses protocols alone, and only where that is switched on', () => {
    const across = { allowEarlyDataOfOtherApplicationProtocols: true };
    expect(refuse({}, { alpnProtocol: 'http/1.1' }, across)).toBeUndefined();
    expect(refuse({}, { alpnProtocol: 'http/1.1', zone: 'us' }, across)).toBe('other_zone');
  });
});
