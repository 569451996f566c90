/**
 * What a caller configures: plain objects, everything optional that has a sensible default. What is insecure has a long name.
 */
import type { CryptoBackend, HashAlgorithm, KeyExchangeGroup } from '../crypto/backend.js';
import type { CertificateCompression } from '../crypto/certificate-compression.js';
import type { ReplayGuard } from '../early-data/replay-guard.js';
import type { ResumptionCounters } from '../handshake/resumption.js';
import type {
  CertificateVerifier,
  ClientAuthentication,
  ClientHelloExtensions,
  ClientHelloInfo,
  Credentials,
  CredentialsChooser,
  ExternalPskLookup,
  PskKeyExchangeModeName,
  ServerExtensions,
  ServerSettings,
  TicketCounts,
  Tls12PskLookup,
  Tls12PskSelector,
} from '../handshake/settings.js';
import type { SignatureSchemeName } from '../handshake/signature-schemes.js';
import type { SupportedCipherSuite } from '../key-schedule/suites.js';
import type { HandshakeVersion } from '../messages/handshake.js';
import type { BindingOverrides } from '../sessions/binding-overrides.js';
import type { Session, SessionEncoding } from '../sessions/session.js';
import type { SessionStore } from '../sessions/store.js';
import type { TicketSealer } from '../tickets/sealer.js';

/** RFC 5077 5.6: how long a client is told to keep a ticket, seconds. */
export const defaultTicketLifetimeHint = 2 * 60 * 60;
/** RFC 5246 F.1.4: how long a session ID lives, milliseconds. */
export const defaultSessionLifetime = 24 * 60 * 60 * 1000;

/** Bytes: what tickets of most servers allow. */
export const defaultSkippedEarlyData = 2 ** 14;

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
   * IANA names of both versions, most preferred first. Default: the three suites of TLS 1.3 and the ECDHE AEAD suites of TLS 1.2,
   * those with PSKs before those with certificates, as far as backend, PSKs and keys go. A version without a suite is not spoken.
   */
  readonly cipherSuites?: readonly SupportedCipherSuite[];
  /**
   * Most preferred first. Default: X25519MLKEM768 where the backend has it, x25519, secp256r1, secp384r1. Only where they are named:
   * secp521r1, SecP256r1MLKEM768, SecP384r1MLKEM1024, and ML-KEM alone.
   */
  readonly groups?: readonly KeyExchangeGroup[];
  /** How PSKs are used (RFC 8446 4.2.9), most preferred first. Default: psk_dhe_ke alone; psk_ke gives up forward secrecy. */
  readonly pskKeyExchangeModes?: readonly PskKeyExchangeModeName[];
  /**
   * PSKs from elsewhere, TLS 1.3 only: those of TLS 1.2 are others (RFC 8446 E.7). One list may serve both roles of a node: each entry says which role of ours it is for, and a
   * server refuses the ones that are ours as a client (RFC 9257 5.1: reflection).
   */
  readonly externalPsks?: readonly ExternalPskOptions[];
  /** TLS 1.2: takes PSKs below 16 bytes too, which can be guessed (RFC 9257 6). */
  readonly allowShortTls12Psks?: boolean;
  /** RFC 8879, most preferred first. Default: none. `tls-resume/crypto/node` has those of the runtime. */
  readonly certificateCompression?: readonly CertificateCompression[];
  /** RFC 8449: the longest record that we take, 64 to 16385 bytes of plaintext. Default: not negotiated. */
  readonly recordSizeLimit?: number;
  /** Pads records of TLS 1.3 to a multiple of so many bytes (RFC 8446 5.4), at most 16384. Default 1: no padding. */
  readonly recordPaddingBlock?: number;
  /** TLS 1.3 for QUIC (RFC 9001): sessions of one transport never resume on the other. Default `tcp`. */
  readonly transport?: 'tcp' | 'quic';
  /** RFC 9001 8.2, in QUIC: those of every connection. Most are of one connection: see `QuicHandshakeOptions`. */
  readonly quicTransportParameters?: Uint8Array;
  /**
   * Signatures accepted from the peer. Default: all that the backend verifies, but for those that are accepted only where they are
   * named: `mldsa*`, which few chains lead to; `rsa_pkcs1_sha1` and `ecdsa_sha1`, which anybody with means can forge (RFC 9155), in
   * TLS 1.2; and `rsa_pkcs1_*_legacy` of clients whose keys do nothing else, in TLS 1.3.
   */
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
  /**
   * Longest time from the full handshake to a resumption, milliseconds; at most 7 days, which is the default, and tickets that are renewed
   * do not extend it. A server whose ticket keys say how long they live resumes by default no longer than two lives of a key (RFC 9325 3.4): 2 days, with a ring as it is by default.
   */
  readonly maximumSessionAge?: number;
  /**
   * Names the rules by which `verifyCertificate` judges, for functions have no names that outlive a process: authorities, names, revocation.
   * Sessions that were made under another identity are not offered, and not accepted from clients that are asked for a certificate. Up to
   * 65535 characters, each a byte. Default: none. The stored chain is judged again in any case.
   */
  readonly verifierIdentity?: string;
  /** Raised whenever peers are revoked: sessions that were made before are out, as with {@link verifierIdentity}. Default 0. */
  readonly revocationEpoch?: number;
  /** Rules of resumption that do not hold here. Each lets a session be honoured where it was not made. Default: all hold. */
  readonly bindingOverrides?: BindingOverrides;
  /** Counters to add to. Default: new ones, found in the settings. */
  readonly counters?: ResumptionCounters;
  /**
   * Puts reserved values among what is offered (RFC 8701), to keep peers tolerant: clients in the ClientHello, servers of TLS 1.3 in
   * CertificateRequest and tickets. Default false.
   */
  readonly grease?: boolean;
  /** Gets each line of a key log (RFC 9850). Whoever reads them can read the connections. */
  readonly keyLog?: (line: string) => void;
  /** Completes full handshakes with peers that lack RFC 7627: open to the triple handshake attack. */
  readonly allowMissingExtendedMasterSecret?: boolean;
  /** Resumes sessions without RFC 7627 too, which `allowMissingExtendedMasterSecret` alone never does (RFC 7627 5.3). */
  readonly allowResumptionWithoutExtendedMasterSecret?: boolean;
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
  /**
   * Sessions that no handshake under these options made, such as those of `mintSession`: taken for sessions of this configuration, and
   * offered after `session` if they are fit otherwise. Whoever made one can be any server to this client.
   */
  readonly foreignSessions?: readonly Session[];
  /**
   * Offers one of `session` under another name, too, if its server said that it may (`resumableAcrossNames`) and `verifyCertificate`
   * accepts its certificate for the name of now (draft-ietf-tls-cross-sni-resumption, RFC 8446 4.6.1). Never with early data. Whoever sees
   * both connections can tell that they are one client's. `sessions` is searched under the name of now alone. Default false.
   */
  readonly offerSessionsOfOtherNames?: boolean;
  /** Whether tickets are asked for, taken and offered (RFC 5077, RFC 8446 4.6.1). Default true. */
  readonly tickets?: boolean;
  /**
   * Offers to send early data with a session that allows it: `connection.earlyDataAllowance` says how much, and
   * `writeEarlyData` sends. Whoever records it can send it again: nothing belongs there that is not safe to be done twice. Default
   * false.
   */
  readonly earlyData?: boolean;
  /** Groups to send key shares for, some of `groups`. Default: the first, and the first of elliptic curves beside one with ML-KEM. */
  readonly keyShareGroups?: readonly KeyExchangeGroup[];
  /** Asks for so many tickets (RFC 9149). Default: the server decides. */
  readonly ticketRequest?: TicketCounts;
  /** Looks like TLS 1.2 to middleboxes (RFC 8446 D.4). Default true; never in QUIC. */
  readonly middleboxCompatibility?: boolean;
  /** Asks the server for the OCSP response of its certificate (RFC 6066 8). What came goes to `verifyCertificate`. Default false. */
  readonly requestOcspResponse?: boolean;
  /** Asks the server for signed certificate timestamps (RFC 6962 3.3). What came goes to `verifyCertificate`. Default false. */
  readonly requestSignedCertificateTimestamps?: boolean;
  /** Sends the extensions of each ClientHello in another order, so that nobody comes to rely on one. Default false. */
  readonly permuteExtensions?: boolean;
  /** Changes the extensions of the ClientHello at the last moment: order, padding, others. pre_shared_key comes after them. */
  readonly shapeClientHello?: (extensions: ClientHelloExtensions) => ClientHelloExtensions;
  /** Chains for servers that ask for one, most preferred first. Sessions made with one leaf are not offered with another. */
  readonly credentials?: readonly Credentials[];
  /**
   * Chooses when a server asks, in place of `credentials`. No session knows the choice: who chooses by user puts the user into
   * `applicationContext`, without which there are no `sessions`.
   */
  readonly chooseCredentials?: CredentialsChooser;
  /** Judges the server's chain, and its name against `serverName`. There is no default: authentication is the point. */
  readonly verifyCertificate: CertificateVerifier;
  /**
   * TLS 1.2: selects the PSK by the server's hint, which is empty if it gives none (RFC 5489). With it the ECDHE_PSK suites are offered,
   * before those of certificates. Asked again, with the hint of then, before a session under a PSK is offered.
   */
  readonly selectTls12Psk?: Tls12PskSelector;
  /** Talks to servers without RFC 5746: open to the renegotiation attack on their side. */
  readonly allowServersWithoutSecureRenegotiation?: boolean;
}

export interface ServerOptions extends CommonOptions {
  /** Chains and keys, most preferred first; one of each kind of key serves all clients. Empty for PSKs alone. */
  readonly credentials: readonly Credentials[];
  /** Seals and opens tickets (RFC 5077). Without one, none are given out and none accepted. */
  readonly tickets?: TicketSealer;
  /** What stands inside tickets. Default: this library's own state. */
  readonly ticketEncoding?: SessionEncoding;
  /** Seconds; 0 leaves it to the client. Default {@link defaultTicketLifetimeHint}, or less where a ticket key opens for less. */
  readonly ticketLifetimeHint?: number;
  /** TLS 1.3: tickets after a full handshake; a resumption brings one, if this is not 0. 0 to 255, default 2. */
  readonly ticketCount?: number;
  /** TLS 1.3: the most tickets that a client can ask for (RFC 9149 3). 0 to 255, default 8. */
  readonly maximumTicketCount?: number;
  /** TLS 1.3, seconds, at most 7 days. Default as for `ticketLifetimeHint`. */
  readonly ticketLifetime?: number;
  /**
   * TLS 1.3: tickets say that they resume under other names, and do (draft-ietf-tls-cross-sni-resumption): between settings that have
   * this, the same `applicationContext` and client authentication, and the ticket keys or store in common. That is right where every
   * name of the certificate leads to such a server. Never with early data. Default false: a session belongs to its name.
   */
  readonly resumptionAcrossNames?: boolean;
  /** Reads early data (RFC 8446 4.2.10). Default: none is read, and tickets allow none. */
  readonly earlyData?: EarlyDataOptions;
  /** Looks for an external PSK that is not in `externalPsks`. */
  readonly findExternalPsk?: ExternalPskLookup;
  /**
   * TLS 1.2: finds a PSK by its identity (RFC 5489); with it the ECDHE_PSK suites are spoken, before those of certificates. A client
   * of an unknown identity gets as far as one with a wrong key. Asked again when a session under that identity is to resume.
   */
  readonly findTls12Psk?: Tls12PskLookup;
  /** TLS 1.2: helps clients to select their PSK; 65535 bytes at most, UTF-8 by intent. Default: none. */
  readonly tls12PskIdentityHint?: Uint8Array;
  /** Asks the client to send this back in a second ClientHello (RFC 8446 4.2.2), which costs a round trip. Default: nothing. */
  readonly retryCookie?: (hello: ClientHelloInfo) => Uint8Array | undefined;
  /** Changes EncryptedExtensions at the last moment. */
  readonly shapeEncryptedExtensions?: (extensions: ServerExtensions) => ServerExtensions;
  /**
   * Bytes of early data that is not read, and dropped until the client's handshake goes on (RFC 8446 4.2.10): a client may hold a ticket
   * of a server that reads it. Where early data is read, as much as is read at least. Default {@link defaultSkippedEarlyData}.
   */
  readonly maximumSkippedEarlyData?: number;
  /**
   * TLS 1.3, without `credentials`: answers an identity that nobody knows by handshake_failure, and not as a wrong key (RFC 8446 E.6).
   * Whoever asks learns which identities exist.
   */
  readonly revealUnknownPskIdentities?: boolean;
  /**
   * TLS 1.3: asks for the most preferred group in common where the client sent a share of another one (RFC 8446 4.1.4), which costs a
   * round trip. Default false: a share that came along is taken.
   */
  readonly retryForPreferredGroup?: boolean;
  /** TLS 1.3: looks like TLS 1.2 to middleboxes (RFC 8446 D.4) for clients that do not ask for it, too. Default false. */
  readonly alwaysMiddleboxCompatible?: boolean;
  /** Whether a client hears that its server_name was understood (RFC 6066 3). Default true. */
  readonly acknowledgeServerName?: boolean;
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
}

/** Whether and how a server reads early data. */
export type EarlyDataOptions = {
  /** Bytes for each connection, 1 to 2^32-1. */
  readonly maxSize: number;
  /** How far a ticket's age may be off, milliseconds. Default 10 seconds (RFC 8446 8.3). */
  readonly freshnessWindow?: number;
  /**
   * Names those servers that share a replay record, 1 to 255 characters, each a byte: tickets of another zone, or of none, resume here
   * without early data. Tickets whose `ticketEncoding` has no room for it are of none. Default: none, for one record of all who open the
   * tickets.
   */
  readonly zone?: string;
  /**
   * Tickets that open here are issued by this process alone, which keys that it has made for itself are the usual reason for. A server
   * with a replay record of its own reads early data under them at once; without this, no early data before the record covers all
   * that may have been sent before it began (RFC 8446 8.2): 20 seconds, with the default `freshnessWindow`. Default false.
   */
  readonly ticketsAreOfThisProcessAlone?: boolean;
} & (
  | { /** Sees to it that one ClientHello is accepted once (RFC 8446 8). */ readonly replayGuard: ReplayGuard }
  | {
      readonly replayGuard?: undefined;
      /**
       * `sessions` can `take`, and there are no `tickets`: each is good for one connection, and so is the hello that shows it (RFC 8446 8.1).
       * As good as the store is at forgetting for good: one that replicates asynchronously may have a ticket again.
       */
      readonly singleUseTickets: true;
    }
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
