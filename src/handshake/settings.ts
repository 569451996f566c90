/**
 * What a handshake is told by its configuration: options after validation, with every default filled in. Frozen, shared by
 * all connections of a client or server; a handshake writes nothing here.
 */
import type { AlertDescription } from '../alert.js';
import type { CryptoBackend, KeyExchangeGroup, MaybePromise, PublicKey, Signer } from '../crypto/backend.js';
import type { Tls12CipherSuite } from '../key-schedule/suites.js';
import type { Session, SessionEncoding } from '../sessions/session.js';
import type { SessionStore } from '../sessions/store.js';
import type { TicketSealer } from '../tickets/sealer.js';
import type { ResumptionCounters } from './resumption.js';
import type { SignatureSchemeName } from './signature-schemes.js';

/** A certificate chain and the key that proves it. */
export interface Credentials {
  /** DER, leaf first. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: Signer;
}

/** What the outside says of a certificate chain. */
export type CertificateVerdict =
  | { readonly accepted: true; /** Of the leaf. */ readonly publicKey: PublicKey }
  | {
      readonly accepted: false;
      readonly alert: AlertDescription;
      /** For the local operator. */ readonly reason: string;
    };

export interface CertificateQuestion {
  /** DER, leaf first, as the peer sent it, or as the session remembers it. */
  readonly certificates: readonly Uint8Array[];
  /** Whose chain it is. */
  readonly role: 'client' | 'server';
  /** The name that a server must prove; `undefined` for clients and where the caller named none. */
  readonly serverName: string | undefined;
  /** The session is being resumed: the chain was proven then, the question is whether it is still acceptable. */
  readonly resumed: boolean;
}

/** What a server needs to know of a ClientHello to choose its settings. */
export interface ClientHelloInfo {
  /** Lower case. */
  readonly serverName: string | undefined;
  readonly alpnProtocols: readonly string[];
}

/** Judges a peer's certificate chain. A throw or rejection ends the handshake with internal_error. */
export type CertificateVerifier = (question: CertificateQuestion) => MaybePromise<CertificateVerdict>;

interface CommonSettings {
  readonly crypto: CryptoBackend;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Most preferred first. */
  readonly cipherSuites: readonly Tls12CipherSuite[];
  readonly groups: readonly KeyExchangeGroup[];
  /** What signatures of the peer are accepted. */
  readonly signatureSchemes: readonly SignatureSchemeName[];
  readonly alpnProtocols: readonly string[];
  readonly allowMissingExtendedMasterSecret: boolean;
  /** Digest of all that a session must not cross (P-bind-1, P-bind-5). */
  readonly applicationContext: Uint8Array;
  /** Longest time from the full handshake to a resumption, milliseconds. */
  readonly maximumSessionAge: number;
  readonly sessions: SessionStore | undefined;
  readonly counters: ResumptionCounters;
  /** Gets each key log line (RFC 9850); holds secrets. */
  readonly keyLog: ((line: string) => void) | undefined;
}

export interface ClientSettings extends CommonSettings {
  /** Lower case; `undefined` sends no server_name. */
  readonly serverName: string | undefined;
  /** Key of this peer in `sessions`. */
  readonly sessionKey: Uint8Array;
  /** Offered before anything that `sessions` holds. */
  readonly session: Session | undefined;
  /** Whether tickets are asked for. */
  readonly tickets: boolean;
  readonly credentials: readonly Credentials[];
  readonly verifyCertificate: CertificateVerifier;
  readonly allowServersWithoutSecureRenegotiation: boolean;
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
  readonly renewTickets: 'when_key_rotated' | 'always' | 'never';
  readonly clientAuthentication: ClientAuthentication;
  /** DER names for CertificateRequest; empty lets the client choose. */
  readonly certificateAuthorities: readonly Uint8Array[];
  readonly verifyCertificate: CertificateVerifier | undefined;
  /** Chooses the settings for a ClientHello; `undefined` keeps these. */
  readonly chooseSettings: ((hello: ClientHelloInfo) => MaybePromise<ServerSettings | undefined>) | undefined;
  readonly allowClientsWithoutSecureRenegotiation: boolean;
  readonly allowResumptionWithoutExtendedMasterSecret: boolean;
}
