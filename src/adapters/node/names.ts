/**
 * OpenSSL's names beside those of IANA: `node:tls` users write the former, this library the latter.
 */
import type { KeyExchangeGroup } from '../../crypto/backend.js';
import { UsageError } from '../../errors.js';
import {
  isTls12CipherSuite,
  isTls13CipherSuite,
  tls12Suites,
  tls13Suites,
  type SupportedCipherSuite,
  type Tls12CipherSuite,
} from '../../key-schedule/suites.js';

const opensslSuites = {
  // OpenSSL has no GCM here: its manner of naming.
  TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256: 'ECDHE-PSK-AES128-GCM-SHA256',
  TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384: 'ECDHE-PSK-AES256-GCM-SHA384',
  TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-PSK-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
} as const satisfies Record<Tls12CipherSuite, string>;

const suites: readonly SupportedCipherSuite[] = [
  ...Object.keys(tls13Suites).filter(isTls13CipherSuite),
  ...Object.keys(tls12Suites).filter(isTls12CipherSuite),
];

/** The name that OpenSSL and `node:tls` have for a suite; for those of TLS 1.3 they use IANA's. */
export function opensslCipherName(suite: SupportedCipherSuite): string {
  return isTls12CipherSuite(suite) ? opensslSuites[suite] : suite;
}

/** Suites from a list, or from a text with colons between; either kind of name. Throws `UsageError` for any other. */
export function parseCiphers(ciphers: string | readonly string[]): SupportedCipherSuite[] {
  return names(ciphers).map((name) => {
    const suite = suites.find((candidate) => candidate === name || opensslCipherName(candidate) === name);
    if (suite === undefined)
      throw new UsageError(
        'invalid_option',
        `\`ciphers\`: ${name} is none of ${suites.map(opensslCipherName).join(', ')}`,
      );
    return suite;
  });
}

const groupNames: Readonly<Record<string, KeyExchangeGroup>> = {
  x25519: 'x25519',
  secp256r1: 'secp256r1',
  prime256v1: 'secp256r1',
  'p-256': 'secp256r1',
  secp384r1: 'secp384r1',
  'p-384': 'secp384r1',
  secp521r1: 'secp521r1',
  'p-521': 'secp521r1',
  x25519mlkem768: 'X25519MLKEM768',
  secp256r1mlkem768: 'SecP256r1MLKEM768',
  secp384r1mlkem1024: 'SecP384r1MLKEM1024',
  mlkem512: 'MLKEM512',
  mlkem768: 'MLKEM768',
  mlkem1024: 'MLKEM1024',
};

const listedGroups =
  'X25519, P-256, P-384, P-521, X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, MLKEM512, MLKEM768, MLKEM1024';

/** Groups from a list, or from a text with colons between; names of IANA, OpenSSL and NIST. `auto` leaves the choice. */
export function parseGroups(groups: string | readonly string[]): KeyExchangeGroup[] | undefined {
  if (groups === 'auto') return undefined;
  return names(groups).map((name) => {
    const group = groupNames[name.toLowerCase()];
    if (group === undefined)
      throw new UsageError('invalid_option', `\`ecdhCurve\`: ${name} is none of ${listedGroups}`);
    return group;
  });
}

function names(list: string | readonly string[]): readonly string[] {
  return typeof list === 'string' ? list.split(':') : list;
}
