/**
 * Sessions as the state of Go's crypto/tls. It has neither a host name nor a configuration: whatever server has the ticket key resumes
 * the session, and under which names it may is for the profile to say.
 *
 * The surprising thing is that nothing made here is of use to Go 1.20 in TLS 1.3: it wants the resumption master secret, which is gone
 * once the PSK of a ticket is derived.
 */
import { empty, fromAscii, wipe } from '../bytes.js';
import { hashLength, type CryptoBackend } from '../crypto/backend.js';
import { isTls13CipherSuite, tls13Suites } from '../key-schedule/suites.js';
import { resumptionPsk } from '../key-schedule/tls13.js';
import { namedGroups } from '../parameters.js';
import { enumeration, rest, struct, type Infer } from '../presentation/codec.js';
import { decodeOrUndefined, isAllZero } from './decode.js';
import { foreignSession, hasRoom, inSeconds, type ForeignState } from './foreign-session.js';
import { checkedProfile, type CheckedProfile, type ForeignStateProfile } from './foreign-state.js';
import { go120Session, go121Session, type Go120Session, type Go121Session } from './go-session.js';
import { secretOf, type Session, type SessionEncoding } from './session.js';

/**
 * Sessions as Go 1.20 and before read them. Throws `UsageError` (`invalid_option`).
 *
 * `encode` answers `undefined` for a session with the extended master secret, of which Go 1.20 knows nothing (RFC 7627 5.4), with a name that
 * is none of `profile.serverNamesOfUnnamedStates`, with an external PSK, with a client certificate that the profile does not let into
 * tickets; and for any of TLS 1.3. What is lost: the name, ALPN, the group and the signature scheme, and the time of issue. Times
 * come back in whole seconds.
 *
 * `decode` takes any application context for the place's. Sessions of TLS 1.3 come without early data, for which there is nothing there.
 */
export function go120State(profile: ForeignStateProfile & { readonly crypto: CryptoBackend }): SessionEncoding {
  const checked = checkedProfile(profile);
  const { crypto } = profile;
  return {
    encode: (session) => {
      if (session.version === 'TLSv1.3' || session.extendedMasterSecret || !hasRoom({}, session, checked))
        return undefined;
      const { version, cipherSuite, masterSecret, peerCertificates: certificates } = session;
      const createdAt = BigInt(inSeconds(session.establishedAt));
      return go120Session.encode({ version, state: { cipherSuite, createdAt, masterSecret, certificates } });
    },
    decode: (bytes, place) => {
      const session = decodeOrUndefined(go120Session, bytes);
      if (session?.version === 'TLSv1.2') return foreignSession(tls12StateOf(session.state, checked), checked, place);
      const state = session && tls13StateOf(session.state, checked, crypto);
      if (state === undefined) return undefined;
      const resumed = foreignSession(state, checked, place);
      wipe(state.secret);
      return resumed;
    },
  };
}

type Go120State<V> = Extract<Go120Session, { readonly version: V }>['state'];

function tls12StateOf(state: Go120State<'TLSv1.2'>, { lifetime }: CheckedProfile): ForeignState {
  const issuedAt = Number(state.createdAt) * 1000;
  return {
    version: 'TLSv1.2',
    cipherSuite: state.cipherSuite,
    secret: state.masterSecret,
    extendedMasterSecret: false,
    establishedAt: issuedAt,
    issuedAt,
    lifetime,
    peerCertificates: state.certificates,
  };
}

/** With the PSK of the empty nonce, in an array of its own; `undefined` where the secret is not as long as the hash. */
function tls13StateOf(
  state: Go120State<'TLSv1.3'>,
  { lifetime }: CheckedProfile,
  crypto: CryptoBackend,
): ForeignState | undefined {
  const { cipherSuite, resumptionMasterSecret } = state;
  if (!isTls13CipherSuite(cipherSuite)) return undefined;
  const { hash } = tls13Suites[cipherSuite];
  if (resumptionMasterSecret.length !== hashLength[hash] || isAllZero(resumptionMasterSecret)) return undefined;
  const issuedAt = Number(state.createdAt) * 1000;
  return {
    version: 'TLSv1.3',
    cipherSuite,
    secret: resumptionPsk(crypto, hash, resumptionMasterSecret, empty),
    extendedMasterSecret: false,
    establishedAt: issuedAt,
    issuedAt,
    lifetime,
    peerCertificates: state.certificateList.map(({ certData }) => certData),
  };
}

/** Of Go 1.21 and later. */
export interface Go121Profile extends ForeignStateProfile {
  /**
   * Whether the group stands at the end of a session of TLS 1.2: Go 1.25 and later do not read one without it, Go 1.21 to 1.24 none with
   * it. What is read may have it or not. Default: false.
   */
  readonly withGroup?: boolean;
}

/**
 * Sessions as Go 1.21 and later read them. Throws `UsageError` (`invalid_option`).
 *
 * `encode` answers `undefined` for a session with a name that is none of `profile.serverNamesOfUnnamedStates`, with an external PSK, of QUIC,
 * resumable across names, and with a client certificate that the profile does not let into tickets. What is lost: the name, ALPN, early
 * data, the signature scheme and the time of issue: every ticket of a session ends when the profile's lifetime, which Go does not know and
 * takes for seven days, is over since the full handshake. Times come back in whole seconds.
 *
 * `decode` takes any application context for the place's.
 */
export function go121State(profile: Go121Profile): SessionEncoding {
  const checked = checkedProfile(profile);
  const { withGroup = false } = profile;
  return {
    encode: (session) =>
      hasRoom({}, session, checked) ? go121Session.encode(fieldsOf(session, withGroup)) : undefined,
    decode: (bytes, place) => {
      const session = decodeOrUndefined(go121Session, bytes);
      const state = session?.type === 'server' ? stateOf(session, checked) : undefined;
      return state && foreignSession(state, checked, place);
    },
  };
}

function fieldsOf(session: Session, withGroup: boolean): Go121Session {
  const { version, cipherSuite, peerCertificates } = session;
  const isTls12 = session.version === 'TLSv1.2';
  return {
    version,
    type: 'server',
    cipherSuite,
    createdAt: BigInt(inSeconds(session.establishedAt)),
    secret: secretOf(session),
    extra: [],
    extendedMasterSecret: isTls12 && session.extendedMasterSecret ? 'yes' : 'no',
    client: {
      earlyData: 'no',
      state: {
        certificateList: peerCertificates.map((certData) => ({ certData, extensions: empty })),
        // A server that verifies clients asks for a chain that was verified.
        verifiedChains: peerCertificates.length === 0 ? [] : [peerCertificates.slice(1)],
      },
    },
    later: isTls12 && withGroup ? later.encode({ group: session.group ?? 0, more: empty }) : empty,
  };
}

/** `undefined` where it is not what Go writes. */
function stateOf(session: Go121Session, { lifetime }: CheckedProfile): ForeignState | undefined {
  const { version, cipherSuite, secret, extendedMasterSecret, client } = session;
  const added = version === 'TLSv1.2' && session.later.length > 0 ? decodeOrUndefined(later, session.later) : noGroup;
  if (added === undefined || typeof extendedMasterSecret === 'number') return undefined;
  const issuedAt = Number(session.createdAt) * 1000;
  return {
    version,
    cipherSuite,
    secret,
    extendedMasterSecret: extendedMasterSecret === 'yes',
    establishedAt: issuedAt,
    issuedAt,
    lifetime,
    peerCertificates: client.state.certificateList.map(({ certData }) => certData),
    group: added.group,
    alpnProtocol: client.earlyData === 'yes' ? nameIn(client.state.alpnProtocol) : undefined,
  };
}

/** An empty one is none. */
function nameIn(bytes: Uint8Array): string | undefined {
  return bytes.length === 0 ? undefined : fromAscii(bytes);
}

const later = struct({ group: enumeration(2, namedGroups), more: rest() });
const noGroup: Infer<typeof later> = { group: 0, more: empty };
