import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/bytes.js';
import { cipherSuites, protocolVersions, signatureSchemes } from '../../../src/parameters.js';
import { type JsseState, readJsse17State, readJsse25State } from '../../../src/sessions/foreign/jsse.js';
import { expectReadSafely, numberIn, samplesOf } from '../foreign.js';

const hex16 = (table: Readonly<Record<string, number>>, value: string | number) =>
  numberIn(table, value).toString(16).padStart(4, '0');

/** In the words of the samples of Java 25. */
function inTheirWords(state: JsseState): Record<string, unknown> {
  return {
    version: hex16(protocolVersions, state.version),
    cipher: hex16(cipherSuites, state.cipherSuite),
    local_sigalgs: state.localSignatureSchemes.map((scheme) => hex16(jsseSchemes, scheme)),
    secret: toHex(state.secret),
    ...(state.version === 'TLSv1.2' && { ems: Number(state.extendedMasterSecret) }),
    endpoint_id: state.endpointIdentification,
    sni: state.serverNameIndication,
    requested_names: state.requestedServerNames,
    max_packet: state.maximumPacketSize,
    max_frag: state.maximumFragmentLength.toString(16),
    creation_ms: state.createdAt,
    peer_host: state.peerHost,
    peer_port: state.peerPort,
    peer_certs: state.peerCertificates.map(toHex),
    local_certs: state.localCertificateChecksums.map(({ algorithm, checksum }) => [
      algorithm,
      checksum.toString(16).padStart(8, '0'),
    ]),
  };
}
const jsseSchemes: Readonly<Record<string, number>> = signatureSchemes;

describe('readJsse25State', () => {
  it.each(samplesOf('jsse25'))('%s: says what the server said', (_, sample) => {
    const state = readJsse25State(fromHex(sample.plaintextHex))!;
    expect(inTheirWords(state)).toEqual(sample.decodedFields);
    expect(toHex(state.secret)).toBe(sample.masterSecretOrPskHex);
    expect(readJsse17State(fromHex(sample.plaintextHex))).toBeUndefined();
  });

  it.each(samplesOf('jsse25'))('%s, damaged: no throw', (_, { plaintextHex }) => {
    expectReadSafely(readJsse25State, fromHex(plaintextHex));
  });
});

describe('readJsse17State', () => {
  it.each(samplesOf('jsse17'))('%s: says what the server said, and has its certificate', (_, sample) => {
    const bytes = fromHex(sample.plaintextHex);
    const state = readJsse17State(bytes)!;
    expect(hex16(protocolVersions, state.version)).toBe(sample.decodedFields.version);
    expect(hex16(cipherSuites, state.cipherSuite)).toBe(sample.decodedFields.cipher);
    expect(state.secret.byteOffset - bytes.byteOffset).toBe(sample.decodedFields.secret_offset);
    expect(toHex(state.secret)).toBe(sample.masterSecretOrPskHex);
    expect(state).toMatchObject({
      extendedMasterSecret: state.version === 'TLSv1.2',
      requestedServerNames: ['a.test'],
      peerHost: '127.0.0.1',
      peerCertificates: [],
      localCertificateChecksums: [],
    });
    expect([state.pskIdentity.length, state.localCertificates.length]).toEqual([32, 1]);
    expect(toHex(state.localCertificates[0]!)).toMatch(/^3082011c3081c3.*612e74657374/);
    expect(new Date(state.createdAt).getUTCFullYear()).toBe(2026);
    expect(readJsse25State(bytes)).toBeUndefined();
  });

  it.each(samplesOf('jsse17'))('%s, damaged: no throw', (_, { plaintextHex }) => {
    expectReadSafely(readJsse17State, fromHex(plaintextHex));
  });
});
