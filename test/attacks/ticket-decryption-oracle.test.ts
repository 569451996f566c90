/**
 * Decryption oracles as a class: where a bad MAC can be told from a bad padding or a bad state, tickets can be read bit by bit.
 */
import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '../../src/bytes.js';
import {
  clearItems,
  connectSync,
  makeWorld,
  nameOf,
  outcome,
  sessionOf,
  shameless,
  type ClearItem,
} from '../support/attack-rig.js';
import { countingCrypto } from '../support/counting-crypto.js';
import { epoch, ticketKey } from '../support/connections.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { backends } from '../tickets/backends.js';

describe.each(backends)('a changed ticket ($name)', (crypto) => {
  const counting = countingCrypto(crypto);
  const keys = new KeyRing({ crypto: counting.crypto, now: () => epoch, keys: [ticketKey('node', 'first')] });
  const sealer = new RingSealer({ keys });
  const ticket = sealer.seal(fromHex('5a'.repeat(100)));

  it('P-key-5 P-time-1 wherever it was changed: one MAC over all of it, no decryption, one reason', () => {
    const nameLength = 16;
    for (let at = 0; at < ticket.length; at++) {
      const forged = ticket.slice();
      forged[at] = (forged[at] ?? 0) ^ 0x01;
      counting.take();
      const { reason } = sealer.open(forged);
      const { hmac, cbc, aeadKey, hash, verify } = counting.take();
      expect({ at, reason, hmac, cbc, others: aeadKey + hash + verify }).toEqual({
        at,
        // A name is public; a ticket of another one costs nothing.
        reason: at < nameLength ? 'unknown_key_name' : 'bad_mac',
        hmac: at < nameLength ? 0 : 1,
        cbc: 0,
        others: 0,
      });
    }
  });

  it('P-key-5 wrong lengths and paddings are found after the MAC only', () => {
    const spliced = [
      ticket.subarray(0, -16),
      concat(ticket, fromHex('00')),
      concat(ticket.subarray(0, 34), ticket.subarray(50)),
    ];
    for (const forged of spliced) {
      counting.take();
      expect(sealer.open(forged).reason).toBe('bad_mac');
      const { hmac, cbc } = counting.take();
      expect({ hmac, cbc }).toEqual({ hmac: 1, cbc: 0 });
    }
  });
});

it('P-key-5 R5077-3.2-5 from outside all changes look alike: the same messages of the same sizes', () => {
  const world = makeWorld('ticket');
  const server = world.server();
  const session = sessionOf(connectSync(world.client(), server));
  const { ticket = fromHex('') } = session;
  const looks = new Set<string>();
  for (let at = 0; at < ticket.length; at += 3) {
    const forged = ticket.map((byte, i) => (i === at ? byte ^ 0x80 : byte));
    const pair = connectSync(shameless(world.client(), { ...session, ticket: forged }), server);
    expect(outcome(pair)).toMatch(/^full: (unknown_key_name|bad_mac)$/);
    looks.add(clearItems(pair, 'server').map(sizeOf).join(', '));
  }
  expect([...looks]).toHaveLength(1);
});

function sizeOf(item: ClearItem): string {
  const name = nameOf(item);
  // An ECDSA signature is now and then a byte shorter.
  return name === 'server_key_exchange' ? name : `${name} ${String(item.bytes.length)}`;
}
