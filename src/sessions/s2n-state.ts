/**
 * Sessions as the state of s2n-tls. It has neither a host name nor a configuration: whatever server has the ticket key resumes the session,
 * and under which names it may is for the profile to say.
 *
 * The surprising thing is that it keeps the time of the full handshake in TLS 1.3, as the end of the seven days that RFC 8446 4.6.1 gives.
 */
import { ascii, empty, fromAscii } from '../bytes.js';
import { decodeOrUndefined } from './decode.js';
import { foreignSession, hasRoom, secondsLeft, type ForeignState } from './foreign-session.js';
import { checkedProfile, type CheckedProfile, type ForeignStateProfile } from './foreign-state.js';
import { s2nSession, type S2nSession } from './s2n-session.js';
import { maximumTicketLifetime, type SessionEncoding, type Tls13Session } from './session.js';

/**
 * Sessions as s2n-tls reads them: format 4 for TLS 1.2, 2 for TLS 1.3. Throws `UsageError` (`invalid_option`).
 *
 * `encode` answers `undefined` for a session with a client certificate, for which there is no room, with a name that is none of
 * `profile.serverNamesOfUnnamedStates`, with an external PSK, of QUIC, resumable across names, and for a ticket of TLS 1.3 that would
 * have no second to live. What is lost: the name, ALPN without early data, the group, the signature scheme, and in TLS 1.2 the time of
 * issue. The lifetime of a ticket of TLS 1.3 comes back as the profile's.
 *
 * `decode` takes any application context for the place's.
 */
export function s2nState(profile: ForeignStateProfile): SessionEncoding {
  const checked = checkedProfile(profile);
  return {
    encode: (session) => {
      if (session.peerCertificates.length > 0 || !hasRoom({}, session, checked)) return undefined;
      if (session.version === 'TLSv1.3')
        return secondsLeft(session) < 1 ? undefined : s2nSession.encode(tls13(session));
      const { version, cipherSuite, establishedAt, masterSecret, extendedMasterSecret } = session;
      return s2nSession.encode({
        format: 'tls12_3',
        state: {
          protocolVersion: version,
          cipherSuite,
          issuedAt: inNanoseconds(establishedAt),
          masterSecret,
          extendedMasterSecret: extendedMasterSecret ? 1 : 0,
        },
      });
    },
    decode: (bytes, place) => {
      const session = decodeOrUndefined(s2nSession, bytes);
      const state = session && stateOf(session, checked);
      return state && foreignSession(state, checked, place);
    },
  };
}

function tls13(session: Tls13Session): S2nSession {
  const { version, cipherSuite, establishedAt, issuedAt, ticketAgeAdd, psk, maxEarlyDataSize, alpnProtocol } = session;
  return {
    format: 'tls13_1',
    state: {
      protocolVersion: version,
      cipherSuite,
      issuedAt: inNanoseconds(issuedAt),
      ticketAgeAdd,
      psk,
      keyingMaterialExpiration: inNanoseconds(establishedAt + maximumTicketLifetime * 1000),
      maxEarlyDataSize,
      earlyData: maxEarlyDataSize === 0 ? undefined : { alpnProtocol: ascii(alpnProtocol ?? ''), context: empty },
    },
  };
}

/** `undefined` where it is not what s2n-tls writes. */
function stateOf(session: S2nSession, { lifetime }: CheckedProfile): ForeignState | undefined {
  const { protocolVersion: version, cipherSuite } = session.state;
  const issuedAt = inMilliseconds(session.state.issuedAt);
  const common = { version, cipherSuite, issuedAt, peerCertificates: [] };
  if (session.format !== 'tls13_1') {
    const extendedMasterSecret = session.format === 'tls12_1' ? 0 : session.state.extendedMasterSecret;
    if (version !== 'TLSv1.2' || extendedMasterSecret > 1) return undefined;
    return {
      ...common,
      secret: session.state.masterSecret,
      extendedMasterSecret: extendedMasterSecret === 1,
      establishedAt: issuedAt,
      lifetime,
    };
  }
  const { psk, ticketAgeAdd, keyingMaterialExpiration, maxEarlyDataSize, earlyData } = session.state;
  if (version !== 'TLSv1.3' || (earlyData !== undefined) !== maxEarlyDataSize > 0) return undefined;
  const expiration = inMilliseconds(keyingMaterialExpiration);
  return {
    ...common,
    secret: psk,
    extendedMasterSecret: false,
    establishedAt: Math.min(issuedAt, expiration - maximumTicketLifetime * 1000),
    lifetime: Math.min(lifetime, Math.floor((expiration - issuedAt) / 1000)),
    ticketAgeAdd,
    // What a server of s2n-tls wrote down of its own, and would hold early data against.
    maxEarlyDataSize: earlyData !== undefined && earlyData.context.length > 0 ? 0 : maxEarlyDataSize,
    alpnProtocol: earlyData && earlyData.alpnProtocol.length > 0 ? fromAscii(earlyData.alpnProtocol) : undefined,
  };
}

function inNanoseconds(milliseconds: number): bigint {
  return BigInt(Math.floor(milliseconds)) * 1_000_000n;
}

function inMilliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n);
}
