import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, fromAscii } from '../../src/bytes.js';
import { TicketPool, type TicketPoolOptions } from '../../src/sessions/ticket-pool.js';

const hour = 60 * 60 * 1000;
const start = Date.UTC(2026, 10, 21);
const [peer, other] = [ascii('a peer'), ascii('another peer')];

function poolAt(options: Partial<TicketPoolOptions> = {}) {
  const clock = { time: start };
  const pool = new TicketPool({ now: () => clock.time, ...options });
  const keep = (key: Uint8Array, ...values: string[]) => {
    for (const value of values) pool.set(key, ascii(value), start + hour);
  };
  const taken = (key: Uint8Array) => textOf(pool.take(key));
  return { clock, pool, keep, taken };
}

const textOf = (value: Uint8Array | undefined) => value && fromAscii(value);

describe('tickets of one peer', () => {
  it('R8446-C.4-1 are taken once each, the newest first', () => {
    const { pool, keep, taken } = poolAt();
    keep(peer, 'one', 'two', 'three');
    expect([taken(peer), taken(peer), taken(peer), taken(peer)]).toEqual(['three', 'two', 'one', undefined]);
    expect(pool.size).toEqual({ peers: 0, tickets: 0, bytes: 0 });
  });

  it('are looked at without being taken, as sessions of TLS 1.2 are, in copies', () => {
    const { pool, keep } = poolAt();
    keep(peer, 'one');
    pool.get(peer)?.fill(0);
    expect(textOf(pool.get(peer))).toBe('one');
    const given = ascii('two');
    pool.set(peer, given, start + hour);
    given.fill(0);
    expect(textOf(pool.get(peer))).toBe('two');
  });

  it('are no more than there is room for: the oldest goes', () => {
    const { keep, taken } = poolAt({ maxTicketsPerPeer: 2 });
    keep(peer, 'one', 'two', 'three');
    expect([taken(peer), taken(peer), taken(peer)]).toEqual(['three', 'two', undefined]);
  });

  it('R8446-4.6.1-6 P-time-2 end at their time or after 7 days, also where the clock goes back', () => {
    const { pool, clock, taken } = poolAt();
    pool.set(peer, ascii('an hour'), start + hour);
    pool.set(other, ascii('for ever'), Infinity);
    pool.set(other, ascii('over'), start);
    clock.time = start + hour;
    expect(pool.get(peer)).toBe(undefined);
    clock.time = start;
    expect(pool.get(peer)).toBe(undefined);
    clock.time = start + 7 * 24 * hour - 1;
    expect(textOf(pool.get(other))).toBe('for ever');
    clock.time = start + 7 * 24 * hour;
    expect(taken(other)).toBe(undefined);
  });

  it('are forgotten together', () => {
    const { pool, keep, taken } = poolAt();
    keep(peer, 'one', 'two');
    keep(other, 'theirs');
    pool.delete(peer);
    pool.delete(peer);
    expect([taken(peer), taken(other)]).toEqual([undefined, 'theirs']);
  });
});

describe('limits', () => {
  it('P-state-7 of peers: who was not asked for longest goes', () => {
    const { pool, keep, taken } = poolAt({ maxPeers: 2 });
    keep(peer, 'one', 'two');
    keep(other, 'theirs');
    pool.get(peer);
    keep(ascii('a third'), 'new');
    expect([taken(peer), taken(other), taken(ascii('a third'))]).toEqual(['two', undefined, 'new']);
  });

  it('P-state-7 of bytes: the oldest tickets of who was not asked for longest', () => {
    const { pool, keep, taken } = poolAt({ maxBytes: 20 });
    keep(peer, '0123456789', 'abcdefghij');
    keep(other, 'xyz');
    expect(pool.size).toEqual({ peers: 2, tickets: 2, bytes: 13 });
    expect([taken(peer), taken(peer), taken(other)]).toEqual(['abcdefghij', undefined, 'xyz']);
    pool.set(peer, new Uint8Array(21), start + hour);
    expect(pool.size.tickets).toBe(0);
  });

  it.each(['maxTicketsPerPeer', 'maxPeers', 'maxBytes', 'maxLifetime'] as const)('%s has to be positive', (option) => {
    expect(() => poolAt({ [option]: 0 })).toThrow(expect.objectContaining({ code: 'invalid_option' }) as Error);
  });

  it('R8446-C.4-1 what nobody asks for any more goes all the same, as others come', () => {
    const { clock, pool, keep } = poolAt();
    for (let i = 0; i < 10; i++) keep(ascii(`peer ${i}`), 'one', 'two');
    clock.time += hour;
    for (let i = 0; i < 12; i++) pool.set(other, ascii('another'), clock.time + hour);
    expect(pool.size).toMatchObject({ peers: 1, tickets: 6 });
  });

  it('clear leaves nothing', () => {
    const { pool, keep } = poolAt();
    keep(peer, 'one');
    pool.clear();
    expect(pool.size).toEqual({ peers: 0, tickets: 0, bytes: 0 });
  });

  it('whatever is done, the counts are right and the limits hold', () => {
    const step = fc.tuple(fc.constantFrom('set', 'get', 'take', 'delete', 'tick'), fc.nat(5), fc.nat(40));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { pool, clock } = poolAt({ maxPeers: 3, maxTicketsPerPeer: 3, maxBytes: 150 });
        for (const [what, name, size] of steps) {
          const key = Uint8Array.of(name);
          if (what === 'set') pool.set(key, new Uint8Array(size), clock.time + size);
          else if (what === 'tick') clock.time += size;
          else pool[what](key);
          const { peers, tickets, bytes } = pool.size;
          expect(peers <= 3 && tickets <= 9 && bytes <= 150 && bytes >= 0).toBe(true);
        }
        for (let name = 0; name <= 5; name++) while (pool.take(Uint8Array.of(name)) !== undefined);
        expect(pool.size).toEqual({ peers: 0, tickets: 0, bytes: 0 });
      }),
    );
  });
});
