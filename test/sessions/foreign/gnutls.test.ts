import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../../src/bytes.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { resumptionPsk } from '../../../src/key-schedule/tls13.js';
import { cipherSuites } from '../../../src/parameters.js';
import { type GnutlsSession, readGnutlsState } from '../../../src/sessions/foreign/gnutls.js';
import { expectReadSafely, numberIn, samplesOf } from '../foreign.js';

/** In the words of the samples. */
function inTheirWords(session: GnutlsSession): Record<string, unknown> {
  const { securityParameters: parameters, tls12 } = session;
  return {
    library_version: session.libraryVersion
      .split('.')
      .map((part) => part.padStart(2, '0'))
      .join(''),
    timestamp: session.timestamp,
    expire_time: session.expireTime,
    cred_type: session.credentialsType,
    auth_info: toHex(session.authenticationInfo),
    entity: parameters.entity,
    prf_mac_id: parameters.prf,
    client_auth: parameters.clientAuthentication,
    server_auth: parameters.serverAuthentication,
    session_id: toHex(parameters.sessionId.subarray(0, parameters.sessionIdLength)),
    version_id: parameters.version,
    client_ctype: parameters.clientCertificateType,
    server_ctype: parameters.serverCertificateType,
    cipher: numberIn(cipherSuites, parameters.cipherSuite).toString(16),
    ...(tls12 && {
      master_secret: toHex(tls12.masterSecret),
      client_random: toHex(tls12.clientRandom),
      server_random: toHex(tls12.serverRandom),
    }),
    security_tail: toHex(tls12?.later ?? parameters.later),
  };
}

const samples = samplesOf('gnutls');

describe('readGnutlsState', () => {
  it.each(samples)('%s: says what the server said', (_, sample) => {
    const { session, ticket } = readGnutlsState(fromHex(sample.plaintextHex))!;
    if (ticket === undefined) {
      const { magic: _magic, ...fields } = sample.decodedFields;
      expect(inTheirWords(session)).toEqual(fields);
      expect(toHex(session.tls12!.masterSecret)).toBe(sample.masterSecretOrPskHex);
      return;
    }
    const { session: inner, ...outer } = sample.decodedFields;
    const { magic: _magic, ...fields } = inner as Record<string, unknown>;
    expect(inTheirWords(session)).toEqual(fields);
    expect({
      prf_mac_id: ticket.prf,
      age_add: ticket.ticketAgeAdd,
      lifetime: ticket.ticketLifetime,
      resumption_master_secret: toHex(ticket.resumptionMasterSecret),
      nonce: toHex(ticket.ticketNonce),
      creation_sec: Number(ticket.creationSeconds),
      creation_nsec: ticket.creationNanoseconds,
    }).toEqual(outer);
    const psk = resumptionPsk(nodeCrypto, 'sha384', ticket.resumptionMasterSecret, ticket.ticketNonce);
    expect(toHex(psk)).toBe(sample.masterSecretOrPskHex);
  });

  it.each(samples)('%s, damaged: no throw', (_, { plaintextHex }) => {
    expectReadSafely(readGnutlsState, fromHex(plaintextHex));
  });

  it('no padding but that of the ticket', () => {
    const tls13 = fromHex(samplesOf('gnutls-tls13')[0]![1].plaintextHex);
    expect(readGnutlsState(concat(tls13, new Uint8Array(16)))).toBeUndefined();
    expect(readGnutlsState(concat(tls13.subarray(0, -1), Uint8Array.of(1)))).toBeUndefined();
  });
});
