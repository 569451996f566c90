import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import type { ResumptionPlace, Session, SessionEncoding } from '../../src/sessions/session.js';
import { clientSessionState, isClientState, sessionState } from '../../src/sessions/session-state.js';
import {
  anyClientSession,
  anySession,
  clientSession,
  clientTls13Session,
  fullSession,
  fullTls13Session,
  masterSecret,
  psk,
  pskSession,
  smallSession,
  smallTls13Session,
} from './sessions.js';

/** An independent CRC: the bitwise definition. */
function crc32(bytes: Uint8Array): string {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xedb88320n : crc >> 1n;
  }
  return (crc ^ 0xffffffffn).toString(16).padStart(8, '0');
}

const nowhere: ResumptionPlace = { serverName: undefined, applicationContext: new Uint8Array(0), now: 0 };

const checksummed = (state: Uint8Array) => concat(state, fromHex(crc32(state)));

/** What sessions of both versions have at the end. */
const facts = [
  '0000018bcfe5687b', // 1700000000123
  '0000018bcfe6f068', // 1700000100456
  '000c' + toHex(new TextEncoder().encode('example.test')),
  '02' + '6832',
  '000010' + '000005' + '3003020101' + '000005' + '30030201ff',
  '0003' + 'c0ffee',
  '0804', // rsa_pss_rsae_sha256
  '00', // no client authentication
  '00', // no fingerprint of an external PSK
].join('');

const flipped = (bytes: Uint8Array, bit: number) =>
  bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

describe('sessionState', () => {
  it('R5077-4-3 R7627-5.4-1 holds version, suite, master secret, EMS, times, names, identity and context', () => {
    expect(toHex(sessionState.encode(fullSession))).toBe(
      [
        '01', // format
        '0303',
        'c02b',
        toHex(masterSecret),
        '01', // extended master secret
        '0000', // no external PSK
        '0000', // no group
        facts,
      ].join(''),
    );
  });

  it('takes 86 bytes around the names, certificates and context', () => {
    expect(sessionState.encode(smallSession).length).toBe(86);
  });

  it('the suite tells whether there is a PSK behind it, and an empty identity is one', () => {
    const encoded = sessionState.encode(pskSession);
    expect(toHex(encoded.subarray(53, 58))).toBe('01' + '0002' + '6964');
    expect(sessionState.decode(encoded)).toEqual(pskSession);
    const empty = { ...pskSession, externalPskIdentity: new Uint8Array(0) };
    expect(sessionState.decode(sessionState.encode(empty))).toEqual(empty);
    encoded.set(fromHex('c02b'), 3);
    expect(sessionState.decode(encoded)).toBeUndefined();
  });

  it('round trip: any session', () => {
    fc.assert(
      fc.property(anySession, (session) => {
        expect(sessionState.decode(sessionState.encode(session))).toEqual(session);
      }),
    );
  });

  it('leaves out what only a client keeps', () => {
    expect(sessionState.decode(sessionState.encode(clientSession))).toEqual(fullSession);
  });

  it('P-key-7 keeps the time of the full handshake apart from that of issue', () => {
    const renewed = { ...smallSession, issuedAt: smallSession.issuedAt + 1000 };
    expect(sessionState.decode(sessionState.encode(renewed))).toMatchObject({
      establishedAt: smallSession.establishedAt,
      issuedAt: smallSession.issuedAt + 1000,
    });
  });

  it('drops fractions of a millisecond', () => {
    const encoded = sessionState.encode({ ...smallSession, establishedAt: 5.9 });
    expect(sessionState.decode(encoded)?.establishedAt).toBe(5);
  });

  it('refuses trailing bytes and every strict prefix', () => {
    const encoded = sessionState.encode(fullSession);
    expect(sessionState.decode(concat(encoded, fromHex('00')))).toBeUndefined();
    for (let length = 0; length < encoded.length; length++) {
      expect(sessionState.decode(encoded.subarray(0, length))).toBeUndefined();
    }
  });

  it.each([
    ['another format', 0, '00'],
    ['a format that does not exist yet', 0, '03'],
    ['a client’s session', 0, '02'],
    ['TLS 1.1', 1, '0302'],
    ['P-bind-9 TLS 1.3', 1, '0304'],
    ['a suite of TLS 1.3', 3, '1301'],
    ['a suite without forward secrecy', 3, '002f'],
    ['an unknown suite', 3, 'dada'],
    ['P-state-2 a master secret of zeros', 5, '00'.repeat(48)],
    ['an EMS byte of 2', 53, '02'],
    ['a group without a name', 56, '2a2a'],
    ['a group that TLS 1.2 has not', 56, '11ec'],
    ['a time beyond all dates', 58, '8000000000000000'],
    ['a time of issue beyond all dates', 66, '8000000000000000'],
    ['a signature scheme without a name', -4, '2a2a'],
  ])('refuses %s', (_, offset, hex) => {
    const encoded = sessionState.encode(fullSession);
    encoded.set(fromHex(hex), offset < 0 ? encoded.length + offset : offset);
    expect(sessionState.decode(encoded)).toBeUndefined();
  });

  it('P-bind-9 a session of TLS 1.3 has a layout of its own', () => {
    expect(toHex(sessionState.encode(fullTls13Session))).toBe(
      [
        '01', // format
        '0304',
        '1301',
        '20' + toHex(psk),
        'fedcba98', // ticket_age_add
        '00001c20', // 7200 s
        '00004000', // max_early_data_size
        '00', // tcp
        '0000', // no external PSK
        '00', // no other names
        '00', // no zone
        facts,
      ].join(''),
    );
    expect(sessionState.encode(smallTls13Session).length).toBe(83);
  });

  it.each([
    ['P-bind-9 TLS 1.2', 1, '0303'],
    ['a suite of TLS 1.2', 3, 'c02b'],
    ['a suite that is not spoken here', 3, '1305'],
    ['R8446-4.2.11-5 P-state-2 a PSK shorter than the hash of the suite', 3, '1302'],
    ['P-state-2 a PSK of zeros', 6, '00'.repeat(32)],
    ['R8446-4.6.1-5 a lifetime above 7 days', 42, '00093a81'],
    ['a transport without a name', 50, '02'],
    ['a flag that is neither yes nor no', 53, '02'],
    ['a time beyond all dates', 55, '8000000000000000'],
    ['a time of issue beyond all dates', 63, '8000000000000000'],
    ['a signature scheme without a name', -4, '2a2a'],
  ])('refuses in a session of TLS 1.3 %s', (_, offset, hex) => {
    const encoded = sessionState.encode(fullTls13Session);
    encoded.set(fromHex(hex), offset < 0 ? encoded.length + offset : offset);
    expect(sessionState.decode(encoded)).toBeUndefined();
  });

  it('P-bind-2 remembers the group, names that it may cross to, its zone, and how clients were authenticated', () => {
    const encoded = (session: Session) => toHex(sessionState.encode(session));
    const with12 = { ...fullSession, group: 'secp521r1', clientAuthenticationPolicy: fromHex('ca') } as const;
    expect(encoded(with12)).toBe(
      encoded(fullSession).slice(0, 112) + '0019' + encoded(fullSession).slice(116, -4) + '01ca' + '00',
    );
    expect(sessionState.decode(sessionState.encode(with12))).toEqual(with12);
    const with13 = { ...fullTls13Session, resumableAcrossNames: true, zone: 'eu' } as const;
    const plain = encoded(fullTls13Session);
    expect(encoded(with13)).toBe(plain.slice(0, 106) + '01' + '02' + '6575' + plain.slice(110));
    expect(sessionState.decode(sessionState.encode(with13))).toEqual(with13);
  });

  it('P-bind-9 neither encoding reads what the other has written', () => {
    expect(clientSessionState.decode(checksummed(sessionState.encode(fullSession)))).toBeUndefined();
    expect(sessionState.decode(clientSessionState.encode(clientSession))).toBeUndefined();
    expect(isClientState(clientSessionState.encode(clientSession))).toBe(true);
    expect(isClientState(sessionState.encode(fullSession))).toBe(false);
  });

  it('R8446-4.2.11-5 P-state-2 refuses a PSK longer than the hash of the suite', () => {
    for (const cipherSuite of ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'] as const) {
      const encoded = sessionState.encode({ ...smallTls13Session, cipherSuite, psk: masterSecret });
      expect(sessionState.decode(encoded)).toBeUndefined();
    }
    const fitting = { ...smallTls13Session, cipherSuite: 'TLS_AES_256_GCM_SHA384', psk: masterSecret } as const;
    expect(sessionState.decode(sessionState.encode(fitting))).toEqual(fitting);
  });

  it('refuses a name that would come out as another name', () => {
    expect(() => sessionState.encode({ ...smallSession, serverName: 'ex\u0161mple.test' })).toThrow(
      expect.objectContaining({ code: 'value_not_encodable' }),
    );
  });
});

describe('clientSessionState', () => {
  it('round trip: any session of a client', () => {
    fc.assert(
      fc.property(anyClientSession, (session) => {
        expect(clientSessionState.decode(clientSessionState.encode(session))).toEqual(session);
      }),
    );
  });

  it('tells a hint of 0 from no ticket', () => {
    const encode = (session: Partial<typeof clientSession>) =>
      clientSessionState.decode(clientSessionState.encode({ ...fullSession, ...session }));
    expect(encode({ ticket: fromHex('01'), ticketLifetimeHint: 0 })).toEqual({
      ...fullSession,
      ticket: fromHex('01'),
      ticketLifetimeHint: 0,
    });
    expect(encode({ sessionId: fromHex('02') })).toEqual({ ...fullSession, sessionId: fromHex('02') });
  });

  it.each([
    ['TLS 1.2', clientSession],
    ['TLS 1.3', clientTls13Session],
  ])('P-bind-5 %s: no flipped bit, prefix or trailing byte gives a session (CVE-2026-34877)', (_, session) => {
    const encoded = clientSessionState.encode(session);
    for (let bit = 0; bit < encoded.length * 8; bit++) {
      expect(clientSessionState.decode(flipped(encoded, bit))).toBeUndefined();
    }
    for (let length = 0; length < encoded.length; length++) {
      expect(clientSessionState.decode(encoded.subarray(0, length))).toBeUndefined();
    }
    expect(clientSessionState.decode(concat(encoded, fromHex('00')))).toBeUndefined();
  });

  it('refuses a server’s state, and a session ID above 32 bytes', () => {
    expect(clientSessionState.decode(sessionState.encode(fullSession))).toBeUndefined();
    expect(sessionState.decode(clientSessionState.encode(fullSession))).toBeUndefined();
    expect(() => clientSessionState.encode({ ...fullSession, sessionId: new Uint8Array(33) })).toThrow(
      expect.objectContaining({ code: 'value_not_encodable' }),
    );
  });

  it('TLS 1.3: the ticket stands at the end, and there is no session without one', () => {
    const encoded = clientSessionState.encode(clientTls13Session);
    const shared = sessionState.encode(fullTls13Session);
    expect(toHex(encoded.subarray(0, -4))).toBe('02' + toHex(shared.subarray(1)) + '0003' + '71c4e7');
    for (const session of [fullTls13Session, { ...fullTls13Session, ticket: new Uint8Array(2 ** 16) }]) {
      expect(() => clientSessionState.encode(session)).toThrow(
        expect.objectContaining({ code: 'value_not_encodable' }),
      );
    }
  });

  it('P-bind-9 P-state-2 refuses a session of TLS 1.3 that is none, checksum or not', () => {
    const state = clientSessionState.encode(clientTls13Session).slice(0, -4);
    const decode = (changed: Uint8Array) => clientSessionState.decode(checksummed(changed));
    const changedAt = (offset: number, hex: string) => {
      const changed = state.slice();
      changed.set(fromHex(hex), offset);
      return decode(changed);
    };
    expect(decode(state)).toEqual(clientTls13Session);
    expect(changedAt(1, '0303')).toBeUndefined();
    expect(changedAt(3, '1302')).toBeUndefined();
    expect(changedAt(6, '00'.repeat(32))).toBeUndefined();
    expect(changedAt(50, '02')).toBeUndefined();
    const ticketless = concat(state.subarray(0, -5), fromHex('0000'));
    expect(decode(ticketless)).toBeUndefined();
  });

  it.each([
    ['TLS 1.2', clientSession],
    ['TLS 1.3', clientTls13Session],
  ])('%s: what was stapled stands after all else, and only where something was', (_, session) => {
    const state = (client: Session) => toHex(clientSessionState.encode(client).subarray(0, -4));
    const [ocspResponse, signedCertificateTimestamps] = [fromHex('3003020105'), fromHex('0003000151')];
    expect(state({ ...session, ocspResponse })).toBe(state(session) + '000005' + '3003020105' + '0000');
    expect(state({ ...session, ocspResponse, signedCertificateTimestamps })).toBe(
      state(session) + '000005' + '3003020105' + '0005' + '0003000151',
    );
    const decode = (hex: string) => clientSessionState.decode(checksummed(fromHex(hex)));
    expect(decode(state(session) + '000000' + '0005' + '0003000151')).toEqual({
      ...session,
      signedCertificateTimestamps,
    });
    expect(decode(state(session))).toEqual(session);
    expect(decode(state(session) + '000000' + '0000')).toBeUndefined();
    expect(decode(state(session) + '000005' + '3003020105')).toBeUndefined();
    expect(toHex(sessionState.encode({ ...session, ocspResponse }))).toBe(toHex(sessionState.encode(session)));
  });

  it('ends with the CRC-32 of all before it', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe('cbf43926');
    const encoded = clientSessionState.encode(clientSession);
    expect(toHex(encoded.subarray(-4))).toBe(crc32(encoded.subarray(0, -4)));
  });

  it('decodes into arrays of its own', () => {
    const encoded = clientSessionState.encode(clientSession);
    const decoded = clientSessionState.decode(encoded);
    encoded.fill(0);
    expect(decoded).toEqual(clientSession);
  });
});

describe.each<[string, SessionEncoding]>([
  ['sessionState', sessionState],
  ['clientSessionState', clientSessionState],
  // As whoever can write where a client keeps it: the checksum is right.
  [
    'clientSessionState within its checksum',
    {
      encode: (session) => clientSessionState.encode(session).slice(0, -4),
      decode: (bytes) => clientSessionState.decode(checksummed(bytes)),
    },
  ],
])('%s and hostile bytes', (_, encoding) => {
  it.each<[string, Session]>([
    ['TLS 1.2', clientSession],
    ['TLS 1.3', clientTls13Session],
  ])('%s, any bytes: a session that encodes to the same bytes, or undefined, never a throw', (_version, like) => {
    const base = encoding.encode(like) ?? new Uint8Array(0);
    const mutated = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
      const bytes = base.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        const session = encoding.decode(bytes.slice(), nowhere) as Session | undefined;
        if (session !== undefined) expect(encoding.encode(session)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
