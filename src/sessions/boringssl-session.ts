/**
 * `SSL_SESSION` as BoringSSL writes it (ssl/ssl_asn1.cc): the same first fields as OpenSSL's, and from tag 13 on a dialect of its own.
 *
 * The surprising thing: the two can be told apart by nothing but the types inside a few tags, INTEGER there and OCTET STRING here. A session
 * of TLS 1.3, or of 1.2 with the extended master secret, never reads as the other's; one of 1.2 without it may be either's.
 */
import { namedGroups, signatureSchemes } from '../parameters.js';
import { uint32, type Infer } from '../presentation/codec.js';
import {
  anySequence,
  boolean,
  explicit,
  implicitSequenceOf,
  integer,
  namedInteger,
  octetsOf,
  octetString,
  octetText,
  sequence,
} from '../presentation/der.js';
import { decodeOrUndefined } from './decode.js';
import { longestSessionIdContext } from './foreign-state.js';
import { firstFields, sslSession } from './openssl-session.js';

const unsigned32 = integer(0, 2 ** 32 - 1);

/**
 * `SSLSession`. Times are in seconds since 1970. What has its default value BoringSSL leaves out; what is written here is what is there,
 * and so bytes that are decoded are encoded to the same bytes.
 */
export const boringsslSession = sequence(
  {
    ...firstFields,
    secret: octetString(0, 48),
    time: explicit(1, integer(0)),
    timeout: explicit(2, unsigned32),
  },
  {
    peerCertificate: explicit(3, anySequence),
    sessionIdContext: explicit(4, octetString(0, longestSessionIdContext)),
    /** Of `X509_V_ERR_*`; left out where it was `X509_V_OK`. */
    verifyResult: explicit(5, integer(0)),
    /** Which BoringSSL never writes, and skips. */
    hostName: explicit(6, octetText()),
    pskIdentity: explicit(8, octetString()),
    /** This and `ticket` stand in what a client keeps. */
    ticketLifetimeHint: explicit(9, unsigned32),
    ticket: explicit(10, octetString()),
    /** SHA-256 of the client's certificate, in place of the certificates. */
    peerSha256: explicit(13, octetString(32, 32)),
    originalHandshakeHash: explicit(14, octetString(0, 64)),
    signedCertificateTimestamps: explicit(15, octetString()),
    ocspResponse: explicit(16, octetString()),
    extendedMasterSecret: explicit(17, boolean),
    group: explicit(18, namedInteger(namedGroups, 0xffff)),
    /** All certificates of the chain but the first. */
    certificateChain: implicitSequenceOf(19, anySequence),
    ticketAgeAdd: explicit(21, octetsOf(uint32)),
    isServer: explicit(22, boolean),
    peerSignatureScheme: explicit(23, namedInteger(signatureSchemes, 0xffff)),
    maxEarlyDataSize: explicit(24, unsigned32),
    /** Seconds from `time` for which the handshake that authenticated the peer counts; left out where it is `timeout`. */
    authenticationTimeout: explicit(25, unsigned32),
    /** Of ALPN, where there may be early data. */
    alpnProtocol: explicit(26, octetText()),
    isQuic: explicit(27, boolean),
    quicEarlyDataContext: explicit(28, octetString()),
    localApplicationSettings: explicit(29, octetString()),
    peerApplicationSettings: explicit(30, octetString()),
    isResumableAcrossNames: explicit(31, boolean),
    peerCertificateType: explicit(32, integer(1, 255)),
    /** SubjectPublicKeyInfo. */
    peerRawPublicKey: explicit(33, anySequence),
  },
);
export interface BoringsslSession extends Infer<typeof boringsslSession> {}

/** Who reads `SSL_SESSION` in these bytes: nobody, one, or both where it has none of the fields in which they differ. */
export function sslSessionDialects(bytes: Uint8Array): readonly ('openssl' | 'boringssl')[] {
  const dialects: ('openssl' | 'boringssl')[] = [];
  if (decodeOrUndefined(sslSession, bytes) !== undefined) dialects.push('openssl');
  if (decodeOrUndefined(boringsslSession, bytes) !== undefined) dialects.push('boringssl');
  return dialects;
}
