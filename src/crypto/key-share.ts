/** What backends share of key agreement: the side that speaks second, where both sides do the same. */
import type { KeyShare, KeyShareAnswer, MaybePromise } from './backend.js';
import { goOn } from './maybe-promise.js';

/** Answers with a Diffie-Hellman share, for `CryptoBackend.answerKeyShare`: at once where the share agrees at once. */
export function answerWith(share: KeyShare, peerPublicKey: Uint8Array): MaybePromise<KeyShareAnswer | undefined> {
  const { publicKey } = share;
  return goOn(share.agree(peerPublicKey), (sharedSecret) => {
    share.destroy?.();
    return sharedSecret === undefined ? undefined : { publicKey, sharedSecret };
  });
}
