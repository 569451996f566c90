/**
 * Ticket keys as Redis sees them: encrypted under a secret that only the servers of one deployment have.
 *
 *     prk = HKDF-Extract("tls-resume fleet keys 1", secret)                                             (RFC 5869)
 *     wrapping key = HKDF-Expand(prk, salt, 32)                                                         one for each entry
 *     struct {
 *         uint8 format = 1;
 *         uint64 publishedAt;                    // milliseconds since 1970, by the clock of the server that wrote it
 *         opaque salt[32];
 *         opaque sealed[...];                    // AES-256-GCM of name || aesKey || hmacKey, or of name || secret
 *     } Entry;                                   // as base64url
 *
 * The surprising thing is what the entry does not hold: the times of the key. They follow from its place, which is authenticated together with
 * the settings of the fleet and `publishedAt`. So whoever can write to Redis can neither make a key live longer nor let keys change places.
 */
import { ascii, concat, copy, wipe } from '../../bytes.js';
import { concealed } from '../../concealed.js';
import { aeadTagLength, type CryptoBackend, type HmacKey } from '../../crypto/backend.js';
import { hkdfExpand, hkdfExtract } from '../../crypto/hkdf.js';
import { UsageError } from '../../errors.js';
import { base64url } from '../../presentation/base64.js';
import { secretParts, ticketKeyNameLength, weaknessOf, type TicketKey } from '../ticket-key.js';

export type FleetKeyKind = 'aes_hmac' | 'secret';

/** A key, and when the others could read it. */
export interface PublishedKey {
  readonly key: TicketKey;
  readonly publishedAt: number;
}

const label = ascii('tls-resume fleet keys 1');
const secretLength = 32;
const format = 1;
const publishedAtOffset = 1;
const saltOffset = 9;
const saltLength = 32;
const sealedOffset = saltOffset + saltLength;
const partLength = 32;
/** Each wrapping key encrypts once. */
const nonce = new Uint8Array(12);

/** `context` is what all servers of the fleet have to agree on. */
export class KeyWrapping {
  readonly #crypto: CryptoBackend;
  readonly #expanding: HmacKey;
  readonly #kind: FleetKeyKind;
  readonly #context: string;

  /** Throws `UsageError('invalid_key')` for a secret that is not 32 bytes, or no random ones. */
  constructor(crypto: CryptoBackend, secret: Uint8Array, kind: FleetKeyKind, context: string) {
    if (secret.length !== secretLength)
      throw new UsageError('invalid_key', `the secret has ${secret.length} bytes, expected ${secretLength}`);
    const weakness = weaknessOf(secret);
    if (weakness !== undefined) throw new UsageError('invalid_key', `the secret ${weakness}: not a random key`);
    const pseudorandomKey = hkdfExtract(crypto, 'sha256', label, secret);
    this.#expanding = crypto.hmac('sha256', pseudorandomKey);
    wipe(pseudorandomKey);
    this.#crypto = crypto;
    this.#kind = kind;
    this.#context = context;
  }

  wrap({ key, publishedAt }: PublishedKey, place: string): string {
    const plaintext = concat(key.name, ...secretParts(key));
    const entry = new Uint8Array(sealedOffset + plaintext.length + aeadTagLength);
    entry[0] = format;
    new DataView(entry.buffer).setBigUint64(publishedAtOffset, BigInt(publishedAt));
    entry.set(this.#crypto.randomBytes(saltLength), saltOffset);
    const aead = this.#aead(entry);
    aead.seal(nonce, this.#authenticated(place, publishedAt), plaintext, entry.subarray(sealedOffset));
    aead.destroy();
    wipe(plaintext);
    return base64url.encode(entry);
  }

  /** `undefined` for whatever was not wrapped for this place by a server with the same secret and settings. */
  unwrap(text: string, place: string): PublishedKey | undefined {
    const length = ticketKeyNameLength + (this.#kind === 'secret' ? 1 : 2) * partLength;
    const entryLength = sealedOffset + length + aeadTagLength;
    const entry = text.length > 2 * entryLength ? undefined : base64url.decode(text);
    if (entry?.length !== entryLength || entry[0] !== format) return undefined;
    const publishedAt = Number(new DataView(entry.buffer).getBigUint64(publishedAtOffset));
    const aead = this.#aead(entry);
    const plaintext = aead.open(nonce, this.#authenticated(place, publishedAt), entry.subarray(sealedOffset));
    aead.destroy();
    if (plaintext === undefined) return undefined;
    const name = copy(plaintext.subarray(0, ticketKeyNameLength));
    const part = (start: number) => concealed(copy(plaintext.subarray(start, start + partLength)));
    const first = part(ticketKeyNameLength);
    const key =
      this.#kind === 'secret'
        ? { name, secret: first }
        : { name, aesKey: first, hmacKey: part(ticketKeyNameLength + partLength) };
    wipe(plaintext);
    return { key, publishedAt };
  }

  #aead(entry: Uint8Array) {
    const key = hkdfExpand(this.#expanding, entry.subarray(saltOffset, sealedOffset), partLength);
    const aead = this.#crypto.aead('aes-256-gcm', key);
    wipe(key);
    return aead;
  }

  #authenticated(place: string, publishedAt: number): Uint8Array {
    return ascii(`${format}\0${this.#kind}\0${this.#context}\0${publishedAt}\0${place}`);
  }
}
