import { describe, expect, it } from 'vitest';
import type { CryptoBackend } from '../../../src/crypto/backend.js';
import { opensslLayout } from '../../../src/tickets/layouts/openssl.js';
import { compactPaddedLayout } from '../../../src/tickets/layouts/padded.js';
import { s2nLayout } from '../../../src/tickets/layouts/s2n.js';
import { backends } from '../backends.js';
import { bytes, everyLayout } from './every-layout.js';

/** Keeps every array that passes into the backend or out of it and may hold a state or the key of one ticket. */
function remembering(crypto: CryptoBackend) {
  const plaintexts: Uint8Array[] = [];
  const keys: Uint8Array[] = [];
  const keep = <T extends Uint8Array | undefined>(bytes: T): T => {
    if (bytes !== undefined) plaintexts.push(bytes);
    return bytes;
  };
  const spy: CryptoBackend = {
    ...crypto,
    aead: (algorithm, key) => {
      keys.push(key);
      const aead = crypto.aead(algorithm, key);
      return {
        seal: (nonce, aad, plaintext, output) => aead.seal(nonce, aad, keep(plaintext), output),
        open: (...of) => keep(aead.open(...of)),
        destroy: () => aead.destroy(),
      };
    },
    cbc: (key) => {
      const cbc = crypto.cbc(key);
      return {
        encrypt: (iv, blocks) => cbc.encrypt(iv, keep(blocks)),
        decrypt: (...of) => keep(cbc.decrypt(...of)),
        destroy: () => cbc.destroy(),
      };
    },
  };
  return { spy, plaintexts, keys };
}

const isWiped = (secret: Uint8Array) => secret.every((byte) => byte === 0);
const holds = (memory: Uint8Array, secret: Uint8Array) => Buffer.from(memory).includes(Buffer.from(secret));

describe.each(backends)('what sealing and opening leave behind ($name)', (crypto) => {
  it('of a state that was sealed: nothing', () => {
    for (const { layout, key } of everyLayout) {
      const { spy, plaintexts } = remembering(crypto);
      const state = bytes(90, 1);
      layout.prepare(spy, key).seal(state);
      const left = plaintexts.filter((plaintext) => plaintext !== state && holds(plaintext, state.subarray(0, 16)));
      expect([layout.name, left]).toEqual([layout.name, []]);
    }
  });

  it('of a state whose ticket is authentic and malformed: nothing', () => {
    // Nothing authenticates the version of s2n.
    const s2n = { name: bytes(16, 1), secret: bytes(32, 2) };
    const reversioned = s2nLayout.prepare(crypto, s2n).seal(bytes(90, 1));
    reversioned[0] = 2;
    // Under another AES key the padding is wrong, and the MAC is right.
    const openssl = { name: bytes(16, 1), aesKey: bytes(16, 2), hmacKey: bytes(32, 3) };
    // One in 256 would be right by chance: always the same iv.
    const steady = { ...crypto, randomBytes: (length: number) => bytes(length, 9) };
    const ticket = opensslLayout.prepare(steady, openssl).seal(bytes(90, 1));
    const cases = [
      { layout: s2nLayout, key: s2n, ticket: reversioned },
      { layout: opensslLayout, key: { ...openssl, aesKey: bytes(16, 5) }, ticket },
    ];
    for (const { layout, key, ticket } of cases) {
      const { spy, plaintexts } = remembering(crypto);
      expect(layout.prepare(spy, key).open(ticket)).toBe('malformed');
      expect(plaintexts.map(isWiped)).toEqual([true]);
    }
  });

  it('of the key of one ticket: nothing', () => {
    for (const layout of [s2nLayout, compactPaddedLayout]) {
      const { spy, keys } = remembering(crypto);
      const prepared = layout.prepare(spy, { name: bytes(16, 1), secret: bytes(32, 2) });
      const ticket = prepared.seal(bytes(90, 1));
      prepared.open(ticket);
      ticket.fill(0, -1);
      prepared.open(ticket);
      expect(keys.map(isWiped)).toEqual([true, true, true]);
    }
  });
});
