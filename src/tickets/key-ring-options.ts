/**
 * What a {@link KeyRing} is told when it is made, and what it tells: options, their defaults, events.
 */
import type { CryptoBackend } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { positive } from '../limits.js';
import type { TicketKeySource } from './key-source.js';
import type { TicketKeyState, TicketKeyStatus } from './ring-key.js';
import type { TicketKey } from './ticket-key.js';

const hour = 60 * 60 * 1000;

/** How long a key made by the ring seals, in milliseconds. */
export const defaultSealingPeriod = 24 * hour;
/** How long a key goes on opening after it stopped sealing, in milliseconds: the longest life of a ticket. */
export const defaultOpeningPeriod = 24 * hour;
/** Most keys held at once, names of expired ones included. */
export const defaultMaxKeys = 64;
/**
 * Most tickets sealed under one key. Random 128-bit IVs: after 2^32 tickets two share one with a probability of 2^-65, and with
 * 4 KiB each, two ciphertext blocks with one of 2^-49. Layouts with random 96-bit nonces under one key (mbed TLS, wolfSSL, rustls with
 * ring) come to 2^-33, which is as far as SP 800-38D 8.3 goes. A ring counts its own tickets: hosts that share a key share the limit.
 */
export const defaultSealLimit = 2 ** 32;

/** Something happened to a key: it came in (`added`), reached a state, became the one that seals, or was taken out (`removed`). */
export interface KeyRingEvent {
  readonly type: 'added' | Exclude<TicketKeyState, 'future'> | 'seals' | 'removed';
  readonly key: TicketKeyStatus;
}

export interface KeyRingOptions {
  readonly crypto: CryptoBackend;
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** Keys to begin with, as if given to {@link KeyRing.add} one after the other. */
  readonly keys?: readonly TicketKey[];
  /** Where all keys come from, in place of `keys`: the ring holds those of the time, and takes no others. */
  readonly source?: TicketKeySource;
  /**
   * Whether the ring makes a key of its own whenever it has to seal and no key may: at first, after `sealingPeriod`, and at
   * the seal limit. For servers that share tickets with no other process. Default: no.
   */
  readonly automaticRotation?: boolean;
  /** The key that `automaticRotation` needs next. Default: `generateTicketKey`, AES-256 and HMAC-SHA-256. */
  readonly generateKey?: () => TicketKey;
  /** Milliseconds; see {@link defaultSealingPeriod}. */
  readonly sealingPeriod?: number;
  /** Milliseconds, of keys that do not say themselves; see {@link defaultOpeningPeriod}. */
  readonly openingPeriod?: number;
  /** See {@link defaultMaxKeys}. */
  readonly maxKeys?: number;
  /** See {@link defaultSealLimit}. */
  readonly sealLimit?: number;
}

/** With the defaults. Throws `UsageError('invalid_option')` for options that cannot work, alone or together. */
export function checkedLimits({ source, automaticRotation = false, keys, ...options }: KeyRingOptions) {
  if (source !== undefined && (automaticRotation || keys !== undefined))
    throw new UsageError('invalid_option', '`source` brings all keys: not together with `keys` or `automaticRotation`');
  return {
    sealingPeriod: positive('sealingPeriod', options.sealingPeriod ?? defaultSealingPeriod),
    openingPeriod: positive('openingPeriod', options.openingPeriod ?? defaultOpeningPeriod),
    maxKeys: positive('maxKeys', options.maxKeys ?? defaultMaxKeys),
    sealLimit: positive('sealLimit', options.sealLimit ?? defaultSealLimit),
  };
}
