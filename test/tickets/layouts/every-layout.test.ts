import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, equal, toHex } from '../../../src/bytes.js';
import { UsageError } from '../../../src/errors.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { longestTicket, type TicketLayout } from '../../../src/tickets/layout.js';
import { gnutlsLayout } from '../../../src/tickets/layouts/gnutls.js';
import { jsse25Layout } from '../../../src/tickets/layouts/jsse.js';
import { compactPaddedLayout, paddedLayout } from '../../../src/tickets/layouts/padded.js';
import { RingSealer } from '../../../src/tickets/ring-sealer.js';
import type { TicketKey } from '../../../src/tickets/ticket-key.js';
import { countingCrypto } from '../../support/counting-crypto.js';
import { backends } from '../backends.js';
import { bytes, everyLayout, keysFor, openInRing } from './every-layout.js';

const usualState = fc.uint8Array({ maxLength: 400 });
/** Zero padding stays. */
const whatOpens = (layout: TicketLayout, state: Uint8Array) =>
  layout === gnutlsLayout ? concat(state, new Uint8Array(state.length === 0 ? 16 : -state.length & 15)) : state;

describe('all layouts', () => {
  it('have names of their own, and what they say of lengths fits together', () => {
    const layouts = [...new Set(everyLayout.map(({ layout }) => layout))];
    expect(new Set(layouts.map(({ name }) => name)).size).toBe(layouts.length);
    const lines = layouts.map(({ name, shortestTicket, longestState, keyName = { offset: 0, length: 0 } }) =>
      [name, keyName.offset, keyName.length, shortestTicket, longestState].join(' '),
    );
    // Offset and length of the key name, the shortest ticket, the longest state.
    expect(lines).toEqual([
      'rfc5077 0 16 82 65455',
      'openssl 0 16 80 65455',
      'go120 0 16 64 65471',
      'go121 0 0 48 65487',
      'gnutls 0 16 70 65472',
      'nss 0 16 82 65455',
      'rustls-aws-lc 0 16 80 65455',
      'rustls-ring 0 16 44 65491',
      's2n 1 16 77 65458',
      'mbedtls 0 4 34 65501',
      'jsse17 0 4 36 65499',
      'jsse25 0 4 37 65498',
      'wolfssl 0 16 66 65469',
      'wolfssl-aes-gcm 0 16 66 65469',
      'fizz 0 0 52 65483',
      'padded 0 16 256 64446',
      'padded-compact 0 16 256 65214',
    ]);
  });
});

describe.each(backends)('every layout ($name)', (crypto) => {
  const other = keysFor(7);

  describe.each(everyLayout.map((one, i) => ({ ...one, otherKey: other[i]?.key ?? one.key })))(
    '$name',
    ({ layout, key, otherKey }) => {
      const prepared = layout.prepare(crypto, key);

      it('opens what it sealed, under its own key alone', () => {
        const stranger = layout.prepare(crypto, { ...otherKey, name: key.name });
        fc.assert(
          fc.property(usualState, (state) => {
            const before = state.slice();
            const ticket = prepared.seal(state);
            const sealed = ticket.slice();
            expect(ticket.length).toBeGreaterThanOrEqual(layout.shortestTicket);
            expect(openInRing(layout, key, prepared, ticket)).toEqual(whatOpens(layout, state));
            expect(openInRing(layout, key, stranger, ticket)).toBe('bad_mac');
            // Ticket and state are as they were.
            expect([state, ticket]).toEqual([before, sealed]);
          }),
          { numRuns: 40 },
        );
      });

      it('opens what another backend sealed', () => {
        for (const backend of backends) {
          const ticket = layout.prepare(backend, key).seal(bytes(110, 3));
          expect(openInRing(layout, key, prepared, ticket)).toEqual(whatOpens(layout, bytes(110, 3)));
        }
      });

      it('P-key-5 no bit of a ticket can be changed, wherever it starts in memory', () => {
        const ticket = prepared.seal(bytes(61, 5));
        fc.assert(
          fc.property(fc.nat(ticket.length * 8 - 1), fc.nat(7), (bit, offset) => {
            const memory = new Uint8Array(ticket.length + offset);
            memory.set(ticket, offset);
            const forged = memory.subarray(offset);
            expect(openInRing(layout, key, prepared, forged)).toEqual(whatOpens(layout, bytes(61, 5)));
            forged[bit >> 3]! ^= 1 << (bit & 7);
            expect(openInRing(layout, key, prepared, forged)).toBeTypeOf('string');
          }),
        );
      });

      it('R5077-3.2-5 declines garbage of every length from 0 to 200, whatever name it bears (CVE-2016-6302)', () => {
        const lengths = Array.from({ length: 201 }, (_, length) => length);
        for (const fill of [0, 0xff]) {
          const garbage = lengths.map((length) => new Uint8Array(length).fill(fill));
          expect(garbage.filter((ticket) => typeof openInRing(layout, key, prepared, ticket) !== 'string')).toEqual([]);
          const named = garbage.map((ticket) => nameOnto(layout, key, ticket));
          expect(named.map((ticket) => openInRing(layout, key, prepared, ticket))).toEqual(
            lengths.map((length) => (length < layout.shortestTicket ? 'malformed' : 'bad_mac')),
          );
          // Also where nobody looks at lengths first.
          const declined = ['malformed', 'bad_mac'];
          expect(named.map((ticket) => prepared.open(ticket)).filter((it) => !declined.includes(String(it)))).toEqual(
            [],
          );
        }
      });

      it('declines the longest tickets, and longer ones', () => {
        for (const [length, answer] of [
          [longestTicket - 1, 'bad_mac'],
          [longestTicket, 'bad_mac'],
          [longestTicket + 1, 'malformed'],
        ] as const) {
          const named = nameOnto(layout, key, new Uint8Array(length));
          expect(openInRing(layout, key, prepared, named)).toBe(answer);
        }
      });

      it('seals the longest state into a ticket that fits, and one more byte into none', () => {
        const longest = bytes(layout.longestState, 9);
        const ticket = prepared.seal(longest);
        expect(ticket.length).toBeLessThanOrEqual(longestTicket);
        const opened = openInRing(layout, key, prepared, ticket);
        expect(typeof opened === 'string' ? opened : equal(opened, longest)).toBe(true);
        expect(prepared.seal(bytes(layout.longestState + 1, 9)).length).toBeGreaterThan(longestTicket);
      });

      it('P-key-2 seals the same state to other bytes each time', () => {
        const tickets = Array.from({ length: 100 }, () => toHex(prepared.seal(bytes(40, 1))));
        expect(new Set(tickets).size).toBe(100);
      });

      it('tickets that are sealed later leave earlier ones and their states alone', () => {
        const first = prepared.seal(bytes(100, 2));
        const opened = prepared.open(first);
        for (let i = 0; i < 50; i++) prepared.open(prepared.seal(bytes(100, i)));
        expect(opened).toEqual(whatOpens(layout, bytes(100, 2)));
        expect(prepared.open(first)).toEqual(opened);
      });

      it('works on copies of the key, and not at all once it is destroyed', () => {
        const mine = copyOf(key);
        const short = layout.prepare(crypto, mine);
        for (const part of [mine.name, mine.aesKey, mine.hmacKey, mine.secret]) part?.fill(0);
        expect(openInRing(layout, key, prepared, short.seal(bytes(20, 1)))).toEqual(whatOpens(layout, bytes(20, 1)));
        short.destroy();
        expect(() => short.seal(bytes(20, 1))).toThrow(UsageError);
      });

      it('takes no key of another kind or of other lengths', () => {
        const refusal = new RegExp(`^${layout.name.replace('-compact', '')}: got `);
        for (const wrong of wrongKeys(key)) {
          const prepare = () => layout.prepare(crypto, wrong);
          expect(prepare).toThrow(refusal);
          expect(prepare).toThrow(expect.objectContaining({ code: 'invalid_key' }));
        }
      });

      it('P-key-5 sets a key up once, and spends one MAC or one AEAD on a ticket that is forged', () => {
        const counting = countingCrypto(crypto);
        const counted = layout.prepare(counting.crypto, key);
        const ticket = counted.seal(bytes(100, 1));
        counting.take();
        const forged = ticket.slice();
        forged.fill(forged.at(-20)! ^ 1, -20, -19);
        expect(counted.open(forged)).toBe('bad_mac');
        const { cbcKey, cbc, hmacKey, hmac, aeadKey, open, randomBytes } = counting.take();
        expect({ cbcKey, cbc, hmacKey, randomBytes }).toEqual({ cbcKey: 0, cbc: 0, hmacKey: 0, randomBytes: 0 });
        // One HMAC authenticates or derives; an AEAD key is made where each ticket has its own.
        expect(hmac).toBeLessThanOrEqual(1);
        expect(open).toBeLessThanOrEqual(1);
        expect(aeadKey).toBe(['s2n', 'fizz', 'padded', 'padded-compact'].includes(layout.name) ? 1 : 0);
      });
    },
  );

  it.each(everyLayout.map((one, i) => ({ ...one, older: other[i]?.key ?? one.key })))(
    '$name: behind a ring of two keys, the old one opens and asks for renewal',
    ({ layout, key, older }) => {
      const before = new RingSealer({ keys: new KeyRing({ crypto, now: () => 0, keys: [older] }), layout });
      const keys = new KeyRing({ crypto, now: () => 0, keys: [key, older] });
      const sealer = new RingSealer({ keys, layout });
      const state = whatOpens(layout, bytes(100, 1));
      expect(sealer.open(sealer.seal(bytes(100, 1)))).toEqual({ state, renew: false });
      expect(sealer.open(before.seal(bytes(100, 1)))).toEqual({ state, renew: true });
      expect(before.open(sealer.seal(bytes(100, 1)))).toEqual({ reason: 'unknown_key_name' });
      expect(() => sealer.seal(bytes(layout.longestState + 1, 1))).toThrow(
        expect.objectContaining({ code: 'value_not_encodable' }),
      );
    },
  );

  it('no layout opens a ticket of another', () => {
    const sealed = everyLayout.map(({ layout, key }) => ({
      layout,
      key,
      ticket: layout.prepare(crypto, key).seal(bytes(96, 4)),
    }));
    for (const { layout, key } of everyLayout) {
      const prepared = layout.prepare(crypto, key);
      for (const from of sealed) {
        if (from.layout === layout || [paddedLayout, compactPaddedLayout].includes(from.layout)) continue;
        const opened = openInRing(layout, key, prepared, nameOnto(layout, key, from.ticket));
        expect([layout.name, from.layout.name, typeof opened]).toEqual([layout.name, from.layout.name, 'string']);
      }
    }
  });

  it('a state of SunJSSE that is compressed opens as it is, where the ticket says so', () => {
    const gzip = concat(Uint8Array.of(0x1f, 0x8b), bytes(50, 1));
    const key: TicketKey = { name: bytes(4, 1), secret: bytes(32, 2) };
    const prepared = jsse25Layout.prepare(crypto, key);
    const ticket = prepared.seal(gzip);
    // A state that looks compressed and does not say so is none.
    expect(prepared.open(ticket)).toBe('malformed');
    ticket[20] = 1;
    expect(prepared.open(ticket)).toEqual(gzip);
  });
});

function nameOnto({ keyName }: TicketLayout, key: TicketKey, ticket: Uint8Array): Uint8Array {
  const named = ticket.slice();
  if (keyName !== undefined && keyName.offset + keyName.length <= ticket.length) named.set(key.name, keyName.offset);
  return named;
}

function copyOf(key: TicketKey): TicketKey {
  return key.secret === undefined
    ? { name: key.name.slice(), aesKey: key.aesKey.slice(), hmacKey: key.hmacKey.slice() }
    : { name: key.name.slice(), secret: key.secret.slice() };
}

/** Of the other kind, and with each part too short or of a length that AES has not. */
function wrongKeys(key: TicketKey): TicketKey[] {
  const name = bytes(key.name.length + 1, 1);
  if (key.secret === undefined) {
    return [
      { name: key.name, secret: bytes(32, 1) },
      { ...key, name },
      { ...key, aesKey: bytes(24, 1) },
      { ...key, hmacKey: bytes(15, 1) },
      { ...key, hmacKey: bytes(65, 1) },
    ];
  }
  return [
    { name: key.name, aesKey: bytes(32, 1), hmacKey: bytes(32, 1) },
    { ...key, name },
    { ...key, secret: bytes(15, 1) },
    { ...key, secret: bytes(0, 1) },
  ];
}
