/**
 * Finds secrets in text, however they were written down: hexadecimal, base64 and base64url at any alignment, lists of decimal
 * numbers as arrays and objects print them, one character for each byte. Eight bytes in a row are a find.
 */
import { inspect } from 'node:util';
import { toHex } from '../../src/bytes.js';

const windowLength = 8;

export class SecretSearch {
  readonly #windows = new Map<string, string>();
  /** Whether a window begins with these two bytes: hardly anything does, and a look here costs little. */
  readonly #beginnings = new Uint8Array(2 ** 16);

  /** `name` says in a failure what was found. Bytes that are no secret in any run (zeros, counters) are left out. */
  add(name: string, secret: Uint8Array): void {
    const bytes = Buffer.from(secret);
    for (let at = 0; at + windowLength <= bytes.length; at++) {
      const window = bytes.subarray(at, at + windowLength);
      if (new Set(window).size <= 4) continue;
      this.#windows.set(window.toString('latin1'), `${name} (${toHex(window)})`);
      this.#beginnings[window.readUInt16BE()] = 1;
    }
  }

  get size(): number {
    return this.#windows.size;
  }

  /** What was found first. */
  find(text: string): string | undefined {
    for (const bytes of readings(text)) {
      for (let at = 0; at + windowLength <= bytes.length; at++) {
        if (this.#beginnings[bytes.charCodeAt(at) * 256 + bytes.charCodeAt(at + 1)] !== 1) continue;
        const found = this.#windows.get(bytes.slice(at, at + windowLength));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** As {@link find}, in all that printing a value can show. */
  findPrinted(value: unknown): string | undefined {
    for (const text of printed(value)) {
      const found = this.find(text);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** A value as people print it. */
export function printed(value: unknown): string[] {
  const everything = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, breakLength: Infinity };
  const texts = [
    inspect(value, everything),
    inspect(value, { ...everything, showHidden: true }),
    inspect(value, { ...everything, compact: false, breakLength: 80 }),
    attempt(() => String(value)),
    attempt(() => JSON.stringify([value], (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))),
  ];
  if (value instanceof Error) texts.push(value.message, value.stack ?? '', ...printed(value.cause ?? ''));
  if (typeof value === 'object' && value !== null)
    texts.push(...Object.values(value).map((part: unknown) => attempt(() => String(part))));
  return texts;
}

/** What has no such text (a circle) shows nothing by it. */
function attempt(write: () => string): string {
  try {
    return write();
  } catch {
    return '';
  }
}

/** The bytes that a text may stand for, one character each. */
function* readings(text: string): Generator<string> {
  yield text;
  yield unescaped(text);
  const pairs = text.replace(/\b([0-9a-f]{2})[\s:,]+(?=[0-9a-f]{2}\b)/gi, '$1');
  for (const [run] of pairs.matchAll(/[0-9a-f]{16,}/gi))
    for (const from of [0, 1]) yield Buffer.from(run.slice(from), 'hex').toString('latin1');
  const numbers = text.replace(/["']?\d+["']?:\s*(?=\d{1,3}\b)/g, '');
  for (const [run] of numbers.matchAll(/\d{1,3}(?:[\s,]+\d{1,3}){7,}/g))
    yield String.fromCharCode(...run.split(/[\s,]+/).map(Number));
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{12,}/g))
    for (const from of [0, 1, 2, 3]) yield Buffer.from(run.slice(from), 'base64').toString('latin1');
}

/** Without the escapes of `inspect` and JSON. */
function unescaped(text: string): string {
  const named: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b', f: '\f', r: '\r', v: '\v' };
  return text.replace(/\\(?:x([0-9a-f]{2})|u00([0-9a-f]{2})|.)/gi, (escape, x?: string, u?: string) => {
    const code = x ?? u;
    const other = escape.slice(1);
    return code === undefined ? (named[other] ?? other) : String.fromCharCode(Number.parseInt(code, 16));
  });
}
