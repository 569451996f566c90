/**
 * RFC 5077 tickets of a usual size: a state of 110 bytes under AES-128 and HMAC-SHA-256 makes a ticket of 178. Each case seals,
 * opens or rejects one ticket.
 */
import { fromHex } from '../src/bytes.js';
import type { CryptoBackend } from '../src/crypto/backend.js';
import { KeyRing } from '../src/tickets/key-ring.js';
import { RingSealer } from '../src/tickets/ring-sealer.js';

const key = {
  name: fromHex('7469636b6574206b6579206e6f2e2031'),
  aesKey: fromHex('2b7e151628aed2a6abf7158809cf4f3c'),
  hmacKey: fromHex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4'),
};
const state = new Uint8Array(110).map((_, i) => i);

export const ticketCases = (backend: CryptoBackend): { case: string; run: () => void }[] => {
  // The clock is read at every call, as it is in a server.
  const keys = new KeyRing({ crypto: backend, now: Date.now, keys: [key] });
  const sealer = new RingSealer({ keys });
  const ticket = sealer.seal(state);
  const forged = ticket.slice();
  forged.fill(0, -1);
  return [
    { case: 'seal', run: () => void sealer.seal(state) },
    { case: 'open', run: () => void sealer.open(ticket) },
    { case: 'reject', run: () => void sealer.open(forged) },
  ];
};
