import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import type { CryptoBackend, KeyExchangeGroup, KeyShare } from '../../src/crypto/backend.js';
import { withPostQuantum } from '../../src/crypto/noble-post-quantum.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { withPreparedKeyShares } from '../../src/crypto/prepared.js';
import { backends, bytes, now, refusal } from './backends.js';

/** A backend that numbers the key pairs it makes, and says which were destroyed. */
function numbering(answer: <T>(value: T) => T | Promise<T> = (value) => value) {
  const made: KeyExchangeGroup[] = [];
  const destroyed: number[] = [];
  const crypto: CryptoBackend = {
    ...nobleCrypto,
    generateKeyShare: (group) => {
      const number = made.push(group);
      return answer<KeyShare>({
        publicKey: bytes(32, number),
        agree: (peer) => (peer.length === 32 ? bytes(32, 100 + number) : undefined),
        destroy: () => destroyed.push(number),
      });
    },
  };
  return { crypto, made, destroyed };
}
const numberOf = ({ publicKey }: { publicKey: Uint8Array }) => publicKey[0];

describe('withPreparedKeyShares', () => {
  it('makes key pairs in prepare, hands each out once, oldest first, and makes more when there are none', () => {
    const { crypto, made } = numbering();
    const prepared = withPreparedKeyShares(crypto, { count: 2 });
    expect(made).toEqual([]);
    now(prepared.prepare());
    expect(made).toEqual(['x25519', 'x25519']);
    const taken = Array.from({ length: 3 }, () => numberOf(now(prepared.generateKeyShare('x25519'))));
    expect(taken).toEqual([1, 2, 3]);
    now(prepared.prepare());
    now(prepared.prepare());
    expect(made).toHaveLength(5);
    expect(numberOf(now(prepared.generateKeyShare('x25519')))).toBe(4);
  });

  it('answers with a key pair of the stock too, and forgets it', () => {
    const { crypto, made, destroyed } = numbering();
    const prepared = withPreparedKeyShares(crypto, { count: 1 });
    now(prepared.prepare());
    expect(prepared.answerKeyShare('x25519', bytes(32))).toEqual({
      publicKey: bytes(32, 1),
      sharedSecret: bytes(32, 101),
    });
    expect(destroyed).toEqual([1]);
    now(prepared.prepare());
    expect(prepared.answerKeyShare('x25519', bytes(31))).toBeUndefined();
    expect(destroyed).toEqual([1, 2]);
    const { publicKey, agree } = now(nobleCrypto.generateKeyShare('x25519'));
    const answer = now(prepared.answerKeyShare('x25519', publicKey))!; // the backend's own: the stock is empty
    expect(toHex(now(agree(answer.publicKey))!)).toBe(toHex(answer.sharedSecret));
    expect(made).toHaveLength(2);
  });

  it('keeps the groups apart, four pairs of each, and leaves others to the backend', () => {
    const { crypto, made } = numbering();
    const prepared = withPreparedKeyShares(crypto, { groups: ['x25519', 'secp256r1'] });
    now(prepared.prepare());
    expect(made).toEqual([...Array<string>(4).fill('x25519'), ...Array<string>(4).fill('secp256r1')]);
    expect(numberOf(now(prepared.generateKeyShare('secp256r1')))).toBe(5);
    expect(numberOf(now(prepared.generateKeyShare('secp384r1')))).toBe(9);
    expect(numberOf(now(prepared.generateKeyShare('x25519')))).toBe(1);
  });

  it('discard forgets what is in stock, and nothing that was handed out', () => {
    const { crypto, destroyed } = numbering();
    const prepared = withPreparedKeyShares(crypto, { count: 3 });
    now(prepared.prepare());
    now(prepared.generateKeyShare('x25519'));
    prepared.discard();
    expect(destroyed).toEqual([2, 3]);
    expect(numberOf(now(prepared.generateKeyShare('x25519')))).toBe(4);
  });

  it('waits for a backend that waits, and never keeps more than it should', async () => {
    const { crypto, made, destroyed } = numbering((value) => Promise.resolve(value));
    const prepared = withPreparedKeyShares(crypto, { count: 3 });
    await Promise.all([prepared.prepare(), prepared.prepare()]);
    const excess = made.length - 3;
    expect(destroyed).toHaveLength(excess);
    const taken = [];
    for (let i = 0; i < 3; i++) taken.push(numberOf(await prepared.generateKeyShare('x25519')));
    expect(made).toHaveLength(3 + excess);
    expect([...taken, ...destroyed].sort()).toEqual(made.map((_, i) => i + 1));
  });

  it('passes on what the backend says when it cannot', async () => {
    const failure = new Error('no device');
    const failing = (generateKeyShare: CryptoBackend['generateKeyShare']) =>
      withPreparedKeyShares({ ...nobleCrypto, generateKeyShare });
    const atOnce = failing(() => {
      throw failure;
    });
    expect(() => atOnce.prepare()).toThrow(failure);
    await expect(failing(() => Promise.reject(failure)).prepare()).rejects.toBe(failure);
  });

  it.each([
    ['a group that the backend lacks', { groups: ['X25519MLKEM768'] }, 'unsupported_by_backend'],
    ['no key pairs', { count: 0 }, 'invalid_option'],
    ['half a key pair', { count: 1.5 }, 'invalid_option'],
    ['too many', { count: 257 }, 'invalid_option'],
  ] as const)('refuses %s', (_, options, code) => {
    expect(() => withPreparedKeyShares(nobleCrypto, options)).toThrow(refusal(code));
  });

  it('prepares shares of the hybrid group, whose answers it leaves to the backend', () => {
    const hybrid = withPostQuantum(nobleCrypto);
    const prepared = withPreparedKeyShares(hybrid, { groups: ['X25519MLKEM768'], count: 1 });
    now(prepared.prepare());
    const share = now(prepared.generateKeyShare('X25519MLKEM768'));
    now(prepared.prepare());
    const answer = now(prepared.answerKeyShare('X25519MLKEM768', share.publicKey))!;
    expect(answer.publicKey).toHaveLength(1120);
    expect(toHex(now(share.agree(answer.publicKey))!)).toBe(toHex(answer.sharedSecret));
  });
});

describe.each(backends)('prepared key shares of backend $name', ({ crypto }) => {
  it('agree with fresh ones', () => {
    const prepared = withPreparedKeyShares(crypto, { groups: ['x25519', 'secp256r1', 'secp384r1'], count: 1 });
    now(prepared.prepare());
    for (const group of ['x25519', 'secp256r1', 'secp384r1'] as const) {
      const share = now(prepared.generateKeyShare(group));
      const answer = now(crypto.answerKeyShare(group, share.publicKey))!;
      expect(toHex(now(share.agree(answer.publicKey))!)).toBe(toHex(answer.sharedSecret));
    }
  });
});
