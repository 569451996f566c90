import { describe, expect, it } from 'vitest';
import { ascii, fromHex } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { base64url } from '../../src/presentation/base64.js';
import { SealedEntries, type EntrySealer, type SealedEntriesOptions } from '../../src/sessions/sealed-entries.js';
import { sessionState } from '../../src/sessions/session-state.js';
import { generateTicketKey } from '../../src/tickets/ticket-key.js';
import { misuse } from '../support/decoding.js';
import { epoch, hour, ticketSealer } from '../support/connections.js';

const day = 24 * hour;
const key = nodeCrypto.randomBytes(32);
const value = fromHex('01020304');

function entriesWith(options: Partial<SealedEntriesOptions> = {}) {
  const clock = { time: epoch };
  const { sealer } = ticketSealer('node', 'entries');
  return {
    clock,
    sealer,
    entries: new SealedEntries({ sealer, crypto: nodeCrypto, now: () => clock.time, ...options }),
  };
}

/** Seals nothing, so that tests see what is sealed. */
const glass: EntrySealer = { seal: (entry) => entry.slice(), open: (sealed) => ({ state: sealed.slice() }) };

describe('SealedEntries', () => {
  it('writes format, place and end of life before the value', async () => {
    const { entries } = entriesWith({ sealer: glass, keyPrefix: 'p:' });
    const place = entries.place(ascii('session'));
    const digest = nodeCrypto.hash('sha256', ascii('tls-resume entry\0p:\0session'));
    expect(place).toEqual({ digest, name: `p:${Buffer.from(digest).toString('base64url')}` });
    const text = await entries.seal(place, value, hour);
    const expiresAt = Buffer.alloc(8);
    expiresAt.writeBigUInt64BE(BigInt(epoch + hour));
    expect(Buffer.from(text, 'base64url')).toEqual(Buffer.concat([Uint8Array.of(0xe5), digest, expiresAt, value]));
    expect(await entries.open(place, text)).toEqual(value);
  });

  it('opens what is sealed for this place, and until its time is over', async () => {
    const { entries, clock } = entriesWith();
    const place = entries.place(key);
    const text = await entries.seal(place, value, hour);
    clock.time += hour - 1;
    expect(await entries.open(place, text)).toEqual(value);
    clock.time += 1;
    expect(await entries.open(place, text)).toBeUndefined();
  });

  it('refuses values of other places, of other prefixes, and whatever else', async () => {
    const { entries, sealer } = entriesWith();
    const text = await entries.seal(entries.place(key), value, hour);
    expect(await entries.open(entries.place(fromHex('00')), text)).toBeUndefined();
    const elsewhere = new SealedEntries({ sealer, crypto: nodeCrypto, now: () => epoch, keyPrefix: 'elsewhere:' });
    expect(await elsewhere.open(elsewhere.place(key), text)).toBeUndefined();
    const ticket = base64url.encode(sealer.seal(nodeCrypto.randomBytes(100)));
    for (const other of [
      undefined,
      '',
      'garbage',
      'A',
      text.slice(1),
      `${text}A`,
      `${text}==`,
      ticket,
      'A'.repeat(10 ** 7),
    ])
      expect(await entries.open(entries.place(key), other)).toBeUndefined();
    for (let i = 0; i < text.length; i++) {
      const changed = text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);
      expect(await entries.open(entries.place(key), changed)).toBeUndefined();
    }
  });

  it('the sealed entry is no ticket: its state is no session', async () => {
    const { entries, sealer } = entriesWith();
    const { state } = sealer.open(fromBase64(await entries.seal(entries.place(key), value, hour)));
    expect(state?.length).toBe(1 + 32 + 8 + value.length);
    expect(sessionState.decode(state ?? value)).toBeUndefined();
  });

  it('opens under keys that have retired, and not under those that are gone', async () => {
    const { sealer, ring } = ticketSealer('node', 'rotated');
    const { entries } = entriesWith({ sealer });
    const place = entries.place(key);
    const before = await entries.seal(place, value, hour);
    ring.rotate(generateTicketKey(nodeCrypto));
    const after = await entries.seal(place, value, hour);
    for (const text of [before, after]) expect(await entries.open(place, text)).toEqual(value);
    ring.replace([generateTicketKey(nodeCrypto)]);
    expect(await entries.open(place, before)).toBeUndefined();
  });

  it('waits for sealers that are far away, and wipes what it gave them', async () => {
    const given: Uint8Array[] = [];
    const { entries } = entriesWith({
      sealer: {
        seal: async (entry) => {
          given.push(entry);
          return entry.slice();
        },
        open: async (sealed) => {
          given.push(sealed);
          return { state: sealed };
        },
      },
    });
    const place = entries.place(key);
    expect(await entries.open(place, await entries.seal(place, value, hour))).toEqual(value);
    expect(given.map((bytes) => bytes.every((byte) => byte === 0))).toEqual([true, true]);
  });

  it('counts lives in whole milliseconds, 7 days of them at the most', () => {
    const { entries } = entriesWith();
    const lives: readonly (readonly [number, number])[] = [
      [epoch + 0.5, 1],
      [epoch + hour, hour],
      [epoch + 8 * day, 7 * day],
      [Infinity, 7 * day],
      [epoch, 0],
      [0, 0],
      [NaN, 0],
    ];
    for (const [expiresAt, lifetime] of lives) expect(entries.lifetime(expiresAt)).toBe(lifetime);
  });

  it('takes prefixes that are text in every store', () => {
    expect(entriesWith({ keyPrefix: 'p'.repeat(200) }).entries.place(key).name).toHaveLength(243);
    for (const keyPrefix of ['', 'p'.repeat(201), 'a b', 'a\nb', 'é', '{a}', 'a}'])
      expect(misuse(() => entriesWith({ keyPrefix }))).toBe('invalid_option');
  });
});

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
