import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, fromHex } from '../../src/bytes.js';
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

const binder = (n: number) => fromHex(n.toString(16).padStart(64, '0'));

describe('MemoryReplayGuard', () => {
  it('R8446-8-1 P-early-1 says fresh once', () => {
    const { clock, guard } = guardAt(start);
    expect(guard.check(binder(1), start + 10_000)).toBe('fresh');
    expect(guard.check(binder(1), start + 10_000)).toBe('replayed');
    clock.time += 9_999;
    expect(guard.check(binder(1), start + 10_000)).toBe('replayed');
    expect(guard.check(binder(2), start + 10_000)).toBe('fresh');
  });

  it('tells keys apart by all of their bytes, whatever their length', () => {
    const { guard } = guardAt(start);
    const keys = ['', '00', '0000', '80', 'ff', 'c3bf', 'ff'.repeat(32), 'ff'.repeat(48), 'ff'.repeat(31) + 'fe'];
    for (const key of keys) expect(guard.check(fromHex(key), start + 1)).toBe('fresh');
    for (const key of keys) expect(guard.check(fromHex(key), start + 1)).toBe('replayed');
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

  it('P-state-7 is bounded, and when full makes no statement rather than forget', () => {
    const { clock, guard } = guardAt(start, 3);
    for (const n of [1, 2, 3]) expect(guard.check(binder(n), start + 1000 * n)).toBe('fresh');
    expect(guard.check(binder(4), start + 9000)).toBe('not_checked');
    for (const n of [1, 2, 3]) expect(guard.check(binder(n), start + 1000 * n)).toBe('replayed');
    // The first has left, and only the first.
    clock.time = start + 2000;
    expect(guard.check(binder(5), start + 9000)).toBe('fresh');
    expect(guard.check(binder(6), start + 9000)).toBe('not_checked');
    for (const n of [2, 3, 5]) expect(guard.check(binder(n), start + 9000)).toBe('replayed');
  });

  it('R8446-8.2-4 full is not replayed: a hello that found no room is not called a replay later', () => {
    const { clock, guard } = guardAt(start, 1);
    guard.check(binder(1), start + 1);
    expect(guard.check(binder(2), start + 20_000)).toBe('not_checked');
    clock.time += 10_000;
    expect(guard.check(binder(2), start + 20_000)).toBe('fresh');
  });

  it.each([0, -1, Number.NaN])('refuses room for %s entries', (maxEntries) => {
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
    expect(guard.check(binder(1), start + 10_000)).toBe('not_checked');
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
          if (fresh && guard.check(ascii('binder'), expiresAt) === 'fresh') accepted++;
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
