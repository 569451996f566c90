/**
 * What a `RedisKeyDistributor` is told when it is made, and what it tells: options, their defaults, what goes wrong.
 */
import type { CryptoBackend } from '../../crypto/backend.js';
import { UsageError } from '../../errors.js';
import type { After, CircuitBreaker } from '../../remote/circuit-breaker.js';
import type { RedisClient } from '../../remote/redis-client.js';
import { defaultOpeningPeriod, defaultSealingPeriod } from '../key-ring-options.js';
import type { KeyRing } from '../key-ring.js';
import type { FleetKeyKind } from './wrapped-key.js';

/** Milliseconds between two looks at Redis at the most. */
export const defaultPollInterval = 15_000;
/** Milliseconds: two polls, and clocks that are half a minute apart. */
export const defaultPublishAhead = 60_000;
/** Keys of one period that are shared: more than one where servers could not see each other for a while, or Redis has forgotten. */
export const keysPerPeriod = 3;
/** Periods ahead for which there are keys. */
export const periodsAhead = 2;
/** Periods for which a key opens after its own: their keys and some more fit into a ring of 64. */
export const mostPeriodsBehind = 48;

export interface RedisKeyDistributorOptions {
  /** A connected client of `redis` or `ioredis`, of any kind, that is answered by masters. */
  readonly client: RedisClient;
  /** Its keys become those of the fleet, all of them. One with a clock and an opening period that are the same as here. */
  readonly ring: Pick<KeyRing, 'replace'>;
  /** 32 random bytes that all servers of the fleet have and Redis has not. Copied. */
  readonly secret: Uint8Array;
  readonly crypto: CryptoBackend;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** What the names of all entries begin with, behind a brace: 1 to 200 printable ASCII characters. Default `tls-resume:keys`. */
  readonly prefix?: string;
  /** How long each key seals, milliseconds; the same on all servers, as the next three. Default {@link defaultSealingPeriod}. */
  readonly sealingPeriod?: number;
  /** How long it opens afterwards, milliseconds: the longest life of a ticket. Default {@link defaultOpeningPeriod}. */
  readonly openingPeriod?: number;
  /** How much longer a key seals while there is no newer one, milliseconds. It opens for as much longer. Default: one sealing period. */
  readonly maximumExtension?: number;
  /** Keys of one secret, for layouts with an AEAD. Default: AES-256 and HMAC-SHA-256. */
  readonly kind?: FleetKeyKind;
  /**
   * How long a key has been in Redis before anybody seals with it, milliseconds: two polls at least, and as much more as the clocks of two
   * servers may be apart. Default {@link defaultPublishAhead}.
   */
  readonly publishAhead?: number;
  /** Milliseconds between two looks at Redis at the most; half of that at the least. Default {@link defaultPollInterval}. */
  readonly pollInterval?: number;
  /** Time limit and pauses. Share one with whatever else asks the same Redis. Default: one of its own. */
  readonly breaker?: CircuitBreaker;
  /** Timers. Default: those of the runtime, which do not keep a process of Node.js alive. */
  readonly after?: After;
  /** Told once about each thing that goes wrong, until it has gone right again. What it throws is ignored. */
  readonly onError?: (error: FleetKeyError) => void;
  /** Told whenever the state is another. What it throws is ignored. */
  readonly onChange?: (status: FleetKeyStatus) => void;
}

export interface FleetKeyStatus {
  /** Whether Redis answered when it was asked last. */
  readonly reachable: boolean;
  /**
   * `extended`: by a key whose period is over, since the one of this period is not there or not old enough. `none`: by no key, and there
   * are no new tickets.
   */
  readonly sealing: 'on_time' | 'extended' | 'none';
  /** How many keys there are to open with, those of the future included. */
  readonly keys: number;
}

/**
 * `unreachable`: Redis did not answer, or with an error, which is the `cause`. `entry_refused`: an entry was not wrapped for its place under
 * this secret and with these settings. `too_many_keys`: keys were dropped, for their period has enough others, or the ring no room.
 * `ring_refused`: the ring did not take the keys, and has those it had; its error is the `cause`.
 */
export type FleetKeyErrorCode = 'unreachable' | 'entry_refused' | 'too_many_keys' | 'ring_refused';

/** What went wrong between a server and its Redis. It holds no part of a key. */
export class FleetKeyError extends Error {
  override readonly name = 'FleetKeyError';
  readonly code: FleetKeyErrorCode;

  constructor(code: FleetKeyErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

export interface FleetKeyTiming {
  readonly sealingPeriod: number;
  readonly openingPeriod: number;
  readonly maximumExtension: number;
  readonly publishAhead: number;
  readonly pollInterval: number;
  /** How many periods before the present one have keys that open. */
  readonly periodsBehind: number;
}

/** The times of the options, and what follows from them. Throws `UsageError('invalid_option')`. */
export function timingOf(options: RedisKeyDistributorOptions): FleetKeyTiming {
  const sealingPeriod = whole('sealingPeriod', options.sealingPeriod ?? defaultSealingPeriod);
  const openingPeriod = whole('openingPeriod', options.openingPeriod ?? defaultOpeningPeriod);
  const maximumExtension = whole('maximumExtension', options.maximumExtension ?? sealingPeriod, 0);
  const publishAhead = whole('publishAhead', options.publishAhead ?? defaultPublishAhead);
  const pollInterval = whole('pollInterval', options.pollInterval ?? defaultPollInterval, 1, longestTimer);
  const periodsBehind = Math.ceil((maximumExtension + openingPeriod) / sealingPeriod);
  if (publishAhead < 2 * pollInterval || publishAhead > sealingPeriod)
    throw new UsageError(
      'invalid_option',
      `publishAhead is ${publishAhead} ms, expected two pollIntervals at least and one sealingPeriod at the most`,
    );
  if (periodsBehind > mostPeriodsBehind)
    throw new UsageError(
      'invalid_option',
      `openingPeriod and maximumExtension come to ${periodsBehind} sealing periods, expected ${mostPeriodsBehind} at the most`,
    );
  return { sealingPeriod, openingPeriod, maximumExtension, publishAhead, pollInterval, periodsBehind };
}

/** Timers that are longer than this fire at once. */
const longestTimer = 2 ** 31 - 1;

function whole(option: string, value: number, least = 1, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError('invalid_option', `${option} is ${value} ms, expected a whole number from ${least} to ${most}`);
}
