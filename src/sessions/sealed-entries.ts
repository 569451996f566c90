/**
 * What a store in somebody else's memory sees of sessions: names that are digests, and values that are sealed. Whoever reads the database
 * learns no secret and no session ID; whoever writes to it can bring back what had been there, and make nothing new.
 *
 *     struct {
 *         uint8 format = 0xe5;                  // the state of no ticket of ours begins so, should both have the same key
 *         opaque place[32];                     // SHA-256("tls-resume entry" || 0 || keyPrefix || 0 || key)
 *         uint64 expiresAt;                     // milliseconds since 1970
 *         opaque value[...];
 *     } Entry;                                  // sealed, and then base64url, under the name keyPrefix || base64url(place)
 *
 * The surprising thing is the place inside: sealed values that change places would be sessions of other clients, so each says where it
 * belongs. The digest has no key, for session IDs and tickets are 32 random bytes: nobody guesses them.
 */
import { ascii, concat, copy, equal, wipe } from '../bytes.js';
import type { CryptoBackend, MaybePromise } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { constant, fixed, rest, struct, uint64, uint8 } from '../presentation/codec.js';
import { base64url } from '../presentation/base64.js';
import { maximumSessionAge } from './binding.js';
import { decodeOrUndefined } from './decode.js';

/**
 * Seals what the store keeps: a `RingSealer` of `tls-resume/tickets` with a key ring of its own (RFC 5077 5.5: ticket keys are for tickets),
 * whose keys open for as long as sessions live. `compactPaddedLayout` hides lengths.
 */
export interface EntrySealer {
  /** A sealed copy of `entry`, which stays the caller's. */
  seal(entry: Uint8Array): MaybePromise<Uint8Array>;
  /** What was sealed, in an array that is wiped; without `state` for whatever else. */
  open(sealed: Uint8Array): MaybePromise<{ readonly state?: Uint8Array }>;
}

export interface SealedEntriesOptions {
  readonly sealer: EntrySealer;
  readonly crypto: Pick<CryptoBackend, 'hash'>;
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /**
   * What the names of all entries begin with: 1 to 200 printable ASCII characters, no braces, which would send all of
   * them to one node of a cluster. Default `tls-resume:session:`.
   */
  readonly keyPrefix?: string;
}

/** Where an entry stands. */
export interface EntryPlace {
  readonly digest: Uint8Array;
  /** At most 243 printable ASCII characters, fewer than the 250 that memcached takes. */
  readonly name: string;
}

export class SealedEntries {
  readonly #sealer: EntrySealer;
  readonly #crypto: Pick<CryptoBackend, 'hash'>;
  readonly #now: () => number;
  readonly #keyPrefix: string;
  readonly #label: Uint8Array;

  /** Throws `UsageError` (`invalid_option`) for a `keyPrefix` that is none. */
  constructor({ sealer, crypto, now, keyPrefix = 'tls-resume:session:' }: SealedEntriesOptions) {
    if (!/^[!-z|~]{1,200}$/.test(keyPrefix))
      throw new UsageError(
        'invalid_option',
        'keyPrefix is to be 1 to 200 printable ASCII characters, no spaces and no braces',
      );
    this.#sealer = sealer;
    this.#crypto = crypto;
    this.#now = now;
    this.#keyPrefix = keyPrefix;
    this.#label = ascii(`tls-resume entry\0${keyPrefix}\0`);
  }

  place(key: Uint8Array): EntryPlace {
    const digest = this.#crypto.hash('sha256', concat(this.#label, key));
    return { digest, name: this.#keyPrefix + base64url.encode(digest) };
  }

  /** Milliseconds from now until `expiresAt`, in whole numbers: none where that is over, 7 days at the longest. */
  lifetime(expiresAt: number): number {
    const left = Math.ceil(Math.min(expiresAt - this.#now(), maximumSessionAge));
    return left > 0 ? left : 0;
  }

  async seal(place: EntryPlace, value: Uint8Array, lifetime: number): Promise<string> {
    const expiresAt = BigInt(Math.ceil(this.#now() + lifetime));
    const entry = entryCodec.encode({ format: entryFormat, place: place.digest, expiresAt, value });
    try {
      return base64url.encode(await this.#sealer.seal(entry));
    } finally {
      wipe(entry);
    }
  }

  /** The value; `undefined` for whatever is not text that was sealed for this very place, and for what has expired. */
  async open(place: EntryPlace, text: string | undefined): Promise<Uint8Array | undefined> {
    const sealed = text === undefined || text.length > longestText ? undefined : base64url.decode(text);
    const { state } = sealed === undefined ? {} : await this.#sealer.open(sealed);
    if (state === undefined) return undefined;
    const entry = decodeOrUndefined(entryCodec, state);
    const isHere = entry !== undefined && equal(entry.place, place.digest) && entry.expiresAt > this.#now();
    const value = isHere ? copy(entry.value) : undefined;
    wipe(state);
    return value;
  }
}

const entryFormat = 0xe5;
const entryCodec = struct({
  format: constant(uint8, entryFormat),
  place: fixed(32),
  expiresAt: uint64,
  value: rest(),
});

/** Of 65535 bytes, the longest ticket that a sealer makes. */
const longestText = 87_380;
