import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/bytes.js';
import { cipherSuites } from '../../../src/parameters.js';
import { readMbedtlsState } from '../../../src/sessions/foreign/mbedtls.js';
import { expectReadSafely, numberIn, samplesOf } from '../foreign.js';

const [[, sample]] = samplesOf('mbedtls228') as [ReturnType<typeof samplesOf>[number]];

describe('readMbedtlsState', () => {
  it('says what the server said', () => {
    const state = readMbedtlsState(fromHex(sample.plaintextHex))!;
    expect({
      library: [state.major, state.minor, state.patch].join('.'),
      config_flags: state.buildOptions.toString(16).padStart(4, '0'),
      start: Number(state.start),
      cipher: numberIn(cipherSuites, state.cipherSuite).toString(16),
      compression: state.compressionMethod,
      session_id: toHex(state.sessionId.subarray(0, state.sessionIdLength)),
      master_secret: toHex(state.masterSecret),
      verify_result: state.verifyResult,
      peer_cert: toHex(state.peerCertificate),
      tail: toHex(state.later),
    }).toEqual(sample.decodedFields);
  });

  it('damaged: no throw, and nothing of mbed TLS 3', () => {
    expectReadSafely(readMbedtlsState, fromHex(sample.plaintextHex));
    expect(readMbedtlsState(fromHex(`03${sample.plaintextHex.slice(2)}`))).toBeUndefined();
  });
});
