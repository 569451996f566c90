import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, concat } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { BloomReplayGuard, type BloomReplayGuardOptions } from '../../src/early-data/bloom-replay-guard.js';
import { defaultFreshnessWindow, freshness } from '../../src/early-data/freshness.js';
import type { ReplayAnswer } from '../../src/early-data/replay-guard.js';
import { UsageError } from '../../src/errors.js';
import { seededCrypto } from '../support/seeded.js';

const start = 1_700_000_000_000;
const hour = 3_600_000;
const window = 2 * defaultFreshnessWindow + 1;

type Size = { readonly expectedPerSecond: number } | { readonly bytes: number };

function guardAt(time: number, size: Size, options: Partial<BloomReplayGuardOptions> = {}) {
  const clock = { time };
  const crypto = seededCrypto('node', 'bloom');
  return { clock, guard: new BloomReplayGuard({ crypto, now: () => clock.time, ...options, ...size }) };
}

const binder = (n: number) => nodeCrypto.hash('sha256', ascii(`binder ${n}`));

function tally(answers: readonly ReplayAnswer[]): Partial<Record<ReplayAnswer, number>> {
  const counts: Partial<Record<ReplayAnswer, number>> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

describe('BloomReplayGuard', () => {
  it('R8446-8-1 P-early-1 says fresh once, and of the second that it may have come before', () => {
    const { clock, guard } = guardAt(start, { expectedPerSecond: 10 });
    expect(guard.check(binder(1), start + window)).toBe('fresh');
    expect(guard.check(binder(1), start + window)).toBe('maybe_replayed');
    expect(guard.check(binder(2), start + window)).toBe('fresh');
    clock.time += window - 1;
    expect(guard.check(binder(1), start + window)).toBe('maybe_replayed');
  });

  it('P-early-2 R8446-8.2-5 began when it was made', () => {
    const { clock, guard } = guardAt(start, { bytes: 1000 });
    clock.time += hour;
    guard.check(binder(1), clock.time + 1);
    expect(guard.startedAt).toBe(start);
  });

  it.each([0.1, 0.01, 0.001])(
    'R8446-8.2-4 at the rate that it expects, %f of those that are new are refused',
    (rate) => {
      const perSecond = 500;
      const { clock, guard } = guardAt(start, { expectedPerSecond: perSecond }, { falsePositiveRate: rate });
      const answers: ReplayAnswer[] = [];
      for (let n = 0; n < 40_000; n++) {
        clock.time += 1000 / perSecond;
        const answer = guard.check(binder(n), clock.time + 10_000);
        if (n >= 15_000) answers.push(answer); // after a window and a half all filters are in use
      }
      const { maybe_replayed: refused = 0, not_checked: unchecked = 0 } = tally(answers);
      expect(unchecked).toBe(0);
      // Four standard deviations above; and no filter of much greater size than it takes.
      expect(refused / answers.length).toBeLessThan(rate + 4 * Math.sqrt(rate / answers.length));
      expect(refused / answers.length).toBeGreaterThan(rate / 8);
    },
  );

  it('P-state-7 a flood: the rate stays, the memory stays, nothing is forgotten, and no statement is made beyond', () => {
    const { guard } = guardAt(start, { bytes: 10_000 }, { falsePositiveRate: 0.01 });
    const answers = Array.from({ length: 50_000 }, (_, n) => guard.check(binder(n), start + window));
    const { fresh = 0, maybe_replayed: refused = 0, not_checked: unchecked = 0 } = tally(answers);
    // Half of the bits, ten for each; all three counts belong to one filter with at most a 2^-10 of errors.
    expect(fresh).toBeGreaterThan(600);
    expect(fresh).toBeLessThan(800);
    expect(refused / answers.length).toBeLessThan(0.01 / 8 + 4 * Math.sqrt(0.01 / 8 / answers.length));
    expect(fresh + refused + unchecked).toBe(50_000);
    expect(guard.byteLength).toBe(10_000);
    for (const [n, answer] of answers.entries())
      if (answer === 'fresh') expect(guard.check(binder(n), start + window)).toBe('maybe_replayed');
  });

  it('goes on with the next filter', () => {
    const { clock, guard } = guardAt(start, { bytes: 4000 });
    let n = 0;
    const fill = () => {
      while (guard.check(binder(n++), clock.time + window) !== 'not_checked') continue;
    };
    fill();
    clock.time += window / 7 + 1;
    expect(guard.check(binder(n), clock.time + window)).toBe('fresh');
    fill();
    clock.time += 2 * window;
    for (let again = 0; again < 50; again++) expect(guard.check(binder(again), clock.time + window)).toBe('fresh');
  });

  it('binders that are like each other do not fill it unevenly, nor do two guards agree about one', () => {
    const alike = (n: number) => concat(new Uint8Array(30).fill(7), Uint8Array.of(n >> 8, n & 255));
    const positives = ['a', 'b'].map((seed) => {
      const { guard } = guardAt(
        start,
        { bytes: 10_000 },
        { crypto: seededCrypto('node', seed), falsePositiveRate: 0.5 },
      );
      return Array.from({ length: 1200 }, (_, n) => guard.check(alike(n), start + window)).flatMap((answer, n) =>
        answer === 'maybe_replayed' ? [n] : [],
      );
    });
    expect(positives[0]).not.toEqual(positives[1]);
    for (const { length } of positives) expect(length).toBeLessThan(120);
  });

  it('makes no statement about what has expired, nor about what it would have to remember for longer than it can', () => {
    const { guard } = guardAt(start, { bytes: 1000 });
    for (const expiresAt of [start, start - 1, start + window + 1, Infinity, -Infinity, Number.NaN])
      expect(guard.check(binder(1), expiresAt)).toBe('not_checked');
    expect(guard.check(binder(1), start + window)).toBe('fresh');
  });

  it('P-time-2 P-early-1 whatever the clock does, one key is fresh once until it expires', () => {
    const step = fc.record({
      key: fc.nat(4),
      lifetime: fc.integer({ min: -3000, max: window }),
      tick: fc.oneof(fc.nat(4000), fc.constantFrom(-hour, hour, -1, -900, 0, window, 8 * window)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, guard } = guardAt(start, { expectedPerSecond: 1000 }, { falsePositiveRate: 1e-9 });
        const recorded = new Map<number, number>();
        let latest = start;
        for (const { key, lifetime, tick } of steps) {
          clock.time += tick;
          latest = Math.max(latest, clock.time);
          const answer = guard.check(binder(key), clock.time + lifetime);
          if ((recorded.get(key) ?? -Infinity) > latest) expect(answer).toBe('maybe_replayed');
          if (answer === 'maybe_replayed') expect(recorded.has(key)).toBe(true);
          if (answer === 'fresh') {
            expect(clock.time + lifetime).toBeGreaterThan(latest);
            recorded.set(key, clock.time + lifetime);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('with freshness: a hello is accepted once, at whatever times it is sent again and however the clock jumps', () => {
    const moment = fc.oneof(
      fc.integer({ min: -30_000, max: 30_000 }),
      fc.constantFrom(-hour, hour, 0, window, 8 * window),
    );
    fc.assert(
      fc.property(fc.array(moment, { minLength: 1, maxLength: 40 }), (moments) => {
        const { clock, guard } = guardAt(start, { expectedPerSecond: 1 });
        const accepted = moments.filter((at) => {
          clock.time = start + hour + at;
          const hello = { issuedAt: start, ticketAgeAdd: 7, obfuscatedTicketAge: hour + 7, now: clock.time };
          const { fresh, expiresAt } = freshness(hello);
          return fresh && guard.check(binder(0), expiresAt) === 'fresh';
        });
        expect(accepted.length).toBeLessThanOrEqual(1);
        if (Math.abs(moments[0] ?? 0) <= defaultFreshnessWindow) expect(accepted).toEqual([moments[0]]);
      }),
    );
  });

  it.each([
    [{ bytes: 0 }, {}],
    [{ bytes: 10 }, {}],
    [{ bytes: Number.NaN }, {}],
    [{ expectedPerSecond: 0 }, {}],
    [{ expectedPerSecond: 1 }, { falsePositiveRate: 0 }],
    [{ expectedPerSecond: 1 }, { falsePositiveRate: 1 }],
    [{ expectedPerSecond: 1 }, { freshnessWindow: -1 }],
  ])('refuses %o %o', (size, options) => {
    expect(() => guardAt(start, size, options)).toThrow(UsageError);
    expect(() => guardAt(start, size, options)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });
});
