/**
 * SHA-256, SHA-384 and HMAC (RFC 2104) on @noble/hashes, with nothing computed or allocated twice.
 *
 * An HMAC key is two hash states that have swallowed their padded block; `_cloneInto` copies them into kept workers, so
 * that one MAC costs two or three compressions and one array. The one surprising thing: states of destroyed keys are
 * wiped and reused by later keys, because making the two states is the dearer half of a key that is used once or twice.
 *
 * States of SHA-384 are made at its first use: with both hashes in a process the shared base class of @noble/hashes
 * turns polymorphic and SHA-256 slows by a tenth to a third.
 */
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import type { Hash } from '@noble/hashes/utils.js';
import { wipe } from '../bytes.js';
import { refuseDestroyed } from './refusals.js';
import type { HashAlgorithm, HmacKey, RunningHash } from './backend.js';

export function nobleHash(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  return hashFunctions[algorithm]().hash(data);
}

export function nobleRunningHash(algorithm: HashAlgorithm): RunningHash {
  return hashFunctions[algorithm]().running();
}

export function nobleHmac(algorithm: HashAlgorithm, key: Uint8Array): HmacKey {
  return hashFunctions[algorithm]().hmac(key);
}

/** One hash with all that is made of it. */
export interface HashFunction {
  hash(data: Uint8Array): Uint8Array;
  running(): RunningHash;
  hmac(key: Uint8Array): HmacKey;
}

const hashFunctions: Record<HashAlgorithm, () => HashFunction> = {
  sha256: once(() => hashFunction(() => sha256.create())),
  sha384: once(() => hashFunction(() => sha384.create())),
};

/** Makes a value when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Wiped states kept for later HMAC keys: 64 states of about 200 bytes. */
const maximumSpareStates = 64;

export function hashFunction<State extends Hash<State>>(create: () => State): HashFunction {
  const initial = create();
  const inner = create();
  const outer = create();
  const block = new Uint8Array(initial.blockLen);
  const spare: State[] = [];

  const hash = (data: Uint8Array): Uint8Array => {
    initial._cloneInto(inner).update(data);
    return inner.digest();
  };

  class Running implements RunningHash {
    readonly #state = create();

    update(data: Uint8Array): void {
      this.#state.update(data);
    }

    snapshot(): Uint8Array {
      this.#state._cloneInto(inner);
      return inner.digest();
    }
  }

  class Key implements HmacKey {
    readonly outputLength = initial.outputLen;
    #inner: State | undefined;
    #outer: State | undefined;

    constructor(key: Uint8Array) {
      const short = key.length > block.length ? hash(key) : key;
      block.fill(0x36);
      for (let i = 0; i < short.length; i++) block[i] = 0x36 ^ (short[i] ?? 0);
      this.#inner = initial._cloneInto(spare.pop()).update(block);
      for (let i = 0; i < block.length; i++) block[i] = (block[i] ?? 0) ^ 0x36 ^ 0x5c;
      this.#outer = initial._cloneInto(spare.pop()).update(block);
      wipe(block, short === key ? undefined : short);
    }

    compute(...parts: readonly Uint8Array[]): Uint8Array {
      (this.#inner ?? refuseDestroyed())._cloneInto(inner);
      for (const part of parts) inner.update(part);
      const innerHash = inner.digest();
      (this.#outer ?? refuseDestroyed())._cloneInto(outer).update(innerHash);
      wipe(innerHash);
      return outer.digest();
    }

    destroy(): void {
      for (const state of [this.#inner, this.#outer]) {
        state?.destroy();
        if (state !== undefined && spare.length < maximumSpareStates) spare.push(state);
      }
      // Without this a destroyed key would go on under the states of another.
      this.#inner = undefined;
      this.#outer = undefined;
    }
  }

  return { hash, running: () => new Running(), hmac: (key) => new Key(key) };
}
