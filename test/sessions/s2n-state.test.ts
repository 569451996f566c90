import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../src/bytes.js';
import { cipherSuites } from '../../src/parameters.js';
import type { ForeignStateProfile } from '../../src/sessions/foreign-state.js';
import { s2nSession, type S2nSession } from '../../src/sessions/s2n-session.js';
import { s2nState } from '../../src/sessions/s2n-state.js';
import { secretOf, type Session } from '../../src/sessions/session.js';
import { misuse } from '../support/decoding.js';
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
} from './foreign.js';
import { anySession, fullSession, smallSession, smallTls13Session } from './sessions.js';

const profile: ForeignStateProfile = { lifetime: 54_000, serverNamesOfUnnamedStates: ['a.test'] };
const encoding = s2nState(profile);
const samples = samplesOf('s2n');

/** In the words of the samples, whose times JSON has rounded. */
function inTheirWords({ format, state }: S2nSession): Record<string, unknown> {
  const common = {
    format: { tls12_1: 1, tls13_1: 2, tls12_2: 3, tls12_3: 4 }[format],
    protocol: { 'TLSv1.2': 33, 'TLSv1.3': 34 }[String(state.protocolVersion)],
    cipher: numberIn(cipherSuites, state.cipherSuite).toString(16).padStart(4, '0'),
    issued_ns: Number(state.issuedAt),
  };
  if ('psk' in state)
    return {
      ...common,
      age_add: state.ticketAgeAdd,
      psk: toHex(state.psk),
      keying_material_expiration_ns: Number(state.keyingMaterialExpiration),
      max_early_data: state.maxEarlyDataSize,
    };
  return {
    ...common,
    master_secret: toHex(state.masterSecret),
    ems: 'extendedMasterSecret' in state ? state.extendedMasterSecret : undefined,
  };
}

describe('s2nSession', () => {
  it.each(samples)('%s: says what the server said, and is written to the same bytes', (_, sample) => {
    const session = s2nSession.decode(fromHex(sample.plaintextHex));
    expect(inTheirWords(session)).toEqual(sample.decodedFields);
    expect(toHex(s2nSession.encode(session))).toBe(sample.plaintextHex);
  });

  it('knows the formats before 4, the first of which had no extended master secret', () => {
    const [, { plaintextHex }] = samplesOf('s2n-tls12')[0]!;
    const decode = (state: string) => sessionIn(encoding.decode(fromHex(state), place()));
    expect(decode(plaintextHex)).toMatchObject({ extendedMasterSecret: true });
    expect(decode(`03${plaintextHex.slice(2)}`)).toMatchObject({ extendedMasterSecret: true });
    expect(decode(`01${plaintextHex.slice(2, -2)}`)).toMatchObject({ extendedMasterSecret: false });
    expect(encoding.decode(fromHex(`05${plaintextHex.slice(2)}`), place())).toBeUndefined();
    expect(encoding.decode(fromHex(`01${plaintextHex.slice(2)}`), place())).toBeUndefined();
    expect(encoding.decode(fromHex(`${plaintextHex.slice(0, -2)}02`), place())).toBeUndefined();
  });
});

describe('s2nState', () => {
  it.each(samples)('reads %s', (name, sample) => {
    const session = sessionIn(encoding.decode(fromHex(sample.plaintextHex), place()));
    expect(session.version).toBe(`TLSv${sample.tlsVersion}`);
    expect(toHex(secretOf(session).slice())).toBe(sample.masterSecretOrPskHex);
    const issuedAt = Math.floor(Number(BigInt(`0x${sample.plaintextHex.slice(8, 24)}`) / 1_000_000n));
    expect(session).toMatchObject({ issuedAt, serverName: 'a.test', applicationContext });
    if (session.version === 'TLSv1.2') return;
    expect(session).toMatchObject({ ticketAgeAdd: sample.decodedFields.age_add, maxEarlyDataSize: 0 });
    // The one that was made by hand counts an hour of the full handshake's seven days.
    if (name.endsWith('minted'))
      expect([session.ticketLifetime, issuedAt - session.establishedAt]).toEqual([3600, 601_200_000]);
    else expect([session.ticketLifetime, session.establishedAt]).toEqual([54_000, issuedAt]);
  });

  it('writes format 4 of TLS 1.2 and 2 of TLS 1.3', () => {
    expect(toHex(encoded(encoding.encode(smallSession)))).toBe(
      `04 21 c02b ${nanoseconds(smallSession.establishedAt)} ${toHex(smallSession.masterSecret)} 01`.replaceAll(
        ' ',
        '',
      ),
    );
    const expiration = nanoseconds(smallTls13Session.establishedAt + 604_800_000);
    const tls13 = `02 22 1301 ${nanoseconds(smallTls13Session.issuedAt)} fedcba98 20${toHex(smallTls13Session.psk)} ${expiration}`;
    expect(toHex(encoded(encoding.encode({ ...smallTls13Session, maxEarlyDataSize: 0 })))).toBe(
      `${tls13}00000000`.replaceAll(' ', ''),
    );
    expect(toHex(encoded(encoding.encode({ ...smallTls13Session, alpnProtocol: 'h2' })))).toBe(
      `${tls13}00004000 02 6832 0000`.replaceAll(' ', ''),
    );
  });

  it('any session: comes back as it was but for what the encoding lacks, or is not written', () => {
    let written = 0;
    fc.assert(
      fc.property(anySession.map(asServersMakeIt), fc.boolean(), ({ serverName: _name, ...nameless }, named) => {
        const session: Session = { ...nameless, ...(named && { serverName: 'a.test' }) };
        const state = encoding.encode(session);
        if (state === undefined) return;
        written++;
        const { establishedAt, issuedAt } = session;
        const { peerSignatureScheme: _scheme, alpnProtocol, ...kept } = session;
        const left = 604_800 - Math.ceil((issuedAt - establishedAt) / 1000);
        const lost =
          session.version === 'TLSv1.2'
            ? { group: undefined, issuedAt: establishedAt }
            : {
                ticketLifetime: Math.min(54_000, left),
                alpnProtocol: session.maxEarlyDataSize === 0 ? undefined : alpnProtocol,
              };
        const now = session.version === 'TLSv1.2' ? establishedAt : issuedAt;
        expect(encoding.decode(state, place({ serverName: session.serverName, now }))).toEqual({ ...kept, ...lost });
      }),
      { numRuns: 500 },
    );
    expect(written).toBeGreaterThan(5);
  });

  it.each<[string, Session]>([
    ['a client certificate, for which there is no room', fullSession],
    ['a name that is none of the profile', { ...smallSession, serverName: 'b.test' }],
    ['an external PSK', { ...smallTls13Session, externalPskIdentity: ascii('identity') }],
    ['QUIC', { ...smallTls13Session, transport: 'quic' }],
    ['other names', { ...smallTls13Session, resumableAcrossNames: true }],
    [
      'R8446-4.6.1-15 seven days ago',
      { ...smallTls13Session, establishedAt: smallTls13Session.issuedAt - 604_800_000 },
    ],
  ])('writes no session of %s', (_, session) => {
    expect(s2nState({ ...profile, trustClientCertificatesInTickets: true }).encode(session)).toBeUndefined();
  });

  type Tls13State = Extract<S2nSession, { readonly format: 'tls13_1' }>['state'];
  const decodeWith = (parts: Partial<Tls13State>, now = smallTls13Session.issuedAt) => {
    const session = s2nSession.decode(encoded(encoding.encode({ ...smallTls13Session, maxEarlyDataSize: 0 })));
    if (session.format !== 'tls13_1') throw new Error(`got ${session.format}`);
    return encoding.decode(s2nSession.encode({ ...session, state: { ...session.state, ...parts } }), {
      ...placeOf(smallTls13Session),
      now,
    });
  };
  const at = (milliseconds: number) => BigInt(smallTls13Session.issuedAt + milliseconds) * 1_000_000n;

  it.each<[string, Partial<Tls13State>, unknown]>([
    ['the version of the other', { protocolVersion: 'TLSv1.2' }, undefined],
    ['early data of no size', { earlyData: { alpnProtocol: ascii('h2'), context: new Uint8Array(0) } }, undefined],
    ['a size and no early data', { maxEarlyDataSize: 1 }, undefined],
    ['a suite of TLS 1.2', { cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' }, undefined],
    ['a PSK of another length', { psk: new Uint8Array(48).fill(1) }, undefined],
    ['P-state-2 a PSK of zeros', { psk: new Uint8Array(32) }, undefined],
    ['an age of more than the lifetime', { issuedAt: at(-54_000_001) }, 'expired'],
    ['61 seconds ahead', { issuedAt: at(61_000) }, 'too_old'],
    ['a handshake that counts no longer', { keyingMaterialExpiration: at(0) }, 'expired'],
  ])('answers %s', (_, parts, expected) => {
    expect(decodeWith(parts)).toBe(expected);
    expect(sessionIn(decodeWith({})).version).toBe('TLSv1.3');
  });

  it.each([
    ['', 0x4000],
    ['of the application', 0],
  ])('takes no early data where the context %j is another than ours', (context, maxEarlyDataSize) => {
    const earlyData = { alpnProtocol: ascii('h2'), context: ascii(context) };
    expect(decodeWith({ maxEarlyDataSize: 0x4000, earlyData })).toMatchObject({ maxEarlyDataSize });
  });

  it.each(samples)('%s, damaged: no throw, and nothing that is no session', (_, { plaintextHex }) => {
    expectNoHarm(s2nSession, encoding, fromHex(plaintextHex));
  });

  it('with early data, damaged: no throw, and nothing that is no session', () => {
    const session: Session = { ...smallTls13Session, alpnProtocol: 'h2' };
    const state = encoded(encoding.encode(session));
    expectNoHarm(s2nSession, encoding, state, placeOf(session));
    expect(encoding.decode(concat(state, new Uint8Array(1)), placeOf(session))).toBeUndefined();
  });

  it('wants a lifetime that there can be', () => {
    expect(misuse(() => s2nState({ lifetime: 604_801 }))).toBe('invalid_option');
  });
});

function nanoseconds(milliseconds: number): string {
  return (BigInt(milliseconds) * 1_000_000n).toString(16).padStart(16, '0');
}
