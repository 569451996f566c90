/**
 * `parseTicketKeys`: the keys in a server's files as a `KeyRing` takes them, in the order in which that server prefers them.
 */
import { copy, empty, wipe } from '../../bytes.js';
import { concealed } from '../../concealed.js';
import { sha512 } from '../../crypto/noble-foreign.js';
import { UsageError } from '../../errors.js';
import type { TicketKey } from '../ticket-key.js';
import type { KeyEntry } from './key-entry.js';
import { keyFileLayout, type KeyFileLayoutName } from './layouts.js';
import { forgetKeys, readKeyFiles } from './read.js';

/**
 * Reads the files of one server; several only where its layout has one key in each. The first key seals, `sealsFrom: Infinity` marks
 * one that is there for other hosts' tickets until its turn comes, and the others open: `ring.replace(parseTicketKeys('nginx80', files))`.
 * The bytes are copied; whoever read the files wipes them.
 *
 * Throws `UsageError('invalid_key')` for files that are not of the layout, without a byte of them in the message. Whether the keys are
 * strong is the ring's and {@link lintTicketKeys}'s matter.
 */
export function parseTicketKeys(layout: KeyFileLayoutName, files: Uint8Array | readonly Uint8Array[]): TicketKey[] {
  if (layout === 'gnutls64')
    throw new UsageError(
      'invalid_key',
      'gnutls64: got a master, whose keys follow from the clock: see gnutlsKeySource',
    );
  const { entries, problems } = readKeyFiles(layout, files instanceof Uint8Array ? [files] : files);
  try {
    const [problem] = problems;
    if (problem !== undefined) throw new UsageError('invalid_key', problem.message);
    return inOrderOfUse(layout, entries).map((entry) => ticketKeyOf(layout, entry));
  } finally {
    forgetKeys(layout, entries);
  }
}

/** Entries that the server keeps, the one that it prefers to seal with first. */
export function inOrderOfUse(layout: KeyFileLayoutName, entries: readonly KeyEntry[]): readonly KeyEntry[] {
  switch (keyFileLayout(layout).seals) {
    case 'first':
      return entries;
    case 'newest':
      return [...entries].sort(newestFirst);
    case 'last_but_one': {
      const [previous, sealing, next] = entries.slice(-3);
      return [sealing, next && { ...next, times: { sealsFrom: Infinity } }, previous].filter(
        (entry) => entry !== undefined,
      );
    }
  }
}

/** As h2o sorts: of two keys of one time the one whose name is smaller. */
function newestFirst(a: KeyEntry, b: KeyEntry): number {
  const difference = (b.times.sealsFrom ?? 0) - (a.times.sealsFrom ?? 0);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  const other = b.parts.name ?? empty;
  for (const [i, byte] of (a.parts.name ?? other).entries()) if (byte !== other[i]) return byte - (other[i] ?? 0);
  return 0;
}

function ticketKeyOf(layout: KeyFileLayoutName, { parts, times }: KeyEntry): TicketKey {
  const { name = empty, aesKey, hmacKey, secret, seed } = parts;
  if (seed !== undefined) return { ...goKey(seed), ...times };
  if (secret !== undefined) return { name: copy(name), secret: secretOf(secret), ...times };
  const mac = layout === 'apache48-ossl3' ? new Uint8Array(16) : hmacKey;
  return { name: copy(name), aesKey: secretOf(aesKey), hmacKey: secretOf(mac), ...times };
}

function secretOf(part: Uint8Array = empty): Uint8Array {
  return concealed(copy(part));
}

/** crypto/tls `ticketKeyFromBytes`, up to Go 1.20; later ones use the same bytes and leave the name out of tickets. */
function goKey(seed: Uint8Array): { name: Uint8Array; aesKey: Uint8Array; hmacKey: Uint8Array } {
  const derived = sha512(seed);
  const key = {
    name: derived.slice(0, 16),
    aesKey: concealed(derived.slice(16, 32)),
    hmacKey: concealed(derived.slice(32, 48)),
  };
  wipe(derived);
  return key;
}
