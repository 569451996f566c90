import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import type { ForeignStateProfile } from '../../src/sessions/foreign-state.js';
import { sslSession, type SslSession } from '../../src/sessions/openssl-session.js';
import { opensslState } from '../../src/sessions/openssl-state.js';
import { secretOf, type Session, type Tls12Session, type Tls13Session } from '../../src/sessions/session.js';
import { misuse } from '../support/decoding.js';
import {
  applicationContext,
  asServersMakeIt,
  encoded,
  expectNoHarm,
  opensslSamples,
  place,
  placeOf,
  sampleTime,
  samplesOf,
  sessionIn,
  wholeSeconds,
} from './foreign.js';
import { anySession, fullSession, fullTls13Session, pskSession, smallSession } from './sessions.js';

const context = ascii('context');
/** As long as the tickets of `sessions.ts` live, and the time before they were issued. */
const lifetime = 7300;
const profile: ForeignStateProfile = { lifetime, sessionIdContext: context };
const trusting: ForeignStateProfile = { ...profile, trustClientCertificatesInTickets: true };
const encoding = opensslState(profile);

const tls12: Tls12Session = { ...fullSession, peerCertificates: [], applicationContext };
const tls13: Tls13Session = { ...fullTls13Session, peerCertificates: [], applicationContext };

const fieldsOf = (session: Session, of = profile) => sslSession.decode(encoded(opensslState(of).encode(session)));

describe('opensslState writes', () => {
  it('the portable fields of a session of TLS 1.2', () => {
    expect(fieldsOf(tls12)).toEqual({
      structureVersion: 1,
      protocolVersion: 'TLSv1.2',
      cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      sessionId: new Uint8Array(0),
      secret: tls12.masterSecret,
      time: 1_700_000_000,
      timeout: lifetime,
      sessionIdContext: context,
      hostName: 'example.test',
      flags: 1,
    });
    const legacy = fieldsOf({ ...smallSession, extendedMasterSecret: false });
    expect([legacy.flags, legacy.hostName]).toEqual([undefined, undefined]);
    expect(fieldsOf(tls12, { lifetime: 300 }).sessionIdContext).toEqual(new Uint8Array(0));
  });

  it('and of TLS 1.3, where the flag of the extended master secret would be fatal', () => {
    expect(fieldsOf(tls13)).toEqual({
      structureVersion: 1,
      protocolVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      sessionId: new Uint8Array(0),
      secret: tls13.psk,
      time: 1_700_000_100,
      timeout: 7200,
      sessionIdContext: context,
      hostName: 'example.test',
      ticketAgeAdd: 0xfedcba98,
      maxEarlyDataSize: 0x4000,
      alpnProtocol: 'h2',
    });
    const { ticketAgeAdd, maxEarlyDataSize, alpnProtocol } = fieldsOf({
      ...tls13,
      ticketAgeAdd: 0,
      maxEarlyDataSize: 0,
    });
    expect([ticketAgeAdd, maxEarlyDataSize, alpnProtocol]).toEqual([undefined, undefined, undefined]);
  });

  it('P-key-7 no ticket of TLS 1.3 that lives longer than the lifetime from the full handshake', () => {
    const after = (seconds: number, lifetime: number) => {
      const session = { ...tls13, ticketLifetime: 604_800, issuedAt: tls13.establishedAt + 1000 * seconds };
      const state = opensslState({ ...profile, lifetime }).encode(session);
      return state && sslSession.decode(state).timeout;
    };
    expect([after(0, 300), after(299, 300), after(300, 300)]).toEqual([300, 1, undefined]);
    expect([after(600_000, 604_800), after(604_800, 604_800)]).toEqual([4800, undefined]);
    expect(encoding.encode({ ...tls13, ticketLifetime: 0 })).toBeUndefined();
  });

  it('P-key-7 renewed tickets that all end at the same time', () => {
    const of = opensslState({ ...profile, lifetime: 300 });
    const start = 1_700_000_000_000;
    const renewedAt = (issuedAt: number, establishedAt: number) =>
      of.encode({ ...tls13, establishedAt, issuedAt, ticketLifetime: 300 });
    let establishedAt = start;
    for (const now of [start + 100_000, start + 200_000, start + 299_000]) {
      const session = sessionIn(of.decode(encoded(renewedAt(now, establishedAt)), place({ now })));
      ({ establishedAt } = session);
      expect([establishedAt, session.issuedAt]).toEqual([start, now]);
    }
    expect(renewedAt(start + 300_000, establishedAt)).toBeUndefined();
  });

  it('the leaf of a client, where the profile says so', () => {
    expect(fieldsOf({ ...fullSession }, trusting).peerCertificate).toEqual(fullSession.peerCertificates[0]);
    expect(encoding.encode(fullSession)).toBeUndefined();
    expect(encoding.encode(fullTls13Session)).toBeUndefined();
    // Who accepts any certificate may have one that is none.
    expect(opensslState(trusting).encode({ ...tls12, peerCertificates: [fromHex('00')] })).toBeUndefined();
  });

  it.each<[string, Session]>([
    ['an external PSK, TLS 1.2', pskSession],
    ['an external PSK, TLS 1.3', { ...tls13, externalPskIdentity: ascii('identity') }],
    ['QUIC', { ...tls13, transport: 'quic' }],
    ['other names', { ...tls13, resumableAcrossNames: true }],
    ['a name that would end at its NUL', { ...tls12, serverName: 'a.test\0.evil' }],
    ['a name of 256 characters', { ...tls12, serverName: 'a'.repeat(256) }],
  ])('no session of %s', (_, session) => {
    expect(encoding.encode(session)).toBeUndefined();
  });

  it.each<[string, ForeignStateProfile]>([
    ['a lifetime of 0', { lifetime: 0 }],
    ['more than seven days', { lifetime: 604_801 }],
    ['half a second', { lifetime: 0.5 }],
    ['a context of 33 bytes', { lifetime: 300, sessionIdContext: new Uint8Array(33) }],
  ])('nothing for %s', (_, bad) => {
    expect(misuse(() => opensslState(bad))).toBe('invalid_option');
  });
});

describe('opensslState reads', () => {
  it.each(opensslSamples())('%s', (name, sample) => {
    const { sid_ctx: sidContext, time, hostname, max_early_data: early = 0 } = sample.decodedFields;
    const own = { lifetime: 300, sessionIdContext: fromHex(String(sidContext)) };
    const trusts = { ...own, trustClientCertificatesInTickets: true };
    const now = (time as number) * 1000 + 1000;
    const decode = (of: ForeignStateProfile) => opensslState(of).decode(fromHex(sample.plaintextHex), place({ now }));
    if (name.includes('clientcert')) expect(decode(own)).toBe('client_certificate_distrusted');
    const session = sessionIn(decode(trusts));
    expect(session.version).toBe(`TLSv${sample.tlsVersion}`);
    expect(toHex(secretOf(session).slice())).toBe(sample.masterSecretOrPskHex);
    expect(session.serverName).toBe(hostname);
    expect([session.establishedAt, session.issuedAt]).toEqual([now - 1000, now - 1000]);
    expect(session.applicationContext).toBe(applicationContext);
    expect(session.peerCertificates.length).toBe(name.includes('clientcert') ? 1 : 0);
    if (session.version === 'TLSv1.3') {
      expect(session.ticketAgeAdd).toBe(sample.decodedFields.age_add);
      expect([session.ticketLifetime, session.maxEarlyDataSize]).toEqual([sample.decodedFields.timeout, early]);
    } else expect(session.extendedMasterSecret).toBe(sample.decodedFields.flags === 1);
    expect(decode({ lifetime: 300, sessionIdContext: ascii('another') })).toBe('context_mismatch');
  });

  /** Of a session of ours with some of the fields of another. */
  const decodeWith = (parts: Partial<SslSession>, of = profile, where = placeOf(tls13), base: Session = tls13) =>
    opensslState(of).decode(sslSession.encode({ ...fieldsOf(base, of), ...parts }), where);
  const at = (seconds: number) => ({ ...placeOf(tls13), now: (1_700_000_100 + seconds) * 1000 });

  it('a ticket until its own timeout, and none for longer than 7 days', () => {
    expect(sessionIn(decodeWith({}, profile, at(7200)))).toMatchObject({ ticketLifetime: 7200 });
    expect(decodeWith({}, profile, { ...at(7200), now: at(7200).now + 1 })).toBe('expired');
    const tenYears = { timeout: 10 * 365 * 86_400 };
    expect(sessionIn(decodeWith(tenYears, profile, at(604_800)))).toMatchObject({ ticketLifetime: 604_800 });
    expect(decodeWith(tenYears, profile, at(604_801))).toBe('expired');
  });

  it.each<[string, Partial<SslSession>, string]>([
    ['a timeout of 0', { timeout: 0 }, 'expired'],
    ['a negative timeout', { timeout: -1 }, 'expired'],
    ['a time of 1970', { time: 0 }, 'expired'],
    ['a time 61 seconds ahead', { time: 1_700_000_161 }, 'too_old'],
    ['a failed verification', { verifyResult: 20 }, 'client_certificate_distrusted'],
    ['a raw public key', { peerRawPublicKey: ascii('key') }, 'client_certificate_distrusted'],
    ['another context', { sessionIdContext: ascii('contexts') }, 'context_mismatch'],
  ])('%s as a reason', (_, parts, reason) => {
    expect(decodeWith(parts)).toBe(reason);
    expect(decodeWith(parts, trusting)).toBe(reason);
  });

  it('a timeout that is missing as 3 seconds, a time that is missing as long ago, a context that is missing as an empty one', () => {
    const { timeout: _timeout, ...without } = fieldsOf(tls13);
    const decode = (fields: SslSession, where = at(3)) => encoding.decode(sslSession.encode(fields), where);
    expect(sessionIn(decode(without))).toMatchObject({ ticketLifetime: 3 });
    expect(decode(without, at(4))).toBe('expired');
    const { time: _time, ...timeless } = fieldsOf(tls13);
    expect(decode(timeless)).toBe('expired');
    const { sessionIdContext: _context, ...anywhere } = fieldsOf(tls13);
    expect(decode(anywhere)).toBe('context_mismatch');
    const ofAnyContext = opensslState({ lifetime: 300 });
    expect(sessionIn(ofAnyContext.decode(sslSession.encode(anywhere), at(0))).version).toBe('TLSv1.3');
  });

  it('a time up to a minute ahead, of another clock', () => {
    expect(sessionIn(decodeWith({ time: 1_700_000_160 })).issuedAt).toBe(1_700_000_160_000);
  });

  it('a certificate that is trusted, but none that failed', () => {
    const certificate = fromHex('3003020101');
    expect(decodeWith({ peerCertificate: certificate })).toBe('client_certificate_distrusted');
    expect(sessionIn(decodeWith({ peerCertificate: certificate }, trusting)).peerCertificates).toEqual([certificate]);
    const failed = { peerCertificate: certificate, verifyResult: 18 };
    expect(decodeWith(failed, trusting)).toBe('client_certificate_distrusted');
  });

  it('P-bind-8 a name in lower case, and where there is none the one asked for, if the profile has it', () => {
    expect(sessionIn(decodeWith({ hostName: 'Example.TEST' })).serverName).toBe('example.test');
    const { hostName: _name, ...nameless } = fieldsOf(tls13);
    const decode = (names: readonly string[], serverName: string | undefined) =>
      sessionIn(
        opensslState({ ...profile, serverNamesOfUnnamedStates: names }).decode(sslSession.encode(nameless), {
          ...at(1),
          serverName,
        }),
      ).serverName;
    expect(decode([], 'a.test')).toBeUndefined();
    expect(decode(['a.test', 'b.test'], 'b.test')).toBe('b.test');
    expect(decode(['a.test'], 'b.test')).toBeUndefined();
    expect(decode(['a.test'], undefined)).toBeUndefined();
  });

  it.each<[string, Session, Partial<SslSession>]>([
    ['TLS 1.3 with the flag of the extended master secret', tls13, { flags: 1 }],
    ['a secret of another length than the hash', tls13, { secret: new Uint8Array(48).fill(1) }],
    ['a secret of 47 bytes', tls12, { secret: new Uint8Array(47).fill(1) }],
    ['P-state-2 a secret of zeros', tls12, { secret: new Uint8Array(48) }],
    ['P-state-2 a PSK of zeros', tls13, { secret: new Uint8Array(32) }],
    ['a suite of TLS 1.2 in TLS 1.3', tls13, { cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' }],
    ['a suite of TLS 1.3 in TLS 1.2', tls12, { cipherSuite: 'TLS_AES_128_GCM_SHA256' }],
    ['a suite that is not spoken here', tls12, { cipherSuite: 'TLS_RSA_WITH_AES_128_CBC_SHA' }],
    ['an unknown suite', tls12, { cipherSuite: 0xeeee }],
    ['a suite of PSKs', tls12, { cipherSuite: 'TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256' }],
    ['TLS 1.1', tls12, { protocolVersion: 'TLSv1.1' }],
    ['a PSK identity', tls12, { pskIdentity: ascii('identity') }],
    ['an SRP user', tls12, { srpUsername: ascii('user') }],
    ['compression', tls12, { compressionMethod: fromHex('01') }],
  ])('nothing in %s', (_, base, parts) => {
    expect(decodeWith(parts, profile, placeOf(base), base)).toBeUndefined();
    expect(sessionIn(decodeWith({}, profile, placeOf(base), base)).version).toBe(base.version);
  });

  it('into arrays of their own, for the state is wiped', () => {
    const state = sslSession.encode({ ...fieldsOf(tls12, trusting), peerCertificate: fromHex('3003020101') });
    const session = sessionIn(opensslState(trusting).decode(state, placeOf(tls12)));
    state.fill(0);
    expect(secretOf(session).slice()).toEqual(tls12.masterSecret);
    expect(session.peerCertificates).toEqual([fromHex('3003020101')]);
    expect(String(secretOf(session))).toBe('[48 secret bytes]');
  });

  it('the group of OpenSSL 3 in TLS 1.2, if it is one of ours', () => {
    const groupOf = (group: NonNullable<SslSession['group']>) =>
      sessionIn(decodeWith({ group }, profile, placeOf(tls12), tls12));
    expect(groupOf('x25519')).toMatchObject({ group: 'x25519' });
    expect(groupOf('x448')).not.toHaveProperty('group');
    expect(groupOf(0x1000000 + 1034)).not.toHaveProperty('group');
  });
});

describe('opensslState', () => {
  it('any session: comes back as it was but for what the encoding lacks, or is not written', () => {
    const of = opensslState({ ...trusting, lifetime: 604_800 });
    let written = 0;
    fc.assert(
      fc.property(anySession.map(asServersMakeIt), (session) => {
        const state = of.encode(session);
        if (state === undefined) return;
        written++;
        const where = place({ serverName: session.serverName, now: timeOf(session) });
        expect(of.decode(state, where)).toEqual(asItComesBack(session));
      }),
      { numRuns: 500 },
    );
    expect(written).toBeGreaterThan(20);
  });

  it.each(samplesOf('nginx-80-early', 'nginx-80-clientcert', 'node24', 'apache-48-tls12-minted'))(
    '%s, damaged: no throw, and nothing that is no session',
    (_, sample) => {
      const sessionIdContext = fromHex(String(sample.decodedFields.sid_ctx));
      const of = opensslState({ lifetime: 300, sessionIdContext, trustClientCertificatesInTickets: true });
      expectNoHarm(sslSession, of, fromHex(sample.plaintextHex), place({ now: sampleTime }));
    },
  );
});

/** When its state says that it was issued. */
function timeOf(session: Session): number {
  return wholeSeconds(session.version === 'TLSv1.2' ? session.establishedAt : session.issuedAt);
}

function asItComesBack(session: Session): Record<string, unknown> {
  const time = timeOf(session);
  const { peerSignatureScheme: _scheme, alpnProtocol, ...kept } = session;
  const common = { establishedAt: time, issuedAt: time, peerCertificates: session.peerCertificates.slice(0, 1) };
  if (session.version === 'TLSv1.2') return { ...kept, ...common, group: undefined };
  const end = Math.floor(session.establishedAt / 1000) + 604_800;
  const ticketLifetime = Math.min(session.ticketLifetime, end - time / 1000);
  return {
    ...kept,
    ...common,
    ticketLifetime,
    // Where the ticket lives less, the session is taken for older than it is.
    establishedAt: time + 1000 * (ticketLifetime - 604_800),
    alpnProtocol: session.maxEarlyDataSize === 0 ? undefined : alpnProtocol,
  };
}
