/** What is reached for, beside what is measured: ratios inside one run, because another machine has other microseconds. */
export interface Goal {
  /** What is compared: how many times the peer's time ours is contained in, megabytes per CPU second, bytes, or round trips. */
  readonly of: 'speedup' | 'megabytesPerSecond' | 'bytes' | 'roundTrips';
  /** At least; of bytes and round trips, at most. */
  readonly bound: number;
  /** What would be very good. */
  readonly stretch?: number;
}

const speedup = (bound: number, stretch?: number): Goal =>
  stretch === undefined ? { of: 'speedup', bound } : { of: 'speedup', bound, stretch };

/** By backend as it is labelled, and by row. */
export const goals: Readonly<Record<string, Readonly<Record<string, Goal>>>> = {
  '-': {
    'SSL_SESSION decode': speedup(10),
    'store get': speedup(1, 2),
    'store put': speedup(1, 2),
    'store put and evict': speedup(1, 2),
    // 4,000 sessions in a MiB.
    'store memory': { of: 'bytes', bound: 262 },
    'Redis round trips': { of: 'roundTrips', bound: 1 },
    // The store says which session it is, and only once its binder is good is the guard asked.
    'Redis round trips, store and guard': { of: 'roundTrips', bound: 2 },
  },
  node: {
    'layout rfc5077 open': speedup(1, 1.8),
    'layout openssl open': speedup(1, 1.8),
    'TLS 1.2 session_id': speedup(3, 6),
    'TLS 1.2 ticket': speedup(3, 5),
    'TLS 1.3 full': speedup(1.5, 2.2),
    'TLS 1.3 psk_dhe_ke': speedup(1.5, 2),
    'TLS 1.3 psk_ke': speedup(2.5),
    'TLS 1.2 bulk': speedup(0.6, 0.85),
    'TLS 1.3 bulk': speedup(0.85),
    'TLS 1.2 idle': { of: 'bytes', bound: 3072, stretch: 1536 },
    'TLS 1.3 idle': { of: 'bytes', bound: 3072, stretch: 1536 },
  },
  noble: {
    'layout rfc5077 open': speedup(1),
    'layout openssl open': speedup(1),
  },
  'noble chacha20': {
    'TLS 1.2 ticket': speedup(1.2, 2),
    'TLS 1.3 psk_dhe_ke': speedup(1 / 6),
    'TLS 1.3 psk_ke': speedup(1),
    'TLS 1.2 bulk': { of: 'megabytesPerSecond', bound: 60, stretch: 70 },
    'TLS 1.3 bulk': { of: 'megabytesPerSecond', bound: 60, stretch: 70 },
    'TLS 1.2 idle': { of: 'bytes', bound: 3072, stretch: 1536 },
    'TLS 1.3 idle': { of: 'bytes', bound: 3072, stretch: 1536 },
  },
};

/** `>= 1.5x, stretch 2x: met`. */
export function judge({ of, bound, stretch }: Goal, value: number): string {
  const isCost = of === 'bytes' || of === 'roundTrips';
  const reaches = (limit: number) => (isCost ? value <= limit : value >= limit);
  const unit = { speedup: 'x', megabytesPerSecond: ' MB', bytes: ' B', roundTrips: '' }[of];
  const format = (limit: number) => `${String(Number(limit.toFixed(2)))}${unit}`;
  const wanted = `${isCost ? '<=' : '>='} ${format(bound)}`;
  const further = stretch === undefined ? '' : `, stretch ${format(stretch)}`;
  const verdict = !reaches(bound) ? 'MISSED' : stretch !== undefined && reaches(stretch) ? 'stretch met' : 'met';
  return `${wanted}${further}: ${verdict}`;
}
