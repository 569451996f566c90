import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import { boringsslSession, type BoringsslSession } from '../../src/sessions/boringssl-session.js';
import { boringsslState } from '../../src/sessions/boringssl-state.js';
import type { ForeignStateProfile } from '../../src/sessions/foreign-state.js';
import { secretOf, type Session, type Tls12Session, type Tls13Session } from '../../src/sessions/session.js';
import {
  applicationContext,
  asServersMakeIt,
  encoded,
  expectNoHarm,
  place,
  placeOf,
  samplesOf,
  sessionIn,
  wholeSeconds,
} from './foreign.js';
import { anySession, fullSession, fullTls13Session, pskSession } from './sessions.js';

const profile: ForeignStateProfile = { lifetime: 7200, sessionIdContext: ascii('ctx') };
const trusting: ForeignStateProfile = { ...profile, trustClientCertificatesInTickets: true };
const encoding = boringsslState(profile);

const tls12: Tls12Session = { ...fullSession, peerCertificates: [], applicationContext };
const tls13: Tls13Session = { ...fullTls13Session, peerCertificates: [], applicationContext };

const fieldsOf = (session: Session, of = profile) =>
  boringsslSession.decode(encoded(boringsslState(of).encode(session)));

describe('boringsslState', () => {
  it.each(samplesOf('boringssl'))('reads %s', (name, sample) => {
    const session = sessionIn(encoding.decode(fromHex(sample.plaintextHex), place()));
    expect(session.version).toBe(`TLSv${sample.tlsVersion}`);
    expect(toHex(secretOf(session).slice())).toBe(sample.masterSecretOrPskHex);
    const time = 1000 * (sample.decodedFields.time as number);
    expect([session.issuedAt, session.establishedAt, session.serverName]).toEqual([time, time, undefined]);
    if (session.version === 'TLSv1.2') expect(session.extendedMasterSecret).toBe(true);
    else {
      expect(session.ticketAgeAdd.toString(16).padStart(8, '0')).toBe(sample.decodedFields.age_add);
      expect(session.ticketLifetime).toBe(sample.decodedFields.timeout);
    }
    // The smallest that BoringSSL took are written as they were.
    if (name.endsWith('-tls12-minted')) {
      expect(toHex(encoded(encoding.encode(session)))).toBe(sample.plaintextHex);
    }
    const named = boringsslState({ ...profile, serverNamesOfUnnamedStates: ['a.test'] });
    expect(sessionIn(named.decode(fromHex(sample.plaintextHex), place())).serverName).toBe('a.test');
    expect(boringsslState({ lifetime: 7200 }).decode(fromHex(sample.plaintextHex), place())).toBe('context_mismatch');
  });

  it('writes the fields that BoringSSL wants, and the name in one that it skips', () => {
    expect(fieldsOf(tls12)).toEqual({
      structureVersion: 1,
      protocolVersion: 'TLSv1.2',
      cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      sessionId: new Uint8Array(0),
      secret: tls12.masterSecret,
      time: 1_700_000_000,
      timeout: 7200,
      sessionIdContext: ascii('ctx'),
      hostName: 'example.test',
      extendedMasterSecret: true,
      peerSignatureScheme: 'rsa_pss_rsae_sha256',
    });
    expect(fieldsOf(tls13)).toEqual({
      structureVersion: 1,
      protocolVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      sessionId: new Uint8Array(0),
      secret: tls13.psk,
      time: 1_700_000_100,
      timeout: 7200,
      sessionIdContext: ascii('ctx'),
      hostName: 'example.test',
      ticketAgeAdd: 0xfedcba98,
      peerSignatureScheme: 'rsa_pss_rsae_sha256',
      maxEarlyDataSize: 0x4000,
      authenticationTimeout: 604_700,
      alpnProtocol: 'h2',
    });
  });

  it('R8446-4.6.1-15 counts the seven days down from the full handshake', () => {
    const late = { ...tls13, ticketLifetime: 604_800, issuedAt: tls13.establishedAt + 604_000_000 };
    const { timeout, authenticationTimeout } = fieldsOf(late);
    expect([timeout, authenticationTimeout]).toEqual([800, 800]);
    expect(encoding.encode({ ...late, issuedAt: late.establishedAt + 604_800_000 })).toBeUndefined();
  });

  it('any session: comes back as it was but for what the encoding lacks, or is not written', () => {
    const of = boringsslState({ ...trusting, lifetime: 604_800 });
    let written = 0;
    fc.assert(
      fc.property(anySession.map(asServersMakeIt), (session) => {
        const state = of.encode(session);
        if (state === undefined) return;
        written++;
        const now = wholeSeconds(session.version === 'TLSv1.2' ? session.establishedAt : session.issuedAt);
        expect(of.decode(state, place({ serverName: session.serverName, now }))).toEqual(asItComesBack(session));
      }),
      { numRuns: 500 },
    );
    expect(written).toBeGreaterThan(20);
  });

  it('has room for an external PSK in TLS 1.2, for QUIC and other names', () => {
    const back = (session: Session) => sessionIn(encoding.decode(encoded(encoding.encode(session)), placeOf(session)));
    expect(back(pskSession).externalPskIdentity).toEqual(pskSession.externalPskIdentity);
    expect(back({ ...tls13, transport: 'quic', resumableAcrossNames: true })).toMatchObject({
      transport: 'quic',
      resumableAcrossNames: true,
    });
    expect(encoding.encode({ ...tls13, externalPskIdentity: ascii('identity') })).toBeUndefined();
    // To BoringSSL an identity is a string of C.
    expect(encoding.encode({ ...pskSession, externalPskIdentity: fromHex('610062') })).toBeUndefined();
    expect(encoding.encode(fullSession)).toBeUndefined();
    expect(boringsslState(trusting).encode({ ...tls12, peerCertificates: [fromHex('00')] })).toBeUndefined();
  });

  const decodeWith = (base: Session, parts: Partial<BoringsslSession>, of = profile) =>
    boringsslState(of).decode(boringsslSession.encode({ ...fieldsOf(base, of), ...parts }), placeOf(base));

  it.each<[string, Partial<BoringsslSession>]>([
    ['a session of a client', { isServer: false }],
    ['the extended master secret in TLS 1.3', { extendedMasterSecret: true }],
    ['a chain without its first certificate', { certificateChain: [fromHex('3000')] }],
    ['half of the application settings', { localApplicationSettings: ascii('ours') }],
    ['a PSK identity in TLS 1.3', { pskIdentity: ascii('identity') }],
    ['P-state-2 a PSK of zeros', { secret: new Uint8Array(32) }],
  ])('reads no session in %s', (_, parts) => {
    expect(decodeWith(tls13, parts)).toBeUndefined();
  });

  it('reads no session of TLS 1.3 without the age_add', () => {
    const { ticketAgeAdd: _ageAdd, ...fields } = fieldsOf(tls13);
    expect(encoding.decode(boringsslSession.encode(fields), placeOf(tls13))).toBeUndefined();
  });

  it.each<[string, Partial<BoringsslSession>, string]>([
    ['a timeout of 0', { timeout: 0 }, 'expired'],
    ['a timeout that is over', { time: 1_699_990_000 }, 'expired'],
    ['a time 61 seconds ahead', { time: 1_700_000_161 }, 'too_old'],
    ['a failed verification', { verifyResult: 20 }, 'client_certificate_distrusted'],
    ['a digest of a certificate', { peerSha256: new Uint8Array(32) }, 'client_certificate_distrusted'],
    ['a raw public key', { peerCertificateType: 2 }, 'client_certificate_distrusted'],
    ['another context', { sessionIdContext: ascii('another') }, 'context_mismatch'],
  ])('answers %s with a reason, whom ever it trusts', (_, parts, reason) => {
    expect(decodeWith(tls13, parts)).toBe(reason);
    expect(decodeWith(tls13, parts, trusting)).toBe(reason);
  });

  it.each<[string, Partial<BoringsslSession>, number]>([
    ['which is there', {}, 0x4000],
    ['under transport parameters', { isQuic: true, quicEarlyDataContext: ascii('parameters') }, 0],
    ['under settings', { localApplicationSettings: ascii('ours'), peerApplicationSettings: ascii('theirs') }, 0],
  ])('takes early data %s: %#', (_, parts, maxEarlyDataSize) => {
    expect(decodeWith(tls13, parts)).toMatchObject({ maxEarlyDataSize });
  });

  it('takes a chain only where it is trusted', () => {
    const chain = { peerCertificate: fromHex('3000'), certificateChain: [fromHex('3003020101')] };
    expect(decodeWith(tls13, chain)).toBe('client_certificate_distrusted');
    expect(sessionIn(decodeWith(tls13, chain, trusting)).peerCertificates.map(toHex)).toEqual(['3000', '3003020101']);
  });

  it.each(samplesOf('boringssl'))('%s, damaged: no throw, and nothing that is no session', (_, sample) => {
    expectNoHarm(boringsslSession, boringsslState(trusting), fromHex(sample.plaintextHex));
  });
});

function asItComesBack(session: Session): Record<string, unknown> {
  const establishedAt = wholeSeconds(session.establishedAt);
  const { alpnProtocol, ...kept } = session;
  if (session.version === 'TLSv1.2') return { ...kept, establishedAt, issuedAt: establishedAt };
  const left = Math.floor(session.establishedAt / 1000) + 604_800 - Math.floor(session.issuedAt / 1000);
  const issuedAt = wholeSeconds(session.issuedAt);
  const ticketLifetime = Math.min(session.ticketLifetime, left);
  return {
    ...kept,
    issuedAt,
    ticketLifetime,
    establishedAt,
    alpnProtocol: session.maxEarlyDataSize === 0 ? undefined : alpnProtocol,
  };
}
