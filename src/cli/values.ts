/** Values of command line options: each function takes the text and answers what it means, or refuses it by name. */
import { InvalidArgumentError } from 'commander';
import { fromHex } from '../bytes.js';
import type { KeyExchangeGroup } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import type { SupportedCipherSuite } from '../key-schedule/suites.js';
import { parseCiphers, parseGroups } from '../adapters/node/names.js';

export type Version = 'TLSv1.2' | 'TLSv1.3';

/** An external pre-shared key. */
export interface Psk {
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** The same, or `off`; 0 is `off` as well. */
export function wholeNumberOrOff(max: number): (text: string) => number | 'off' {
  return (text) => {
    if (text === 'off') return 'off';
    const value = Number(text);
    if (/^\d+$/.test(text) && value <= max) return value === 0 ? 'off' : value;
    throw new InvalidArgumentError(`Expected off or a whole number up to ${max}.`);
  };
}

/** `TLSv1.3`, `tls1.3`, `tls1_3` or `1.3`. */
export function version(text: string): Version {
  const [, minor] = /^(?:tls)?v?1[._]([23])$/i.exec(text) ?? [];
  if (minor === undefined) throw new InvalidArgumentError('Expected TLSv1.2 or TLSv1.3.');
  return minor === '2' ? 'TLSv1.2' : 'TLSv1.3';
}

/** Names of IANA or OpenSSL, most preferred first. */
export function suites(text: string): readonly SupportedCipherSuite[] {
  return named(() => parseCiphers(list(text)));
}

/** Names of IANA, OpenSSL or NIST, most preferred first. */
export function groups(text: string): readonly KeyExchangeGroup[] {
  return named(() => parseGroups(list(text)) ?? []);
}

/** Protocol names of RFC 7301. */
export function protocols(text: string): readonly string[] {
  return list(text, ',');
}

/** `ID:HEX`; an identity may have colons itself. */
export function psk(text: string): Psk {
  const [, identity, hex] = /^(.+):([0-9a-f]+)$/is.exec(text) ?? [];
  if (identity === undefined || hex === undefined || hex.length % 2 !== 0)
    throw new InvalidArgumentError('Expected an identity, a colon and a key in hex.');
  return { identity: new TextEncoder().encode(identity), key: fromHex(hex) };
}

/** `HOST:PORT`; IPv6 addresses in brackets or bare. */
export function target(text: string): Target {
  const [, bracketed, plain, digits = ''] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65535) throw new InvalidArgumentError('Expected HOST:PORT.');
  return { host, port };
}

/** For options that may be given several times. */
export function collect<T>(
  parse: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before = []) => [...before, parse(text)];
}

function list(text: string, separator: string | RegExp = /[:,]/): string[] {
  const names = text.split(separator).map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('Expected names with commas between.');
  return names;
}

/** The error of a name, without the option of `node:tls` that it begins with. */
function named<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw new InvalidArgumentError(`${error.message.replace(/^`\w+`: /, '')}.`);
    throw error;
  }
}
