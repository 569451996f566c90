import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/bytes.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { resumptionPsk } from '../../../src/key-schedule/tls13.js';
import { cipherSuites, namedGroups } from '../../../src/parameters.js';
import { readWolfsslState } from '../../../src/sessions/foreign/wolfssl.js';
import { expectReadSafely, numberIn, samplesOf } from '../foreign.js';

const samples = samplesOf('wolfssl55');

describe('readWolfsslState', () => {
  it.each(samples)('%s: says what the server said', (_, { plaintextHex, decodedFields, masterSecretOrPskHex }) => {
    const state = readWolfsslState(fromHex(plaintextHex))!;
    const isTls12 = state.version === 'TLSv1.2';
    const { timestamp_raw: raw, nonce: _nonce, version: _version, ...fields } = decodedFields;
    expect({
      cipher: numberIn(cipherSuites, state.cipherSuite).toString(16),
      secret_field: toHex(state.secret),
      ems: state.extendedMasterSecret,
      age_add: state.ticketAgeAdd,
      named_group: numberIn(namedGroups, state.group),
      nonce_len: state.ticketNonce.length,
      id: toHex(state.sessionId),
    }).toEqual(fields);
    expect(state.issuedAt.toString(16).padStart(16, '0')).toBe(
      isTls12 ? (0x6b016825 * 1000).toString(16).padStart(16, '0') : raw,
    );
    const { secret, ticketNonce } = state;
    const key = isTls12 ? secret : resumptionPsk(nodeCrypto, 'sha256', secret.subarray(0, 32), ticketNonce);
    expect(toHex(key)).toBe(masterSecretOrPskHex);
  });

  it.each(samples)('%s, damaged: no throw', (_, { plaintextHex }) => {
    expectReadSafely(readWolfsslState, fromHex(plaintextHex));
  });

  it.each([
    ['TLS 1.1', 0, '0302'],
    ['a flag of 2', 60, '02'],
    ['a nonce of 9 bytes', 67, '09'],
  ])('%s is nothing', (_, at, hex) => {
    const bytes = fromHex(samples[1]![1].plaintextHex);
    bytes.set(fromHex(hex), at);
    expect(readWolfsslState(bytes)).toBeUndefined();
  });
});
