/**
 * Sessions as the state of BoringSSL, which has more room than OpenSSL's: for the time of the full handshake, QUIC, other names.
 *
 * The surprising thing: the host name is where OpenSSL has it, in a field that BoringSSL skips when it reads and does not write. In
 * tickets of BoringSSL it is missing, and then the names are the profile's.
 */
import { empty } from '../bytes.js';
import { isSequence } from '../presentation/der.js';
import { boringsslSession, type BoringsslSession } from './boringssl-session.js';
import { decodeOrUndefined } from './decode.js';
import { foreignSession, hasRoom, secondsLeft, type ForeignState } from './foreign-session.js';
import { checkedProfile, type CheckedProfile, type ForeignStateProfile } from './foreign-state.js';
import { commonFields } from './openssl-state.js';
import { maximumTicketLifetime, type Session, type SessionEncoding } from './session.js';
import type { Draft } from './state-fields.js';

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

function fieldsOf(session: Session, profile: CheckedProfile): BoringsslSession | undefined {
  if (session.version === 'TLSv1.2') {
    const { establishedAt, externalPskIdentity, extendedMasterSecret, group } = session;
    const fields: Draft<BoringsslSession> = commonFields(session, profile, establishedAt, profile.lifetime);
    addPeer(fields, session);
    fields.pskIdentity = externalPskIdentity;
    if (extendedMasterSecret) fields.extendedMasterSecret = true;
    fields.group = group;
    return fields;
  }
  const { issuedAt, ticketAgeAdd, ticketLifetime, maxEarlyDataSize, alpnProtocol } = session;
  const authenticationTimeout = secondsLeft(session);
  const timeout = Math.min(ticketLifetime, authenticationTimeout);
  if (timeout < 1) return undefined;
  const fields: Draft<BoringsslSession> = commonFields(session, profile, issuedAt, timeout);
  addPeer(fields, session);
  fields.ticketAgeAdd = ticketAgeAdd;
  // Also where it is the timeout and BoringSSL would leave it out: what lacks it is read as new.
  fields.authenticationTimeout = authenticationTimeout;
  if (maxEarlyDataSize !== 0) {
    fields.maxEarlyDataSize = maxEarlyDataSize;
    fields.alpnProtocol = alpnProtocol;
  }
  if (session.transport === 'quic') fields.isQuic = true;
  fields.isResumableAcrossNames = session.resumableAcrossNames;
  return fields;
}

function addPeer(fields: Draft<BoringsslSession>, { peerCertificates, peerSignatureScheme }: Session): void {
  if (peerCertificates.length > 1) fields.certificateChain = peerCertificates.slice(1);
  fields.peerSignatureScheme = peerSignatureScheme;
}

/** And one that BoringSSL would read: some fields want others beside them. */
function isOfServer(state: BoringsslSession): boolean {
  const { isServer = true, localApplicationSettings, peerApplicationSettings } = state;
  if (!isServer || (state.certificateChain !== undefined && state.peerCertificate === undefined)) return false;
  if ((localApplicationSettings === undefined) !== (peerApplicationSettings === undefined)) return false;
  return state.protocolVersion !== 'TLSv1.3' || (state.ticketAgeAdd !== undefined && state.pskIdentity === undefined);
}

function foreignState(state: BoringsslSession): ForeignState {
  const { time, peerCertificate, certificateChain = [], verifyResult = 0, authenticationTimeout } = state;
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
    lifetime: state.timeout,
    sessionIdContext: state.sessionIdContext ?? empty,
    hostName: state.hostName,
    peerCertificates: peerCertificate === undefined ? [] : [peerCertificate, ...certificateChain],
    unverifiedClient: verifyResult !== 0 || state.peerSha256 !== undefined || state.peerCertificateType !== undefined,
    peerSignatureScheme: state.peerSignatureScheme,
    group: state.group,
    externalPskIdentity: state.pskIdentity,
    ticketAgeAdd: state.ticketAgeAdd,
    maxEarlyDataSize: hasOtherTerms(state) ? 0 : state.maxEarlyDataSize,
    alpnProtocol: state.alpnProtocol,
    transport: state.isQuic === true ? 'quic' : 'tcp',
    resumableAcrossNames: state.isResumableAcrossNames,
  };
}

/** Early data came under terms that nobody here knows: the server's transport parameters, or settings of an application protocol. */
function hasOtherTerms({ quicEarlyDataContext, localApplicationSettings }: BoringsslSession): boolean {
  return quicEarlyDataContext !== undefined || localApplicationSettings !== undefined;
}
