/**
 * Ticket keys that are derived from one master and the clock, for fleets whose hosts have nothing but a secret in common: functions that
 * live for seconds, machines that cannot reach a store.
 *
 *     prk = HKDF-Extract("tls-resume ticket keys 1", master)                                            (RFC 5869)
 *     name || aesKey || hmacKey = HKDF-Expand(prk, uint64 period || uint64 sealingPeriod, 16 + 32 + 32)
 *
 * The surprising thing: whoever has the master has all keys, those of periods long gone included. A new master now and then is all the
 * forward secrecy there is.
 */
import { ascii, wipe } from '../bytes.js';
import { concealed } from '../concealed.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { hkdfExpand, hkdfExtract } from '../crypto/hkdf.js';
import { UsageError } from '../errors.js';
import { defaultOpeningPeriod, defaultSealingPeriod } from './key-ring-options.js';
import type { TicketKeySource } from './key-source.js';
import { periodicKeySource } from './periodic-keys.js';
import { ticketKeyNameLength, weaknessOf, type TicketKey } from './ticket-key.js';

export interface DerivedKeySourceOptions {
  readonly crypto: CryptoBackend;
  /** How long each key seals, milliseconds; the same on all hosts. Default {@link defaultSealingPeriod}. */
  readonly sealingPeriod?: number;
  /** How long it goes on opening, milliseconds: the longest life of a ticket. Default {@link defaultOpeningPeriod}. */
  readonly openingPeriod?: number;
  /** Keys of one secret, for layouts with an AEAD. Default: AES-256 and HMAC-SHA-256. */
  readonly kind?: 'aes_hmac' | 'secret';
}

const label = ascii('tls-resume ticket keys 1');
const shortestMaster = 32;
const partLength = 32;

/**
 * Keys for `new KeyRing({ source })`: the one of the period, the next one for tickets of hosts whose clock is ahead, and those before whose
 * tickets may live. Works on a copy of `master`, 32 random bytes or more. Throws `UsageError`: `invalid_key` for a master that is shorter
 * or no random one, `invalid_option`.
 *
 * ```ts
 * new KeyRing({ crypto, now: Date.now, source: derivedKeySource(master, { crypto }) });
 * ```
 */
export function derivedKeySource(master: Uint8Array, options: DerivedKeySourceOptions): TicketKeySource {
  const {
    crypto,
    sealingPeriod = defaultSealingPeriod,
    openingPeriod = defaultOpeningPeriod,
    kind = 'aes_hmac',
  } = options;
  if (master.length < shortestMaster)
    throw new UsageError(
      'invalid_key',
      `the master has ${String(master.length)} bytes, expected ${String(shortestMaster)} or more`,
    );
  const weakness = weaknessOf(master);
  if (weakness !== undefined) throw new UsageError('invalid_key', `the master ${weakness}: not a random key`);
  const pseudorandomKey = hkdfExtract(crypto, 'sha256', label, master);
  const expanding = crypto.hmac('sha256', pseudorandomKey);
  wipe(pseudorandomKey);

  const keyOf = (period: number): TicketKey => {
    const info = new Uint8Array(16);
    new DataView(info.buffer).setBigUint64(0, BigInt(period));
    new DataView(info.buffer).setBigUint64(8, BigInt(sealingPeriod));
    const bytes = hkdfExpand(expanding, info, ticketKeyNameLength + 2 * partLength);
    const name = bytes.slice(0, ticketKeyNameLength);
    const one = concealed(bytes.slice(ticketKeyNameLength, ticketKeyNameLength + partLength));
    const other = concealed(bytes.slice(ticketKeyNameLength + partLength));
    wipe(bytes);
    return kind === 'secret' ? { name, secret: one } : { name, aesKey: one, hmacKey: other };
  };
  return periodicKeySource({ sealingPeriod, openingPeriod, keyOf });
}
