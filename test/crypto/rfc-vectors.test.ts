import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../src/bytes.js';
import type { EcdsaCurve, SignatureHash } from '../../src/crypto/backend.js';
import { hkdfExpand, hkdfExtract } from '../../src/crypto/hkdf.js';
import { isThorough } from '../support/thorough.js';
import { readVectors } from '../support/vectors.js';
import { backends, noble } from './backends.js';

const hmac = readVectors('rfc/hmac-rfc4231.json') as {
  tests: { id: number; key: string; data: string; mac: Record<string, string> }[];
};
const hkdf = readVectors('rfc/hkdf-rfc5869.json') as {
  tests: { hash: string; IKM: string; salt: string | null; info: string; L: number; PRK: string; OKM: string }[];
};
const x25519 = readVectors('rfc/x25519-rfc7748.json') as {
  tests: { scalar: string; u: string; out: string }[];
  iterations: { start: string; after: Record<string, string> };
  diffieHellman: Record<'alicePrivate' | 'alicePublic' | 'bobPrivate' | 'bobPublic' | 'shared', string>;
};
const ecdsa = readVectors('rfc/ecdsa-rfc6979.json') as {
  curves: {
    curve: string;
    x: string;
    Ux: string;
    Uy: string;
    tests: { hash: string; message: string; r: string; s: string }[];
  }[];
};
const ed25519 = readVectors('rfc/ed25519-rfc8032.json') as {
  tests: { secret: string; public: string; message: string; signature: string }[];
};
const chacha = readVectors('rfc/chacha20poly1305-rfc8439.json') as {
  aead: { key: string; nonce: string; aad: string; plaintext: string; ciphertext: string; tag: string }[];
};
const cbc = readVectors('nist/aes-cbc-sp800-38a.json') as {
  tests: { id: string; key: string; iv: string; plaintext: string; ciphertext: string }[];
};
interface GcmTest {
  tcId: number;
  key: string;
  iv: string;
  aad: string;
  pt?: string;
  ct?: string;
  tag?: string;
  expected: { ct?: string; tag?: string; pt?: string; testPassed?: boolean };
}
const gcm = readVectors('acvp/aes-gcm.json') as {
  groups: { direction: 'encrypt' | 'decrypt'; keyLen: number; tests: GcmTest[] }[];
};

/** INTEGER of a big-endian hexadecimal number, in DER. */
function derInteger(hex: string): Uint8Array {
  const bytes = fromHex(hex.replace(/^(00)+/, ''));
  const value = (bytes[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), bytes) : bytes;
  return concat(Uint8Array.of(2, value.length), value);
}

const curveNames: Record<string, EcdsaCurve> = { 'P-256': 'secp256r1', 'P-384': 'secp384r1' };

/** The RFC also has SHA-1 and SHA-224, which the interface has no names for. */
const ecdsaCases = ecdsa.curves.flatMap(({ curve, x, Ux, Uy, tests }) =>
  tests
    .filter(({ hash }) => ['sha256', 'sha384', 'sha512'].includes(hash))
    .map(({ hash, message, r, s }) => ({
      key: {
        kind: 'ecdsa' as const,
        curve: curveNames[curve]!,
        scalar: fromHex(x),
        point: fromHex(`04${Ux}${Uy}`),
      },
      hash: hash as SignatureHash,
      data: ascii(message),
      signature: concat(Uint8Array.of(0x30, derInteger(r).length + derInteger(s).length), derInteger(r), derInteger(s)),
    })),
);

describe.each(backends)('vectors of RFCs and NIST on $name', ({ name, crypto, keyShare }) => {
  it('RFC 4231: HMAC with SHA-256 and SHA-384', () => {
    let run = 0;
    for (const { key, data, mac } of hmac.tests) {
      for (const hash of ['sha256', 'sha384'] as const) {
        const expected = mac[hash]!;
        // Case 5 prints the first 128 bits only.
        expect(toHex(crypto.hmac(hash, fromHex(key)).compute(fromHex(data))).slice(0, expected.length)).toBe(expected);
        run++;
      }
    }
    expect(run).toBe(14);
  });

  it('RFC 5869: HKDF with SHA-256 (the four cases with SHA-1 are left out: no such hash here)', () => {
    const cases = hkdf.tests.filter(({ hash }) => hash === 'sha256');
    expect(cases).toHaveLength(3);
    for (const { IKM, salt, info, L, PRK, OKM } of cases) {
      const prk = hkdfExtract(crypto, 'sha256', fromHex(salt ?? ''), fromHex(IKM));
      expect(toHex(prk)).toBe(PRK);
      expect(toHex(hkdfExpand(crypto.hmac('sha256', prk), fromHex(info), L))).toBe(OKM);
    }
  });

  it('RFC 7748 5.2: X25519 scalar multiplication', async () => {
    expect(x25519.tests).toHaveLength(2);
    for (const { scalar, u, out } of x25519.tests) {
      expect(toHex((await keyShare('x25519', fromHex(scalar)).agree(fromHex(u)))!)).toBe(out);
    }
  });

  it('RFC 7748 5.2: X25519 iterated 1 and 1000 times (the millionth takes a quarter of an hour)', async () => {
    let k: Uint8Array = fromHex(x25519.iterations.start);
    let u = k;
    // A thousand take noble seconds, which are those of the slow tests.
    const last = name === 'noble' && !isThorough ? '1' : '1000';
    for (let i = 1; i <= Number(last); i++) {
      const out = (await keyShare('x25519', k).agree(u))!;
      u = k;
      k = out;
      if (i === 1) expect(toHex(k)).toBe(x25519.iterations.after['1']);
    }
    expect(toHex(k)).toBe(x25519.iterations.after[last]);
  });

  it('RFC 7748 6.1: X25519 Diffie-Hellman', async () => {
    const { alicePrivate, alicePublic, bobPrivate, bobPublic, shared } = x25519.diffieHellman;
    const alice = keyShare('x25519', fromHex(alicePrivate));
    const bob = keyShare('x25519', fromHex(bobPrivate));
    expect(toHex(alice.publicKey)).toBe(alicePublic);
    expect(toHex(bob.publicKey)).toBe(bobPublic);
    expect(toHex((await alice.agree(bob.publicKey))!)).toBe(shared);
    expect(toHex((await bob.agree(alice.publicKey))!)).toBe(shared);
  });

  it('RFC 6979: ECDSA signatures verify, and not over other data', async () => {
    expect(ecdsaCases).toHaveLength(12);
    for (const { key, hash, data, signature } of ecdsaCases) {
      const publicKey = { kind: 'ecdsa', curve: key.curve, point: key.point } as const;
      expect(await crypto.verify({ kind: 'ecdsa', hash }, publicKey, data, signature)).toBe(true);
      expect(await crypto.verify({ kind: 'ecdsa', hash }, publicKey, ascii('other'), signature)).toBe(false);
    }
  });

  it('RFC 8032 7.1: Ed25519', async () => {
    expect(ed25519.tests).toHaveLength(5);
    for (const { secret, public: publicKey, message, signature } of ed25519.tests) {
      const signer = crypto.signer({ kind: 'ed25519', seed: fromHex(secret), key: fromHex(publicKey) });
      expect(toHex(await signer.sign({ kind: 'ed25519' }, fromHex(message)))).toBe(signature);
      const verified = crypto.verify({ kind: 'ed25519' }, signer.publicKey, fromHex(message), fromHex(signature));
      expect(await verified).toBe(true);
    }
  });

  it('RFC 8439: ChaCha20-Poly1305', () => {
    expect(chacha.aead).toHaveLength(2);
    for (const { key, nonce, aad, plaintext, ciphertext, tag } of chacha.aead) {
      const aead = crypto.aead('chacha20-poly1305', fromHex(key));
      const output = new Uint8Array(plaintext.length / 2 + 16);
      aead.seal(fromHex(nonce), fromHex(aad), fromHex(plaintext), output);
      expect(toHex(output)).toBe(ciphertext + tag);
      expect(toHex(aead.open(fromHex(nonce), fromHex(aad), output)!)).toBe(plaintext);
    }
  });

  it('SP 800-38A F.2: AES-CBC', () => {
    expect(cbc.tests).toHaveLength(2);
    for (const { key, iv, plaintext, ciphertext } of cbc.tests) {
      const cipher = crypto.cbc(fromHex(key));
      expect(toHex(cipher.encrypt(fromHex(iv), fromHex(plaintext)))).toBe(ciphertext);
      expect(toHex(cipher.decrypt(fromHex(iv), fromHex(ciphertext)))).toBe(plaintext);
    }
  });

  it('ACVP: AES-GCM', () => {
    let run = 0;
    for (const { direction, keyLen, tests } of gcm.groups) {
      for (const { key, iv, aad, pt, ct, tag, expected } of tests) {
        const aead = crypto.aead(keyLen === 128 ? 'aes-128-gcm' : 'aes-256-gcm', fromHex(key));
        run++;
        if (direction === 'encrypt') {
          const output = new Uint8Array(pt!.length / 2 + 16);
          aead.seal(fromHex(iv), fromHex(aad), fromHex(pt!), output);
          expect(toHex(output)).toBe(expected.ct! + expected.tag!);
        } else {
          const opened = aead.open(fromHex(iv), fromHex(aad), fromHex(ct! + tag!));
          expect(opened && toHex(opened)).toBe(expected.testPassed === false ? undefined : expected.pt);
        }
      }
    }
    expect(run).toBe(30);
  });
});

it('RFC 6979: noble signs deterministically, under the hash of the message', async () => {
  for (const { key, hash, data, signature } of ecdsaCases) {
    const signed = await noble.crypto.signer(key).sign({ kind: 'ecdsa', hash }, data);
    expect(toHex(signed)).toBe(toHex(signature));
  }
});
