import { createCipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ascii, concat, toHex } from '../../../src/bytes.js';
import { longestTicket } from '../../../src/tickets/layout.js';
import {
  compactPaddedLayout,
  compactPaddedTicketLength,
  paddedLayout,
  paddedTicketLength,
} from '../../../src/tickets/layouts/padded.js';
import { backends } from '../backends.js';
import { bytes } from './every-layout.js';

const key = { name: bytes(16, 1), secret: bytes(32, 2) };
const salt = bytes(32, 3);
const format = ascii('tls-resume ticket 1');

/** The description of the layout, by node:crypto. */
function sealByHand(plaintext: Uint8Array): Uint8Array {
  const ticketKey = new Uint8Array(hkdfSync('sha256', key.secret, format, concat(key.name, salt), 32));
  const cipher = createCipheriv('chacha20-poly1305', ticketKey, new Uint8Array(12), { authTagLength: 16 });
  cipher.setAAD(concat(format, key.name), { plaintextLength: plaintext.length });
  return concat(key.name, salt, cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

function padded(state: Uint8Array, ticketLength: number, lengthSaid = state.length): Uint8Array {
  const plaintext = new Uint8Array(ticketLength - 64);
  plaintext.set(Uint8Array.of(lengthSaid >> 8, lengthSaid));
  plaintext.set(state, 2);
  return plaintext;
}

describe.each(backends)('padded layouts ($name)', (crypto) => {
  const drawing = { ...crypto, randomBytes: (length: number) => salt.subarray(0, length) };
  const both = [
    { layout: paddedLayout, multiple: paddedTicketLength, prepared: paddedLayout.prepare(drawing, key) },
    {
      layout: compactPaddedLayout,
      multiple: compactPaddedTicketLength,
      prepared: compactPaddedLayout.prepare(drawing, key),
    },
  ];

  it.each(both)('$layout.name seals the bytes of its description', ({ multiple, prepared }) => {
    for (const length of [0, 1, 110, 189, 190, 191, 3517, 3518, 3519, 9000]) {
      const state = bytes(length, 4);
      const expected = sealByHand(padded(state, Math.ceil((length + 66) / multiple) * multiple));
      expect(toHex(prepared.seal(state))).toBe(toHex(expected));
      expect(toHex(prepared.open(expected) as Uint8Array)).toBe(toHex(state));
    }
  });

  it('a client certificate does not show: with 0 to 3 KiB of certificates tickets have one length', () => {
    const prepared = paddedLayout.prepare(crypto, key);
    const lengths = new Set<number>();
    for (const rest of [80, 180, 446])
      for (let certificates = 0; certificates <= 3072; certificates += 128)
        lengths.add(prepared.seal(new Uint8Array(rest + certificates)).length);
    expect([...lengths]).toEqual([3584]);
  });

  it('nor does a name of a host, in the compact one', () => {
    const prepared = compactPaddedLayout.prepare(crypto, key);
    const lengths = [0, 4, 40, 80].map((nameLength) => prepared.seal(new Uint8Array(110 + nameLength)).length);
    expect(lengths).toEqual([256, 256, 256, 256]);
  });

  it.each(both)('$layout.name wastes less than one multiple, at every length', ({ layout, multiple, prepared }) => {
    for (let length = 0; length <= layout.longestState; length += 487) {
      const ticket = prepared.seal(new Uint8Array(length));
      expect(ticket.length % multiple).toBe(0);
      expect(ticket.length - (length + 66)).toBeLessThan(multiple);
      expect(ticket.length).toBeLessThanOrEqual(longestTicket);
    }
  });

  it('each opens what the other sealed', () => {
    const state = bytes(300, 5);
    for (const { prepared } of both)
      for (const other of both) expect(prepared.open(other.prepared.seal(state))).toEqual(state);
  });

  it('an authentic ticket whose padding is none is malformed', () => {
    const state = bytes(100, 6);
    for (const { prepared } of both) {
      expect(prepared.open(sealByHand(padded(state, 256)))).toEqual(state);
      for (const plaintext of [
        padded(state, 256, 99),
        padded(state, 256, 0),
        padded(state, 256, 191),
        padded(state, 256, 65535),
        new Uint8Array(1),
        new Uint8Array(0),
      ])
        expect(prepared.open(sealByHand(plaintext))).toBe('malformed');
    }
  });

  it('is bound to name and salt: a ticket opens under neither changed, though secret and rest are the same', () => {
    const prepared = paddedLayout.prepare(crypto, key);
    const renamed = paddedLayout.prepare(crypto, { ...key, name: bytes(16, 9) });
    const ticket = prepared.seal(bytes(100, 7));
    const resalted = ticket.slice();
    resalted[16]! ^= 1;
    const underOtherName = ticket.slice();
    underOtherName.set(bytes(16, 9));
    expect([prepared.open(resalted), renamed.open(underOtherName), renamed.open(ticket)]).toEqual([
      'bad_mac',
      'bad_mac',
      'bad_mac',
    ]);
  });
});
