/**
 * What a peer hands to the primitives: key shares, public keys, signatures, sealed records. Nothing is thrown, and both backends say
 * the same of the same bytes.
 */
import { equal, fromHex } from '../../../src/bytes.js';
import type { CryptoBackend, KeyShare, PublicKey, SignatureAlgorithm } from '../../../src/crypto/backend.js';
import { nobleKeyShare } from '../../../src/crypto/noble-curves.js';
import { nobleCryptoWithRsa } from '../../../src/crypto/noble-rsa.js';
import { nodeKeyShare } from '../../../src/crypto/node-key-share.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { readVectors } from '../../support/vectors.js';
import { Decisions, lazily, rule, seed, type FuzzTarget } from '../target.js';

/** Fields of the Wycheproof files that are read here, in hex. */
type Test = Readonly<Record<'msg' | 'sig' | 'public' | 'key' | 'iv' | 'aad' | 'ct' | 'tag', string>>;
interface Group {
  readonly publicKey?: { readonly uncompressed?: string; readonly pk?: string };
  readonly publicKeyDer?: string;
  readonly tests: readonly Test[];
}

const groups = (file: string): readonly Group[] =>
  (readVectors(`wycheproof/${file}.json`) as { groups: readonly Group[] }).groups;

/** One in so many. */
const every = (step: number) => (_: unknown, i: number) => i % step === 0;

const kinds: readonly {
  readonly file: string;
  readonly algorithm: SignatureAlgorithm;
  readonly key: (bytes: Uint8Array) => PublicKey;
}[] = [
  {
    file: 'ecdsa_secp256r1_sha256',
    algorithm: { kind: 'ecdsa', hash: 'sha256' },
    key: (point) => ({ kind: 'ecdsa', curve: 'secp256r1', point }),
  },
  {
    file: 'ecdsa_secp384r1_sha384',
    algorithm: { kind: 'ecdsa', hash: 'sha384' },
    key: (point) => ({ kind: 'ecdsa', curve: 'secp384r1', point }),
  },
  { file: 'ed25519', algorithm: { kind: 'ed25519' }, key: (key) => ({ kind: 'ed25519', key }) },
];

/** The numbers of the kind, the key behind its length, the message behind its length, and the signature. */
function signatureSeeds(): Uint8Array[] {
  return kinds.flatMap(({ file }, kind) =>
    groups(file).flatMap(({ publicKey, tests }) => {
      const key = fromHex(publicKey?.uncompressed ?? publicKey?.pk ?? '');
      const usual = tests.filter(({ msg }) => msg.length <= 0x100);
      return usual.filter(every(20)).map(({ msg, sig }) => {
        const message = fromHex(msg);
        return seed([kind, key.length, ...key, message.length, ...message], fromHex(sig));
      });
    }),
  );
}

async function verifies(data: Uint8Array): Promise<void> {
  const decisions = new Decisions(data);
  const { algorithm, key } = decisions.pick(kinds);
  const publicKey = key(decisions.bytes());
  const message = decisions.bytes();
  const signature = decisions.rest();
  const ask = async (crypto: CryptoBackend) => crypto.verify(algorithm, publicKey, message, signature);
  const [noble, node] = [await ask(nobleCryptoWithRsa), await ask(nodeCrypto)];
  rule(noble === node, `a signature that is ${String(noble)} for noble and ${String(node)} for node`);
}

const curves = ['x25519', 'secp256r1', 'secp384r1'] as const;
const shares = lazily(() =>
  curves.map((group): readonly KeyShare[] => {
    const secret = new Uint8Array(group === 'secp384r1' ? 48 : 32).fill(3);
    return [nobleKeyShare(group, secret), nodeKeyShare(group, secret)];
  }),
);

function shareSeeds(): Uint8Array[] {
  const files = ['x25519', 'ecdh_secp256r1_ecpoint'].flatMap((file, group) =>
    groups(file)
      .flatMap(({ tests }) => tests)
      .filter(every(10))
      .map((test) => seed([group], fromHex(test.public))),
  );
  return [...files, seed([2], nobleKeyShare('secp384r1', new Uint8Array(48).fill(5)).publicKey)];
}

async function agrees(data: Uint8Array): Promise<void> {
  const decisions = new Decisions(data);
  const [one, other] = decisions.pick(shares());
  const peer = decisions.rest();
  const [noble, node] = [await one!.agree(peer), await other!.agree(peer)];
  const same = noble === undefined || node === undefined ? noble === node : equal(noble, node);
  rule(same, 'two backends that agree on different secrets');
  rule(noble === undefined || noble.some((byte) => byte !== 0), 'a shared secret of zeros (RFC 7748 6.1)');
}

const aeads = ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'] as const;

function aeadSeeds(): Uint8Array[] {
  return ['aes_gcm', 'chacha20_poly1305'].flatMap((file) =>
    groups(file)
      .flatMap(({ tests }) => tests)
      .filter(({ iv, aad }) => iv.length === 24 && aad.length < 0x200)
      .filter(every(8))
      .map(({ key, iv, aad, ct, tag }) => {
        const kind = file === 'aes_gcm' ? (key.length === 32 ? 0 : 1) : 2;
        return seed([kind, ...fromHex(key), ...fromHex(iv), aad.length / 2], fromHex(aad + ct + tag));
      }),
  );
}

function opens(data: Uint8Array): void {
  const kind = (data[0] ?? 0) % aeads.length;
  const keyLength = kind === 0 ? 16 : 32;
  const take = (from: number, length: number) => {
    const bytes = new Uint8Array(length);
    bytes.set(data.subarray(from, from + length));
    return bytes;
  };
  const [key, nonce] = [take(1, keyLength), take(1 + keyLength, 12)];
  const decisions = new Decisions(data.subarray(13 + keyLength));
  const [additional, sealed] = [decisions.bytes(), decisions.rest()];
  const [noble, node] = [nobleCryptoWithRsa, nodeCrypto].map((crypto) =>
    crypto.aead(aeads[kind]!, key).open(nonce, additional, sealed),
  );
  const same = noble === undefined || node === undefined ? noble === node : equal(noble, node);
  rule(same, 'a record that opens for one backend alone');
  const output = new Uint8Array((noble?.length ?? 0) + 16);
  if (noble === undefined) return;
  nodeCrypto.aead(aeads[kind]!, key).seal(nonce, additional, noble, output);
  rule(equal(output, sealed), 'what opens is sealed to the same bytes');
}

export const primitiveTargets: readonly FuzzTarget[] = [
  { name: 'signatures', seeds: signatureSeeds, run: verifies },
  { name: 'key-shares', seeds: shareSeeds, run: agrees },
  { name: 'sealed-records', seeds: aeadSeeds, run: opens },
];
