import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, equal } from '../../src/bytes.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { generateTicketKey } from '../../src/tickets/ticket-key.js';
import { backends } from '../tickets/backends.js';

const state = fc.uint8Array({ maxLength: 700 });

describe.each(backends)('tickets ($name)', (crypto) => {
  const keys = [generateTicketKey(crypto, { aesKeyLength: 16 }), generateTicketKey(crypto)];
  const ring = new KeyRing({ crypto, now: () => 0, keys });
  const sealer = new RingSealer({ keys: ring });

  it('any state comes back', () => {
    fc.assert(
      fc.property(state, (bytes) => {
        expect(sealer.open(sealer.seal(bytes))).toEqual({ state: bytes, renew: false });
      }),
    );
  });

  it('R5077-3.2-5 P-key-5 any flipped bit is refused with a reason', () => {
    fc.assert(
      fc.property(state, fc.nat(), (bytes, position) => {
        const ticket = sealer.seal(bytes);
        const bit = position % (ticket.length * 8);
        const forged = ticket.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(sealer.open(forged)).toEqual({ reason: bit < 128 ? 'unknown_key_name' : 'bad_mac' });
      }),
    );
  });

  it('no cut, lengthened or spliced ticket opens', () => {
    fc.assert(
      fc.property(state, state, fc.nat(), fc.nat(), (one, other, cut, resume) => {
        const [a, b] = [sealer.seal(one), sealer.seal(other)];
        const spliced = concat(a.subarray(0, cut % (a.length + 1)), b.subarray(resume % (b.length + 1)));
        fc.pre(!equal(spliced, a) && !equal(spliced, b));
        expect(sealer.open(spliced).reason).toMatch(/^(malformed|unknown_key_name|bad_mac)$/);
      }),
    );
  });

  it('any bytes are refused with a reason, after a known name or not', () => {
    const prefix = fc.constantFrom(new Uint8Array(0), ...keys.map((key) => key.name));
    fc.assert(
      fc.property(prefix, fc.uint8Array({ maxLength: 300 }), (name, bytes) => {
        const ticket = concat(name, bytes);
        const reason = ticket.length < 82 ? 'malformed' : name.length === 0 ? 'unknown_key_name' : 'bad_mac';
        expect(sealer.open(ticket)).toEqual({ reason });
      }),
      { numRuns: 500 },
    );
  });
});
