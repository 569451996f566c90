import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../src/bytes.js';
import type { CryptoBackend, HashAlgorithm, HmacKey } from '../../src/crypto/backend.js';
import {
  extendedMasterSecret,
  masterSecret,
  prf,
  Tls12Secrets,
  wipeKeys,
  type DirectionKeys,
} from '../../src/key-schedule/tls12.js';
import { readVectors } from '../support/vectors.js';
import { backends } from '../tickets/backends.js';

interface PrfVectors {
  readonly tests: readonly Record<'hash' | 'secret' | 'seed' | 'label' | 'output', string>[];
}

interface KdfVectors {
  readonly groups: readonly {
    readonly hashAlg: string;
    readonly keyBlockLength: number;
    readonly tests: readonly KdfTest[];
  }[];
}
interface KdfTest {
  readonly tcId: number;
  readonly preMasterSecret: string;
  readonly clientHelloRandom: string;
  readonly serverHelloRandom: string;
  readonly clientRandom: string;
  readonly serverRandom: string;
  readonly sessionHash: string;
  readonly expected: { readonly masterSecret: string; readonly keyBlock: string };
}

const hashes: Readonly<Record<string, HashAlgorithm | undefined>> = {
  sha256: 'sha256',
  sha384: 'sha384',
  'SHA2-256': 'sha256',
  'SHA2-384': 'sha384',
};

/** Runs `check` on each test whose hash a cipher suite of ours uses, and counts the others. */
function inScope<T>(
  groups: readonly { readonly hash: string; readonly tests: readonly T[] }[],
  check: (hash: HashAlgorithm, test: T) => void,
): { done: number; outOfScope: number } {
  const count = { done: 0, outOfScope: 0 };
  for (const { hash: name, tests } of groups) {
    const hash = hashes[name];
    if (hash === undefined) count.outOfScope += tests.length;
    else for (const test of tests) check(hash, test);
    if (hash !== undefined) count.done += tests.length;
  }
  if (count.outOfScope > 0)
    console.log(`${String(count.outOfScope)} vectors are for SHA-512, which no suite here uses`);
  return count;
}

function kdfGroups(file: string) {
  return (readVectors(file) as KdfVectors).groups.map(({ hashAlg, keyBlockLength, tests }) => ({
    hash: hashAlg,
    tests: tests.map((test) => ({ ...test, keyBlockLength: keyBlockLength / 8 })),
  }));
}

/** The key block as one string, cut the way AEAD suites do: client key, server key, client IV, server IV. */
function keyBlock(
  crypto: CryptoBackend,
  hash: HashAlgorithm,
  secret: Uint8Array,
  test: KdfTest,
  length: number,
): string {
  const secrets = new Tls12Secrets(crypto, hash, secret);
  const sizes = { key: length / 4, iv: length / 4 };
  const { client, server } = secrets.keyBlock(fromHex(test.clientRandom), fromHex(test.serverRandom), sizes);
  return toHex(concat(client.key, server.key, client.iv, server.iv));
}

describe.each(backends)('TLS 1.2 key schedule ($name)', (crypto) => {
  it('PRF: the vectors of the TLS mailing list', () => {
    const groups = (readVectors('prf/tls12-prf.json') as PrfVectors).tests.map((test) => ({
      hash: test.hash,
      tests: [test],
    }));
    const count = inScope(groups, (hash, { secret, label, seed, output }) => {
      const key = crypto.hmac(hash, fromHex(secret));
      expect(toHex(prf(key, ascii(label), fromHex(seed), output.length / 2))).toBe(output);
    });
    expect(count).toEqual({ done: 2, outOfScope: 1 });
  });

  it('PRF: a shorter output is the start of a longer one, at every length', () => {
    const key = crypto.hmac('sha256', fromHex('0b'.repeat(48)));
    const longest = toHex(prf(key, ascii('key expansion'), fromHex('5eed'), 130));
    for (let length = 0; length <= 130; length++) {
      expect(toHex(prf(key, ascii('key expansion'), fromHex('5eed'), length))).toBe(longest.slice(0, 2 * length));
    }
  });

  it('R5246-8.1-1 R5246-6.3-1 master secret and key block: ACVP', () => {
    const count = inScope(kdfGroups('acvp/tls12-kdf.json'), (hash, test) => {
      const [client, server] = [fromHex(test.clientHelloRandom), fromHex(test.serverHelloRandom)];
      const secret = masterSecret(crypto, hash, fromHex(test.preMasterSecret), client, server);
      expect(toHex(secret), `master secret of ${String(test.tcId)}`).toBe(test.expected.masterSecret);
      expect(keyBlock(crypto, hash, secret, test, test.keyBlockLength), `key block of ${String(test.tcId)}`).toBe(
        test.expected.keyBlock,
      );
    });
    expect(count).toEqual({ done: 40, outOfScope: 20 });
  });

  it('R7627-4-2 extended master secret and key block: ACVP', () => {
    const count = inScope(kdfGroups('acvp/tls12-kdf-rfc7627.json'), (hash, test) => {
      const secret = extendedMasterSecret(crypto, hash, fromHex(test.preMasterSecret), fromHex(test.sessionHash));
      expect(toHex(secret), `master secret of ${String(test.tcId)}`).toBe(test.expected.masterSecret);
      expect(keyBlock(crypto, hash, secret, test, test.keyBlockLength), `key block of ${String(test.tcId)}`).toBe(
        test.expected.keyBlock,
      );
    });
    expect(count).toEqual({ done: 40, outOfScope: 20 });
  });

  it('R5246-7.4.9-4 verify_data: 12 bytes of the PRF, the labels of the two senders', () => {
    const secret = fromHex('4d'.repeat(48));
    const transcriptHash = fromHex('7a'.repeat(32));
    const secrets = new Tls12Secrets(crypto, 'sha256', secret);
    const expected = (label: string) => toHex(prf(crypto.hmac('sha256', secret), ascii(label), transcriptHash, 12));
    expect(toHex(secrets.verifyData('client', transcriptHash))).toBe(expected('client finished'));
    expect(toHex(secrets.verifyData('server', transcriptHash))).toBe(expected('server finished'));
    expect(expected('client finished')).not.toBe(expected('server finished'));
  });

  it('RFC 5705 4: no context, an empty one and others give different keying material', () => {
    const secrets = new Tls12Secrets(crypto, 'sha256', fromHex('4d'.repeat(48)));
    const [client, server] = [fromHex('c1'.repeat(32)), fromHex('5e'.repeat(32))];
    const exported = (context?: string) =>
      toHex(
        secrets.exportKeyingMaterial(
          'EXPERIMENTAL x',
          client,
          server,
          context === undefined ? context : fromHex(context),
          20,
        ),
      );
    const values = [exported(), exported(''), exported('00'), exported('0000')];
    expect(new Set(values).size).toBe(4);
    const seed = concat(client, server, fromHex('0100'), new Uint8Array(256));
    const key = crypto.hmac('sha256', fromHex('4d'.repeat(48)));
    expect(exported('00'.repeat(256))).toBe(toHex(prf(key, ascii('EXPERIMENTAL x'), seed, 20)));
  });

  it('R5246-8.1-1 HMAC keys over premaster and master secrets are destroyed, also when HMAC fails', () => {
    const { watched, keys } = watchHmac(crypto);
    const random = new Uint8Array(32);
    masterSecret(watched, 'sha256', new Uint8Array(48), random, random);
    extendedMasterSecret(watched, 'sha384', new Uint8Array(48), new Uint8Array(48));
    new Tls12Secrets(watched, 'sha256', new Uint8Array(48)).destroy();
    expect(keys).toEqual({ made: 3, destroyed: 3 });

    const failing = watchHmac(crypto, () => {
      throw new Error('no entropy left');
    });
    expect(() => masterSecret(failing.watched, 'sha256', new Uint8Array(48), random, random)).toThrow(
      'no entropy left',
    );
    expect(failing.keys).toEqual({ made: 1, destroyed: 1 });
  });

  it('a key block can be wiped: the four parts share its bytes', () => {
    const secrets = new Tls12Secrets(crypto, 'sha384', fromHex('4d'.repeat(48)));
    const keys = secrets.keyBlock(new Uint8Array(32), new Uint8Array(32), { key: 32, iv: 4 });
    const parts = ({ key, iv }: DirectionKeys) => [key, iv];
    const all = [...parts(keys.client), ...parts(keys.server)];
    expect(all.map((part) => part.length)).toEqual([32, 4, 32, 4]);
    expect(all.every((part) => part.some((byte) => byte !== 0))).toBe(true);
    wipeKeys(keys);
    expect(all.flatMap((part) => Array.from(part))).toEqual(new Array(72).fill(0));
  });
});

/** A backend that counts its HMAC keys. */
function watchHmac(crypto: CryptoBackend, compute?: HmacKey['compute']) {
  const keys = { made: 0, destroyed: 0 };
  const watched: CryptoBackend = {
    ...crypto,
    hmac: (hash, bytes) => {
      const key = crypto.hmac(hash, bytes);
      keys.made++;
      return {
        outputLength: key.outputLength,
        compute: compute ?? ((...parts) => key.compute(...parts)),
        destroy: () => {
          keys.destroyed++;
          key.destroy();
        },
      };
    },
  };
  return { watched, keys };
}
