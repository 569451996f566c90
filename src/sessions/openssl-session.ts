/**
 * `SSL_SESSION` as OpenSSL writes it (ssl/ssl_asn1.c): the state in the tickets of nginx, Apache httpd, HAProxy, Node.js, h2o and whatever
 * else stands on OpenSSL 1.1.1 and 3; the same DER is Node.js's `getSession()` and the body of PEM `SSL SESSION PARAMETERS`.
 *
 * The surprising thing is how much is refused: a tag that is unknown, out of order or there twice, and a byte after the end make the
 * whole session unreadable, to OpenSSL as to this. So a ticket of OpenSSL 3 with its field 19 is lost on 1.1.1, and what is
 * written for others has none of the later fields.
 */
import { cipherSuites, namedGroups, protocolVersions } from '../parameters.js';
import { constant, enumeration, type Infer } from '../presentation/codec.js';
import {
  anySequence,
  explicit,
  integer,
  namedInteger,
  octetsOf,
  octetString,
  octetText,
  sequence,
} from '../presentation/der.js';
import { longestSessionIdContext } from './foreign-state.js';

const uint32 = integer(0, 2 ** 32 - 1);

/** What every `SSL_SESSION` begins with. */
export const firstFields = {
  structureVersion: constant(integer(), 1),
  protocolVersion: namedInteger(protocolVersions, 0xffff),
  cipherSuite: octetsOf(enumeration(2, cipherSuites)),
  /** Empty in tickets of TLS 1.2 until they are renewed, 32 bytes in those of TLS 1.3; BoringSSL leaves it empty. */
  sessionId: octetString(0, 32),
  /** TLS 1.2: the master secret. TLS 1.3: the PSK of this very ticket. OpenSSL takes up to 256 bytes. */
  secret: octetString(0, 256),
};

/**
 * `SSL_SESSION_ASN1`. Times are in seconds since 1970. What is 0 OpenSSL leaves out, but for `group`; what is written here is what is
 * there, and so bytes that are decoded are encoded to the same bytes.
 */
export const sslSession = sequence(firstFields, {
  keyArg: octetString(0, 8, 0x80), // [0] IMPLICIT, of SSL 2
  time: explicit(1, integer()),
  timeout: explicit(2, integer()),
  /** The client's, as an X.509 Certificate; no chain. */
  peerCertificate: explicit(3, anySequence),
  sessionIdContext: explicit(4, octetString(0, longestSessionIdContext)),
  /** Of `X509_V_ERR_*`; left out where it was `X509_V_OK`. */
  verifyResult: explicit(5, integer(-(2 ** 31), 2 ** 31 - 1)),
  /** The host_name that the server's callback took. */
  hostName: explicit(6, octetText()),
  pskIdentityHint: explicit(7, octetString()),
  pskIdentity: explicit(8, octetString()),
  /** This and `ticket` stand in what a client keeps. */
  ticketLifetimeHint: explicit(9, integer(0)),
  ticket: explicit(10, octetString()),
  compressionMethod: explicit(11, octetString(0, 1)),
  srpUsername: explicit(12, octetString()),
  /** Bit 0: extended master secret. */
  flags: explicit(13, integer(-(2 ** 31), 2 ** 31 - 1)),
  ticketAgeAdd: explicit(14, uint32),
  maxEarlyDataSize: explicit(15, uint32),
  alpnProtocol: explicit(16, octetText()),
  maxFragmentLength: explicit(17, integer(0, 255)),
  applicationData: explicit(18, octetString()),
  /** Groups without a number of TLS are 0x1000000 and OpenSSL's own number. */
  group: explicit(19, namedInteger(namedGroups, 2 ** 32 - 1)),
  /** SubjectPublicKeyInfo, since OpenSSL 3.2. */
  peerRawPublicKey: explicit(20, octetString()),
});
export interface SslSession extends Infer<typeof sslSession> {}
