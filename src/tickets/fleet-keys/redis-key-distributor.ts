/**
 * `RedisKeyDistributor`: the ticket keys of a fleet, which its servers make for each other and share over Redis (RFC 5077 5.5).
 *
 * Nobody is elected. Keys are numbered by the periods of the clock, and whoever misses one writes it with `SET NX`: the first wins, and all
 * others, the writer included, use what they read back. A leader would have to be found anew whenever it dies, and two that both believe to lead
 * have to be sorted out; here any server does for all others what it does for itself.
 *
 * The surprising thing: a server that holds keys which Redis has lost writes them again, into the next slot of their period where another key
 * stands by now. So whatever was sealed while servers could not see each other can be opened by all of them afterwards.
 */
import { wipe } from '../../bytes.js';
import type { CryptoBackend } from '../../crypto/backend.js';
import { UsageError } from '../../errors.js';
import { afterInRuntime, CircuitBreaker, type After } from '../../remote/circuit-breaker.js';
import { redisCommands, textOf, type RedisCommands } from '../../remote/redis-client.js';
import { generateSecretTicketKey, generateTicketKey, secretParts, type TicketKey } from '../ticket-key.js';
import {
  FleetKeyError,
  keysPerPeriod,
  timingOf,
  type FleetKeyErrorCode,
  type FleetKeyStatus,
  type FleetKeyTiming,
  type RedisKeyDistributorOptions,
} from './fleet-key-options.js';
import { HeldKeys } from './held-keys.js';
import { KeyWrapping, type FleetKeyKind } from './wrapped-key.js';

/**
 * One for each server. Redis 6.2 or later: MGET and SET with NX and PX, of names with one hash tag, so that a cluster does not mind. While Redis
 * is away a server goes on with the keys that it has, which reach into the period after the next, and beyond that for `maximumExtension`.
 *
 * ```ts
 * const distributor = new RedisKeyDistributor({ client, ring, secret, crypto, now: Date.now });
 * await distributor.start();
 * ```
 */
export class RedisKeyDistributor {
  readonly #send: RedisCommands;
  readonly #breaker: CircuitBreaker;
  readonly #after: After;
  readonly #options: RedisKeyDistributorOptions;
  readonly #crypto: CryptoBackend;
  readonly #now: () => number;
  readonly #prefix: string;
  readonly #kind: FleetKeyKind;
  readonly #timing: FleetKeyTiming;
  readonly #wrapping: KeyWrapping;
  readonly #held: HeldKeys;
  /** What the ring was given last. */
  #given = '';
  #reachable = false;
  #told: FleetKeyStatus | undefined;
  /** What has gone wrong and was told. */
  #wrong = new Set<string>();
  /** Of the run that goes on; another one, or none, ends it. */
  #run: object | undefined;
  #cancel: (() => void) | undefined;

  /** Throws `UsageError`: `invalid_key` for the secret, `invalid_option`. */
  constructor(options: RedisKeyDistributorOptions) {
    const { client, crypto, secret, prefix = 'tls-resume:keys', kind = 'aes_hmac' } = options;
    if (!/^[!-z|~]{1,200}$/.test(prefix))
      throw new UsageError('invalid_option', 'prefix is to be 1 to 200 printable ASCII characters without braces');
    this.#options = options;
    this.#timing = timingOf(options);
    const { sealingPeriod, openingPeriod, maximumExtension } = this.#timing;
    this.#send = redisCommands(client);
    this.#breaker = options.breaker ?? new CircuitBreaker();
    this.#after = options.after ?? afterInRuntime;
    this.#crypto = crypto;
    this.#now = options.now;
    this.#prefix = prefix;
    this.#kind = kind;
    this.#wrapping = new KeyWrapping(crypto, secret, kind, `${sealingPeriod}\0${openingPeriod}\0${maximumExtension}`);
    this.#held = new HeldKeys(this.#timing);
  }

  /**
   * Looks at Redis for the first time, and from then on again and again; resolves after the first time, also where Redis did not answer.
   * Of a fleet that is new, servers seal once their key has been in Redis for `publishAhead`.
   */
  async start(): Promise<void> {
    if (this.#run !== undefined) return;
    const run = {};
    this.#run = run;
    await this.#look(run);
  }

  /** Ends that, and forgets the keys: the ring has copies, and goes on with them as long as they last. */
  stop(): void {
    this.#run = undefined;
    this.#cancel?.();
    this.#held.wipe();
    this.#given = '';
  }

  status(): FleetKeyStatus {
    return { reachable: this.#reachable, sealing: this.#held.sealing(this.#now()), keys: this.#held.size };
  }

  async #look(run: object): Promise<void> {
    const wrong = new Map<string, FleetKeyError>();
    try {
      await this.#exchange(run, wrong);
      this.#reachable = true;
    } catch (cause) {
      this.#reachable = false;
      note(wrong, 'unreachable', 'Redis did not answer, keys stay what they are', cause);
    }
    if (this.#run !== run) return;
    const now = this.#now();
    const dropped = this.#held.prune(now);
    if (dropped > 0) note(wrong, 'too_many_keys', 'keys were dropped, their periods have enough others');
    this.#give(now, wrong);
    this.#tell(wrong);
    // At least half of the interval, so that servers that start together drift apart.
    const fraction = (1 + (this.#crypto.randomBytes(1)[0] ?? 0) / 255) / 2;
    this.#cancel = this.#after(this.#timing.pollInterval * fraction, () => void this.#look(run));
  }

  /** Reads, writes what is missing, and reads again, until nothing is missing. Rejects where Redis does not answer. */
  async #exchange(run: object, wrong: Map<string, FleetKeyError>): Promise<void> {
    const occupied = new Set<string>();
    for (let round = 0; round <= keysPerPeriod; round++) {
      const places = this.#held.periodsAt(this.#now()).flatMap((period) => this.#placesOf(period));
      const answer = await this.#breaker.run(() => this.#send('MGET', ...places.map(({ name }) => name)));
      if (this.#run !== run) return;
      if (!(Array.isArray(answer) && answer.length === places.length)) throw new TypeError('MGET answered no list');
      this.#read(places, answer.map(textOf), occupied, wrong);
      if (!(await this.#write(run, places, occupied))) return;
    }
  }

  #read(
    places: readonly Place[],
    texts: readonly (string | undefined)[],
    occupied: Set<string>,
    wrong: Map<string, FleetKeyError>,
  ): void {
    this.#held.forgetSlots();
    for (const [i, { name, period, slot }] of places.entries()) {
      const text = texts[i];
      if (text === undefined) continue;
      occupied.add(name);
      const published = this.#wrapping.unwrap(text, name);
      if (published !== undefined) this.#held.take(published, period, slot);
      else note(wrong, 'entry_refused', `${name} was not written with this secret and these settings`);
    }
  }

  /** Whether anything was missing. What was written, by whomever, is known when it was read. */
  async #write(run: object, places: readonly Place[], occupied: Set<string>): Promise<boolean> {
    const now = this.#now();
    let wrote = false;
    for (const period of new Set(places.map((one) => one.period))) {
      const place = places.find((one) => one.period === period && !occupied.has(one.name));
      if (place === undefined) continue;
      const held = this.#held.of(period);
      const isMissing = held.length === 0 && this.#held.isNeeded(period, now);
      const fresh = isMissing ? this.#generate() : undefined;
      const key = fresh ?? held.find(({ slot }) => slot === undefined)?.key;
      if (key === undefined) continue;
      const text = this.#wrapping.wrap({ key, publishedAt: Math.floor(now) }, place.name);
      if (fresh !== undefined) wipe(...secretParts(fresh));
      const life = Math.ceil(this.#held.opensUntil(period) - now + this.#timing.publishAhead);
      await this.#breaker.run(() => this.#send('SET', place.name, text, 'NX', 'PX', `${life}`));
      if (this.#run !== run) return false;
      occupied.add(place.name);
      wrote = true;
    }
    return wrote;
  }

  #give(now: number, wrong: Map<string, FleetKeyError>): void {
    const keys = this.#held.timed(now);
    const given = keys.map(({ name, sealsFrom, sealsUntil }) => [...name, sealsFrom, sealsUntil].join()).join(';');
    if (given === this.#given) return;
    try {
      this.#options.ring.replace(keys);
      this.#given = given;
    } catch (cause) {
      note(wrong, 'ring_refused', 'the ring did not take the keys, and has those it had', cause);
    }
  }

  #tell(wrong: ReadonlyMap<string, FleetKeyError>): void {
    const { onError, onChange } = this.#options;
    const before = this.#wrong;
    this.#wrong = new Set(wrong.keys());
    for (const [what, error] of wrong) if (!before.has(what)) quietly(() => onError?.(error));
    const status = this.status();
    const { reachable, sealing, keys } = this.#told ?? {};
    if (status.reachable === reachable && status.sealing === sealing && status.keys === keys) return;
    this.#told = status;
    quietly(() => onChange?.(status));
  }

  #generate(): TicketKey {
    return this.#kind === 'secret' ? generateSecretTicketKey(this.#crypto) : generateTicketKey(this.#crypto);
  }

  #placesOf(period: number): Place[] {
    return Array.from({ length: keysPerPeriod }, (_, slot) => ({
      period,
      slot,
      name: `{${this.#prefix}}:${period}:${slot}`,
    }));
  }
}

/** Where a key stands in Redis. */
interface Place {
  readonly period: number;
  readonly slot: number;
  readonly name: string;
}

function note(wrong: Map<string, FleetKeyError>, code: FleetKeyErrorCode, message: string, cause?: unknown): void {
  wrong.set(`${code} ${message}`, new FleetKeyError(code, message, cause === undefined ? {} : { cause }));
}

function quietly(tell: () => void): void {
  try {
    tell();
  } catch {
    // A listener that fails must not keep a server from its keys.
  }
}
