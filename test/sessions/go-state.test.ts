import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import type { ForeignStateProfile } from '../../src/sessions/foreign-state.js';
import { go120Session, go121Session, type Go120Session, type Go121Session } from '../../src/sessions/go-session.js';
import { go120State, go121State } from '../../src/sessions/go-state.js';
import { secretOf, type Session, type SessionEncoding } from '../../src/sessions/session.js';
import { cipherSuites, protocolVersions } from '../../src/parameters.js';
import { misuse } from '../support/decoding.js';
import { backends } from '../tickets/backends.js';
import {
  applicationContext,
  asServersMakeIt,
  encoded,
  expectNoHarm,
  numberIn,
  place,
  placeOf,
  samplesOf,
  sessionIn,
  wholeSeconds,
} from './foreign.js';
import {
  anySession,
  anyTls12Session,
  fullSession,
  fullTls13Session,
  smallSession,
  smallTls13Session,
} from './sessions.js';

const profile: ForeignStateProfile = { lifetime: 604_800, serverNamesOfUnnamedStates: ['a.test', 'example.test'] };
const trusting: ForeignStateProfile = { ...profile, trustClientCertificatesInTickets: true };
const withoutEms = { ...smallSession, extendedMasterSecret: false, applicationContext };

/** In the words of the samples. */
function inTheirWords({ version, state }: Extract<Go120Session, { version: 'TLSv1.2' | 'TLSv1.3' }>) {
  const common = {
    version: numberIn(protocolVersions, version).toString(16).padStart(4, '0'),
    cipher: numberIn(cipherSuites, state.cipherSuite).toString(16).padStart(4, '0'),
    created: Number(state.createdAt),
  };
  if ('masterSecret' in state)
    return { ...common, master_secret: toHex(state.masterSecret), certificates: state.certificates.map(toHex).join() };
  return {
    ...common,
    revision: state.revision,
    resumption_master_secret: toHex(state.resumptionMasterSecret),
    certificates: state.certificateList.map(({ certData }) => toHex(certData)).join(),
  };
}

describe('go120Session', () => {
  it.each(samplesOf('go119'))('%s: says what the server said, and is written to the same bytes', (_, sample) => {
    const session = go120Session.decode(fromHex(sample.plaintextHex));
    expect(inTheirWords(session)).toEqual(sample.decodedFields);
    expect(toHex(go120Session.encode(session))).toBe(sample.plaintextHex);
  });
});

describe.each(backends)('go120State ($name)', (crypto) => {
  const encoding = go120State({ ...profile, crypto });

  it.each(samplesOf('go119'))('reads %s', (_, sample) => {
    const state = fromHex(sample.plaintextHex);
    const session = sessionIn(encoding.decode(state, place()));
    expect(session.version).toBe(`TLSv${sample.tlsVersion}`);
    // In TLS 1.3 that is the PSK, which stands nowhere in the ticket.
    expect(toHex(secretOf(session).slice())).toBe(sample.masterSecretOrPskHex);
    expect(toHex(state)).toBe(sample.plaintextHex);
    const created = 1000 * (sample.decodedFields.created as number);
    expect(session).toMatchObject({
      establishedAt: created,
      issuedAt: created,
      serverName: 'a.test',
      applicationContext,
    });
    if (session.version === 'TLSv1.3')
      expect(session).toMatchObject({
        ticketLifetime: 604_800,
        maxEarlyDataSize: 0,
        ticketAgeAdd: 0,
        transport: 'tcp',
      });
    else expect(toHex(encoded(encoding.encode(session)))).toBe(sample.plaintextHex);
    expect(sessionIn(encoding.decode(state, place({ serverName: 'b.test' }))).serverName).toBeUndefined();
    expect(encoding.decode(state, place({ now: created + 604_800_001 }))).toBe('expired');
    expect(encoding.decode(state, place({ now: created - 60_001 }))).toBe('too_old');
  });

  it('any session of TLS 1.2 without the extended master secret comes back, or is not written', () => {
    const of = go120State({ ...trusting, crypto });
    fc.assert(
      fc.property(anyTls12Session.map(asServersMakeIt), ({ serverName: _name, ...nameless }) => {
        const session = { ...nameless, serverName: 'a.test', extendedMasterSecret: false };
        const state = of.encode(session);
        expect(state === undefined).toBe(session.externalPskIdentity !== undefined);
        if (state === undefined) return;
        const establishedAt = wholeSeconds(session.establishedAt);
        const { group: _group, peerSignatureScheme: _scheme, alpnProtocol: _alpn, ...kept } = session;
        expect(of.decode(state, place({ now: establishedAt }))).toEqual({
          ...kept,
          establishedAt,
          issuedAt: establishedAt,
        });
      }),
    );
  });

  it.each<[string, Session]>([
    ['R7627-5.4-1 the extended master secret', { ...withoutEms, extendedMasterSecret: true }],
    ['TLS 1.3, whose resumption master secret is gone', smallTls13Session],
    ['a name that is none of the profile', { ...withoutEms, serverName: 'b.test' }],
    ['a client certificate', { ...withoutEms, peerCertificates: fullSession.peerCertificates }],
    ['an external PSK', { ...withoutEms, externalPskIdentity: ascii('identity') }],
  ])('writes no session of %s', (_, session) => {
    expect(encoding.encode(session)).toBeUndefined();
    expect(encoding.encode(withoutEms)).toBeDefined();
  });

  const minted = (parts: object) =>
    encoding.decode(
      go120Session.encode({
        version: 'TLSv1.3',
        state: {
          revision: 0,
          cipherSuite: 'TLS_AES_256_GCM_SHA384',
          createdAt: 1_795_254_309n,
          resumptionMasterSecret: new Uint8Array(48).fill(1),
          certificateList: [],
          ...parts,
        },
      }),
      place(),
    );

  it('mints sessions of TLS 1.3 from a resumption master secret', () => {
    const session = sessionIn(minted({}));
    expect(session.cipherSuite).toBe('TLS_AES_256_GCM_SHA384');
    // HKDF-Expand-Label(48 bytes of 1, "resumption", "", 48), by node:crypto.
    expect(toHex(secretOf(session).slice())).toBe(
      'bc55768e579a6e4bb4e8f2a738251e869e7a5b7853377bc57328e26ff44a3263d40533ff10fceb5ff8cff8ca1d02f068',
    );
  });

  it.each<[string, object, unknown]>([
    ['a secret of another length', { resumptionMasterSecret: new Uint8Array(32).fill(1) }, undefined],
    ['P-state-2 a secret of zeros', { resumptionMasterSecret: new Uint8Array(48) }, undefined],
    ['a suite of TLS 1.2', { cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' }, undefined],
    ['an unknown suite', { cipherSuite: 0xeeee }, undefined],
    ['a time beyond all dates', { createdAt: 2n ** 64n - 1n }, 'too_old'],
    [
      'a client certificate',
      { certificateList: [{ certData: fromHex('3000'), extensions: new Uint8Array(0) }] },
      'client_certificate_distrusted',
    ],
  ])('answers %s', (_, parts, expected) => {
    expect(minted(parts)).toBe(expected);
  });
});

describe('go120State', () => {
  it.each(samplesOf('go119'))('%s, damaged: no throw, and nothing that is no session', (_, sample) => {
    expectNoHarm(go120Session, go120State({ ...trusting, crypto: backends[0]! }), fromHex(sample.plaintextHex));
  });
});

const encoding = go121State(profile);
const fieldsOf = (session: Session, of: SessionEncoding = encoding) => go121Session.decode(encoded(of.encode(session)));

describe('go121State', () => {
  it('writes what Go 1.21 reads', () => {
    expect(toHex(encoded(encoding.encode({ ...smallSession, serverName: 'a.test' })))).toBe(
      `0303 01 c02b 000000006553f100 30${toHex(smallSession.masterSecret)} 000000 01 00 000000 000000`.replaceAll(
        ' ',
        '',
      ),
    );
    expect(toHex(encoded(encoding.encode(smallTls13Session)))).toBe(
      `0304 01 1301 000000006553f100 20${toHex(smallTls13Session.psk)} 000000 00 00 000000 000000`.replaceAll(' ', ''),
    );
  });

  it('and Go 1.25, which wants a group below TLS 1.3', () => {
    const of = go121State({ ...profile, withGroup: true });
    const endOf = (session: Session) => toHex(fieldsOf(session, of).later);
    expect(endOf({ ...smallSession, group: 'x25519' })).toBe('001d');
    expect(endOf(smallSession)).toBe('0000');
    expect(endOf(smallTls13Session)).toBe('');
    const back = sessionIn(
      of.decode(encoded(of.encode({ ...smallSession, group: 'secp384r1' })), placeOf(smallSession)),
    );
    expect(back).toMatchObject({ group: 'secp384r1' });
    // Whoever reads one reads the other.
    expect(sessionIn(of.decode(encoded(encoding.encode(smallSession)), placeOf(smallSession)))).not.toHaveProperty(
      'group',
    );
  });

  it('writes a client with the chain that servers ask for, where the profile says so', () => {
    const of = go121State(trusting);
    const { certificateList, verifiedChains } = fieldsOf(fullTls13Session, of).client.state;
    const [leaf, ...above] = fullTls13Session.peerCertificates;
    expect(certificateList.map(({ certData }) => certData)).toEqual([leaf, ...above]);
    expect(verifiedChains).toEqual([above]);
    expect(encoding.encode(fullTls13Session)).toBeUndefined();
    const state = encoded(of.encode(fullTls13Session));
    const where = placeOf(fullTls13Session);
    expect(encoding.decode(state, where)).toBe('client_certificate_distrusted');
    expect(sessionIn(of.decode(state, where)).peerCertificates).toEqual([leaf, ...above]);
  });

  it('any session: comes back as it was but for what the encoding lacks, or is not written', () => {
    const of = go121State(trusting);
    let written = 0;
    fc.assert(
      fc.property(anySession.map(asServersMakeIt), fc.boolean(), ({ serverName: _name, ...nameless }, named) => {
        const session: Session = { ...nameless, ...(named && { serverName: 'a.test' }) };
        const state = of.encode(session);
        if (state === undefined) return;
        written++;
        const time = wholeSeconds(session.establishedAt);
        const { peerSignatureScheme: _scheme, alpnProtocol: _alpn, ...kept } = session;
        const times = { establishedAt: time, issuedAt: time };
        const lost =
          session.version === 'TLSv1.2'
            ? { group: undefined }
            : { ticketAgeAdd: 0, maxEarlyDataSize: 0, ticketLifetime: 604_800 };
        expect(of.decode(state, place({ serverName: session.serverName, now: time }))).toEqual({
          ...kept,
          ...times,
          ...lost,
        });
      }),
    );
    expect(written).toBeGreaterThan(5);
  });

  it.each<[string, Session]>([
    ['a name that is none of the profile', { ...smallSession, serverName: 'b.test' }],
    ['an external PSK', { ...smallTls13Session, externalPskIdentity: ascii('identity') }],
    ['QUIC', { ...smallTls13Session, transport: 'quic' }],
    ['other names', { ...smallTls13Session, resumableAcrossNames: true }],
  ])('writes no session of %s', (_, session) => {
    expect(encoding.encode(session)).toBeUndefined();
  });

  const decodeWith = (base: Session, parts: Partial<Go121Session>) =>
    encoding.decode(go121Session.encode({ ...fieldsOf(base), ...parts }), placeOf(base));

  it.each<[string, Session, Partial<Go121Session>]>([
    ['a session of a client', smallSession, { type: 'client' }],
    ['an unknown type', smallSession, { type: 3 }],
    ['a flag of 2', smallSession, { extendedMasterSecret: 2 }],
    ['the extended master secret in TLS 1.3', smallTls13Session, { extendedMasterSecret: 'yes' }],
    ['a secret of 47 bytes', smallSession, { secret: new Uint8Array(47).fill(1) }],
    ['P-state-2 a secret of zeros', smallSession, { secret: new Uint8Array(48) }],
    ['half a group', smallSession, { later: fromHex('00') }],
    ['TLS 1.1', smallSession, { version: 'TLSv1.1' }],
  ])('reads no session in %s', (_, base, parts) => {
    expect(decodeWith(base, parts)).toBeUndefined();
  });

  it('passes over what later versions add, and what applications do', () => {
    const parts = { extra: [ascii('anything')], later: fromHex('001d00112233') };
    expect(sessionIn(decodeWith(smallSession, parts))).toMatchObject({ group: 'x25519' });
    expect(sessionIn(decodeWith(smallTls13Session, parts)).version).toBe('TLSv1.3');
    const early = {
      earlyData: 'yes',
      state: { certificateList: [], verifiedChains: [], alpnProtocol: ascii('h3') },
    } as const;
    expect(sessionIn(decodeWith(smallTls13Session, { client: early }))).toMatchObject({
      alpnProtocol: 'h3',
      maxEarlyDataSize: 0,
    });
  });

  it('damaged: no throw, and nothing that is no session', () => {
    for (const session of [{ ...fullTls13Session }, { ...fullSession }]) {
      const of = go121State(trusting);
      expectNoHarm(go121Session, of, encoded(of.encode(session)), placeOf(session));
    }
  });

  it('wants a lifetime that there can be', () => {
    expect(misuse(() => go121State({ lifetime: 604_801 }))).toBe('invalid_option');
    expect(misuse(() => go120State({ lifetime: 0, crypto: backends[0]! }))).toBe('invalid_option');
  });
});
