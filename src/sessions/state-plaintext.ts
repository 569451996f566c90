/**
 * `StatePlaintext`: the ticket contents that RFC 5077 section 4 recommends, to the letter.
 *
 *     struct {
 *         ProtocolVersion protocol_version;
 *         CipherSuite cipher_suite;
 *         CompressionMethod compression_method;
 *         opaque master_secret[48];
 *         ClientIdentity client_identity;
 *         uint32 timestamp;
 *     } StatePlaintext;
 *
 * The surprising thing is its age: it is older than the extended master secret (RFC 7627) and knows no server name. A session
 * needs both today, so this is for TLS 1.2 in custom stacks and for tests. This library's own tickets hold `sessionState`: its
 * server binds every session to a configuration, for which there is no room here either.
 */
import { copy, empty } from '../bytes.js';
import { concealed } from '../concealed.js';
import { isPskSuite, isTls12CipherSuite } from '../key-schedule/suites.js';
import { cipherSuites, compressionMethods, protocolVersions } from '../parameters.js';
import {
  emptyStruct,
  enumeration,
  fixed,
  opaque,
  select,
  struct,
  uint32,
  vector,
  type Infer,
} from '../presentation/codec.js';
import { decodeOrUndefined, isAllZero } from './decode.js';
import { masterSecretLength, type Session, type SessionEncoding, type Tls12Session } from './session.js';

/** RFC 5077 4. `psk_identity` is RFC 4279's. */
export const clientIdentity = select(
  'clientAuthenticationType',
  enumeration(1, { anonymous: 0, certificate_based: 1, psk: 2 }),
  'identity',
  {
    anonymous: emptyStruct,
    certificate_based: vector(opaque(1, 2 ** 24 - 1), 0, 2 ** 24 - 1),
    psk: opaque(0, 2 ** 16 - 1),
  },
);
export type ClientIdentity = Infer<typeof clientIdentity>;

/** RFC 5077 4. `timestamp` is in seconds since 1970. Bytes left over are a `DecodeError`. */
export const statePlaintext = struct({
  protocolVersion: enumeration(2, protocolVersions),
  cipherSuite: enumeration(2, cipherSuites),
  compressionMethod: enumeration(1, compressionMethods),
  masterSecret: fixed(masterSecretLength),
  clientIdentity,
  timestamp: uint32,
});
export type StatePlaintext = Infer<typeof statePlaintext>;

/**
 * Sessions as `StatePlaintext`. It cannot carry the extended master secret, the server name, ALPN or an application context, and
 * a session stripped of one of these could resume where it must not (RFC 7627 5.4; Apache CVE-2025-23048). So `encode` answers
 * `undefined` for a session that has any of them, and for any of TLS 1.3. A decoded session has none, and RFC 7627 5.3 then
 * keeps it from resuming unless the peer lacks the extension as well and legacy resumption is switched on. The time of issue
 * is lost: it comes back as that of the full handshake, to the second. So are the group and the peer's signature scheme, which nothing
 * depends on.
 */
export const rfc5077State = {
  encode(session: Session): Uint8Array | undefined {
    if (session.version !== 'TLSv1.2') return undefined;
    const { extendedMasterSecret, serverName, alpnProtocol, applicationContext } = session;
    if (extendedMasterSecret || serverName !== undefined || alpnProtocol !== undefined) return undefined;
    if (applicationContext.length > 0 || session.clientAuthenticationPolicy !== undefined) return undefined;
    return statePlaintext.encode({
      protocolVersion: session.version,
      cipherSuite: session.cipherSuite,
      compressionMethod: 'null',
      masterSecret: session.masterSecret,
      clientIdentity: identityOf(session),
      timestamp: Math.floor(session.establishedAt / 1000),
    });
  },

  decode(bytes: Uint8Array): Tls12Session | undefined {
    const state = decodeOrUndefined(statePlaintext, copy(bytes));
    if (state?.protocolVersion !== 'TLSv1.2' || state.compressionMethod !== 'null') return undefined;
    const { cipherSuite, clientIdentity: client } = state;
    const masterSecret = concealed(state.masterSecret);
    if (!isTls12CipherSuite(cipherSuite) || isAllZero(masterSecret)) return undefined;
    if ((client.clientAuthenticationType === 'psk') !== isPskSuite(cipherSuite)) return undefined;
    const establishedAt = state.timestamp * 1000;
    return {
      version: 'TLSv1.2',
      cipherSuite,
      masterSecret,
      extendedMasterSecret: false,
      establishedAt,
      issuedAt: establishedAt,
      peerCertificates: client.clientAuthenticationType === 'certificate_based' ? client.identity : [],
      applicationContext: empty,
      ...(client.clientAuthenticationType === 'psk' && { externalPskIdentity: client.identity }),
    };
  },
} satisfies SessionEncoding;

function identityOf({ externalPskIdentity, peerCertificates }: Tls12Session): ClientIdentity {
  if (externalPskIdentity !== undefined) return { clientAuthenticationType: 'psk', identity: externalPskIdentity };
  if (peerCertificates.length === 0) return { clientAuthenticationType: 'anonymous', identity: {} };
  return { clientAuthenticationType: 'certificate_based', identity: peerCertificates };
}
