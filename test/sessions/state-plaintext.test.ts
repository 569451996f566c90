import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import { DecodeError } from '../../src/errors.js';
import { rfc5077State, statePlaintext, type StatePlaintext } from '../../src/sessions/state-plaintext.js';
import type { Tls12Session } from '../../src/sessions/session.js';
import { anyTls12Session, fullSession, masterSecret, pskSession, smallSession, smallTls13Session } from './sessions.js';

const secretHex = toHex(masterSecret);

const anonymous: StatePlaintext = {
  protocolVersion: 'TLSv1.2',
  cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  compressionMethod: 'null',
  masterSecret,
  clientIdentity: { clientAuthenticationType: 'anonymous', identity: {} },
  timestamp: 0x65535f00,
};
const anonymousHex = `0303c02b00${secretHex}0065535f00`;

/** What StatePlaintext has room for. */
const legacySession: Tls12Session = {
  ...smallSession,
  extendedMasterSecret: false,
  establishedAt: 0x65535f00 * 1000,
  issuedAt: 0x65535f00 * 1000,
};

describe('statePlaintext', () => {
  it.each<[string, StatePlaintext, string]>([
    ['anonymous', anonymous, anonymousHex],
    [
      'certificate_based',
      {
        ...anonymous,
        clientIdentity: {
          clientAuthenticationType: 'certificate_based',
          identity: [fromHex('3003020101'), fromHex('30030201ff')],
        },
      },
      `0303c02b00${secretHex}01000010000005300302010100000530030201ff65535f00`,
    ],
    [
      'certificate_based without certificates',
      { ...anonymous, clientIdentity: { clientAuthenticationType: 'certificate_based', identity: [] } },
      `0303c02b00${secretHex}0100000065535f00`,
    ],
    [
      'psk',
      { ...anonymous, clientIdentity: { clientAuthenticationType: 'psk', identity: fromHex('436c69656e74') } },
      `0303c02b00${secretHex}020006436c69656e7465535f00`,
    ],
    [
      'values without a name',
      { ...anonymous, protocolVersion: 0x0305, cipherSuite: 0x0a0a, compressionMethod: 64 },
      `03050a0a40${secretHex}0065535f00`,
    ],
  ])('R5077-4-3 %s: the bytes of RFC 5077 section 4', (_, state, hex) => {
    expect(toHex(statePlaintext.encode(state))).toBe(hex);
    expect(statePlaintext.decode(fromHex(hex))).toEqual(state);
  });

  it('refuses trailing bytes, and every strict prefix', () => {
    const codeOf = (bytes: Uint8Array) => {
      try {
        statePlaintext.decode(bytes);
        return 'decoded';
      } catch (error) {
        return error instanceof DecodeError ? error.code : 'another error';
      }
    };
    const bytes = fromHex(anonymousHex);
    expect(codeOf(concat(bytes, fromHex('00')))).toBe('trailing_bytes');
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(bytes.subarray(0, length))).toBe('truncated');
    }
    expect(codeOf(fromHex(`0303c02b00${secretHex}0365535f00`))).toBe('value_out_of_range');
    expect(codeOf(fromHex(`0303c02b00${secretHex}0100000300000065535f00`))).toBe('length_out_of_range');
  });
});

describe('rfc5077State', () => {
  it('carries a session without extended master secret, names and context, both ways', () => {
    const withCertificates = { ...legacySession, peerCertificates: fullSession.peerCertificates };
    const { cipherSuite, externalPskIdentity } = pskSession;
    const withPsk = { ...legacySession, cipherSuite, externalPskIdentity: externalPskIdentity! };
    for (const session of [legacySession, withCertificates, withPsk]) {
      const encoded = rfc5077State.encode(session);
      expect(encoded && rfc5077State.decode(encoded)).toEqual(session);
    }
    expect(toHex(rfc5077State.encode(legacySession) ?? new Uint8Array(0))).toBe(anonymousHex);
  });

  it.each<[string, Partial<Tls12Session>]>([
    ['R7627-5.4-1 the extended master secret', { extendedMasterSecret: true }],
    ['P-bind-1 a server name', { serverName: 'example.test' }],
    ['an ALPN protocol', { alpnProtocol: 'h2' }],
    ['P-bind-1 an application context', { applicationContext: fromHex('01') }],
  ])('does not write down a session that it would strip of %s', (_, part) => {
    expect(rfc5077State.encode({ ...legacySession, ...part })).toBeUndefined();
  });

  it('P-bind-9 writes no session of TLS 1.3 down', () => {
    expect(rfc5077State.encode(smallTls13Session)).toBeUndefined();
  });

  it('has room for seconds only, and takes the full handshake for the time of issue', () => {
    const encoded = rfc5077State.encode({ ...legacySession, establishedAt: 5999, issuedAt: 9000 });
    expect(encoded && rfc5077State.decode(encoded)).toMatchObject({ establishedAt: 5000, issuedAt: 5000 });
  });

  it.each([
    ['trailing bytes', `${anonymousHex}00`],
    ['an unknown version', `0305c02b00${secretHex}0065535f00`],
    ['TLS 1.1', `0302c02b00${secretHex}0065535f00`],
    ['TLS 1.3', `0304c02b00${secretHex}0065535f00`],
    ['compression', `0303c02b01${secretHex}0065535f00`],
    ['a suite that is not spoken here', `0303002f00${secretHex}0065535f00`],
    ['a client known by a PSK, with a suite of certificates', `0303c02b00${secretHex}02000161` + '65535f00'],
    ['a client without a PSK, with a suite for them', `0303ccac00${secretHex}0065535f00`],
    ['P-state-2 a master secret of zeros', `0303c02b00${'00'.repeat(48)}0065535f00`],
  ])('refuses %s', (_, hex) => {
    expect(rfc5077State.decode(fromHex(hex))).toBeUndefined();
  });

  it('any session: comes back as it was but for times, group and signature scheme, or is not written down', () => {
    fc.assert(
      fc.property(anyTls12Session, (session) => {
        const at = session.establishedAt % (2 ** 32 * 1000);
        const encoded = rfc5077State.encode({ ...session, establishedAt: at });
        if (encoded === undefined) return;
        const seconds = Math.floor(at / 1000) * 1000;
        const { group: _group, peerSignatureScheme: _scheme, ...kept } = session;
        expect(rfc5077State.decode(encoded)).toEqual({ ...kept, establishedAt: seconds, issuedAt: seconds });
      }),
    );
  });

  it('any bytes: never a throw, and what decodes encodes to the same bytes', () => {
    const base = fromHex(anonymousHex);
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 3 }), (at, byte, tail) => {
        const bytes = concat(base, tail);
        bytes[at] = byte;
        const session = rfc5077State.decode(bytes.slice());
        if (session !== undefined) expect(rfc5077State.encode(session)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
