/**
 * Reads a recorded TLS 1.3 connection from its key log: just enough key derivation (RFC 8446 7.1 to 7.3, on our HKDF) to get
 * at the messages that the wire shows encrypted. The product's own TLS 1.3 key schedule is tested elsewhere; nothing here
 * should ever be needed by it.
 */
import { ascii, concat, empty, join, toHex } from '../../src/bytes.js';
import {
  aeadKeyLength,
  aeadNonceLength,
  hashLength,
  type AeadAlgorithm,
  type AeadKey,
  type CryptoBackend,
  type HashAlgorithm,
} from '../../src/crypto/backend.js';
import { hkdfExpand } from '../../src/crypto/hkdf.js';
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import { findExtension } from '../../src/messages/index.js';
import { contentTypes } from '../../src/parameters.js';
import { Deframer, type RawRecord } from '../../src/record/deframer.js';
import { HandshakeJoiner } from '../../src/record/handshake-joiner.js';
import { capturedName, chunks, keylogSecrets, type CapturedConnection, type Side } from './capture.js';

export interface ReplayedTls13Message {
  readonly from: Side;
  readonly message: HandshakeMessage<'TLSv1.3'>;
  readonly bytes: Uint8Array;
  readonly encrypted: boolean;
  /** Finished: what it should hold. CertificateVerify: the transcript hash that it signs. */
  readonly expected?: Uint8Array;
}

export interface Tls13Replay {
  /** As `contents.messages` has them. */
  readonly order: string[];
  readonly messages: ReplayedTls13Message[];
  readonly alerts: string[];
  readonly data: Record<Side, Uint8Array>;
  earlyData: Uint8Array;
  records: number;
  protectedRecords: number;
  /** Secrets after a KeyUpdate. */
  readonly updated: Partial<Record<Side, Uint8Array>>;
  rest: number;
}

const suites: Readonly<Record<string, { readonly hash: HashAlgorithm; readonly aead: AeadAlgorithm } | undefined>> = {
  TLS_AES_128_GCM_SHA256: { hash: 'sha256', aead: 'aes-128-gcm' },
  TLS_AES_256_GCM_SHA384: { hash: 'sha384', aead: 'aes-256-gcm' },
  TLS_CHACHA20_POLY1305_SHA256: { hash: 'sha256', aead: 'chacha20-poly1305' },
};

/** Throws if a record does not open, or a message does not decode. */
export function replayTls13(crypto: CryptoBackend, connection: CapturedConnection): Tls13Replay {
  const replay = new Replay(crypto, connection);
  for (const { from, bytes } of chunks(connection)) replay.receive(from, bytes);
  return replay.finish();
}

class Replay {
  readonly #crypto: CryptoBackend;
  readonly #suite: { readonly hash: HashAlgorithm; readonly aead: AeadAlgorithm };
  readonly #keylog: ReadonlyMap<string, Uint8Array>;
  readonly #sides = { client: new ReplayedSide(), server: new ReplayedSide() };
  readonly #replay: Tls13Replay = {
    order: [],
    messages: [],
    alerts: [],
    data: { client: empty, server: empty },
    earlyData: empty,
    records: 0,
    protectedRecords: 0,
    updated: {},
    rest: 0,
  };
  #clientRandom = empty;
  #transcript: Uint8Array[] = [];

  constructor(crypto: CryptoBackend, { cipherSuite, keylog, origin }: CapturedConnection) {
    const suite = suites[cipherSuite];
    if (suite === undefined) throw new Error(`${origin} has suite ${cipherSuite}`);
    this.#crypto = crypto;
    this.#suite = suite;
    this.#keylog = keylogSecrets(keylog);
  }

  receive(from: Side, bytes: Uint8Array): void {
    const { deframer } = this.#sides[from];
    deframer.push(bytes);
    for (let record = deframer.next(); record !== undefined; record = deframer.next()) this.#readRecord(from, record);
  }

  finish(): Tls13Replay {
    const { client, server } = this.#sides;
    this.#replay.rest = client.rest + server.rest;
    return this.#replay;
  }

  #readRecord(from: Side, record: RawRecord): void {
    this.#replay.records++;
    if (record.contentType === contentTypes.change_cipher_spec) this.#replay.order.push(`${from} ccs`);
    else if (record.contentType === contentTypes.application_data) {
      this.#replay.protectedRecords++;
      const { contentType, content } = this.#open(from, record.fragment);
      this.#readContent(from, contentType, content, true);
    } else this.#readContent(from, record.contentType, record.fragment, false);
  }

  /** RFC 8446 5.2: the content type is the last byte that is not padding. */
  #open(from: Side, fragment: Uint8Array): { contentType: number; content: Uint8Array } {
    const side = this.#sides[from];
    let inner = side.keys?.open(fragment);
    if (inner === undefined && side.epoch === 'early') {
      // The server has rejected early data, and the client goes on without an EndOfEarlyData.
      this.#enter('client', 'handshake');
      inner = side.keys?.open(fragment);
    }
    if (inner === undefined) throw new Error(`a record of the ${from} does not open in epoch ${side.epoch}`);
    let end = inner.length - 1;
    while (inner[end] === 0) end--;
    return { contentType: inner[end] ?? 0, content: inner.subarray(0, end) };
  }

  #readContent(from: Side, contentType: number, content: Uint8Array, encrypted: boolean): void {
    const replay = this.#replay;
    const { joiner, epoch } = this.#sides[from];
    if (contentType === contentTypes.alert) {
      replay.alerts.push(`${from} ${content[0] === 1 ? 'warning' : 'fatal'} ${String(content[1])}`);
    } else if (contentType === contentTypes.handshake) {
      joiner.push(content, false);
      for (let raw = joiner.next(); raw !== undefined; raw = joiner.next())
        this.#readMessage(from, raw.bytes, encrypted);
    } else if (epoch === 'early') replay.earlyData = join([replay.earlyData, content]);
    else replay.data[from] = join([replay.data[from], content]);
  }

  #readMessage(from: Side, bytes: Uint8Array, encrypted: boolean): void {
    const message = decodeHandshake('TLSv1.3', bytes);
    this.#replay.order.push(`${from} ${capturedName(message.type)}`);
    const expected = this.#expected(from, message.type);
    this.#replay.messages.push({ from, message, bytes, encrypted, ...(expected && { expected }) });
    if (message.type === 'hello_retry_request') this.#retry();
    if (message.type !== 'new_session_ticket' && message.type !== 'key_update') this.#transcript.push(bytes);
    this.#changeKeys(from, message);
  }

  #expected(from: Side, type: HandshakeMessage['type']): Uint8Array | undefined {
    const crypto = this.#crypto;
    const { hash } = this.#suite;
    const transcriptHash = crypto.hash(hash, join(this.#transcript));
    if (type === 'certificate_verify') return transcriptHash;
    if (type !== 'finished') return undefined;
    const finishedKey = expandLabel(crypto, hash, this.#secret(from, 'handshake'), 'finished', hashLength[hash]);
    return crypto.hmac(hash, finishedKey).compute(transcriptHash);
  }

  /** RFC 8446 4.4.1. */
  #retry(): void {
    const hash = this.#crypto.hash(this.#suite.hash, join(this.#transcript));
    this.#transcript = [encodeHandshake('TLSv1.3', { type: 'message_hash', body: { hash } })];
    this.#sides.client.epoch = 'plain';
  }

  #changeKeys(from: Side, message: HandshakeMessage<'TLSv1.3'>): void {
    const { client } = this.#sides;
    switch (message.type) {
      case 'client_hello':
        this.#clientRandom = message.body.random;
        if (findExtension(message.body.extensions, 'early_data') !== undefined) this.#enter('client', 'early');
        return;
      case 'server_hello':
        this.#enter('server', 'handshake');
        if (client.epoch !== 'early') this.#enter('client', 'handshake');
        return;
      case 'end_of_early_data':
        this.#enter('client', 'handshake');
        return;
      case 'finished':
        this.#enter(from, 'application');
        return;
      case 'key_update': {
        const { secret } = this.#sides[from];
        this.#install(
          from,
          expandLabel(this.#crypto, this.#suite.hash, secret, 'traffic upd', hashLength[this.#suite.hash]),
        );
        this.#replay.updated[from] = this.#sides[from].secret;
        return;
      }
      default:
        return;
    }
  }

  #enter(from: Side, epoch: 'early' | 'handshake' | 'application'): void {
    this.#install(from, this.#secret(from, epoch));
    this.#sides[from].epoch = epoch;
  }

  #install(from: Side, secret: Uint8Array): void {
    const side = this.#sides[from];
    if (side.joiner.pending) throw new Error('a message spans a key change');
    side.secret = secret;
    side.keys = new ReadingKeys(this.#crypto, this.#suite.hash, this.#suite.aead, secret);
  }

  #secret(from: Side, epoch: 'early' | 'handshake' | 'application'): Uint8Array {
    const sender = from.toUpperCase();
    const labels = {
      early: 'CLIENT_EARLY_TRAFFIC_SECRET',
      handshake: `${sender}_HANDSHAKE_TRAFFIC_SECRET`,
      application: `${sender}_TRAFFIC_SECRET_0`,
    };
    const secret = this.#keylog.get(`${labels[epoch]} ${toHex(this.#clientRandom)}`);
    if (secret === undefined) throw new Error(`no ${labels[epoch]} in the key log`);
    return secret;
  }
}

class ReplayedSide {
  readonly deframer = new Deframer();
  readonly joiner = new HandshakeJoiner(2 ** 16);
  epoch: 'plain' | 'early' | 'handshake' | 'application' = 'plain';
  secret: Uint8Array = empty;
  keys: ReadingKeys | undefined;

  get rest(): number {
    return this.deframer.buffered + (this.joiner.pending ? 1 : 0);
  }
}

/** RFC 8446 5.2 and 5.3. */
class ReadingKeys {
  readonly #key: AeadKey;
  readonly #iv: Uint8Array;
  #sequence = 0;

  constructor(crypto: CryptoBackend, hash: HashAlgorithm, aead: AeadAlgorithm, secret: Uint8Array) {
    this.#key = crypto.aead(aead, expandLabel(crypto, hash, secret, 'key', aeadKeyLength[aead]));
    this.#iv = expandLabel(crypto, hash, secret, 'iv', aeadNonceLength);
  }

  open(fragment: Uint8Array): Uint8Array | undefined {
    const nonce = this.#iv.slice();
    const view = new DataView(nonce.buffer);
    view.setUint32(8, view.getUint32(8) ^ this.#sequence);
    const header = Uint8Array.of(contentTypes.application_data, 3, 3, fragment.length >> 8, fragment.length & 0xff);
    const inner = this.#key.open(nonce, header, fragment);
    if (inner !== undefined) this.#sequence++;
    return inner;
  }
}

/** RFC 8446 7.1, with an empty context. */
function expandLabel(
  crypto: CryptoBackend,
  hash: HashAlgorithm,
  secret: Uint8Array,
  label: string,
  length: number,
): Uint8Array {
  const full = ascii(`tls13 ${label}`);
  const info = concat(Uint8Array.of(length >> 8, length & 0xff, full.length), full, Uint8Array.of(0));
  return hkdfExpand(crypto.hmac(hash, secret), info, length);
}
