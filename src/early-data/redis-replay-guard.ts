/**
 * `RedisReplayGuard`: a {@link ReplayGuard} that all servers of a fleet share, in Redis, Valkey or a cluster of them (RFC 8446 8.2). Each
 * check is one round trip and one script; whatever fails or takes too long is `not_checked`, and 0-RTT is rejected.
 *
 * The surprising thing is what it trusts: the clock of Redis alone, so that servers may disagree about the time as they like, and one run
 * of one Redis process alone. A Redis that was flushed, restarted from nothing or from an old snapshot, has evicted entries, or has become
 * the master in place of another, has forgotten some of what it was told: it begins anew, and accepts nothing before all that it
 * may have forgotten has expired (RFC 8446 8.2).
 */
import { UsageError } from '../errors.js';
import { base64url } from '../presentation/base64.js';
import { CircuitBreaker } from '../remote/circuit-breaker.js';
import { redisCommands, textOf, type RedisClient, type RedisCommands } from '../remote/redis-client.js';
import { defaultFreshnessWindow, replayWindow } from './freshness.js';
import { redisReplayScript, redisReplayScriptName } from './redis-replay-script.js';
import { registerKey } from './register-key.js';
import type { ReplayAnswer, ReplayGuard } from './replay-guard.js';

/** Milliseconds. */
export const defaultClockTolerance = 10_000;

/** Options that say where binders are kept and how long have to be the same on all servers. */
export interface RedisReplayGuardOptions {
  /** A connected client of `redis` or `ioredis`, of any kind. */
  readonly client: RedisClient;
  /** Time limit, and the pause after failures. Share one with whatever else asks the same Redis. Default: one of its own. */
  readonly breaker?: CircuitBreaker;
  /** What the names of all entries begin with, behind a brace. Default `tls-resume:replay:`. */
  readonly keyPrefix?: string;
  /** Over how many slots of a cluster the entries are spread, 1 to 256, each with a record of its own. Default 1. */
  readonly shards?: number;
  /** That of the servers that ask, or more. Default {@link defaultFreshnessWindow}. */
  readonly freshnessWindow?: number;
  /** How far the clock of Redis and a server's may be apart before the server's early data is rejected. Default {@link defaultClockTolerance}. */
  readonly clockTolerance?: number;
}

/** Asynchronous. */
export class RedisReplayGuard implements ReplayGuard {
  /** The record is older than this process, and Redis knows by how much. */
  readonly startedAt = 0;
  readonly freshnessWindow: number;
  readonly #send: RedisCommands;
  readonly #breaker: CircuitBreaker;
  readonly #keyPrefix: string;
  readonly #shards: number;
  readonly #clockTolerance: number;
  /** How long binders are kept, milliseconds. */
  readonly #kept: number;

  /** Throws `UsageError` (`invalid_option`). */
  constructor(options: RedisReplayGuardOptions) {
    const { client, breaker = new CircuitBreaker(), keyPrefix = 'tls-resume:replay:', shards = 1 } = options;
    const { freshnessWindow = defaultFreshnessWindow, clockTolerance = defaultClockTolerance } = options;
    if (/[{}]/.test(keyPrefix)) throw new UsageError('invalid_option', 'keyPrefix has braces, which are set around it');
    if (!(Number.isInteger(shards) && shards >= 1 && shards <= 256))
      throw new UsageError('invalid_option', `shards is ${String(shards)}, expected 1 to 256`);
    if (!(clockTolerance >= 0 && clockTolerance < Infinity))
      throw new UsageError('invalid_option', `clockTolerance is ${String(clockTolerance)}, expected 0 or more`);
    this.#send = redisCommands(client);
    this.#breaker = breaker;
    this.#keyPrefix = keyPrefix;
    this.#shards = shards;
    this.#clockTolerance = clockTolerance;
    this.freshnessWindow = freshnessWindow;
    this.#kept = Math.ceil(replayWindow(freshnessWindow) + 2 * clockTolerance);
  }

  async check(key: Uint8Array, expiresAt: number): Promise<ReplayAnswer> {
    const binder = registerKey(key);
    // Both names have the same hash tag: a script of a cluster has the keys of one slot.
    const tag = `{${this.#keyPrefix}${(binder[0] ?? 0) % this.#shards}}`;
    const expires = Math.ceil(expiresAt + this.#clockTolerance);
    const keysAndArguments = [`${tag}:record`, `${tag}:${base64url.encode(binder)}`, `${expires}`, `${this.#kept}`];
    try {
      const answer = textOf(await this.#breaker.run(() => this.#run(keysAndArguments)));
      return answer === 'fresh' || answer === 'replayed' ? answer : 'not_checked';
    } catch {
      return 'not_checked';
    }
  }

  /** A Redis that does not know the script yet is told it: a second round trip, for one server, once. */
  async #run(keysAndArguments: readonly string[]): Promise<unknown> {
    try {
      return await this.#send('EVALSHA', redisReplayScriptName, '2', ...keysAndArguments);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return this.#send('EVAL', redisReplayScript, '2', ...keysAndArguments);
    }
  }
}
