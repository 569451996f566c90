/**
 * `formatTicketKeys`: keys as the files of a server, for a fleet in which one host makes them and others read them, each in its own layout.
 */
import { ascii, empty, join } from '../../bytes.js';
import { UsageError } from '../../errors.js';
import type { AesHmacTicketKey, TicketKey } from '../ticket-key.js';
import { toBase64 } from '../../presentation/base64.js';
import { writeEnvoyJson } from './envoy-json.js';
import { h2oHmacKeyLength, writeH2oYaml, type H2oKey } from './h2o-yaml.js';
import { keyFileLayout, type KeyFileLayoutName, type KeyPartName } from './layouts.js';
import { writeKeysJson } from './keys-json.js';

export interface FormatTicketKeysOptions {
  /** Milliseconds: what the keys' times are held against. Required where a key carries times and the layout has no room for them. */
  readonly now?: number;
}

/**
 * The files of a server that is to use `keys`, which are in the order of preference as {@link KeyRing.exportKeys} has them: several files
 * where the layout has one key in each, one otherwise. Keys that have expired are left out. Times stay behind where the layout has none: the
 * files say who seals, who is next and who only opens at `now`, and have to be written anew when that changes. `json` has
 * all keys as they are. Files are secrets.
 *
 * Throws `UsageError`: `invalid_key` for keys that do not fit the layout by their lengths or number, `no_sealing_key` if none of them seals at
 * `now`, and `invalid_option` without `now`.
 */
export function formatTicketKeys(
  layout: KeyFileLayoutName,
  keys: readonly TicketKey[],
  options: FormatTicketKeysOptions = {},
): Uint8Array[] {
  const { encoding, parts } = keyFileLayout(layout);
  if (layout === 'apache48-ossl3' || parts.some(([part]) => part === 'seed'))
    throw new UsageError('invalid_key', `${layout}: keys cannot be turned back into what they were made of`);
  if (encoding === 'json') return [ascii(writeKeysJson(keys))];

  const roles = rolesOf(layout, keys, options.now);
  const ordered = inOrderOfFile(layout, roles);
  if (encoding === 'h2o_yaml') return [ascii(writeH2oYaml(h2oKeys(layout, roles)))];
  const written = ordered.map((key) => join(parts.map(([part, length]) => fitted(layout, key, part, length))));
  switch (encoding) {
    case 'raw':
      return written;
    case 'base64_lines':
      return [ascii(written.map((key) => `${toBase64(key)}\n`).join(''))];
    case 'envoy_json':
      return [ascii(writeEnvoyJson(written))];
  }
}

interface Roles {
  readonly sealing: AesHmacTicketKey;
  /** The one whose turn comes first, first. */
  readonly next: readonly AesHmacTicketKey[];
  readonly previous: readonly AesHmacTicketKey[];
}

/** As a `KeyRing` assigns them. */
function rolesOf(layout: KeyFileLayoutName, keys: readonly TicketKey[], now: number | undefined): Roles {
  const timed = keys.some((key) => [key.sealsFrom, key.sealsUntil, key.opensUntil].some(Number.isFinite));
  if (timed && now === undefined)
    throw new UsageError('invalid_option', `${layout}: the keys carry times: say \`now\`, for which the files are`);
  const time = now ?? 0;
  const alive = keys.filter(({ opensUntil = Infinity }) => time < opensUntil).map((key) => requireAesHmac(layout, key));
  const active = alive.filter(({ sealsUntil = Infinity }) => time < sealsUntil).filter((key) => startOf(key) <= time);
  const [first, ...others] = active;
  if (first === undefined) throw new UsageError('no_sealing_key', `${layout}: none of the keys seals at that time`);
  const sealing = others.reduce((best, key) => (startOf(key) > startOf(best) ? key : best), first);
  const next = alive.filter((key) => startOf(key) > time).sort(earliestFirst);
  return { sealing, next, previous: alive.filter((key) => key !== sealing && !next.includes(key)) };
}

function startOf({ sealsFrom = -Infinity }: TicketKey): number {
  return sealsFrom;
}

function earliestFirst(a: TicketKey, b: TicketKey): number {
  return startOf(a) < startOf(b) ? -1 : Number(startOf(a) > startOf(b));
}

function requireAesHmac(layout: KeyFileLayoutName, key: TicketKey): AesHmacTicketKey {
  if (key.secret === undefined) return key;
  throw new UsageError('invalid_key', `${layout}: got a key of one secret, expected aesKey and hmacKey`);
}

function inOrderOfFile(layout: KeyFileLayoutName, { sealing, next, previous }: Roles): readonly AesHmacTicketKey[] {
  const { server, seals, keyCount } = keyFileLayout(layout);
  const count = 1 + next.length + previous.length;
  const got = `got 1 key that seals, ${String(next.length)} to come and ${String(previous.length)} before it`;
  if (seals === 'last_but_one') {
    // One more before the three would be forgotten by the server, and one less moves another key to the place that seals.
    if (next.length !== 1 || previous.length !== 1)
      throw new UsageError('invalid_key', `${layout}: ${got}, expected 1 of each: ${server} keeps three`);
    return [...previous, sealing, ...next];
  }
  if (count > keyCount[1]) throw new UsageError('invalid_key', `${layout}: ${got}, expected 1 in all`);
  return [sealing, ...next, ...previous];
}

function fitted(layout: KeyFileLayoutName, key: AesHmacTicketKey, part: KeyPartName, length: number): Uint8Array {
  // Layouts of seeds were refused before.
  const bytes = part === 'seed' ? empty : key[part];
  if (bytes.length === length) return bytes;
  throw new UsageError(
    'invalid_key',
    `${layout}: got ${part} of ${String(bytes.length)} bytes, expected ${String(length)}`,
  );
}

/**
 * h2o seals with the key whose `not_before` came last, so a key without that time gets one: the first moment of 1970 for those that only
 * open, a second later than all of them for the one that seals, and never for one that waits for a word.
 */
function h2oKeys(layout: KeyFileLayoutName, { sealing, next, previous }: Roles): readonly H2oKey[] {
  const older = previous.map((key) => h2oKey(layout, key, 0));
  const latest = Math.max(-1000, ...older.map(({ times }) => times.sealsFrom));
  const coming = next.map((key) => h2oKey(layout, key, 0));
  return [...coming.reverse(), h2oKey(layout, sealing, latest + 1000), ...older];
}

function h2oKey(layout: KeyFileLayoutName, key: AesHmacTicketKey, earliest: number): H2oKey {
  const { name, aesKey, hmacKey, opensUntil = Infinity } = key;
  if (hmacKey.length > h2oHmacKeyLength)
    throw new UsageError(
      'invalid_key',
      `${layout}: got hmacKey of ${String(hmacKey.length)} bytes, expected at most ${String(h2oHmacKeyLength)}`,
    );
  return { name, aesKey, hmacKey, times: { sealsFrom: Math.max(startOf(key), earliest), opensUntil } };
}
