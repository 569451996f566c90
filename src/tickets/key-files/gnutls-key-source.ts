/**
 * GnuTLS's ticket keys: hosts that share a master of 64 bytes share the key of every period without a word between them. A period is three
 * times as long as sessions live, and its number, hashed with the master, is its key (`lib/tls13/session_ticket.c`, `totp_sha3`).
 *
 * The surprising thing: whoever has the master has all keys, those of periods long gone included. There is no forward secrecy in it, and a
 * process that runs keeps no less than the file says.
 */
import { concat, copy, wipe } from '../../bytes.js';
import { concealed } from '../../concealed.js';
import { sha3_512 } from '../../crypto/noble-foreign.js';
import { UsageError } from '../../errors.js';
import type { TicketKeySource } from '../key-source.js';
import { periodicKeySource } from '../periodic-keys.js';
import { weaknessOf, type AesHmacTicketKey } from '../ticket-key.js';

export interface GnutlsKeySourceOptions {
  /** `gnutls_db_set_cache_expiration` of the fleet, in seconds. Default: 21600. */
  readonly expirationSeconds?: number;
}

/** GnuTLS `STEK_ROTATION_PERIOD_PRODUCT`: sessions' lives in a period. */
const livesInPeriod = 3;
const defaultExpirationSeconds = 21_600;
const masterLength = 64;

/**
 * Keys for `new KeyRing({ source })`: the one of the period, the one before it, which only opens, and the next one for tickets of hosts
 * whose clock is ahead. Throws `UsageError`: `invalid_key` for a master of another length or one that is no random one, `invalid_option`.
 */
export function gnutlsKeySource(masterKey: Uint8Array, options: GnutlsKeySourceOptions = {}): TicketKeySource {
  const { expirationSeconds = defaultExpirationSeconds } = options;
  if (masterKey.length !== masterLength)
    throw new UsageError(
      'invalid_key',
      `gnutls64: got ${String(masterKey.length)} bytes, expected ${String(masterLength)}`,
    );
  const weakness = weaknessOf(masterKey);
  if (weakness !== undefined) throw new UsageError('invalid_key', `gnutls64: the master ${weakness}: not a random key`);
  if (!Number.isSafeInteger(expirationSeconds) || expirationSeconds <= 0)
    throw new UsageError(
      'invalid_option',
      `expirationSeconds is ${String(expirationSeconds)}, expected a positive integer`,
    );

  const master = concealed(copy(masterKey));
  const period = livesInPeriod * expirationSeconds * 1000;
  return periodicKeySource({
    sealingPeriod: period,
    openingPeriod: period,
    keyOf: (number) => gnutlsTicketKey(master, number),
  });
}

/** The key of one period: name 16, AES-256, HMAC key 16. */
export function gnutlsTicketKey(masterKey: Uint8Array, period: number): AesHmacTicketKey {
  const counter = new Uint8Array(8);
  new DataView(counter.buffer).setBigUint64(0, BigInt(period));
  const input = concat(counter, masterKey);
  const derived = sha3_512(input);
  const key = {
    name: derived.slice(0, 16),
    aesKey: concealed(derived.slice(16, 48)),
    hmacKey: concealed(derived.slice(48)),
  };
  wipe(input, derived);
  return key;
}
