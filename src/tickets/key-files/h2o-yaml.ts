/**
 * h2o's `ticket-file`: a list of maps in YAML, one for each key. Read is what h2o itself writes and its manual shows, with comments and quotes;
 * anything else that YAML can do is refused with the number of the line, because a key that is read otherwise than h2o reads it is a wrong key.
 *
 * The surprising thing: the MAC key is as long as a block of the hash, 64 bytes with SHA-256, not as its output. HMAC fills shorter keys
 * up with zeros (RFC 2104 2), so a key of 32 bytes and the same with 32 zeros behind it are one.
 */
import { concat, equalConstantTime, fromHex, toHex } from '../../bytes.js';
import type { TicketKeyTimes } from '../ticket-key.js';
import type { KeyEntry } from './key-entry.js';

const aesKeyLengths = new Map([
  ['AES-128-CBC', 16],
  ['AES-256-CBC', 32],
]);
/** RFC 2104 2: B of SHA-256. */
export const h2oHmacKeyLength = 64;
/** Greatest value of h2o's 64 bits: never. */
const never = '18446744073709551615';

const attributes = ['name', 'cipher', 'hash', 'key', 'not_before', 'not_after'] as const;
type Attribute = (typeof attributes)[number];
type Item = Map<Attribute, string>;

/** The keys in the order of the file, or what is wrong with it. */
export function readH2oYaml(text: string): readonly KeyEntry[] | string {
  const items: Item[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const place = `line ${String(i + 1)}`;
    if (/^\s*(#.*)?$/.test(line) || (items.length === 0 && /^---\s*$/.test(line))) continue;
    const [, lead, label, doubleQuoted, singleQuoted, bare] =
      /^(- | {2})([a-z_]+): +(?:"([^"\\]*)"|'([^']*)'|([\w-]+))\s*(?:\s#.*)?$/.exec(line) ?? [];
    const attribute = attributes.find((known) => known === label);
    const value = doubleQuoted ?? singleQuoted ?? bare;
    if (attribute === undefined || value === undefined)
      return `${place} is not what is read of YAML: "- attribute: value" or "  attribute: value", of ${attributes.join(', ')}`;
    if (lead === '- ') items.push(new Map());
    const item = items.at(-1);
    if (item === undefined) return `${place}: got an attribute before the first "- "`;
    if (item.has(attribute)) return `${place}: ${attribute} stands there twice`;
    item.set(attribute, value);
  }
  const entries: KeyEntry[] = [];
  for (const [i, item] of items.entries()) {
    const entry = entryOf(item, i);
    if (typeof entry === 'string') return entry;
    entries.push(entry);
  }
  return entries;
}

function entryOf(item: Item, index: number): KeyEntry | string {
  const place = `key ${String(index + 1)}`;
  const values = attributes.map((attribute) => item.get(attribute));
  const missing = values.indexOf(undefined);
  if (missing !== -1) return `${place} has no ${attributes[missing] ?? ''}`;
  const [name = '', cipher = '', hash = '', key = '', notBefore = '', notAfter = ''] = values;

  if (!isHex(name, 16)) return `${place}: got a name that is not 16 bytes in hexadecimal`;
  const aesKeyLength = aesKeyLengths.get(cipher.toUpperCase());
  if (aesKeyLength === undefined) return `${place}: expected cipher ${[...aesKeyLengths.keys()].join(' or ')}`;
  if (!/^sha-?256$/i.test(hash)) return `${place}: expected hash SHA256`;
  const keyLength = aesKeyLength + h2oHmacKeyLength;
  if (!isHex(key, keyLength))
    return `${place}: got a key of ${String(key.length)} characters, expected ${String(keyLength)} bytes in hexadecimal`;
  const [sealsFrom, end] = [milliseconds(notBefore, 0), milliseconds(notAfter, 1)];
  if (sealsFrom === undefined) return `${place}: expected not_before in seconds`;
  if (end === undefined) return `${place}: expected not_after in seconds`;
  if (sealsFrom > end) return `${place}: got not_after before not_before`;

  const bytes = fromHex(key);
  const parts = {
    name: fromHex(name),
    aesKey: bytes.subarray(0, aesKeyLength),
    hmacKey: withoutFilling(bytes.subarray(aesKeyLength)),
  };
  return { index, place, parts, times: { sealsFrom, opensUntil: end } };
}

/** The key of 16 or 32 bytes that another server's file had: only the layout of h2o made it longer. */
function withoutFilling(hmacKey: Uint8Array): Uint8Array {
  const zeros = new Uint8Array(h2oHmacKeyLength);
  const length = [16, 32].find((shorter) => equalConstantTime(hmacKey.subarray(shorter), zeros.subarray(shorter)));
  return hmacKey.subarray(0, length);
}

/** Of a time in seconds and so many more. Infinity where milliseconds of it are no number any more. */
function milliseconds(text: string, more: number): number | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const time = (Number(text) + more) * 1000;
  return Number.isSafeInteger(time) ? time : Infinity;
}

function isHex(text: string, length: number): boolean {
  return text.length === 2 * length && /^[0-9A-Fa-f]*$/.test(text);
}

/** One key for {@link writeH2oYaml}; `hmacKey` has 64 bytes at the most. */
export interface H2oKey {
  readonly name: Uint8Array;
  readonly aesKey: Uint8Array;
  readonly hmacKey: Uint8Array;
  /** Milliseconds. */
  readonly times: Required<Pick<TicketKeyTimes, 'sealsFrom' | 'opensUntil'>>;
}

export function writeH2oYaml(keys: readonly H2oKey[]): string {
  return keys
    .map(({ name, aesKey, hmacKey, times: { sealsFrom, opensUntil } }) => {
      const padding = new Uint8Array(h2oHmacKeyLength - hmacKey.length);
      return [
        `- name: ${toHex(name)}`,
        `  cipher: AES-${String(8 * aesKey.length)}-CBC`,
        '  hash: SHA256',
        `  key: ${toHex(concat(aesKey, hmacKey, padding))}`,
        `  not_before: ${seconds(Math.ceil(sealsFrom / 1000))}`,
        `  not_after: ${seconds(Math.floor(opensUntil / 1000) - 1)}`,
        '',
      ].join('\n');
    })
    .join('');
}

function seconds(time: number): string {
  return time === Infinity ? never : String(Math.max(time, 0));
}
