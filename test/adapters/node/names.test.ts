import { getCiphers } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { opensslCipherName, parseCiphers, parseGroups } from '../../../src/adapters/node/names.js';
import { tls12Suites, tls13Suites, type SupportedCipherSuite } from '../../../src/key-schedule/suites.js';

const suites = [...Object.keys(tls13Suites), ...Object.keys(tls12Suites)] as SupportedCipherSuite[];

describe('names of cipher suites', () => {
  it.each(suites)('%s has a name that OpenSSL knows, and is found by either', (suite) => {
    const name = opensslCipherName(suite);
    // OpenSSL has no ECDHE_PSK with GCM (RFC 8442): the names are made up in its manner.
    if (!/^ECDHE-PSK-.*-GCM-/.test(name)) expect(getCiphers()).toContain(name.toLowerCase());
    expect(parseCiphers(`${name}:${suite}`)).toEqual([suite, suite]);
    expect(parseCiphers([suite])).toEqual([suite]);
  });

  it.each(['HIGH:!aNULL', 'AES128-GCM-SHA256', 'TLS_AES_128_CCM_SHA256', ''])('refuses %j', (ciphers) => {
    expect(() => parseCiphers(ciphers)).toThrow(
      expect.objectContaining({ name: 'UsageError', code: 'invalid_option' }),
    );
  });
});

describe('names of groups', () => {
  it('are those of OpenSSL, NIST and IANA', () => {
    expect(parseGroups('X25519:prime256v1:P-384')).toEqual(['x25519', 'secp256r1', 'secp384r1']);
    expect(parseGroups(['X25519MLKEM768', 'secp384r1', 'P-256'])).toEqual(['X25519MLKEM768', 'secp384r1', 'secp256r1']);
    expect(parseGroups('P-521:secp521r1:SecP256r1MLKEM768:secp384r1mlkem1024:MLKEM512:MLKEM768:MLKEM1024')).toEqual([
      'secp521r1',
      'secp521r1',
      'SecP256r1MLKEM768',
      'SecP384r1MLKEM1024',
      'MLKEM512',
      'MLKEM768',
      'MLKEM1024',
    ]);
    expect(parseGroups('auto')).toBe(undefined);
  });

  it.each(['P-192', 'X448', 'MLKEM2048', ''])('refuses %j', (groups) => {
    expect(() => parseGroups(groups)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  });
});
