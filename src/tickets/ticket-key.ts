/**
 * What a ticket key is, how one is made, and which ones are refused (RFC 5077 5.5).
 *
 * One ticket key is a public name and secrets: in most layouts an AES key and an HMAC key. The surprising thing: servers in the
 * wild ran for years on keys of all zeros (GnuTLS CVE-2020-13777, "We Really Need to Talk About Session Tickets", 2023), so
 * a key that no random generator would make is refused before it can seal anything.
 */
import { copy, equalConstantTime } from '../bytes.js';
import { concealed } from '../concealed.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { UsageError } from '../errors.js';

/** The times of a ticket key, in milliseconds of the ring's clock; see {@link KeyRing} for what holds where one is left out. */
export interface TicketKeyTimes {
  /** The key seals from this time on, and only opens before it. Left out: always. `Infinity`: it never seals. */
  readonly sealsFrom?: number;
  /** The key seals until this time, and only opens after it. Left out: until another key takes its place. */
  readonly sealsUntil?: number;
  /** The key is wiped at this time. Left out: one opening period of the ring after it stopped sealing. `Infinity`: when it is taken out. */
  readonly opensUntil?: number;
}

/**
 * A ticket key as its owner configures it: of which kind, the layout of the tickets says. Whoever holds these bytes can impersonate the
 * server to resuming clients, read sessions of TLS 1.2, and where tickets carry client certificates, log in as anybody.
 */
export type TicketKey = AesHmacTicketKey | SecretTicketKey;

/** AES and HMAC, for the layouts of RFC 5077, OpenSSL and most servers. */
export interface AesHmacTicketKey extends TicketKeyTimes {
  /** 16 bytes. Public: it stands at the start of every ticket. */
  readonly name: Uint8Array;
  /** 16 or 32 bytes. */
  readonly aesKey: Uint8Array;
  /** 16 to 64 bytes; 32 suit HMAC-SHA-256. */
  readonly hmacKey: Uint8Array;
  readonly secret?: never;
}

/** One secret, from which a layout with an AEAD takes what it needs: s2n, mbed TLS, rustls, this library's own. */
export interface SecretTicketKey extends TicketKeyTimes {
  /** Public. 16 bytes; 4 in the layouts of mbed TLS and SunJSSE. */
  readonly name: Uint8Array;
  /** 16 bytes at least. */
  readonly secret: Uint8Array;
  readonly aesKey?: never;
  readonly hmacKey?: never;
}

/** Of {@link AesHmacTicketKey}, and of most others. */
export const ticketKeyNameLength = 16;
/** With mbed TLS and SunJSSE. */
const shortKeyNameLength = 4;
const hmacKeyLength = 32;
const shortestHmacKey = 16;
const longestHmacKey = 64;
const shortestSecret = 16;

/**
 * A fresh key with a random name. AES-256 by default, because a ticket is to be protected at least as strongly as the
 * strongest cipher suite whose secrets it carries (RFC 9325 3.4). `times` go into the key as they are.
 */
export function generateTicketKey(
  crypto: Pick<CryptoBackend, 'randomBytes'>,
  options: { readonly aesKeyLength?: 16 | 32; readonly hmacKeyLength?: 16 | 32 } & TicketKeyTimes = {},
): AesHmacTicketKey {
  const { aesKeyLength = 32, hmacKeyLength: macLength = hmacKeyLength, ...times } = options;
  return {
    name: crypto.randomBytes(ticketKeyNameLength),
    aesKey: concealed(crypto.randomBytes(aesKeyLength)),
    hmacKey: concealed(crypto.randomBytes(macLength)),
    ...times,
  };
}

/** As {@link generateTicketKey}, for layouts of one secret. 32 bytes, and a name of 16. */
export function generateSecretTicketKey(
  crypto: Pick<CryptoBackend, 'randomBytes'>,
  times: TicketKeyTimes = {},
): SecretTicketKey {
  return { name: crypto.randomBytes(ticketKeyNameLength), secret: concealed(crypto.randomBytes(32)), ...times };
}

/** The parts of a key that are secret. */
export function secretParts(key: TicketKey): readonly Uint8Array[] {
  return key.secret === undefined ? [key.aesKey, key.hmacKey] : [key.secret];
}

/** A copy without times, whose secrets do not print. */
export function copyTicketKey(key: TicketKey): TicketKey {
  const name = copy(key.name);
  if (key.secret !== undefined) return { name, secret: concealed(copy(key.secret)) };
  return { name, aesKey: concealed(copy(key.aesKey)), hmacKey: concealed(copy(key.hmacKey)) };
}

/** Throws `UsageError('invalid_key')` for a key that must not protect tickets. No message holds a byte of it. */
export function requireStrongTicketKey(key: TicketKey): void {
  // The compiler knows the types; configuration that comes from JSON or JavaScript does not.
  if (key.secret !== undefined) {
    requireLength(
      'name',
      key.name,
      (length) => length === ticketKeyNameLength || length === shortKeyNameLength,
      '16 or 4',
    );
    requireLength('secret', key.secret, (length) => length >= shortestSecret, `at least ${String(shortestSecret)}`);
    requireUnpredictable('secret', key.secret);
  } else {
    requireLength('name', key.name, (length) => length === ticketKeyNameLength, '16');
    requireLength('aesKey', key.aesKey, (length) => length === 16 || length === 32, '16 or 32');
    requireLength(
      'hmacKey',
      key.hmacKey,
      (length) => length >= shortestHmacKey && length <= longestHmacKey,
      `${String(shortestHmacKey)} to ${String(longestHmacKey)}`,
    );
    requireUnpredictable('aesKey', key.aesKey);
    requireUnpredictable('hmacKey', key.hmacKey);
    const shared = Math.min(key.aesKey.length, key.hmacKey.length);
    if (equalConstantTime(key.aesKey.subarray(0, shared), key.hmacKey.subarray(0, shared)))
      throw new UsageError('invalid_key', 'aesKey and hmacKey start with the same bytes: they have to be independent');
  }
  requireOrderedTimes(key);
}

function requireLength(part: string, bytes: unknown, fits: (length: number) => boolean, expected: string): void {
  if (!(bytes instanceof Uint8Array)) throw new UsageError('invalid_key', `ticket key without ${part}`);
  if (!fits(bytes.length))
    throw new UsageError('invalid_key', `${part} of ${String(bytes.length)} bytes, expected ${expected}`);
}

function requireUnpredictable(part: string, bytes: Uint8Array): void {
  const weakness = weaknessOf(bytes);
  if (weakness !== undefined) throw new UsageError('invalid_key', `${part} ${weakness}: not a random key`);
}

/** As many bytes of a secret are looked at: the time that it takes grows with their square. */
const longestLook = 1024;

/** What gives the bytes away as no random ones. Random ones of 16 bytes do this once in 2^64 at the most. */
export function weaknessOf(secret: Uint8Array): string | undefined {
  const bytes = secret.subarray(0, longestLook);
  for (let period = 1; period <= bytes.length / 2; period++) {
    if (equalConstantTime(bytes.subarray(period), bytes.subarray(0, bytes.length - period)))
      return `repeats itself every ${String(period)} bytes`;
  }
  const steps = bytes.subarray(1).map((byte, i) => byte - (bytes[i] ?? 0));
  return steps.every((step) => step === steps[0]) ? 'counts in equal steps' : undefined;
}

function requireOrderedTimes({ sealsFrom = -Infinity, sealsUntil = Infinity, opensUntil = Infinity }: TicketKey): void {
  if (sealsFrom <= sealsUntil && sealsUntil <= opensUntil) return;
  if (sealsFrom <= opensUntil && sealsUntil === Infinity) return;
  throw new UsageError('invalid_key', 'the times of a ticket key have to be sealsFrom <= sealsUntil <= opensUntil');
}
