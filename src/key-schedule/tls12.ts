/**
 * The secrets of a TLS 1.2 connection: PRF (RFC 5246 5), master secret (8.1), extended master secret (RFC 7627 4), key
 * block (6.3) and Finished (7.4.9).
 *
 * The HMAC key set up over the master secret serves the key block and both Finished: one resumption is eight HMACs under
 * one key, which is why {@link Tls12Secrets} is an object.
 */
import { ascii, concat, wipe } from '../bytes.js';
import type { CryptoBackend, HashAlgorithm, HmacKey } from '../crypto/backend.js';

export const masterSecretLength = 48;
export const verifyDataLength = 12;

const labels = {
  masterSecret: ascii('master secret'),
  extendedMasterSecret: ascii('extended master secret'),
  keyExpansion: ascii('key expansion'),
  client: ascii('client finished'),
  server: ascii('server finished'),
} as const;

/** RFC 5246 5: `PRF(secret, label, seed)`, cut to `length` bytes; the secret is in `key`, the hash is the suite's. */
export function prf(key: HmacKey, label: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  let a = key.compute(label, seed);
  for (let offset = 0; offset < length;) {
    const block = key.compute(a, label, seed);
    const wanted = Math.min(block.length, length - offset);
    output.set(wanted < block.length ? block.subarray(0, wanted) : block, offset);
    wipe(block);
    offset += wanted;
    if (offset < length) a = key.compute(a);
  }
  return output;
}

function derive(
  crypto: CryptoBackend,
  hash: HashAlgorithm,
  premasterSecret: Uint8Array,
  label: Uint8Array,
  seed: Uint8Array,
): Uint8Array {
  const key = crypto.hmac(hash, premasterSecret);
  try {
    return prf(key, label, seed, masterSecretLength);
  } finally {
    key.destroy();
  }
}

/** RFC 5246 8.1. The caller wipes the premaster secret. */
export function masterSecret(
  crypto: CryptoBackend,
  hash: HashAlgorithm,
  premasterSecret: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): Uint8Array {
  return derive(crypto, hash, premasterSecret, labels.masterSecret, concat(clientRandom, serverRandom));
}

/**
 * RFC 5489 2, in the form of RFC 4279 2: `opaque other_secret<0..2^16-1>; opaque psk<0..2^16-1>`. The caller wipes all three.
 */
export function pskPremasterSecret(ecdheSecret: Uint8Array, psk: Uint8Array): Uint8Array {
  return concat(length16(ecdheSecret), ecdheSecret, length16(psk), psk);
}

function length16({ length }: Uint8Array): Uint8Array {
  return Uint8Array.of(length >> 8, length & 0xff);
}

/** RFC 7627 4: `sessionHash` covers everything up to and including ClientKeyExchange. */
export function extendedMasterSecret(
  crypto: CryptoBackend,
  hash: HashAlgorithm,
  premasterSecret: Uint8Array,
  sessionHash: Uint8Array,
): Uint8Array {
  return derive(crypto, hash, premasterSecret, labels.extendedMasterSecret, sessionHash);
}

/** What protects one direction of a connection: the AEAD key and the fixed part of the nonce. */
export interface DirectionKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** Sizes in bytes for one direction (RFC 5288 3: iv 4; RFC 7905 2: iv 12). */
export interface KeySizes {
  readonly key: number;
  readonly iv: number;
}

/** A master secret at work on one connection. */
export class Tls12Secrets {
  readonly #key: HmacKey;

  constructor(crypto: CryptoBackend, hash: HashAlgorithm, secret: Uint8Array) {
    this.#key = crypto.hmac(hash, secret);
  }

  /** RFC 5246 6.3; AEAD suites have no MAC keys. Server random first. */
  keyBlock(
    clientRandom: Uint8Array,
    serverRandom: Uint8Array,
    sizes: KeySizes,
  ): { client: DirectionKeys; server: DirectionKeys } {
    const { key, iv } = sizes;
    const block = prf(this.#key, labels.keyExpansion, concat(serverRandom, clientRandom), 2 * (key + iv));
    const keys = {
      client: { key: block.slice(0, key), iv: block.slice(2 * key, 2 * key + iv) },
      server: { key: block.slice(key, 2 * key), iv: block.slice(2 * key + iv) },
    };
    wipe(block);
    return keys;
  }

  /** RFC 5246 7.4.9: 12 bytes over the hash of all handshake messages so far. */
  verifyData(sender: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
    return prf(this.#key, labels[sender], transcriptHash, verifyDataLength);
  }

  /**
   * RFC 5705 4 keying material; `context` undefined is "no context", which differs from an empty one. Only connections
   * with an extended master secret may export (RFC 7627 5.4); the caller sees to that.
   */
  exportKeyingMaterial(
    label: string,
    clientRandom: Uint8Array,
    serverRandom: Uint8Array,
    context: Uint8Array | undefined,
    length: number,
  ): Uint8Array {
    const seed =
      context === undefined
        ? concat(clientRandom, serverRandom)
        : concat(clientRandom, serverRandom, length16(context), context);
    return prf(this.#key, ascii(label), seed, length);
  }

  destroy(): void {
    this.#key.destroy();
  }
}

/** Wipes a key block that the record layer has taken over. */
export function wipeKeys(keys: { client: DirectionKeys; server: DirectionKeys }): void {
  wipe(keys.client.key, keys.client.iv, keys.server.key, keys.server.iv);
}
