/**
 * `MemcachedClient`: what this package asks of a client of memcached, so that one of `memjs` fits as it is.
 *
 * The surprising thing is `expires`: 0 means for ever, and from 30 days on it is no duration but a time since 1970.
 */

/** A client of `memjs`: `Client.create()`. */
export interface MemcachedClient {
  /** `value` is `null` where there is none. */
  get(key: string): Promise<{ readonly value: Uint8Array | null }>;
  /** `expires` in seconds. */
  set(key: string, value: string, options: { readonly expires: number }): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}
