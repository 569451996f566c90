/**
 * Reads a recorded TLS 1.3 connection from its key log, with the library's own traffic secrets (RFC 8446 7.2, 7.3) and record
 * protection (5.2): other implementations made the records, so both are right if every one opens.
 */
import { empty, join, toHex } from '../../src/bytes.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { AlertError } from '../../src/errors.js';
import { isTls13CipherSuite, tls13Suites, type Tls13Suite } from '../../src/key-schedule/suites.js';
import { TrafficSecret } from '../../src/key-schedule/tls13.js';
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import { findExtension } from '../../src/messages/index.js';
import { contentTypes } from '../../src/parameters.js';
import { Deframer, type RawRecord } from '../../src/record/deframer.js';
import { HandshakeJoiner } from '../../src/record/handshake-joiner.js';
import { tls13Protection } from '../../src/record/protection-tls13.js';
import type { RecordProtection, Unprotected } from '../../src/record/protection.js';
import { capturedName, chunks, keylogSecrets, type CapturedConnection, type Side } from './capture.js';

export interface ReplayedTls13Message {
  readonly from: Side;
  readonly message: HandshakeMessage<'TLSv1.3'>;
  readonly bytes: Uint8Array;
  readonly encrypted: boolean;
  /** The messages of the transcript before it (RFC 8446 4.4.1). */
  readonly before: Uint8Array;
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

/** Throws if a record does not open, or a message does not decode. */
export function replayTls13(crypto: CryptoBackend, connection: CapturedConnection): Tls13Replay {
  const replay = new Replay(crypto, connection);
  for (const { from, bytes } of chunks(connection)) replay.receive(from, bytes);
  return replay.finish();
}

class Replay {
  readonly #crypto: CryptoBackend;
  readonly #suite: Tls13Suite;
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
    if (!isTls13CipherSuite(cipherSuite)) throw new Error(`${origin} has suite ${cipherSuite}`);
    this.#crypto = crypto;
    this.#suite = tls13Suites[cipherSuite];
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
      const { contentType, payload } = this.#open(from, record);
      this.#readContent(from, contentType, payload, true);
    } else this.#readContent(from, record.contentType, record.fragment, false);
  }

  #open(from: Side, { contentType, fragment }: RawRecord): Unprotected {
    const side = this.#sides[from];
    try {
      if (side.protection === undefined) throw new Error(`a protected record of the ${from} in epoch ${side.epoch}`);
      return side.protection.open(contentType, fragment);
    } catch (error) {
      if (side.epoch !== 'early' || !(error instanceof AlertError)) throw error;
      // The server has rejected early data, and the client goes on without an EndOfEarlyData.
      this.#enter('client', 'handshake');
      return this.#open(from, { contentType, fragment });
    }
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
    const before = join(this.#transcript);
    const expected = this.#expected(from, message.type, before);
    this.#replay.messages.push({ from, message, bytes, encrypted, before, ...(expected && { expected }) });
    if (message.type === 'hello_retry_request') this.#retry();
    if (message.type !== 'new_session_ticket' && message.type !== 'key_update') this.#transcript.push(bytes);
    this.#changeKeys(from, message);
  }

  #expected(from: Side, type: HandshakeMessage['type'], before: Uint8Array): Uint8Array | undefined {
    if (type !== 'certificate_verify' && type !== 'finished') return undefined;
    const transcriptHash = this.#crypto.hash(this.#suite.hash, before);
    return type === 'finished' ? this.#secret(from, 'handshake').finished(transcriptHash) : transcriptHash;
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
        const secret = this.#sides[from].secret?.next();
        if (secret === undefined) throw new Error('a key_update in the clear');
        this.#install(from, secret);
        this.#replay.updated[from] = secret.secret;
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

  #install(from: Side, secret: TrafficSecret): void {
    const side = this.#sides[from];
    if (side.joiner.pending) throw new Error('a message spans a key change');
    side.secret = secret;
    side.protection = tls13Protection(this.#crypto, this.#suite.aead, secret.keys(this.#suite.aead));
  }

  #secret(from: Side, epoch: 'early' | 'handshake' | 'application'): TrafficSecret {
    const sender = from.toUpperCase();
    const labels = {
      early: 'CLIENT_EARLY_TRAFFIC_SECRET',
      handshake: `${sender}_HANDSHAKE_TRAFFIC_SECRET`,
      application: `${sender}_TRAFFIC_SECRET_0`,
    };
    const secret = this.#keylog.get(`${labels[epoch]} ${toHex(this.#clientRandom)}`);
    if (secret === undefined) throw new Error(`no ${labels[epoch]} in the key log`);
    return new TrafficSecret(this.#crypto, this.#suite.hash, secret);
  }
}

class ReplayedSide {
  readonly deframer = new Deframer();
  readonly joiner = new HandshakeJoiner(2 ** 16);
  epoch: 'plain' | 'early' | 'handshake' | 'application' = 'plain';
  secret: TrafficSecret | undefined;
  protection: RecordProtection | undefined;

  get rest(): number {
    return this.deframer.buffered + (this.joiner.pending ? 1 : 0);
  }
}
