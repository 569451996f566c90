/**
 * "We Really Need to Talk About Session Tickets" (Hebrok et al., USENIX Security 2023): weak ticket keys and repeating keystreams
 * on servers in the wild.
 */
import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { generateTicketKey, requireStrongTicketKey } from '../../src/tickets/ticket-key.js';
import { epoch } from '../support/connections.js';
import { backends } from '../tickets/backends.js';
import { everyLayout } from '../tickets/layouts/every-layout.js';

const tickets = 10_000;

describe.each(backends)('tickets and keys in numbers ($name)', (crypto) => {
  it('P-key-2 10 000 tickets of equal content: no two with the same IV, ciphertext block or MAC', () => {
    const keys = new KeyRing({ crypto, now: () => epoch, automaticRotation: true });
    const sealer = new RingSealer({ keys });
    const state = ascii('equal content');
    const seen = { iv: new Set<string>(), block: new Set<string>(), mac: new Set<string>(), name: new Set<string>() };
    for (let i = 0; i < tickets; i++) {
      const ticket = sealer.seal(state);
      seen.name.add(toHex(ticket.subarray(0, 16)));
      seen.iv.add(toHex(ticket.subarray(16, 32)));
      seen.block.add(toHex(ticket.subarray(34, 50)));
      seen.mac.add(toHex(ticket.subarray(-32)));
    }
    expect([seen.name, seen.iv, seen.block, seen.mac].map(({ size }) => size)).toEqual([1, tickets, tickets, tickets]);
  });

  it('P-key-2 two states do not share a keystream: their ciphertexts differ by more than the states do', () => {
    const sealer = new RingSealer({
      keys: new KeyRing({ crypto, now: () => epoch, keys: [generateTicketKey(crypto)] }),
    });
    const [one, other] = [new Uint8Array(64), new Uint8Array(64).fill(1)];
    const [a, b] = [sealer.seal(one).subarray(34, 98), sealer.seal(other).subarray(34, 98)];
    expect(toHex(a.map((byte, i) => byte ^ (b[i] ?? 0)))).not.toBe('01'.repeat(64));
  });

  it.each(everyLayout)(
    'P-key-2 in layout $name 300 tickets of equal content have no 16 bytes in common',
    ({ layout, key }) => {
      const sealer = new RingSealer({ keys: new KeyRing({ crypto, now: () => epoch, keys: [key] }), layout });
      const seen = new Set<string>();
      let windows = 0;
      for (let i = 0; i < 300; i++) {
        // The end is ciphertext and MAC or tag; wolfSSL has 16 zeros behind its tag, which is nobody's secret.
        const behind = layout.name.startsWith('wolfssl') ? 16 : 0;
        const ticket = sealer.seal(ascii('content that is equal in all of them'));
        const end = ticket.subarray(ticket.length - behind - 48, ticket.length - behind);
        for (let at = 0; at + 16 <= end.length; at += 16, windows++) seen.add(toHex(end.subarray(at, at + 16)));
      }
      expect(seen.size).toBe(windows);
    },
  );

  it('R5077-5.5-1 every byte of a key comes from the random source, anew each time', () => {
    const drawn: string[] = [];
    const watched = {
      randomBytes: (length: number) => {
        const bytes = crypto.randomBytes(length);
        drawn.push(toHex(bytes));
        return bytes;
      },
    };
    for (let i = 0; i < 50; i++) {
      const { name, aesKey, hmacKey } = generateTicketKey(watched);
      expect([name, aesKey, hmacKey].map(toHex)).toEqual(drawn.slice(-3));
    }
    expect(new Set(drawn).size).toBe(150);
  });

  it.each([
    ['zeros', '00'.repeat(32)],
    ['ones', 'ff'.repeat(32)],
    ['counting up', Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0')).join('')],
    ['counting down', Array.from({ length: 32 }, (_, i) => (255 - i).toString(16)).join('')],
    ['counting in sevens', Array.from({ length: 32 }, (_, i) => (i * 7).toString(16).padStart(2, '0')).join('')],
    ['one letter', '41'.repeat(32)],
    ['a word again and again', toHex(ascii('password'.repeat(4)))],
    ['half a key twice', '8f1c33a90b5e7742d6e81fa05c9b2340'.repeat(2)],
  ])('R5077-5.5-1 weak keys found in the wild are refused: %s', (_title, hex) => {
    const key = generateTicketKey(crypto);
    for (const part of ['aesKey', 'hmacKey'] as const)
      expect(() => requireStrongTicketKey({ ...key, [part]: fromHex(hex) })).toThrow(
        expect.objectContaining({ code: 'invalid_key' }) as Error,
      );
  });
});
