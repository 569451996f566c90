/**
 * Random bytes from a pool: one draw from the system serves some hundred requests of 32 bytes, at 0.07 us instead of 1.8.
 *
 * What was handed out is wiped from the pool at once, so the pool never repeats or keeps a secret. The one surprising
 * thing: a process image that is saved and resumed twice resumes the same pool, as it does any generator in user space.
 */
import { empty } from '../bytes.js';
import { randomBytes as systemRandomBytes } from '@noble/hashes/utils.js';

/** Bytes drawn from the system at a time. */
export const randomPoolLength = 4096;
/** Requests above this length go to the system directly. */
export const largestPooledRequest = 1024;

/** A pool of its own over `draw`, which defaults to the runtime's `crypto.getRandomValues`. */
export function randomPool(draw: (length: number) => Uint8Array = systemRandomBytes): (length: number) => Uint8Array {
  let pool = empty;
  let used = 0;
  return (length) => {
    if (length > largestPooledRequest) return draw(length);
    if (pool.length - used < length) {
      pool.fill(0, used);
      pool = draw(randomPoolLength);
      used = 0;
    }
    const bytes = pool.slice(used, used + length);
    pool.fill(0, used, used + length);
    used += length;
    return bytes;
  };
}

/** The pool that the backends share. */
export const pooledRandomBytes = randomPool();
