/** A backend that works until its n-th call, and throws then: once, or from then on. */
import type { AeadKey, CryptoBackend, HmacKey, KeyShare, RunningHash } from '../../src/crypto/backend.js';

export interface FailingCrypto {
  readonly crypto: CryptoBackend;
  /** Calls so far. */
  readonly calls: () => number;
}

export class BackendFailure extends Error {}

/** Destroying keys counts as no call: a backend has nothing to fail at there. */
export function failingCrypto(crypto: CryptoBackend, failsAt: number, goesOn: boolean): FailingCrypto {
  let calls = 0;
  const attempt = <T>(what: string, call: () => T): T => {
    calls++;
    if (calls === failsAt || (goesOn && calls > failsAt)) throw new BackendFailure(`${what}, call ${calls}`);
    return call();
  };
  const hash = (running: RunningHash): RunningHash => ({
    update: (data) => attempt('update', () => running.update(data)),
    snapshot: () => attempt('snapshot', () => running.snapshot()),
  });
  const hmac = (key: HmacKey): HmacKey => ({
    outputLength: key.outputLength,
    compute: (...parts) => attempt('compute', () => key.compute(...parts)),
    destroy: () => key.destroy(),
  });
  const aead = (key: AeadKey): AeadKey => ({
    seal: (...all) => attempt('seal', () => key.seal(...all)),
    open: (...all) => attempt('open', () => key.open(...all)),
    destroy: () => key.destroy(),
  });
  const keyShare = (share: KeyShare): KeyShare => ({
    publicKey: share.publicKey,
    agree: (peer) => attempt('agree', () => share.agree(peer)),
  });
  return {
    calls: () => calls,
    crypto: {
      ...crypto,
      randomBytes: (length) => attempt('randomBytes', () => crypto.randomBytes(length)),
      hash: (...all) => attempt('hash', () => crypto.hash(...all)),
      runningHash: (...all) => hash(attempt('runningHash', () => crypto.runningHash(...all))),
      hmac: (...all) => hmac(attempt('hmac', () => crypto.hmac(...all))),
      aead: (...all) => aead(attempt('aead', () => crypto.aead(...all))),
      generateKeyShare: (group) =>
        attempt('generateKeyShare', () => {
          const share = crypto.generateKeyShare(group);
          return share instanceof Promise ? share.then(keyShare) : keyShare(share);
        }),
      answerKeyShare: (...all) => attempt('answerKeyShare', () => crypto.answerKeyShare(...all)),
      verify: (...all) => attempt('verify', () => crypto.verify(...all)),
    },
  };
}
