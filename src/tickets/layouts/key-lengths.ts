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

/** What a layout takes of keys with one secret. */
export interface SecretLengths {
  readonly name: number;
  readonly secret: { readonly shortest: number; readonly longest?: number };
}

/** Throws as {@link requireAesHmacKey}. */
export function requireSecretKey(layout: string, lengths: SecretLengths, key: TicketKey): SecretTicketKey {
  if (key.secret === undefined) {
    throw new UsageError('invalid_key', `${layout}: got a key with aesKey and hmacKey, expected one with a secret`);
  }
  const { shortest, longest = Infinity } = lengths.secret;
  require(layout, 'name', key.name, (length) => length === lengths.name, String(lengths.name));
  require(layout, 'secret', key.secret, (length) => length >= shortest && length <= longest, longest === shortest
    ? String(shortest)
    : `at least ${String(shortest)}`);
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
