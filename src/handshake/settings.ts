/**
 * What a handshake is told by its configuration: options after validation, with every default filled in. Frozen, shared by
 * all connections of a client or server; a handshake writes nothing here.
 */
import type { AlertDescription } from '../alert.js';
import type {
  CryptoBackend,
  EcdheGroup,
  HashAlgorithm,
  KeyExchangeGroup,
  MaybePromise,
  PublicKey,
  Signer,
} from '../crypto/backend.js';
import type { CertificateCompression } from '../crypto/certificate-compression.js';
import type { ReplayGuard } from '../early-data/replay-guard.js';
import type { Tls12CipherSuite, Tls13CipherSuite } from '../key-schedule/suites.js';
import type { HandshakeVersion } from '../messages/handshake.js';
import type { Extension } from '../messages/index.js';
import type {
  CipherSuite,
  ClientCertificateType,
  NamedGroup,
  ProtocolVersion,
  SignatureScheme,
} from '../parameters.js';
import type { BindingPolicy } from '../sessions/binding.js';
import type { Session, SessionEncoding, Staples } from '../sessions/session.js';
import type { SessionStore } from '../sessions/store.js';
import type { TicketSealer } from '../tickets/sealer.js';
import type { ResumptionCounters } from './resumption.js';
import type { SignatureSchemeName } from './signature-schemes.js';

/** A certificate chain and the key that proves it. What is stapled, servers show to clients that ask. */
export interface Credentials extends Staples {
  /** DER, leaf first. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: Signer;
  /**
   * Schemes to sign with, most preferred first. Default: by the peer's preference any that the key can do, but for SHA-1 and
   * `rsa_pkcs1_*_legacy`, which only a list of its own makes a key sign with.
   */
  readonly signatureSchemes?: readonly SignatureSchemeName[];
}

/** What a server says of the certificate that it wants of a client (RFC 5246 7.4.4, RFC 8446 4.3.2). */
export interface CertificateRequestInfo {
  readonly version: HandshakeVersion;
  /** Names, and numbers where there is no name here. */
  readonly signatureSchemes: readonly SignatureScheme[];
  /** X.501 names in DER; empty is any authority. */
  readonly certificateAuthorities: readonly Uint8Array[];
  /** `undefined` in TLS 1.3, which has none. */
  readonly certificateTypes: readonly ClientCertificateType[] | undefined;
}

/**
 * Chains for a server that asks for one, most preferred first; the first whose key can sign is shown. None: the client has no
 * certificate. A throw or rejection ends the handshake with internal_error.
 */
export type CredentialsChooser = (request: CertificateRequestInfo) => MaybePromise<readonly Credentials[] | undefined>;

/** What the outside says of a certificate chain. */
export type CertificateVerdict =
  | { readonly accepted: true; /** Of the leaf. */ readonly publicKey: PublicKey }
  | {
      readonly accepted: false;
      readonly alert: AlertDescription;
      /** For the local operator. */ readonly reason: string;
    };

/** What is stapled was asked for and came with a server's chain, and is not verified; a session remembers it. */
export interface CertificateQuestion extends Staples {
  /** DER, leaf first, as the peer sent it, or as the session remembers it. */
  readonly certificates: readonly Uint8Array[];
  /** Whose chain it is. */
  readonly role: 'client' | 'server';
  /** The name that a server must prove; `undefined` for clients and where the caller named none. */
  readonly serverName: string | undefined;
  /** The session is being resumed: the chain was proven then, the question is whether it is still acceptable. */
  readonly resumed: boolean;
}

/** What a server needs to know of a ClientHello to choose its settings. Lists are in the client's order, GREASE and all. */
export interface ClientHelloInfo {
  /** Lower case. */
  readonly serverName: string | undefined;
  readonly alpnProtocols: readonly string[];
  /** From supported_versions, or TLSv1.2 where legacy_version says that or more. */
  readonly versions: readonly ProtocolVersion[];
  /** Names, and numbers where there is no name here. Of all versions. */
  readonly cipherSuites: readonly CipherSuite[];
  /** From supported_groups; empty without it. */
  readonly groups: readonly NamedGroup[];
  /** From signature_algorithms; empty without it. */
  readonly signatureSchemes: readonly SignatureScheme[];
}

/** Judges a peer's certificate chain. A throw or rejection ends the handshake with internal_error. */
export type CertificateVerifier = (question: CertificateQuestion) => MaybePromise<CertificateVerdict>;

/** A PSK that two parties have from elsewhere, as it goes into the key schedule (RFC 8446 2.2, RFC 9258 5). */
export interface ExternalPsk {
  /** What stands in the ClientHello: for imported PSKs the encoded ImportedIdentity. */
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
  /** The hash that it is bound to (RFC 8446 4.2.11). */
  readonly hash: HashAlgorithm;
  readonly kind: 'external' | 'imported';
  /** The identity as the caller knows it, where the importer made another of it. */
  readonly externalIdentity?: Uint8Array;
  /** Which role of ours it is for: nobody answers a handshake under his own client PSK (P-psk-1, RFC 9257 5.1). */
  readonly role: 'client' | 'server';
}

/** The external PSK of that identity, or `undefined`. A throw or rejection ends the handshake with internal_error. */
export type ExternalPskLookup = (identity: Uint8Array) => MaybePromise<ExternalPsk | undefined>;

/** A PSK of TLS 1.2 (RFC 4279 5), at least 16 bytes; the identity has 65535 at most and is meant to be UTF-8. */
export interface Tls12Psk {
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
}

/** Client: the PSK for a server that gives that hint, empty for none; `undefined` if there is no PSK for it. */
export type Tls12PskSelector = (identityHint: Uint8Array) => MaybePromise<Tls12Psk | undefined>;
/** Server: the key of that identity, or `undefined`. */
export type Tls12PskLookup = (identity: Uint8Array) => MaybePromise<Uint8Array | undefined>;

export type PskKeyExchangeModeName = 'psk_dhe_ke' | 'psk_ke';

interface CommonSettings {
  readonly crypto: CryptoBackend;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Newest first. */
  readonly versions: readonly HandshakeVersion[];
  /** Most preferred first; of TLS 1.2. */
  readonly cipherSuites: readonly Tls12CipherSuite[];
  readonly tls13CipherSuites: readonly Tls13CipherSuite[];
  /** Of TLS 1.3. */
  readonly groups: readonly KeyExchangeGroup[];
  /** Those of them that TLS 1.2 has. */
  readonly ecdheGroups: readonly EcdheGroup[];
  /** How PSKs are used, most preferred first. */
  readonly pskKeyExchangeModes: readonly PskKeyExchangeModeName[];
  /** Of both roles; each side uses its own. */
  readonly externalPsks: readonly ExternalPsk[];
  readonly allowShortTls12Psks: boolean;
  /** What TLS 1.3 runs over: a record layer, or QUIC. */
  readonly transport: 'tcp' | 'quic';
  /** RFC 9001 8.2, in QUIC. */
  readonly quicTransportParameters: Uint8Array | undefined;
  /** RFC 8879, most preferred first. */
  readonly certificateCompression: readonly CertificateCompression[];
  /** RFC 8449: bytes of a record's plaintext, in TLS 1.3 with type and padding. `undefined` does not negotiate it. */
  readonly recordSizeLimit: number | undefined;
  /** RFC 8446 5.4: records are padded to a multiple of this; 1 is no padding. */
  readonly recordPaddingBlock: number;
  /** What signatures of the peer are accepted. */
  readonly signatureSchemes: readonly SignatureSchemeName[];
  readonly alpnProtocols: readonly string[];
  /** RFC 8701. */
  readonly grease: boolean;
  readonly allowMissingExtendedMasterSecret: boolean;
  /** What a session has to be to resume here. */
  readonly binding: BindingPolicy;
  readonly sessions: SessionStore | undefined;
  readonly counters: ResumptionCounters;
  /** Gets each key log line (RFC 9850); holds secrets. */
  readonly keyLog: ((line: string) => void) | undefined;
}

export interface ClientSettings extends CommonSettings {
  /** Lower case; `undefined` sends no server_name. */
  readonly serverName: string | undefined;
  /** Keys of this peer in `sessions`, one for each version. */
  readonly sessionKey: Uint8Array;
  readonly tls13SessionKey: Uint8Array;
  /** Offered before anything that `sessions` holds, most preferred first. */
  readonly offeredSessions: readonly Session[];
  /** Whether tickets are asked for. */
  readonly tickets: boolean;
  readonly credentials: readonly Credentials[];
  /** In place of `credentials`. */
  readonly chooseCredentials: CredentialsChooser | undefined;
  readonly verifyCertificate: CertificateVerifier;
  readonly selectTls12Psk: Tls12PskSelector | undefined;
  readonly allowServersWithoutSecureRenegotiation: boolean;
  /** Groups to send key shares for; some of `groups`. */
  readonly keyShareGroups: readonly KeyExchangeGroup[];
  /** Whether early data may be sent with a session that allows it. */
  readonly earlyData: boolean;
  /** RFC 9149 3. */
  readonly ticketRequest: TicketCounts | undefined;
  /** RFC 8446 D.4: session ID and ChangeCipherSpec as in TLS 1.2, for middleboxes. */
  readonly middleboxCompatibility: boolean;
  /** RFC 6066 8. */
  readonly requestOcspResponse: boolean;
  /** RFC 6962 3.3. */
  readonly requestSignedCertificateTimestamps: boolean;
  readonly permuteExtensions: boolean;
  readonly shapeClientHello: ((extensions: ClientHelloExtensions) => ClientHelloExtensions) | undefined;
}

export type ClientHelloExtensions = readonly Extension<'client_hello'>[];
export type ServerExtensions = readonly Extension<'encrypted_extensions'>[];

/** RFC 9149 3: how many tickets a client wants after a full handshake, and after a resumption. Each 0 to 255. */
export interface TicketCounts {
  readonly newSessionCount: number;
  readonly resumptionCount: number;
}

/** RFC 8446 4.2.10 and 8: whether a server reads early data. */
export interface EarlyDataPolicy {
  /** Bytes for each connection; told in tickets. */
  readonly maxSize: number;
  /** `undefined`: every replay is accepted, but for what the store of single-use tickets sees to. */
  readonly replayGuard: ReplayGuard | undefined;
  /** In place of a guard: the store sees to it that no ticket is used twice (RFC 8446 8.1). */
  readonly singleUseTickets: boolean;
  /** RFC 8446 8.3, milliseconds. */
  readonly freshnessWindow: number;
  /** Whose record `replayGuard` asks: early data under tickets of another zone is refused. `undefined`: there is one for all. */
  readonly zone: string | undefined;
  /** No other server issues tickets that open here: what is issued after the record began cannot have been used before it. */
  readonly acceptTicketsOfThisRunAtOnce: boolean;
}

export type ClientAuthentication = 'none' | 'request' | 'require';

export interface ServerSettings extends CommonSettings {
  readonly credentials: readonly Credentials[];
  readonly tickets: TicketSealer | undefined;
  /** What stands inside tickets; sessions in the store always use this library's own encoding. */
  readonly ticketEncoding: SessionEncoding;
  /** Seconds; 0 leaves the lifetime unspecified (RFC 5077 3.3). */
  readonly ticketLifetimeHint: number;
  /** How long a session stays in `sessions`, milliseconds. */
  readonly sessionLifetime: number;
  /** Tickets of TLS 1.3 on each connection, unless the client asks for another number (RFC 9149). */
  readonly ticketCount: number;
  /** The most tickets that a client can have by asking. */
  readonly maximumTicketCount: number;
  /** TLS 1.3, seconds, at most 7 days (RFC 8446 4.6.1). */
  readonly ticketLifetime: number;
  readonly earlyData: EarlyDataPolicy | undefined;
  /** For clients that offer an external PSK which is not in `externalPsks`. */
  readonly findExternalPsk: ExternalPskLookup | undefined;
  readonly findTls12Psk: Tls12PskLookup | undefined;
  /** RFC 5489 2; empty is none. */
  readonly tls12PskIdentityHint: Uint8Array;
  /** RFC 8446 4.2.2: what a HelloRetryRequest asks the client to send back. */
  readonly retryCookie: ((hello: ClientHelloInfo) => Uint8Array | undefined) | undefined;
  readonly shapeEncryptedExtensions: ((extensions: ServerExtensions) => ServerExtensions) | undefined;
  readonly renewTickets: 'when_key_rotated' | 'always' | 'never';
  readonly clientAuthentication: ClientAuthentication;
  /** DER names for CertificateRequest; empty lets the client choose. */
  readonly certificateAuthorities: readonly Uint8Array[];
  readonly verifyCertificate: CertificateVerifier | undefined;
  /** Chooses the settings for a ClientHello, of the same transport; `undefined` refuses the name. */
  readonly chooseSettings: ((hello: ClientHelloInfo) => MaybePromise<ServerSettings | undefined>) | undefined;
  readonly allowClientsWithoutSecureRenegotiation: boolean;
  /** RFC 8446 4.1.4: whether a HelloRetryRequest asks for the preferred group where the client sent a share of another. */
  readonly retryForPreferredGroup: boolean;
  /** Bytes of early data that is not read and may come all the same. */
  readonly maximumSkippedEarlyData: number;
  /** RFC 8446 E.6. */
  readonly revealUnknownPskIdentities: boolean;
  /** RFC 8446 D.4: ChangeCipherSpec for clients that do not ask for it, too. */
  readonly alwaysMiddleboxCompatible: boolean;
  /** RFC 6066 3. */
  readonly acknowledgeServerName: boolean;
}
