/**
 * Key pairs made ahead of time, for when nobody waits: with noble an X25519 key pair is 0.3 ms of a handshake.
 *
 * Each pair serves one handshake and is forgotten. The one surprising thing: a process image that is saved and resumed twice
 * has the same pairs twice, as it has any secret; discard them before.
 */
import { UsageError } from '../errors.js';
import type { CryptoBackend, KeyExchangeGroup, KeyShare, MaybePromise } from './backend.js';
import { answerWith } from './key-share.js';
import { isMlKemGroup } from './refusals.js';

export interface PreparedKeyShareOptions {
  /** What to make key pairs of. Defaults to `['x25519']`. */
  readonly groups?: readonly KeyExchangeGroup[];
  /** Key pairs of each group that are kept at most, 1 to 256. Defaults to 4. */
  readonly count?: number;
}

/** A backend that takes key pairs from its stock, and makes them as they are asked for where the stock has none. */
export interface CryptoWithPreparedKeyShares extends CryptoBackend {
  /** Makes the key pairs that are missing: call it when there is time. Rejects or throws as the backend does. */
  prepare(): MaybePromise<void>;
  /** Forgets all key pairs, as far as the backend can. A `prepare` that is under way goes on. */
  discard(): void;
}

const defaultCount = 4;
const largestCount = 256;

/**
 * The backend with a stock of key pairs, for clients and servers alike; it is empty at first. Throws `UsageError` for groups
 * that the backend lacks.
 *
 * @example
 * const crypto = withPreparedKeyShares(nobleCrypto);
 * setInterval(() => crypto.prepare(), 1000);
 */
export function withPreparedKeyShares(
  backend: CryptoBackend,
  options: PreparedKeyShareOptions = {},
): CryptoWithPreparedKeyShares {
  const { groups = ['x25519'], count = defaultCount } = options;
  const lacking = groups.find((group) => !backend.capabilities.groups.includes(group));
  if (lacking !== undefined) {
    throw new UsageError('unsupported_by_backend', `backend ${backend.name} lacks ${lacking}`);
  }
  if (!Number.isInteger(count) || count < 1 || count > largestCount) {
    throw new UsageError('invalid_option', `count: got ${count}, expected an integer from 1 to ${largestCount}`);
  }

  const stock = new Map<KeyExchangeGroup, KeyShare[]>(groups.map((group) => [group, []]));
  const take = (group: KeyExchangeGroup): KeyShare | undefined => stock.get(group)?.shift();
  const prepare = (): MaybePromise<void> => {
    for (const [group, shares] of stock) {
      while (shares.length < count) {
        const share = backend.generateKeyShare(group);
        if (share instanceof Promise) {
          return share.then((ready) => {
            // Another call may have filled the stock meanwhile.
            if (shares.length < count) shares.push(ready);
            else ready.destroy?.();
            return prepare();
          });
        }
        shares.push(share);
      }
    }
  };
  return {
    ...backend,
    generateKeyShare: (group) => take(group) ?? backend.generateKeyShare(group),
    answerKeyShare: (group, peerPublicKey) => {
      // The side that answers a KEM has no key pair.
      const share = isMlKemGroup(group) ? undefined : take(group);
      return share === undefined ? backend.answerKeyShare(group, peerPublicKey) : answerWith(share, peerPublicKey);
    },
    prepare,
    discard: () => {
      for (const shares of stock.values()) for (const share of shares.splice(0)) share.destroy?.();
    },
  };
}
