/**
 * Reads the vectors of RFC 8448 and of the wire captures, with a small deframer of its own: tests of a floor must not
 * need the floors above it.
 */
import { fromHex } from '../../src/bytes.js';
import type { HandshakeVersion } from '../../src/messages/handshake.js';
import { readVectors } from './vectors.js';

export type Side = 'client' | 'server';

/** A handshake message as it stood on the wire, header included. */
export interface CapturedMessage {
  /** Where it comes from, to be shown when a test fails. */
  readonly origin: string;
  readonly version: HandshakeVersion;
  readonly from: Side;
  readonly bytes: Uint8Array;
}

export interface CapturedRecord {
  readonly contentType: number;
  /** As it stood on the wire, protected or not. */
  readonly fragment: Uint8Array;
}

export interface CapturedConnection {
  /** `tls12-ticket-aes128gcm[1]`: file and number of the connection. */
  readonly origin: string;
  readonly version: HandshakeVersion;
  readonly mode: string;
  /** OpenSSL's name for TLS 1.2, IANA's for TLS 1.3. */
  readonly cipherSuite: string;
  readonly keylog: string;
  readonly sent: Readonly<Record<Side, Uint8Array>>;
  /** Who sent how much, in the order of arrival. */
  readonly flights: readonly { readonly from: Side; readonly length: number }[];
  readonly contents: CapturedContents;
  /** The PSK of the ticket that it left with the client, where the client told. */
  readonly sessionPsk: Uint8Array | undefined;
  readonly externalPsk: Uint8Array | undefined;
  /** The connection whose session it offers. */
  readonly resumes: CapturedConnection | undefined;
}

/** What another implementation decrypted. */
export interface CapturedContents {
  readonly cipherSuite: string;
  /** `client ClientHello`, `server ccs`: in order. */
  readonly messages: readonly string[];
  readonly clientData?: string;
  readonly serverData?: string;
  readonly earlyData?: string;
  /** `client warning 0`. */
  readonly alerts: readonly string[];
  /** Of both sides. */
  readonly records: number;
  readonly tickets: readonly CapturedTicket[];
  /** TLS 1.2. */
  readonly extendedMasterSecret?: boolean;
  readonly sessionIdEchoed?: boolean;
  readonly masterSecret?: string;
  readonly sessionHash?: string;
}

export interface CapturedTicket {
  readonly length: number;
  /** TLS 1.2. */
  readonly lifetimeHint?: number;
  /** TLS 1.3. */
  readonly lifetime?: number;
  readonly ageAdd?: string;
  readonly nonce?: string;
  readonly maxEarlyData?: number;
  /** Where the server seals it into the ticket under a known key. */
  readonly resumptionMasterSecretHex?: string;
}

/** All handshake messages of RFC 8448, those that were encrypted on the wire among them. */
export function rfc8448Messages(): CapturedMessage[] {
  const { sections } = readVectors('rfc8448/rfc8448.json') as Rfc8448;
  return sections.flatMap(({ section, named }) =>
    named.messages.map(({ from, type, hex }) => ({
      origin: `RFC 8448 section ${section} ${from} ${type}`,
      version: 'TLSv1.3',
      from,
      bytes: fromHex(hex),
    })),
  );
}

export function captures(): CapturedConnection[] {
  const index = readVectors('captures/index.json') as readonly { readonly file: string }[];
  return index.flatMap(({ file }) => {
    const { name, connections, externalPsk } = readVectors(`captures/${file}`) as Capture;
    const found: CapturedConnection[] = [];
    for (const [i, connection] of connections.entries())
      found.push({
        origin: `${name}[${String(i)}]`,
        version: connection.version === 'TLS1.3' ? 'TLSv1.3' : 'TLSv1.2',
        mode: connection.mode,
        cipherSuite: connection.contents.cipherSuite,
        keylog: connection.keylog,
        sent: { client: fromHex(connection.clientToServerHex), server: fromHex(connection.serverToClientHex) },
        flights: connection.flights.map((flight) => ({
          from: flight.startsWith('c:') ? 'client' : 'server',
          length: Number(flight.slice(2)),
        })),
        contents: connection.contents,
        sessionPsk: fromHexIfAny(connection.session?.resumptionPskHex),
        externalPsk: fromHexIfAny(externalPsk?.keyHex),
        resumes: found[0],
      });
    return found;
  });
}

function fromHexIfAny(hex: string | undefined): Uint8Array | undefined {
  return hex === undefined ? undefined : fromHex(hex);
}

/** The bytes of a connection in the order of their arrival. */
export function chunks({ flights, sent }: CapturedConnection): { from: Side; bytes: Uint8Array }[] {
  const offset = { client: 0, server: 0 };
  return flights.map(({ from, length }) => {
    const start = offset[from];
    offset[from] += length;
    return { from, bytes: sent[from].subarray(start, offset[from]) };
  });
}

/** `client_hello` as `contents.messages` writes it: ClientHello. */
export function capturedName(type: string): string {
  return type.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The secrets of a key log by label and client random: `CLIENT_RANDOM 00ff...`. */
export function keylogSecrets(keylog: string): ReadonlyMap<string, Uint8Array> {
  const lines = keylog.split('\n').map((line) => /^(\w+ [0-9a-f]{64}) ([0-9a-f]+)$/.exec(line));
  return new Map(lines.flatMap((line) => (line === null ? [] : [[line[1] ?? '', fromHex(line[2] ?? '')]])));
}

/** Every handshake message that went over the wire in the clear: of all captures, or of these connections. */
export function plaintextMessages(connections = captures()): CapturedMessage[] {
  return connections.flatMap((connection) =>
    (['client', 'server'] as const).flatMap((from) => {
      const { origin, version } = connection;
      return splitMessages(joinPlaintext(splitRecords(connection.sent[from]), version)).map((bytes) => ({
        origin: `${origin} ${from}`,
        version,
        from,
        bytes,
      }));
    }),
  );
}

export function splitRecords(stream: Uint8Array): CapturedRecord[] {
  const records: CapturedRecord[] = [];
  for (let at = 0; at < stream.length;) {
    const length = stream[at + 3]! * 0x100 + stream[at + 4]!;
    records.push({ contentType: stream[at]!, fragment: stream.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return records;
}

/** TLS 1.2 goes on under keys after ChangeCipherSpec (20); in TLS 1.3 a record of type handshake (22) is always plain. */
function joinPlaintext(records: readonly CapturedRecord[], version: HandshakeVersion): Uint8Array {
  const keyChange = version === 'TLSv1.2' ? records.findIndex(({ contentType }) => contentType === 20) : -1;
  const plain = keyChange === -1 ? records : records.slice(0, keyChange);
  return Uint8Array.from(
    plain.filter(({ contentType }) => contentType === 22).flatMap(({ fragment }) => Array.from(fragment)),
  );
}

function splitMessages(handshake: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < handshake.length;) {
    const length = handshake[at + 1]! * 0x1_0000 + handshake[at + 2]! * 0x100 + handshake[at + 3]!;
    messages.push(handshake.subarray(at, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}

interface Rfc8448 {
  readonly sections: readonly {
    readonly section: number;
    readonly named: {
      readonly messages: readonly { readonly from: Side; readonly type: string; readonly hex: string }[];
    };
  }[];
}

interface Capture {
  readonly name: string;
  /** Of SHA-256. */
  readonly externalPsk?: { readonly keyHex: string };
  readonly connections: readonly {
    readonly version: string;
    readonly mode: string;
    readonly keylog: string;
    readonly flights: readonly string[];
    readonly contents: CapturedContents;
    readonly session?: { readonly resumptionPskHex?: string };
    readonly clientToServerHex: string;
    readonly serverToClientHex: string;
  }[];
}
