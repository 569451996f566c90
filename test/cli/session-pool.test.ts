import { expect, it } from 'vitest';
import { SessionPool } from '../../src/cli/session-pool.js';
import type { Session } from '../../src/sessions/session.js';

const facts = { establishedAt: 0, issuedAt: 0, peerCertificates: [], applicationContext: new Uint8Array(0) };
const session: Session = {
  ...facts,
  version: 'TLSv1.2',
  cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  masterSecret: new Uint8Array(48).fill(1),
  extendedMasterSecret: true,
};
const ticket = (name: number): Session => ({
  ...facts,
  version: 'TLSv1.3',
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  psk: new Uint8Array(32).fill(1),
  ticketAgeAdd: 0,
  ticketLifetime: 1,
  maxEarlyDataSize: 0,
  transport: 'tcp',
  ticket: Uint8Array.of(name),
});
const [a, b, c] = [ticket(1), ticket(2), ticket(3)];

it('R8446-C.4 the newest ticket comes first, and each one once', () => {
  const pool = new SessionPool([]);
  expect(pool.take()).toBeUndefined();
  pool.put([a, b]);
  expect([pool.take(), pool.take(), pool.take()]).toEqual([b, a, undefined]);
});

it('what a connection brings takes the place of what was there', () => {
  const pool = new SessionPool([a, b]);
  expect(pool.take()).toBe(a);
  pool.put([c]);
  expect(pool.sessions).toEqual([c]);
});

it('a connection that brings nothing leaves what it has not used', () => {
  const pool = new SessionPool([a, b]);
  pool.take();
  pool.put([]);
  expect(pool.sessions).toEqual([b]);
});

it('a session of TLS 1.2 lasts', () => {
  const pool = new SessionPool([session]);
  expect([pool.take(), pool.take()]).toEqual([session, session]);
});
