/**
 * A backend that keeps hold of every secret that it is given or gives: keys of HMAC, AEAD and CBC, what key agreement and key
 * derivation answer, and what is extracted from. What is public is told apart by what it is derived for: Finished values and
 * binders travel, and so do MACs of tickets.
 */
import { equal, fromAscii } from '../../src/bytes.js';
import type { AeadKey, CbcKey, CryptoBackend, HmacKey, KeyShare, KeyShareAnswer } from '../../src/crypto/backend.js';

export interface RecordedSecret {
  readonly name: string;
  /** The very array. */
  readonly bytes: Uint8Array;
  /** What it held at first. */
  readonly value: Uint8Array;
}

export interface Recorder {
  wrap(crypto: CryptoBackend): CryptoBackend;
  readonly secrets: readonly RecordedSecret[];
  /** Names of those that still hold anything; `kept` are arrays that are not ours to wipe, or parts of the same memory. */
  unwiped(kept?: readonly Uint8Array[]): string[];
  /** As {@link unwiped}, and whatever was written over is not there any more. */
  holding(kept?: readonly Uint8Array[]): string[];
  /** Keys that were set up and not destroyed. */
  readonly alive: () => number;
}

export function makeRecorder(): Recorder {
  const secrets: RecordedSecret[] = [];
  const alive = new Set<object>();
  /** Keys under which Finished values and binders are computed. */
  const finishedKeys = new Set<Uint8Array>();
  const record = (name: string, bytes: Uint8Array): Uint8Array => {
    if (bytes.some((byte) => byte !== 0)) secrets.push({ name, bytes, value: bytes.slice() });
    return bytes;
  };
  const living = <K extends { destroy(): void }>(key: K): K => {
    alive.add(key);
    const { destroy } = key;
    key.destroy = () => {
      alive.delete(key);
      destroy();
    };
    return key;
  };
  const hmac = (inner: HmacKey, key: Uint8Array): HmacKey => {
    const isFinished = finishedKeys.has(key);
    let isPrf = false;
    return living({
      outputLength: inner.outputLength,
      compute: (...parts) => {
        const output = inner.compute(...parts);
        const [first, second] = parts;
        if (isFinished || first === undefined) return output;
        const label = expandLabel(first);
        if (label !== undefined) {
          if (label === 'finished') finishedKeys.add(output);
          return record(`tls13 ${label}`, output);
        }
        // RFC 5246 5: HMAC(secret, A(i) + label + seed) is output, what comes before it is not.
        if (parts.length === 2) isPrf = true;
        if (parts.length === 3 && second !== undefined) {
          const prfLabel = fromAscii(second);
          return prfLabel.endsWith(' finished') ? output : record(`prf ${prfLabel}`, output);
        }
        // What is longer than any shared secret is a ticket, and this its MAC.
        if (isPrf || parts.length !== 1 || first.length > longestSharedSecret) return output;
        record('input of HKDF-Extract', first);
        return record('HKDF-Extract', output);
      },
      destroy: () => inner.destroy(),
    });
  };
  const aead = (inner: AeadKey): AeadKey =>
    living({
      seal: (...all) => inner.seal(...all),
      open: (...all) => inner.open(...all),
      destroy: () => inner.destroy(),
    });
  const cbc = (inner: CbcKey): CbcKey =>
    living({
      encrypt: (...all) => inner.encrypt(...all),
      decrypt: (...all) => inner.decrypt(...all),
      destroy: () => inner.destroy(),
    });
  const agreed = (secret: Uint8Array | undefined) => secret && record('shared secret', secret);
  const keyShare = (inner: KeyShare): KeyShare => ({
    publicKey: inner.publicKey,
    agree: (peer) => {
      const secret = inner.agree(peer);
      return secret instanceof Promise ? secret.then(agreed) : agreed(secret);
    },
    destroy: () => inner.destroy?.(),
  });
  const answered = (answer: KeyShareAnswer | undefined) => {
    if (answer !== undefined) record('shared secret', answer.sharedSecret);
    return answer;
  };
  const remaining = (kept: readonly Uint8Array[]) => {
    const memory = new Set(kept.map(({ buffer }) => buffer));
    return secrets.filter(({ bytes }) => !memory.has(bytes.buffer));
  };
  const nameOf = ({ name }: RecordedSecret) => name;
  return {
    secrets,
    alive: () => alive.size,
    unwiped: (kept = []) =>
      remaining(kept)
        .filter(({ bytes }) => bytes.some((byte) => byte !== 0))
        .map(nameOf),
    holding: (kept = []) =>
      remaining(kept)
        .filter(({ bytes, value }) => equal(bytes, value))
        .map(nameOf),
    wrap: (crypto) => ({
      ...crypto,
      hmac: (hash, key) => {
        // Before the backend is asked: where it fails, the key is there all the same.
        record('HMAC key', key);
        return hmac(crypto.hmac(hash, key), key);
      },
      aead: (algorithm, key) => {
        record('AEAD key', key);
        return aead(crypto.aead(algorithm, key));
      },
      cbc: (key) => {
        record('CBC key', key);
        return cbc(crypto.cbc(key));
      },
      generateKeyShare: (group) => {
        const share = crypto.generateKeyShare(group);
        return share instanceof Promise ? share.then(keyShare) : keyShare(share);
      },
      answerKeyShare: (group, peer) => {
        const answer = crypto.answerKeyShare(group, peer);
        return answer instanceof Promise ? answer.then(answered) : answered(answer);
      },
    }),
  };
}

/** That of X25519MLKEM768. */
const longestSharedSecret = 64;

/** The label of an HkdfLabel (RFC 8446 7.1), or `undefined` for anything else. */
function expandLabel(info: Uint8Array): string | undefined {
  const text = fromAscii(info.subarray(3, 3 + (info[2] ?? 0)));
  return text.startsWith('tls13 ') ? text.slice('tls13 '.length) : undefined;
}
