/**
 * A backend whose randomness is a function of a seed, key shares included: the same handshake gives the same bytes again,
 * on every backend.
 */
import { ascii, join, toHex } from '../../src/bytes.js';
import type { CryptoBackend, EcdheGroup, KeyExchangeGroup, KeyShare, MaybePromise } from '../../src/crypto/backend.js';
import { answerWith } from '../../src/crypto/key-share.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nodeKeyShare } from '../../src/crypto/node-key-share.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { requireEcdhe } from '../../src/crypto/refusals.js';

export type BackendName = 'noble' | 'node';

export const backendNames = ['noble', 'node'] as const;

const bases: Record<
  BackendName,
  { crypto: CryptoBackend; keyShare: (group: EcdheGroup, secretKey: Uint8Array) => KeyShare }
> = {
  noble: { crypto: nobleCryptoWithRsa, keyShare: nobleKeyShare },
  node: { crypto: nodeCrypto, keyShare: nodeKeyShare },
};

const secretLength = { x25519: 32, secp256r1: 32, secp384r1: 48, secp521r1: 66 } as const;

export function seededCrypto(backend: BackendName, seed: string): CryptoBackend {
  const { crypto, keyShare } = bases[backend];
  let drawn = 0;
  const randomBytes = (length: number): Uint8Array => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
      crypto.hash('sha256', ascii(`${seed} ${drawn++}`)),
    );
    return join(blocks).slice(0, length);
  };
  // The first byte keeps the scalar below the order of the curve; of P-521 it may be 0 or 1.
  const seededShare = (group: KeyExchangeGroup): KeyShare => {
    const curve = requireEcdhe(group);
    const secret = randomBytes(secretLength[curve]).fill(curve === 'secp521r1' ? 0 : 1, 0, 1);
    return remembered(shares, [backend, curve, secret], () => remembering(keyShare(curve, secret)));
  };
  return {
    ...crypto,
    // Both offer the same, so that the order of one does not show in the bytes, nor what the runtime has besides.
    capabilities: {
      ...nobleCryptoWithRsa.capabilities,
      aeads: nodeCrypto.capabilities.aeads,
      groups: ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'],
    },
    randomBytes,
    generateKeyShare: seededShare,
    answerKeyShare: (group, peerPublicKey) => answerWith(seededShare(group), peerPublicKey),
    verify: (algorithm, key, data, signature) =>
      remembered(verdicts, [backend, JSON.stringify([algorithm, key]), data, signature], () =>
        crypto.verify(algorithm, key, data, signature),
      ),
  };
}

/** A recorded flow asks for the same shares, secrets and verdicts hundreds of times. */
const shares = new Map<string, KeyShare>();
const verdicts = new Map<string, MaybePromise<boolean>>();

function remembering({ publicKey, agree }: KeyShare): KeyShare {
  const secrets = new Map<string, Uint8Array | undefined>();
  return {
    publicKey,
    agree: (peer) =>
      remembered(secrets, [peer], () => {
        const secret = agree(peer);
        if (secret instanceof Promise) throw new Error('the backends of these tests answer at once');
        return secret;
      })?.slice(),
  };
}

/** A fuzzer asks for new ones all the time. */
const mostRemembered = 10_000;

/** The value under the key, made when it is asked for first. */
export function remembered<T>(values: Map<string, T>, key: readonly (string | Uint8Array)[], make: () => T): T {
  const name = key.map((part) => (typeof part === 'string' ? part : toHex(part))).join(' ');
  const value = values.get(name) ?? make();
  if (values.size >= mostRemembered) values.clear();
  values.set(name, value);
  return value;
}
