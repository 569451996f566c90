/**
 * The key schedule of TLS 1.3 (RFC 8446 7.1): early secret, handshake secret, master secret, and what hangs on each.
 *
 * The schedule moves in one direction and keeps one stage at a time, as an HMAC key that is set up once for all that is
 * derived from it. The surprising thing: without a PSK there is an early secret all the same, over zeros: a constant, and so is
 * what the handshake secret takes from it.
 */
import { ascii, empty, wipe } from '../bytes.js';
import { aeadKeyLength, aeadNonceLength, hashLength } from '../crypto/backend.js';
import type { AeadAlgorithm, CryptoBackend, HashAlgorithm, HmacKey } from '../crypto/backend.js';
import { hkdfExtract } from '../crypto/hkdf.js';
import { UsageError } from '../errors.js';
import { hkdfExpandLabel } from './hkdf-label.js';

const labels = {
  binder: { external: ascii('ext binder'), resumption: ascii('res binder'), imported: ascii('imp binder') },
  clientEarlyTraffic: ascii('c e traffic'),
  earlyExporter: ascii('e exp master'),
  derived: ascii('derived'),
  clientHandshakeTraffic: ascii('c hs traffic'),
  serverHandshakeTraffic: ascii('s hs traffic'),
  clientApplicationTraffic: ascii('c ap traffic'),
  serverApplicationTraffic: ascii('s ap traffic'),
  exporter: ascii('exp master'),
  resumption: ascii('res master'),
  finished: ascii('finished'),
  key: ascii('key'),
  iv: ascii('iv'),
  trafficUpdate: ascii('traffic upd'),
  ticketPsk: ascii('resumption'),
  exported: ascii('exporter'),
} as const;

/** RFC 8446 7.1, RFC 9258 5.2: where a PSK comes from decides the label of its binder key. */
export type PskKind = 'resumption' | 'external' | 'imported';

/** What both directions have. */
export interface BothDirections<T> {
  readonly client: T;
  readonly server: T;
}

/** RFC 8446 7.1, from the PSK to the resumption secret. */
export class Tls13KeySchedule {
  readonly #crypto: CryptoBackend;
  readonly #hash: HashAlgorithm;
  /** `undefined` is the early secret without a PSK, of which a handshake wants nothing but one constant. */
  #stage: HmacKey | undefined;

  /** Enters the early secret. `psk` stays the caller's. */
  constructor(crypto: CryptoBackend, hash: HashAlgorithm, psk?: Uint8Array) {
    this.#crypto = crypto;
    this.#hash = hash;
    if (psk !== undefined) this.#stage = this.#extract(empty, psk);
  }

  /** RFC 8446 4.2.11.2: the binder over the hash of the transcript that ends with the truncated ClientHello. */
  binder(kind: PskKind, truncatedHash: Uint8Array): Uint8Array {
    const key = new TrafficSecret(this.#crypto, this.#hash, this.#derive(labels.binder[kind], this.#emptyHash()));
    try {
      return key.finished(truncatedHash);
    } finally {
      key.destroy();
    }
  }

  /** client_early_traffic_secret, over the ClientHello. */
  clientEarlyTraffic(clientHelloHash: Uint8Array): TrafficSecret {
    return this.#traffic(labels.clientEarlyTraffic, clientHelloHash);
  }

  /** early_exporter_master_secret, over the ClientHello. */
  earlyExporter(clientHelloHash: Uint8Array): Uint8Array {
    return this.#derive(labels.earlyExporter, clientHelloHash);
  }

  /** From the early to the handshake secret; `undefined` is psk_ke, which has zeros there. Wipes `sharedSecret`. */
  enterHandshake(sharedSecret: Uint8Array | undefined): void {
    try {
      this.#advance(sharedSecret);
    } finally {
      wipe(sharedSecret);
    }
  }

  /** Both handshake traffic secrets, over ClientHello...ServerHello. */
  handshakeTraffic(serverHelloHash: Uint8Array): BothDirections<TrafficSecret> {
    return this.#bothTraffic(labels.clientHandshakeTraffic, labels.serverHandshakeTraffic, serverHelloHash);
  }

  /** From the handshake to the master secret. */
  enterMaster(): void {
    this.#advance(undefined);
  }

  /** Both application traffic secrets, over ClientHello...server Finished. */
  applicationTraffic(serverFinishedHash: Uint8Array): BothDirections<TrafficSecret> {
    return this.#bothTraffic(labels.clientApplicationTraffic, labels.serverApplicationTraffic, serverFinishedHash);
  }

  /** exporter_master_secret, over ClientHello...server Finished. */
  exporter(serverFinishedHash: Uint8Array): Uint8Array {
    return this.#derive(labels.exporter, serverFinishedHash);
  }

  /** resumption_master_secret, over ClientHello...client Finished. */
  resumption(clientFinishedHash: Uint8Array): Uint8Array {
    return this.#derive(labels.resumption, clientFinishedHash);
  }

  destroy(): void {
    this.#stage?.destroy();
  }

  #advance(input: Uint8Array | undefined): void {
    const salt =
      this.#stage === undefined
        ? saltWithoutPsk(this.#crypto, this.#hash).slice()
        : this.#derive(labels.derived, this.#emptyHash());
    this.#stage?.destroy();
    try {
      this.#stage = this.#extract(salt, input);
    } finally {
      wipe(salt);
    }
  }

  #extract(salt: Uint8Array, input: Uint8Array | undefined): HmacKey {
    const secret = hkdfExtract(this.#crypto, this.#hash, salt, input ?? new Uint8Array(hashLength[this.#hash]));
    try {
      return this.#crypto.hmac(this.#hash, secret);
    } finally {
      wipe(secret);
    }
  }

  #bothTraffic(client: Uint8Array, server: Uint8Array, transcriptHash: Uint8Array): BothDirections<TrafficSecret> {
    const ofClient = this.#traffic(client, transcriptHash);
    try {
      return { client: ofClient, server: this.#traffic(server, transcriptHash) };
    } catch (error) {
      ofClient.destroy();
      throw error;
    }
  }

  #traffic(label: Uint8Array, transcriptHash: Uint8Array): TrafficSecret {
    return new TrafficSecret(this.#crypto, this.#hash, this.#derive(label, transcriptHash));
  }

  /** RFC 8446 7.1 Derive-Secret, from the hash of the messages. */
  #derive(label: Uint8Array, transcriptHash: Uint8Array): Uint8Array {
    this.#stage ??= this.#extract(empty, undefined);
    return hkdfExpandLabel(this.#stage, label, transcriptHash, hashLength[this.#hash]);
  }

  #emptyHash(): Uint8Array {
    return emptyHash(this.#crypto, this.#hash);
  }
}

const emptyHashes = new Map<HashAlgorithm, Uint8Array>();

/** The hash of nothing is a constant. */
function emptyHash(crypto: CryptoBackend, hash: HashAlgorithm): Uint8Array {
  const known = emptyHashes.get(hash) ?? crypto.hash(hash, empty);
  emptyHashes.set(hash, known);
  return known;
}

const saltsWithoutPsk = new Map<HashAlgorithm, Uint8Array>();

/** Derive-Secret(HKDF-Extract(0, 0), "derived", ""): a constant too. */
function saltWithoutPsk(crypto: CryptoBackend, hash: HashAlgorithm): Uint8Array {
  const known = saltsWithoutPsk.get(hash);
  if (known !== undefined) return known;
  const length = hashLength[hash];
  const early = hkdfExtract(crypto, hash, empty, new Uint8Array(length));
  const salt = expandOnce(crypto, hash, early, labels.derived, emptyHash(crypto, hash), length);
  saltsWithoutPsk.set(hash, salt);
  return salt;
}

/** A secret from which traffic keys, Finished and its own successor come (RFC 8446 4.4.4, 7.2, 7.3). */
export class TrafficSecret {
  readonly #crypto: CryptoBackend;
  readonly #hash: HashAlgorithm;
  readonly #secret: Uint8Array;
  #key: HmacKey | undefined;

  /** Takes `secret` over. */
  constructor(crypto: CryptoBackend, hash: HashAlgorithm, secret: Uint8Array) {
    this.#crypto = crypto;
    this.#hash = hash;
    this.#secret = secret;
  }

  /** As long as the hash. Key logs and QUIC stacks take it from here; it is wiped by `destroy`. */
  get secret(): Uint8Array {
    return this.#secret;
  }

  /** RFC 8446 7.3. */
  keys(aead: AeadAlgorithm): { readonly key: Uint8Array; readonly iv: Uint8Array } {
    const iv = hkdfExpandLabel(this.#hmac(), labels.iv, empty, aeadNonceLength);
    try {
      return { key: hkdfExpandLabel(this.#hmac(), labels.key, empty, aeadKeyLength[aead]), iv };
    } catch (error) {
      wipe(iv);
      throw error;
    }
  }

  /** RFC 8446 4.4.4: verify_data over the hash of the transcript so far. */
  finished(transcriptHash: Uint8Array): Uint8Array {
    const finishedKey = hkdfExpandLabel(this.#hmac(), labels.finished, empty, hashLength[this.#hash]);
    let key: HmacKey | undefined;
    try {
      key = this.#crypto.hmac(this.#hash, finishedKey);
      return key.compute(transcriptHash);
    } finally {
      wipe(finishedKey);
      key?.destroy();
    }
  }

  /** RFC 8446 7.2: application_traffic_secret_N+1. */
  next(): TrafficSecret {
    const secret = hkdfExpandLabel(this.#hmac(), labels.trafficUpdate, empty, hashLength[this.#hash]);
    return new TrafficSecret(this.#crypto, this.#hash, secret);
  }

  /** Keeps the secret alone, without the state around it that a connection at rest does not need. */
  rest(): this {
    this.#key?.destroy();
    this.#key = undefined;
    return this;
  }

  destroy(): void {
    this.rest();
    wipe(this.#secret);
  }

  #hmac(): HmacKey {
    return (this.#key ??= this.#crypto.hmac(this.#hash, this.#secret));
  }
}

/** RFC 8446 4.6.1: the PSK that a NewSessionTicket stands for. */
export function resumptionPsk(
  crypto: CryptoBackend,
  hash: HashAlgorithm,
  resumptionSecret: Uint8Array,
  ticketNonce: Uint8Array,
): Uint8Array {
  return expandOnce(crypto, hash, resumptionSecret, labels.ticketPsk, ticketNonce, hashLength[hash]);
}

/**
 * RFC 8446 7.5, from exporter_master_secret or early_exporter_master_secret. No context and an empty one are the same here.
 * Throws `UsageError` for a label above 249 bytes and a length above 255 hashes.
 */
export function exportKeyingMaterial(
  crypto: CryptoBackend,
  hash: HashAlgorithm,
  exporterSecret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  if (label.length > 255 - 'tls13 '.length) throw new UsageError('invalid_option', 'an exporter label has 249 bytes');
  const contextHash = crypto.hash(hash, context);
  const none = emptyHash(crypto, hash);
  const secret = expandOnce(crypto, hash, exporterSecret, ascii(label), none, hashLength[hash]);
  try {
    return expandOnce(crypto, hash, secret, labels.exported, contextHash, length);
  } finally {
    wipe(secret);
  }
}

function expandOnce(
  crypto: CryptoBackend,
  hash: HashAlgorithm,
  secret: Uint8Array,
  label: Uint8Array,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const key = crypto.hmac(hash, secret);
  try {
    return hkdfExpandLabel(key, label, context, length);
  } finally {
    key.destroy();
  }
}
