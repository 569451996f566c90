import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/bytes.js';
import type { CryptoBackend } from '../../../src/crypto/backend.js';
import { jsse25Layout } from '../../../src/tickets/layouts/jsse.js';
import { opensslLayout } from '../../../src/tickets/layouts/openssl.js';
import { wolfsslAesGcmLayout, wolfsslLayout } from '../../../src/tickets/layouts/wolfssl.js';
import { backends } from '../backends.js';
import { everyLayout, openInRing } from './every-layout.js';
import { samples, unopenableSamples, type Sample } from './samples.js';

/** Where the random bytes stand that the server drew, in the order in which a layout draws them. */
const drawn: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  openssl: [[16, 32]],
  go120: [[16, 32]],
  gnutls: [[16, 32]],
  s2n: [
    [17, 49],
    [49, 61],
  ],
  mbedtls: [[4, 16]],
  jsse17: [[4, 20]],
  jsse25: [[4, 20]],
};

/** A backend that draws what the server drew for this ticket, and nothing more. */
function drawing(crypto: CryptoBackend, { layout, ticket }: Sample): CryptoBackend {
  const draws = (drawn[layout.name] ?? []).map((span) => ticket.slice(...span));
  return {
    ...crypto,
    randomBytes: (length) => {
      const bytes = draws.shift();
      if (bytes?.length !== length) throw new Error(`drew ${String(length)} bytes, expected ${String(bytes?.length)}`);
      return bytes;
    },
  };
}

describe.each(backends)('tickets of real servers ($name)', (crypto) => {
  it('there are 72 that a key opens, in seven layouts', () => {
    expect(samples.length).toBe(72);
    expect(new Set(samples.map(({ layout }) => layout.name)).size).toBe(7);
  });

  describe.each(samples)('$name', (sample) => {
    const { layout, key, ticket, state } = sample;
    const prepared = layout.prepare(crypto, key);

    it('opens to what the server put in', () => {
      expect(openInRing(layout, key, prepared, ticket)).toEqual(state);
    });

    it('is what this library seals, byte for byte', () => {
      expect(toHex(layout.prepare(drawing(crypto, sample), key).seal(state))).toBe(toHex(ticket));
    });

    it('P-key-5 does not open with a bit flipped anywhere', () => {
      const { offset, length } = layout.keyName ?? { offset: 0, length: 0 };
      // What SunJSSE 25 and s2n do not authenticate is held against what they write.
      const shape = layout.name === 's2n' ? 0 : layout === jsse25Layout ? 20 : -1;
      const reasons = Array.from(ticket, (_, byte) => {
        const inName = byte >= offset && byte < offset + length;
        return inName ? 'unknown_key_name' : byte === shape ? 'malformed' : 'bad_mac';
      });
      const outcomes = Array.from(ticket, (_, byte) => {
        const forged = ticket.slice();
        forged[byte]! ^= 1 << (byte % 8);
        return openInRing(layout, key, prepared, forged);
      });
      expect(outcomes).toEqual(reasons);
    });

    it('does not open cut short, or longer than it is', () => {
      const lengths = Array.from({ length: ticket.length + 41 }, (_, i) => i).filter((i) => i !== ticket.length);
      const outcomes = lengths.map((length) => {
        const cut = new Uint8Array(length);
        cut.set(ticket.subarray(0, length));
        return openInRing(layout, key, prepared, cut);
      });
      expect(outcomes).toEqual(lengths.map((length) => (length < layout.shortestTicket ? 'malformed' : 'bad_mac')));
    });

    it('opens in no other layout', () => {
      for (const other of everyLayout) {
        if (other.layout === layout) continue;
        const opened = openInRing(other.layout, other.key, other.layout.prepare(crypto, other.key), ticket);
        expect([other.layout.name, typeof opened]).toEqual([other.layout.name, 'string']);
      }
    });
  });

  it('those of OpenSSL open under no key of another server, though the names were the same', () => {
    const family = samples.filter(({ layout, name }) => layout === opensslLayout && !name.startsWith('weak-'));
    for (const { key, ticket, name } of family) {
      for (const other of family) {
        if (sameKey(other, { key })) continue;
        const renamed = opensslLayout.prepare(crypto, { ...other.key, name: key.name });
        expect([name, other.name, renamed.open(ticket)]).toEqual([name, other.name, 'bad_mac']);
      }
    }
  });

  it('those of wolfSSL are laid out as its layout says, and stay closed', () => {
    expect(unopenableSamples.length).toBe(2);
    for (const { ticket, keyName, state } of unopenableSamples) {
      for (const layout of [wolfsslLayout, wolfsslAesGcmLayout]) {
        const key = { name: keyName, secret: fromHex('6ab3'.repeat(16)) };
        const prepared = layout.prepare(crypto, key);
        expect(openInRing(layout, key, prepared, ticket)).toBe('bad_mac');
        const ours = prepared.seal(state);
        expect(ours.length).toBe(ticket.length);
        expect(toHex(ours.subarray(0, 16))).toBe(toHex(ticket.subarray(0, 16)));
        expect(toHex(ours.subarray(32, 34))).toBe(toHex(ticket.subarray(32, 34)));
      }
    }
  });
});

function sameKey(one: Pick<Sample, 'key'>, other: Pick<Sample, 'key'>): boolean {
  const bytes = ({ key }: Pick<Sample, 'key'>) =>
    key.secret === undefined ? toHex(key.aesKey) + toHex(key.hmacKey) : '';
  return bytes(one) === bytes(other);
}
