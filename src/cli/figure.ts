/**
 * The message-flow figure of a connection, as RFC 5246 7.3, RFC 5077 3.1 and RFC 8446 2 draw it, from the bytes on the wire.
 *
 * Of TLS 1.2 nothing is decrypted: what follows a ChangeCipherSpec is told by its content type, and the one protected handshake
 * message of such a handshake is Finished. What TLS 1.3 protects is seen with a key log, and is `Application Data` without.
 */
import { alertName } from '../alert.js';
import { findExtension, isHelloRetryRequest, serverHello } from '../messages/index.js';
import { contentTypes, handshakeTypes } from '../parameters.js';
import { Deframer, type RawRecord } from '../record/deframer.js';
import { handshakeHeaderLength, HandshakeJoiner, type RawHandshake } from '../record/handshake-joiner.js';
import { RecordOpener, type Marks, type Secrets } from './opened-records.js';

/** Bytes that one side sent; segments in the order in which they were seen. */
export interface Segment {
  readonly from: 'client' | 'server';
  readonly bytes: Uint8Array;
}

/** What one side sent before the other spoke again. */
export interface Flight {
  readonly from: 'client' | 'server';
  /**
   * Message names as the RFCs write them. In TLS 1.2 `[ChangeCipherSpec]` is none, hence the brackets; in TLS 1.3 brackets tell the
   * keys: `(Application Data)` is early, `{Finished}` under handshake keys, `[KeyUpdate]` under application keys.
   */
  readonly messages: readonly string[];
  /** On the wire, record headers included. */
  readonly length: number;
}

/** Groups a recorded connection into flights. Throws `AlertError` for bytes that are no TLS. */
export function messageFlow(segments: readonly Segment[], secrets?: Secrets): readonly Flight[] {
  const version: NegotiatedVersion = { isTls13: undefined };
  const readers = {
    client: new StreamReader(version, secrets && new RecordOpener(secrets, 'client')),
    server: new StreamReader(version, secrets && new RecordOpener(secrets, 'server')),
  };
  const flights: { from: Segment['from']; messages: string[]; length: number }[] = [];
  for (const { from, bytes } of segments) {
    let flight = flights.at(-1);
    if (flight?.from !== from) flights.push((flight = { from, messages: [], length: 0 }));
    flight.messages.push(...readers[from].read(bytes));
    flight.length += bytes.length;
  }
  return flights;
}

/** Round trips before the client's first application data: the server's handshake flights that it waited for. */
export function roundTrips(flights: readonly Flight[]): number {
  const first = flights.findIndex(({ from, messages }) => from === 'client' && messages.some(isApplicationData));
  const before = first < 0 ? flights : flights.slice(0, first);
  return before.filter(({ from, messages }) => from === 'server' && messages.some(isHandshake)).length;
}

function isHandshake(message: string): boolean {
  return !isApplicationData(message) && !message.includes('Alert') && !afterHandshake.has(message);
}

function isApplicationData(message: string): boolean {
  return message.includes(applicationData);
}

const afterHandshake = new Set(['[NewSessionTicket]', '[KeyUpdate]']);

const width = 72;
const arrow = { client: '-------->', server: '<--------' };
const arrowColumn = 30;

/** The figure, client on the left; each flight's bytes stand beside its arrow. */
export function drawFigure(flights: readonly Flight[]): string {
  const lines = [`Client${'Server'.padStart(width - 'Client'.length)}`];
  for (const { from, messages, length } of flights) {
    lines.push('');
    messages.forEach((message, i) => {
      const last = i === messages.length - 1;
      const middle = last ? `${arrow[from]} ${String(length)} bytes ` : '';
      lines.push(
        from === 'client'
          ? `${message.padEnd(arrowColumn)}${middle}`.trimEnd()
          : `${' '.repeat(arrowColumn)}${middle}${message.padStart(width - arrowColumn - middle.length)}`,
      );
    });
  }
  return lines.join('\n');
}

const applicationData = 'Application Data';
const longestMessage = 2 ** 24;

/** What the ServerHello said; `undefined` before it. */
interface NegotiatedVersion {
  isTls13: boolean | undefined;
}

/** Names what one direction sends. */
class StreamReader {
  readonly #version: NegotiatedVersion;
  readonly #opener: RecordOpener | undefined;
  readonly #deframer = new Deframer();
  readonly #joiner = new HandshakeJoiner(longestMessage);
  #protected = false;

  constructor(version: NegotiatedVersion, opener: RecordOpener | undefined) {
    this.#version = version;
    this.#opener = opener;
  }

  read(bytes: Uint8Array): string[] {
    const names: string[] = [];
    this.#deframer.push(bytes.slice());
    for (let record = this.#deframer.next(); record !== undefined; record = this.#deframer.next())
      names.push(...this.#name(record));
    return names;
  }

  #name(record: RawRecord): string[] {
    const { contentType, fragment } = record;
    if (contentType === contentTypes.change_cipher_spec) return [this.#changeCipherSpec()];
    if (contentType === contentTypes.application_data) {
      const opened = this.#opener?.open(record);
      if (opened === undefined) return [applicationData];
      return this.#nameContent(opened.contentType, opened.payload).map((name) => marked(name, opened.marks));
    }
    if (!this.#protected) return this.#nameContent(contentType, fragment);
    return [contentType === contentTypes.alert ? 'Alert' : 'Finished'];
  }

  /** RFC 8446 D.4: in TLS 1.3 it changes nothing, and only there does it come before a ServerHello. */
  #changeCipherSpec(): string {
    if (this.#version.isTls13 !== false) return 'ChangeCipherSpec';
    this.#protected = true;
    return '[ChangeCipherSpec]';
  }

  #nameContent(contentType: number, content: Uint8Array): string[] {
    if (contentType === contentTypes.application_data) return [applicationData];
    if (contentType === contentTypes.alert) return [`Alert (${String(alertName(content[1] ?? 0))})`];
    const names: string[] = [];
    this.#joiner.push(content, false);
    for (let message = this.#joiner.next(); message !== undefined; message = this.#joiner.next())
      names.push(this.#nameMessage(message));
    return names;
  }

  #nameMessage({ type, bytes }: RawHandshake): string {
    const body = bytes.subarray(handshakeHeaderLength);
    if (type === handshakeTypes.server_hello) {
      if (isHelloRetryRequest(body)) return 'HelloRetryRequest';
      const { extensions } = serverHello.decode(body);
      this.#version.isTls13 = findExtension(extensions ?? [], 'supported_versions') === 'TLSv1.3';
    }
    return messageNames.get(type) ?? `handshake message ${String(type)}`;
  }
}

function marked(name: string, marks: Marks): string {
  return marks.charAt(0) + name + marks.charAt(1);
}

/** `client_hello` is ClientHello in the figures. */
const messageNames = new Map<number, string>(
  Object.entries(handshakeTypes).map(([name, type]) => [
    type,
    name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  ]),
);
