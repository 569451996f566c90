import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { UsageError } from '../../src/errors.js';
import { defaultFreshnessWindow, freshness } from '../../src/early-data/freshness.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';

const start = 1_700_000_000_000;
const hour = 3_600_000;

function guardAt(time: number, maxEntries?: number) {
  const clock = { time };
  const guard = new MemoryReplayGuard({ now: () => clock.time, ...(maxEntries !== undefined && { maxEntries }) });
  return { clock, guard };
}

const binder = (n: number) => nodeCrypto.hash('sha256', ascii(`binder ${n}`));

describe('MemoryReplayGuard', () => {
  it('R8446-8-1 P-early-1 says fresh once', () => {
    const { clock, guard } = guardAt(start);
    expect(guard.check(binder(1), start + 10_000)).toBe('fresh');
    expect(guard.check(binder(1), start + 10_000)).toBe('replayed');
    clock.time += 9_999;
    expect(guard.check(binder(1), start + 10_000)).toBe('replayed');
    expect(guard.check(binder(2), start + 10_000)).toBe('fresh');
  });

  it('R8446-8.2-3 knows a binder by its first 16 bytes, each of which counts, of SHA-256 and of SHA-384', () => {
    const { guard } = guardAt(start);
    const whole = nodeCrypto.hash('sha384', ascii('binder'));
    expect(guard.check(whole, start + 1)).toBe('fresh');
    for (let i = 0; i < 16; i++) {
      const other = whole.map((byte, at) => (at === i ? byte ^ 1 : byte));
      expect(guard.check(other, start + 1)).toBe('fresh');
      expect(guard.check(other, start + 1)).toBe('replayed');
    }
    expect(guard.check(whole.subarray(0, 32), start + 1)).toBe('replayed');
    expect(guard.check(new Uint8Array(32), start + 1)).toBe('fresh');
  });

  it('refuses what is too short to be a binder', () => {
    const { guard } = guardAt(start);
    expect(() => guard.check(new Uint8Array(15), start + 1)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
  });

  it('keeps no view on the key', () => {
    const { guard } = guardAt(start);
    const key = binder(1);
    guard.check(key, start + 10_000);
    key.fill(9);
    expect(guard.check(binder(1), start + 10_000)).toBe('replayed');
    expect(guard.check(key, start + 10_000)).toBe('fresh');
  });

  it('P-early-2 R8446-8.2-5 began when it was made', () => {
    const { clock, guard } = guardAt(start);
    clock.time += hour;
    guard.check(binder(1), start + 2 * hour);
    expect(guard.startedAt).toBe(start);
  });

  it('P-state-7 is bounded: has room for as many as it says, and when full makes no statement rather than forget', () => {
    const { clock, guard } = guardAt(start, 1000);
    const answers = Array.from({ length: 5000 }, (_, n) => guard.check(binder(n), start + 10_000));
    expect(answers.slice(0, 1000)).toEqual(Array(1000).fill('fresh'));
    const fresh = answers.filter((answer) => answer === 'fresh').length;
    expect(fresh).toBeGreaterThan(1000);
    expect(fresh).toBeLessThanOrEqual(1600);
    for (const [n, answer] of answers.entries())
      expect(guard.check(binder(n), start + 10_000)).toBe(answer === 'fresh' ? 'replayed' : 'not_checked');
    expect(guard.byteLength).toBe(32_000);
    // R8446-8.2-4: what found no room is not called a replay later.
    clock.time += 21_000;
    const late = answers.lastIndexOf('not_checked');
    expect(guard.check(binder(late), start + 40_000)).toBe('fresh');
  });

  it('R8446-8.2-2 keeps what it has seen for as long as the widest window of those who ask', () => {
    const clock = { time: start };
    const guard = new MemoryReplayGuard({ now: () => clock.time, freshnessWindow: 60_000 });
    expect(guard.freshnessWindow).toBe(60_000);
    // Of 10 seconds, and then of a minute.
    expect(guard.check(binder(1), start + 10_001)).toBe('fresh');
    for (const seconds of [30, 60]) {
      clock.time = start + 1000 * seconds;
      expect(guard.check(binder(1), start + 60_001)).toBe('replayed');
    }
  });

  it('P-state-7 a full guard lets go of what expires, and of that only', () => {
    const { clock, guard } = guardAt(start, 1);
    for (let n = 0; n < 8; n++) {
      clock.time = start + 1000 * n;
      expect(guard.check(binder(n), clock.time + 10_000)).toBe('fresh');
    }
    expect(guard.check(binder(8), start + 20_000)).toBe('not_checked');
    // Two windows and a millisecond after the second of them, in whole seconds.
    clock.time = start + 22_000;
    for (const n of [9, 10]) expect(guard.check(binder(n), start + 40_000)).toBe('fresh');
    expect(guard.check(binder(11), start + 40_000)).toBe('not_checked');
    for (const n of [2, 3, 4, 5, 6, 7, 9, 10]) expect(guard.check(binder(n), start + 40_000)).toBe('replayed');
  });

  it('P-state-7 binders that were chosen to fall into one bucket fill that bucket', () => {
    const { guard } = guardAt(start, 100_000);
    const chosen = (n: number) => concat(new Uint8Array(8), binder(n));
    const answers = Array.from({ length: 1000 }, (_, n) => guard.check(chosen(n), start + 10_000));
    expect(answers.filter((answer) => answer === 'fresh')).toHaveLength(8);
    expect(answers.slice(8)).toEqual(Array(992).fill('not_checked'));
    for (let n = 0; n < 1000; n++) expect(guard.check(binder(n), start + 10_000)).toBe('fresh');
  });

  it.each([0, -1, Number.NaN, Infinity])('refuses room for %s entries', (maxEntries) => {
    expect(() => guardAt(start, maxEntries)).toThrow(UsageError);
    expect(() => guardAt(start, maxEntries)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });

  it('makes no statement about what has expired already, now or ever', () => {
    const { guard } = guardAt(start);
    for (const expiresAt of [start, start - 1, -Infinity, Number.NaN]) {
      expect(guard.check(binder(1), expiresAt)).toBe('not_checked');
    }
    expect(guard.check(binder(1), start + 1)).toBe('fresh');
  });

  it('P-time-2 a clock that was ahead: what may have been forgotten is never fresh again', () => {
    const { clock, guard } = guardAt(start);
    expect(guard.check(binder(1), start + 10_000)).toBe('fresh');
    expect(guard.check(binder(2), start + 2 * hour)).toBe('fresh');
    clock.time = start + hour;
    guard.check(binder(3), start + 2 * hour);
    clock.time = start + 1;
    expect(guard.check(binder(1), start + 10_000)).not.toBe('fresh');
    expect(guard.check(binder(4), start + hour)).toBe('not_checked');
    expect(guard.check(binder(2), start + 2 * hour)).toBe('replayed');
    expect(guard.check(binder(3), start + 2 * hour)).toBe('replayed');
    // Time has caught up.
    clock.time = start + hour + 5000;
    expect(guard.check(binder(4), start + hour + 10_000)).toBe('fresh');
  });

  it('P-time-2 P-early-1 whatever the clock does, one key is fresh once until it expires, and by the model', () => {
    const step = fc.record({
      key: fc.nat(4),
      lifetime: fc.integer({ min: -3000, max: 25_000 }),
      tick: fc.oneof(fc.nat(3000), fc.constantFrom(-hour, hour, -1, -900, 0)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, guard } = guardAt(start, 4);
        const answered = new Map<number, number>();
        let latest = start;
        for (const { key, lifetime, tick } of steps) {
          clock.time += tick;
          latest = Math.max(latest, clock.time);
          const expiresAt = clock.time + lifetime;
          const answer = guard.check(binder(key), expiresAt);
          const recordedUntil = answered.get(key) ?? -Infinity;
          if (recordedUntil > latest) expect(answer).toBe('replayed');
          if (answer === 'replayed') expect(answered.has(key)).toBe(true);
          if (answer === 'fresh') {
            expect(expiresAt).toBeGreaterThan(latest);
            answered.set(key, expiresAt);
          }
        }
      }),
    );
  });

  it('with freshness: a hello is accepted once, at whatever times it is sent again and however the clock jumps', () => {
    const moment = fc.oneof(
      fc.integer({ min: -30_000, max: 30_000 }),
      fc.constantFrom(-hour, hour, 7 * 24 * hour, 0, defaultFreshnessWindow, defaultFreshnessWindow + 1),
    );
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 40 }), (moments) => {
        const { clock, guard } = guardAt(start);
        let accepted = 0;
        for (const at of moments) {
          clock.time = start + hour + at;
          const hello = { issuedAt: start, ticketAgeAdd: 7, obfuscatedTicketAge: hour + 7, now: clock.time };
          const { fresh, expiresAt } = freshness(hello);
          if (fresh && guard.check(binder(0), expiresAt) === 'fresh') accepted++;
        }
        expect(accepted).toBeLessThanOrEqual(1);
        if (moments.length > 0 && Math.abs(moments[0] ?? 0) <= defaultFreshnessWindow) expect(accepted).toBe(1);
      }),
    );
  });

  it('lets expired entries go: 20,000 hellos pass through a guard for 1,000', () => {
    const { clock, guard } = guardAt(start, 1000);
    let fresh = 0;
    for (let n = 0; n < 20_000; n++) {
      clock.time += 25;
      if (guard.check(binder(n), clock.time + 20_000) === 'fresh') fresh++;
    }
    expect(fresh).toBe(20_000);
  });
});
