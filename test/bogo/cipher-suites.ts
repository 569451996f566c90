/**
 * The part of OpenSSL's cipher strings that the runner writes: suites by name, `[A|B]` for suites of equal preference, and the
 * few words below. TLS 1.3 has no say in them.
 */
import { type SupportedCipherSuite } from '../../src/index.js';
import { Unimplemented } from './flags.js';

const tls12 = [
  'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
] as const satisfies readonly SupportedCipherSuite[];

/** Of the same hardware that the runner asks about: this is no place to measure it. */
const tls13 = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
] as const satisfies readonly SupportedCipherSuite[];

/** Most preferred first, equal ones together. */
export type SuiteGroups = readonly (readonly SupportedCipherSuite[])[];

/** Suites of a string. `undefined` has no preference at all. */
export function cipherSuiteGroups(text: string | undefined): SuiteGroups {
  if (text === undefined) return [tls13, tls12];
  const terms = text.split(/:(?![^[]*\])/);
  const removed = terms.filter((term) => term.startsWith('!')).map((term) => term.slice(1));
  const groups = terms
    .filter((term) => !term.startsWith('!'))
    .map((term) =>
      term
        .replace(/^\[|\]$/g, '')
        .split(/[|:]/)
        .flatMap(suitesOf),
    );
  const left = groups.map((group) => group.filter((suite) => !removed.some((word) => suite.includes(`_${word}_`))));
  return [tls13, ...left.filter((group) => group.length > 0)];
}

/** Suites that we lack are left out, as a library does that was built without them. */
function suitesOf(word: string): readonly SupportedCipherSuite[] {
  if (word === 'ALL' || word === 'DEFAULT') return tls12;
  if (word === '3DES') return [];
  if (word === 'AES128') return tls12.filter((suite) => suite.includes('AES_128'));
  if (!word.startsWith('TLS_')) throw new Unimplemented(`-cipher ${word}`);
  return tls12.filter((suite) => suite === word);
}

/** Equal ones stand in the client's order. */
export function inClientsOrder(
  groups: SuiteGroups,
  offered: readonly (string | number)[],
): readonly SupportedCipherSuite[] {
  const rank = (suite: string) => (offered.includes(suite) ? offered.indexOf(suite) : offered.length);
  return groups.flatMap((group) => [...group].sort((a, b) => rank(a) - rank(b)));
}
