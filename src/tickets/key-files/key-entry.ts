/**
 * What stands in a key file, before anybody asks whether it is any good: the parts of each key, and what is wrong with the rest. Reading
 * never throws, so that a lint can tell everything at once; nothing here holds or quotes a byte of a key in a message.
 */
import type { TicketKeyTimes } from '../ticket-key.js';
import type { KeyPartName } from './layouts.js';

/** One key, in views on the file or arrays of its own. */
export interface KeyEntry {
  /** Of its file, or of the key in its file, from 0. */
  readonly index: number;
  /** Where it stands, for messages: `file 1`, `line 3`. */
  readonly place: string;
  readonly parts: Readonly<Partial<Record<KeyPartName | 'secret', Uint8Array>>>;
  readonly times: TicketKeyTimes;
}

/** What keeps a file from being read as its layout has it. */
export interface KeyFileProblem {
  readonly code: 'wrong_size' | 'too_large' | 'too_few_keys' | 'too_many_keys' | 'too_many_files' | 'unreadable';
  /** Of the file or the key, from 0. */
  readonly index: number;
  readonly message: string;
}

export interface KeyFileContents {
  /** In the order of the file. */
  readonly entries: readonly KeyEntry[];
  readonly problems: readonly KeyFileProblem[];
  /** Bytes after a key, which the server leaves unread. */
  readonly unreadBytes: number;
}

/** Most bytes of all files of one set of keys. */
export const longestKeyFiles = 2 ** 16;
/** Most keys of one set: as many as a `KeyRing` holds unless told otherwise. */
export const mostKeysInFiles = 64;
