import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../src/bytes.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import type { KeyRingOptions } from '../../src/tickets/key-ring-options.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { rfc5077Layout } from '../../src/tickets/layouts/rfc5077.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { generateTicketKey, type AesHmacTicketKey } from '../../src/tickets/ticket-key.js';
import { backends } from './backends.js';

const key128: AesHmacTicketKey = {
  name: ascii('ticket key no. 1'),
  aesKey: fromHex('2b7e151628aed2a6abf7158809cf4f3c'),
  hmacKey: fromHex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4'),
};
const key256: AesHmacTicketKey = {
  name: ascii('ticket key no. 2'),
  aesKey: fromHex('28cf3c0aa2c1b3c04dc0a3f2e1d7a1b6a9b0eecc49d1a3f7c5b2d1e4f7a6b9c8'),
  hmacKey: fromHex('0c6f2b9bd8e15a7341f2a6c80e9d4b7335d1f60a8c2e9b47'),
};
const iv = fromHex('000102030405060708090a0b0c0d0e0f');
/** 110 bytes, the size of a usual session. */
const state = new Uint8Array(110).map((_, i) => i * 7 + 1);

/** RFC 5077 section 4 by hand: name, iv, length, AES-CBC with PKCS #7, HMAC-SHA-256 of all before. */
function sealByHand(
  key: AesHmacTicketKey,
  plaintext: Uint8Array,
  overrides: { length?: number; padded?: Uint8Array } = {},
) {
  const cipher = createCipheriv(`aes-${String(key.aesKey.length * 8)}-cbc`, key.aesKey, iv);
  if (overrides.padded !== undefined) cipher.setAutoPadding(false);
  const encrypted = Buffer.concat([cipher.update(overrides.padded ?? plaintext), cipher.final()]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(overrides.length ?? encrypted.length);
  const unsigned = Buffer.concat([key.name, iv, length, encrypted]);
  const mac = createHmac('sha256', key.hmacKey).update(unsigned).digest();
  return new Uint8Array(Buffer.concat([unsigned, mac]));
}

function openByHand(key: AesHmacTicketKey, ticket: Uint8Array): Uint8Array {
  const macOffset = ticket.length - 32;
  const mac = createHmac('sha256', key.hmacKey).update(ticket.subarray(0, macOffset)).digest();
  expect(toHex(ticket.subarray(macOffset))).toBe(toHex(mac));
  const decipher = createDecipheriv(`aes-${String(key.aesKey.length * 8)}-cbc`, key.aesKey, ticket.subarray(16, 32));
  return new Uint8Array(Buffer.concat([decipher.update(ticket.subarray(34, macOffset)), decipher.final()]));
}

describe.each(backends)('RingSealer in the layout of RFC 5077 ($name)', (crypto) => {
  function sealerWith(
    keys: readonly AesHmacTicketKey[],
    options: Partial<KeyRingOptions> = {},
    random: CryptoBackend = crypto,
  ) {
    const clock = { time: 0 };
    const ring = new KeyRing({ crypto: random, now: () => clock.time, keys, ...options });
    return { clock, ring, sealer: new RingSealer({ keys: ring }) };
  }

  describe.each([
    ['AES-128, HMAC key of 32 bytes', key128],
    ['AES-256, HMAC key of 24 bytes', key256],
  ])('%s', (_, key) => {
    it('R5077-4-2 seals the bytes that RFC 5077 section 4 describes, for states of every length', () => {
      const { sealer } = sealerWith([key], {}, { ...crypto, randomBytes: () => iv });
      for (let length = 0; length <= 130; length++) {
        const plaintext = new Uint8Array(length).map((_, i) => i + length);
        expect(toHex(sealer.seal(plaintext))).toBe(toHex(sealByHand(key, plaintext)));
      }
    });

    it('R5077-4-2 opens them, and its own', () => {
      const { sealer } = sealerWith([key]);
      for (let length = 0; length <= 130; length++) {
        const plaintext = new Uint8Array(length).map((_, i) => i + length);
        expect(sealer.open(sealByHand(key, plaintext))).toEqual({ state: plaintext, renew: false });
        const ticket = sealer.seal(plaintext);
        expect(openByHand(key, ticket)).toEqual(plaintext);
        expect(sealer.open(ticket)).toEqual({ state: plaintext, renew: false });
      }
    });
  });

  it('every backend opens what another one sealed', () => {
    const { sealer } = sealerWith([key256]);
    for (const other of backends) {
      const ring = new KeyRing({ crypto: other, now: () => 0, keys: [key256] });
      expect(new RingSealer({ keys: ring }).open(sealer.seal(state))).toEqual({
        state,
        renew: false,
      });
    }
  });

  it('R5077-3.2-5 declines tickets of every length from 0 to 200 (CVE-2016-6302)', () => {
    const { sealer } = sealerWith([key128]);
    const ticket = sealer.seal(state);
    for (let length = 0; length <= 200; length++) {
      const zeros = sealer.open(new Uint8Array(length));
      expect(zeros).toEqual({ reason: length < 82 ? 'malformed' : 'unknown_key_name' });
      const longer = new Uint8Array(length);
      longer.set(ticket.subarray(0, length));
      if (length === ticket.length) continue;
      expect(sealer.open(longer)).toEqual({ reason: length < 82 ? 'malformed' : 'bad_mac' });
    }
  });

  it('declines tickets of the greatest lengths', () => {
    const { sealer } = sealerWith([key128]);
    for (const [length, reason] of [
      [65535, 'bad_mac'],
      [65536, 'malformed'],
      [2 ** 20, 'malformed'],
    ] as const) {
      const ticket = new Uint8Array(length);
      ticket.set(key128.name);
      expect(sealer.open(ticket)).toEqual({ reason });
    }
  });

  it('P-key-5 no flipped bit opens: unknown name in the name, bad MAC everywhere else', () => {
    const { sealer } = sealerWith([key128]);
    const ticket = sealer.seal(state);
    expect(ticket.length).toBe(178);
    for (let bit = 0; bit < ticket.length * 8; bit++) {
      const forged = ticket.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(sealer.open(forged)).toEqual({ reason: bit < 16 * 8 ? 'unknown_key_name' : 'bad_mac' });
    }
  });

  it('P-key-5 a forgery under a known name costs one MAC and no decryption, whatever is wrong with it', () => {
    const calls: string[] = [];
    const spy: CryptoBackend = {
      ...crypto,
      cbc: (key) => {
        const cbc = crypto.cbc(key);
        return {
          encrypt: (...of) => cbc.encrypt(...of),
          decrypt: (...of) => (calls.push('decrypt'), cbc.decrypt(...of)),
          destroy: () => cbc.destroy(),
        };
      },
      hmac: (algorithm, key) => {
        const hmac = crypto.hmac(algorithm, key);
        return {
          outputLength: hmac.outputLength,
          compute: (...parts) => (calls.push('mac'), hmac.compute(...parts)),
          destroy: () => hmac.destroy(),
        };
      },
    };
    const sealer = new RingSealer({ keys: new KeyRing({ crypto: spy, now: () => 0, keys: [key128] }) });
    const ticket = sealByHand(key128, state);
    const forgeries = {
      mac: ticket.map((byte, i) => (i === ticket.length - 1 ? byte ^ 1 : byte)),
      padding: ticket.map((byte, i) => (i === ticket.length - 49 ? byte ^ 1 : byte)),
      length: ticket.map((byte, i) => (i === 33 ? byte ^ 16 : byte)),
      'broken block': ticket.subarray(0, ticket.length - 1),
    };
    for (const [what, forgery] of Object.entries(forgeries)) {
      calls.length = 0;
      expect([what, sealer.open(forgery), ...calls]).toEqual([what, { reason: 'bad_mac' }, 'mac']);
    }
    calls.length = 0;
    sealer.open(ticket);
    expect(calls).toEqual(['mac', 'decrypt']);
    // R5077-5.4-1: an unknown name costs nothing at all.
    calls.length = 0;
    sealer.open(ticket.map((byte, i) => (i === 15 ? byte ^ 1 : byte)));
    expect(calls).toEqual([]);
  });

  it('an authentic ticket of another shape is malformed', () => {
    const { sealer } = sealerWith([key128]);
    const padded = (hex: string) => concat(state.subarray(0, 96), fromHex(hex));
    for (const ticket of [
      sealByHand(key128, state, { length: 0 }),
      sealByHand(key128, state, { length: 96 }),
      sealByHand(key128, state, { length: 128 }),
      sealByHand(key128, state, { padded: padded('00000000000000000000000000000000') }),
      sealByHand(key128, state, { padded: padded('11111111111111111111111111111111') }),
      sealByHand(key128, state, { padded: padded('ffffffffffffffffffffffffffff0302') }),
      sealByHand(key128, state, { padded: padded('0f101010101010101010101010101010') }),
    ]) {
      expect(sealer.open(ticket)).toEqual({ reason: 'malformed' });
    }
    // Blocks that are not whole: the MAC is right, so the holder of the key made them.
    const unsigned = sealByHand(key128, state).subarray(0, -33);
    const mac = createHmac('sha256', key128.hmacKey).update(unsigned).digest();
    expect(sealer.open(concat(unsigned, mac))).toEqual({ reason: 'malformed' });
  });

  it('P-key-2 R5077-5.5-1 10,000 tickets of equal content share no IV and no ciphertext block', () => {
    const { sealer } = sealerWith([key128]);
    const blocks = new Set<string>();
    for (let i = 0; i < 10_000; i++) {
      const ticket = sealer.seal(state.subarray(0, 31));
      blocks.add(toHex(ticket.subarray(16, 32)));
      blocks.add(toHex(ticket.subarray(34, 50)));
      blocks.add(toHex(ticket.subarray(50, 66)));
    }
    expect(blocks.size).toBe(30_000);
  });

  it('P-key-1 seals nothing before there is a key (CVE-2020-13777)', () => {
    const { sealer, ring } = sealerWith([]);
    expect(() => sealer.seal(state)).toThrow(expect.objectContaining({ code: 'no_sealing_key' }));
    ring.rotate(key128);
    expect(openByHand(key128, sealer.seal(state))).toEqual(state);
  });

  it('P-key-1 no ticket opens under an all-zero key: after construction, after rotations, after a restart', () => {
    const zero = { name: new Uint8Array(16), aesKey: new Uint8Array(16), hmacKey: new Uint8Array(32) };
    const opensUnderZeros = (ticket: Uint8Array) =>
      [0, 16, 32, 64].some((length) =>
        createHmac('sha256', new Uint8Array(length))
          .update(ticket.subarray(0, -32))
          .digest()
          .equals(ticket.subarray(-32)),
      );
    expect(opensUnderZeros(sealByHand(zero, state))).toBe(true);
    for (let restart = 0; restart < 3; restart++) {
      const { clock, ring, sealer } = sealerWith([], { automaticRotation: true });
      for (let i = 0; i < 5; i++) {
        const ticket = sealer.seal(state);
        expect(opensUnderZeros(ticket)).toBe(false);
        expect(toHex(ticket.subarray(0, 16))).not.toBe(toHex(zero.name));
        expect(sealer.open(sealByHand(zero, state))).toEqual({ reason: 'unknown_key_name' });
        if (i % 2 === 0) clock.time += 24 * 3600 * 1000;
        else ring.rotate(generateTicketKey(crypto));
      }
    }
  });

  it('P-key-6 rotation: old tickets open and ask for renewal until the horizon, then do not open', () => {
    const { clock, ring, sealer } = sealerWith([key128], { openingPeriod: 1000 });
    const old = sealer.seal(state);
    ring.rotate(key256);
    expect(sealer.open(old)).toEqual({ state, renew: true });
    expect(sealer.open(sealer.seal(state))).toEqual({ state, renew: false });
    clock.time = 999;
    expect(sealer.open(old)).toEqual({ state, renew: true });
    clock.time = 1000;
    expect(sealer.open(old)).toEqual({ reason: 'expired' });
    expect(ring.status()).toMatchObject([
      { state: 'expired', sealed: 1, opened: 2, renewed: 2 },
      { state: 'active', sealed: 1, opened: 1, renewed: 0 },
    ]);
  });

  it('P-key-6 hosts one key apart open each other’s tickets', () => {
    const ahead = sealerWith([key128]);
    ahead.ring.rotate(key256);
    const behind = sealerWith([key128, { ...key256, sealsFrom: 60_000 }]);
    expect(behind.sealer.open(ahead.sealer.seal(state))).toEqual({ state, renew: false });
    expect(ahead.sealer.open(behind.sealer.seal(state))).toEqual({ state, renew: true });
    behind.clock.time = 60_000;
    expect(toHex(behind.sealer.seal(state).subarray(0, 16))).toBe(toHex(key256.name));
  });

  it('P-key-3 a ticket opens under no other name, although its key is in the ring', () => {
    const { sealer } = sealerWith([key128, key256]);
    const ticket = sealer.seal(state);
    ticket.set(key256.name);
    expect(sealer.open(ticket)).toEqual({ reason: 'bad_mac' });
  });

  it('P-key-4 two rings with the same options open none of each other’s tickets', () => {
    const [one, other] = [sealerWith([], { automaticRotation: true }), sealerWith([], { automaticRotation: true })];
    other.sealer.seal(state);
    expect(other.sealer.open(one.sealer.seal(state))).toEqual({ reason: 'unknown_key_name' });
  });

  it('another key of the same name opens nothing', () => {
    const { sealer } = sealerWith([{ ...key256, name: key128.name }]);
    expect(sealer.open(sealByHand(key128, state))).toEqual({ reason: 'bad_mac' });
    const sameAes = sealerWith([{ ...key256, name: key128.name, aesKey: key128.aesKey }]);
    expect(sameAes.sealer.open(sealByHand(key128, state))).toEqual({ reason: 'bad_mac' });
  });

  it('seals states up to the longest ticket and refuses longer ones', () => {
    const { sealer } = sealerWith([key128]);
    const longest = new Uint8Array(rfc5077Layout.longestState).fill(5);
    const ticket = sealer.seal(longest);
    expect(ticket.length).toBe(65522);
    expect(sealer.open(ticket)).toEqual({ state: longest, renew: false });
    expect(() => sealer.seal(new Uint8Array(rfc5077Layout.longestState + 1))).toThrow(
      expect.objectContaining({ code: 'value_not_encodable' }),
    );
  });

  it('leaves ticket and state as they were, and hands out arrays of its own', () => {
    const { sealer } = sealerWith([key128]);
    const mine = state.slice();
    const first = sealer.seal(mine);
    const copy = first.slice();
    sealer.seal(mine);
    sealer.open(first);
    expect([mine, first]).toEqual([state, copy]);
    const opened = sealer.open(first);
    sealer.open(sealer.seal(new Uint8Array(110)));
    expect(opened.state).toEqual(state);
  });

  it('P-state-7 100,000 forged tickets leave the heap as it was (CVE-2014-3567)', () => {
    const { sealer, ring } = sealerWith([key128]);
    const forged = sealer.seal(state);
    forged[177]! ^= 1;
    for (let i = 0; i < 10_000; i++) sealer.open(forged);
    const before = process.memoryUsage();
    for (let i = 0; i < 100_000; i++) sealer.open(forged);
    const after = process.memoryUsage();
    // A leak of as little as 200 bytes a ticket would be 20 MB.
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(16e6);
    expect(ring.status()).toMatchObject([{ sealed: 1, opened: 0, renewed: 0 }]);
  });
});
