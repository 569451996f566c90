/**
 * From options to settings: defaults filled in, mistakes refused before the first connection.
 *
 * Settings are frozen and serve any number of connections. Two servers share sessions only if they are given the same store
 * or ticket sealer, and even then a session crosses only where `applicationContext`, client authentication and server name
 * agree.
 */
import { ascii, empty, fromAscii } from '../bytes.js';
import type { CryptoBackend, KeyExchangeGroup } from '../crypto/backend.js';
import { nobleCrypto } from '../crypto/noble.js';
import { UsageError } from '../errors.js';
import { isSignatureScheme, signatureAlgorithms, type SignatureSchemeName } from '../handshake/signature-schemes.js';
import { authenticationOf } from '../handshake/negotiate.js';
import { resumptionCounters, type ResumptionCounters } from '../handshake/resumption.js';
import type {
  CertificateVerifier,
  ClientAuthentication,
  ClientSettings,
  Credentials,
  ServerSettings,
} from '../handshake/settings.js';
import { isTls12CipherSuite, tls12Suites, type Tls12CipherSuite } from '../key-schedule/suites.js';
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
  /** IANA names, most preferred first. Default: the six ECDHE AEAD suites, as far as backend and keys go. */
  readonly cipherSuites?: readonly Tls12CipherSuite[];
  /** Most preferred first. Default: x25519, secp256r1, secp384r1. */
  readonly groups?: readonly KeyExchangeGroup[];
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
  /** A session of an earlier connection, offered if it is fit for this one. */
  readonly session?: Session;
  /** Whether tickets are asked for and offered (RFC 5077). Default true. */
  readonly tickets?: boolean;
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
  /** When a resumption by ticket brings a new ticket. Default `when_key_rotated`. */
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

/** Settings of a client. Throws `UsageError` for options that cannot work. */
export function clientSettings(options: ClientOptions): ClientSettings {
  const { credentials = [], tickets = true, session } = options;
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
  });
  return Object.freeze({
    ...common,
    applicationContext,
    serverName,
    sessionKey: digest(common.crypto, clientSessionKey, {
      applicationContext,
      peerIdentity: byteString('peerIdentity', peerIdentity ?? ''),
      serverName: ascii(serverName ?? ''),
      alpnProtocols: common.alpnProtocols.map(ascii),
    }),
    session,
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
  if (cipherSuites.length === 0)
    throw new UsageError('invalid_option', 'no cipher suite fits the keys in `credentials`');
  const applicationContext = digest(common.crypto, serverContext, {
    applicationContext: options.applicationContext ?? empty,
    clientAuthentication: ['none', 'request', 'require'].indexOf(clientAuthentication),
    certificateAuthorities,
  });
  return Object.freeze({
    ...common,
    cipherSuites,
    applicationContext,
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

const allSuites = Object.keys(tls12Suites).filter(isTls12CipherSuite);
const allGroups = ['x25519', 'secp256r1', 'secp384r1'] as const;

function commonSettings(options: CommonOptions) {
  const { crypto = nobleCrypto, alpnProtocols = [] } = options;
  const { aeads, groups, signatures } = crypto.capabilities;
  const cipherSuites = chosen('cipherSuites', options.cipherSuites, allSuites, (suite) =>
    aeads.includes(tls12Suites[suite].aead),
  );
  const schemes = Object.keys(signatureAlgorithms).filter(isSignatureScheme);
  for (const protocol of alpnProtocols)
    if (byteString('alpnProtocols', protocol).length === 0 || protocol.length > 255)
      throw new UsageError('invalid_option', 'an ALPN protocol name has 1 to 255 characters');
  return {
    crypto,
    now: options.now,
    cipherSuites,
    groups: chosen('groups', options.groups, allGroups, (group) => groups.includes(group)),
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
});
const clientSessionKey = struct({
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
