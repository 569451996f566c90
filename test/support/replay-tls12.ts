/**
 * Reads a recorded TLS 1.2 connection with our deframer, record layer, key schedule and transcript: everything below the
 * handshake, driven by what stands on the wire.
 */
import { empty, equal, join, toHex } from '../../src/bytes.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { Tls12Secrets, type DirectionKeys } from '../../src/key-schedule/tls12.js';
import { tls12Suites, type Tls12CipherSuite } from '../../src/key-schedule/suites.js';
import { Transcript } from '../../src/key-schedule/transcript.js';
import { decodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import { contentTypes } from '../../src/parameters.js';
import { Deframer, type RawRecord } from '../../src/record/deframer.js';
import { HandshakeJoiner } from '../../src/record/handshake-joiner.js';
import { keySizes, tls12Protection, type RecordProtection } from '../../src/record/protection.js';
import { RecordLayer } from '../../src/record/record-layer.js';
import { capturedName, chunks, keylogSecrets, type CapturedConnection, type Side } from './capture.js';

export interface ReplayedMessage {
  readonly from: Side;
  readonly message: HandshakeMessage<'TLSv1.2'>;
  /** Header and body, as they stood on the wire or under its protection. */
  readonly bytes: Uint8Array;
  readonly encrypted: boolean;
  /** Finished: what our key schedule says it should hold. */
  readonly expectedVerifyData?: Uint8Array;
}

/** A record that was protected, and what our own sealing makes of its plaintext at the same sequence number. */
export interface ReplayedRecord {
  readonly fragment: Uint8Array;
  readonly sealed: Uint8Array;
  /** Whether the peer counts its explicit nonces as we do; a random one cannot be made again. */
  readonly sameNonce: boolean;
}

export interface Tls12Replay {
  /** As `contents.messages` has them. */
  readonly order: string[];
  readonly messages: ReplayedMessage[];
  readonly protectedRecords: ReplayedRecord[];
  readonly alerts: string[];
  readonly data: Record<Side, Uint8Array>;
  records: number;
  /** Transcript hash up to and including the last ClientKeyExchange (RFC 7627 3). */
  sessionHash: Uint8Array | undefined;
  /** Bytes that were left when the recording ended. */
  rest: number;
}

/** The suite of ours that OpenSSL calls `name`; `undefined` for all others. */
export function suiteByOpensslName(name: string): Tls12CipherSuite | undefined {
  return opensslNames[name];
}

const opensslNames: Readonly<Record<string, Tls12CipherSuite>> = {
  'ECDHE-ECDSA-AES128-GCM-SHA256': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256': 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384': 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305': 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305': 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
};

/** Throws if a record does not open, or a message does not decode. */
export function replayTls12(
  crypto: CryptoBackend,
  cipherSuite: Tls12CipherSuite,
  connection: CapturedConnection,
): Tls12Replay {
  const replay: Tls12Replay = {
    order: [],
    messages: [],
    protectedRecords: [],
    alerts: [],
    data: { client: empty, server: empty },
    records: 0,
    sessionHash: undefined,
    rest: 0,
  };
  const handshake = new ReplayedHandshake(crypto, cipherSuite, keylogSecrets(connection.keylog));
  const sides = { client: new ReplayedSide(), server: new ReplayedSide() };
  for (const { from, bytes } of chunks(connection)) {
    const side = sides[from];
    side.deframer.push(bytes);
    for (let record = side.deframer.next(); record !== undefined; record = side.deframer.next()) {
      replay.records++;
      readRecord(replay, handshake, side, from, record);
    }
  }
  replay.rest = sides.client.rest + sides.server.rest;
  return replay;
}

class ReplayedSide {
  readonly deframer = new Deframer();
  readonly layer = new RecordLayer();
  readonly joiner = new HandshakeJoiner(2 ** 16);
  writer: RecordProtection | undefined;

  get rest(): number {
    return this.deframer.buffered + (this.joiner.pending ? 1 : 0);
  }
}

function readRecord(
  replay: Tls12Replay,
  handshake: ReplayedHandshake,
  side: ReplayedSide,
  from: Side,
  record: RawRecord,
): void {
  const { contentType, payload } = side.layer.open(record)!;
  if (side.writer !== undefined) replay.protectedRecords.push(reseal(side.writer, record, payload));
  switch (contentType) {
    case contentTypes.change_cipher_spec: {
      replay.order.push(`${from} ccs`);
      side.layer.changeReadProtection(handshake.protection(from));
      side.writer = handshake.protection(from);
      return;
    }
    case contentTypes.handshake: {
      side.joiner.push(payload, false);
      for (let raw = side.joiner.next(); raw !== undefined; raw = side.joiner.next()) {
        const read = handshake.read(from, raw.bytes);
        replay.order.push(`${from} ${capturedName(read.message.type)}`);
        replay.messages.push({ ...read, from, bytes: raw.bytes, encrypted: side.writer !== undefined });
        if (read.message.type === 'client_key_exchange') replay.sessionHash = handshake.transcript.digest();
      }
      return;
    }
    case contentTypes.alert:
      replay.alerts.push(`${from} ${payload[0] === 1 ? 'warning' : 'fatal'} ${String(payload[1])}`);
      return;
    default:
      replay.data[from] = join([replay.data[from], payload]);
  }
}

function reseal(writer: RecordProtection, { contentType, fragment }: RawRecord, payload: Uint8Array): ReplayedRecord {
  const sealed = new Uint8Array(payload.length + writer.sealedLength(0));
  writer.seal(contentType, payload, sealed);
  const explicit = writer.sealedLength(0) - 16;
  return { fragment, sealed, sameNonce: equal(sealed.subarray(0, explicit), fragment.subarray(0, explicit)) };
}

/** What the two sides of a handshake know together. A renegotiation starts it anew. */
class ReplayedHandshake {
  readonly #crypto: CryptoBackend;
  readonly #cipherSuite: Tls12CipherSuite;
  readonly #keylog: ReadonlyMap<string, Uint8Array>;
  transcript: Transcript;
  #clientRandom = empty;
  #secrets: Tls12Secrets | undefined;
  #keys: Record<Side, DirectionKeys> | undefined;

  constructor(crypto: CryptoBackend, cipherSuite: Tls12CipherSuite, keylog: ReadonlyMap<string, Uint8Array>) {
    this.#crypto = crypto;
    this.#cipherSuite = cipherSuite;
    this.#keylog = keylog;
    this.transcript = new Transcript(crypto);
  }

  read(from: Side, bytes: Uint8Array): Pick<ReplayedMessage, 'message' | 'expectedVerifyData'> {
    const message = decodeHandshake('TLSv1.2', bytes);
    const expectedVerifyData =
      message.type === 'finished' ? this.#secrets?.verifyData(from, this.transcript.digest()) : undefined;
    if (message.type === 'client_hello') {
      this.transcript = new Transcript(this.#crypto);
      this.#clientRandom = message.body.random;
    }
    if (message.type === 'server_hello') this.#settle(message.body.cipherSuite, message.body.random);
    this.transcript.add(bytes);
    return { message, ...(expectedVerifyData && { expectedVerifyData }) };
  }

  protection(from: Side): RecordProtection {
    if (this.#keys === undefined) throw new Error('ChangeCipherSpec before ServerHello');
    return tls12Protection(this.#crypto, tls12Suites[this.#cipherSuite].aead, this.#keys[from]);
  }

  #settle(cipherSuite: string | number, serverRandom: Uint8Array): void {
    if (cipherSuite !== this.#cipherSuite) throw new Error(`${String(cipherSuite)} on the wire`);
    const secret = this.#keylog.get(`CLIENT_RANDOM ${toHex(this.#clientRandom)}`);
    if (secret === undefined) throw new Error('no line in the key log');
    const { hash, aead } = tls12Suites[this.#cipherSuite];
    this.transcript.start(hash);
    this.#secrets = new Tls12Secrets(this.#crypto, hash, secret);
    this.#keys = this.#secrets.keyBlock(this.#clientRandom, serverRandom, keySizes(aead));
  }
}
