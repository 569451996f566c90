import { describe, expect, it } from 'vitest';
import { ascii, empty, fromHex, toHex } from '../../src/bytes.js';
import type { HashAlgorithm } from '../../src/crypto/backend.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { importedIdentity, importPsk } from '../../src/key-schedule/psk-importer.js';
import { hex, misuse, refusal } from '../support/decoding.js';
import { readVectors } from '../support/vectors.js';
import { backends } from '../tickets/backends.js';

interface Vectors {
  readonly tests: readonly {
    readonly externalIdentityHex: string;
    readonly contextHex: string;
    readonly targetProtocol: number;
    readonly targetKdf: 1 | 2;
    readonly epskHex: string;
    readonly epskHash: HashAlgorithm;
    readonly importedIdentityHex: string;
    readonly ipskxHex: string;
  }[];
}

const { tests } = readVectors('rfc/psk-importer-rfc9258.json') as Vectors;

describe.each(backends)('importPsk with backend $name', (crypto) => {
  it('R9258-5.1-1 R9258-5.1-2 gives the identities and keys of another implementation', () => {
    for (const test of tests) {
      const target = test.targetKdf === 1 ? 'sha256' : 'sha384';
      const psk = {
        externalIdentity: fromHex(test.externalIdentityHex),
        key: fromHex(test.epskHex),
        context: fromHex(test.contextHex),
        hash: test.epskHash,
      };
      const [imported, ...more] = importPsk(crypto, psk, [target]);
      expect(more).toEqual([]);
      expect({ ...imported, identity: toHex(imported!.identity), key: toHex(imported!.key) }).toEqual({
        kind: 'imported',
        identity: test.importedIdentityHex,
        key: test.ipskxHex,
        hash: target,
      });
    }
    expect(new Set(tests.map(({ epskHash, targetKdf }) => `${epskHash} ${targetKdf}`)).size).toBe(4);
  });
});

describe('importPsk', () => {
  const psk = { externalIdentity: ascii('client1'), key: new Uint8Array(32).fill(7), context: ascii('a to b') };

  it('R9258-5.1-5 makes one PSK for each KDF, with SHA-256 where no hash is named', () => {
    const both = importPsk(nobleCrypto, psk, ['sha384', 'sha256']);
    expect(both.map(({ hash, key }) => [hash, key.length])).toEqual([
      ['sha384', 48],
      ['sha256', 32],
    ]);
    expect(importPsk(nobleCrypto, { ...psk, hash: 'sha256' }, ['sha384', 'sha256'])).toEqual(both);
    expect(importPsk(nobleCrypto, { ...psk, hash: 'sha384' }, ['sha384'])[0]!.key).not.toEqual(both[0]!.key);
  });

  it('R9258-5.1-6 gives other keys for another context', () => {
    const [ours] = importPsk(nobleCrypto, psk, ['sha256']);
    const [theirs] = importPsk(nobleCrypto, { ...psk, context: ascii('b to a') }, ['sha256']);
    expect(ours!.key).not.toEqual(theirs!.key);
    expect(importedIdentity.decode(ours!.identity)).toEqual({
      externalIdentity: psk.externalIdentity,
      context: psk.context,
      targetProtocol: 'TLSv1.3',
      targetKdf: 'HKDF_SHA256',
    });
  });

  it('R9257-6-1 refuses keys below 128 bits', () => {
    const short = { ...psk, key: new Uint8Array(15).fill(7) };
    expect(misuse(() => importPsk(nobleCrypto, short, ['sha256']))).toBe('invalid_key');
    expect(importPsk(nobleCrypto, { ...psk, key: new Uint8Array(16) }, ['sha256'])).toHaveLength(1);
  });

  it('R9258-5.1-5 refuses what no identity can hold, and no identity', () => {
    // Two length prefixes, protocol and KDF are 8 bytes.
    const long = { ...psk, externalIdentity: new Uint8Array(2 ** 16 - 1 - 8 - psk.context.length) };
    expect(importPsk(nobleCrypto, long, ['sha256'])[0]!.identity).toHaveLength(2 ** 16 - 1);
    const longer = { ...long, context: ascii('a to b!') };
    expect(misuse(() => importPsk(nobleCrypto, longer, ['sha256']))).toBe('value_not_encodable');
    const none = { ...psk, externalIdentity: empty };
    expect(misuse(() => importPsk(nobleCrypto, none, ['sha256']))).toBe('value_not_encodable');
  });

  it('keeps no key that it set up, and leaves the external key to the caller', () => {
    let alive = 0;
    const key = psk.key.slice();
    const crypto = {
      ...nobleCrypto,
      hmac: (...all: Parameters<typeof nobleCrypto.hmac>) => {
        const hmac = nobleCrypto.hmac(...all);
        alive++;
        const destroy = () => {
          alive--;
          hmac.destroy();
        };
        return { outputLength: hmac.outputLength, compute: hmac.compute.bind(hmac), destroy };
      },
    };
    importPsk(crypto, { ...psk, key }, ['sha256', 'sha384']);
    expect(misuse(() => importPsk(crypto, { ...psk, key, externalIdentity: empty }, ['sha256']))).toBeDefined();
    expect(alive).toBe(0);
    expect(key).toEqual(psk.key);
  });
});

describe('ImportedIdentity', () => {
  it('R9258-5.1-4 holds protocols and KDFs that have no name here as their numbers', () => {
    expect(importedIdentity.decode(hex('0001 61 0000 fefc 0003'))).toMatchObject({
      targetProtocol: 0xfefc,
      targetKdf: 3,
    });
  });

  it.each([
    ['no identity', '0000 0000 0304 0001', 'length_out_of_range externalIdentity @0'],
    ['no KDF', '0001 61 0000 0304', 'truncated targetKdf @7'],
    ['bytes left over', '0001 61 0000 0304 0001 00', 'trailing_bytes  @9'],
  ])('is refused with %s', (_, text, expected) => {
    expect(refusal(importedIdentity, text)).toBe(expected);
  });
});
