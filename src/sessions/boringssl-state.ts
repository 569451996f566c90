/**
 * Sessions as the state of BoringSSL, which has more room than OpenSSL's: for the time of the full handshake, QUIC, other names.
 *
 * The surprising thing: the host name is where OpenSSL has it, in a field that BoringSSL skips when it reads and does not write. In
 * tickets of BoringSSL it is missing, and then the names are the profile's.
 */
import { empty } from '../bytes.js';
import { boringsslSession, type BoringsslSession } from './boringssl-session.js';
import { isSequence } from '../presentation/der.js';
import { decodeOrUndefined } from './decode.js';
import { foreignSession, hasRoom, inSeconds, secondsLeft, type ForeignState } from './foreign-session.js';
import { checkedProfile, type ForeignStateProfile } from './foreign-state.js';
import { maximumTicketLifetime, type Session, type SessionEncoding } from './session.js';

/**
 * Sessions as BoringSSL reads them. `profile.sessionIdContext` is what the server has, or else it makes a full handshake. It resumes with
 * the very suite of the session only. Throws `UsageError` (`invalid_option`).
 *
 * `encode` answers `undefined` for a session of TLS 1.3 with an external PSK, for one with a client certificate that the profile does not
 * let into tickets, and for a ticket of TLS 1.3 that would have no second to live. What is lost: ALPN without early data, and of early
 * data in QUIC the parameters, so that BoringSSL refuses it. Times come back in whole seconds, and that of issue in TLS 1.2
 * as that of the full handshake.
 *
 * `decode` takes for the place's application context whatever has the session id context of the profile.
 */
export function boringsslState(profile: ForeignStateProfile): SessionEncoding {
  const checked = checkedProfile(profile);
  return {
    encode: (session) => {
      const room = {
        hostName: true,
        quic: true,
        acrossNames: true,
        externalPskIdentity: session.version === 'TLSv1.2' && session.externalPskIdentity?.includes(0) === false,
      };
      if (!hasRoom(room, session, checked) || !session.peerCertificates.every(isSequence)) return undefined;
      const fields = fieldsOf(session, checked);
      return fields && boringsslSession.encode(fields);
    },
    decode: (bytes, place) => {
      const state = decodeOrUndefined(boringsslSession, bytes);
      return state && isOfServer(state) ? foreignSession(foreignState(state), checked, place) : undefined;
    },
  };
}

function fieldsOf(session: Session, profile: ForeignStateProfile): BoringsslSession | undefined {
  const { version, cipherSuite, serverName, peerCertificates, peerSignatureScheme, externalPskIdentity } = session;
  const [peerCertificate, ...certificateChain] = peerCertificates;
  const common = {
    structureVersion: 1,
    protocolVersion: version,
    cipherSuite,
    sessionId: empty,
    ...(peerCertificate !== undefined && { peerCertificate }),
    ...(certificateChain.length > 0 && { certificateChain }),
    sessionIdContext: profile.sessionIdContext ?? empty,
    ...(serverName !== undefined && { hostName: serverName }),
    ...(externalPskIdentity !== undefined && { pskIdentity: externalPskIdentity }),
    ...(peerSignatureScheme !== undefined && { peerSignatureScheme }),
  } as const;
  if (session.version === 'TLSv1.2') {
    const { masterSecret: secret, establishedAt, extendedMasterSecret, group } = session;
    return {
      ...common,
      secret,
      time: inSeconds(establishedAt),
      timeout: profile.lifetime,
      ...(extendedMasterSecret && { extendedMasterSecret }),
      ...(group !== undefined && { group }),
    };
  }
  const { psk: secret, issuedAt, ticketLifetime, ticketAgeAdd, maxEarlyDataSize, alpnProtocol } = session;
  const authenticationTimeout = secondsLeft(session);
  const timeout = Math.min(ticketLifetime, authenticationTimeout);
  if (timeout < 1) return undefined;
  return {
    ...common,
    secret,
    time: inSeconds(issuedAt),
    timeout,
    ticketAgeAdd,
    ...(authenticationTimeout !== timeout && { authenticationTimeout }),
    ...(maxEarlyDataSize !== 0 && { maxEarlyDataSize }),
    ...(maxEarlyDataSize !== 0 && alpnProtocol !== undefined && { alpnProtocol }),
    ...(session.transport === 'quic' && { isQuic: true }),
    ...(session.resumableAcrossNames === true && { isResumableAcrossNames: true }),
  };
}

/** And one that BoringSSL would read: some fields want others beside them. */
function isOfServer(state: BoringsslSession): boolean {
  const {
    isServer = true,
    peerCertificate,
    certificateChain,
    localApplicationSettings,
    peerApplicationSettings,
  } = state;
  if (!isServer || (certificateChain !== undefined && peerCertificate === undefined)) return false;
  if ((localApplicationSettings === undefined) !== (peerApplicationSettings === undefined)) return false;
  return state.protocolVersion !== 'TLSv1.3' || (state.ticketAgeAdd !== undefined && state.pskIdentity === undefined);
}

function foreignState(state: BoringsslSession): ForeignState {
  const { time, timeout, peerCertificate, certificateChain = [], sessionIdContext = empty, verifyResult = 0 } = state;
  const { hostName, pskIdentity, peerSha256, group, peerSignatureScheme, alpnProtocol, authenticationTimeout } = state;
  // BoringSSL counts down from the seven days of RFC 8446 4.6.1.
  const authenticated =
    authenticationTimeout === undefined ? time : time + authenticationTimeout - maximumTicketLifetime;
  return {
    version: state.protocolVersion,
    cipherSuite: state.cipherSuite,
    secret: state.secret,
    extendedMasterSecret: state.extendedMasterSecret === true,
    establishedAt: Math.min(time, authenticated) * 1000,
    issuedAt: time * 1000,
    lifetime: timeout,
    sessionIdContext,
    peerCertificates: peerCertificate === undefined ? [] : [peerCertificate, ...certificateChain],
    unverifiedClient: verifyResult !== 0 || peerSha256 !== undefined || state.peerCertificateType !== undefined,
    ticketAgeAdd: state.ticketAgeAdd ?? 0,
    maxEarlyDataSize: state.maxEarlyDataSize ?? 0,
    transport: state.isQuic === true ? 'quic' : 'tcp',
    resumableAcrossNames: state.isResumableAcrossNames === true,
    ...(hostName !== undefined && { hostName }),
    ...(pskIdentity !== undefined && { externalPskIdentity: pskIdentity }),
    ...(group !== undefined && { group }),
    ...(peerSignatureScheme !== undefined && { peerSignatureScheme }),
    ...(alpnProtocol !== undefined && { alpnProtocol }),
  };
}
