/**
 * This library's own file of keys: a list in JSON, parts in lower-case hexadecimal and times in ISO 8601. It has room for every key and
 * all its times, which no file of a server has.
 *
 * ```json
 * [{ "name": "…", "aesKey": "…", "hmacKey": "…", "sealsFrom": "2026-11-22T00:00:00.000Z" }]
 * ```
 */
import { fromHex, toHex } from '../../bytes.js';
import type { TicketKey } from '../ticket-key.js';
import { isList, isRecord, parseJson } from './parse-json.js';
import type { KeyEntry } from './key-entry.js';

const partNames = ['name', 'aesKey', 'hmacKey', 'secret'] as const;
const timeNames = ['sealsFrom', 'sealsUntil', 'opensUntil'] as const;
/** Infinity; the others are ISO 8601 in UTC. */
const never = 'never';
/** The end of the year 9999: years of more digits are written in another way. */
const lastTime = 253_402_300_799_999;

/** The keys in the order of the file, or what is wrong with it. */
export function readKeysJson(text: string): readonly KeyEntry[] | string {
  const list = parseJson(text);
  if (!isList(list)) return 'expected a list of keys in JSON';
  const entries: KeyEntry[] = [];
  for (const [i, value] of list.entries()) {
    const entry = entryOf(value, i);
    if (typeof entry === 'string') return entry;
    entries.push(entry);
  }
  return entries;
}

function entryOf(value: unknown, index: number): KeyEntry | string {
  const place = `key ${String(index + 1)}`;
  if (!isRecord(value)) return `${place} is not an object`;
  const known: readonly string[] = [...partNames, ...timeNames];
  if (Object.keys(value).some((property) => !known.includes(property)))
    return `${place}: expected none but ${known.join(', ')}`;

  const given = partNames.filter((part) => part in value).join(' ');
  if (given !== 'name aesKey hmacKey' && given !== 'name secret')
    return `${place}: expected name, aesKey and hmacKey, or name and secret`;
  const parts: Partial<Record<(typeof partNames)[number], Uint8Array>> = {};
  for (const part of partNames) {
    const text = value[part];
    if (text === undefined) continue;
    if (typeof text !== 'string' || text.length % 2 !== 0 || !/^[0-9A-Fa-f]+$/.test(text))
      return `${place}: ${part} is not hexadecimal`;
    parts[part] = fromHex(text);
  }

  const times: Partial<Record<(typeof timeNames)[number], number>> = {};
  for (const time of timeNames) {
    if (!(time in value)) continue;
    const milliseconds = timeOf(value[time]);
    if (milliseconds === undefined) return `${place}: expected ${time} as 2026-11-22T00:00:00Z or "${never}"`;
    times[time] = milliseconds;
  }
  return { index, place, parts, times };
}

function timeOf(text: unknown): number | undefined {
  if (text === never) return Infinity;
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

export function writeKeysJson(keys: readonly TicketKey[]): string {
  return `${JSON.stringify(keys.map(plainKey), undefined, 2)}\n`;
}

function plainKey(key: TicketKey): Readonly<Record<string, string>> {
  const plain: Record<string, string> = {};
  for (const part of partNames) {
    const bytes = key[part];
    if (bytes !== undefined) plain[part] = toHex(bytes);
  }
  for (const time of timeNames) {
    const milliseconds = key[time];
    if (milliseconds !== undefined && !(time === 'sealsFrom' && milliseconds === -Infinity))
      plain[time] = textOf(milliseconds);
  }
  return plain;
}

/** Times before 1970 become its first moment: `sealsUntil` of a key that only opens is minus infinity. */
function textOf(milliseconds: number): string {
  return milliseconds > lastTime ? never : new Date(Math.max(milliseconds, 0)).toISOString();
}
