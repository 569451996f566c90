/**
 * What fizz writes into tickets (fizz/server/TicketCodec, of TLS 1.3 alone), as its source says: no ticket of it has been seen. To be read, not
 * to be written.
 */
import { cipherSuites, protocolVersions } from '../../parameters.js';
import {
  constant,
  enumeration,
  opaque,
  select,
  emptyStruct,
  struct,
  uint32,
  uint64,
  type Infer,
} from '../../presentation/codec.js';
import { decodeOrUndefined } from '../decode.js';

const fizzSession = struct({
  version: constant(enumeration(2, protocolVersions), 'TLSv1.3'),
  cipherSuite: enumeration(2, cipherSuites),
  /** The PSK. */
  secret: opaque(1, 2 ** 16 - 1),
  /** The name of the server's certificate. */
  serverIdentity: opaque(0, 2 ** 16 - 1),
  /** Kinds other than 0 differ in what they keep of the client's certificate. */
  client: select('kind', enumeration(1, { none: 0 }), 'certificate', { none: emptyStruct }, opaque(0, 2 ** 16 - 1)),
  ticketAgeAdd: uint32,
  /** Seconds since 1970. */
  issuedAt: uint64,
  alpnProtocol: opaque(0, 2 ** 8 - 1),
  applicationToken: opaque(0, 2 ** 16 - 1),
  /** Seconds since 1970: of the full handshake. */
  handshakeTime: uint64,
});

export interface FizzState extends Infer<typeof fizzSession> {}

/** Byte strings are views. `undefined` for anything else. */
export function readFizzState(bytes: Uint8Array): FizzState | undefined {
  return decodeOrUndefined(fizzSession, bytes);
}
