/**
 * Sessions as the state of OpenSSL: which fields of `SSL_SESSION` stand for what, and what a server with OpenSSL checks in them.
 *
 * The surprising thing: the timeout that such a server goes by is the ticket's, not its own, and for a time that is missing it takes the
 * present. Here a ticket lives seven days whatever it says, and one without a time is from 1970.
 */
import { empty } from '../bytes.js';
import { isSequence } from '../presentation/der.js';
import { decodeOrUndefined } from './decode.js';
import { foreignSession, hasRoom, inSeconds, secondsLeft, type ForeignState } from './foreign-session.js';
import { checkedProfile, type ForeignStateProfile } from './foreign-state.js';
import { sslSession, type SslSession } from './openssl-session.js';
import type { Session, SessionEncoding } from './session.js';

/**
 * Sessions as OpenSSL 1.1.1 to 3.5 read them, in the fewest fields that all of them want. `profile.sessionIdContext` is what the server
 * has, or else it makes a full handshake. Throws `UsageError` (`invalid_option`).
 *
 * `encode` answers `undefined` for a session with an external PSK, of QUIC or resumable across names, with a client certificate that the
 * profile does not let into tickets, and for a ticket of TLS 1.3 that would have no second to live. What is lost: certificates above the
 * client's own, its signature scheme, ALPN without early data, the group, and in TLS 1.3 the time of the full handshake, in place of
 * which comes that of issue: a chain of renewed tickets is as long as the servers let it be. Times come back in whole seconds.
 *
 * `decode` takes for the place's application context whatever has the session id context of the profile.
 */
export function opensslState(profile: ForeignStateProfile): SessionEncoding {
  const checked = checkedProfile(profile);
  return {
    encode: (session) => {
      if (!hasRoom({ hostName: true }, session, checked) || !session.peerCertificates.every(isSequence))
        return undefined;
      const fields = fieldsOf(session, checked);
      return fields && sslSession.encode(fields);
    },
    decode: (bytes, place) => {
      const state = decodeOrUndefined(sslSession, bytes);
      return state && isWithoutOtherKeys(state) ? foreignSession(foreignState(state), checked, place) : undefined;
    },
  };
}

const extendedMasterSecretFlag = 1;

/** What OpenSSL takes for the timeout where none is written. Seconds. */
const defaultTimeout = 3;

function fieldsOf(session: Session, profile: ForeignStateProfile): SslSession | undefined {
  const { version, cipherSuite, serverName, peerCertificates } = session;
  const [peerCertificate] = peerCertificates;
  const common = {
    structureVersion: 1,
    protocolVersion: version,
    cipherSuite,
    sessionId: empty,
    ...(peerCertificate !== undefined && { peerCertificate }),
    sessionIdContext: profile.sessionIdContext ?? empty,
    ...(serverName !== undefined && { hostName: serverName }),
  } as const;
  if (session.version === 'TLSv1.2') {
    const { masterSecret: secret, establishedAt, extendedMasterSecret } = session;
    return {
      ...common,
      secret,
      time: inSeconds(establishedAt),
      timeout: profile.lifetime,
      ...(extendedMasterSecret && { flags: extendedMasterSecretFlag }),
    };
  }
  const { psk: secret, issuedAt, ticketLifetime, ticketAgeAdd, maxEarlyDataSize, alpnProtocol } = session;
  const timeout = Math.min(ticketLifetime, secondsLeft(session));
  if (timeout < 1) return undefined;
  return {
    ...common,
    secret,
    time: inSeconds(issuedAt),
    timeout,
    ...(ticketAgeAdd !== 0 && { ticketAgeAdd }),
    ...(maxEarlyDataSize !== 0 && { maxEarlyDataSize }),
    ...(maxEarlyDataSize !== 0 && alpnProtocol !== undefined && { alpnProtocol }),
  };
}

/** Whoever came with a PSK, a password or a raw key is no client that a session of ours can have. */
function isWithoutOtherKeys({ pskIdentity, srpUsername, compressionMethod = empty }: SslSession): boolean {
  const isCompressed = compressionMethod.some((method) => method !== 0);
  return pskIdentity === undefined && srpUsername === undefined && !isCompressed;
}

function foreignState(state: SslSession): ForeignState {
  const { time = 0, timeout = defaultTimeout, peerCertificate, hostName, alpnProtocol, group } = state;
  const { sessionIdContext = empty, verifyResult = 0, flags = 0, ticketAgeAdd = 0, maxEarlyDataSize = 0 } = state;
  return {
    version: state.protocolVersion,
    cipherSuite: state.cipherSuite,
    secret: state.secret,
    extendedMasterSecret: (flags & extendedMasterSecretFlag) !== 0,
    establishedAt: time * 1000,
    issuedAt: time * 1000,
    lifetime: timeout,
    sessionIdContext,
    peerCertificates: peerCertificate === undefined ? [] : [peerCertificate],
    unverifiedClient: verifyResult !== 0 || state.peerRawPublicKey !== undefined,
    ticketAgeAdd,
    maxEarlyDataSize,
    ...(hostName !== undefined && { hostName }),
    ...(alpnProtocol !== undefined && { alpnProtocol }),
    ...(group !== undefined && { group }),
  };
}
