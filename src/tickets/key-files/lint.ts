/**
 * `lintTicketKeys`: what is wrong with files of ticket keys, and what their server makes of it. Servers take nearly anything of the right
 * size, and a key that somebody can guess protects nothing ("We Really Need to Talk About Session Tickets", USENIX Security 2023).
 */
import { equal, equalConstantTime, join } from '../../bytes.js';
import { weaknessOf } from '../ticket-key.js';
import type { KeyEntry, KeyFileProblem } from './key-entry.js';
import { keyFileLayout, keyLength, type KeyFileLayout, type KeyFileLayoutName } from './layouts.js';
import { publicationOf } from './known-keys.js';
import { inOrderOfUse } from './parse.js';
import { forgetKeys, readKeyFiles } from './read.js';

/** What is wrong; `readable_by_others` is {@link watchKeyFiles}'s. */
export type KeyFileFindingCode =
  | KeyFileProblem['code']
  | 'zero'
  | 'constant'
  | 'repeating'
  | 'counting'
  | 'few_values'
  | 'text'
  | 'known_public'
  | 'equal_parts'
  | 'equal_keys'
  | 'equal_names'
  | 'single_key'
  | 'unread_bytes'
  | 'unused_keys'
  | 'readable_by_others';

export interface KeyFileFinding {
  readonly code: KeyFileFindingCode;
  /** Errors are what no server should seal with, and what the ring refuses or does not understand. */
  readonly severity: 'error' | 'warning';
  /** Of the key in its files, or of the file, from 0. */
  readonly index: number;
  /** Without a byte of a key. */
  readonly message: string;
  /** What follows from it at the server that the layout is for. */
  readonly effect: string;
}

/** Looks at the files of one server as {@link parseTicketKeys} takes them; empty where there is nothing to say. Never throws. */
export function lintTicketKeys(layout: KeyFileLayoutName, files: Uint8Array | readonly Uint8Array[]): KeyFileFinding[] {
  const facts = keyFileLayout(layout);
  const { entries, problems, unreadBytes } = readKeyFiles(layout, files instanceof Uint8Array ? [files] : files);
  const findings = [
    ...problems.map((problem) => ({ ...problem, severity: 'error' as const, effect: facts.otherwise })),
    ...(unreadBytes > 0 ? [unread(layout, facts, unreadBytes)] : []),
    ...entries.flatMap(findingsInKey),
    ...entries.flatMap((entry, i) => findingsBetween(entry, entries.slice(0, i))),
    ...(problems.length === 0 ? findingsInNumber(layout, facts, entries) : []),
  ];
  forgetKeys(layout, entries);
  return findings;
}

function unread(layout: KeyFileLayoutName, facts: KeyFileLayout, bytes: number): KeyFileFinding {
  return {
    code: 'unread_bytes',
    severity: 'warning',
    index: 0,
    message: `${layout}: got ${String(bytes)} bytes after the first ${String(keyLength(facts))}`,
    effect: `${facts.server} reads ${String(keyLength(facts))} bytes and leaves the rest unread`,
  };
}

/** A part that its owner chose: not the name, which is public. */
type SecretPart = readonly [part: string, bytes: Uint8Array];

function secretPartsOf({ parts }: KeyEntry): readonly SecretPart[] {
  return Object.entries(parts).filter(([part]) => part !== 'name');
}

const guessable = 'whoever guesses the key makes and reads tickets, and so impersonates the server and its clients';

function findingsInKey(entry: KeyEntry): readonly KeyFileFinding[] {
  const secrets = secretPartsOf(entry);
  const error = (code: KeyFileFindingCode, what: string, effect = guessable): KeyFileFinding => ({
    code,
    severity: 'error',
    index: entry.index,
    message: `${entry.place}: ${what}`,
    effect,
  });
  const findings = secrets.flatMap(([part, bytes]) => {
    const weakness = weaknessIn(bytes);
    return weakness === undefined ? [] : [error(weakness.code, `${part} ${weakness.what}`)];
  });
  const text = textIn(secrets.map(([, bytes]) => bytes));
  if (text !== undefined) findings.push(error('text', text.what, text.effect));
  for (const [part, bytes] of secrets) {
    const publication = publicationOf(bytes);
    if (publication !== undefined)
      findings.push(error('known_public', `${part} is published: ${publication}`, 'everybody has the key'));
  }
  const [first, second] = secrets;
  if (first !== undefined && second !== undefined && startsAlike(first[1], second[1]))
    findings.push(
      error('equal_parts', `${first[0]} and ${second[0]} start with the same bytes`, 'the two have to be independent'),
    );
  return findings;
}

function weaknessIn(bytes: Uint8Array): { readonly code: KeyFileFindingCode; readonly what: string } | undefined {
  const values = new Set(bytes).size;
  if (values === 1)
    return bytes[0] === 0
      ? { code: 'zero', what: 'is all zeros' }
      : { code: 'constant', what: 'is one byte over and over' };
  const what = weaknessOf(bytes);
  if (what !== undefined) return { code: what.startsWith('counts') ? 'counting' : 'repeating', what };
  // Random bytes: 16 of them have 4 values or fewer once in 2^68, and longer ones more seldom.
  return values <= bytes.length / 4
    ? { code: 'few_values', what: `is made of ${String(values)} different bytes` }
    : undefined;
}

/** Random bytes pass for text of 32 characters once in 2^45, and 16 for hexadecimal digits once in 2^56. */
function textIn(secrets: readonly Uint8Array[]): { readonly what: string; readonly effect: string } | undefined {
  const bytes = join(secrets);
  const length = String(bytes.length);
  if (bytes.length >= 16 && bytes.every(isHexDigit))
    return {
      what: `hexadecimal digits where raw bytes belong`,
      effect: `${length} bytes of key are as good as ${String(bytes.length / 2)}`,
    };
  if (bytes.length >= 32 && bytes.every((byte) => byte >= 0x20 && byte <= 0x7e))
    return {
      what: 'text where raw bytes belong',
      effect: `${length} bytes of key are worth three quarters of them at the most`,
    };
  return undefined;
}

function isHexDigit(byte: number): boolean {
  return /[0-9A-Fa-f]/.test(String.fromCharCode(byte));
}

function startsAlike(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  return equalConstantTime(a.subarray(0, length), b.subarray(0, length));
}

function findingsBetween(entry: KeyEntry, earlier: readonly KeyEntry[]): readonly KeyFileFinding[] {
  const findings: KeyFileFinding[] = [];
  const add = (code: KeyFileFindingCode, what: string, effect: string) =>
    findings.push({ code, severity: 'error', index: entry.index, message: `${entry.place}: ${what}`, effect });
  const secrets = secretPartsOf(entry);
  const twin = earlier.find((other) => {
    const others = secretPartsOf(other);
    return secrets.some(([, bytes], i) => equalConstantTime(bytes, others[i]?.[1] ?? new Uint8Array(0)));
  });
  if (twin !== undefined)
    add('equal_keys', `has secret bytes of ${twin.place}`, 'a key that goes on under another name is not rotated');
  const { name } = entry.parts;
  const namesake = earlier.find(
    (other) => name !== undefined && other.parts.name !== undefined && equal(name, other.parts.name),
  );
  if (namesake !== undefined && twin === undefined)
    add(
      'equal_names',
      `has the name of ${namesake.place}`,
      'a server finds one of the two and takes tickets of the other for forgeries',
    );
  return findings;
}

function findingsInNumber(
  layout: KeyFileLayoutName,
  facts: KeyFileLayout,
  entries: readonly KeyEntry[],
): readonly KeyFileFinding[] {
  const warning = (code: KeyFileFindingCode, message: string, effect: string): KeyFileFinding[] => [
    { code, severity: 'warning', index: 0, message: `${layout}: ${message}`, effect },
  ];
  const unused = entries.length - inOrderOfUse(layout, entries).length;
  if (unused > 0)
    return warning(
      'unused_keys',
      `the first ${String(unused)} of ${String(entries.length)} keys are not used`,
      `${facts.server} keeps the last three`,
    );
  if (entries.length > 1 || layout === 'gnutls64') return [];
  return warning(
    'single_key',
    'got one key',
    facts.keyCount[1] === 1
      ? `${facts.server} takes no other: when it is replaced all tickets end`
      : 'when it is replaced all tickets end, unless it stays as one that opens',
  );
}
