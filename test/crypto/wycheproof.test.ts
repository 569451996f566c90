/**
 * Every test of the Wycheproof files in vectors/, on every backend; of the signatures that are slow, a part but in the slow tests. A test yields the ids of the cases whose outcome is
 * not the one that the file asks for; where TLS is stricter than the file, the rule stands beside the case.
 */
import { describe, expect, it } from 'vitest';
import { concat, equal, fromHex, toHex } from '../../src/bytes.js';
import type { PublicKey, SignatureAlgorithm } from '../../src/crypto/backend.js';
import { hkdfExpand, hkdfExtract } from '../../src/crypto/hkdf.js';
import { UsageError } from '../../src/errors.js';
import { stride } from '../support/thorough.js';
import { readVectors } from '../support/vectors.js';
import { backends } from './backends.js';

interface Case {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags?: readonly string[];
}
interface File<Group, Test> {
  readonly groups: readonly (Group & { readonly tests: readonly (Test & Case)[] })[];
}

const read = (file: string): unknown => readVectors(`wycheproof/${file}.json`);

/** Runs `outcomeIsRight` over every `step`-th case of a file; answers the ids of those where it says no, and how many there are. */
async function run<Group, Test>(
  { groups }: File<Group, Test>,
  outcomeIsRight: (test: Test & Case, group: Group) => boolean | Promise<boolean>,
  step = 1,
): Promise<{ run: number; wrong: number[] }> {
  const wrong: number[] = [];
  let count = 0;
  for (const group of groups) {
    for (const test of group.tests) {
      if (count++ % step !== 0) continue;
      if (!(await outcomeIsRight(test, group))) wrong.push(test.tcId);
    }
  }
  return { run: count, wrong };
}

interface AeadCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}
interface VerifyGroup {
  readonly sha: string;
  readonly publicKey: { readonly uncompressed: string; readonly pk: string };
  readonly publicKeyDer: string;
}
interface VerifyCase {
  readonly msg: string;
  readonly sig: string;
}

describe.each(backends)('Wycheproof on $name', ({ name, crypto, keyShare }) => {
  // A signature over a curve takes noble milliseconds.
  const ecdsaStep = name === 'noble' ? stride(5) : 1;

  const aead = (file: string, algorithm: (keyLength: number) => Parameters<typeof crypto.aead>[0]) =>
    run(read(file) as File<object, AeadCase>, ({ key, iv, aad, msg, ct, tag, result }) => {
      const cipher = crypto.aead(algorithm(key.length / 2), fromHex(key));
      const sealed = fromHex(ct + tag);
      const output = new Uint8Array(msg.length / 2 + 16);
      if (iv.length !== 24) {
        // A nonce of another length is the caller's mistake, not a wrong tag.
        return throwsUsageError(() => cipher.open(fromHex(iv), fromHex(aad), sealed)) && result === 'invalid';
      }
      const opened = cipher.open(fromHex(iv), fromHex(aad), sealed);
      if (result === 'invalid') return opened === undefined;
      cipher.seal(fromHex(iv), fromHex(aad), fromHex(msg), output);
      return opened !== undefined && toHex(opened) === msg && equal(output, sealed);
    });

  it('aes_gcm', async () => {
    expect(await aead('aes_gcm', (length) => (length === 16 ? 'aes-128-gcm' : 'aes-256-gcm'))).toEqual({
      run: 133,
      wrong: [],
    });
  });

  it('chacha20_poly1305', async () => {
    expect(await aead('chacha20_poly1305', () => 'chacha20-poly1305')).toEqual({ run: 325, wrong: [] });
  });

  it('aes_cbc_pkcs5, padded and unpadded here', async () => {
    const outcome = await run(
      read('aes_cbc_pkcs5') as File<object, { key: string; iv: string; msg: string; ct: string }>,
      ({ key, iv, msg, ct, result }) => {
        const cipher = crypto.cbc(fromHex(key));
        // A ciphertext without a block cannot hold padding.
        if (ct === '') return throwsUsageError(() => cipher.decrypt(fromHex(iv), fromHex(ct))) && result === 'invalid';
        const plaintext = withoutPadding(cipher.decrypt(fromHex(iv), fromHex(ct)));
        if (result === 'invalid') return plaintext === undefined;
        const padded = withPadding(fromHex(msg));
        return plaintext !== undefined && toHex(plaintext) === msg && toHex(cipher.encrypt(fromHex(iv), padded)) === ct;
      },
    );
    expect(outcome).toEqual({ run: 144, wrong: [] });
  });

  it.each(['sha256', 'sha384'] as const)('hmac_%s', async (hash) => {
    const outcome = await run(
      read(`hmac_${hash}`) as File<{ tagSize: number }, { key: string; msg: string; tag: string }>,
      ({ key, msg, tag, result }, { tagSize }) => {
        const mac = crypto.hmac(hash, fromHex(key)).compute(fromHex(msg));
        return (toHex(mac.subarray(0, tagSize / 8)) === tag) === (result === 'valid');
      },
    );
    expect(outcome).toEqual({ run: 174, wrong: [] });
  });

  it.each([
    ['sha256', 86],
    ['sha384', 83],
  ] as const)('hkdf_%s', async (hash, count) => {
    const outcome = await run(
      read(`hkdf_${hash}`) as File<object, { ikm: string; salt: string; info: string; size: number; okm: string }>,
      ({ ikm, salt, info, size, okm, result }) => {
        const key = crypto.hmac(hash, hkdfExtract(crypto, hash, fromHex(salt), fromHex(ikm)));
        const expand = () => hkdfExpand(key, fromHex(info), size);
        return result === 'invalid' ? throwsUsageError(expand) : toHex(expand()) === okm;
      },
    );
    expect(outcome).toEqual({ run: count, wrong: [] });
  });

  it('x25519, where "acceptable" keys agree but for the all-zero secret (RFC 7748 6.1)', async () => {
    let zero = 0;
    const outcome = await run(
      read('x25519') as File<object, { public: string; private: string; shared: string }>,
      async ({ public: peer, private: own, shared, flags }) => {
        const secret = await keyShare('x25519', fromHex(own)).agree(fromHex(peer));
        if (flags?.includes('ZeroSharedSecret') !== true) return secret !== undefined && toHex(secret) === shared;
        zero++;
        return secret === undefined;
      },
    );
    expect(outcome).toEqual({ run: 518, wrong: [] });
    expect(zero).toBe(31);
  });

  it('ecdh_secp256r1_ecpoint, where compressed points are refused (RFC 8446 4.2.8.2)', async () => {
    let compressed = 0;
    const outcome = await run(
      read('ecdh_secp256r1_ecpoint') as File<object, { public: string; private: string; shared: string }>,
      async ({ public: peer, private: own, shared, result, flags }) => {
        // The file writes scalars as integers: with a sign byte, or short.
        const scalar = fromHex(own.replace(/^(00)+/, '').padStart(64, '0'));
        const secret = await keyShare('secp256r1', scalar).agree(fromHex(peer));
        if (result === 'valid' && peer.length === 130) return secret !== undefined && toHex(secret) === shared;
        if (flags?.includes('CompressedPoint') === true) compressed++;
        return secret === undefined;
      },
    );
    expect(outcome).toEqual({ run: 355, wrong: [] });
    expect(compressed).toBe(8);
  });

  it('ecdh_secp521r1_ecpoint, where compressed points are refused (RFC 8446 4.2.8.2)', async () => {
    let compressed = 0;
    const outcome = await run(
      read('ecdh_secp521r1_ecpoint') as File<object, { public: string; private: string; shared: string }>,
      async ({ public: peer, private: own, shared, result, flags }) => {
        const scalar = fromHex(own.replace(/^(00)+/, '').padStart(132, '0'));
        const secret = await keyShare('secp521r1', scalar).agree(fromHex(peer));
        if (result === 'valid' && peer.length === 266) return secret !== undefined && toHex(secret) === shared;
        if (flags?.includes('CompressedPoint') === true) compressed++;
        return secret === undefined;
      },
    );
    expect(outcome).toEqual({ run: 53, wrong: [] });
    expect(compressed).toBe(10);
  });

  const signatures = (
    file: string,
    algorithm: SignatureAlgorithm,
    key: (group: VerifyGroup) => PublicKey,
    step = 1,
  ): Promise<{ run: number; wrong: number[] }> => {
    const keys = new Map<VerifyGroup, PublicKey>();
    const isRight = async ({ msg, sig, result }: VerifyCase & Case, group: VerifyGroup) => {
      const publicKey = keys.get(group) ?? key(group);
      keys.set(group, publicKey);
      return (await crypto.verify(algorithm, publicKey, fromHex(msg), fromHex(sig))) === (result === 'valid');
    };
    return run(read(file) as File<VerifyGroup, VerifyCase>, isRight, step);
  };

  it('ecdsa_secp256r1_sha256', async () => {
    const key = (group: VerifyGroup): PublicKey => ({
      kind: 'ecdsa',
      curve: 'secp256r1',
      point: fromHex(group.publicKey.uncompressed),
    });
    const outcome = await signatures('ecdsa_secp256r1_sha256', { kind: 'ecdsa', hash: 'sha256' }, key, ecdsaStep);
    expect(outcome).toEqual({ run: 484, wrong: [] });
  });

  it('ecdsa_secp384r1_sha384', async () => {
    const key = (group: VerifyGroup): PublicKey => ({
      kind: 'ecdsa',
      curve: 'secp384r1',
      point: fromHex(group.publicKey.uncompressed),
    });
    const outcome = await signatures('ecdsa_secp384r1_sha384', { kind: 'ecdsa', hash: 'sha384' }, key, ecdsaStep);
    expect(outcome).toEqual({ run: 504, wrong: [] });
  });

  it('ecdsa_secp521r1_sha512', async () => {
    const key = (group: VerifyGroup): PublicKey => ({
      kind: 'ecdsa',
      curve: 'secp521r1',
      point: fromHex(group.publicKey.uncompressed),
    });
    const outcome = await signatures('ecdsa_secp521r1_sha512', { kind: 'ecdsa', hash: 'sha512' }, key, ecdsaStep);
    expect(outcome).toEqual({ run: 137, wrong: [] });
  });

  it('ed25519', async () => {
    const key = (group: VerifyGroup): PublicKey => ({ kind: 'ed25519', key: fromHex(group.publicKey.pk) });
    expect(await signatures('ed25519', { kind: 'ed25519' }, key)).toEqual({ run: 151, wrong: [] });
  });

  it('rsa_pss_2048_sha256_mgf1_32', async () => {
    const outcome = await signatures('rsa_pss_2048_sha256_mgf1_32', { kind: 'rsa_pss', hash: 'sha256' }, rsaKey);
    expect(outcome).toEqual({ run: 108, wrong: [] });
  });

  it('rsa_signature_2048_sha256, where the missing NULL is refused (RFC 8017 8.2.2)', async () => {
    const outcome = await signatures('rsa_signature_2048_sha256', { kind: 'rsa_pkcs1', hash: 'sha256' }, rsaKey);
    expect(outcome).toEqual({ run: 259, wrong: [] });
  });
});

function throwsUsageError(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    return error instanceof UsageError;
  }
}

function withPadding(message: Uint8Array): Uint8Array {
  const length = 16 - (message.length % 16);
  return concat(message, new Uint8Array(length).fill(length));
}

function withoutPadding(padded: Uint8Array): Uint8Array | undefined {
  const length = padded.at(-1) ?? 0;
  if (length === 0 || length > 16) return undefined;
  if (!padded.subarray(-length).every((byte) => byte === length)) return undefined;
  return padded.subarray(0, -length);
}

/** The two INTEGERs of a SubjectPublicKeyInfo with an RSA key of 2048 bits. */
function rsaKey({ publicKeyDer }: VerifyGroup): PublicKey {
  const found = /02820101(00[0-9a-f]{512})02([0-9a-f]{2})([0-9a-f]+)$/.exec(publicKeyDer)!;
  return { kind: 'rsa', modulus: fromHex(found[1]!.slice(2)), exponent: fromHex(found[3]!) };
}
