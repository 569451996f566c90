/**
 * Which ticket keys a layout takes. Whether a key is a strong one is asked where keys come from: an inspector opens tickets of weak ones.
 */
import { UsageError } from '../../errors.js';
import type { AesHmacTicketKey, SecretTicketKey, TicketKey } from '../ticket-key.js';

/** In bytes; a range is `[shortest, longest]`. */
export interface AesHmacLengths {
  readonly aes: readonly number[];
  readonly hmac: readonly [shortest: number, longest: number];
}

/** Throws `UsageError('invalid_key')` for another kind of key, or for other lengths. No message holds a byte of it. */
export function requireAesHmacKey(layout: string, lengths: AesHmacLengths, key: TicketKey): AesHmacTicketKey {
  // The compiler knows the kinds; configuration that comes from JSON or JavaScript does not.
  if (key.aesKey === undefined) {
    throw new UsageError('invalid_key', `${layout}: got a key without aesKey, expected aesKey and hmacKey`);
  }
  const [shortest, longest] = lengths.hmac;
  require(layout, 'name', key.name, (length) => length === 16, '16');
  require(layout, 'aesKey', key.aesKey, (length) => lengths.aes.includes(length), lengths.aes.join(' or '));
  require(layout, 'hmacKey', key.hmacKey, (length) => length >= shortest && length <= longest, shortest === longest
    ? String(shortest)
    : `${String(shortest)} to ${String(longest)}`);
  return key;
}

/** What a layout takes of keys with one secret: lengths in bytes. */
export interface SecretLengths {
  readonly name: number;
  readonly secret: readonly number[] | { readonly shortest: number };
}

/** Throws as {@link requireAesHmacKey}. */
export function requireSecretKey(layout: string, lengths: SecretLengths, key: TicketKey): SecretTicketKey {
  if (key.secret === undefined) {
    throw new UsageError('invalid_key', `${layout}: got a key without secret, expected name and secret`);
  }
  const { secret } = lengths;
  require(layout, 'name', key.name, (length) => length === lengths.name, String(lengths.name));
  if ('shortest' in secret) {
    require(layout, 'secret', key.secret, (length) => length >= secret.shortest, `at least ${String(secret.shortest)}`);
  } else {
    require(layout, 'secret', key.secret, (length) => secret.includes(length), secret.join(' or '));
  }
  return key;
}

function require(
  layout: string,
  part: string,
  bytes: unknown,
  fits: (length: number) => boolean,
  expected: string,
): void {
  if (!(bytes instanceof Uint8Array)) throw new UsageError('invalid_key', `${layout}: got a key without ${part}`);
  if (fits(bytes.length)) return;
  throw new UsageError('invalid_key', `${layout}: got ${part} of ${String(bytes.length)} bytes, expected ${expected}`);
}
