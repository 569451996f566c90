/**
 * What GnuTLS writes into tickets (lib/session_pack.c, lib/tls13/session_ticket.c; seen in 3.7). To be read, not to be written: the first
 * number of a session is 0xfadebadd and the version of the library, which takes no session of another version.
 *
 * The surprising thing is the resumption master secret in TLS 1.3, beside the nonce of the ticket: whoever opens one ticket has the PSK of
 * every ticket of its connection.
 */
import { empty } from '../../bytes.js';
import { cipherSuites } from '../../parameters.js';
import {
  enumeration,
  fixed,
  opaque,
  rest,
  struct,
  uint16,
  uint32,
  uint64,
  uint8,
  vector,
  type Infer,
} from '../../presentation/codec.js';
import { decodeOrUndefined } from '../decode.js';

/** `pack_security_parameters`. */
const securityParameters = struct({
  /** 1: server. */
  entity: uint32,
  /** GnuTLS's number of the hash: 6 is SHA-256, 7 is SHA-384. */
  prf: uint32,
  clientAuthentication: uint32,
  serverAuthentication: uint32,
  sessionIdLength: uint8,
  sessionId: fixed(32),
  /** GnuTLS's number: 4 is TLS 1.2, 5 is TLS 1.3. */
  version: uint32,
  clientCertificateType: uint32,
  serverCertificateType: uint32,
  cipherSuite: enumeration(2, cipherSuites),
  /** {@link tls12Secrets} in TLS 1.2, and empty once they are read. */
  later: rest(),
});

const tls12Secrets = struct({
  masterSecret: opaque(48, 48),
  clientRandom: opaque(32, 32),
  serverRandom: opaque(32, 32),
  /** Limits and numbers of what was negotiated. */
  later: rest(),
});

/** `_gnutls_session_pack`, up to what only TLS 1.2 has after it. */
const sessionBlock = struct({
  magic: uint32,
  /** Seconds since 1970, in 32 bits. */
  timestamp: uint32,
  /** Seconds from then. */
  expireTime: uint32,
  credentialsType: uint8,
  authenticationInfo: opaque(0, 2 ** 32 - 1),
  /** One. */
  securityParameters: vector(securityParameters, 0, 2 ** 32 - 1),
  /** Extensions in TLS 1.2, tickets of a client in TLS 1.3; and the zeros that the ticket was padded with. */
  later: rest(),
});

/** `pack_ticket`. */
const tls13Ticket = struct({
  prf: uint16,
  ticketAgeAdd: uint32,
  ticketLifetime: uint32,
  resumptionMasterSecret: opaque(1, 2 ** 8 - 1),
  ticketNonce: opaque(0, 2 ** 8 - 1),
  session: opaque(0, 2 ** 16 - 1),
  creationSeconds: uint64,
  creationNanoseconds: uint32,
  /** The zeros that the ticket was padded with. */
  padding: rest(),
});

/** A session, of either version. */
export interface GnutlsSession extends Omit<Infer<typeof sessionBlock>, 'magic' | 'securityParameters'> {
  /** `3.7.9`. */
  readonly libraryVersion: string;
  readonly securityParameters: Infer<typeof securityParameters>;
  /** TLS 1.2. */
  readonly tls12: Infer<typeof tls12Secrets> | undefined;
}

/** What stands around the session in a ticket of TLS 1.3. */
type GnutlsTicket = Omit<Infer<typeof tls13Ticket>, 'session' | 'padding'>;

export interface GnutlsState {
  readonly session: GnutlsSession;
  /** TLS 1.3. */
  readonly ticket: GnutlsTicket | undefined;
}

/** Byte strings are views. `undefined` for anything else. */
export function readGnutlsState(bytes: Uint8Array): GnutlsState | undefined {
  const outer = readTicket(bytes);
  const session = readSession(outer?.session ?? bytes);
  if (session === undefined || (session.tls12 === undefined) !== (outer !== undefined)) return undefined;
  if (outer === undefined) return { session, ticket: undefined };
  const { session: _session, padding: _padding, ...ticket } = outer;
  return { session, ticket };
}

function readTicket(bytes: Uint8Array): Infer<typeof tls13Ticket> | undefined {
  const ticket = decodeOrUndefined(tls13Ticket, bytes);
  return ticket?.padding.every((byte) => byte === 0) === true && ticket.padding.length < 16 ? ticket : undefined;
}

function readSession(bytes: Uint8Array): GnutlsSession | undefined {
  const block = decodeOrUndefined(sessionBlock, bytes);
  if (block === undefined) return undefined;
  const { magic, securityParameters: list, ...session } = block;
  const [parameters] = list;
  const libraryVersion = versionIn(magic);
  if (parameters === undefined || libraryVersion === undefined) return undefined;
  if (parameters.version !== tls12Version)
    return { ...session, libraryVersion, securityParameters: parameters, tls12: undefined };
  const tls12 = decodeOrUndefined(tls12Secrets, parameters.later);
  // Taken out: whoever prints the parameters prints no secret.
  return tls12 && { ...session, libraryVersion, securityParameters: { ...parameters, later: empty }, tls12 };
}

const tls12Version = 4;
const firstMagic = 0xfadebadd;

/** A byte for each number of the version. */
function versionIn(magic: number): string | undefined {
  const number = magic - firstMagic;
  if (number < 0x030000 || number > 0x0fffff) return undefined;
  return [number >> 16, (number >> 8) & 0xff, number & 0xff].join('.');
}
