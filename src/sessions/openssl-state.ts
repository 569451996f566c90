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
import { checkedProfile, type CheckedProfile, type ForeignStateProfile } from './foreign-state.js';
import { sslSession, type SslSession } from './openssl-session.js';
import { secretOf, type Session, type SessionEncoding } from './session.js';
import type { Draft } from './state-fields.js';

/**
 * Sessions as OpenSSL 1.1.1 to 3.5 read them, in the fewest fields that all of them want. `profile.sessionIdContext` is what the server
 * has, or else it makes a full handshake. Throws `UsageError` (`invalid_option`).
 *
 * `encode` answers `undefined` for a session with an external PSK, of QUIC or resumable across names, with a client certificate that the
 * profile does not let into tickets, and for a ticket of TLS 1.3 that would have no second to live. What is lost: certificates above the
 * client's own, its signature scheme, ALPN without early data and the group. Times come back in whole seconds. In TLS 1.3 there is no
 * time of the full handshake: a ticket is written to end when `profile.lifetime` is over since then, and one that is read tells by its end
 * when that was. So no ticket of ours outlives the one that it renews (P-key-7); servers with OpenSSL make chains without end.
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
      return state && isWithoutOtherKeys(state)
        ? foreignSession(foreignState(state, checked), checked, place)
        : undefined;
    },
  };
}

const extendedMasterSecretFlag = 1;

/** What OpenSSL takes for the timeout where none is written. Seconds. */
const defaultTimeout = 3;

/** Filled in field by field: spread into one object they take three times as long to write. */
function fieldsOf(session: Session, profile: CheckedProfile): SslSession | undefined {
  if (session.version === 'TLSv1.2') {
    const fields: Draft<SslSession> = commonFields(session, profile, session.establishedAt, profile.lifetime);
    if (session.extendedMasterSecret) fields.flags = extendedMasterSecretFlag;
    return fields;
  }
  const timeout = Math.min(session.ticketLifetime, secondsLeft(session, profile.lifetime));
  if (timeout < 1) return undefined;
  const fields: Draft<SslSession> = commonFields(session, profile, session.issuedAt, timeout);
  const { ticketAgeAdd, maxEarlyDataSize, alpnProtocol } = session;
  if (ticketAgeAdd !== 0) fields.ticketAgeAdd = ticketAgeAdd;
  if (maxEarlyDataSize !== 0) {
    fields.maxEarlyDataSize = maxEarlyDataSize;
    fields.alpnProtocol = alpnProtocol;
  }
  return fields;
}

/** What BoringSSL has in the same places. `time` is in milliseconds, `timeout` in seconds. */
export function commonFields(session: Session, { sessionIdContext }: CheckedProfile, time: number, timeout: number) {
  return {
    structureVersion: 1,
    protocolVersion: session.version,
    cipherSuite: session.cipherSuite,
    sessionId: empty,
    secret: secretOf(session),
    time: inSeconds(time),
    timeout,
    peerCertificate: session.peerCertificates[0],
    sessionIdContext,
    hostName: session.serverName,
  } satisfies SslSession;
}

/** Whoever came with a PSK, a password or a raw key is no client that a session of ours can have. */
function isWithoutOtherKeys({ pskIdentity, srpUsername, compressionMethod = empty }: SslSession): boolean {
  const isCompressed = compressionMethod.some((method) => method !== 0);
  return pskIdentity === undefined && srpUsername === undefined && !isCompressed;
}

function foreignState(state: SslSession, profile: CheckedProfile): ForeignState {
  const { time = 0, timeout = defaultTimeout, peerCertificate, flags = 0, verifyResult = 0 } = state;
  const isTls13 = state.protocolVersion === 'TLSv1.3';
  return {
    version: state.protocolVersion,
    cipherSuite: state.cipherSuite,
    secret: state.secret,
    extendedMasterSecret: (flags & extendedMasterSecretFlag) !== 0,
    establishedAt: 1000 * (isTls13 ? Math.min(time, time + timeout - profile.lifetime) : time),
    issuedAt: 1000 * time,
    lifetime: timeout,
    sessionIdContext: state.sessionIdContext ?? empty,
    hostName: state.hostName,
    peerCertificates: peerCertificate === undefined ? [] : [peerCertificate],
    unverifiedClient: verifyResult !== 0 || state.peerRawPublicKey !== undefined,
    group: state.group,
    ticketAgeAdd: state.ticketAgeAdd,
    maxEarlyDataSize: state.maxEarlyDataSize,
    alpnProtocol: state.alpnProtocol,
  };
}
