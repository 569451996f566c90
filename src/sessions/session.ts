/**
 * `Session`: what two endpoints remember of a full handshake, and everything a later one needs to decide whether it may resume
 * it (RFC 5246 7.2 "session", RFC 5077 4, RFC 7627 5.4, RFC 8446 4.6.1). One type for both roles, for stores and for tickets.
 *
 * Sessions are immutable: two connections may resume one at the same time while a third receives a new ticket for it
 * (OpenSSL CVE-2015-1791). A renewed ticket makes a new object.
 */
import { wipe } from '../bytes.js';
import type { EcdheGroup } from '../crypto/backend.js';
import type { Tls12CipherSuite, Tls13CipherSuite } from '../key-schedule/suites.js';
import type { SignatureSchemeInRegistry } from '../parameters.js';
import type { BindingRefusal } from './binding-refusal.js';

/** A session of any version; told apart by `version`. */
export type Session = Tls12Session | Tls13Session;

/** What a server shows beside its certificate. */
export interface Staples {
  /** DER of an OCSPResponse for the leaf (RFC 6960 4.2.1, RFC 6066 8). */
  readonly ocspResponse?: Uint8Array;
  /** The SignedCertificateTimestampList of the leaf, as on the wire (RFC 6962 3.3). */
  readonly signedCertificateTimestamps?: Uint8Array;
}

/** What sessions of both versions remember. Of what was stapled, those of a client alone know. */
export interface SessionFacts extends Staples {
  /** The host_name of the full handshake, in lower case (RFC 6066 3). */
  readonly serverName?: string;
  /** The protocol that ALPN chose in the full handshake (RFC 7301), one character per byte. */
  readonly alpnProtocol?: string;
  /** When the full handshake completed, in milliseconds. Renewing a ticket never moves it. */
  readonly establishedAt: number;
  /** When this session ID or ticket was issued, in milliseconds. */
  readonly issuedAt: number;
  /** The peer's chain as DER, leaf first; empty if it showed none. */
  readonly peerCertificates: readonly Uint8Array[];
  /** What the peer signed with in the full handshake. */
  readonly peerSignatureScheme?: SignatureSchemeInRegistry;
  /** Which configuration the session is bound to: the application's bytes, compared whole. */
  readonly applicationContext: Uint8Array;
  /** Server only: how clients were authenticated, a digest; none where they were not asked. */
  readonly clientAuthenticationPolicy?: Uint8Array;
  /**
   * Where the handshake behind it stood on an external PSK: the identity of that, as it was on the wire. The session is good as long
   * as the PSK is.
   */
  readonly externalPskIdentity?: Uint8Array;
  /** Of the key of that PSK, for whom the identity alone might be another by now. */
  readonly externalPskFingerprint?: Uint8Array;
}

export interface Tls12Session extends SessionFacts {
  readonly version: 'TLSv1.2';
  readonly cipherSuite: Tls12CipherSuite;
  /** 48 bytes. */
  readonly masterSecret: Uint8Array;
  /** Whether the full handshake derived the master secret as RFC 7627 says. */
  readonly extendedMasterSecret: boolean;
  /** Of the key exchange in the full handshake. */
  readonly group?: EcdheGroup;
  /** Client only, with an external PSK: the hint that it was selected by; empty if the server gave none (RFC 5489 2). */
  readonly pskIdentityHint?: Uint8Array;
  /** Client only: the session ID that the server gave, 1 to 32 bytes. */
  readonly sessionId?: Uint8Array;
  /** Client only: the ticket that the server gave, 1 to 65535 bytes. */
  readonly ticket?: Uint8Array;
  /** Client only: seconds from `issuedAt`; 0 means that the server did not say (RFC 5077 3.3). */
  readonly ticketLifetimeHint?: number;
}

/** What one NewSessionTicket stands for (RFC 8446 4.6.1): every ticket of a connection is a session of its own. */
export interface Tls13Session extends SessionFacts {
  readonly version: 'TLSv1.3';
  /** The suite of the connection. Its hash binds a resumption, the suite itself early data (RFC 8446 4.2.10, 4.2.11). */
  readonly cipherSuite: Tls13CipherSuite;
  /** The PSK: as long as the hash of the suite. */
  readonly psk: Uint8Array;
  /** RFC 8446 4.6.1: what hides the age of the ticket, 32 bits. */
  readonly ticketAgeAdd: number;
  /** Seconds from `issuedAt`, at most 604800. */
  readonly ticketLifetime: number;
  /** Bytes of early data that the ticket allows; 0 is none. 0xffffffff in QUIC (RFC 9001 4.6.1). */
  readonly maxEarlyDataSize: number;
  /** A ticket of TCP is never good for QUIC, nor the reverse (RFC 9001 4.5 and 8.2: the transport has its own parameters). */
  readonly transport: 'tcp' | 'quic';
  /**
   * By the server's word it resumes under any name that the server's certificate is valid for
   * (draft-ietf-tls-cross-sni-resumption); else under its own alone.
   */
  readonly resumableAcrossNames?: true;
  /** Server only: the place whose replay record knows about early data under this ticket. */
  readonly zone?: string;
  /** Client only: the ticket that the server gave, 1 to 65535 bytes. */
  readonly ticket?: Uint8Array;
}

export const masterSecretLength = 48;

/** RFC 8446 4.6.1: no ticket lives longer than 7 days. Seconds. */
export const maximumTicketLifetime = 604_800;

/** Where a session that is read is to resume. */
export interface ResumptionPlace {
  /** The host_name that the client asks for now, in lower case (RFC 6066 3). */
  readonly serverName: string | undefined;
  /** What the local configuration demands in `Session.applicationContext`. */
  readonly applicationContext: Uint8Array;
  /** As above, in `Session.clientAuthenticationPolicy`. */
  readonly clientAuthenticationPolicy?: Uint8Array | undefined;
  /** Milliseconds. */
  readonly now: number;
}

/** How a session is written down: this library's own way, RFC 5077's `StatePlaintext`, or another server's. */
export interface SessionEncoding {
  /** `undefined` if this encoding has no room for something that the session is bound to: then it is not to be kept. */
  encode(session: Session): Uint8Array | undefined;
  /**
   * The session, in arrays of its own, for `bytes` are wiped; `undefined` for anything else, malformed bytes included. Where the
   * encoding is of another server, which binds sessions by means of its own, these are judged here: the answer is the reason why the
   * session is not good for `place`, or a session that has what of `place` was proven. Never throws.
   */
  decode(bytes: Uint8Array, place: ResumptionPlace): Session | BindingRefusal | undefined;
}

/** Overwrites the secret of a session that nobody will resume any more. */
export function wipeSession(session: Session): void {
  wipe(secretOf(session));
}

/** The PSK, or the master secret. */
export function secretOf(session: Session): Uint8Array {
  return session.version === 'TLSv1.3' ? session.psk : session.masterSecret;
}
