/**
 * What lua-ssl-nginx-module does to a list of ticket keys, the one that seals first. The surprising thing: its keys have no times, and
 * stay in the list until others push them out.
 */
import { equal } from '../bytes.js';
import type { TicketKey } from './ticket-key.js';

/** `update_ticket_encryption_key`: `key` in front, of whose elders no more than `count - 1` stay, and only open. */
export function withEncryptionKey(keys: readonly TicketKey[], key: TicketKey, count: number): readonly TicketKey[] {
  const older = keys.filter(({ name }) => !equal(name, key.name));
  return [key, ...older.map((other) => (other.sealsFrom === Infinity ? other : retired(other)))].slice(0, count);
}

/** `update_last_ticket_decryption_key`: `key`, which seals at somebody's word, in place of the last that does not stand alone. */
export function withLastDecryptionKey(keys: readonly TicketKey[], key: TicketKey): readonly TicketKey[] {
  const kept = keys.length > 1 ? keys.slice(0, -1) : keys;
  return [...kept, { ...key, sealsFrom: Infinity, opensUntil: Infinity }];
}

function retired({ sealsFrom: _, opensUntil = Infinity, ...key }: TicketKey): TicketKey {
  return { ...key, sealsUntil: -Infinity, opensUntil };
}
