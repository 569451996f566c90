/**
 * From options to settings: defaults filled in, mistakes refused before the first connection.
 *
 * Settings are frozen and serve any number of connections. Two servers share sessions only if they are given the same store
 * or ticket sealer, and even then a session crosses only where `applicationContext`, client authentication and server name
 * agree.
 */
import { ascii, empty, fromAscii } from '../bytes.js';
import type { AeadAlgorithm, CryptoBackend, EcdheGroup, HashAlgorithm, KeyExchangeGroup } from '../crypto/backend.js';
import type { CertificateCompression } from '../crypto/certificate-compression.js';
import { nobleCrypto } from '../crypto/noble.js';
import { defaultFreshnessWindow } from '../early-data/freshness.js';
import type { ReplayGuard } from '../early-data/replay-guard.js';
import { UsageError } from '../errors.js';
import { isSignatureScheme, signatureAlgorithms, type SignatureSchemeName } from '../handshake/signature-schemes.js';
import { authenticationOf } from '../handshake/negotiate.js';
import { resumptionCounters, type ResumptionCounters } from '../handshake/resumption.js';
import type {
  CertificateVerifier,
  ClientAuthentication,
  ClientHelloExtensions,
  ClientHelloInfo,
  ClientSettings,
  Credentials,
  EarlyDataPolicy,
  ExternalPsk,
  ExternalPskLookup,
  PskKeyExchangeModeName,
  ServerExtensions,
  ServerSettings,
  TicketCounts,
} from '../handshake/settings.js';
import { importPsk, shortestExternalKey } from '../key-schedule/psk-importer.js';
import {
  isTls12CipherSuite,
  isTls13CipherSuite,
  tls12Suites,
  tls13Suites,
  type SupportedCipherSuite,
  type Tls13CipherSuite,
} from '../key-schedule/suites.js';
import type { HandshakeVersion } from '../messages/handshake.js';
import { isHostName } from '../messages/extensions/server-name.js';
import { opaque, struct, uint8, vector } from '../presentation/codec.js';
import { maximumSessionAge } from '../sessions/binding.js';
import { sessionState } from '../sessions/session-state.js';
import type { Session, SessionEncoding } from '../sessions/session.js';
import type { SessionStore } from '../sessions/store.js';
import type { TicketSealer } from '../tickets/sealer.js';

/** RFC 5077 5.6: how long a client is told to keep a ticket, seconds. */
export const defaultTicketLifetimeHint = 2 * 60 * 60;
/** RFC 5246 F.1.4: how long a session ID lives, milliseconds. */
export const defaultSessionLifetime = 24 * 60 * 60 * 1000;

/** What client and server have in common. */
export interface CommonOptions {
  /** Milliseconds since 1970: `Date.now` for most. The library reads no clock on its own. */
  readonly now: () => number;
  /** Default: `nobleCrypto`, which runs everywhere. `nodeCrypto` is faster on Node. */
  readonly crypto?: CryptoBackend;
  /** Default TLSv1.2. */
  readonly minVersion?: HandshakeVersion;
  /** Default TLSv1.3. */
  readonly maxVersion?: HandshakeVersion;
  /**
   * IANA names of both versions, most preferred first. Default: the three suites of TLS 1.3 and the six ECDHE AEAD suites of TLS
   * 1.2, as far as backend and keys go. A version without a suite is not spoken.
   */
  readonly cipherSuites?: readonly SupportedCipherSuite[];
  /** Most preferred first. Default: X25519MLKEM768 where the backend has it, x25519, secp256r1, secp384r1. */
  readonly groups?: readonly KeyExchangeGroup[];
  /** How PSKs are used (RFC 8446 4.2.9), most preferred first. Default: psk_dhe_ke alone; psk_ke gives up forward secrecy. */
  readonly pskKeyExchangeModes?: readonly PskKeyExchangeModeName[];
  /**
   * PSKs from elsewhere, TLS 1.3 only. One list may serve both roles of a node: each entry says which role of ours it is for, and a
   * server refuses the ones that are ours as a client (RFC 9257 5.1: reflection).
   */
  readonly externalPsks?: readonly ExternalPskOptions[];
  /** RFC 8879, most preferred first. Default: none. `tls-resume/crypto/node` has those of the runtime. */
  readonly certificateCompression?: readonly CertificateCompression[];
  /** RFC 8449: the longest record that we take, 64 to 16385 bytes of plaintext. Default: not negotiated. */
  readonly recordSizeLimit?: number;
  /** Pads records of TLS 1.3 to a multiple of so many bytes (RFC 8446 5.4), at most 16384. Default 1: no padding. */
  readonly recordPaddingBlock?: number;
  /** TLS 1.3 for QUIC (RFC 9001): sessions of one transport never resume on the other. Default `tcp`. */
  readonly transport?: 'tcp' | 'quic';
  /** RFC 9001 8.2, required in QUIC. */
  readonly quicTransportParameters?: Uint8Array;
  /** Signatures accepted from the peer. Default: all that the backend verifies. */
  readonly signatureSchemes?: readonly SignatureSchemeName[];
  /** Protocol names (RFC 7301), most preferred first. Default: none, no negotiation. */
  readonly alpnProtocols?: readonly string[];
  /**
   * Where sessions are kept. A server keeps them under their session IDs (RFC 5246 7.3); without a store it gives none out.
   * A client keeps one for each peer and offers it by itself; without one it offers `session` only.
   */
  readonly sessions?: SessionStore;
  /**
   * Which configuration sessions belong to. Connections with other bytes here do not resume each other's sessions, whatever
   * store or keys they share. Put the identity of trust anchors, virtual host or tenant into it.
   */
  readonly applicationContext?: Uint8Array;
  /** Longest time from the full handshake to a resumption, milliseconds; at most 7 days, which is the default. */
  readonly maximumSessionAge?: number;
  /** Counters to add to. Default: new ones, found in the settings. */
  readonly counters?: ResumptionCounters;
  /** Gets each line of a key log (RFC 9850). Whoever reads them can read the connections. */
  readonly keyLog?: (line: string) => void;
  /** Completes full handshakes with peers that lack RFC 7627: open to the triple handshake attack. */
  readonly allowMissingExtendedMasterSecret?: boolean;
}

export interface ClientOptions extends CommonOptions {
  /** Host name for server_name (RFC 6066 3) and for the certificate. Leave it out for IP addresses. */
  readonly serverName?: string;
  /** Tells servers of one name apart in `sessions`, such as `host:port`. Default: the server name. */
  readonly peerIdentity?: string;
  /**
   * Sessions of earlier connections, most preferred first, each offered if it is fit for this one: one of TLS 1.2, several tickets
   * of TLS 1.3. A ticket of TLS 1.3 should be used once (RFC 8446 C.4).
   */
  readonly session?: Session | readonly Session[];
  /** Whether tickets are asked for, taken and offered (RFC 5077, RFC 8446 4.6.1). Default true. */
  readonly tickets?: boolean;
  /**
   * Offers to send early data with a session that allows it: `connection.earlyDataAllowance` says how much, and
   * `writeEarlyData` sends. Whoever records it can send it again: nothing belongs there that is not safe to be done twice. Default
   * false.
   */
  readonly earlyData?: boolean;
  /** Groups to send key shares for, some of `groups`. Default: the first, and the first of elliptic curves beside a hybrid. */
  readonly keyShareGroups?: readonly KeyExchangeGroup[];
  /** Asks for so many tickets (RFC 9149). Default: the server decides. */
  readonly ticketRequest?: TicketCounts;
  /** Looks like TLS 1.2 to middleboxes (RFC 8446 D.4). Default true; never in QUIC. */
  readonly middleboxCompatibility?: boolean;
  /** Changes the extensions of the ClientHello at the last moment: order, GREASE, padding. pre_shared_key comes after them. */
  readonly shapeClientHello?: (extensions: ClientHelloExtensions) => ClientHelloExtensions;
  /** Chains for servers that ask for one, most preferred first. */
  readonly credentials?: readonly Credentials[];
  /** Judges the server's chain, and its name against `serverName`. There is no default: authentication is the point. */
  readonly verifyCertificate: CertificateVerifier;
  /** Talks to servers without RFC 5746: open to the renegotiation attack on their side. */
  readonly allowServersWithoutSecureRenegotiation?: boolean;
}

export interface ServerOptions extends CommonOptions {
  /** Chains and keys, most preferred first; one of each kind of key serves all clients. */
  readonly credentials: readonly Credentials[];
  /** Seals and opens tickets (RFC 5077). Without one, none are given out and none accepted. */
  readonly tickets?: TicketSealer;
  /** What stands inside tickets. Default: this library's own state. */
  readonly ticketEncoding?: SessionEncoding;
  /** Seconds; 0 leaves it to the client. Default {@link defaultTicketLifetimeHint}. */
  readonly ticketLifetimeHint?: number;
  /** TLS 1.3: tickets after a full handshake; a resumption brings one, if this is not 0. 0 to 255, default 2. */
  readonly ticketCount?: number;
  /** TLS 1.3: the most tickets that a client can ask for (RFC 9149 3). 0 to 255, default 8. */
  readonly maximumTicketCount?: number;
  /** TLS 1.3, seconds, at most 7 days. Default {@link defaultTicketLifetimeHint}. */
  readonly ticketLifetime?: number;
  /** Reads early data (RFC 8446 4.2.10). Default: none is read, and tickets allow none. */
  readonly earlyData?: EarlyDataOptions;
  /** Looks for an external PSK that is not in `externalPsks`. */
  readonly findExternalPsk?: ExternalPskLookup;
  /** Asks the client to send this back in a second ClientHello (RFC 8446 4.2.2), which costs a round trip. Default: nothing. */
  readonly retryCookie?: (hello: ClientHelloInfo) => Uint8Array | undefined;
  /** Changes EncryptedExtensions at the last moment. */
  readonly shapeEncryptedExtensions?: (extensions: ServerExtensions) => ServerExtensions;
  /** TLS 1.2: when a resumption by ticket brings a new ticket. Default `when_key_rotated`. */
  readonly renewTickets?: ServerSettings['renewTickets'];
  /** How long `sessions` keeps a session, milliseconds. Default {@link defaultSessionLifetime}. */
  readonly sessionLifetime?: number;
  /** Whether clients are asked for a certificate, and refused without one. Default `none`. */
  readonly clientAuthentication?: ClientAuthentication;
  /** DER-encoded names of authorities, to help the client choose. */
  readonly certificateAuthorities?: readonly Uint8Array[];
  /** Judges a client's chain; required where one is asked for. Asked again, with `resumed`, when its session resumes. */
  readonly verifyCertificate?: CertificateVerifier;
  /** Chooses other settings by name or protocol; answer `undefined` to refuse the name (unrecognized_name). */
  readonly chooseSettings?: ServerSettings['chooseSettings'];
  /** Default true: most clients without RFC 5746 are old tools, and renegotiation is off here anyway. */
  readonly allowClientsWithoutSecureRenegotiation?: boolean;
  /** Resumes sessions without RFC 7627 too, which `allowMissingExtendedMasterSecret` alone never does (RFC 7627 5.3). */
  readonly allowResumptionWithoutExtendedMasterSecret?: boolean;
}

/** Whether and how a server reads early data. */
export type EarlyDataOptions = {
  /** Bytes for each connection, 1 to 2^32-1. */
  readonly maxSize: number;
  /** How far a ticket's age may be off, milliseconds. Default 10 seconds (RFC 8446 8.3). */
  readonly freshnessWindow?: number;
} & (
  | { /** Sees to it that one ClientHello is accepted once (RFC 8446 8). */ readonly replayGuard: ReplayGuard }
  | {
      readonly replayGuard?: undefined;
      /** For servers to which nothing matters that early data does twice, or a hundred times. */
      readonly acceptReplayedEarlyData: true;
    }
);

/** A PSK from elsewhere, at least 16 bytes (RFC 9257 6). */
export type ExternalPskOptions = {
  /** 1 to 65535 bytes. */
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
  /** The hash that it is bound to. Default sha256. */
  readonly hash?: HashAlgorithm;
  /** Which role of ours it is for. */
  readonly role: 'client' | 'server';
} & (
  | {
      /**
       * RFC 9258 5.1, which is the default way to use a PSK: what it was made from, naming both peers. Both sides have to import it, with
       * the same context. Default empty.
       */
      readonly context?: Uint8Array;
      readonly withoutImporter?: false;
    }
  | {
      /** As RFC 8446 has it, for peers without the importer: one PSK under one hash, and nothing that tells client from server. */
      readonly withoutImporter: true;
    }
);

/** Settings of a client. Throws `UsageError` for options that cannot work. */
export function clientSettings(options: ClientOptions): ClientSettings {
  const { credentials = [], tickets = true, session = [] } = options;
  const serverName = options.serverName === undefined ? undefined : hostName(options.serverName);
  const common = commonSettings(options);
  const peerIdentity = options.peerIdentity ?? serverName;
  if (options.sessions !== undefined && peerIdentity === undefined)
    throw new UsageError('invalid_option', '`sessions` of a client needs `serverName` or `peerIdentity`');
  // P-bind-5: identity of the client and trust configuration, without what may change from one connection to the next.
  const applicationContext = digest(common.crypto, clientContext, {
    applicationContext: options.applicationContext ?? empty,
    certificates: credentials.map(({ certificates: [leaf = empty] }) => leaf),
    signatureSchemes: common.signatureSchemes.map(ascii),
    externalPsks: common.externalPsks.map(({ identity }) => identity),
  });
  const sessionKey = (version: HandshakeVersion) =>
    digest(common.crypto, clientSessionKey, {
      version: ascii(version),
      transport: ascii(common.transport),
      applicationContext,
      peerIdentity: byteString('peerIdentity', peerIdentity ?? ''),
      serverName: ascii(serverName ?? ''),
      alpnProtocols: common.alpnProtocols.map(ascii),
    });
  return Object.freeze({
    ...common,
    applicationContext,
    serverName,
    sessionKey: sessionKey('TLSv1.2'),
    tls13SessionKey: sessionKey('TLSv1.3'),
    offeredSessions: 'version' in session ? [session] : session,
    keyShareGroups: common.versions.includes('TLSv1.3') ? keyShareGroups(options.keyShareGroups, common.groups) : [],
    earlyData: options.earlyData ?? false,
    ticketRequest: options.ticketRequest,
    middleboxCompatibility: options.middleboxCompatibility ?? true,
    shapeClientHello: options.shapeClientHello,
    tickets,
    credentials,
    verifyCertificate: options.verifyCertificate,
    allowServersWithoutSecureRenegotiation: options.allowServersWithoutSecureRenegotiation ?? false,
  });
}

/** Settings of a server. Throws `UsageError` for options that cannot work. */
export function serverSettings(options: ServerOptions): ServerSettings {
  const { credentials, clientAuthentication = 'none', certificateAuthorities = [] } = options;
  if (credentials.length === 0) throw new UsageError('invalid_option', 'a server needs `credentials`');
  for (const { certificates } of credentials)
    if (certificates.length === 0) throw new UsageError('invalid_option', 'credentials need a certificate');
  if (clientAuthentication !== 'none' && options.verifyCertificate === undefined)
    throw new UsageError('invalid_option', '`clientAuthentication` needs `verifyCertificate`');
  const common = commonSettings(options);
  const cipherSuites = common.cipherSuites.filter((suite) =>
    credentials.some(({ signer }) => authenticationOf(signer.publicKey) === tls12Suites[suite].authentication),
  );
  const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' } = options;
  const versions = versionsWithSuites(minVersion, maxVersion, cipherSuites, common.tls13CipherSuites);
  if (versions.length === 0) throw new UsageError('invalid_option', 'no cipher suite fits the keys in `credentials`');
  const applicationContext = digest(common.crypto, serverContext, {
    applicationContext: options.applicationContext ?? empty,
    clientAuthentication: ['none', 'request', 'require'].indexOf(clientAuthentication),
    certificateAuthorities,
  });
  return Object.freeze({
    ...common,
    versions,
    cipherSuites,
    applicationContext,
    ticketCount: wholeNumber('ticketCount', options.ticketCount ?? 2, 255),
    maximumTicketCount: wholeNumber('maximumTicketCount', options.maximumTicketCount ?? 8, 255),
    ticketLifetime: wholeNumber(
      'ticketLifetime',
      options.ticketLifetime ?? defaultTicketLifetimeHint,
      maximumSessionAge / 1000,
    ),
    earlyData: options.earlyData && earlyDataPolicy(options.earlyData),
    findExternalPsk: options.findExternalPsk,
    retryCookie: options.retryCookie,
    shapeEncryptedExtensions: options.shapeEncryptedExtensions,
    credentials,
    tickets: options.tickets,
    ticketEncoding: options.ticketEncoding ?? sessionState,
    ticketLifetimeHint: wholeNumber(
      'ticketLifetimeHint',
      options.ticketLifetimeHint ?? defaultTicketLifetimeHint,
      2 ** 32 - 1,
    ),
    renewTickets: options.renewTickets ?? 'when_key_rotated',
    sessionLifetime: wholeNumber('sessionLifetime', options.sessionLifetime ?? defaultSessionLifetime),
    clientAuthentication,
    certificateAuthorities,
    verifyCertificate: options.verifyCertificate,
    chooseSettings: options.chooseSettings,
    allowClientsWithoutSecureRenegotiation: options.allowClientsWithoutSecureRenegotiation ?? true,
    allowResumptionWithoutExtendedMasterSecret: options.allowResumptionWithoutExtendedMasterSecret ?? false,
  });
}

const allSuites = [
  ...Object.keys(tls13Suites).filter(isTls13CipherSuite),
  ...Object.keys(tls12Suites).filter(isTls12CipherSuite),
];
const allGroups = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'] as const;
const ecdheGroups = ['x25519', 'secp256r1', 'secp384r1'] as const;

function commonSettings(options: CommonOptions) {
  const { crypto = nobleCrypto, alpnProtocols = [] } = options;
  const { aeads, groups, signatures } = crypto.capabilities;
  const suites = chosen('cipherSuites', options.cipherSuites, allSuites, (suite) => aeads.includes(aeadOf(suite)));
  const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3', transport = 'tcp' } = options;
  if (transport === 'quic' && options.quicTransportParameters === undefined)
    throw new UsageError('invalid_option', 'QUIC needs `quicTransportParameters`');
  const cipherSuites = suites.filter(isTls12CipherSuite);
  // noble's AES has no instructions of the processor: the backend says what it is fast at.
  const tls13CipherSuites = byPreference(
    suites.filter(isTls13CipherSuite),
    options.cipherSuites === undefined ? aeads : [],
  );
  const versions = versionsWithSuites(
    transport === 'quic' ? 'TLSv1.3' : minVersion,
    maxVersion,
    cipherSuites,
    tls13CipherSuites,
  );
  if (versions.length === 0)
    throw new UsageError('invalid_option', '`minVersion`, `maxVersion` and `cipherSuites` leave no version');
  const allowed = chosen('groups', options.groups, allGroups, (group) => groups.includes(group));
  const schemes = Object.keys(signatureAlgorithms).filter(isSignatureScheme);
  for (const protocol of alpnProtocols)
    if (byteString('alpnProtocols', protocol).length === 0 || protocol.length > 255)
      throw new UsageError('invalid_option', 'an ALPN protocol name has 1 to 255 characters');
  return {
    crypto,
    now: options.now,
    versions,
    cipherSuites: versions.includes('TLSv1.2') ? cipherSuites : [],
    tls13CipherSuites: versions.includes('TLSv1.3') ? tls13CipherSuites : [],
    groups: allowed,
    ecdheGroups: ecdheIn(allowed, versions),
    pskKeyExchangeModes: options.pskKeyExchangeModes ?? (['psk_dhe_ke'] as const),
    externalPsks: (options.externalPsks ?? []).flatMap((psk) => externalPsks(crypto, psk)),
    transport,
    quicTransportParameters: options.quicTransportParameters,
    certificateCompression: options.certificateCompression ?? [],
    recordSizeLimit: options.recordSizeLimit && inRange('recordSizeLimit', options.recordSizeLimit, 64, 16385),
    recordPaddingBlock: inRange('recordPaddingBlock', options.recordPaddingBlock ?? 1, 1, 16384),
    signatureSchemes: chosen('signatureSchemes', options.signatureSchemes, schemes, (scheme) =>
      signatures.includes(signatureAlgorithms[scheme].kind),
    ),
    alpnProtocols,
    sessions: options.sessions,
    maximumSessionAge: Math.min(
      wholeNumber('maximumSessionAge', options.maximumSessionAge ?? maximumSessionAge),
      maximumSessionAge,
    ),
    counters: options.counters ?? resumptionCounters(),
    keyLog: options.keyLog,
    allowMissingExtendedMasterSecret: options.allowMissingExtendedMasterSecret ?? false,
  };
}

function aeadOf(suite: SupportedCipherSuite): AeadAlgorithm {
  return isTls13CipherSuite(suite) ? tls13Suites[suite].aead : tls12Suites[suite].aead;
}

function byPreference(
  suites: readonly Tls13CipherSuite[],
  aeads: readonly AeadAlgorithm[],
): readonly Tls13CipherSuite[] {
  const rank = (suite: Tls13CipherSuite) => aeads.indexOf(tls13Suites[suite].aead);
  return [...suites].sort((a, b) => rank(a) - rank(b));
}

function versionsWithSuites(
  min: HandshakeVersion,
  max: HandshakeVersion,
  tls12: readonly string[],
  tls13: readonly string[],
): readonly HandshakeVersion[] {
  const versions: HandshakeVersion[] = [];
  if (max === 'TLSv1.3' && tls13.length > 0) versions.push('TLSv1.3');
  if (min === 'TLSv1.2' && tls12.length > 0) versions.push('TLSv1.2');
  return versions;
}

function ecdheIn(groups: readonly KeyExchangeGroup[], versions: readonly HandshakeVersion[]): readonly EcdheGroup[] {
  const ecdhe = groups.flatMap((group) => ecdheGroups.filter((candidate) => candidate === group));
  if (ecdhe.length === 0 && versions.includes('TLSv1.2'))
    throw new UsageError('invalid_option', '`groups`: TLS 1.2 needs one of elliptic curves');
  return ecdhe;
}

function keyShareGroups(
  wanted: readonly KeyExchangeGroup[] | undefined,
  groups: readonly KeyExchangeGroup[],
): readonly KeyExchangeGroup[] {
  const unfit = wanted?.find((group) => !groups.includes(group));
  if (unfit !== undefined) throw new UsageError('invalid_option', `\`keyShareGroups\`: ${unfit} is not in \`groups\``);
  if (wanted !== undefined) return wanted;
  const first = groups[0];
  const second = first === 'X25519MLKEM768' ? groups[1] : undefined;
  return [first, second].filter((group) => group !== undefined);
}

function earlyDataPolicy(options: EarlyDataOptions): EarlyDataPolicy {
  const { maxSize, replayGuard, freshnessWindow = defaultFreshnessWindow } = options;
  if (replayGuard === undefined && !('acceptReplayedEarlyData' in options && options.acceptReplayedEarlyData))
    throw new UsageError('invalid_option', '`earlyData` needs a `replayGuard`');
  return {
    maxSize: inRange('earlyData.maxSize', maxSize, 1, 2 ** 32 - 1),
    replayGuard,
    freshnessWindow: wholeNumber('earlyData.freshnessWindow', freshnessWindow),
  };
}

function externalPsks(crypto: CryptoBackend, options: ExternalPskOptions): readonly ExternalPsk[] {
  const { identity, key, hash = 'sha256', role } = options;
  if (identity.length === 0 || identity.length > 2 ** 16 - 1)
    throw new UsageError('invalid_option', 'an external PSK needs an identity of 1 to 65535 bytes');
  if (key.length < shortestExternalKey)
    throw new UsageError('invalid_key', `an external PSK has at least ${shortestExternalKey} bytes`);
  if (options.withoutImporter === true) return [{ identity, key, hash, role, kind: 'external' }];
  const { context = empty } = options;
  const imported = importPsk(crypto, { externalIdentity: identity, key, context, hash }, ['sha256', 'sha384']);
  return imported.map((psk) => ({ ...psk, role }));
}

/** What was asked for, all of which must be supported; or else everything that is. */
function chosen<T extends string>(
  option: string,
  wanted: readonly T[] | undefined,
  all: readonly T[],
  supported: (value: T) => boolean,
): readonly T[] {
  const unfit = wanted?.find((value) => !all.includes(value) || !supported(value));
  if (unfit !== undefined)
    throw new UsageError('unsupported_by_backend', `\`${option}\`: ${unfit} is not supported here`);
  const values = wanted ?? all.filter(supported);
  if (values.length === 0) throw new UsageError('invalid_option', `\`${option}\` is empty`);
  return values;
}

function hostName(name: string): string {
  if (!isHostName(name))
    throw new UsageError(
      'invalid_option',
      '`serverName` is an ASCII host name, without trailing dot, not an IP address',
    );
  return name.toLowerCase();
}

function wholeNumber(option: string, value: number, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > max)
    throw new UsageError('invalid_option', `\`${option}\` is a whole number from 0 to ${max}`);
  return value;
}

function inRange(option: string, value: number, min: number, max: number): number {
  if (value < min) throw new UsageError('invalid_option', `\`${option}\` is a whole number from ${min} to ${max}`);
  return wholeNumber(option, value, max);
}

/** One character a byte: a text that was cut to bytes could come out as another. */
function byteString(option: string, text: string): Uint8Array {
  const bytes = ascii(text);
  if (fromAscii(bytes) !== text)
    throw new UsageError('invalid_option', `\`${option}\` has a character that is no byte`);
  return bytes;
}

const certificateList = vector(opaque(0, 2 ** 24 - 1), 0, 2 ** 24 - 1);
const clientContext = struct({
  applicationContext: opaque(0, 2 ** 24 - 1),
  certificates: certificateList,
  /** A session stands on a signature that a stricter list may exclude, and brings none. */
  signatureSchemes: vector(opaque(0, 255), 0, 2 ** 16 - 1),
  externalPsks: vector(opaque(1, 2 ** 16 - 1), 0, 2 ** 24 - 1),
});
const clientSessionKey = struct({
  version: opaque(0, 255),
  transport: opaque(0, 255),
  applicationContext: opaque(0, 255),
  peerIdentity: opaque(0, 2 ** 16 - 1),
  serverName: opaque(0, 255),
  alpnProtocols: vector(opaque(0, 255), 0, 2 ** 16 - 1),
});
const serverContext = struct({
  applicationContext: opaque(0, 2 ** 24 - 1),
  clientAuthentication: uint8,
  certificateAuthorities: certificateList,
});

/** SHA-256 over an unambiguous encoding: no two configurations share one. */
function digest<T>(crypto: CryptoBackend, codec: { encode(value: T): Uint8Array }, value: T): Uint8Array {
  return crypto.hash('sha256', codec.encode(value));
}
