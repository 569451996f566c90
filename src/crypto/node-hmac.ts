/**
 * HMAC (RFC 2104) of the node backend: noble for short inputs under SHA-256, and two one-shot hashes of OpenSSL otherwise.
 *
 * The one surprising thing: `createHmac` is not used. It makes an object for every MAC, which costs twice what hashing the
 * padded key anew does.
 */
import { hash as hashOnce } from 'node:crypto';
import { copy, wipe } from '../bytes.js';
import { hashLength } from './backend.js';
import type { HashAlgorithm, HmacKey } from './backend.js';
import { nobleHmac } from './noble-hash.js';
import { plain } from './node-buffer.js';
import { nodeHash } from './node-symmetric.js';
import { refuseDestroyed } from './refusals.js';

/** Two blocks of SHA-256: where OpenSSL overtakes noble on Node 20 and a processor with SHA-256 instructions. */
const longestNobleMac = 119;

/** SHA-384 never runs on noble: it is slower from the first byte, and its presence would slow noble's SHA-256. */
export class NodeHmacKey implements HmacKey {
  readonly outputLength: number;
  readonly #algorithm: HashAlgorithm;
  readonly #short: HmacKey | undefined;
  #key: Uint8Array | undefined;
  #long: OneShotHmac | undefined;

  constructor(algorithm: HashAlgorithm, key: Uint8Array) {
    this.outputLength = hashLength[algorithm];
    this.#algorithm = algorithm;
    this.#short = algorithm === 'sha256' ? nobleHmac(algorithm, key) : undefined;
    this.#key = copy(key);
  }

  compute(...parts: readonly Uint8Array[]): Uint8Array {
    let length = 0;
    for (const part of parts) length += part.length;
    if (this.#short !== undefined && length <= longestNobleMac) return this.#short.compute(...parts);
    this.#long ??= new OneShotHmac(this.#algorithm, this.#key ?? refuseDestroyed());
    return this.#long.compute(parts, length);
  }

  destroy(): void {
    this.#short?.destroy();
    this.#long?.destroy();
    wipe(this.#key);
    this.#key = undefined;
    this.#long = undefined;
  }
}

const blockLength = { sha256: 64, sha384: 128 } as const satisfies Record<HashAlgorithm, number>;
/** Room kept behind the padded key: enough for a ticket of usual size. */
const keptLength = 512;

class OneShotHmac {
  readonly #algorithm: HashAlgorithm;
  readonly #blockLength: number;
  /** The key padded with 0x36, and what is hashed behind it. */
  readonly #inner: Uint8Array;
  /** The key padded with 0x5c, and the inner hash. */
  readonly #outer: Uint8Array;

  constructor(algorithm: HashAlgorithm, key: Uint8Array) {
    this.#algorithm = algorithm;
    this.#blockLength = blockLength[algorithm];
    const padded = new Uint8Array(this.#blockLength);
    padded.set(key.length > this.#blockLength ? hashOnce(algorithm, key, 'buffer') : key);
    this.#inner = new Uint8Array(this.#blockLength + keptLength);
    this.#outer = new Uint8Array(this.#blockLength + hashLength[algorithm]);
    for (let i = 0; i < padded.length; i++) {
      this.#inner[i] = (padded[i] ?? 0) ^ 0x36;
      this.#outer[i] = (padded[i] ?? 0) ^ 0x5c;
    }
    wipe(padded);
  }

  /** `length` is that of all parts together. */
  compute(parts: readonly Uint8Array[], length: number): Uint8Array {
    let end = this.#blockLength;
    const inner = length > keptLength ? this.#roomFor(length) : this.#inner;
    for (const part of parts) {
      inner.set(part, end);
      end += part.length;
    }
    this.#outer.set(nodeHash(this.#algorithm, inner.subarray(0, end)), this.#blockLength);
    if (inner !== this.#inner) wipe(inner);
    // Short inputs are those of a key derivation: what comes out is a key.
    return length <= longestNobleMac
      ? plain(hashOnce(this.#algorithm, this.#outer, 'buffer'))
      : nodeHash(this.#algorithm, this.#outer);
  }

  destroy(): void {
    wipe(this.#inner, this.#outer);
  }

  #roomFor(length: number): Uint8Array {
    const inner = new Uint8Array(this.#blockLength + length);
    inner.set(this.#inner.subarray(0, this.#blockLength));
    return inner;
  }
}
