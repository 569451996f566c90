/**
 * s2n-tls pull request 6103, Project Oak issue 5167: resumption went on although the server demands client certificates and the
 * ticket had none, and a client whose certificate was revoked kept its ticket.
 */
import { describe, expect, it } from 'vitest';
import { connectSync, kinds, makeWorld, offer, outcome, serverFlight } from '../support/attack-rig.js';
import { theEvent } from '../support/connections.js';
import { clientCredentials, trustingVerifier } from '../support/credentials.js';
import { refusal } from '../support/verifiers.js';
import { refuseSession } from '../../src/sessions/binding.js';
import { smallSession } from '../sessions/sessions.js';

describe.each(kinds)('client authentication by resumption (%s)', (kind) => {
  it('P-bind-3 a session without an identity does not satisfy a server that requires one', () => {
    const world = makeWorld(kind);
    const first = connectSync(world.client(), world.server());
    const strict = world.server({ clientAuthentication: 'require' });
    const attack = offer(first, world.client(), strict);
    expect(serverFlight(attack)).toContain('certificate_request');
    expect(outcome(attack)).toBe(kind === 'psk' ? 'server: certificate_required' : 'server: handshake_failure');
  });

  it('P-bind-3 nor does one without help a client that has a certificate: it is asked for it', () => {
    const world = makeWorld(kind);
    const first = connectSync(world.client(), world.server());
    const strict = world.server({ clientAuthentication: 'require' });
    const client = world.client({ credentials: [clientCredentials] });
    const second = offer(first, client, strict);
    expect([outcome(second), serverFlight(second).includes('certificate_request')]).toEqual([
      'full: client_authentication_mismatch',
      true,
    ]);
    expect(theEvent(second.server, 'handshake').peerCertificates).toEqual(clientCredentials.certificates);
  });

  it('P-bind-3 where a certificate is asked for and not required, a session without is that of nobody', () => {
    const world = makeWorld(kind);
    const server = world.server({ clientAuthentication: 'request' });
    const again = offer(connectSync(world.client(), server), world.client(), server);
    expect(outcome(again)).toBe(kind);
    expect(theEvent(again.server, 'handshake').peerCertificates).toEqual([]);
  });

  it('P-bind-4 a session whose identity was revoked meanwhile is declined, and so is the certificate', () => {
    const world = makeWorld(kind);
    let revoked = false;
    const server = world.server({
      clientAuthentication: 'require',
      verifyCertificate: (question) => (revoked ? refusal('certificate_revoked') : trustingVerifier(question)),
    });
    const client = world.client({ credentials: [clientCredentials] });
    const first = connectSync(client, server);
    expect(outcome(offer(first, client, server))).toBe(kind);
    revoked = true;
    expect(outcome(offer(first, client, server))).toBe('server: certificate_revoked');
  });
});

it('P-bind-3 the rule itself, where contexts do not tell the sessions apart', () => {
  const request = {
    version: 'TLSv1.2',
    cipherSuites: [smallSession.cipherSuite],
    serverName: undefined,
    transport: 'tcp',
    extendedMasterSecret: true,
  } as const;
  const policy = {
    cipherSuites: [smallSession.cipherSuite],
    applicationContext: smallSession.applicationContext,
    maximumAge: 1,
    requireClientCertificate: true,
    clientAuthenticationPolicy: undefined,
    resumptionAcrossNames: false,
    allowResumptionWithoutExtendedMasterSecret: false,
    overrides: {},
  };
  const now = smallSession.establishedAt;
  expect(refuseSession(smallSession, request, policy, now)).toBe('client_certificate_missing');
  const identified = { ...smallSession, peerCertificates: clientCredentials.certificates };
  expect(refuseSession(identified, request, policy, now)).toBeUndefined();
});
