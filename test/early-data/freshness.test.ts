import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultFreshnessWindow, freshness, replayWindow, ticketAgeSkew } from '../../src/early-data/freshness.js';

const issuedAt = 1_700_000_000_000;
const ticketAgeAdd = 0xfedcba98;

/** A hello of a client that holds its ticket to be `ticketAge` old, `elapsed` after the ticket was issued. */
function arrive(ticketAge: number, elapsed: number, window?: number) {
  const obfuscatedTicketAge = (ticketAge + ticketAgeAdd) % 2 ** 32;
  const now = issuedAt + elapsed;
  return freshness({ issuedAt, ticketAgeAdd, obfuscatedTicketAge, now, ...(window !== undefined && { window }) });
}

describe('ticketAgeSkew', () => {
  const skew = (ticketAge: number, elapsed: number) =>
    ticketAgeSkew({
      issuedAt,
      ticketAgeAdd,
      obfuscatedTicketAge: (ticketAge + ticketAgeAdd) % 2 ** 32,
      now: issuedAt + elapsed,
    });

  it.each([
    ['as old as', 5000, 5000, 0],
    ['older than', 65_000, 5000, 60_000],
    ['younger than', 1000, 5000, -4000],
    ['just issued, and for us', 0, 604_800_000, -604_800_000],
  ])(
    'R8446-4.2.11.1-1 is what the client has its ticket %s what we have: %i and %i ms',
    (_, theirs, ours, expected) => {
      expect(skew(theirs, ours)).toBe(expected);
    },
  );
});

describe('freshness', () => {
  it('R8446-8.3-1 expects the hello when the ticket is as old as the client says', () => {
    expect(arrive(5000, 5020)).toEqual({
      fresh: true,
      expectedArrival: issuedAt + 5000,
      expiresAt: issuedAt + 15_001,
    });
  });

  it.each([
    [9000, true],
    [-9000, true],
    [10_000, true],
    [-10_000, true],
    [10_001, false],
    [-10_001, false],
    [11_000, false],
    [-11_000, false],
  ])('R8446-8.3-1 an arrival %i ms from the expected one is fresh: %s', (late, fresh) => {
    expect(arrive(60_000, 60_000 + late).fresh).toBe(fresh);
  });

  it.each([
    ['back by an hour', -3_600_000],
    ['forward by a week', 7 * 24 * 3_600_000],
    ['to no number', Number.NaN],
  ])('P-time-2 the clock of the server jumps %s: nothing is fresh', (_, jump) => {
    expect(arrive(60_000, 60_000 + jump).fresh).toBe(false);
  });

  it('takes the age modulo 2^32', () => {
    expect(freshness({ issuedAt, ticketAgeAdd: 1, obfuscatedTicketAge: 0, now: issuedAt }).expectedArrival).toBe(
      issuedAt + 2 ** 32 - 1,
    );
    expect(freshness({ issuedAt, ticketAgeAdd: 2 ** 32 - 1, obfuscatedTicketAge: 0, now: issuedAt })).toEqual({
      fresh: true,
      expectedArrival: issuedAt + 1,
      expiresAt: issuedAt + 10_002,
    });
  });

  it('judges by the window that it is given, ten seconds by default', () => {
    expect(defaultFreshnessWindow).toBe(10_000);
    expect(arrive(0, 500, 500)).toMatchObject({ fresh: true, expiresAt: issuedAt + 501 });
    expect(arrive(0, 501, 500).fresh).toBe(false);
  });

  it('R8446-8.2-1 no hello is fresh from expiresAt on: a record of it may be dropped', () => {
    const age = fc.nat(604_800_000);
    fc.assert(
      fc.property(age, fc.integer({ min: -60_000, max: 60_000 }), fc.nat(100_000), (ticketAge, late, window) => {
        const { fresh, expectedArrival, expiresAt } = arrive(ticketAge, ticketAge + late, window);
        expect(expectedArrival).toBe(issuedAt + ticketAge);
        expect(fresh).toBe(Math.abs(late) <= window);
        if (fresh) expect(expiresAt).toBeGreaterThan(issuedAt + ticketAge + late);
        expect(arrive(ticketAge, expiresAt - issuedAt, window).fresh).toBe(false);
        expect(arrive(ticketAge, expiresAt - issuedAt - 1, window).fresh).toBe(true);
      }),
    );
  });
});

describe('replayWindow', () => {
  it('reaches from the first moment at which a hello is fresh to the last', () => {
    const at = (now: number) =>
      freshness({ issuedAt: 0, ticketAgeAdd: 0, obfuscatedTicketAge: 60_000, now, window: 700 });
    const first = 60_000 - 700;
    expect([at(first - 1).fresh, at(first).fresh]).toEqual([false, true]);
    expect([at(first + replayWindow(700) - 1).fresh, at(first + replayWindow(700)).fresh]).toEqual([true, false]);
    expect(at(first).expiresAt).toBe(first + replayWindow(700));
  });

  it.each([0, -1, Number.NaN, Infinity])('refuses a window of %s', (window) => {
    expect(() => replayWindow(window)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });
});
