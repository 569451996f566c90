import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import { namedGroups } from '../../src/parameters.js';
import { sslSession, type SslSession } from '../../src/sessions/openssl-session.js';
import { refusal } from '../support/decoding.js';
import { inTheirWords, numberIn, opensslSamples } from './foreign.js';

/** The fields that are OpenSSL's own. */
const opensslWords = (session: SslSession) => ({
  master_key: toHex(session.secret),
  peer: session.peerCertificate && toHex(session.peerCertificate),
  verify_result: session.verifyResult,
  hostname: session.hostName,
  flags: session.flags,
  age_add: session.ticketAgeAdd,
  max_early_data: session.maxEarlyDataSize,
  alpn: session.alpnProtocol,
  kex_group: session.group && numberIn(namedGroups, session.group),
});

/** Every field that there is. */
const everything: SslSession = {
  structureVersion: 1,
  protocolVersion: 'TLSv1.3',
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  sessionId: new Uint8Array(32).fill(1),
  secret: new Uint8Array(32).fill(2),
  keyArg: fromHex('03'),
  time: 1_700_000_000,
  timeout: 7200,
  peerCertificate: fromHex('3003020101'),
  sessionIdContext: ascii('context'),
  verifyResult: 20,
  hostName: 'example.test',
  pskIdentityHint: ascii('hint'),
  pskIdentity: ascii('identity'),
  ticketLifetimeHint: 300,
  ticket: new Uint8Array(300).fill(4),
  compressionMethod: fromHex('00'),
  srpUsername: ascii('user'),
  flags: 1,
  ticketAgeAdd: 0xfedcba98,
  maxEarlyDataSize: 16384,
  alpnProtocol: 'h2',
  maxFragmentLength: 1,
  applicationData: ascii('data'),
  group: 0x1000000 + 1034,
  peerRawPublicKey: ascii('key'),
};

describe('sslSession', () => {
  it.each(opensslSamples())('%s: says what the server said, and is written to the same bytes', (_, sample) => {
    const session = sslSession.decode(fromHex(sample.plaintextHex));
    const { cipher_name: _name, ssl_version_hex: _hex, ...fields } = sample.decodedFields;
    expect(inTheirWords(session, opensslWords(session))).toEqual(fields);
    expect(toHex(session.secret)).toBe(sample.masterSecretOrPskHex);
    expect(toHex(sslSession.encode(session))).toBe(sample.plaintextHex);
  });

  it('has all fields of OpenSSL 3.5, in the order of their tags', () => {
    const bytes = sslSession.encode(everything);
    expect(sslSession.decode(bytes)).toEqual(everything);
    expect(toHex(bytes).replace(/(04){300}/, '(ticket)')).toMatchInlineSnapshot(
      `"3082021802010102020304040213010420010101010101010101010101010101010101010101010101010101010101010104200202020202020202020202020202020202020202020202020202020202020202800103a10602046553f100a20402021c20a3053003020101a4090407636f6e74657874a503020114a60e040c6578616d706c652e74657374a706040468696e74a80a04086964656e74697479a9040202012caa8201300482012c(ticket)ab03040100ac06040475736572ad03020101ae07020500fedcba98af0402024000b00404026832b103020101b206040464617461b30602040100040ab40504036b6579"`,
    );
  });

  const fields = '020101 02020303 0402c02c 0400 0400'.replaceAll(' ', '');
  const whole = (rest: string) => `30${(15 + rest.length / 2).toString(16).padStart(2, '0')}${fields}${rest}`;

  it.each([
    ['the five fields alone', whole(''), 'decoded'],
    [
      'another version of the structure',
      whole('').replace('020101', '020102'),
      'value_out_of_range structureVersion @2',
    ],
    [
      'a suite of three bytes, as of SSL 2',
      '3010 020101 02020303 0403c02c00 0400 0400',
      'trailing_bytes cipherSuite @13',
    ],
    ['an unknown tag', whole('b503020101'), 'trailing_bytes  @17'],
    ['tags out of order', whole('a203020101' + 'a103020101'), 'trailing_bytes  @22'],
    ['a tag twice', whole('a103020101' + 'a103020101'), 'trailing_bytes  @22'],
    ['a byte after the end', `${whole('')}00`, 'trailing_bytes  @17'],
    [
      'a session ID of 33 bytes',
      `3030 020101 02020303 0402c02c 0421${'01'.repeat(33)} 0400`,
      'length_out_of_range sessionId @15',
    ],
    ['a context of 33 bytes', `3034 ${fields} a4230421${'01'.repeat(33)}`, 'length_out_of_range sessionIdContext @21'],
    ["BoringSSL's extended master secret", whole('b1030101ff'), 'value_out_of_range maxFragmentLength @19'],
    ["BoringSSL's group", whole('b20302011d'), 'value_out_of_range applicationData @19'],
    ["BoringSSL's age_add", whole('b506040400000001'), 'trailing_bytes  @17'],
    ["BoringSSL's digest of the certificate", whole(`ad220420${'01'.repeat(32)}`), 'value_out_of_range flags @19'],
    ['an age_add of 33 bits', whole('ae0702050100000000'), 'value_out_of_range ticketAgeAdd @21'],
    ['a negative age_add', whole('ae030201ff'), 'value_out_of_range ticketAgeAdd @21'],
    ['a time of 2^53', whole('a109020720000000000000'), 'value_out_of_range time @21'],
    ['a time before 1970', whole('a1030201ff'), 'decoded'],
  ])('%s: %s', (_, bytes, expected) => {
    expect(refusal(sslSession, bytes)).toBe(expected);
  });
});
