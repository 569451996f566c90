import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import { namedGroups } from '../../src/parameters.js';
import { boringsslSession, sslSessionDialects, type BoringsslSession } from '../../src/sessions/boringssl-session.js';
import { refusal } from '../support/decoding.js';
import { inTheirWords, numberIn, opensslSamples, samplesOf } from './foreign.js';

const samples = samplesOf('boringssl');

/** The fields that are BoringSSL's own. */
const boringsslWords = (session: BoringsslSession) => ({
  secret: toHex(session.secret),
  extended_master_secret: session.extendedMasterSecret,
  group_id: session.group && numberIn(namedGroups, session.group),
  age_add: session.ticketAgeAdd?.toString(16).padStart(8, '0'),
  auth_timeout: session.authenticationTimeout,
});

/** Every field that there is. */
const everything: BoringsslSession = {
  structureVersion: 1,
  protocolVersion: 'TLSv1.3',
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  sessionId: new Uint8Array(32).fill(1),
  secret: new Uint8Array(32).fill(2),
  time: 1_700_000_000,
  timeout: 7200,
  peerCertificate: fromHex('3003020101'),
  sessionIdContext: ascii('context'),
  verifyResult: 20,
  hostName: 'example.test',
  pskIdentity: ascii('identity'),
  ticketLifetimeHint: 300,
  ticket: new Uint8Array(300).fill(4),
  peerSha256: new Uint8Array(32).fill(5),
  originalHandshakeHash: new Uint8Array(32).fill(6),
  signedCertificateTimestamps: ascii('timestamps'),
  ocspResponse: ascii('response'),
  extendedMasterSecret: true,
  group: 'X25519MLKEM768',
  certificateChain: [fromHex('3003020102'), fromHex('3000')],
  ticketAgeAdd: 0xfedcba98,
  isServer: false,
  peerSignatureScheme: 'ecdsa_secp256r1_sha256',
  maxEarlyDataSize: 16384,
  authenticationTimeout: 604_800,
  alpnProtocol: 'h2',
  isQuic: true,
  quicEarlyDataContext: ascii('parameters'),
  localApplicationSettings: ascii('ours'),
  peerApplicationSettings: ascii('theirs'),
  isResumableAcrossNames: true,
  peerCertificateType: 2,
  peerRawPublicKey: fromHex('3000'),
};

describe('boringsslSession', () => {
  it.each(samples)('%s: says what the server said, and is written to the same bytes', (_, sample) => {
    const session = boringsslSession.decode(fromHex(sample.plaintextHex));
    expect(inTheirWords(session, boringsslWords(session))).toEqual(sample.decodedFields);
    expect(toHex(boringsslSession.encode(session))).toBe(sample.plaintextHex);
  });

  it('has all fields of BoringSSL, those from 31 on with tags of two bytes', () => {
    const bytes = boringsslSession.encode(everything);
    expect(boringsslSession.decode(bytes)).toEqual(everything);
    expect(toHex(bytes).replace(/(04){300}/, '(ticket)')).toMatchInlineSnapshot(
      `"3082029c02010102020304040213010420010101010101010101010101010101010101010101010101010101010101010104200202020202020202020202020202020202020202020202020202020202020202a10602046553f100a20402021c20a3053003020101a4090407636f6e74657874a503020114a60e040c6578616d706c652e74657374a80a04086964656e74697479a9040202012caa8201300482012c(ticket)ad2204200505050505050505050505050505050505050505050505050505050505050505ae2204200606060606060606060606060606060606060606060606060606060606060606af0c040a74696d657374616d7073b00a0408726573706f6e7365b1030101ffb204020211ecb30730030201023000b5060404fedcba98b603010100b70402020403b80402024000b9050203093a80ba0404026832bb030101ffbc0c040a706172616d6574657273bd0604046f757273be080406746865697273bf1f030101ffbf2003020102bf21023000"`,
    );
    expect(toHex(bytes.subarray(-17))).toBe('bf1f030101ffbf2003020102bf21023000');
  });

  const fields = '020101 02020303 0402c02c 0400 0400 a103020101 a203020102'.replaceAll(' ', '');
  const whole = (rest: string) => `30${(25 + rest.length / 2).toString(16).padStart(2, '0')}${fields}${rest}`;

  it.each([
    ['the smallest', whole(''), 'decoded'],
    ['without a time', '300f 020101 02020303 0402c02c 0400 0400', 'truncated time @17'],
    ["OpenSSL's extended master secret", whole('ad03020101'), 'value_out_of_range peerSha256 @29'],
    ["OpenSSL's age_add", whole('ae03020101'), 'value_out_of_range originalHandshakeHash @29'],
    ["OpenSSL's group", whole('b30302011d'), 'value_out_of_range certificateChain @29'],
    ['an age_add of 5 bytes', whole('b50704050000000001'), 'trailing_bytes ticketAgeAdd @35'],
    ['a digest of 31 bytes', whole(`ad21041f${'01'.repeat(31)}`), 'length_out_of_range peerSha256 @31'],
    ['a chain of none', whole('b300'), 'truncated certificateChain @29'],
    ['an unknown tag', whole('b403020101'), 'trailing_bytes  @27'],
    ['a default that is written', whole('bf2003020100'), 'value_out_of_range peerCertificateType @32'],
    [
      'a secret of 49 bytes',
      `304a 020101 02020303 0402c02c 0400 0431${'01'.repeat(49)} a103020101 a203020102`,
      'length_out_of_range secret @17',
    ],
  ])('%s: %s', (_, bytes, expected) => {
    expect(refusal(boringsslSession, bytes)).toBe(expected);
  });
});

describe('sslSessionDialects', () => {
  it.each(samples)('%s is of BoringSSL', (_, sample) => {
    expect(sslSessionDialects(fromHex(sample.plaintextHex))).toEqual(['boringssl']);
  });

  it('tickets of OpenSSL are of OpenSSL', () => {
    const dialects = opensslSamples().map(([, { plaintextHex }]) => sslSessionDialects(fromHex(plaintextHex)));
    expect(new Set(dialects.map(String))).toEqual(new Set(['openssl']));
  });

  it('where nothing differs both read, and nobody what is no DER', () => {
    const neutral = fromHex('30190201010202030304 02c02c0400 0400 a103020101 a203020102'.replaceAll(' ', ''));
    expect(sslSessionDialects(neutral)).toEqual(['openssl', 'boringssl']);
    expect(sslSessionDialects(neutral.subarray(1))).toEqual([]);
  });
});
