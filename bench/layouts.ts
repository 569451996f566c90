/**
 * Tickets of each layout around a state of 110 bytes, beside the same work written straight on node:crypto. Those that differ from
 * another in data alone are left out: NSS is RFC 5077, which `tickets` measures behind a ring.
 */
import type { CryptoBackend } from '../src/crypto/backend.js';
import type { TicketLayout } from '../src/tickets/layout.js';
import { fizzLayout } from '../src/tickets/layouts/fizz.js';
import { gnutlsLayout } from '../src/tickets/layouts/gnutls.js';
import { go120Layout } from '../src/tickets/layouts/go.js';
import { jsse17Layout } from '../src/tickets/layouts/jsse.js';
import { mbedtlsLayout } from '../src/tickets/layouts/mbedtls.js';
import { opensslLayout } from '../src/tickets/layouts/openssl.js';
import { compactPaddedLayout, paddedLayout } from '../src/tickets/layouts/padded.js';
import { rfc5077Layout } from '../src/tickets/layouts/rfc5077.js';
import { rustlsAwsLcLayout, rustlsRingLayout } from '../src/tickets/layouts/rustls.js';
import { s2nLayout } from '../src/tickets/layouts/s2n.js';
import { aeadPeer, cipherAndMacPeer, paddedPeer, type TicketPeer } from './layout-peers.js';

const secret = new Uint8Array(32).map((_, i) => i * 7 + 1);
const state = new Uint8Array(110).map((_, i) => i);

const name = (length: number) => secret.slice(0, length);
const aesHmac = (aes: number, hmac: number) => ({
  name: name(16),
  aesKey: secret.slice(0, aes),
  hmacKey: secret.slice(32 - hmac),
});

/** The layouts that are measured, each with a key and its peer. */
export const measuredLayouts = {
  rfc5077: () => cbc(rfc5077Layout, 16, 32, { length: true }),
  openssl: () => cbc(opensslLayout, 16, 16, {}),
  'openssl 256': () => cbc(opensslLayout, 32, 32, {}),
  go120: () => cbc(go120Layout, 16, 16, { cipher: 'ctr' }),
  gnutls: () => cbc(gnutlsLayout, 32, 16, { length: true, zeroPadded: true, hash: 'sha1' }),
  'rustls-aws-lc': () => cbc(rustlsAwsLcLayout, 32, 32, { lengthInMac: true }),
  'rustls-ring': () =>
    aead(rustlsRingLayout, 16, { algorithm: 'chacha20-poly1305', nonce: [16, 28], aad: [0, 16], header: 28 }),
  mbedtls: () =>
    aead(mbedtlsLayout, 4, { algorithm: 'aes-256-gcm', nonce: [4, 16], aad: [0, 18], header: 18, length: 16 }),
  jsse17: () => aead(jsse17Layout, 4, { algorithm: 'aes-256-gcm', nonce: [4, 20], aad: [0, 4], header: 20 }),
  s2n: () =>
    aead(s2nLayout, 16, { algorithm: 'aes-256-gcm', nonce: [49, 61], aad: [1, 17], header: 61, derived: [17, 49] }),
  fizz: () =>
    aead(fizzLayout, 16, { algorithm: 'aes-128-gcm', nonce: [0, 12], aad: [0, 0], header: 36, derived: [0, 32] }),
  'padded-compact': () => ({
    layout: compactPaddedLayout,
    key: { name: name(16), secret },
    peer: paddedPeer(secret, 256),
  }),
  padded: () => ({ layout: paddedLayout, key: { name: name(16), secret }, peer: paddedPeer(secret, 3584) }),
} as const;

function cbc(layout: TicketLayout, aes: number, hmac: number, of: Parameters<typeof cipherAndMacPeer>[1]) {
  const key = aesHmac(aes, hmac);
  return { layout, key, peer: cipherAndMacPeer(key, of) };
}

function aead(layout: TicketLayout, nameLength: number, of: Parameters<typeof aeadPeer>[1]) {
  return { layout, key: { name: name(nameLength), secret }, peer: aeadPeer(secret, of) };
}

interface Case {
  readonly case: string;
  readonly run: () => void;
}

/** Each seals, opens or rejects one ticket. */
export function layoutCases(
  which: keyof typeof measuredLayouts,
  backend: CryptoBackend,
): { ours: Case[]; peers: Case[] } {
  const { layout, key, peer } = measuredLayouts[which]();
  return { ours: cases(layout.prepare(backend, key)), peers: cases(peer) };
}

function cases(sealer: TicketPeer): Case[] {
  const ticket = sealer.seal(state);
  const forged = new Uint8Array(ticket);
  forged[forged.length - 1]! ^= 1;
  const opened = sealer.open(ticket);
  if (!(opened instanceof Uint8Array) || sealer.open(forged) instanceof Uint8Array) throw new Error('not a sealer');
  return [
    { case: 'seal', run: () => void sealer.seal(state) },
    { case: 'open', run: () => void sealer.open(ticket) },
    { case: 'reject', run: () => void sealer.open(forged) },
  ];
}
