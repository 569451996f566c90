import { describe, expect, it } from 'vitest';
import type { KeyShare } from '../../src/crypto/backend.js';
import { answerWith } from '../../src/crypto/key-share.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { bytes, refusal } from './backends.js';

describe('answerWith', () => {
  it('waits for a share that waits, and forgets its secret', async () => {
    let destroyed = 0;
    const share = (secret: Uint8Array | undefined): KeyShare => ({
      publicKey: bytes(32),
      agree: () => Promise.resolve(secret),
      destroy: () => {
        destroyed++;
      },
    });
    const answer = answerWith(share(bytes(32, 2)), bytes(32));
    expect(answer).toBeInstanceOf(Promise);
    expect(destroyed).toBe(0);
    expect(await answer).toEqual({ publicKey: bytes(32), sharedSecret: bytes(32, 2) });
    expect(await answerWith(share(undefined), bytes(32))).toBeUndefined();
    expect(destroyed).toBe(2);
  });
});

describe('a share of the noble backend', () => {
  it.each([
    ['x25519', 32],
    ['secp256r1', 32],
    ['secp384r1', 48],
    ['secp521r1', 66],
  ] as const)('%s: is wiped when it is destroyed, and refuses', (group, length) => {
    const secret = bytes(length, 7).fill(0, 0, 1);
    const share = nobleKeyShare(group, secret);
    expect(share.agree(share.publicKey)).toHaveLength(secret.length);
    share.destroy?.();
    expect(secret).toEqual(new Uint8Array(secret.length));
    expect(() => share.agree(share.publicKey)).toThrow(refusal('invalid_key'));
  });
});
