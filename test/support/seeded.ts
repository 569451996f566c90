/**
 * A backend whose randomness is a function of a seed, key shares included: the same handshake gives the same bytes again,
 * on every backend.
 */
import { ascii, join } from '../../src/bytes.js';
import type { CryptoBackend, KeyExchangeGroup, KeyShare } from '../../src/crypto/backend.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nodeKeyShare } from '../../src/crypto/node-key-share.js';
import { nodeCrypto } from '../../src/crypto/node.js';

export type BackendName = 'noble' | 'node';

export const backendNames = ['noble', 'node'] as const;

const bases: Record<
  BackendName,
  { crypto: CryptoBackend; keyShare: (group: KeyExchangeGroup, secretKey: Uint8Array) => KeyShare }
> = {
  noble: { crypto: nobleCryptoWithRsa, keyShare: nobleKeyShare },
  node: { crypto: nodeCrypto, keyShare: nodeKeyShare },
};

const secretLength = { x25519: 32, secp256r1: 32, secp384r1: 48 } as const;

export function seededCrypto(backend: BackendName, seed: string): CryptoBackend {
  const { crypto, keyShare } = bases[backend];
  let drawn = 0;
  const randomBytes = (length: number): Uint8Array => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
      crypto.hash('sha256', ascii(`${seed} ${drawn++}`)),
    );
    return join(blocks).slice(0, length);
  };
  return {
    ...crypto,
    // Both offer the same, so that the order of one does not show in the bytes.
    capabilities: nodeCrypto.capabilities,
    randomBytes,
    // The first byte keeps the scalar below the order of the curve.
    generateKeyShare: (group) => keyShare(group, randomBytes(secretLength[group]).fill(1, 0, 1)),
  };
}
