/**
 * What Java's own TLS writes into tickets (`SSLSessionImpl`, SunJSSE), in Java 17 and in Java 25. To be read, not to be written.
 *
 * Read by hand: its lists say how many items they have where those of TLS say how many bytes. The surprising thing is what Java 17 writes:
 * the server's own certificates, whole, which make up two thirds of a ticket.
 */
import { fromAscii } from '../../bytes.js';
import { DecodeError } from '../../errors.js';
import {
  cipherSuites,
  protocolVersions,
  signatureSchemes,
  type CipherSuite,
  type ProtocolVersion,
  type SignatureScheme,
} from '../../parameters.js';
import { enumeration, type Codec } from '../../presentation/codec.js';
import { Reader } from '../../presentation/reader.js';

export interface JsseState {
  readonly version: ProtocolVersion;
  readonly cipherSuite: CipherSuite;
  readonly localSignatureSchemes: readonly SignatureScheme[];
  /** Java 17. */
  readonly peerSignatureSchemes: readonly SignatureScheme[];
  /** TLS 1.2: the master secret; TLS 1.3: the PSK. */
  readonly secret: Uint8Array;
  /** Java 17, which keeps a session ID there. */
  readonly pskIdentity: Uint8Array;
  readonly extendedMasterSecret: boolean;
  readonly endpointIdentification: string;
  readonly serverNameIndication: string;
  /** The host_names that the client asked for. */
  readonly requestedServerNames: readonly string[];
  readonly maximumPacketSize: number;
  /** 0xffffffff: none. */
  readonly maximumFragmentLength: number;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly peerHost: string;
  readonly peerPort: number;
  /** As DER. */
  readonly peerCertificates: readonly Uint8Array[];
  /** Java 17, as DER. */
  readonly localCertificates: readonly Uint8Array[];
  /** Java 25, in place of the certificates. */
  readonly localCertificateChecksums: readonly { readonly algorithm: string; readonly checksum: number }[];
}

/** Byte strings are views. `undefined` for anything that is not of Java 25. */
export function readJsse25State(bytes: Uint8Array): JsseState | undefined {
  return readWhole(bytes, (reader) => {
    const common = readFirst(reader);
    const secret = readBytes(reader, 2);
    return {
      ...common,
      peerSignatureSchemes: [],
      secret,
      pskIdentity: none,
      extendedMasterSecret: common.version !== 'TLSv1.3' && readFlag(reader),
      ...readNames(reader),
      createdAt: Number(reader.uint64()),
      ...readPeer(reader),
      peerCertificates: readList(reader, 1, () => readBytes(reader, 4)),
      localCertificates: [],
      localCertificateChecksums: readList(reader, 1, () => ({
        algorithm: readText(reader, 1),
        checksum: reader.uint32(),
      })),
    };
  });
}

/** As {@link readJsse25State}, of Java 17. */
export function readJsse17State(bytes: Uint8Array): JsseState | undefined {
  return readWhole(bytes, (reader) => {
    const common = readFirst(reader);
    const peerSignatureSchemes = readList(reader, 1, () => signatureScheme.read(reader));
    // Each secret has the name of its algorithm before it; the one that is not there has an empty name, and nothing more.
    const psk = readText(reader, 2) === '' ? undefined : readBytes(reader, 2);
    const pskIdentity = readBytes(reader, 1);
    const masterSecret = readText(reader, 1) === '' ? undefined : readBytes(reader, 2);
    return {
      ...common,
      peerSignatureSchemes,
      secret: psk ?? masterSecret ?? none,
      pskIdentity,
      extendedMasterSecret: readFlag(reader),
      ...readNames(reader),
      createdAt: Number(reader.uint64()),
      ...readStaples(reader),
      ...readPeer(reader),
      peerCertificates: readList(reader, 1, () => readBytes(reader, 4)),
      localCertificates: readFlag(reader) ? readList(reader, 1, () => readBytes(reader, 4)) : [],
      localCertificateChecksums: [],
    };
  });
}

const version = enumeration(2, protocolVersions);
const cipherSuite = enumeration(2, cipherSuites);
const signatureScheme: Codec<SignatureScheme> = enumeration(2, signatureSchemes);
const none = new Uint8Array(0);

function readWhole(bytes: Uint8Array, read: (reader: Reader) => JsseState): JsseState | undefined {
  const reader = new Reader(bytes);
  try {
    const state = read(reader);
    reader.finish();
    return state.secret.length === 0 ? undefined : state;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function readFirst(reader: Reader) {
  return {
    version: version.read(reader),
    cipherSuite: cipherSuite.read(reader),
    localSignatureSchemes: readList(reader, 1, () => signatureScheme.read(reader)),
  };
}

function readNames(reader: Reader) {
  return {
    endpointIdentification: readText(reader, 1),
    serverNameIndication: readText(reader, 1),
    requestedServerNames: readList(reader, 2, () => readText(reader, 1)),
    maximumPacketSize: reader.uint32(),
    maximumFragmentLength: reader.uint32(),
  };
}

function readPeer(reader: Reader) {
  return { peerHost: readText(reader, 1), peerPort: reader.uint16() };
}

/** A client's alone: a server has none, and what would stand there nobody has seen. */
function readStaples(reader: Reader): object {
  const at = reader.offset;
  if (reader.uint16() > 0) throw new DecodeError('value_out_of_range', at, 'got OCSP responses, expected none');
  return {};
}

/** Every item of a list takes a byte at least, so that a count promises no more than there is. */
function readList<T>(reader: Reader, width: 1 | 2, item: () => T): T[] {
  return Array.from({ length: reader.uint(width) }, item);
}

function readBytes(reader: Reader, width: 1 | 2 | 4): Uint8Array {
  return reader.view(reader.uint(width));
}

function readText(reader: Reader, width: 1 | 2): string {
  return fromAscii(readBytes(reader, width));
}

function readFlag(reader: Reader): boolean {
  const at = reader.offset;
  const value = reader.uint8();
  if (value > 1) throw new DecodeError('value_out_of_range', at, `got a flag of ${value}, expected 0 or 1`);
  return value === 1;
}
