/**
 * Whoever holds a ticket key writes what stands in tickets: with OpenSSL's state he puts a client certificate there that nobody has proved,
 * and is that client (nginx answers `SUCCESS`). Every server that shares a key is a holder, and every leaked file.
 */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import { nodeCrypto as crypto } from '../../src/crypto/node.js';
import type { Session } from '../../src/sessions/session.js';
import {
  boringsslTarget,
  fleetTickets,
  go121Target,
  mintSession,
  opensslTarget,
  sealTicketFor,
  type TicketTarget,
} from '../../src/targets/index.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { generateTicketKey } from '../../src/tickets/ticket-key.js';
import { connectSync, outcome } from '../support/attack-rig.js';
import { epoch, serverName, testClient, testServer } from '../support/connections.js';
import { ecdsaP256 } from '../support/credentials.js';

const keys = new KeyRing({
  crypto,
  now: () => epoch,
  keys: [generateTicketKey(crypto, { aesKeyLength: 16, hmacKeyLength: 16 })],
  openingPeriod: 7 * 24 * 60 * 60 * 1000,
});
const nobodysProof = fromHex('3003020101');
const unnamed = { serverNamesOfUnnamedStates: [serverName] };
const trusting = { ...unnamed, trustClientCertificatesInTickets: true };

describe.each<[string, TicketTarget, TicketTarget]>([
  ['OpenSSL', opensslTarget(), opensslTarget(trusting)],
  ['BoringSSL', boringsslTarget(unnamed), boringsslTarget(trusting)],
  ['Go 1.21', go121Target(unnamed), go121Target(trusting)],
])('a forged certificate in a ticket of %s', (_, target, forging) => {
  const { version, cipherSuite } = { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' } as const;
  const facts = { crypto, keys, now: epoch, version, cipherSuite, serverName };
  const serverCertificates = ecdsaP256.certificates;

  function forged(): Session {
    const { ticket: _ticket, ...session } = mintSession(forging, facts);
    const ticket = sealTicketFor(forging, { ...session, peerCertificates: [nobodysProof] }, keys);
    return { ...session, ticket, peerCertificates: serverCertificates };
  }

  function attack(session: Session, clientAuthentication: 'require' | 'request'): string {
    const server = testServer('node', 'holder', {
      ...fleetTickets({ members: [{ target, keys }] }),
      minVersion: version,
      maxVersion: version,
      clientAuthentication,
      verifyCertificate: () => ({ accepted: true, publicKey: ecdsaP256.signer.publicKey }),
    });
    const client = testClient('node', 'holder', {
      minVersion: version,
      maxVersion: version,
      foreignSessions: [session],
    });
    return outcome(connectSync(client, server));
  }

  it('P-bind-3 logs nobody in where a certificate is required', () => {
    expect(attack(forged(), 'require')).toBe('server: certificate_required');
  });

  it('P-bind-3 nor where one is asked for: the client is asked', () => {
    expect(attack(forged(), 'request')).toBe('full: client_certificate_distrusted');
  });

  it('the same ticket without it resumes: it was the certificate', () => {
    expect(attack(mintSession(target, { ...facts, serverCertificates }), 'request')).toBe('psk');
  });
});
