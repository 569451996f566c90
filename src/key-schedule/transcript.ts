/**
 * The running hash over all handshake messages (RFC 5246 7.4.9, RFC 8446 4.4.1).
 *
 * The hash is known only once the cipher suite is: messages before that wait as references. A TLS 1.2 client
 * CertificateVerify signs the messages themselves, so they stay at hand until {@link Transcript.release}.
 */
import { concat, empty, join } from '../bytes.js';
import type { CryptoBackend, HashAlgorithm, RunningHash } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { handshakeTypes } from '../parameters.js';

export class Transcript {
  readonly #crypto: CryptoBackend;
  #messages: Uint8Array[] | undefined = [];
  #hash: RunningHash | undefined;
  /** Asked for twice where a message ends one stage and begins another. */
  #digest: Uint8Array | undefined;

  constructor(crypto: CryptoBackend) {
    this.#crypto = crypto;
  }

  /** Adds a whole handshake message, header included. The bytes must not change afterwards. */
  add(message: Uint8Array): void {
    this.#hash?.update(message);
    this.#messages?.push(message);
    this.#digest = undefined;
  }

  /** The cipher suite is chosen: hashes what has been said so far, and from now on everything at once. */
  start(algorithm: HashAlgorithm): void {
    if (this.#hash !== undefined) return;
    this.#hash = this.#crypto.runningHash(algorithm);
    for (const message of this.#messages ?? []) this.#hash.update(message);
  }

  /**
   * RFC 8446 4.4.1: a HelloRetryRequest is coming, and the one message so far, the first ClientHello, becomes its hash.
   */
  startRetry(algorithm: HashAlgorithm): void {
    const hash = this.#crypto.hash(algorithm, this.messages());
    this.#messages = [concat(Uint8Array.of(handshakeTypes.message_hash, 0, 0, hash.length), hash)];
    this.start(algorithm);
  }

  /**
   * Hash of all messages so far and of `tail`, under any algorithm: what a binder covers, with the truncated ClientHello for a
   * tail (RFC 8446 4.2.11.2), and what early secrets cover while the suite of the connection is open.
   */
  digestUnder(algorithm: HashAlgorithm, tail: Uint8Array = empty): Uint8Array {
    const messages = this.#messages ?? [];
    return this.#crypto.hash(algorithm, messages.length === 0 ? tail : join([...messages, tail]));
  }

  /** Hash of all messages so far. */
  digest(): Uint8Array {
    if (this.#hash === undefined) throw new UsageError('invalid_option', 'the transcript hash is not chosen yet');
    return (this.#digest ??= this.#hash.snapshot());
  }

  /** All messages so far, joined: what a TLS 1.2 CertificateVerify signs (RFC 5246 7.4.8). */
  messages(): Uint8Array {
    return join(this.#messages ?? []);
  }

  /** Nobody will ask for the messages again. */
  release(): void {
    this.#messages = undefined;
  }

  /** Nobody will ask for anything again. */
  close(): void {
    this.#messages = this.#hash = this.#digest = undefined;
  }
}
