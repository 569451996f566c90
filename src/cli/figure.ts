/**
 * The message-flow figure of a TLS 1.2 connection, as RFC 5246 7.3 and RFC 5077 3.1 draw it, from the bytes on the wire.
 *
 * Nothing is decrypted: what follows a ChangeCipherSpec is told by its content type, and the one protected handshake message
 * of a TLS 1.2 handshake is Finished.
 */
import { alertName } from '../alert.js';
import { contentTypes, handshakeTypes } from '../parameters.js';
import { Deframer, type RawRecord } from '../record/deframer.js';
import { HandshakeJoiner } from '../record/handshake-joiner.js';

/** Bytes that one side sent; segments in the order in which they were seen. */
export interface Segment {
  readonly from: 'client' | 'server';
  readonly bytes: Uint8Array;
}

/** What one side sent before the other spoke again. */
export interface Flight {
  readonly from: 'client' | 'server';
  /** Message names as the RFCs write them; `[ChangeCipherSpec]` is none, hence the brackets. */
  readonly messages: readonly string[];
  /** On the wire, record headers included. */
  readonly length: number;
}

/** Groups a recorded connection into flights. Throws `AlertError` for bytes that are no TLS. */
export function messageFlow(segments: readonly Segment[]): readonly Flight[] {
  const readers = { client: new StreamReader(), server: new StreamReader() };
  const flights: { from: Segment['from']; messages: string[]; length: number }[] = [];
  for (const { from, bytes } of segments) {
    let flight = flights.at(-1);
    if (flight?.from !== from) flights.push((flight = { from, messages: [], length: 0 }));
    flight.messages.push(...readers[from].read(bytes));
    flight.length += bytes.length;
  }
  return flights;
}

/** Round trips before the client's first application data may leave: the server's handshake flights that it waited for. */
export function roundTrips(flights: readonly Flight[]): number {
  return flights.filter(({ from, messages }) => from === 'server' && messages.some(isHandshake)).length;
}

function isHandshake(message: string): boolean {
  return message !== applicationData && !message.startsWith('Alert');
}

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

/** Names what one direction sends. */
class StreamReader {
  readonly #deframer = new Deframer();
  readonly #joiner = new HandshakeJoiner(longestMessage);
  #protected = false;

  read(bytes: Uint8Array): string[] {
    const names: string[] = [];
    this.#deframer.push(bytes.slice());
    for (let record = this.#deframer.next(); record !== undefined; record = this.#deframer.next())
      names.push(...this.#name(record));
    return names;
  }

  #name({ contentType, fragment }: RawRecord): string[] {
    if (contentType === contentTypes.change_cipher_spec) {
      this.#protected = true;
      return ['[ChangeCipherSpec]'];
    }
    if (contentType === contentTypes.application_data) return [applicationData];
    if (contentType === contentTypes.alert)
      return [this.#protected ? 'Alert' : `Alert (${String(alertName(fragment[1] ?? 0))})`];
    if (this.#protected) return ['Finished'];
    const names: string[] = [];
    this.#joiner.push(fragment, false);
    for (let message = this.#joiner.next(); message !== undefined; message = this.#joiner.next())
      names.push(messageNames.get(message.type) ?? `handshake message ${String(message.type)}`);
    return names;
  }
}

/** `client_hello` is ClientHello in the figures. */
const messageNames = new Map<number, string>(
  Object.entries(handshakeTypes).map(([name, type]) => [
    type,
    name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  ]),
);
