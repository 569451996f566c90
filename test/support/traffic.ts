/** Reads recorded connections: records taken apart into messages, decrypted with a key log where one is at hand. */
import { fromHex } from '../../src/bytes.js';
import { alertName } from '../../src/alert.js';
import type { Segment } from '../../src/cli/figure.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { isTls12CipherSuite, tls12Suites, type Tls12Suite } from '../../src/key-schedule/suites.js';
import { Tls12Secrets } from '../../src/key-schedule/tls12.js';
import { decodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import { contentTypes, handshakeTypes } from '../../src/parameters.js';
import { Deframer } from '../../src/record/deframer.js';
import { HandshakeJoiner } from '../../src/record/handshake-joiner.js';
import { keySizes, tls12Protection, type RecordProtection } from '../../src/record/protection.js';

export type Side = 'client' | 'server';
export type Tls12Message = HandshakeMessage<'TLSv1.2'>;

/** One handshake message with its header, or the payload of another record. */
export interface Item {
  readonly from: Side;
  readonly contentType: number;
  readonly bytes: Uint8Array;
  /** Whether it came after its sender's ChangeCipherSpec. */
  readonly protected: boolean;
  /** Whether it is ciphertext still, for want of a key log. */
  readonly sealed: boolean;
}

/** What a test needs to speak for either side. */
export interface TrafficKeys {
  readonly suite: Tls12Suite;
  /** Fresh protection of what that side writes, sequence number 0. */
  readonly protection: (writer: Side) => RecordProtection;
}

/**
 * All that was said, in order. Without a key log, protected payloads stay as they are. With `honest`, only that side is
 * expected to make sense: the other is read as far as it does.
 */
export function readTraffic(segments: readonly Segment[], keyLog = '', honest?: Side): Item[] {
  const readers = { client: new DirectionReader('client'), server: new DirectionReader('server') };
  const items: Item[] = [];
  for (const { from, bytes } of segments) {
    const keys = () => (keyLog === '' ? undefined : trafficKeys(items, keyLog).protection(from));
    try {
      readers[from].read(bytes, keys, items);
    } catch (error) {
      if (honest === undefined || from === honest) throw error;
      readers[from].stop();
    }
  }
  return items;
}

/** The keys of a connection whose two hellos are among `items`. */
export function trafficKeys(items: readonly Item[], keyLog: string): TrafficKeys {
  const { random: clientRandom } = firstMessage(items, 'client_hello').body;
  const { random: serverRandom, cipherSuite } = firstMessage(items, 'server_hello').body;
  if (!isTls12CipherSuite(cipherSuite)) throw new Error(`no suite of ours: ${cipherSuite}`);
  const suite = tls12Suites[cipherSuite];
  const [, , secret = ''] = keyLog.split(' ');
  return {
    suite,
    protection: (writer) => {
      const secrets = new Tls12Secrets(nodeCrypto, suite.hash, fromHex(secret));
      const keys = secrets.keyBlock(clientRandom, serverRandom, keySizes(suite.aead));
      return tls12Protection(nodeCrypto, suite.aead, keys[writer]);
    },
  };
}

/** The one message of a type; fails where there is none, or more. */
export function theMessage<T extends Tls12Message['type']>(items: readonly Item[], type: T): MessageOf<T> {
  const [message, ...more] = messagesOfType(items, type);
  if (message === undefined || more.length > 0) throw new Error(`${more.length} messages of type ${type} too many`);
  return message;
}

type MessageOf<T extends Tls12Message['type']> = Extract<Tls12Message, { type: T }>;

function firstMessage<T extends Tls12Message['type']>(items: readonly Item[], type: T): MessageOf<T> {
  const [message] = messagesOfType(items, type);
  if (message === undefined) throw new Error(`no message of type ${type}`);
  return message;
}

function messagesOfType<T extends Tls12Message['type']>(items: readonly Item[], type: T): MessageOf<T>[] {
  return items
    .filter(({ contentType, sealed }) => contentType === contentTypes.handshake && !sealed)
    .filter(({ bytes }) => bytes[0] === handshakeTypes[type])
    .map(({ bytes }) => decodeHandshake('TLSv1.2', bytes))
    .filter((message): message is MessageOf<T> => message.type === type);
}

/** `fatal unexpected_message` for each alert. */
export function alertsOf(items: readonly Item[]): string[] {
  return items
    .filter(({ contentType }) => contentType === contentTypes.alert)
    .map(({ bytes: [level, description] }) => `${level === 2 ? 'fatal' : 'warning'} ${alertName(description!)}`);
}

class DirectionReader {
  readonly #from: Side;
  readonly #deframer = new Deframer();
  readonly #joiner = new HandshakeJoiner(2 ** 24);
  #changed = false;
  #stopped = false;
  #protection: RecordProtection | undefined;

  constructor(from: Side) {
    this.#from = from;
  }

  stop(): void {
    this.#stopped = true;
  }

  read(bytes: Uint8Array, keys: () => RecordProtection | undefined, items: Item[]): void {
    if (this.#stopped) return;
    this.#deframer.push(bytes.slice());
    for (let record = this.#deframer.next(); record !== undefined; record = this.#deframer.next()) {
      const { contentType } = record;
      const payload = this.#protection?.open(contentType, record.fragment).payload ?? record.fragment.slice();
      const sealed = this.#changed && this.#protection === undefined;
      const item = { from: this.#from, contentType, protected: this.#changed, sealed };
      if (contentType !== contentTypes.handshake || sealed) {
        items.push({ ...item, bytes: payload });
      } else {
        this.#joiner.push(payload, true);
        for (let message = this.#joiner.next(); message !== undefined; message = this.#joiner.next())
          items.push({ ...item, bytes: message.bytes });
      }
      if (contentType !== contentTypes.change_cipher_spec) continue;
      this.#changed = true;
      this.#protection = keys();
    }
  }
}
